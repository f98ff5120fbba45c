//! When whom must be attended to: one entry per participant, whatever it waits for.

use alloc::vec::Vec;

use salon_rtp::Time;
use slotmap::SecondaryMap;

use crate::ParticipantId;

/// A binary heap of deadlines in which each participant's can be moved. O(1) to see the first, O(log n) to move one.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    heap: Vec<(Time, ParticipantId)>,
    /// Where in the heap each participant stands.
    place: SecondaryMap<ParticipantId, usize>,
    /// The latest moment before which a deadline was not let stand: what is overdue may stand so late.
    latest: Time,
}

impl Schedule {
    /// The earliest deadline.
    pub(crate) fn first(&self) -> Option<(Time, ParticipantId)> {
        self.heap.first().copied()
    }

    /// A participant's deadline; [`Time::NEVER`] without one.
    pub(crate) fn get(&self, id: ParticipantId) -> Time {
        self.place.get(id).and_then(|&at| self.heap.get(at)).map_or(Time::NEVER, |e| e.0)
    }

    /// Sets a participant's deadline; [`Time::NEVER`] removes it.
    pub(crate) fn set(&mut self, id: ParticipantId, due: Time) {
        match self.place.get(id).copied() {
            _ if due == Time::NEVER => self.remove(id),
            Some(at) => {
                self.heap[at].0 = due;
                self.settle(at);
            }
            None => {
                self.heap.push((due, id));
                let at = self.heap.len() - 1;
                self.place.insert(id, at);
                self.settle(at);
            }
        }
    }

    /// Moves a participant's deadline to `due` if that is earlier.
    pub(crate) fn lower(&mut self, id: ParticipantId, due: Time) {
        if due < self.get(id) {
            self.set(id, due);
        }
    }

    /// Moves a deadline that may have passed already: to `due`, but not before `earliest`.
    pub(crate) fn lower_from(&mut self, earliest: Time, id: ParticipantId, due: Time) {
        self.latest = self.latest.max(earliest);
        self.lower(id, due.max(earliest));
    }

    /// Sets a deadline that may have passed already: to `due`, but not before `earliest`.
    pub(crate) fn set_from(&mut self, earliest: Time, id: ParticipantId, due: Time) {
        self.latest = self.latest.max(earliest);
        self.set(id, due.max(earliest));
    }

    /// Whether a participant that waits for `due` will be attended to in time.
    pub(crate) fn keeps(&self, id: ParticipantId, due: Time) -> bool {
        self.get(id) <= due.max(self.latest) || due == Time::NEVER
    }

    /// Forgets a participant.
    pub(crate) fn remove(&mut self, id: ParticipantId) {
        let Some(at) = self.place.remove(id) else { return };
        self.heap.swap_remove(at);
        if let Some(&(_, moved)) = self.heap.get(at) {
            self.place.insert(moved, at);
            self.settle(at);
        }
    }

    /// Moves the entry at `at` to where it belongs.
    fn settle(&mut self, mut at: usize) {
        while at > 0 && self.heap[at].0 < self.heap[(at - 1) / 2].0 {
            self.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len() && self.heap[child].0 < self.heap[least].0 {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.swap(at, least);
            at = least;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.place.insert(self.heap[a].1, a);
        self.place.insert(self.heap[b].1, b);
    }

    /// Whether heap order and places agree, and nobody stands there whom `known` does not know.
    pub(crate) fn check(&self, known: impl Fn(ParticipantId) -> bool) -> Result<(), &'static str> {
        if self.place.len() != self.heap.len() {
            return Err("deadlines and places differ in number");
        }
        for (at, &(due, id)) in self.heap.iter().enumerate() {
            if self.place.get(id) != Some(&at) {
                return Err("a deadline does not know its place");
            }
            if at > 0 && self.heap[(at - 1) / 2].0 > due {
                return Err("a deadline stands before an earlier one");
            }
            if !known(id) {
                return Err("a deadline of nobody");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use slotmap::SlotMap;

    proptest! {
        #[test]
        fn the_first_is_the_least(steps in prop::collection::vec((0usize..20, 0u64..100), 1..200)) {
            let mut ids = SlotMap::<ParticipantId, ()>::with_key();
            let ids: Vec<_> = (0..20).map(|_| ids.insert(())).collect();
            let mut model = [Time::NEVER; 20];
            let mut schedule = Schedule::default();
            for (who, due) in steps {
                let due = if due > 80 { Time::NEVER } else { Time::from_micros(due) };
                schedule.set(ids[who], due);
                model[who] = due;
                schedule.check(|_| true).unwrap();
                let least = model.iter().copied().min().unwrap();
                prop_assert_eq!(schedule.first().map_or(Time::NEVER, |f| f.0), least);
                prop_assert_eq!(schedule.get(ids[who]), due);
            }
        }
    }
}
