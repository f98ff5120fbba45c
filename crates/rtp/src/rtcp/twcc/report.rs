//! Writing transport-wide feedback.

use super::{DELTA_MICROS, LARGE, LOST, REFERENCE_MICROS, SMALL, Symbol};
use crate::rtcp::{HEADER, fmt, kind, open};
use crate::{SeqNo, Ssrc, Time};
use bytes::BufMut;

/// The head of a feedback message that we write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TwccReport {
    /// Who reports.
    pub sender: Ssrc,
    /// One of the streams that are reported on.
    pub media: Ssrc,
    /// Counts the messages; wraps.
    pub count: u8,
}

/// Header, both SSRCs, base, count, reference time, feedback count.
const HEAD: usize = HEADER + 16;
/// More than a datagram takes helps nobody (IPv6's least MTU less headers and the SRTCP trailer). It bounds the stack too.
const MAX: usize = 1_200;
/// Statuses in one message: its count has 16 bits.
const MAX_STATUSES: u64 = 0xffff;
/// Ticks of a delta in one unit of the reference time.
const REFERENCE_TICKS: i64 = REFERENCE_MICROS / DELTA_MICROS;

impl TwccReport {
    /// Writes one message about the packets from `base` on: those of `arrivals`, which ascend by number, arrived; those
    /// between them did not. Numbers before `base`, or not above the one before them, are passed over.
    ///
    /// It takes at most `max` bytes (nor more than 1,200, nor than there is room). Says the number after the last that is
    /// reported, where the next message has to begin; the message ended early if an arrival remains from there on: it was
    /// full, or an arrival lay more than 8.19 s from the one before it. `None`, and nothing written, if there was nothing to
    /// report or no room for it.
    pub fn write(
        &self,
        base: SeqNo,
        arrivals: impl Iterator<Item = (SeqNo, Time)> + Clone,
        max: usize,
        out: &mut impl BufMut,
    ) -> Option<SeqNo> {
        let max = max.min(MAX).min(out.remaining_mut()) & !3;
        let mut chunks = Chunks::default();
        let mut steps = Steps::new(base, arrivals.clone());
        let (mut taken, mut delta_bytes, mut next) = (0, 0, base);
        for step in &mut steps {
            // Two chunks may be open, one may be split by this symbol, one ends it; a gap takes one for each 8,191.
            let chunk_bytes = 2 * (chunks.len + 5 + step.gap as usize / RUN as usize);
            if HEAD + chunk_bytes + delta_bytes + step.size() > max {
                break;
            }
            chunks.push(LOST, step.gap as u16);
            chunks.push(step.symbol(), 1);
            delta_bytes += step.size();
            taken += 1;
            next = step.seq.next();
        }
        if taken == 0 {
            return None;
        }
        chunks.finish();
        let reference = Steps::new(base, arrivals.clone()).reference()?;
        let bare = HEAD + 2 * chunks.len + delta_bytes;
        let len = bare.next_multiple_of(4);
        open(out, fmt::TWCC, kind::TRANSPORT_FEEDBACK, len, len > bare).ok()?;
        out.put_u32(self.sender.0);
        out.put_u32(self.media.0);
        out.put_u16(base.seq().0);
        out.put_u16(next.since(base) as u16);
        out.put_u32((reference as u32) << 8 | u32::from(self.count));
        for chunk in chunks.words() {
            out.put_u16(*chunk);
        }
        for step in Steps::new(base, arrivals).take(taken) {
            match step.symbol() {
                SMALL => out.put_u8(step.delta as u8),
                _ => out.put_i16(step.delta),
            }
        }
        // The last byte of the padding counts it (RFC 3550 §6.4.1).
        if len > bare {
            out.put_bytes(0, len - bare - 1);
            out.put_u8((len - bare) as u8);
        }
        Some(next)
    }
}

/// One arrival: what was lost before it, and how far it lies from the one before.
struct Step {
    seq: SeqNo,
    gap: u64,
    delta: i16,
}

impl Step {
    fn symbol(&self) -> Symbol {
        if (0..=255).contains(&self.delta) { SMALL } else { LARGE }
    }

    fn size(&self) -> usize {
        usize::from(self.symbol())
    }
}

/// The arrivals as gaps and deltas; ends where one message must.
struct Steps<I> {
    arrivals: I,
    base: SeqNo,
    next: SeqNo,
    /// Ticks of 250 µs up to the last arrival. Each arrival is rounded by itself, so that errors do not add up.
    ticks: Option<i64>,
}

impl<I: Iterator<Item = (SeqNo, Time)>> Steps<I> {
    fn new(base: SeqNo, arrivals: I) -> Self {
        Self { arrivals, base, next: base, ticks: None }
    }

    /// The unit of 64 ms in which the first arrival lies.
    fn reference(mut self) -> Option<i64> {
        self.next()?;
        Some(self.ticks?.div_euclid(REFERENCE_TICKS))
    }
}

