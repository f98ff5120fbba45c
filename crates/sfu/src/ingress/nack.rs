//! Asking the publisher for what is missing.

use super::Arrived;
use crate::limits::{NACKS_PER_POLL, NACKS_TRACKED};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;
use salon_rtp::{MediaKind, SeqNo, Time};

/// How long a picture's packet may be late before it is asked for. Shorter asks for what is merely out of order; longer
/// delays the repair. What is seen of the path's reordering raises it.
const REORDER_VIDEO: Duration = Duration::from_millis(15);
/// The same for sound: one packet of 20 ms.
const REORDER_AUDIO: Duration = Duration::from_millis(20);
/// The longest that reordering may delay the first request: half of what a player buffers on such a path.
const REORDER_MOST: Duration = Duration::from_millis(60);
/// After this time, half of what was seen of reordering is forgotten.
const REORDER_HALVES: Duration = Duration::from_secs(10);
/// Requests for one packet. At 10 % loss each way, four leave one in 700 of the lost ones missing.
const TRIES: u8 = 4;
/// The least between two requests for one packet.
const SPACING_LEAST: Duration = Duration::from_millis(20);
/// The most: with four tries within [`AGE_MOST`].
const SPACING_MOST: Duration = Duration::from_millis(250);
/// What the round trip is taken for until it is known.
const RTT_UNKNOWN: Duration = Duration::from_millis(100);
/// A packet is not asked for after this: no player waits longer.
const AGE_MOST: Duration = Duration::from_secs(1);
/// Deadlines are rounded up to this, so that a flood of gaps costs at most 200 polls and requests a second.
const GRAIN: u64 = 5_000;

#[derive(Clone, Copy, Debug)]
struct Missing {
    seq: SeqNo,
    since: Time,
    due: Time,
    tries: u8,
    came: bool,
}

/// Which packets of one encoding to ask for again, and when (RFC 4585 §6.2.1).
#[derive(Clone, Debug)]
pub struct NackGenerator {
    reorder: Duration,
    rtt: Duration,
    /// Ascending.
    missing: VecDeque<Missing>,
    /// Where the last key frame started.
    key: SeqNo,
    /// The greatest lateness of a packet that came by itself, and when that was.
    late: (Duration, Time),
    next: Option<Time>,
    hopeless: bool,
    out: Vec<SeqNo>,
}

impl NackGenerator {
    /// Takes the memory for all that it can track.
    pub fn new(kind: MediaKind) -> Self {
        Self {
            reorder: match kind {
                MediaKind::Audio => REORDER_AUDIO,
                MediaKind::Video => REORDER_VIDEO,
            },
            rtt: RTT_UNKNOWN,
            missing: VecDeque::with_capacity(NACKS_TRACKED),
            key: SeqNo(0),
            late: (Duration::ZERO, Time::ZERO),
            next: None,
            hopeless: false,
            out: Vec::with_capacity(NACKS_PER_POLL),
        }
    }

