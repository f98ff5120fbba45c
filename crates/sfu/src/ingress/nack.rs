//! Asking the publisher for what is missing.

use super::Arrived;
use core::time::Duration;
use salon_rtp::{MediaKind, SeqNo, Time};

/// Which packets of one encoding to ask for again, and when (RFC 4585 §6.2.1).
#[derive(Clone, Debug)]
pub struct NackGenerator {
    kind: MediaKind,
}

impl NackGenerator {
    /// Takes the memory for all that it can track.
    pub fn new(kind: MediaKind) -> Self {
        Self { kind }
    }

    /// The round trip to the publisher, where it is known; 100 ms until then.
    pub fn set_rtt(&mut self, rtt: Duration) {
        let _ = (rtt, self.kind);
    }

    /// A packet came, by itself or `repaired`.
    pub fn arrived(&mut self, now: Time, packet: Arrived, repaired: bool) {
        let _ = (now, packet, repaired);
    }

    /// A key frame starts at `seq`: nothing before it is worth asking for.
    pub fn key_frame(&mut self, seq: SeqNo) {
        let _ = seq;
    }

    /// Too much is missing to be repaired, or a packet was given up: only a key frame helps. True once per time that it happens.
    pub fn take_hopeless(&mut self) -> bool {
        false
    }

    /// The numbers to ask for now, ascending.
    pub fn poll(&mut self, now: Time) -> &[SeqNo] {
        let _ = now;
        &[]
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        None
    }

    /// Forgets all: the source began anew, or nobody watches.
    pub fn clear(&mut self) {}
}
