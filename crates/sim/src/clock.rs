//! Clocks that move when told to.

use core::time::Duration;
use salon_rtp::{NtpTime, Time};

/// The simulation's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    now: Time,
}

impl Clock {
    /// A clock that stands at `now`.
    pub const fn new(now: Time) -> Self {
        Self { now }
    }

    /// What time it is.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Moves on, and says what time it is then.
    pub fn advance(&mut self, by: Duration) -> Time {
        self.now = self.now.plus(by);
        self.now
    }

    /// Moves on to `then`; never back.
    pub fn advance_to(&mut self, then: Time) -> Time {
        self.now = self.now.max(then);
        self.now
    }
}

/// A participant's own clock: it stands elsewhere and runs a little faster or slower. Both its wall clock and the media
/// clocks of its sources run by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallClock {
    /// Microseconds since the NTP era's zero at the simulation's zero.
    pub at_zero: u64,
    /// Parts per million that it runs fast.
    pub drift_ppm: i32,
}

impl WallClock {
    /// Right, in November 2026.
    pub const RIGHT: Self = Self { at_zero: 4_004_400_000_000_000, drift_ppm: 0 };

    /// Off by so many seconds.
    pub const fn off_by(seconds: i64) -> Self {
        Self { at_zero: Self::RIGHT.at_zero.wrapping_add_signed(seconds * 1_000_000), ..Self::RIGHT }
    }

    /// Microseconds that have passed on it since the simulation's zero.
    pub fn elapsed(&self, now: Time) -> u64 {
        let now = i128::from(now.as_micros());
        (now + now * i128::from(self.drift_ppm) / 1_000_000) as u64
    }

    /// When `elapsed` microseconds will have passed on it: the inverse of [`elapsed`](Self::elapsed), within one.
    pub fn when(&self, elapsed: u64) -> Time {
        let rate = i128::from(1_000_000 + self.drift_ppm);
        Time::from_micros((i128::from(elapsed) * 1_000_000 / rate) as u64)
    }

    /// What it shows.
    pub fn ntp(&self, now: Time) -> NtpTime {
        NtpTime::from_micros(self.at_zero.wrapping_add(self.elapsed(now)))
    }

    /// Ticks of a media clock of `rate` that have passed since the simulation's zero, wrapping.
    pub fn ticks(&self, now: Time, rate: u32) -> u32 {
        ticks(self.elapsed(now), rate)
    }
}

/// Ticks of a media clock of `rate` in `micros`, wrapping.
pub(crate) fn ticks(micros: u64, rate: u32) -> u32 {
    (u128::from(micros) * u128::from(rate) / 1_000_000) as u32
}

impl Default for WallClock {
    fn default() -> Self {
        Self::RIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_gains() {
        let clock = WallClock { drift_ppm: 100, ..WallClock::off_by(3_600) };
        let hour = Time::from_millis(3_600_000);
        assert_eq!(clock.elapsed(hour), 3_600_360_000);
        assert_eq!(clock.when(3_600_360_000), hour);
        assert_eq!(clock.ntp(Time::ZERO).as_micros() - WallClock::RIGHT.at_zero, 3_600_000_000);
        assert_eq!(WallClock::RIGHT.ticks(hour, 90_000), 324_000_000);
        let mut sim = Clock::new(hour);
        assert_eq!(sim.advance_to(Time::ZERO), hour);
        assert_eq!(sim.advance(Duration::from_secs(1)), hour.plus(Duration::from_secs(1)));
    }
}
