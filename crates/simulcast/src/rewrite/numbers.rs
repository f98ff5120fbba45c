//! Sequence numbers: from a source's to the slot's.

use alloc::collections::VecDeque;

use salon_rtp::{RtpTime, SeqNo};

use crate::SkipReason;
use crate::limits::{LATE_PACKETS, RUNS};

/// Words of 64 bits that hold a bit per late packet.
const WORDS: usize = (LATE_PACKETS / 64) as usize;

/// Source numbers that were skipped and have no output number. Two of them per slot and picture, so they are packed.
#[derive(Clone, Copy, Debug)]
struct Gap {
    start: u64,
    len: u32,
    /// How many numbers the gaps skip that are remembered and lie before this one.
    before: u32,
}

impl Gap {
    /// The number after the last.
    fn end(&self) -> u64 {
        self.start.saturating_add(u64::from(self.len))
    }
}

/// A map from source numbers to output numbers that closes over what was skipped and keeps a place for what was lost.
/// It stores where one run of consecutive numbers ends and the next starts, never single numbers; old runs are
/// forgotten, and what belonged to them is refused.
#[derive(Debug)]
pub(crate) struct Runs {
    /// The first source number, and what it maps to.
    floor: u64,
    base: u64,
    /// Below this nothing is remembered.
    remembered: u64,
    /// How many numbers the forgotten gaps skip, and how many all gaps.
    forgotten: u64,
    skipped: u64,
    /// The highest source number that was forwarded: gaps are made only above it, so that no number given changes.
    top: Option<u64>,
    gaps: VecDeque<Gap>,
}

impl Runs {
    pub(crate) fn new() -> Self {
        Self {
            floor: 0,
            base: 0,
            remembered: 0,
            forgotten: 0,
            skipped: 0,
            top: None,
            gaps: VecDeque::with_capacity(RUNS),
        }
    }

    /// Forgets everything: `floor` maps to `base`, the next to the next.
    pub(crate) fn restart(&mut self, floor: u64, base: u64) {
        self.gaps.clear();
        (self.floor, self.base, self.remembered) = (floor, base, floor);
        (self.forgotten, self.skipped, self.top) = (0, 0, None);
    }

    /// What `n` maps to.
    pub(crate) fn output(&self, n: u64) -> Result<u64, SkipReason> {
        if n < self.floor {
            return Err(SkipReason::BeforeSwitch);
        }
        if n < self.remembered {
            return Err(SkipReason::TooLate);
        }
        let skipped = match self.gaps.back() {
            Some(last) if n < last.end() => self.skipped_below(n)?,
            _ => self.skipped,
        };
        Ok(self.base.saturating_add((n - self.floor).saturating_sub(skipped)))
    }

    fn skipped_below(&self, n: u64) -> Result<u64, SkipReason> {
        let after = self.gaps.partition_point(|g| g.start <= n);
        match after.checked_sub(1).and_then(|i| self.gaps.get(i)) {
            None => Ok(self.forgotten),
            Some(g) if n < g.end() => Err(SkipReason::PictureSkipped),
            Some(g) => Ok(self.upto(g)),
        }
    }

    /// How many numbers all gaps up to this one skip, itself and the forgotten ones included.
    fn upto(&self, g: &Gap) -> u64 {
        // A gap knows the lower half of its count; all that are remembered skip less than the half holds.
        let remembered = g.before.wrapping_add(g.len).wrapping_sub(self.forgotten as u32);
        self.forgotten + u64::from(remembered)
    }

    /// Remembers that `n` went out.
    pub(crate) fn forwarded(&mut self, n: u64) {
        self.top = self.top.max(Some(n));
    }

    /// Skips `from` to `to` (both included), as far as they lie above all that went out: what lies below keeps its place
    /// and leaves a hole, because the numbers after it are given.
    pub(crate) fn skip(&mut self, from: u64, to: u64) {
        let mut start = from.max(self.top.map_or(self.floor, |t| t.saturating_add(1))).max(self.remembered);
        if to < start {
            return;
        }
        let mut end = to.saturating_add(1);
        // The gaps from `first` to before `after` touch or overlap the new one, and become one with it.
        let first = self.gaps.partition_point(|g| g.end() < start);
        let after = self.gaps.partition_point(|g| g.start <= end);
        let mut before = self.forgotten;
        if let Some(g) = first.checked_sub(1).and_then(|i| self.gaps.get(i)) {
            before = self.upto(g);
        }
        let mut known = 0;
        for g in self.gaps.range(first..after.max(first)) {
            start = start.min(g.start);
            end = end.max(g.end());
            known += u64::from(g.len);
        }
        let added = (end - start).saturating_sub(known);
        self.skipped += added;
        let (Ok(len), Ok(_)) = (u32::try_from(end - start), u32::try_from(self.skipped - self.forgotten))
        else {
            return self.forget_all(end);
        };
        for g in self.gaps.range_mut(after.max(first)..) {
            g.before = g.before.wrapping_add(added as u32);
        }
        let merged = Gap { start, len, before: before as u32 };
        if after > first {
            self.gaps.drain(first + 1..after);
            if let Some(g) = self.gaps.get_mut(first) {
                *g = merged;
            }
        } else {
            if self.gaps.len() >= RUNS {
                return self.forget_oldest_for(first, merged);
            }
            self.gaps.insert(first, merged);
        }
    }

