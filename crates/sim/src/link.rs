//! A path through a network.

use crate::Rng;
use core::cmp::Reverse;
use core::time::Duration;
use salon_rtp::{Bitrate, Time};
use std::collections::BinaryHeap;

/// Loss in bursts: a chain of two states (Gilbert). In the bad one everything is lost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bursts {
    /// Probability, per packet, that a burst begins.
    pub enter: f64,
    /// Probability, per packet, that it ends: its inverse is the mean length.
    pub leave: f64,
}

/// How a path treats packets.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinkConfig {
    /// One way, at the least.
    pub delay: Duration,
    /// Added to it, evenly from nothing to this.
    pub jitter: Duration,
    /// Whether a packet that jitter would let pass the one before it waits for that one. Queues do so; netem does not.
    pub in_order: bool,
    /// Probability that a packet is lost by itself.
    pub loss: f64,
    /// Loss in bursts besides.
    pub bursts: Option<Bursts>,
    /// Probability that a packet arrives twice.
    pub duplicate: f64,
    /// Probability that a packet is held back, so that later ones pass it.
    pub reorder: f64,
    /// How long at most it is held back then.
    pub reorder_by: Duration,
    /// The bottleneck, if there is one.
    pub rate: Option<Bitrate>,
    /// How long a packet may queue before the bottleneck; more is lost.
    pub queue: Duration,
    /// Bytes that a packet takes on the wire beyond its own: IPv4, UDP, SRTP's tag.
    pub overhead: usize,
}

impl Default for LinkConfig {
    /// 10 ms and nothing else.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            in_order: true,
            loss: 0.0,
            bursts: None,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(20),
            rate: None,
            queue: Duration::from_millis(300),
            overhead: 28 + 16,
        }
    }
}

/// What became of the packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkCounts {
    /// Given to it.
    pub pushed: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Bytes of those.
    pub lost_bytes: u64,
    /// Lost because the queue was full.
    pub overflowed: u64,
    /// Arrived a second time.
    pub duplicated: u64,
    /// Taken from it, duplicates included.
    pub delivered: u64,
}

/// One direction of a path: takes packets, and gives each at its time, or not at all.
#[derive(Clone, Debug)]
pub struct Link<T> {
    config: LinkConfig,
    rng: Rng,
    in_burst: bool,
    /// When the bottleneck has sent all that it took.
    free_at: Time,
    last_arrival: Time,
    pushed: u64,
    under_way: BinaryHeap<Reverse<UnderWay<T>>>,
    counts: LinkCounts,
}

impl<T: AsRef<[u8]> + Clone> Link<T> {
    /// A link whose chances follow `seed`.
    pub fn new(seed: u64, config: LinkConfig) -> Self {
        Self {
            config,
            rng: Rng::new(seed),
            in_burst: false,
            free_at: Time::ZERO,
            last_arrival: Time::ZERO,
            pushed: 0,
            under_way: BinaryHeap::new(),
            counts: LinkCounts::default(),
        }
    }