    /// The round trip to the publisher, where it is known; 100 ms until then.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt;
    }

    /// A packet came, by itself or `repaired`.
    pub fn arrived(&mut self, now: Time, packet: Arrived, repaired: bool) {
        if packet.restarted {
            self.clear();
        }
        if !packet.newest {
            self.found(now, packet.seq, repaired);
        } else if packet.missing > 0 {
            self.lost(now, packet.seq, u64::from(packet.missing));
        }
    }

    /// A key frame starts at `seq`: nothing before it is worth asking for, known to be missing yet or not.
    pub fn key_frame(&mut self, seq: SeqNo) {
        self.key = self.key.max(seq);
        while self.missing.front().is_some_and(|m| m.seq < seq) {
            self.missing.pop_front();
        }
        self.drop_found();
    }

    /// Too much is missing to be repaired, or a packet was given up: only a key frame helps. True once per time that it
    /// happens.
    pub fn take_hopeless(&mut self) -> bool {
        core::mem::take(&mut self.hopeless)
    }

    /// The numbers to ask for now, ascending.
    pub fn poll(&mut self, now: Time) -> &[SeqNo] {
        self.out.clear();
        if self.next.is_none_or(|n| now < n) {
            return &self.out;
        }
        self.next = None;
        let spacing = self.spacing();
        let mut next: Option<Time> = None;
        for m in &mut self.missing {
            if m.came {
                continue;
            }
            if m.due <= now {
                if m.tries >= TRIES || now.since(m.since) >= AGE_MOST {
                    m.came = true;
                    self.hopeless = true;
                    continue;
                }
                if self.out.len() < NACKS_PER_POLL {
                    self.out.push(m.seq);
                    m.tries += 1;
                    m.due = grain(now.plus(spacing));
                } else {
                    m.due = grain(now.plus(Duration::from_micros(1)));
                }
            }
            next = Some(next.map_or(m.due, |n| n.min(m.due)));
        }
        self.next = next;
        self.drop_found();
        &self.out
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        self.next
    }

    /// Forgets all: the source began anew, or nobody watches.
    pub fn clear(&mut self) {
        self.missing.clear();
        self.next = None;
        self.hopeless = false;
    }

    /// How many are missing and still asked for.
    pub fn len(&self) -> usize {
        self.missing.iter().filter(|m| !m.came).count()
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lost(&mut self, now: Time, before: SeqNo, count: u64) {
        let count = count.min(before.since(self.key));
        if count == 0 {
            return;
        }
        let tracked = count.min(NACKS_TRACKED as u64);
        let too_many = (self.missing.len() + tracked as usize).saturating_sub(NACKS_TRACKED);
        let dropped = self.missing.drain(..too_many.min(self.missing.len())).filter(|m| !m.came).count();
        self.hopeless |= dropped > 0 || count > tracked;
        let due = grain(now.plus(self.patience(now)));
        for n in before.0.saturating_sub(tracked)..before.0 {
            self.missing.push_back(Missing { seq: SeqNo(n), since: now, due, tries: 0, came: false });
        }
        self.next = Some(self.next.map_or(due, |n| n.min(due)));
    }

    fn found(&mut self, now: Time, seq: SeqNo, repaired: bool) {
        let Ok(at) = self.missing.binary_search_by_key(&seq, |m| m.seq) else { return };
        let Some(m) = self.missing.get_mut(at) else { return };
        m.came = true;
        let lateness = now.since(m.since);
        // Asked for and not under an SSRC of its own: it may be the answer, unless it is quicker than an answer can be.
        if !repaired && (m.tries == 0 || lateness < self.rtt) && lateness > self.lateness(now) {
            self.late = (lateness.min(REORDER_MOST), now);
        }
        self.drop_found();
    }

    fn drop_found(&mut self) {
        while self.missing.front().is_some_and(|m| m.came) {
            self.missing.pop_front();
        }
        if self.missing.is_empty() {
            self.next = None;
        }
    }

    /// What is remembered of reordering: halved with time.
    fn lateness(&self, now: Time) -> Duration {
        let halvings = now.since(self.late.1).as_micros() / REORDER_HALVES.as_micros();
        self.late.0 / (1 << halvings.min(20))
    }

    /// How long to wait before the first request: a quarter more than the reordering that was seen.
    fn patience(&self, now: Time) -> Duration {
        (self.lateness(now) * 5 / 4).clamp(self.reorder, REORDER_MOST)
    }

    /// Between two requests: half a round trip more than one, since the answer is subject to jitter both ways.
    fn spacing(&self) -> Duration {
        (self.rtt.saturating_mul(3) / 2).clamp(SPACING_LEAST, SPACING_MOST)
    }
}

