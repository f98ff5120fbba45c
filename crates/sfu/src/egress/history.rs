//! What a slot sent, so that it can be sent again.

use alloc::boxed::Box;

use salon_rtp::{SeqNo, Time};
use salon_simulcast::Forward;

use crate::ingress::EncodingId;
use crate::limits;

/// A packet that left: where its bytes are, and how it went out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) encoding: EncodingId,
    pub(crate) seq: SeqNo,
    pub(crate) forward: Forward,
    /// When it left last.
    pub(crate) at: Time,
    /// How often it was sent again.
    pub(crate) repeats: u8,
    /// Whether its receiver has asked for it.
    pub(crate) asked: bool,
    /// It left after later ones: its receiver may have asked for it already.
    pub(crate) late: bool,
}

/// The last packets of a slot, by outgoing number. It takes its memory with the first packet.
#[derive(Debug, Default)]
pub(crate) struct History {
    ring: Box<[Option<Sent>]>,
    /// The newest number.
    newest: Option<SeqNo>,
    /// Where the newest key frame begins: what is older is of no use to anybody.
    key: SeqNo,
}

impl History {
    /// Keeps what has just left; whether it was late is seen here.
    pub(crate) fn push(&mut self, mut sent: Sent, key: bool) {
        if self.ring.is_empty() {
            self.ring = alloc::vec![None; limits::HISTORY].into();
        }
        let index = sent.forward.index;
        if key {
            self.key = self.key.max(index);
        }
        sent.late = self.newest.is_some_and(|n| index < n);
        self.newest = self.newest.max(Some(index));
        let at = Self::place(index);
        if let Some(to) = self.ring.get_mut(at) {
            // A late packet must not push out a newer one that shares its place.
            if to.is_none_or(|old| old.forward.index < index) {
                *to = Some(sent);
            }
        }
    }

    pub(crate) fn get_mut(&mut self, index: SeqNo) -> Option<&mut Sent> {
        self.ring.get_mut(Self::place(index))?.as_mut().filter(|s| s.forward.index == index)
    }

    pub(crate) fn newest(&self) -> Option<SeqNo> {
        self.newest
    }

    pub(crate) fn key(&self) -> SeqNo {
        self.key
    }

    fn place(index: SeqNo) -> usize {
        index.0 as usize & (limits::HISTORY - 1)
    }
}

const _: () = assert!(limits::HISTORY.is_power_of_two());
