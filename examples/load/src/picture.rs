//! What one tile shows: whole frames, those that can be decoded, and for how long nothing moves.

use crate::Tag;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A picture that does not change for so long stands still.
const STILL: Duration = Duration::from_secs(1);
/// Frames of which packets are still awaited; one more gives up the oldest.
const PENDING: usize = 32;
/// Frames of which only packets without a tag came; one more, and the oldest is none of ours.
const BARE: usize = 8;
/// A missing frame may still be repaired for so long before a key frame is asked for, as browsers wait.
const PATIENCE: Duration = Duration::from_millis(200);
/// A key frame is asked for no more often than this.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// One tile.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    /// The person and the encoding that come now.
    stream: Option<(u32, u8)>,
    pending: Vec<Pending>,
    /// Packets without a tag whose frame is not known yet: the frame's timestamp, and how many.
    bare: VecDeque<(u32, u16)>,
    /// The newest frame that was shown, and whether each of the 64 up to it was, from the lowest bit on.
    shown: Option<(u32, u64)>,
    /// Since when whole frames have come that cannot be decoded.
    stuck: Option<Instant>,
    asked: Option<Instant>,
    /// Since when the picture has been the same; absent while there is nothing to show.
    since: Option<Instant>,
    closed: bool,
    pub(crate) counts: PictureCounts,
}

/// What a tile has shown since it was last asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PictureCounts {
    /// Frames that came whole and could be decoded.
    pub(crate) frames: u64,
    /// Key frames among them.
    pub(crate) keys: u64,
    /// Frames of which only a part came, or that refer to one that did not come.
    pub(crate) broken: u64,
    /// How often the picture stood still for more than a second, and the longest of them.
    pub(crate) stills: u64,
    pub(crate) longest: Duration,
    /// Changes of the person or the encoding that is shown.
    pub(crate) switches: u64,
    /// Key frames asked for.
    pub(crate) asked: u64,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    frame: u32,
    timestamp: u32,
    came: u16,
    packets: u16,
    back: u8,
    key: bool,
}

/// What a packet did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// A frame is shown.
    Frame,
    /// A key frame is needed.
    Lost,
    /// Nothing that can be seen.
    Nothing,
    /// Packets that nobody of this run sent, so many.
    Strange(u16),
}

impl Picture {
    /// A packet of the frame with this timestamp came; one that is all picture has no tag.
    pub(crate) fn packet(&mut self, tag: Option<&Tag>, timestamp: u32, now: Instant) -> Seen {
        let before = self.counts;
        let seen = match tag {
            Some(tag) => self.take(tag, timestamp, now),
            None => self.take_bare(timestamp, now),
        };
        if self.closed {
            self.counts = before;
        }
        seen
    }

    fn take(&mut self, tag: &Tag, timestamp: u32, now: Instant) -> Seen {
        let stream = (tag.person, tag.encoding);
        if self.stream != Some(stream) {
            // What was awaited of the one before does not count: it was given up with it.
            self.counts.switches += u64::from(self.stream.is_some());
            (self.stream, self.shown) = (Some(stream), None);
            self.pending.clear();
        }
        match self.place(tag, timestamp) {
            Some(at) => self.another(at, now),
            None => Seen::Nothing,
        }
    }

    fn take_bare(&mut self, timestamp: u32, now: Instant) -> Seen {
        if let Some(at) = self.pending.iter().position(|p| p.timestamp == timestamp) {
            return self.another(at, now);
        }
        match self.bare.iter_mut().find(|(of, _)| *of == timestamp) {
            Some((_, n)) => *n += 1,
            None => self.bare.push_back((timestamp, 1)),
        }
        if self.bare.len() <= BARE {
            return Seen::Nothing;
        }
        // A real camera's picture: whether it moves cannot be judged here.
        self.since = None;
        self.bare.pop_front().map_or(Seen::Nothing, |(_, n)| Seen::Strange(n))
    }

    /// One more packet of a pending frame.
    fn another(&mut self, at: usize, now: Instant) -> Seen {
        let Some(pending) = self.pending.get_mut(at) else { return Seen::Nothing };
        pending.came += 1;
        if pending.came < pending.packets {
            return Seen::Nothing;
        }
        if self.show_what_can_be() {
            self.moves(now);
            return Seen::Frame;
        }
        if self.is_lost(now) { Seen::Lost } else { Seen::Nothing }
    }