impl<I: Iterator<Item = (SeqNo, Time)>> Iterator for Steps<I> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let (seq, time) = self.arrivals.next()?;
            if seq < self.next {
                continue;
            }
            if seq.since(self.base) >= MAX_STATUSES {
                return None;
            }
            // 2⁶⁴ µs in units of 250 µs fit 63 bits.
            let ticks = (time.as_micros() / DELTA_MICROS as u64) as i64
                + i64::from(time.as_micros() % DELTA_MICROS as u64 >= DELTA_MICROS as u64 / 2);
            let before = self.ticks.unwrap_or(ticks.div_euclid(REFERENCE_TICKS) * REFERENCE_TICKS);
            let delta = i16::try_from(ticks - before).ok()?;
            let gap = seq.since(self.next);
            (self.ticks, self.next) = (Some(ticks), seq.next());
            return Some(Step { seq, gap, delta });
        }
    }
}

/// Longest run of a chunk: 13 bits.
const RUN: u16 = 0x1fff;

/// Packs symbols into chunks: runs where they are longer than a vector would hold, one bit each where none is large.
struct Chunks {
    words: [u16; MAX / 2],
    len: usize,
    /// Symbols that no chunk holds yet. While all are the same they may be more than the array has room for.
    open: [Symbol; BITS as usize],
    count: u16,
    same: bool,
    large: bool,
}

/// Symbols in a vector of one bit each, and of two.
const BITS: u16 = 14;
const PAIRS: u16 = 7;

impl Default for Chunks {
    fn default() -> Self {
        Self { words: [0; MAX / 2], len: 0, open: [LOST; BITS as usize], count: 0, same: true, large: false }
    }
}

impl Chunks {
    fn words(&self) -> &[u16] {
        self.words.get(..self.len).unwrap_or(&[])
    }

    fn push(&mut self, symbol: Symbol, mut times: u16) {
        while times > 0 {
            if self.count == 0 {
                (self.same, self.large) = (true, false);
            }
            let extends = self.same && (self.count == 0 || self.open[0] == symbol);
            if extends && (self.count >= BITS || times > BITS - self.count) {
                // A run that no vector could hold grows in one step.
                let n = times.min(RUN - self.count);
                self.open = [symbol; BITS as usize];
                self.large = symbol == LARGE;
                self.count += n;
                times -= n;
                if self.count == RUN {
                    self.emit(false);
                }
                continue;
            }
            let small = self.count < BITS && !self.large && symbol != LARGE;
            if self.count < PAIRS || small || extends {
                if let Some(slot) = self.open.get_mut(usize::from(self.count)) {
                    *slot = symbol;
                }
                self.same = extends;
                self.large |= symbol == LARGE;
                self.count += 1;
                times -= 1;
            } else {
                self.emit(false);
            }
        }
    }

    fn finish(&mut self) {
        while self.count > 0 {
            self.emit(true);
        }
    }

