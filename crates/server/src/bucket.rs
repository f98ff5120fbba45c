//! A token bucket: so many messages a second, so many at once.

use std::time::Instant;

/// Tokens that refill with time; one is spent per message.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Thousandths of a token.
    level: u64,
    per_second: u32,
    at_once: u32,
    last: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: Instant, per_second: u32, at_once: u32) -> Self {
        Self { level: u64::from(at_once) * 1000, per_second, at_once, last: now }
    }

    /// Whether it holds all that it can.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.level == u64::from(self.at_once) * 1000
    }

    /// Spends a token; false when there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let enough = self.level >= 1000;
        if enough {
            self.level -= 1000;
        }
        enough
    }

    fn refill(&mut self, now: Instant) {
        let milliseconds = now.saturating_duration_since(self.last).as_millis();
        if milliseconds > 0 {
            let gained =
                u64::try_from(milliseconds).unwrap_or(u64::MAX).saturating_mul(u64::from(self.per_second));
            self.level = self.level.saturating_add(gained).min(u64::from(self.at_once) * 1000);
            self.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn in_any_second_no_more_pass_than_the_burst_and_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start, 50, 200);
        let passed = (0..10_000u32)
            .filter(|n| bucket.take(start + Duration::from_micros(u64::from(*n) * 100)))
            .count();
        assert_eq!(passed, 249, "200 at once, and 50 in the 999.9 ms that follow, less the unfinished one");
    }

    #[test]
    fn it_is_full_again_when_all_is_given_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start, 2, 3);
        assert!(bucket.is_full(start) && bucket.take(start) && bucket.take(start));
        assert!(!bucket.is_full(start + Duration::from_millis(999)));
        assert!(bucket.is_full(start + Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut bucket = Bucket::new(start, 50, 1);
        assert!(bucket.take(start));
        assert!(!bucket.take(start - Duration::from_secs(5)));
        assert!(!bucket.take(start));
    }
}
