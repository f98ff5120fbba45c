//! How a packet is renumbered for one receiver.

pub(crate) mod numbers;
mod pictures;
mod shifted;
pub(crate) mod timeline;
mod vp8;
mod vp9;

use salon_rtp::{Prefix, SeqNo};

use crate::SkipReason;
use crate::facts::Ids;

/// What stands for one receiver instead of a payload's first bytes: its descriptor with other ids. Small enough to keep per sent
/// packet, so that a repair goes out exactly as first sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Patch {
    /// A VP8 descriptor (RFC 7741 §4.2) whose picture id became one of 15 bits has seven.
    bytes: [u8; 8],
    len: u8,
    replaced: u8,
}

impl Patch {
    /// The payload goes out as it came.
    pub const NONE: Self = Self { bytes: [0; 8], len: 0, replaced: 0 };

    /// These bytes instead of the first `replaced` ones.
    fn of((prefix, replaced): (Prefix, usize)) -> Self {
        let (bytes, len) = prefix.first();
        debug_assert!(len == prefix.as_slice().len() && replaced <= len);
        Self { bytes, len: len as u8, replaced: replaced as u8 }
    }

    /// Whether the payload goes out as it came, so that it need not be copied.
    pub fn is_none(&self) -> bool {
        self.replaced == 0
    }

    /// The bytes that stand instead of the payload's first ones, at most 7, and how many of these they replace: from there on the
    /// payload goes out as it came. Nothing for nothing where nothing changes.
    pub fn get(&self) -> (Prefix, usize) {
        (Prefix::few(self.bytes, usize::from(self.len)), usize::from(self.replaced))
    }

    /// Makes these bytes the prefix; how many of the payload's they replace.
    #[inline]
    pub fn put(&self, prefix: &mut Prefix) -> usize {
        prefix.set(self.bytes, usize::from(self.len));
        usize::from(self.replaced)
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
