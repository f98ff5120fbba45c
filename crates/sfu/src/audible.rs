//! Who is heard.
//!
//! Audible is not floor: whoever rises above his noise takes the place that was silent longest, at once; who dominates
//! a conversation is decided elsewhere ([`speaker`](crate::speaker)), and slower. One ranking serves all receivers of a
//! room, however many slots each has, and changes only when somebody begins to speak or has ceased to.

use crate::limits::VOICES_PER_ROOM;
use crate::noise::{Noise, Synthetic, volume};
use alloc::vec::Vec;
use core::time::Duration;
use salon_rtp::Time;

/// A voice this far above its noise, in dB, speaks. Less hears breath; more misses the first syllable of quiet people.
const RISE: u8 = 10;
/// A voice this far above its noise speaks from its first packet on; from [`RISE`] on it needs two, so that a click takes
/// nobody's place.
const RISE_AT_ONCE: u8 = 25;
/// Two packets make a rise if they are no further apart: one lost packet of 60 ms between them.
const RISE_WITHIN: Duration = Duration::from_millis(150);
/// Who speaks goes on speaking down to this far above the noise: hysteresis.
const STAY: u8 = 5;
/// What is so much quieter than its speech, in dB, is a pause in it.
const PAUSE: u8 = 20;
/// And for so long after: pauses between words are shorter. By time, not by packets: DTX sends none.
const HANGOVER: Duration = Duration::from_millis(500);
/// Below this volume (−80 dBov) nobody is understood, whatever his noise.
const INAUDIBLE: u8 = 47;
/// A newcomer stands at once before those who are this much quieter, in dB…
const MUCH_LOUDER: u8 = 8;
/// …and later before one who is this much quieter,
const LOUDER: u8 = 6;
/// once in this time: with more speakers than slots, the loudest are heard, without flicker.
const OVERTAKE_EVERY: Duration = Duration::from_secs(1);
/// How often the clock is looked at while somebody speaks.
const TICK: Duration = Duration::from_millis(100);
/// Silence passes for so many packets, so that the receiver's decoder fades into it…
const SILENT_PACKETS: u8 = 3;
/// …and for no longer than this: by DTX's 400 ms three packets would be a second.
const SILENT_FOR: Duration = Duration::from_millis(100);

/// A voice of a room: one published sound. Stale ids are nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VoiceId {
    pub(crate) index: u16,
    pub(crate) generation: u16,
}

/// What a sound packet means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Heard {
    /// The level that counts, in −dBov (0 loud, 127 silent): the packet's own, or a synthetic one.
    pub level: u8,
    /// Whether to forward it at all: silence is not.
    pub pass: bool,
    /// Whether the ranking changed: slots may have to be given anew, before this packet is forwarded.
    pub changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Voice<K> {
    key: K,
    generation: u16,
    noise: Noise,
    synthetic: Synthetic,
    muted: bool,
    speaks: bool,
    /// What was last told of `speaks`, and whether an edge is pending.
    told: bool,
    pending: bool,
    /// When it last was loud enough to speak.
    loud: Option<Time>,
    /// A first packet above the noise.
    rising: Option<Time>,
    /// Smoothed volume while it speaks, in sixteenths of dB.
    smooth: u16,
    silent: Option<(Time, u8)>,
}

/// Ranks the voices of one room: the first n of the ranking are what a receiver with n slots hears.
///
/// First those who speak, who began first standing first (but for much quieter ones); then the others, who spoke last
/// standing first, who never spoke in the order of joining.
#[derive(Clone, Debug)]
pub struct Audible<K> {
    voices: Vec<Option<Voice<K>>>,
    generation: u16,
    /// Indices into `voices`.
    ranking: Vec<u16>,
    /// How many of the ranking speak.
    speaking: usize,
    overtaken: Time,
    due: Option<Time>,
    edges: Vec<u16>,
}

