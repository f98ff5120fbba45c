//! Between the host's time and the time that the libraries want.

use core::time::Duration;
use std::time::Instant;

use salon_rtp::Time;

/// An [`Instant`] of the host, with the [`Time`] that it had: the libraries behind the wall count in instants, and none
/// is ever asked of the system here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    instant: Instant,
    time: Time,
}

impl Clock {
    pub(crate) fn new((instant, time): (Instant, Time)) -> Self {
        Self { instant, time }
    }

    /// A time before the origin is the origin.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        self.instant.checked_add(time.since(self.time)).unwrap_or(self.instant)
    }

    /// Rounded up to the microsecond, so that who waits for it never comes too early.
    pub(crate) fn time(&self, instant: Instant) -> Time {
        let after = instant.saturating_duration_since(self.instant);
        let rest = u64::from(!after.as_nanos().is_multiple_of(1_000));
        self.time.plus(after).plus(Duration::from_micros(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_there_and_back_and_deadlines_round_up() {
        let at = Time::from_millis(1_700_000_000_000);
        let clock = Clock::new((Instant::now(), at));
        for t in [at, at.plus(Duration::from_micros(1)), at.plus(Duration::from_secs(90_000))] {
            assert_eq!(clock.time(clock.instant(t)), t);
        }
        assert_eq!(clock.instant(Time::ZERO), clock.instant(at));
        assert_eq!(
            clock.time(clock.instant(at) + Duration::from_nanos(1_001)),
            at.plus(Duration::from_micros(2))
        );
    }
}