    /// Whether only a key frame helps: at the beginning, or where repair has not come in time.
    fn is_lost(&mut self, now: Instant) -> bool {
        let stuck = *self.stuck.get_or_insert(now);
        let since = |then: Instant| now.saturating_duration_since(then);
        let patient = self.shown.is_some() || self.pending.iter().any(|p| p.came < p.packets);
        if patient && since(stuck) < PATIENCE || self.asked.is_some_and(|asked| since(asked) < ASK_EVERY) {
            return false;
        }
        self.asked = Some(now);
        self.counts.asked += 1;
        true
    }

    /// Whom it shows.
    pub(crate) fn person(&self) -> Option<u32> {
        self.stream.map(|(person, _)| person)
    }

    /// There is something to show from now on, or there is not.
    pub(crate) fn filled(&mut self, filled: bool, now: Instant) {
        if !filled {
            if !self.closed {
                self.still(now);
            }
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(now);
        }
    }

    /// Counts anew from now on.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.closed = false;
        self.counts = PictureCounts::default();
        self.since = self.since.map(|_| now);
    }

    /// Ends the count: what stands still now has done so up to now.
    pub(crate) fn close(&mut self, now: Instant) {
        self.still(now);
        self.closed = true;
    }

    fn moves(&mut self, now: Instant) {
        self.stuck = None;
        self.still(now);
        self.since = Some(now);
    }

    fn still(&mut self, now: Instant) {
        let Some(since) = self.since else { return };
        let still = now.saturating_duration_since(since);
        if still > STILL {
            self.counts.stills += 1;
            self.counts.longest = self.counts.longest.max(still);
        }
    }

    /// Where the frame is kept; none for one that is too old.
    fn place(&mut self, tag: &Tag, timestamp: u32) -> Option<usize> {
        if let Some(at) = self.pending.iter().position(|p| p.frame == tag.frame) {
            return Some(at);
        }
        if self.shown.is_some_and(|(newest, _)| tag.frame <= newest) {
            return None;
        }
        if self.pending.len() >= PENDING {
            self.pending.remove(0);
            self.counts.broken += 1;
        }
        let bare = self.bare.iter().position(|(of, _)| *of == timestamp);
        let came = bare.and_then(|at| self.bare.remove(at)).map_or(0, |(_, n)| n);
        let Tag { frame, packets, back, key, .. } = *tag;
        let fresh = Pending { frame, timestamp, came, packets: packets.max(1), back, key };
        let at = self.pending.partition_point(|p| p.frame < tag.frame);
        self.pending.insert(at, fresh);
        Some(at)
    }

    /// Shows all whole frames that can be decoded, in order; what is passed over is broken.
    fn show_what_can_be(&mut self) -> bool {
        let mut any = false;
        while let Some(at) = self.pending.iter().position(|p| p.came >= p.packets && self.decodes(p)) {
            self.counts.broken += at as u64;
            let Some(frame) = self.pending.drain(..=at).next_back() else { break };
            let bits = match self.shown {
                Some((newest, bits)) if !frame.key => bits.checked_shl(frame.frame - newest).unwrap_or(0),
                _ => 0,
            };
            self.shown = Some((frame.frame, bits | 1));
            self.counts.frames += 1;
            self.counts.keys += u64::from(frame.key);
            any = true;
        }
        any
    }

    fn decodes(&self, frame: &Pending) -> bool {
        let Some((newest, bits)) = self.shown else { return frame.key };
        let of = frame.frame.wrapping_sub(u32::from(frame.back));
        frame.key || newest.checked_sub(of).is_some_and(|ago| bits.checked_shr(ago).unwrap_or(0) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u8 = 0;

    fn packet(p: &mut Picture, now: Instant, (person, frame, back, packets): (u32, u32, u8, u16)) -> Seen {
        let (run, encoding, voice, turn, sent) = (1, 0, false, 0, 0);
        let tag = Tag { run, person, encoding, voice, turn, key: back == KEY, back, frame, packets, sent };
        p.packet(Some(&tag), 3_000 * frame, now)
    }

    #[test]
    fn packets_that_are_all_picture_count_for_the_frame_whose_timestamp_they_have() {
        let (mut p, now) = (Picture::default(), Instant::now());
        assert_eq!(p.packet(None, 30_000, now), Seen::Nothing);
        assert_eq!(packet(&mut p, now, (1, 10, KEY, 3)), Seen::Nothing);
        assert_eq!(p.packet(None, 30_000, now), Seen::Frame);
        // Those of another camera are in no frame of ours.
        let strange: Vec<Seen> = (0..10).map(|n| p.packet(None, 40_000 + n, now)).collect();
        assert_eq!(strange.iter().filter(|s| **s == Seen::Strange(1)).count(), 2);
        p.close(now + Duration::from_secs(9));
        assert_eq!((p.counts.frames, p.counts.stills), (1, 0));
    }

    #[test]
    fn a_frame_shows_when_it_is_whole_and_what_it_refers_to_was_shown() {
        let (mut p, now) = (Picture::default(), Instant::now());
        assert_eq!(packet(&mut p, now, (1, 10, KEY, 2)), Seen::Nothing);
        assert_eq!(packet(&mut p, now, (1, 10, KEY, 2)), Seen::Frame);
        // Frames 11 and 13 are left out on the way; nothing refers to them.
        assert_eq!(packet(&mut p, now, (1, 12, 2, 1)), Seen::Frame);
        assert_eq!(packet(&mut p, now, (1, 14, 4, 1)), Seen::Frame);
        assert_eq!((p.counts.frames, p.counts.keys, p.counts.broken), (3, 1, 0));
    }

    #[test]
    fn a_frame_waits_for_the_one_it_refers_to() {
        let (mut p, now) = (Picture::default(), Instant::now());
        packet(&mut p, now, (1, 10, KEY, 1));
        assert_eq!(packet(&mut p, now, (1, 12, 2, 2)), Seen::Nothing);
        assert_eq!(packet(&mut p, now, (1, 14, 2, 1)), Seen::Nothing);
        assert_eq!(packet(&mut p, now, (1, 12, 2, 2)), Seen::Frame);
        assert_eq!((p.counts.frames, p.counts.broken), (3, 0));
    }

    #[test]
    fn where_a_frame_is_missing_a_key_frame_is_asked_for_once_a_second() {
        let (mut p, now) = (Picture::default(), Instant::now());
        assert_eq!(packet(&mut p, now, (1, 9, 1, 1)), Seen::Lost);
        assert_eq!(packet(&mut p, now, (1, 10, 1, 1)), Seen::Nothing);
        assert_eq!(packet(&mut p, now + ASK_EVERY, (1, 11, 1, 1)), Seen::Lost);
        assert_eq!(packet(&mut p, now + ASK_EVERY, (1, 12, KEY, 1)), Seen::Frame);
        assert_eq!((p.counts.frames, p.counts.broken, p.counts.asked), (1, 3, 2));
        // Once something is shown, repair is awaited first.
        let later = now + 3 * ASK_EVERY;
        assert_eq!(packet(&mut p, later, (1, 14, 1, 1)), Seen::Nothing);
        assert_eq!(packet(&mut p, later + PATIENCE, (1, 15, 1, 1)), Seen::Lost);
    }

    #[test]
    fn another_person_begins_with_a_key_frame() {
        let (mut p, now) = (Picture::default(), Instant::now());
        packet(&mut p, now, (1, 10, KEY, 1));
        packet(&mut p, now, (1, 11, 1, 2));
        assert_eq!(packet(&mut p, now, (2, 5, KEY, 1)), Seen::Frame);
        assert_eq!((p.counts.frames, p.counts.broken, p.counts.switches), (2, 0, 1));
    }

    #[test]
    fn more_than_a_second_without_a_frame_is_a_still_while_there_is_something_to_show() {
        let (mut p, start) = (Picture::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        p.filled(true, at(0));
        packet(&mut p, at(1_500), (1, 10, KEY, 1));
        packet(&mut p, at(2_400), (1, 11, 1, 1));
        assert_eq!((p.counts.stills, p.counts.longest), (1, Duration::from_millis(1_500)));
        p.filled(false, at(2_500));
        p.filled(true, at(9_000));
        packet(&mut p, at(9_900), (1, 12, 1, 1));
        assert_eq!(p.counts.stills, 1);
        // The count begins anew: what stood still before is not this one's.
        p.restart(at(20_000));
        assert_eq!(p.counts, PictureCounts::default());
        p.close(at(21_100));
        // Nor is what comes after it ended.
        packet(&mut p, at(30_000), (1, 13, 1, 1));
        assert_eq!(
            (p.counts.stills, p.counts.longest, p.counts.frames),
            (1, Duration::from_millis(1_100), 0)
        );
    }

    #[test]
    fn a_tile_that_never_shows_anything_stands_still_from_when_it_was_to() {
        let (mut p, start) = (Picture::default(), Instant::now());
        p.filled(true, start);
        p.close(start + Duration::from_secs(5));
        assert_eq!((p.counts.stills, p.counts.frames), (1, 0));
        let mut empty = Picture::default();
        empty.close(start + Duration::from_secs(5));
        assert_eq!(empty.counts.stills, 0);
    }
}
