//! Asking the publisher for a key frame, no more often than needed.

use core::time::Duration;
use salon_rtp::Time;

/// Between two requests to one encoding. Shorter makes an encoder that obeys send nothing but key frames; longer lets a
/// newcomer wait (JVB's source-wide interval).
const AT_MOST_EVERY: Duration = Duration::from_millis(200);
/// From the first request to its repetition, if no key frame has come; it doubles from there. libwebrtc's sender ignores
/// what comes within 300 ms of its last key frame, so less is wasted and more lets a newcomer wait.
const RETRY_FIRST: Duration = Duration::from_millis(300);
/// The longest between two repetitions.
const RETRY_MOST: Duration = Duration::from_secs(1);
/// A need is given up after this: who cannot make a key frame in ten repetitions does not hear us.
const GIVE_UP: Duration = Duration::from_secs(10);
/// An encoding that sends nothing for this long has stopped; a need is given up after three requests then.
const STOPPED: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
struct Need {
    since: Time,
    due: Time,
    tries: u32,
}

/// Merges the requests of all viewers of one encoding: one open need, met by the next key frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeThrottle {
    need: Option<Need>,
    given_up: bool,
    sent: Option<Time>,
    flowed: Option<Time>,
}

impl KeyframeThrottle {
    /// Nothing wanted.
    pub const fn new() -> Self {
        Self { need: None, given_up: false, sent: None, flowed: None }
    }

    /// Somebody needs a key frame that starts after this moment.
    pub fn request(&mut self, now: Time) {
        if self.need.is_none() {
            // Too soon after the last: later then, but not forgotten.
            let due = self.sent.map_or(now, |s| now.max(s.plus(AT_MOST_EVERY)));
            self.need = Some(Need { since: now, due, tries: 0 });
        }
        self.given_up = false;
    }

    /// Nobody needs one any more (the last viewer left).
    pub fn cancel(&mut self) {
        self.need = None;
        self.given_up = false;
    }

    /// A packet of this encoding came; `key_start`: it is the first of a key frame, which meets every need so far.
    pub fn packet(&mut self, now: Time, key_start: bool) {
        let stopped = self.flowed.is_none_or(|f| now.since(f) >= STOPPED);
        self.flowed = Some(now);
        if key_start {
            self.cancel();
        } else if self.given_up && stopped {
            self.request(now);
        }
    }

    /// Whether to send a request (PLI or FIR) now.
    pub fn poll(&mut self, now: Time) -> bool {
        let Some(need) = &mut self.need else { return false };
        if now < need.due {
            return false;
        }
        let stopped = self.flowed.is_none_or(|f| now.since(f) >= STOPPED);
        if now.since(need.since) >= GIVE_UP || (stopped && need.tries >= 3) {
            self.need = None;
            self.given_up = true;
            return false;
        }
        let wait = RETRY_FIRST.saturating_mul(1 << need.tries.min(2)).min(RETRY_MOST);
        need.tries += 1;
        need.due = now.plus(wait);
        self.sent = Some(now);
        true
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        self.need.map(|n| n.due)
    }

    /// Whether a need is open.
    pub const fn is_open(&self) -> bool {
        self.need.is_some()
    }

