//! Who talks when: turns of speech.

use salon_sim::Rng;
use std::time::{Duration, Instant};

/// How long one talks before somebody else does: what a turn takes in a meeting.
const SPEECH: (u64, u64) = (2_000, 8_000);
/// How long nobody takes the word after a turn.
const PAUSE: (u64, u64) = (200, 1_000);

/// The turns of one room: so many people talk at a time, each for some seconds.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    rng: Rng,
    people: Vec<u32>,
    floors: Vec<Floor>,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    /// Who talks; nobody in a pause.
    who: Option<u32>,
    until: Instant,
}

impl Turns {
    /// `speakers` of `people` talk at a time, from `start` on.
    pub(crate) fn new(seed: u64, people: Vec<u32>, speakers: usize, start: Instant) -> Self {
        let floors = vec![Floor { who: None, until: start }; speakers.min(people.len())];
        Self { rng: Rng::new(seed), people, floors }
    }

    /// Whether somebody talks now.
    pub(crate) fn talks(&mut self, person: u32, now: Instant) -> bool {
        for at in 0..self.floors.len() {
            while self.floors.get(at).is_some_and(|floor| floor.until <= now) {
                self.hand_over(at);
            }
        }
        self.floors.iter().any(|floor| floor.who == Some(person))
    }

    /// A turn is followed by a pause, a pause by somebody who does not talk yet.
    fn hand_over(&mut self, at: usize) {
        let free: Vec<u32> =
            self.people.iter().copied().filter(|p| self.floors.iter().all(|f| f.who != Some(*p))).collect();
        let Some(floor) = self.floors.get_mut(at) else { return };
        let (who, (low, high)) = match floor.who {
            None => (self.rng.pick(&free).copied(), SPEECH),
            Some(_) => (None, PAUSE),
        };
        floor.who = who;
        floor.until += Duration::from_millis(self.rng.between(low, high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_talk_at_a_time_and_everybody_has_a_turn() {
        let start = Instant::now();
        let mut turns = Turns::new(7, (0..10).collect(), 3, start);
        let mut talked = [0; 10];
        let mut at_once = 0;
        for tick in 0..6_000 {
            let now = start + Duration::from_millis(tick * 20);
            let talking =
                (0..10).filter(|p| turns.talks(*p, now)).inspect(|p| talked[*p as usize] += 1).count();
            assert!(talking <= 3);
            at_once += talking;
        }
        assert!(talked.iter().all(|t| *t > 100), "{talked:?}");
        // Pauses take about a tenth.
        assert!((14_000..=18_000).contains(&at_once), "{at_once}");
    }

    #[test]
    fn more_speakers_than_people_are_all_people() {
        let start = Instant::now();
        let mut turns = Turns::new(1, vec![4], 3, start);
        let later = start + Duration::from_secs(1);
        assert!(turns.talks(4, later) && !turns.talks(5, later));
    }
}