    fn forget_oldest_for(&mut self, at: usize, gap: Gap) {
        if let Some(oldest) = self.gaps.front() {
            (self.remembered, self.forgotten) = (oldest.end(), self.upto(oldest));
            self.gaps.pop_front();
        }
        match at.checked_sub(1) {
            Some(at) => self.gaps.insert(at, gap),
            // The new gap is the oldest of all: it is what must be forgotten, and the one popped came after it.
            None => self.remembered = self.remembered.max(gap.end()),
        }
    }

    /// Gaps of thousands of millions of numbers are no stream's: what lies before the end of the last is refused.
    fn forget_all(&mut self, end: u64) {
        self.remembered = self.gaps.back().map_or(end, |last| last.end().max(end));
        self.forgotten = self.skipped;
        self.gaps.clear();
    }
}

/// The picture that is being skipped: numbers between two of its packets belong to it, whether they came or not.
#[derive(Debug)]
struct Skipping {
    picture: RtpTime,
    low: u64,
    high: u64,
}

/// The sequence numbers of one slot, over all that it shows in its life.
#[derive(Debug)]
pub(crate) struct Numbers {
    runs: Runs,
    skipping: Option<Skipping>,
    /// The number after the highest that went out.
    next: u64,
    /// Whether the packet with the highest number ended its picture; true before the first.
    ended: bool,
    /// One bit per number of the last [`LATE_PACKETS`], set where it went out: the last line against giving one twice.
    sent: [u64; WORDS],
}

impl Numbers {
    pub(crate) fn new(first: SeqNo) -> Self {
        Self { runs: Runs::new(), skipping: None, next: first.0, ended: true, sent: [0; WORDS] }
    }

    /// The stream continues with `seq` of a source that was not shown before, or not since it restarted. Where the picture sent last was
    /// cut off, one number stays free, lest the receiver joins its torn end to the new picture.
    pub(crate) fn start(&mut self, seq: SeqNo, picture: bool) {
        let base = self.next.saturating_add(u64::from(picture && !self.ended));
        self.runs.restart(seq.0, base);
        self.skipping = None;
    }

    /// Whether `seq` lies before the packet on which the source started here.
    pub(crate) fn started_after(&self, seq: SeqNo) -> bool {
        seq.0 < self.runs.floor
    }

    /// The number under which `seq` goes out, which is spent thereby.
    pub(crate) fn forward(&mut self, seq: SeqNo, marker: bool) -> Result<SeqNo, SkipReason> {
        let out = self.runs.output(seq.0)?;
        if out >= self.next {
            let passed = out - self.next;
            if passed >= LATE_PACKETS {
                self.sent.fill(0);
            } else {
                (self.next..out).for_each(|n| self.mark(n, false));
            }
            (self.next, self.ended) = (out.saturating_add(1), marker);
        } else if self.next - out > LATE_PACKETS {
            return Err(SkipReason::TooLate);
        } else if self.is_marked(out) {
            return Err(SkipReason::Duplicate);
        }
        self.mark(out, true);
        self.runs.forwarded(seq.0);
        Ok(SeqNo(out))
    }

    /// `seq` does not go out. With `picture`, because nothing of the picture of that timestamp does: then what was lost between its packets does not go out either.
    pub(crate) fn skip(&mut self, seq: SeqNo, picture: Option<RtpTime>) {
        let n = seq.0;
        let Some(picture) = picture else { return self.runs.skip(n, n) };
        let (low, high) = match &self.skipping {
            Some(s) if s.picture == picture => (s.low.min(n), s.high.max(n)),
            _ => (n, n),
        };
        self.skipping = Some(Skipping { picture, low, high });
        self.runs.skip(low, high);
    }

    fn is_marked(&self, n: u64) -> bool {
        self.sent.get(word(n)).is_some_and(|w| w >> (n % 64) & 1 == 1)
    }

    fn mark(&mut self, n: u64, sent: bool) {
        if let Some(w) = self.sent.get_mut(word(n)) {
            *w = *w & !(1 << (n % 64)) | u64::from(sent) << (n % 64);
        }
    }
}