impl<K: Copy> Audible<K> {
    /// Nobody.
    pub const fn new() -> Self {
        Self {
            voices: Vec::new(),
            generation: 0,
            ranking: Vec::new(),
            speaking: 0,
            overtaken: Time::ZERO,
            due: None,
            edges: Vec::new(),
        }
    }

    /// A voice joins, silent, at the end of the ranking. `None` if the room is full
    /// ([`VOICES_PER_ROOM`]).
    pub fn add(&mut self, key: K) -> Option<VoiceId> {
        let index = match self.voices.iter().position(Option::is_none) {
            Some(free) => free,
            None if self.voices.len() < VOICES_PER_ROOM => {
                self.voices.push(None);
                self.voices.len() - 1
            }
            None => return None,
        };
        self.generation = self.generation.wrapping_add(1);
        self.voices[index] = Some(Voice {
            key,
            generation: self.generation,
            noise: Noise::new(),
            synthetic: Synthetic::new(),
            muted: false,
            speaks: false,
            told: false,
            pending: false,
            loud: None,
            rising: None,
            smooth: 0,
            silent: None,
        });
        self.ranking.push(index as u16);
        self.edges.reserve(self.voices.len());
        Some(VoiceId { index: index as u16, generation: self.generation })
    }

    /// A voice leaves; whether the ranking changed. No edge of its speaking is told any more.
    pub fn remove(&mut self, voice: VoiceId) -> bool {
        let Some(v) = self.voice(voice) else { return false };
        let speaks = v.speaks;
        self.ranking.retain(|&i| i != voice.index);
        self.edges.retain(|&i| i != voice.index);
        self.speaking -= usize::from(speaks);
        self.voices[usize::from(voice.index)] = None;
        true
    }

    /// A sound packet came: `level` as RFC 6464 has it, if the publisher sends levels; `payload` bytes of Opus. (The
    /// extension's voice bit decides nothing: it is optional, and senders differ.)
    pub fn push(&mut self, now: Time, voice: VoiceId, level: Option<u8>, payload: usize) -> Heard {
        let Some(v) = self.voice(voice) else { return Heard { level: 127, pass: false, changed: false } };
        let (level, unknown) = match level {
            _ if v.muted => (127, false),
            Some(level) => (level.min(127), false),
            None => v.synthetic.push(now, payload),
        };
        let pass = !v.muted && v.passes(now, level);
        let begins = v.hear(now, volume(level), unknown);
        let changed = begins && self.begin(now, voice.index);
        Heard { level, pass, changed }
    }

    /// The publisher says that it muted itself, or not; whether the ranking changed. What a muted voice sends is silence.
    pub fn set_muted(&mut self, now: Time, voice: VoiceId, muted: bool) -> bool {
        let Some(v) = self.voice(voice) else { return false };
        v.muted = muted;
        v.rising = None;
        let ends = muted && v.speaks;
        if ends {
            v.loud = v.loud.map(|_| now.minus(HANGOVER));
        }
        ends && self.lapse(now)
    }

    /// Time passed; whether the ranking changed.
    pub fn handle_timeout(&mut self, now: Time) -> bool {
        if self.due.is_none_or(|d| now < d) {
            return false;
        }
        let lapsed = self.lapse(now);
        let overtook = self.overtake(now);
        self.due = (self.speaking > 0).then(|| now.plus(TICK));
        lapsed || overtook
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while nobody speaks.
    pub fn next_due(&self) -> Option<Time> {
        self.due
    }

    /// All voices, who is to be heard first. A receiver with n slots hears the first n that are not its own.
    pub fn ranking(&self) -> impl ExactSizeIterator<Item = K> + '_ {
        // Each index of the ranking is occupied: `check` says so in tests.
        Ranking { voices: &self.voices, rest: self.ranking.iter() }
    }

    /// Edges of speaking: who began or ceased to speak, one pending per voice.
    pub fn poll_speaking(&mut self) -> Option<(K, bool)> {
        while let Some(index) = self.edges.pop() {
            let Some(v) = self.voices.get_mut(usize::from(index)).and_then(Option::as_mut) else { continue };
            v.pending = false;
            if v.told != v.speaks {
                v.told = v.speaks;
                return Some((v.key, v.speaks));
            }
        }
        None
    }

