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
    /// Nobody can ask for anything again: packets are counted, not kept.
    fleeting: bool,
    /// The newest number.
    newest: Option<SeqNo>,
    /// Where the newest key frame begins: what is older is of no use to anybody.
    key: SeqNo,
}

impl History {
    /// Of a slot that can be asked for packets again, or not.
    pub(crate) fn new(asked: bool) -> Self {
        Self { fleeting: !asked, ..Self::default() }
    }

    /// Keeps what has just left; whether it was late is seen here.
    #[inline]
    pub(crate) fn push(&mut self, at: Time, encoding: EncodingId, seq: SeqNo, forward: &Forward, key: bool) {
        let index = forward.index;
        if key {
            self.key = self.key.max(index);
        }
        let late = self.newest.is_some_and(|n| index < n);
        self.newest = self.newest.max(Some(index));
        if self.ring.is_empty() && !self.fleeting {
            self.ring = alloc::vec![None; limits::HISTORY].into();
        }
        if let Some(to) = self.ring.get_mut(Self::place(index)) {
            // A late packet must not push out a newer one that shares its place.
            if to.is_none_or(|old| old.forward.index < index) {
                *to = Some(Sent { encoding, seq, forward: *forward, at, repeats: 0, asked: false, late });
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
