//! A publisher's timestamps on the server's clock.

use salon_rtp::{NtpTime, RtpTime, Time};

/// One participant's wall clock against the server's: one offset for all its encodings, so that what its reports say is
/// simultaneous stays so.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublisherClock {}

impl PublisherClock {
    /// Nothing known.
    pub const fn new() -> Self {
        Self {}
    }
}

/// One encoding's timestamps on the server's clock.
#[derive(Clone, Copy, Debug)]
pub struct CaptureClock {
    rate: u32,
}

impl CaptureClock {
    /// For a media clock of `clock_rate` ticks per second.
    pub const fn new(clock_rate: u32) -> Self {
        Self { rate: clock_rate }
    }

    /// A sender report of this encoding came (RFC 3550 §6.4.1).
    pub fn sender_report(&mut self, now: Time, ntp: NtpTime, rtp: RtpTime, publisher: &mut PublisherClock) {
        let _ = (now, ntp, rtp, publisher, self.rate);
    }

    /// The moment of the server's clock that `timestamp` stands for, of a packet that came just `now`.
    pub fn captured(&mut self, now: Time, timestamp: RtpTime, publisher: &PublisherClock) -> Time {
        let _ = (timestamp, publisher);
        now
    }

    /// The source began anew: its timestamps have nothing to do with those before.
    pub fn restart(&mut self) {}
}
