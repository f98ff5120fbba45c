//! When each packet of a publisher's transport came.

use crate::limits::{TWCC_PER_FEEDBACK, TWCC_WINDOW};
use alloc::boxed::Box;
use alloc::vec;
use core::time::Duration;
use salon_rtp::{Seq, SeqNo, Time};

/// Between feedbacks. libwebrtc's receiver sends one in 50 to 250 ms by bandwidth; 100 ms costs 2 to 3 kbit/s and lets
/// the sender react within two round trips.
const EVERY: Duration = Duration::from_millis(100);
/// A feedback leaves earlier when this many packets wait: it stays a small packet, and the window is never overrun.
const ENOUGH: u64 = 200;
/// How far behind what was reported a late packet may be to be reported after all. Further back the sender has forgotten
/// it, and each would repeat what lies between.
const LATE: u64 = 64;
/// A number so far ahead is a jump: what was not reported before it never will be.
const AHEAD: i16 = TWCC_WINDOW as i16 / 2;
/// Packets in order, far from the rest, that show that the sender began to count anew.
const PROBATION: u8 = 5;
/// Deltas of a feedback are 16 bits of 250 µs, signed: ±8.191 s (§3.1.5 of the draft). Arrivals further apart than this
/// go into different feedbacks.
const DELTA_MOST: Duration = Duration::from_secs(8);

/// One feedback's worth of arrivals.
#[derive(Clone, Copy, Debug)]
pub struct Arrivals<'a> {
    recorder: &'a TwccRecorder,
    base: SeqNo,
    count: u16,
    index: u8,
}

impl Arrivals<'_> {
    /// The first number that this feedback covers.
    pub const fn base(&self) -> SeqNo {
        self.base
    }

    /// How many numbers it covers, received or not; the last was received.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The feedback's own number (`fb pkt. count`); wraps.
    pub const fn index(&self) -> u8 {
        self.index
    }

    /// The packets received, by ascending number.
    pub fn iter(&self) -> impl Iterator<Item = (SeqNo, Time)> + Clone + '_ {
        (self.base.0..self.base.0 + u64::from(self.count))
            .filter_map(|n| Some((SeqNo(n), self.recorder.arrival(SeqNo(n))?)))
    }
}

/// Records the arrivals of one transport by their transport-wide numbers
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Clone, Debug)]
pub struct TwccRecorder {
    /// By number, modulo its length: the number and its arrival. Empty before the first packet.
    arrivals: Box<[(SeqNo, Time)]>,
    /// The first number not reported yet, and the highest that came. Equal to `highest + 1` when all is reported.
    base: SeqNo,
    highest: Option<SeqNo>,
    due: Option<Time>,
    run: (Seq, u8),
    index: u8,
}

impl TwccRecorder {
    /// Takes the memory for its window with the first packet: who is silent needs none.
    pub fn new() -> Self {
        Self {
            arrivals: Box::default(),
            base: SeqNo(0),
            highest: None,
            due: None,
            run: (Seq(0), 0),
            index: 0,
        }
    }

    /// A packet with this transport-wide number came.
    pub fn push(&mut self, now: Time, number: Seq) {
        let Some(highest) = self.highest else { return self.begin(now, number) };
        let delta = number.0.wrapping_sub(highest.seq().0) as i16;
        let Some(seq) = number.extend(highest) else { return };
        if delta > AHEAD || seq.plus(LATE) < self.base {
            let (last, length) = self.run;
            self.run = (number, if last.next() == number { length.saturating_add(1) } else { 1 });
            // A jump ahead is believed at once: the sender never goes back, so nothing is left to wait for.
            if delta > AHEAD || self.run.1 >= PROBATION {
                self.begin(now, number);
            }
            return;
        }
        if self.arrival(seq).is_some() {
            return;
        }
        self.run.1 = 0;
        self.base = self.base.min(seq);
        self.highest = Some(highest.max(seq));
        self.record(now, seq);
    }

    /// What to report now, if anything; call until `None`.
    pub fn poll(&mut self, now: Time) -> Option<Arrivals<'_>> {
        let highest = self.highest?;
        if self.due.is_none_or(|d| now < d) {
            return None;
        }
        // The window is shorter than what may be missing in a row: what lies before it was not received.
        let mut at = SeqNo(self.base.0.max((highest.0 + 1).saturating_sub(TWCC_WINDOW as u64)));
        let (base, limit) = (at, at.plus(TWCC_PER_FEEDBACK as u64));
        let (mut end, mut last) = (None, None);
        while at <= highest && (at < limit || end.is_none()) {
            if let Some(t) = self.arrival(at) {
                if last.is_some_and(|l: Time| t.since(l).max(l.since(t)) > DELTA_MOST) {
                    break;
                }
                (end, last) = (Some(at), Some(t));
            }
            at = at.next();
        }
        let Some(end) = end else {
            (self.base, self.due) = (highest.next(), None);
            return None;
        };
        // A long run of losses before the first arrival is cut: one feedback covers a bounded number.
        let base = SeqNo(base.0.max((end.0 + 1).saturating_sub(TWCC_PER_FEEDBACK as u64)));
        self.base = end.next();
        if end >= highest {
            self.due = None;
        }
        let index = self.index;
        self.index = index.wrapping_add(1);
        Some(Arrivals { base, count: (end.since(base) + 1) as u16, index, recorder: self })
    }

    /// When to poll next.
    pub fn next_due(&self) -> Option<Time> {
        self.due
    }

    fn begin(&mut self, now: Time, number: Seq) {
        let roc = self.highest.map_or(1, |h| h.roc().saturating_add(2));
        let seq = SeqNo(u64::from(roc) << 16 | u64::from(number.0));
        (self.base, self.highest, self.run) = (seq, Some(seq), (number, 0));
        if self.arrivals.is_empty() {
            self.arrivals = vec![(SeqNo(0), Time::ZERO); TWCC_WINDOW].into();
        }
        self.record(now, seq);
    }

    fn record(&mut self, now: Time, seq: SeqNo) {
        if let Some(place) = self.arrivals.get_mut(place(seq)) {
            *place = (seq, now);
        }
        let waiting = self.highest.map_or(0, |h| (h.0 + 1).saturating_sub(self.base.0));
        let due = if waiting >= ENOUGH { now } else { now.plus(EVERY) };
        self.due = Some(self.due.map_or(due, |d| d.min(due)));
    }

    fn arrival(&self, seq: SeqNo) -> Option<Time> {
        let (held, at) = *self.arrivals.get(place(seq))?;
        (held == seq).then_some(at)
    }
}

