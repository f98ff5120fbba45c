//! What a transport tells its owner.

use std::collections::VecDeque;

use salon_srtp::Profile;

use crate::{GoneReason, Path, PeerId};

/// An edge of a peer's state. At most one of each kind is pending per peer; what is told is how things stand when it is
/// polled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Keys exist and a path is chosen: [`link`](crate::Transport::link) gives something from now on.
    Connected {
        /// Who.
        peer: PeerId,
        /// What the handshake agreed on.
        profile: Profile,
        /// Where media goes.
        path: Path,
    },
    /// The peer has chosen another path; media goes there already.
    PathChanged {
        /// Who.
        peer: PeerId,
        /// Where media goes now.
        path: Path,
    },
    /// Nothing authenticated came for [`SILENT_AFTER`](crate::limits::SILENT_AFTER).
    Silent {
        /// Who.
        peer: PeerId,
    },
    /// Somebody who was silent was heard.
    Back {
        /// Who.
        peer: PeerId,
    },
    /// The peer is no more: its id is stale, its addresses are free.
    Gone {
        /// Who it was.
        peer: PeerId,
        /// Why.
        reason: GoneReason,
    },
}

/// Something to be told about a peer, looked up when it is polled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    Connected,
    Path,
    Liveness,
}

/// What stands in the queue of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    Look(PeerId, Mark),
    Gone(PeerId, GoneReason),
}

/// Which marks of a peer stand in the queue.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Marks(u8);

impl Marks {
    /// Queues a mark, unless it stands there.
    pub(crate) fn set(&mut self, peer: PeerId, mark: Mark, queue: &mut VecDeque<Pending>) {
        let bit = 1 << mark as u8;
        if self.0 & bit == 0 {
            self.0 |= bit;
            queue.push_back(Pending::Look(peer, mark));
        }
    }

    pub(crate) fn clear(&mut self, mark: Mark) {
        self.0 &= !(1 << mark as u8);
    }
}
