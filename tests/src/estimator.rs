//! What a browser believes that its link carries.

use core::time::Duration;
use salon_rtp::{Bitrate, Time};
use std::collections::VecDeque;

/// A model of the receive-side estimator of libwebrtc (REMB): one and a half times what comes, at most; less than what comes
/// when delays grow; told every second, and at once when it falls. It says nothing until it has measured for five seconds.
#[derive(Clone, Debug)]
pub struct Estimator {
    first: Option<Time>,
    came: VecDeque<(Time, usize)>,
    least: Duration,
    delay: Duration,
    estimate: Option<Bitrate>,
    looked: Time,
    told: Time,
    told_estimate: Option<Bitrate>,
}

/// What comes is measured over so long.
const WINDOW: Duration = Duration::from_millis(500);
/// So much more delay than the least is a queue that grows.
const OVERUSE: Duration = Duration::from_millis(60);
/// How long it measures before it believes (libwebrtc: `kInitializationTime`).
const BEGIN: Duration = Duration::from_secs(5);
/// How often it looks, and how often it tells.
const LOOK: Duration = Duration::from_millis(50);
const TELL: Duration = Duration::from_secs(1);

impl Default for Estimator {
    fn default() -> Self {
        Self {
            first: None,
            came: VecDeque::new(),
            least: Duration::MAX,
            delay: Duration::ZERO,
            estimate: None,
            looked: Time::ZERO,
            told: Time::ZERO,
            told_estimate: None,
        }
    }
}

impl Estimator {
    /// A packet came that left `delay` ago.
    pub fn packet(&mut self, now: Time, delay: Duration, bytes: usize) {
        self.first.get_or_insert(now);
        self.came.push_back((now, bytes));
        self.least = self.least.min(delay);
        self.delay = delay - self.least;
    }

    /// What is to be told now.
    pub fn poll(&mut self, now: Time) -> Option<Bitrate> {
        if now.since(self.looked) >= LOOK {
            self.look(now);
        }
        let estimate = self.estimate?;
        // A fall of three percent is told at once.
        let fell = self.told_estimate.is_some_and(|t| estimate < t.percent(97));
        if !fell && now.since(self.told) < TELL {
            return None;
        }
        (self.told, self.told_estimate) = (now, Some(estimate));
        Some(estimate)
    }

    fn look(&mut self, now: Time) {
        self.looked = now;
        while self.came.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.came.pop_front();
        }
        let bytes: usize = self.came.iter().map(|c| c.1).sum();
        let comes = Bitrate::from_bps(bytes as u64 * 8_000 / WINDOW.as_millis() as u64);
        if self.came.is_empty() {
            return;
        }
        let begun = self.first.is_some_and(|first| now.since(first) > BEGIN);
        let overused = self.delay > OVERUSE;
        if self.estimate.is_none() && !begun && !overused {
            return;
        }
        let old = self.estimate.unwrap_or(comes);
        self.estimate = Some(if overused {
            comes.percent(85).min(old)
        } else {
            // Eight percent a second, not beyond what the incoming rate proves (libwebrtc: 1.5 times and 10 kbit/s), which
            // bounds its growth only.
            let grown = old.plus(Bitrate::from_bps(old.as_bps() * 8 / 100 / 20 + 50));
            grown.min(comes.percent(150).plus(Bitrate::from_kbps(10))).max(old)
        });
    }
}