fn grain(t: Time) -> Time {
    Time::from_micros(t.as_micros().div_ceil(GRAIN).saturating_mul(GRAIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::{Arrival, Origin};
    use proptest::prelude::*;
    use salon_rtp::{RtpTime, Seq};
    use std::vec::Vec;

    fn ms(v: u64) -> Time {
        Time::from_millis(v)
    }

    fn newest(seq: u64, missing: u16) -> Arrived {
        Arrived { seq: SeqNo(seq), missing, newest: true, restarted: false }
    }

    fn late(seq: u64) -> Arrived {
        Arrived { seq: SeqNo(seq), missing: 0, newest: false, restarted: false }
    }

    /// Every request until `to`, as (ms, number).
    fn drive(n: &mut NackGenerator, to: u64) -> Vec<(u64, u64)> {
        let mut out = Vec::new();
        while let Some(due) = n.next_due().filter(|&d| d <= ms(to)) {
            let asked: Vec<_> = n.poll(due).iter().map(|s| (due.as_micros() / 1000, s.0)).collect();
            assert!(n.next_due().is_none_or(|d| d > due));
            out.extend(asked);
        }
        out
    }

    #[test]
    fn a_packet_is_asked_for_four_times_and_then_given_up() {
        let mut n = NackGenerator::new(MediaKind::Video);
        n.set_rtt(Duration::from_millis(80));
        n.arrived(ms(0), newest(10, 1), false);
        assert_eq!(drive(&mut n, 5_000), [(15, 9), (135, 9), (255, 9), (375, 9)]);
        assert!(n.is_empty() && n.take_hopeless() && !n.take_hopeless());
    }

    // LK#1102, jitsi-media-transform#415: the highest number, repeated, looked like 65,535 lost.
    #[test]
    fn bug_11_the_highest_number_repeated_asks_for_nothing() {
        let (mut a, mut n) = (Arrival::new(90_000), NackGenerator::new(MediaKind::Video));
        for seq in [5, 5, 5, 6, 6] {
            if let Ok(b) = a.push(ms(0), Seq(seq), RtpTime(0), 1, Origin::Media) {
                n.arrived(ms(0), b, false);
            }
        }
        assert_eq!(n.next_due(), None);
    }

    #[test]
    fn what_was_only_out_of_order_is_not_asked_for_and_teaches_patience() {
        let mut n = NackGenerator::new(MediaKind::Video);
        n.arrived(ms(0), newest(10, 2), false);
        n.arrived(ms(10), late(8), false);
        n.arrived(ms(12), late(9), false);
        assert_eq!(drive(&mut n, 100), []);
        // Asked for at 115, it came by itself at 130: 30 ms late, which no answer to a request could be.
        n.arrived(ms(100), newest(12, 1), false);
        assert_eq!(drive(&mut n, 130), [(115, 11)]);
        n.arrived(ms(130), late(11), false);
        n.arrived(ms(200), newest(14, 1), false);
        assert_eq!(drive(&mut n, 250), [(240, 13)]);
        n.arrived(ms(300), late(13), true);
        // And forgets it again.
        n.arrived(ms(60_000), newest(16, 1), false);
        assert_eq!(drive(&mut n, 60_100), [(60_015, 15)]);
    }

    // LK#440: a storm of repairs while a key frame is on its way. LK#3985: live edge.
    #[test]
    fn bugs_56_58_nothing_before_the_key_frame_is_asked_for() {
        let mut n = NackGenerator::new(MediaKind::Video);
        n.arrived(ms(0), newest(10, 5), false);
        n.arrived(ms(1), newest(20, 2), false);
        n.key_frame(SeqNo(19));
        assert_eq!(drive(&mut n, 20), [(20, 19)]);
        // Nor what its own arrival shows to be missing before it, in whatever order the two are told.
        n.key_frame(SeqNo(30));
        n.arrived(ms(100), newest(30, 9), false);
        assert!(n.is_empty() && n.next_due().is_none() && !n.take_hopeless());
    }

    #[test]
    fn too_many_drop_the_oldest_and_ask_for_a_key() {
        let mut n = NackGenerator::new(MediaKind::Video);
        n.arrived(ms(0), newest(10_000, 3_000), false);
        assert!(n.take_hopeless());
        assert_eq!(n.len(), NACKS_TRACKED);
        let asked = drive(&mut n, 100);
        assert_eq!(asked.len(), NACKS_TRACKED);
        assert_eq!(asked[0], (15, 9_000));
        assert_eq!(asked[NACKS_PER_POLL], (20, 9_200));
    }

    // The first leg of a lossy call: 5 % loss and 30 ms jitter each way at 80 ms.
    #[test]
    fn five_percent_loss_is_repaired_within_a_second() {
        let mut seed = 1u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / f64::from(1u32 << 31)
        };
        let (mut a, mut n) = (Arrival::new(90_000), NackGenerator::new(MediaKind::Video));
        n.set_rtt(Duration::from_millis(80));
        // (arrives at µs, number, repaired); a burst of packets each 33 ms, for 60 s.
        let mut wire = std::collections::BTreeSet::new();
        let (mut sent, mut lost, mut resent) = (0u64, 0u64, 0u64);
        let mut line = 0u64;
        for frame in 0..1800u64 {
            for _ in 0..6 {
                let delay = 40_000 + (random() * 30_000.0) as u64;
                line = line.max(frame * 33_333 + delay) + 10;
                if random() < 0.05 {
                    lost += 1
                } else {
                    wire.insert((line, sent, false));
                }
                sent += 1;
            }
        }
        let (mut came, mut at) = (std::collections::BTreeMap::new(), 0u64);
        loop {
            let packet = wire.first().map(|w| w.0);
            let due = n.next_due().map(Time::as_micros);
            let Some(t) = packet.into_iter().chain(due).min() else { break };
            at = at.max(t);
            let now = Time::from_micros(at);
            if packet == Some(t) {
                let (_, seq, repaired) = wire.pop_first().unwrap();
                let stamp = RtpTime((seq / 6 * 3000) as u32);
                let origin = if repaired { Origin::Repair } else { Origin::Media };
                if let Ok(b) = a.push(now, Seq(seq as u16), stamp, 1, origin) {
                    came.insert(b.seq.0 - 0x1_0000, at);
                    n.arrived(now, b, repaired);
                }
                continue;
            }
            for s in n.poll(now).to_vec() {
                if random() < 0.05 {
                    continue;
                }
                resent += 1;
                if random() < 0.05 {
                    continue;
                }
                let delay = 80_000 + ((random() + random()) * 30_000.0) as u64;
                wire.insert((at + delay, s.0 - 0x1_0000, true));
            }
        }
        let missing =
            (0..sent - 60).filter(|s| came.get(s).is_none_or(|&t| t >= s / 6 * 33_333 + 1_000_000)).count();
        std::println!("sent {sent} lost {lost} resent {resent} missing after 1 s {missing}");
        assert!((missing as f64) < 0.001 * sent as f64);
        assert!(resent as f64 <= 1.3 * lost as f64);
    }

    proptest! {
        #[test]
        fn asks_only_for_what_is_missing_four_times_at_most_and_state_is_bounded(
            steps in prop::collection::vec((0u64..40, 0u16..40, 0u8..10, any::<u64>()), 1..200),
        ) {
            let mut n = NackGenerator::new(MediaKind::Video);
            let (mut now, mut top) = (0u64, 1_000_000u64);
            let mut lacking = std::collections::BTreeMap::new();
            for (wait, missing, what, pick) in steps {
                now += wait;
                for seq in n.poll(ms(now)).to_vec() {
                    let tries: &mut u32 = lacking.get_mut(&seq.0).expect("asked for what is not missing");
                    *tries += 1;
                    prop_assert!(*tries <= 4);
                }
                match what {
                    0 => { n.key_frame(SeqNo(top)); lacking.retain(|&s, _| s >= top); }
                    1..5 => {
                        let missing = if what == 1 { missing * 60 } else { missing };
                        top += u64::from(missing) + 1;
                        lacking.extend((top - u64::from(missing)..top).map(|s| (s, 0)));
                        n.arrived(ms(now), newest(top, missing), pick % 2 == 0);
                    }
                    _ => {
                        let at = pick as usize % lacking.len().max(1);
                        if let Some(&seq) = lacking.keys().nth(at) {
                            lacking.remove(&seq);
                            n.arrived(ms(now), late(seq), pick % 2 == 0);
                        }
                    }
                }
                prop_assert!(n.missing.len() <= NACKS_TRACKED);
                prop_assert_eq!(n.next_due().is_some(), !n.missing.is_empty());
            }
        }
    }
}
