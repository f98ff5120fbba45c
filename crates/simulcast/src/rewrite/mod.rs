//! How a packet is renumbered for one receiver.

pub(crate) mod numbers;
mod pictures;
mod shifted;
pub(crate) mod timeline;
mod vp8;
mod vp9;

use salon_rtp::payload::vp8::{Vp8Descriptor, Vp8Patch};
use salon_rtp::payload::vp9::{Vp9Descriptor, Vp9Patch};
use salon_rtp::{Prefix, SeqNo};

use crate::SkipReason;
use crate::facts::Ids;

/// What has to change in a payload's descriptor for one receiver. Small enough to keep per sent packet, so that a
/// repair goes out exactly as first sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Patch(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kind {
    #[default]
    None,
    Vp8(Vp8Patch),
    Vp9(Vp9Patch),
}

impl Patch {
    /// The payload goes out as it came.
    pub const NONE: Self = Self(Kind::None);

    fn vp8(patch: Vp8Patch) -> Self {
        Self(Kind::Vp8(patch))
    }

    fn vp9(patch: Vp9Patch) -> Self {
        Self(Kind::Vp9(patch))
    }

    /// Whether the payload goes out as it came, so that it need not be copied.
    pub fn is_none(&self) -> bool {
        self.0 == Kind::None
    }

    /// The bytes that stand instead of the payload's first ones, and how many of these they replace: from there on the
    /// payload goes out as it came. At most 7 bytes. Nothing for nothing where nothing changes, or where the payload is
    /// not what the patch was made for.
    pub fn apply(&self, payload: &[u8]) -> (Prefix, usize) {
        let patched = match &self.0 {
            Kind::None => None,
            Kind::Vp8(patch) => Vp8Descriptor::parse(payload).ok().map(|d| d.patched(patch)),
            Kind::Vp9(patch) => Vp9Descriptor::parse(payload).ok().map(|d| d.patched(patch)),
        };
        patched.unwrap_or((Prefix::EMPTY, 0))
    }
}

/// A packet as the rewriting of ids sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) seq: SeqNo,
    /// No packet of a higher number has come, nor one of its picture.
    pub(crate) new_picture: bool,
    /// It starts a key frame.
    pub(crate) key: bool,
}

/// The descriptor ids of one slot.
#[derive(Debug)]
pub(crate) struct Descriptors {
    vp8: vp8::Vp8,
    vp9: vp9::Vp9,
}

impl Descriptors {
    pub(crate) fn new() -> Self {
        Self { vp8: vp8::Vp8::new(), vp9: vp9::Vp9::default() }
    }

    /// Another source begins.
    pub(crate) fn start(&mut self) {
        self.vp8.start();
        self.vp9.start();
    }

    /// The packet's picture is skipped as a whole.
    pub(crate) fn skip(&mut self, p: &Packet, ids: &Ids) {
        match ids {
            Ids::None => {}
            Ids::Vp8(ids) => self.vp8.skip(p, ids),
            Ids::Vp9(ids) => self.vp9.skip(p, ids),
        }
    }

    /// The packet goes out: what changes in it.
    pub(crate) fn forward(&mut self, p: &Packet, ids: &Ids) -> Result<Patch, SkipReason> {
        match ids {
            Ids::None => Ok(Patch::NONE),
            Ids::Vp8(ids) => self.vp8.forward(p, ids),
            Ids::Vp9(ids) => self.vp9.forward(p, ids),
        }
    }
}
