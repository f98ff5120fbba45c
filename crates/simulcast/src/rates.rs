//! Measured rates.

use core::time::Duration;

use salon_rtp::{Bitrate, Time};

/// The measured rate of an encoding, over a sliding window of about a second.
#[derive(Debug, Default)]
pub struct Rate {
    bytes: u64,
    since: Option<Time>,
}

impl Rate {
    /// Nothing measured yet.
    pub const fn new() -> Self {
        Self { bytes: 0, since: None }
    }

    /// Counts `bytes` that arrived at `now`.
    pub fn add(&mut self, now: Time, bytes: usize) {
        self.since.get_or_insert(now);
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The rate over the window that ends at `now`.
    pub fn get(&self, now: Time) -> Bitrate {
        let over = self.since.map_or(Duration::ZERO, |s| now.since(s));
        Bitrate::of(self.bytes, over)
    }
}
