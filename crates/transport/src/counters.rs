//! What a transport counted.

use crate::DropReason;

/// Totals since the transport was made. They only grow, but for `peers`.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    dropped: [u64; DropReason::COUNT],
    /// Peers now.
    pub peers: u64,
    /// Handshakes under way now.
    pub handshakes: u64,
    /// Checks whose integrity verified, and that were answered.
    pub checks: u64,
    /// Handshakes begun.
    pub handshakes_begun: u64,
    /// Handshakes that gave keys.
    pub connected: u64,
    /// Answers and flights that were not sent, because too many waited.
    pub unsent: u64,
    /// Peers that a timer looked at: the idle must not cost.
    pub visits: u64,
}

impl Counters {
    /// Datagrams dropped for `reason`.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Each reason with its count.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.iter().map(|&r| (r, self.dropped(r)))
    }

    /// Adds what another transport counted.
    pub fn add(&mut self, other: &Self) {
        let Self { dropped, peers, handshakes, checks, handshakes_begun, connected, unsent, visits } = other;
        self.dropped.iter_mut().zip(dropped).for_each(|(sum, n)| *sum += n);
        self.peers += peers;
        self.handshakes += handshakes;
        self.checks += checks;
        self.handshakes_begun += handshakes_begun;
        self.connected += connected;
        self.unsent += unsent;
        self.visits += visits;
    }

    pub(crate) fn count(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }
}