fn place(seq: SeqNo) -> usize {
    seq.0 as usize % TWCC_WINDOW
}

impl Default for TwccRecorder {
    fn default() -> Self {
        Self::new()
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

    fn drain(r: &mut TwccRecorder, now: u64) -> Vec<(u16, u64)> {
        let mut out = Vec::new();
        while let Some(a) = r.poll(ms(now)) {
            assert!(usize::from(a.count()) <= TWCC_PER_FEEDBACK);
            let packets: Vec<_> = a.iter().collect();
            assert_eq!(packets.last().map(|p| p.0), Some(a.base().plus(u64::from(a.count()) - 1)));
            out.extend(packets.iter().map(|(s, t)| (s.seq().0, t.as_micros() / 1000)));
        }
        out
    }

    #[test]
    fn arrivals_are_reported_each_tenth_of_a_second_over_the_wrap() {
        let mut r = TwccRecorder::new();
        r.push(ms(10), Seq(0xffff));
        r.push(ms(30), Seq(1));
        assert_eq!(r.next_due(), Some(ms(110)));
        assert_eq!(drain(&mut r, 109), []);
        assert_eq!(drain(&mut r, 110), [(0xffff, 10), (1, 30)]);
        assert_eq!(r.next_due(), None);
        // What was missing comes late, and what was reported between comes again with it.
        r.push(ms(120), Seq(0));
        r.push(ms(130), Seq(2));
        assert_eq!(drain(&mut r, 220), [(0, 120), (1, 30), (2, 130)]);
    }

    #[test]
    fn duplicates_keep_their_first_arrival() {
        let mut r = TwccRecorder::new();
        for t in [0, 5, 9] {
            r.push(ms(t), Seq(7));
        }
        assert_eq!(drain(&mut r, 100), [(7, 0)]);
        r.push(ms(150), Seq(7));
        assert_eq!(r.next_due(), None);
    }

    #[test]
    fn a_sender_that_counts_anew_is_followed_and_a_stray_is_not() {
        let mut r = TwccRecorder::new();
        for i in 0..100u16 {
            r.push(ms(u64::from(i)), Seq(40_000 + i));
        }
        drain(&mut r, 200);
        r.push(ms(201), Seq(30_000));
        assert_eq!(drain(&mut r, 400), []);
        for i in 0..10u16 {
            r.push(ms(500), Seq(20_000 + i));
        }
        assert_eq!(drain(&mut r, 700).len(), 6);
    }

    #[test]
    fn the_span_of_a_feedback_fits_its_deltas() {
        let mut r = TwccRecorder::new();
        r.push(ms(0), Seq(1));
        r.push(ms(9_000), Seq(2));
        assert_eq!(r.poll(ms(9_000)).unwrap().count(), 1);
        assert_eq!(r.poll(ms(9_000)).unwrap().index(), 1);
        assert!(r.poll(ms(9_000)).is_none());
    }

    proptest! {
        #[test]
        fn whatever_comes_feedbacks_are_bounded_and_true(
            pushes in prop::collection::vec((prop_oneof![4 => 0u16..6, 1 => any::<u16>()], 0u64..60, any::<bool>()), 0..600),
        ) {
            let (mut r, mut n, mut now) = (TwccRecorder::new(), 0u16, 0u64);
            let mut came = std::collections::BTreeSet::new();
            for (step, wait, back) in pushes {
                now += wait;
                n = if back { n.wrapping_sub(step) } else { n.wrapping_add(step) };
                r.push(ms(now), Seq(n));
                came.insert((n, now));
                for p in drain(&mut r, now) { prop_assert!(came.contains(&p)); }
                prop_assert!(r.next_due().is_none_or(|d| d > ms(now)));
            }
        }

        #[test]
        fn in_reach_of_reordering_everything_is_reported(
            order in prop::collection::vec(0u64..30, 1..400),
        ) {
            // Packet i is sent at i ms and comes up to 30 ms later.
            let mut wire: Vec<_> = order.iter().enumerate().map(|(i, d)| (i as u64 + d, i as u16)).collect();
            wire.sort_unstable();
            let (mut r, mut told) = (TwccRecorder::new(), std::collections::BTreeSet::new());
            for (t, n) in wire {
                r.push(ms(t), Seq(n));
                told.extend(drain(&mut r, t));
            }
            told.extend(drain(&mut r, 10_000));
            prop_assert_eq!(told.len(), order.len());
        }
    }
}
