//! When the loop takes its next turn.

use core::time::Duration;

use salon_rtp::Time;

use crate::limits::{HOLD_ABOVE, RELEASE_BELOW, SHARE_WINDOW, TICK};

/// Measures which share of its time the loop works, and under load holds its turns a tick apart.
///
/// Without load a packet is forwarded when it comes. But the packets of a picture come one after the other, as fast as
/// their sender's uplink lets them; forwarded one by one they leave one by one, and half of what a packet costs, or more,
/// is the kernel's fee per message. What has come within a tick leaves as runs. Twenty rooms of one camera and twenty
/// viewers (`benches`, the packets of a frame 4 ms apart in all) took 48 % of a core without, 33 % with a tick of 1 ms, 28 % with
/// 2 ms, 23 % with 4 ms; of frames that came within 1 ms, 47, 23, 21 and 20 %. So 2 ms: more gains less than it delays.
/// Where nothing is to be gained, a delay of 1 ms on average is nothing to be paid either: a room or two never get
/// there.
///
/// Time that others took the processor from us counts as work: then there is as much reason to save.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When the turn began.
    began: Time,
    /// The window over which the share is taken: since when, and how much of it was work.
    since: Time,
    work: Duration,
    /// Turns are held apart.
    held: bool,
}

impl Pace {
    pub(crate) fn new(now: Time) -> Self {
        Self { began: now, since: now, work: Duration::ZERO, held: false }
    }

    /// A turn begins.
    pub(crate) fn begin(&mut self, now: Time) {
        self.began = now;
    }

    /// A turn has ended; how long to rest before the next one. `all`: it took all that there was. If it did not, what is left
    /// makes the next runs long enough.
    pub(crate) fn end(&mut self, now: Time, all: bool) -> Option<Duration> {
        self.work += now.since(self.began);
        let window = now.since(self.since);
        if window >= SHARE_WINDOW {
            let bound = if self.held { RELEASE_BELOW } else { HOLD_ABOVE };
            self.held = self.work * 100 >= window * bound;
            (self.since, self.work) = (now, Duration::ZERO);
        }
        let rest = TICK.checked_sub(now.since(self.began)).filter(|rest| !rest.is_zero())?;
        (self.held && all).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of so many microseconds, one each so many, for two seconds; in how many of the second half's it rested.
    fn rests(pace: &mut Pace, now: &mut Time, work: u64, every: u64) -> (u64, u64) {
        let (end, mut turns, mut rested) = (now.plus(Duration::from_secs(2)), 0, 0);
        while *now < end {
            let began = *now;
            pace.begin(began);
            *now = began.plus(Duration::from_micros(work));
            let rest = pace.end(*now, true);
            if end.since(*now) < Duration::from_secs(1) {
                turns += 1;
                rested += u64::from(rest.is_some());
            }
            let next = began.plus(Duration::from_micros(every));
            *now = now.plus(rest.unwrap_or(Duration::ZERO)).max(next);
        }
        (turns, rested)
    }

    #[test]
    fn it_rests_under_load_only_and_for_as_long_as_load_lasts() {
        let mut now = Time::from_millis(1_000);
        let mut pace = Pace::new(now);
        assert_eq!(rests(&mut pace, &mut now, 20, 1_000).1, 0, "a room or two");
        assert_eq!(rests(&mut pace, &mut now, 200, 1_000).1, 0, "a fifth");
        let (turns, rested) = rests(&mut pace, &mut now, 300, 1_000);
        assert_eq!(turns, rested);
        assert!((450..=550).contains(&turns), "half as many turns: {turns}");
        // With fewer turns there is less work; that alone must not end it.
        let (turns, rested) = rests(&mut pace, &mut now, 300, 2_000);
        assert_eq!(turns, rested);
        assert_eq!(rests(&mut pace, &mut now, 20, 1_000).1, 0, "calm again");
    }

    #[test]
    fn a_turn_that_took_a_tick_or_left_something_is_followed_at_once() {
        let mut now = Time::from_millis(1_000);
        let mut pace = Pace::new(now);
        assert_eq!(rests(&mut pace, &mut now, 3_000, 3_000).1, 0);
        pace.begin(now);
        assert_eq!(pace.end(now.plus(Duration::from_micros(500)), false), None);
        assert_eq!(pace.end(now.plus(Duration::from_micros(500)), true), Some(Duration::from_micros(1_500)));
    }
}