    /// Whose voice this is.
    pub fn key(&self, voice: VoiceId) -> Option<K> {
        let v = self.voices.get(usize::from(voice.index))?.as_ref()?;
        (v.generation == voice.generation).then_some(v.key)
    }

    /// Whether it speaks, hangover included.
    pub fn speaks(&self, voice: VoiceId) -> bool {
        self.key(voice).is_some() && self.at(voice.index).is_some_and(|v| v.speaks)
    }

    /// A voice begins to speak: behind those who speak already (but before the much quieter), before all who do not.
    fn begin(&mut self, now: Time, index: u16) -> bool {
        let lapsed = self.lapse(now);
        let smooth = self.at(index).map_or(0, |v| v.smooth);
        let quieter =
            |&&i: &&u16| self.at(i).is_some_and(|v| v.smooth + u16::from(MUCH_LOUDER) * 16 <= smooth);
        let to = self.speaking - self.ranking[..self.speaking].iter().rev().take_while(quieter).count();
        let Some(from) = self.ranking.iter().position(|&i| i == index) else { return lapsed };
        // It did not speak, so it stands at or after `to`.
        self.ranking[to..=from].rotate_right(1);
        self.speaking += 1;
        self.set_speaks(index, true);
        self.due = Some(self.due.unwrap_or(now.plus(TICK)));
        lapsed || to != from
    }

    /// Those who have been silent for long enough cease to speak; whether the order changed.
    fn lapse(&mut self, now: Time) -> bool {
        let mut changed = false;
        let mut at = 0;
        while at < self.speaking {
            let index = self.ranking[at];
            let loud = self.at(index).and_then(|v| v.loud).unwrap_or(Time::ZERO);
            if now.since(loud) < HANGOVER {
                at += 1;
                continue;
            }
            // To its place among the silent, who spoke last standing first.
            let silent = &self.ranking[self.speaking..];
            let later = |&&i: &&u16| self.at(i).and_then(|v| v.loud).is_some_and(|l| l > loud);
            let to = self.speaking - 1 + silent.iter().take_while(later).count();
            self.ranking[at..=to].rotate_left(1);
            self.speaking -= 1;
            self.set_speaks(index, false);
            changed |= to != at;
        }
        changed
    }

    /// Somebody who speaks before others who are louder by far goes behind them.
    fn overtake(&mut self, now: Time) -> bool {
        if self.speaking < 2 || now.since(self.overtaken) < OVERTAKE_EVERY {
            return false;
        }
        let smooth = |&i: &u16| self.at(i).map_or(0, |v| v.smooth);
        let speaking = &self.ranking[..self.speaking];
        let louder = |at: usize| {
            let bar = smooth(&speaking[at]) + u16::from(LOUDER) * 16;
            speaking[at + 1..].iter().take_while(|i| smooth(i) >= bar).count()
        };
        let Some((at, by)) = (0..self.speaking).map(|at| (at, louder(at))).find(|&(_, by)| by > 0) else {
            return false;
        };
        self.ranking[at..=at + by].rotate_left(1);
        self.overtaken = now;
        true
    }

    fn set_speaks(&mut self, index: u16, speaks: bool) {
        let Some(v) = self.voices.get_mut(usize::from(index)).and_then(Option::as_mut) else { return };
        v.speaks = speaks;
        if !v.pending {
            v.pending = true;
            self.edges.push(index);
        }
    }

    fn voice(&mut self, id: VoiceId) -> Option<&mut Voice<K>> {
        let v = self.voices.get_mut(usize::from(id.index))?.as_mut()?;
        (v.generation == id.generation).then_some(v)
    }

    fn at(&self, index: u16) -> Option<&Voice<K>> {
        self.voices.get(usize::from(index))?.as_ref()
    }
}