fn word(n: u64) -> usize {
    (n % LATE_PACKETS / 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::vec::Vec;

    /// The same rules with a memory of everything.
    #[derive(Default)]
    struct Model {
        floor: u64,
        base: u64,
        skipped: BTreeSet<u64>,
        given: BTreeMap<u64, u64>,
    }

    impl Model {
        fn skip(&mut self, from: u64, to: u64) {
            let above = self.given.last_key_value().map_or(self.floor, |(n, _)| n + 1);
            self.skipped.extend(from.max(above)..=to);
        }

        fn forward(&mut self, n: u64) -> Result<u64, SkipReason> {
            if n < self.floor {
                return Err(SkipReason::BeforeSwitch);
            }
            if self.skipped.contains(&n) {
                return Err(SkipReason::PictureSkipped);
            }
            if self.given.contains_key(&n) {
                return Err(SkipReason::Duplicate);
            }
            let out = self.base + (n - self.floor) - self.skipped.range(..n).count() as u64;
            self.given.insert(n, out);
            Ok(out)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Forward(u64),
        Skip(u64),
        SkipOf(u64, u32),
        Start(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        // Numbers near a moving edge, in pictures of four.
        let near = || 0u64..40;
        let step = prop_oneof![
            8 => near().prop_map(Step::Forward),
            3 => near().prop_map(Step::Skip),
            5 => near().prop_map(|n| Step::SkipOf(n, n as u32 / 4)),
            1 => (0u64..100_000).prop_map(Step::Start),
        ];
        prop::collection::vec(step, 1..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn runs_give_what_a_memory_of_everything_gives(first in 0u64..1 << 40, steps in steps()) {
            let mut numbers = Numbers::new(SeqNo(first));
            numbers.start(SeqNo(0), true);
            let mut model = Model { base: first, ..Model::default() };
            let (mut edge, mut next, mut picture) = (0, first, None::<(u32, u64, u64)>);
            for (i, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Start(at) => {
                        numbers.start(SeqNo(at), true);
                        model = Model { floor: at, base: next, ..Model::default() };
                        (edge, picture) = (at, None);
                    }
                    Step::Forward(n) => {
                        let n = edge + n;
                        let (got, want) = (numbers.forward(SeqNo(n), true), model.forward(n));
                        if got != Err(SkipReason::TooLate) {
                            prop_assert_eq!(got, want.map(SeqNo));
                        }
                        next = got.map_or(next, |s| next.max(s.0 + 1));
                    }
                    Step::Skip(n) => {
                        numbers.skip(SeqNo(edge + n), None);
                        model.skip(edge + n, edge + n);
                    }
                    Step::SkipOf(n, p) => {
                        let n = edge + n;
                        let (low, high) = match picture {
                            Some((q, low, high)) if q == p => (low.min(n), high.max(n)),
                            _ => (n, n),
                        };
                        picture = Some((p, low, high));
                        numbers.skip(SeqNo(n), Some(RtpTime(p)));
                        model.skip(low, high);
                    }
                }
                if i % 8 == 7 {
                    edge += 8;
                    picture = None;
                    numbers.skipping = None;
                }
                // Law 18.
                prop_assert!(numbers.runs.gaps.len() <= RUNS && numbers.runs.gaps.capacity() == Runs::new().gaps.capacity());
            }
        }

        #[test]
        fn no_number_is_given_twice_whatever_comes(
            steps in prop::collection::vec((any::<u8>(), prop_oneof![any::<u64>(), 0u64..5_000], any::<u32>()), 1..300),
        ) {
            let mut numbers = Numbers::new(SeqNo(7));
            let mut given = BTreeSet::new();
            for (what, n, picture) in steps {
                match what {
                    0..=9 => numbers.start(SeqNo(n), what & 1 == 0),
                    10..=90 => numbers.skip(SeqNo(n), (what & 1 == 0).then_some(RtpTime(picture % 3))),
                    _ => {
                        if let Ok(out) = numbers.forward(SeqNo(n), what & 1 == 0) {
                            // At the very end of 64 bits numbers saturate; SRTP ends at 48.
                            prop_assert!(given.insert(out) || out.0 == u64::MAX);
                        }
                    }
                }
                prop_assert!(numbers.runs.gaps.len() <= RUNS);
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_refused_and_the_rest_keeps_its_numbers() {
        let mut numbers = Numbers::new(SeqNo(0));
        numbers.start(SeqNo(0), true);
        let mut given = Vec::new();
        for n in 0..300u64 {
            match n % 3 {
                0 => given.push((n, numbers.forward(SeqNo(n), true).unwrap())),
                1 => numbers.skip(SeqNo(n), None),
                _ => {}
            }
        }
        for (n, out) in given {
            assert_eq!(out.0, n - n / 3);
            let late = numbers.forward(SeqNo(n + 2), true);
            match late {
                Ok(late) => assert_eq!(late.0, out.0 + 1),
                Err(reason) => assert!(reason == SkipReason::TooLate && n < 3 * (100 - RUNS as u64)),
            }
        }
    }
}
