//! Which of the latest packet indexes were seen.

/// What a [`Window`] knows of an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Not seen: above everything seen, or a gap.
    New,
    /// Seen.
    Seen,
    /// So far below the highest that nobody knows.
    TooOld,
}

/// The highest index seen, and a ring of bits for the indexes that end with it (the replay list of RFC 3711 §3.3.2).
///
/// The bit of an index stands at `index mod size`; moving up clears the bits of the indexes passed over, which are those
/// of indexes that just became too old.
pub(crate) struct Window<B> {
    bits: B,
    highest: Option<u64>,
}

impl<B: AsRef<[u64]> + AsMut<[u64]>> Window<B> {
    /// Nothing seen. The window is as many indexes wide as `bits`, all of them zero, has bits: 64 times a power of two, so that none is
    /// found by a division.
    pub(crate) fn new(bits: B) -> Self {
        debug_assert!(bits.as_ref().len().is_power_of_two() && bits.as_ref().iter().all(|&w| w == 0));
        Self { bits, highest: None }
    }

    /// The highest index seen.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// What is known of `index`; changes nothing.
    pub(crate) fn check(&self, index: u64) -> Standing {
        let Some(highest) = self.highest else { return Standing::New };
        let Some(below) = highest.checked_sub(index) else { return Standing::New };
        if below >= self.size() {
            return Standing::TooOld;
        }
        let (word, bit) = self.place(index);
        match self.bits.as_ref().get(word) {
            Some(w) if w >> bit & 1 == 0 => Standing::New,
            _ => Standing::Seen,
        }
    }

    /// Notes `index` as seen. Does nothing for one that is too old.
    pub(crate) fn mark(&mut self, index: u64) {
        match self.highest {
            // Most come in order, and pass over nothing.
            Some(highest) if index > highest && index - highest > 1 => self.clear(highest + 1, index - 1),
            Some(highest) if index > highest => {}
            Some(highest) if highest - index >= self.size() => return,
            _ => {}
        }
        self.highest = self.highest.max(Some(index));
        let (word, bit) = self.place(index);
        if let Some(w) = self.bits.as_mut().get_mut(word) {
            *w |= 1 << bit;
        }
    }

    /// Clears the bits of `from..=to`, a word at a time: once round at most.
    fn clear(&mut self, from: u64, to: u64) {
        if to - from >= self.size() {
            self.bits.as_mut().fill(0);
            return;
        }
        let mut at = from;
        while at <= to {
            let (word, bit) = self.place(at);
            let count = (64 - bit).min(to - at + 1);
            if let Some(w) = self.bits.as_mut().get_mut(word) {
                *w &= !(u64::MAX >> (64 - count) << bit);
            }
            at += count;
        }
    }

    fn size(&self) -> u64 {
        64 * self.bits.as_ref().len() as u64
    }

    fn place(&self, index: u64) -> (usize, u64) {
        ((index / 64) as usize & self.bits.as_ref().len().wrapping_sub(1), index % 64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_edge_lies_between_size_minus_one_and_size() {
        let mut w = Window::new([0; 16]);
        w.mark(5_000);
        assert_eq!(w.check(5_000), Standing::Seen);
        assert_eq!(w.check(5_000 - 1_023), Standing::New);
        assert_eq!(w.check(5_000 - 1_024), Standing::TooOld);
        assert_eq!(w.check(5_000 - 1_025), Standing::TooOld);
        w.mark(5_000 - 1_024);
        assert_eq!(w.check(5_001), Standing::New, "marking what is too old leaves no bit behind");
    }

    proptest! {
        #[test]
        fn it_is_the_set_of_all_that_was_marked_within_its_reach(
            words in (0u32..4).prop_map(|n| 1usize << n),
            start in 0u64..1 << 48,
            steps in prop::collection::vec(prop_oneof![8 => -100i64..100, 1 => -900i64..900], 1..300),
        ) {
            let mut w = Window::new(vec![0u64; words]);
            let (mut seen, mut at) = (BTreeSet::new(), start);
            for step in steps {
                at = at.saturating_add_signed(step);
                let expected = match seen.last() {
                    Some(&top) if top >= at + 64 * words as u64 => Standing::TooOld,
                    _ if seen.contains(&at) => Standing::Seen,
                    _ => Standing::New,
                };
                prop_assert_eq!(w.check(at), expected);
                w.mark(at);
                if expected == Standing::New {
                    seen.insert(at);
                }
                prop_assert_eq!(w.highest(), seen.last().copied());
            }
        }
    }
}
