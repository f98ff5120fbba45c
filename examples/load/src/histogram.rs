//! How often which duration occurred, to within 1.6 %.

use std::time::Duration;

/// Steps per power of two: 64 make the error of a value at most 1/64.
const STEPS: u64 = 64;
/// Powers of two above the first, exact steps: enough for 2⁴⁰ µs, twelve days.
const POWERS: usize = 35;

/// Counts of durations, in steps that grow with them. It never allocates after it was made.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    worst: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; STEPS as usize * (POWERS + 1)], total: 0, worst: 0 }
    }
}

impl Histogram {
    /// Counts one duration, in whole microseconds.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let last = self.counts.len().saturating_sub(1);
        if let Some(count) = self.counts.get_mut(step(micros).min(last)) {
            *count += 1;
        }
        self.total += 1;
        self.worst = self.worst.max(micros);
    }

    /// How many were counted.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether none was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest one; zero if there was none.
    pub fn worst(&self) -> Duration {
        Duration::from_micros(self.worst)
    }

    /// The duration that a `share` (0 to 1) of all do not exceed, zero if there was none: the upper end of its step, never more than the worst.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(top(at).min(self.worst));
            }
        }
        Duration::ZERO
    }
}

/// The step in which a value is counted: itself below [`STEPS`], then its power of two and the next six bits.
fn step(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let power = u64::from(micros.ilog2() - STEPS.ilog2());
    (power * STEPS + (micros >> power)) as usize
}

/// The greatest value of a step.
fn top(step: usize) -> u64 {
    let step = step as u64;
    if step < STEPS {
        return step;
    }
    let power = step / STEPS - 1;
    ((STEPS + step % STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_within_its_step_and_steps_are_narrow() {
        let mut before = None;
        for value in (0..200_000).chain((0..40).map(|p| 1 << p)).chain((0..40).map(|p| (1 << p) + 7)) {
            let top = top(step(value));
            assert!(top >= value, "{value} {top}");
            assert!((top - value) * STEPS <= value.max(1), "{value} {top}");
            if value > 0 && before == Some(value - 1) {
                assert!(step(value) >= step(value - 1) && step(value) <= step(value - 1) + 1);
            }
            before = Some(value);
        }
    }

    #[test]
    fn quantiles_of_a_thousand_known_values() {
        let mut h = Histogram::default();
        (1..=1_000).for_each(|ms| h.record(Duration::from_millis(ms)));
        for (share, ms) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let got = h.quantile(share).as_secs_f64() * 1e3;
            assert!((ms..=ms * 1.016).contains(&got), "{share}: {got}");
        }
        assert_eq!(
            (h.quantile(1.0), h.worst(), h.len()),
            (Duration::from_secs(1), Duration::from_secs(1), 1_000)
        );
    }

    #[test]
    fn nothing_has_no_delay_and_a_year_does_not_overflow() {
        let mut h = Histogram::default();
        assert!(h.is_empty() && h.quantile(0.99) == Duration::ZERO);
        h.record(Duration::from_secs(365 * 86_400));
        assert_eq!(h.len(), 1);
        assert_eq!(h.worst(), Duration::from_secs(365 * 86_400));
    }
}
