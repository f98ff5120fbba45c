//! Measured rates.

use core::time::Duration;

use salon_rtp::{Bitrate, Time};

/// The window is cut into this many parts …
const PARTS: usize = 8;
/// … of this length each: two seconds in all, so that a key frame does not pass for the rate and a change shows within seconds.
const PART: Duration = Duration::from_millis(250);

/// The measured rate of a stream, over the last two seconds. Constant size, O(1) per packet.
#[derive(Debug, Default)]
pub struct Rate {
    parts: [u32; PARTS],
    /// The number of the newest part since the host's zero.
    newest: u64,
    /// When the first and the last bytes came.
    first: Option<Time>,
    last: Time,
}

impl Rate {
    /// Nothing measured yet.
    pub const fn new() -> Self {
        Self { parts: [0; PARTS], newest: 0, first: None, last: Time::ZERO }
    }

    /// Counts `bytes` that came at `now`. A `now` before the last counts as the last.
    pub fn add(&mut self, now: Time, bytes: usize) {
        let now = now.max(self.last);
        let part = part(now);
        if self.first.is_none() || part - self.newest >= PARTS as u64 {
            self.parts = [0; PARTS];
        } else {
            for n in self.newest + 1..=part {
                self.slot(n, |_| 0);
            }
        }
        self.first.get_or_insert(now);
        (self.newest, self.last) = (part, now);
        self.slot(part, |b| b.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX)));
    }

    fn slot(&mut self, part: u64, change: impl FnOnce(u32) -> u32) {
        if let Some(b) = self.parts.get_mut((part % PARTS as u64) as usize) {
            *b = change(*b);
        }
    }

    /// The rate over the two seconds before `now`; while less than that was measured, over what was, but at least a quarter of a
    /// second. Zero before the first byte.
    pub fn get(&self, now: Time) -> Bitrate {
        let Some(first) = self.first else { return Bitrate::ZERO };
        let now = now.max(self.last);
        let current = part(now);
        let oldest = (current + 1).saturating_sub(PARTS as u64);
        let bytes: u64 = (oldest..=current.min(self.newest))
            .filter(|n| n + (PARTS as u64) > self.newest)
            .filter_map(|n| self.parts.get((n % PARTS as u64) as usize))
            .map(|b| u64::from(*b))
            .sum();
        // The newest part is not over yet: the window reaches from the oldest part's start to now.
        let start = Time::from_micros(oldest.saturating_mul(PART.as_micros() as u64)).max(first);
        Bitrate::of(bytes, now.since(start).max(PART))
    }

    /// How long nothing came; `None` before the first byte. A shared screen that stands still may send a frame every
    /// few seconds and is not dead: ask for more than that before calling it so.
    pub fn idle(&self, now: Time) -> Option<Duration> {
        self.first.map(|_| now.since(self.last))
    }
}

fn part(t: Time) -> u64 {
    t.as_micros() / PART.as_micros() as u64
}

/// Temporal layers that are told apart: TID of VP8 has two bits, and nobody sends more of VP9.
pub const TEMPORAL_LAYERS: usize = 4;

/// The measured rates of an encoding by temporal layer.
#[derive(Debug, Default)]
pub struct LayerRates {
    layers: [Rate; TEMPORAL_LAYERS],
}

impl LayerRates {
    /// Nothing measured yet.
    pub const fn new() -> Self {
        Self { layers: [const { Rate::new() }; TEMPORAL_LAYERS] }
    }

    /// Counts a packet of a temporal layer. What lies above the highest that is told apart counts for that.
    pub fn add(&mut self, now: Time, temporal: u8, bytes: usize) {
        if let Some(rate) = self.layers.get_mut(usize::from(temporal).min(TEMPORAL_LAYERS - 1)) {
            rate.add(now, bytes);
        }
    }

    /// The rate of all layers up to `temporal`.
    pub fn upto(&self, now: Time, temporal: u8) -> Bitrate {
        self.layers.iter().take(usize::from(temporal) + 1).fold(Bitrate::ZERO, |sum, r| sum.plus(r.get(now)))
    }

    /// The highest layer in which something came in the last two seconds.
    pub fn highest(&self, now: Time) -> Option<u8> {
        self.layers.iter().rposition(|r| r.get(now) > Bitrate::ZERO).map(|i| i as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_steady_stream_measures_as_it_is() {
        let mut rate = Rate::new();
        for ms in (0..10_000).step_by(10) {
            rate.add(Time::from_millis(ms), 1_000);
            if ms >= 1_000 {
                let kbps = rate.get(Time::from_millis(ms)).as_bps() / 1_000;
                assert!((780..=840).contains(&kbps), "{kbps} at {ms}");
            }
        }
        assert_eq!(rate.get(Time::from_millis(12_000)), Bitrate::ZERO);
        assert_eq!(rate.idle(Time::from_millis(12_000)), Some(Duration::from_millis(2_010)));
    }

    #[test]
    fn layers_add_up() {
        let mut rates = LayerRates::new();
        for ms in (0..4_000).step_by(20) {
            rates.add(Time::from_millis(ms), (ms / 20 % 3) as u8, 500);
        }
        let now = Time::from_millis(3_980);
        assert_eq!(rates.highest(now), Some(2));
        assert!(rates.upto(now, 0) < rates.upto(now, 1) && rates.upto(now, 1) < rates.upto(now, u8::MAX));
        assert_eq!(rates.highest(Time::from_millis(60_000)), None);
    }

    #[test]
    fn a_leap_of_time_costs_nothing() {
        let mut rate = Rate::new();
        rate.add(Time::ZERO, 1_000);
        rate.add(Time::NEVER, usize::MAX);
        rate.add(Time::ZERO, 1);
        assert!(rate.get(Time::ZERO) > Bitrate::ZERO);
        assert_eq!(rate.idle(Time::NEVER), Some(Duration::ZERO));
    }

    proptest! {
        /// Against a list of everything: never more than what came in the window and its newest part, never less than
        /// what came since the window's oldest whole part.
        #[test]
        fn the_window_holds_what_came_in_it(
            steps in prop::collection::vec((0u64..900_000, 0usize..3_000), 1..100), then in 0u64..3_000_000,
        ) {
            let (mut rate, mut all, mut now) = (Rate::new(), std::vec::Vec::new(), 0);
            for (dt, bytes) in steps {
                now += dt;
                rate.add(Time::from_micros(now), bytes);
                all.push((now, bytes as u64));
            }
            let end = now + then;
            let within = |us: u64| all.iter().filter(|(t, _)| t + us >= end).map(|(_, b)| b).sum::<u64>();
            let first = all[0].0;
            let got = rate.get(Time::from_micros(end)).as_bps();
            let over = |us: u64| us.min(end - first).max(250_000);
            let most = within(2_000_000) * 8_000_000 / over(1_750_000) + 1;
            let least = within(1_750_000) * 8_000_000 / over(2_000_000);
            prop_assert!(got <= most && got + 1 >= least, "{least} <= {got} <= {most}");
        }
    }
}
