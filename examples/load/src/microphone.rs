//! A microphone: Opus, 50 packets a second, each with its level.

use crate::Tag;
use crate::piece::Piece;
use salon_sim::Rng;
use std::time::{Duration, Instant};
use str0m::rtp::Ssrc;

/// 20 ms of sound in each packet, at 48,000 ticks a second (RFC 7587 §4.1).
const FRAME: Duration = Duration::from_millis(20);
const TICKS: u32 = 960;
/// Bytes of a packet with speech, 32 kbit/s, and without.
const SPEECH_BYTES: usize = 80;
const SILENCE_BYTES: usize = 40;
/// With DTX, Opus goes on for so many frames before it calls it silence (200 ms), and then speaks up so often (400 ms).
const HANGOVER: u32 = 10;
const DTX_EVERY: u32 = 20;
/// Levels of speech in −dBov (RFC 6464 §3): from vowels to what is between them.
const LOUD: (u64, u64) = (21, 33);
/// No sound at all, in −dBov.
const NOTHING: u64 = 127;

/// What a microphone sends while nobody talks into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Silence {
    /// A packet each 400 ms instead of fifty a second (DTX).
    pub sparse: bool,
    /// Its mean level in −dBov (0 to 127).
    pub level: u8,
    /// How far a packet's level is from the mean at most, in dB.
    pub swing: u8,
}

impl Silence {
    fn range(self) -> (u64, u64) {
        let (level, swing) = (u64::from(self.level), u64::from(self.swing));
        (level.saturating_sub(swing), level + swing)
    }
}

impl Default for Silence {
    /// A quiet room, always sent.
    fn default() -> Self {
        Self { sparse: false, level: 72, swing: 2 }
    }
}

/// The sound of one person.
#[derive(Debug)]
pub(crate) struct Microphone {
    /// Its stream.
    pub(crate) ssrc: Ssrc,
    person: u32,
    run: u32,
    silence: Silence,
    rng: Rng,
    next: Instant,
    seq: u64,
    timestamp: u32,
    packet: u32,
    /// Frames since somebody talked.
    silent: u32,
    /// Frames since somebody began to.
    turn: u16,
}

/// Fullband, 20 ms, one channel: configuration 31; any number of frames (code 3): one, and padding (RFC 6716 §3.1, §3.2.5).
const HEAD: [u8; 2] = [31 << 3 | 3, 1 << 6 | 1];
/// The frame: silence, as libopus encodes it. What a listener would hear is nothing; levels alone say that somebody talks.
const SILENT: [u8; 2] = [0xff, 0xfe];

impl Microphone {
    /// Where a payload's padding begins: behind the head, its own length (one byte, up to 254) and the frame.
    pub(crate) const PADDING: usize = HEAD.len() + 1 + SILENT.len();

    /// Whose it is, in which run; the first packet is due at `start`.
    pub(crate) fn new(ssrc: Ssrc, run: u32, person: u32, silence: Silence, start: Instant) -> Self {
        let mut rng = Rng::new(u64::from(run) << 32 | u64::from(person));
        // In the lower half, so that the receiver needs no roll-over counter to begin with (RFC 3711 §3.3.1).
        let seq = rng.below(1 << 15);
        let timestamp = rng.next_u64() as u32;
        Self {
            ssrc,
            person,
            run,
            silence,
            rng,
            next: start,
            seq,
            timestamp,
            packet: 0,
            silent: HANGOVER,
            turn: 0,
        }
    }

    /// When the next packet is due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// What is due at `next()`; nothing in the silence between two packets of DTX. `sent` is for the tag.
    pub(crate) fn packet<'a>(
        &mut self,
        talks: bool,
        sent: u64,
        scratch: &'a mut Vec<u8>,
    ) -> Option<Piece<'a>> {
        self.next += FRAME;
        self.timestamp = self.timestamp.wrapping_add(TICKS);
        self.turn = if talks && self.silent == 0 { self.turn.saturating_add(1) } else { 0 };
        let onset = talks && self.silent >= HANGOVER;
        self.silent = if talks { 0 } else { self.silent.saturating_add(1) };
        let asleep = self.silence.sparse && self.silent > HANGOVER;
        if asleep && !(self.silent - HANGOVER - 1).is_multiple_of(DTX_EVERY) {
            return None;
        }
        let tag = Tag {
            run: self.run,
            person: self.person,
            encoding: 0,
            voice: talks,
            turn: self.turn,
            key: false,
            back: 0,
            frame: self.packet,
            packets: 1,
            sent,
        };
        let bytes = if talks { SPEECH_BYTES } else { SILENCE_BYTES };
        scratch.clear();
        scratch.extend(HEAD);
        scratch.push((bytes - Self::PADDING) as u8);
        scratch.extend(SILENT);
        scratch.extend(tag.write());
        scratch.resize(bytes, 0);
        let (low, high) = if talks { LOUD } else { self.silence.range() };
        let level = self.rng.between(low, high).min(NOTHING) as u8;
        self.packet += 1;
        self.seq += 1;
        Some(Piece {
            ssrc: self.ssrc,
            seq: self.seq,
            timestamp: self.timestamp,
            marker: onset,
            level: Some((level, talks)),
            payload: scratch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_packets_a_second_that_say_who_talks() {
        let start = Instant::now();
        let mut microphone = Microphone::new(7.into(), 1, 2, Silence::default(), start);
        let mut scratch = Vec::new();
        let mut before: Option<(u64, u32)> = None;
        for frame in 0..100_u32 {
            let talks = frame >= 50;
            let piece = microphone.packet(talks, u64::from(frame), &mut scratch).unwrap();
            let tag = Tag::of_opus(piece.payload).unwrap();
            assert_eq!((tag.person, tag.frame, tag.voice, tag.sent), (2, frame, talks, u64::from(frame)));
            assert_eq!(u32::from(tag.turn), frame.saturating_sub(50));
            let (level, voice) = piece.level.unwrap();
            assert!(
                voice == talks && if talks { (21..=33).contains(&level) } else { (70..=74).contains(&level) }
            );
            assert_eq!(piece.marker, frame == 50);
            if let Some((seq, timestamp)) = before {
                assert_eq!((piece.seq, piece.timestamp), (seq + 1, timestamp.wrapping_add(960)));
            }
            before = Some((piece.seq, piece.timestamp));
        }
        assert_eq!(microphone.next() - start, Duration::from_secs(2));
    }

    #[test]
    fn with_dtx_silence_is_a_packet_each_400_ms() {
        let silence = Silence { sparse: true, ..Silence::default() };
        let mut microphone = Microphone::new(7.into(), 1, 2, silence, Instant::now());
        let mut scratch = Vec::new();
        let speech = (0..50).filter(|_| microphone.packet(true, 0, &mut scratch).is_some()).count();
        let silence = (0..500).filter(|_| microphone.packet(false, 0, &mut scratch).is_some()).count();
        // Ten packets of hangover, then 490 frames of silence.
        assert_eq!((speech, silence), (50, 10 + 25));
    }
}
