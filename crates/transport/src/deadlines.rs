//! When somebody is due.

use std::collections::BTreeSet;

use salon_rtp::Time;

use crate::PeerId;

/// One entry per peer, the earliest first: an ordered set, because an entry must also be found to be moved.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(Time, PeerId)>);

impl Deadlines {
    pub(crate) fn insert(&mut self, at: Time, peer: PeerId) {
        self.0.insert((at, peer));
    }

    pub(crate) fn remove(&mut self, at: Time, peer: PeerId) {
        self.0.remove(&(at, peer));
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Option<Time> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Takes somebody who is due.
    pub(crate) fn pop(&mut self, now: Time) -> Option<PeerId> {
        if self.first()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, peer)| peer)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
