//! How long an answer from a receiver takes.

use core::time::Duration;

use salon_rtp::Time;

/// A round trip so much longer than the shortest of late is a queue that we fill: less is what radio links do by themselves, more
/// is what sound suffers from.
const QUEUE: Duration = Duration::from_millis(100);

/// The shortest round trip is remembered for this long, or twice: a path that has become longer for good is believed after
/// that.
const STRETCH: Duration = Duration::from_secs(15);

/// A smoothed round trip and how much it varies, as RFC 6298 §2 has them, and the shortest of late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RoundTrip {
    smooth: Duration,
    varies: Duration,
    newest: Duration,
    /// The shortest of this stretch of time, and of the one before.
    shortest: [Duration; 2],
    since: Time,
}

impl RoundTrip {
    pub(crate) const fn new(now: Time, sample: Duration) -> Self {
        let half = Duration::from_micros(sample.as_micros() as u64 / 2);
        Self { smooth: sample, varies: half, newest: sample, shortest: [sample; 2], since: now }
    }

    pub(crate) fn add(&mut self, now: Time, sample: Duration) {
        self.varies = (self.varies * 3 + self.smooth.abs_diff(sample)) / 4;
        self.smooth = (self.smooth * 7 + sample) / 8;
        self.newest = sample;
        if now.since(self.since) >= STRETCH {
            self.shortest = [sample, self.shortest[0]];
            self.since = now;
        }
        self.shortest[0] = self.shortest[0].min(sample);
    }

    pub(crate) const fn smooth(&self) -> Duration {
        self.smooth
    }

    /// The shortest of the last 15 to 30 seconds.
    pub(crate) fn shortest(&self) -> Duration {
        self.shortest[0].min(self.shortest[1])
    }

    /// Whether the newest tells of a queue.
    pub(crate) fn queues(&self) -> bool {
        self.newest >= self.shortest() + QUEUE
    }

    /// How long to wait for an answer before it counts as lost. At most two round trips: waiting longer costs a frozen
    /// picture more than an answer too many costs bytes.
    pub(crate) fn patience(&self) -> Duration {
        (self.smooth + self.varies * 4).min(self.smooth * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn patience_shrinks_to_the_round_trip_where_that_is_steady() {
        let mut rtt = RoundTrip::new(Time::ZERO, ms(80));
        assert_eq!(rtt.patience(), ms(160));
        for _ in 0..40 {
            rtt.add(Time::ZERO, ms(80));
        }
        assert!(rtt.patience() < ms(81));
        for i in 0..40 {
            rtt.add(Time::ZERO, ms(if i % 2 == 0 { 60 } else { 100 }));
        }
        assert!(rtt.patience() > ms(110));
        assert_eq!(rtt.shortest(), ms(60));
    }

    #[test]
    fn a_queue_shows_until_the_longer_path_is_believed() {
        let mut rtt = RoundTrip::new(Time::ZERO, ms(40));
        let mut queued = 0;
        for second in 0..60 {
            rtt.add(Time::from_millis(second * 1_000), ms(if second < 10 { 40 } else { 160 }));
            queued += u64::from(rtt.queues());
        }
        assert!((5..=30).contains(&queued), "{queued}");
    }
}