    /// Changes how it treats packets from now on.
    pub fn configure(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// Sends a packet.
    pub fn push(&mut self, now: Time, packet: T) {
        self.counts.pushed += 1;
        // Every packet draws the same number of times, so that a packet more or less moves no other's fate.
        let mut rng = self.rng.fork();
        if self.is_lost(&mut rng) {
            self.counts.lost += 1;
            self.counts.lost_bytes += packet.as_ref().len() as u64;
            return;
        }
        let Some(departure) = self.departure(now, packet.as_ref().len()) else {
            self.counts.overflowed += 1;
            return;
        };
        let mut arrival = departure.plus(self.config.delay).plus(rng.up_to(self.config.jitter));
        if rng.chance(self.config.reorder) {
            arrival = arrival.plus(rng.up_to(self.config.reorder_by));
        } else if self.config.in_order {
            arrival = arrival.max(self.last_arrival);
            self.last_arrival = arrival;
        }
        if rng.chance(self.config.duplicate) {
            self.counts.duplicated += 1;
            self.schedule(arrival.plus(rng.up_to(self.config.reorder_by)), packet.clone());
        }
        self.schedule(arrival, packet);
    }

    /// The next packet that has arrived by now.
    pub fn pop(&mut self, now: Time) -> Option<T> {
        if self.next_arrival()? > now {
            return None;
        }
        self.counts.delivered += 1;
        self.under_way.pop().map(|Reverse(u)| u.packet)
    }

    /// When the next packet arrives.
    pub fn next_arrival(&self) -> Option<Time> {
        self.under_way.peek().map(|Reverse(u)| u.at)
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> LinkCounts {
        self.counts
    }

    fn is_lost(&mut self, rng: &mut Rng) -> bool {
        if let Some(b) = self.config.bursts {
            let turn = if self.in_burst { b.leave } else { b.enter };
            self.in_burst ^= rng.chance(turn);
        } else {
            self.in_burst = false;
        }
        self.in_burst || rng.chance(self.config.loss)
    }

    /// When the bottleneck has sent it; `None` if the queue is full.
    fn departure(&mut self, now: Time, len: usize) -> Option<Time> {
        let Some(rate) = self.config.rate else { return Some(now) };
        let start = self.free_at.max(now);
        if start.since(now) > self.config.queue || rate == Bitrate::ZERO {
            return None;
        }
        let bits = 8_000_000 * (len + self.config.overhead) as u64;
        self.free_at = start.plus(Duration::from_micros(bits.div_ceil(rate.as_bps())));
        Some(self.free_at)
    }

    fn schedule(&mut self, at: Time, packet: T) {
        self.under_way.push(Reverse(UnderWay { at, order: self.pushed, packet }));
        self.pushed += 1;
    }
}

/// A packet and when it arrives; of two at once, the earlier sent is first.
#[derive(Clone, Debug)]
struct UnderWay<T> {
    at: Time,
    order: u64,
    packet: T,
}

impl<T> Ord for UnderWay<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<T> PartialOrd for UnderWay<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for UnderWay<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for UnderWay<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 20,000 packets of 100 bytes, one a millisecond; gives (number, arrival).
    fn run(seed: u64, config: LinkConfig) -> (Vec<(u32, Time)>, LinkCounts) {
        let mut link = Link::new(seed, config);
        let mut out = Vec::new();
        for ms in 0..22_000u64 {
            let now = Time::from_millis(ms);
            if ms < 20_000 {
                let mut packet = vec![0; 100];
                packet[..4].copy_from_slice(&(ms as u32).to_be_bytes());
                link.push(now, packet);
            }
            while let Some(p) = link.pop(now) {
                out.push((u32::from_be_bytes([p[0], p[1], p[2], p[3]]), now));
            }
        }
        assert_eq!(link.next_arrival(), None);
        (out, link.counts())
    }

    #[test]
    fn a_plain_link_only_delays() {
        let (out, counts) = run(1, LinkConfig::default());
        assert!(
            out.iter()
                .enumerate()
                .all(|(i, &(n, t))| n == i as u32 && t == Time::from_millis(u64::from(n) + 10))
        );
        assert_eq!((counts.pushed, counts.delivered, counts.lost), (20_000, 20_000, 0));
    }

    #[test]
    fn the_same_seed_is_the_same_fate() {
        let config = LinkConfig {
            loss: 0.05,
            jitter: Duration::from_millis(30),
            duplicate: 0.01,
            reorder: 0.02,
            ..LinkConfig::default()
        };
        assert_eq!(run(3, config), run(3, config));
        assert_ne!(run(3, config), run(4, config));
    }

    #[test]
    fn loss_duplicates_and_reordering_come_as_often_as_asked() {
        let config = LinkConfig { loss: 0.05, duplicate: 0.01, reorder: 0.02, ..LinkConfig::default() };
        let (out, counts) = run(5, config);
        assert!((900..1_100).contains(&counts.lost), "{counts:?}");
        assert!((150..250).contains(&counts.duplicated), "{counts:?}");
        let late = out.windows(2).filter(|w| w[1].0 < w[0].0).count();
        assert!(late > 300, "{late}");
        let jitter = LinkConfig { jitter: Duration::from_millis(30), ..LinkConfig::default() };
        let (out, _) = run(5, jitter);
        assert!(out.windows(2).all(|w| w[0].0 < w[1].0));
        let (out, _) = run(5, LinkConfig { in_order: false, ..jitter });
        assert!(out.windows(2).any(|w| w[0].0 > w[1].0));
    }

    #[test]
    fn bursts_have_their_mean_length() {
        let config = LinkConfig { bursts: Some(Bursts { enter: 0.01, leave: 0.2 }), ..LinkConfig::default() };
        let (out, counts) = run(6, config);
        let runs = out.windows(2).filter(|w| w[1].0 - w[0].0 > 1).count() as u64;
        assert!((4..=6).contains(&(counts.lost / runs)), "{} / {runs}", counts.lost);
    }

    #[test]
    fn a_bottleneck_passes_its_rate_and_drops_the_rest() {
        // 144 bytes each millisecond are 1152 kbit/s; half of it passes.
        let config = LinkConfig { rate: Some(Bitrate::from_kbps(576)), ..LinkConfig::default() };
        let (out, counts) = run(7, config);
        let in_time = out.iter().filter(|(_, t)| *t < Time::from_millis(20_000)).count();
        assert!((9_900..10_100).contains(&in_time), "{in_time}");
        assert!(counts.overflowed > 9_500, "{counts:?}");
        let worst = out.iter().map(|&(n, t)| t.since(Time::from_millis(n.into()))).max();
        assert!(worst < Some(Duration::from_millis(320)), "{worst:?}");
    }
}