    /// Whether the last need was given up: until packets flow again after a stop, or somebody asks again.
    pub const fn is_given_up(&self) -> bool {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn ms(v: u64) -> Time {
        Time::from_millis(v)
    }

    /// When requests leave, polled each 10 ms from `from` to `to`, while packets flow.
    fn sent(k: &mut KeyframeThrottle, from: u64, to: u64, flows: bool) -> Vec<u64> {
        let mut out = Vec::new();
        for t in (from..to).step_by(10) {
            if flows {
                k.packet(ms(t), false);
            }
            if k.poll(ms(t)) {
                out.push(t);
            }
        }
        out
    }

    // IO#540: the throttle ate the second viewer's request.
    #[test]
    fn bug_50_the_second_viewer_is_served_at_the_trailing_edge() {
        let mut k = KeyframeThrottle::new();
        k.request(ms(0));
        assert!(k.poll(ms(0)));
        k.packet(ms(40), true);
        k.request(ms(50));
        assert_eq!(sent(&mut k, 50, 300, true), [200]);
    }

    // LK#436: a lost request left a still picture black.
    #[test]
    fn bug_51_a_need_is_repeated_until_the_key_comes() {
        let mut k = KeyframeThrottle::new();
        k.request(ms(0));
        assert_eq!(sent(&mut k, 0, 3_000, true), [0, 300, 900, 1900, 2900]);
        k.packet(ms(3_000), true);
        assert_eq!(sent(&mut k, 3_000, 9_000, true), []);
    }

    // MS#232: a queued request left after the key had come.
    #[test]
    fn bug_55_the_key_cancels_what_was_queued() {
        let mut k = KeyframeThrottle::new();
        k.request(ms(0));
        assert!(k.poll(ms(0)));
        k.packet(ms(10), true);
        k.request(ms(20));
        k.packet(ms(100), true);
        assert_eq!(sent(&mut k, 100, 2_000, true), []);
    }

    // LK#1481, #1631: asked for ever at a layer that had stopped.
    #[test]
    fn bug_49_a_stopped_encoding_is_given_up_and_rearmed_by_its_packets() {
        let mut k = KeyframeThrottle::new();
        k.packet(ms(0), true);
        k.request(ms(3_000));
        assert_eq!(sent(&mut k, 3_000, 60_000, false).len(), 3);
        assert!(k.is_given_up() && k.next_due().is_none());
        k.packet(ms(70_000), false);
        assert_eq!(sent(&mut k, 70_000, 70_100, true), [70_000]);
    }

    #[test]
    fn a_publisher_that_never_obeys_is_given_up() {
        let mut k = KeyframeThrottle::new();
        k.request(ms(0));
        assert!(sent(&mut k, 0, 60_000, true).last().unwrap() < &10_000);
        assert!(k.is_given_up());
        k.request(ms(61_000));
        assert!(k.poll(ms(61_000)));
    }

    // JA#3422: a share of 0.2 frames/s. JVB#2442: one gate for all. LK#3490: stable = 0.
    #[test]
    fn bugs_47_48_52_a_rare_frame_alone_asks_for_nothing() {
        let mut k = KeyframeThrottle::new();
        for t in (0..100_000).step_by(5_000) {
            k.packet(ms(t), t == 0);
            assert_eq!(sent(&mut k, t, t + 5_000, false), []);
        }
    }

    proptest! {
        /// Law 12 of the layers: at most one per 200 ms; every need met or given up in bounded time; no need, no request.
        #[test]
        fn requests_are_rare_needed_and_not_forgotten(
            steps in prop::collection::vec((0u64..400, 0u8..8), 0..300),
        ) {
            let mut k = KeyframeThrottle::new();
            let (mut now, mut last, mut wanted): (u64, Option<u64>, Option<u64>) = (0, None, None);
            for (wait, what) in steps {
                for t in now..now + wait {
                    if k.poll(ms(t)) {
                        prop_assert!(wanted.is_some());
                        prop_assert!(last.is_none_or(|l| t - l >= 200));
                        last = Some(t);
                    }
                    if let Some(since) = wanted {
                        prop_assert!(k.is_open() || k.is_given_up());
                        prop_assert!(!k.is_open() || t - since <= 12_000);
                        if k.is_given_up() { wanted = None; }
                    } else {
                        prop_assert!(!k.is_open());
                    }
                }
                now += wait;
                match what {
                    0 => { k.request(ms(now)); wanted = wanted.or(Some(now)); }
                    1 => { k.packet(ms(now), true); wanted = None; }
                    2 => { k.cancel(); wanted = None; }
                    _ => {
                        k.packet(ms(now), false);
                        if k.is_open() { wanted = wanted.or(Some(now)); }
                    }
                }
            }
        }
    }
}