    /// Closes one chunk over the first open symbols. Only the last chunk of a message may hold fewer than a vector does.
    fn emit(&mut self, last: bool) {
        let (word, used) = if self.same {
            (u16::from(self.open[0]) << 13 | self.count, self.count)
        } else if self.large || self.count <= PAIRS || self.count < BITS && !last {
            let n = self.count.min(PAIRS);
            let pairs = self.open.iter().take(usize::from(n)).enumerate();
            (0xc000 | pairs.fold(0, |w, (i, &s)| w | u16::from(s) << (12 - 2 * i)), n)
        } else {
            let n = self.count.min(BITS);
            let bits = self.open.iter().take(usize::from(n)).enumerate();
            (0x8000 | bits.fold(0, |w, (i, &s)| w | u16::from(s) << (13 - i)), n)
        };
        // The caller counted the room before it pushed.
        if let Some(slot) = self.words.get_mut(self.len) {
            *slot = word;
            self.len += 1;
        }
        self.count -= used;
        self.open.rotate_left(usize::from(used.min(BITS - 1)));
        let rest = self.open.get(..usize::from(self.count)).unwrap_or(&[]);
        self.same = rest.iter().all(|s| Some(s) == rest.first());
        self.large = rest.contains(&LARGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::TwccSeq;
    use crate::rtcp::{Compound, RtcpPacket, TwccStatus};
    use proptest::prelude::*;
    use std::vec::Vec;

    const REPORT: TwccReport = TwccReport { sender: Ssrc(1), media: Ssrc(2), count: 3 };

    /// Writes messages until all is reported; gives (number, arrival) of each status, and the messages' lengths.
    fn round_trip(base: u64, arrivals: &[(u64, u64)], max: usize) -> (Vec<(u16, Option<i64>)>, Vec<usize>) {
        let list: Vec<_> = arrivals.iter().map(|&(s, t)| (SeqNo(s), Time::from_micros(t))).collect();
        let (mut statuses, mut lens) = (Vec::new(), Vec::new());
        let mut next = SeqNo(base);
        loop {
            let mut out = Vec::new();
            let Some(n) = REPORT.write(next, list.iter().copied(), max, &mut out) else { break };
            assert!(n > next && out.len() <= max);
            let compound = Compound::parse(&out).unwrap();
            let Some(RtcpPacket::Twcc(t)) = compound.iter().next() else { panic!() };
            assert_eq!((t.sender, t.media, t.count, t.base()), (Ssrc(1), Ssrc(2), 3, TwccSeq(next.0 as u16)));
            assert_eq!(t.len() as u64, n.since(next));
            let read: Vec<_> = t.statuses(usize::MAX).collect();
            assert_eq!(read.len(), t.len());
            statuses.extend(read.iter().map(|s: &TwccStatus| (s.seq.0, s.arrival)));
            lens.push(out.len());
            next = n;
        }
        (statuses, lens)
    }

    /// Packets lost before one that arrived, and microseconds since the one before.
    fn step() -> impl Strategy<Value = (u64, i64)> {
        (
            prop_oneof![10 => Just(0u64), 3 => 0u64..4, 1 => 0u64..20_000],
            prop_oneof![6 => 0i64..60_000, 2 => -40_000i64..200_000, 1 => -8_000_000i64..8_000_000],
        )
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn every_arrival_is_read_back_within_125_microseconds(
            base in 0u64..1 << 40,
            start in 0u64..1 << 39,
            // Mostly a few: writing many of them into many small messages takes a thousand times as long.
            steps in prop_oneof![30 => prop::collection::vec(step(), 0..30), 1 => prop::collection::vec(step(), 0..400)],
            max in 60usize..1_300,
        ) {
            let (mut seq, mut time) = (base, start as i64);
            let mut arrivals = Vec::new();
            for (gap, delta) in steps {
                seq += gap;
                time = (time + delta).max(0);
                arrivals.push((seq, time as u64));
                seq += 1;
            }
            let (statuses, _) = round_trip(base, &arrivals, max);
            let mut expected = arrivals.iter();
            for (number, (seq, arrival)) in (base..).zip(statuses) {
                prop_assert_eq!(seq, number as u16);
                if let Some(arrival) = arrival {
                    let &(s, t) = expected.next().unwrap();
                    prop_assert_eq!(s, number);
                    // The reference time wraps at 2²⁴ × 64 ms.
                    let wrap = 64_000i64 << 24;
                    let off = (arrival - t as i64 + wrap / 2).rem_euclid(wrap) - wrap / 2;
                    prop_assert!(off.abs() <= 125, "off by {} µs", off);
                }
            }
            // All of it was reported: a message stops short only where the next one can go on.
            prop_assert_eq!(expected.next(), None);
        }
    }

    #[test]
    fn dense_arrivals_take_two_bytes_and_one_each() {
        let arrivals: Vec<_> = (0..100).map(|i| (1_000 + i, 1_000_000 + i * 1_000)).collect();
        let (statuses, lens) = round_trip(1_000, &arrivals, 1_200);
        assert_eq!((statuses.len(), lens), (100, std::vec![HEAD + 2 + 100 + 2]));
    }

    #[test]
    fn a_gap_of_any_length_takes_a_few_bytes_or_another_message() {
        let (statuses, lens) = round_trip(0, &[(0, 5), (60_000, 6)], 1_200);
        assert_eq!(statuses.len(), 60_001);
        // One vector of 14, eight runs, one symbol: 20 bytes of chunks, two deltas.
        assert_eq!(lens, [44]);
        // Beyond what sixteen bits count nothing is written: the recorder begins again at a base of its choice.
        let (statuses, _) = round_trip(0, &[(0, 5), (1 << 40, 6)], 1_200);
        assert_eq!(statuses, [(0, Some(0))]);
    }

    #[test]
    fn a_jump_of_the_clock_starts_another_message() {
        let (statuses, lens) = round_trip(7, &[(7, 64_000), (8, 20_000_000), (9, 128_000)], 1_200);
        assert_eq!(statuses, [(7, Some(64_000)), (8, Some(20_000_000)), (9, Some(128_000))]);
        assert_eq!(lens.len(), 3);
        assert_eq!(REPORT.write(SeqNo(0), [].into_iter(), 1_200, &mut Vec::new()), None);
        let one = [(SeqNo(0), Time::ZERO)];
        assert_eq!(REPORT.write(SeqNo(0), one.into_iter(), 20, &mut Vec::new()), None);
        assert_eq!(REPORT.write(SeqNo(0), one.into_iter(), 1_200, &mut &mut [0; 20][..]), None);
        let never = [(SeqNo(0), Time::NEVER), (SeqNo(1), Time::ZERO)];
        assert_eq!(REPORT.write(SeqNo(0), never.into_iter(), 1_200, &mut Vec::new()), Some(SeqNo(1)));
    }
}