impl<K> Voice<K> {
    /// Whether a packet of this level goes out at all.
    fn passes(&mut self, now: Time, level: u8) -> bool {
        if level < 127 {
            self.silent = None;
            return true;
        }
        let (since, count) = self.silent.get_or_insert((now, 0));
        *count = count.saturating_add(1);
        *count <= SILENT_PACKETS && now.since(*since) <= SILENT_FOR
    }

    /// Takes the volume of a packet; whether the voice begins to speak with it. `unknown`: a sound whose volume cannot
    /// be told; it is heard, behind all others.
    fn hear(&mut self, now: Time, volume: u8, unknown: bool) -> bool {
        if !unknown {
            self.noise.push(now, volume);
        }
        let noise = self.noise.usual();
        let above = volume.saturating_sub(noise);
        if self.speaks {
            // Between words there is noise: who speaks from the first packet on would never learn it otherwise.
            if u16::from(volume + PAUSE) * 16 < self.smooth {
                self.noise.quiet(volume);
            }
            self.smooth = self.smooth - self.smooth / 8 + u16::from(volume) * 2;
            // A single packet may be a peak of the noise; on the average speech is louder.
            let stays = self.smooth >= u16::from(noise + STAY) * 16;
            if above >= STAY && stays && volume >= INAUDIBLE || unknown {
                self.loud = Some(now);
            }
            return false;
        }
        if !unknown && (above < RISE || volume < INAUDIBLE) {
            self.noise.quiet(volume);
            return false;
        }
        let second = self.rising.replace(now).is_some_and(|t| now.since(t) <= RISE_WITHIN);
        let begins = second || above >= RISE_AT_ONCE;
        if begins {
            (self.loud, self.rising, self.smooth) = (Some(now), None, u16::from(volume) * 16);
        }
        begins
    }
}

impl<K: Copy> Default for Audible<K> {
    fn default() -> Self {
        Self::new()
    }
}

struct Ranking<'a, K> {
    voices: &'a [Option<Voice<K>>],
    rest: core::slice::Iter<'a, u16>,
}

