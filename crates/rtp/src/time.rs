//! The three times of a media packet: the host's clock, the sender's wall clock, the media clock.

use core::time::Duration;

/// A moment on the host's monotonic clock, in microseconds since a zero of the host's choice.
///
/// Arithmetic saturates and never panics: time is an argument everywhere, and an argument can be anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(u64);

impl Time {
    /// The host's zero.
    pub const ZERO: Self = Self(0);
    /// Later than every deadline: "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// A moment `micros` microseconds after the host's zero.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A moment `millis` milliseconds after the host's zero.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the host's zero.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved later, at most to [`Time::NEVER`].
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// This moment moved earlier, at most to [`Time::ZERO`].
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }
}

const fn micros(d: Duration) -> u64 {
    let m = d.as_micros();
    if m > u64::MAX as u128 { u64::MAX } else { m as u64 }
}

/// An RTP timestamp (RFC 3550 §5.1): 32 bits that wrap, in ticks of the payload's clock. It has no order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RtpTime(pub u32);

impl RtpTime {
    /// This timestamp moved by `ticks` (wrapping; a negative move is its two's complement).
    pub const fn wrapping_add(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }

    /// Signed distance in ticks from `earlier`, right while the two are less than 2³¹ ticks apart.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }
}

/// A 64-bit NTP timestamp (RFC 3550 §4): seconds since 1900 and a binary fraction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// `micros` microseconds after the NTP era's zero.
    pub const fn from_micros(micros: u64) -> Self {
        let secs = micros / 1_000_000;
        let frac = ((micros % 1_000_000) << 32) / 1_000_000;
        Self((secs << 32) | frac)
    }

    /// Microseconds since the NTP era's zero (rounded to the nearest).
    pub const fn as_micros(self) -> u64 {
        let secs = self.0 >> 32;
        let frac = ((self.0 & 0xffff_ffff) * 1_000_000 + (1 << 31)) >> 32;
        secs * 1_000_000 + frac
    }

    /// The middle 32 bits, as LSR of a reception report carries them (RFC 3550 §6.4.1).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(Time::ZERO.minus(Duration::from_secs(1)), Time::ZERO);
        assert_eq!(Time::NEVER.plus(Duration::MAX), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time::NEVER), Duration::ZERO);
    }

    #[test]
    fn ntp_round_trips_microseconds() {
        for m in [0, 1, 999_999, 1_000_000, 3_900_000_000_123_456] {
            assert_eq!(NtpTime::from_micros(m).as_micros(), m);
        }
    }

    #[test]
    fn rtp_time_distance_crosses_the_wrap() {
        assert_eq!(RtpTime(5).since(RtpTime(u32::MAX)), 6);
        assert_eq!(RtpTime(u32::MAX).since(RtpTime(5)), -6);
    }
}
