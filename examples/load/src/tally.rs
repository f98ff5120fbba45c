//! What is counted over all clients together.

use crate::{Histogram, Tag};
use std::time::{Duration, Instant};
use str0m::media::MediaKind;

/// Counters of one run. Those with a time count what was sent in the measured time.
#[derive(Debug)]
pub(crate) struct Tally {
    start: Instant,
    from: Option<u64>,
    until: Option<u64>,
    pub(crate) delay_sound: Histogram,
    pub(crate) delay_picture: Histogram,
    /// How much of the beginning of a turn of speech did not come, for each turn and listener of whom anything came.
    pub(crate) cut: Histogram,
    /// How much later than it was due a source's packet or frame left us.
    pub(crate) lateness: Histogram,
    /// Packets of speech sent, by room.
    pub(crate) speech: Vec<u64>,
    /// Datagrams that our own kernel refused, and why the last one.
    pub(crate) refused: u64,
    pub(crate) refusal: Option<String>,
    /// Media packets without a tag of this run.
    pub(crate) strange: u64,
    /// Media packets sent, and datagrams of all kinds received, until the measured time ended.
    pub(crate) sent: u64,
    pub(crate) datagrams: u64,
}

impl Tally {
    pub(crate) fn new(start: Instant, rooms: usize) -> Self {
        Self {
            start,
            from: None,
            until: None,
            delay_sound: Histogram::default(),
            delay_picture: Histogram::default(),
            cut: Histogram::default(),
            lateness: Histogram::default(),
            speech: vec![0; rooms],
            refused: 0,
            refusal: None,
            strange: 0,
            sent: 0,
            datagrams: 0,
        }
    }

    /// When the run began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// Microseconds since the run began.
    pub(crate) fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }

    /// The measured time begins.
    pub(crate) fn restart(&mut self, now: Instant) {
        let (rooms, start) = (self.speech.len(), self.start);
        *self = Self { from: Some(self.micros(now)), ..Self::new(start, rooms) };
    }

    /// The measured time ends.
    pub(crate) fn close(&mut self, now: Instant) {
        self.until = Some(self.micros(now));
    }

    /// A media packet is sent.
    pub(crate) fn sends(&mut self) {
        self.sent += u64::from(self.until.is_none());
    }

    /// A datagram came.
    pub(crate) fn comes(&mut self) {
        self.datagrams += u64::from(self.until.is_none());
    }

    /// Whether a moment lies in the measured time.
    pub(crate) fn counts(&self, micros: u64) -> bool {
        self.from.is_some_and(|from| micros >= from) && self.until.is_none_or(|until| micros < until)
    }

    /// A packet came: whether it was sent in the measured time.
    pub(crate) fn arrived(&mut self, tag: &Tag, kind: MediaKind, at: Instant) -> bool {
        let counts = self.counts(tag.sent);
        if counts {
            let delay = Duration::from_micros(self.micros(at).saturating_sub(tag.sent));
            match kind {
                MediaKind::Audio => self.delay_sound.record(delay),
                MediaKind::Video => self.delay_picture.record(delay),
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_in_the_measured_time_has_a_delay() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut tally = Tally::new(start, 1);
        let arrives = |tally: &mut Tally, sent: u64, came: u64| {
            let tag = Tag {
                run: 1,
                person: 1,
                encoding: 0,
                voice: true,
                turn: 0,
                key: false,
                back: 0,
                frame: 0,
                packets: 1,
                sent: sent * 1_000,
            };
            tally.arrived(&tag, MediaKind::Audio, at(came))
        };
        assert!(!arrives(&mut tally, 50, 51));
        tally.restart(at(100));
        assert!(!arrives(&mut tally, 90, 101));
        assert!(arrives(&mut tally, 110, 113));
        tally.close(at(200));
        assert!(arrives(&mut tally, 190, 205));
        assert!(!arrives(&mut tally, 201, 206));
        assert_eq!((tally.delay_sound.len(), tally.delay_sound.worst()), (2, Duration::from_millis(15)));
        assert!(tally.delay_picture.is_empty());
    }
}