impl<K: Copy> Iterator for Ranking<'_, K> {
    type Item = K;

    fn next(&mut self) -> Option<K> {
        let &index = self.rest.next()?;
        Some(self.voices.get(usize::from(index))?.as_ref()?.key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl<K: Copy> ExactSizeIterator for Ranking<'_, K> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn ms(v: u64) -> Time {
        Time::from_millis(v)
    }

    const TALK: Option<u8> = Some(27);
    const NOISE: Option<u8> = Some(92);

    struct Room {
        audible: Audible<usize>,
        ids: Vec<VoiceId>,
    }

    impl Room {
        fn new(n: usize) -> Self {
            let mut audible = Audible::new();
            let ids = (0..n).map(|k| audible.add(k).unwrap()).collect();
            let mut room = Self { audible, ids };
            for t in (0..1000).step_by(20) {
                room.tick(t, &[]);
            }
            room
        }

        /// One packet of each voice at `t`: talk of those named, noise of the others.
        fn tick(&mut self, t: u64, talk: &[usize]) {
            self.audible.handle_timeout(ms(t));
            for (k, &id) in self.ids.iter().enumerate() {
                let level = if talk.contains(&k) { TALK } else { NOISE };
                self.audible.push(ms(t), id, level, 80);
            }
        }

        fn first(&self, n: usize) -> Vec<usize> {
            self.audible.ranking().take(n).collect()
        }
    }

    // Six speakers in turn, three slots: median loss at the start of a turn ≤ 60 ms.
    #[test]
    fn six_speakers_in_turn_are_heard_from_their_first_packets() {
        let mut room = Room::new(6);
        let (mut t, mut lost) = (1000, Vec::new());
        for turn in 0..60usize {
            let who = [0, 1, 2, 3, 4, 5, 3, 1, 5, 0, 2, 4][turn % 12];
            let mut missed = 0;
            for _ in 0..100 {
                room.tick(t, &[who]);
                // A packet is heard if its voice is among the first three when it is forwarded.
                if !room.first(3).contains(&who) {
                    missed += 20;
                }
                t += 20;
            }
            lost.push(missed);
            for _ in 0..15 {
                room.tick(t, &[]);
                t += 20;
            }
        }
        lost.sort_unstable();
        std::println!("lost at the start of a turn, ms: {lost:?}");
        assert!(lost[30] <= 20 && lost[59] <= 60);
    }

    #[test]
    fn the_longest_silent_place_is_taken() {
        let mut room = Room::new(5);
        let mut t = 1000;
        for who in [0, 1, 2] {
            for _ in 0..50 {
                room.tick(t, &[who]);
                t += 20;
            }
        }
        assert_eq!(room.first(3), [2, 1, 0]);
        for _ in 0..50 {
            room.tick(t, &[4]);
            t += 20;
        }
        assert_eq!(room.first(3), [4, 2, 1]);
    }

    /// A microphone without DTX: its noise swings from packet to packet, and is no speech.
    #[test]
    fn noise_that_swings_takes_and_keeps_nobodys_place() {
        for (swing, percent) in [(0u64, 99), (2, 99), (3, 99), (4, 99), (6, 95), (8, 75)] {
            let mut audible = Audible::new();
            let voices: Vec<_> = (0..30u32).map(|n| audible.add(n).unwrap()).collect();
            let mut dice = crate::prng::Prng::new([swing as u8; 32]);
            let (mut heard, mut spoken) = (0, 0);
            // Three talk at a time, for four seconds; then the next three.
            for tick in 0..(40 * 50u64) {
                let now = Time::from_millis(tick * 20);
                let talks = |n: u64| n / 3 == tick / 200 % 10;
                for n in 0..30u64 {
                    let noise = 72 + swing - dice.next() % (2 * swing + 1);
                    let level = if talks(n) { 27 } else { noise as u8 };
                    audible.push(now, voices[n as usize], Some(level), 80);
                }
                audible.handle_timeout(now);
                let first: Vec<u32> = audible.ranking().take(3).collect();
                // All three places change hands at once: those who spoke before keep them for as long as a pause between words lasts.
                if tick >= 200 && tick % 200 >= 40 {
                    spoken += 3;
                    heard += first.iter().filter(|&&n| talks(u64::from(n))).count();
                }
            }
            assert!(heard * 100 >= spoken * percent, "±{swing} dB: {heard} of {spoken}");
        }
    }

    #[test]
    fn who_speaks_keeps_its_place_while_others_join_in() {
        let mut room = Room::new(6);
        let mut t = 1000;
        for talk in [&[0][..], &[0, 1], &[0, 1, 2], &[0, 1, 2, 3], &[0, 1, 2, 3, 4]] {
            for _ in 0..50 {
                room.tick(t, talk);
                t += 20;
            }
        }
        assert_eq!(room.first(3), [0, 1, 2]);
        // And the fourth is heard as soon as one of them is silent.
        for _ in 0..30 {
            room.tick(t, &[0, 2, 3, 4]);
            t += 20;
        }
        assert_eq!(room.first(3), [0, 2, 3]);
    }

    #[test]
    fn a_click_takes_nobodys_place_and_quiet_speech_does() {
        let mut room = Room::new(4);
        let before = room.first(4);
        room.audible.push(ms(1000), room.ids[3], Some(80), 80);
        room.tick(1020, &[]);
        room.tick(1400, &[]);
        assert_eq!(room.first(4), before);
        assert!(!room.audible.push(ms(1500), room.ids[3], Some(80), 80).changed);
        assert!(room.audible.push(ms(1520), room.ids[3], Some(78), 80).changed);
        assert_eq!(room.first(1), [3]);
    }

    // LK#159: activity counted in packets; a muted sender with DTX "talked" for seconds.
    #[test]
    fn bug_61_who_sends_nothing_more_ceases_to_speak_by_time() {
        let mut a = Audible::new();
        let id = a.add('a').unwrap();
        for t in (0..1000).step_by(20) {
            a.push(ms(t), id, Some(if t < 500 { 92 } else { 27 }), 80);
        }
        assert_eq!(a.poll_speaking(), Some(('a', true)));
        while let Some(due) = a.next_due() {
            a.handle_timeout(due);
            assert!(due < ms(1600));
        }
        assert_eq!(a.poll_speaking(), Some(('a', false)));
        assert_eq!(a.poll_speaking(), None);
        // DTX packets of silence, one per 400 ms, wake nobody.
        for t in (2000..5000).step_by(400) {
            assert!(!a.push(ms(t), id, Some(127), 3).changed);
        }
        assert_eq!(a.poll_speaking(), None);
    }

    // MS#655: the level was not inverted, so that silence spoke. (0 is the loudest, 127 silence: RFC 6464 §3.)
    #[test]
    fn bug_62_silence_is_the_highest_level() {
        let mut a = Audible::new();
        let (quiet, loud) = (a.add('q').unwrap(), a.add('l').unwrap());
        for t in (0..200).step_by(20) {
            a.push(ms(t), quiet, Some(127), 80);
            a.push(ms(t), loud, Some(20), 80);
        }
        assert_eq!(a.ranking().next(), Some('l'));
        assert!(!a.speaks(quiet) && a.speaks(loud));
    }

    // MS#655 too: packets of 100 ms.
    #[test]
    fn bug_62_long_packets_speak_without_pause() {
        let mut a = Audible::new();
        let id = a.add('a').unwrap();
        let mut edges = 0;
        for t in (0..5000).step_by(100) {
            a.handle_timeout(ms(t));
            a.push(ms(t), id, Some(if t < 500 { 92 } else { 27 }), 80);
            while a.poll_speaking().is_some() {
                edges += 1;
            }
        }
        assert_eq!(edges, 1);
    }

    // JVB#2055: the filter, switched off, dropped all audio; here: who ranks last still passes, and silence does not.
    #[test]
    fn bug_63_only_silence_is_dropped() {
        let mut room = Room::new(10);
        assert!(room.audible.push(ms(2000), room.ids[9], Some(126), 5).pass);
        let passed =
            (0..100).filter(|i| room.audible.push(ms(2020 + 20 * i), room.ids[9], Some(127), 3).pass).count();
        assert_eq!(passed, 3);
        // By DTX: the first only.
        room.audible.push(ms(5000), room.ids[9], Some(60), 80);
        let passed =
            (0..25).filter(|i| room.audible.push(ms(5400 + 400 * i), room.ids[9], Some(127), 3).pass).count();
        assert_eq!(passed, 1);
        assert!(room.audible.push(ms(20_000), room.ids[9], Some(60), 80).pass);
    }

    #[test]
    fn a_muted_voice_ceases_at_once_and_passes_nothing() {
        let mut room = Room::new(4);
        for t in (1000..1500).step_by(20) {
            room.tick(t, &[3]);
        }
        assert!(room.audible.speaks(room.ids[3]));
        room.audible.set_muted(ms(1500), room.ids[3], true);
        assert!(!room.audible.speaks(room.ids[3]));
        let heard = room.audible.push(ms(1520), room.ids[3], Some(10), 80);
        assert_eq!(heard, Heard { level: 127, pass: false, changed: false });
    }

    #[test]
    fn a_publisher_without_levels_is_heard() {
        // Variable bitrate: speech is larger than silence. Constant: it is always there. DTX: it comes after a gap.
        for (name, silence, speech) in [("vbr", 25, 90), ("cbr", 80, 80), ("dtx", 2, 70)] {
            let mut room = Room::new(5);
            let id = room.audible.add(5).unwrap();
            let mut t = 1000;
            let mut run = |room: &mut Room, speaks: bool, talk: &[usize]| {
                if speaks || silence > 3 || t % 400 == 0 {
                    room.audible.push(ms(t), id, None, if speaks { speech } else { silence });
                }
                room.tick(t, talk);
                t += 20;
            };
            // It speaks, and is silent, and others speak one after the other.
            (0..50).for_each(|_| run(&mut room, true, &[]));
            (0..100).for_each(|_| run(&mut room, false, &[]));
            assert_eq!(room.audible.speaks(id), name == "cbr", "{name}");
            for k in 0..3 {
                (0..50).for_each(|_| run(&mut room, false, &[k]));
            }
            // Where nobody can tell whether it speaks, it stays beside who speaks.
            assert_eq!(room.first(3).contains(&5), name == "cbr", "{name}");
            (0..3).for_each(|_| run(&mut room, true, &[]));
            assert!(room.first(3).contains(&5), "{name}");
            // Others, who have levels, are heard beside it; before it, where nobody can tell.
            (0..100).for_each(|_| run(&mut room, true, &[0, 1, 2]));
            let others = room.first(3).iter().filter(|k| **k < 3).count();
            assert_eq!(others, if name == "cbr" { 3 } else { 2 }, "{name}");
        }
    }

    #[test]
    fn with_too_many_speakers_the_loudest_come_forward() {
        let mut room = Room::new(4);
        let levels = [50, 50, 50, 44];
        for t in (1000..6000).step_by(20) {
            room.audible.handle_timeout(ms(t));
            for (id, level) in room.ids.iter().zip(levels) {
                room.audible.push(ms(t), *id, Some(level), 80);
            }
        }
        assert!(room.first(3).contains(&3));
    }

    #[test]
    fn stale_ids_are_nobodys() {
        let mut a = Audible::new();
        let first = a.add(1).unwrap();
        assert!(a.remove(first));
        let second = a.add(2).unwrap();
        assert_eq!((a.key(first), a.key(second)), (None, Some(2)));
        assert!(!a.push(ms(0), first, TALK, 80).pass);
        assert!(!a.remove(first));
        for k in 1..VOICES_PER_ROOM {
            a.add(k).unwrap();
        }
        assert_eq!(a.add(0), None);
    }

    proptest! {
        #[test]
        fn the_ranking_holds_everybody_once_and_who_speaks_first(
            steps in prop::collection::vec((0u8..12, 0usize..8, 0u64..300, any::<u8>()), 0..300),
        ) {
            let (mut a, mut ids, mut now, mut next) = (Audible::new(), Vec::new(), 0u64, 0usize);
            let mut told = std::collections::BTreeMap::new();
            for (what, who, wait, level) in steps {
                now += wait;
                let before: Vec<_> = a.ranking().collect();
                let who = ids.get(who % ids.len().max(1)).copied();
                let changed = match (what, who) {
                    (0 | 1, _) | (_, None) => { ids.push(a.add(next).unwrap()); next += 1; true }
                    (2, Some(id)) => { ids.retain(|i| *i != id); a.remove(id) }
                    (3, Some(id)) => a.set_muted(ms(now), id, level > 127),
                    (4, _) => a.handle_timeout(ms(now)),
                    (5, Some(id)) => a.push(ms(now), id, None, usize::from(level)).changed,
                    (_, Some(id)) => a.push(ms(now), id, Some(level), 80).changed,
                };
                let after: Vec<_> = a.ranking().collect();
                prop_assert!(changed || before == after);
                let mut keys: Vec<_> = ids.iter().filter_map(|&i| a.key(i)).collect();
                keys.sort_unstable();
                let mut ranked = after.clone();
                ranked.sort_unstable();
                prop_assert_eq!(keys, ranked);
                for (at, &index) in a.ranking.iter().enumerate() {
                    prop_assert_eq!(a.at(index).unwrap().speaks, at < a.speaking);
                }
                let silent: Vec<_> = a.ranking[a.speaking..].iter().map(|&i| a.at(i).unwrap().loud).collect();
                prop_assert!(silent.windows(2).all(|w| w[0] >= w[1]));
                prop_assert_eq!(a.next_due().is_some(), a.speaking > 0 || a.next_due().is_some());
                while let Some((key, speaks)) = a.poll_speaking() {
                    prop_assert!(told.insert(key, speaks) != Some(speaks));
                }
            }
        }
    }
}
