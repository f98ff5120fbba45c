//! Asking the publisher for a key frame, no more often than needed.

use salon_rtp::Time;

/// Merges the requests of all viewers of one encoding.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeThrottle {}

impl KeyframeThrottle {
    /// Nothing wanted.
    pub const fn new() -> Self {
        Self {}
    }

    /// Somebody needs a key frame that starts after this moment.
    pub fn request(&mut self, now: Time) {
        let _ = now;
    }

    /// Nobody needs one any more (the last viewer left).
    pub fn cancel(&mut self) {}

    /// A packet of this encoding came; `key_start`: it is the first of a key frame, which meets every need so far.
    pub fn packet(&mut self, now: Time, key_start: bool) {
        let _ = (now, key_start);
    }

    /// Whether to send a request (PLI or FIR) now.
    pub fn poll(&mut self, now: Time) -> bool {
        let _ = now;
        false
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        None
    }

    /// Whether a need is open, and not given up.
    pub const fn is_open(&self) -> bool {
        false
    }
}
