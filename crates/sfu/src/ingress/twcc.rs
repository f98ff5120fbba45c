//! When each packet of a publisher's transport came.

use salon_rtp::{Seq, SeqNo, Time};

/// One feedback's worth of arrivals.
#[derive(Clone, Copy, Debug)]
pub struct Arrivals<'a> {
    recorder: &'a TwccRecorder,
    base: SeqNo,
    count: u16,
}

impl Arrivals<'_> {
    /// The first number that this feedback covers.
    pub const fn base(&self) -> SeqNo {
        self.base
    }

    /// How many numbers it covers, received or not.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The packets received, by ascending number.
    pub fn iter(&self) -> impl Iterator<Item = (SeqNo, Time)> + '_ {
        let _ = self.recorder;
        core::iter::empty()
    }
}

/// Records the arrivals of one transport by their transport-wide numbers (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Clone, Debug)]
pub struct TwccRecorder {}

impl TwccRecorder {
    /// Takes the memory for its window.
    pub fn new() -> Self {
        Self {}
    }

    /// A packet with this transport-wide number came.
    pub fn push(&mut self, now: Time, number: Seq) {
        let _ = (now, number);
    }

    /// What to report now, if anything; call until `None`.
    pub fn poll(&mut self, now: Time) -> Option<Arrivals<'_>> {
        let _ = now;
        None
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        None
    }
}

impl Default for TwccRecorder {
    fn default() -> Self {
        Self::new()
    }
}
