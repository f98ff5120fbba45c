//! The slot's clock: RTP time = server clock × rate + constant, for life.
#![allow(clippy::unwrap_used)]

mod model;

use core::time::Duration;

use model::{CONSTANT, Shape, Slot, Source, sound, sound_slot, voice};
use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
use salon_simulcast::{Facts, Forwarder, Input, SkipReason, SourceId, Target};

const MS: Duration = Duration::from_millis(1);

/// How far a packet lies from where its moment of capture belongs on the slot's line, in microseconds.
fn off(slot: &Forwarder, rate: i64, out: RtpTime, captured: Time) -> i64 {
    i64::from(out.since(slot.clock(captured))) * 1_000_000 / rate
}

/// A small generator: tests must not depend on another crate's idea of randomness.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A publisher's device: its crystal runs `ppm` fast.
struct Device {
    slot: Forwarder,
    rate: i64,
    ppm: i64,
    seq: u64,
    start: u32,
    facts: Facts,
}

impl Device {
    fn new(kind: MediaKind, ppm: i64) -> Self {
        let (rate, codec) =
            if kind == MediaKind::Audio { (48_000, Codec::Opus) } else { (90_000, Codec::Vp8) };
        let mut slot = Forwarder::new(kind, rate, SeqNo(1), CONSTANT);
        slot.aim(Some(Target { source: SourceId(1), temporal: u8::MAX, codec }));
        let facts = Facts { key: true, frame_start: true, frame_end: true, ..Facts::UNKNOWN };
        Self { slot, rate: i64::from(rate), ppm, seq: 9, start: 0xffff_0000, facts }
    }

    /// A frame sampled at `true_time`; what the server takes for its moment of capture; how far off it went out.
    fn frame(&mut self, true_time: Time, believed: Time, arrived: Time) -> i64 {
        let ticks = i128::from(true_time.as_micros()) * i128::from(self.rate) / 1_000_000;
        let ticks = ticks + ticks * i128::from(self.ppm) / 1_000_000;
        self.seq += 1;
        let input = Input {
            source: SourceId(1),
            seq: SeqNo(self.seq),
            timestamp: RtpTime(self.start.wrapping_add(ticks as u32)),
            captured: believed,
            marker: self.rate == 90_000,
            facts: self.facts,
            arrived,
            newest: true,
            padding_only: false,
        };
        let out = self.slot.push(&input).unwrap();
        off(&self.slot, self.rate, out.timestamp, true_time)
    }
}

/// Sound and picture of one person lie within ± 20 ms of the source's, also after an hour, whatever their
/// crystals do, without a pause in the sound.
#[test]
fn after_an_hour_of_drift_sound_and_picture_still_agree() {
    for (sound_ppm, picture_ppm) in [(100, -100), (-100, 100), (0, 0)] {
        let mut noise = Noise(0x1234_5678_9abc_def1);
        let mut sound = Device::new(MediaKind::Audio, sound_ppm);
        let mut picture = Device::new(MediaKind::Video, picture_ppm);
        let (mut sound_off, mut worst, mut moves) = (0, 0, 0);
        for ms in (0..3_600_000u64).step_by(20) {
            let at = Time::from_millis(5_000 + ms);
            // Reports give the moment of capture to about a millisecond.
            let believed = at.plus(Duration::from_micros(noise.below(2_000))).minus(MS);
            let arrived = at.plus(MS * (20 + noise.below(30) as u32));
            let new = sound.frame(at, believed, arrived);
            moves += i32::from((new - sound_off).abs() > 1_000);
            sound_off = new;
            if ms % 40 == 0 {
                let picture_off = picture.frame(at, believed, arrived);
                worst = (picture_off - sound_off).abs().max(worst);
                assert!(picture_off.abs() <= 5_000, "picture off by {picture_off} µs at {ms} ms");
            }
            assert!(sound_off.abs() <= 20_000, "sound off by {sound_off} µs at {ms} ms");
        }
        assert!(worst <= 20_000, "sound and picture parted by {worst} µs");
        // 360 ms of drift in moves of 15 ms.
        assert!(moves <= 30, "{moves} audible moves in an hour");
        assert!(sound_ppm != 0 || moves == 0, "a perfect clock was moved");
    }
}

/// A publisher that sends no reports: its packets' arrival is all there is. Jitter must not become wobble.
#[test]
fn without_reports_the_least_delay_rules() {
    let mut noise = Noise(99);
    let mut sound = Device::new(MediaKind::Audio, 50);
    let mut moves = 0;
    let mut before = 0;
    for ms in (0..600_000u64).step_by(20) {
        let at = Time::from_millis(5_000 + ms);
        let arrived = at.plus(MS * (40 + noise.below(60) as u32));
        let new = sound.frame(at, arrived, arrived);
        moves += i32::from(ms > 5_000 && (new - before).abs() > 1_000);
        before = new;
        // 40 ms is the least delay, which arrival cannot tell from capture.
        assert!(ms < 5_000 || (new - 40_000).abs() <= 25_000, "off by {new} µs at {ms} ms");
    }
    assert!(moves <= 4, "{moves} moves in ten minutes");
}

/// The picture follows in steps that nobody sees.
#[test]
fn a_correction_is_a_slope_not_a_jump() {
    let mut picture = Device::new(MediaKind::Video, 0);
    let mut before = 0;
    let mut last = 0;
    for ms in (0..20_000u64).step_by(33) {
        let at = Time::from_millis(5_000 + ms);
        // The first report comes after five seconds and shows that all was 80 ms earlier than thought.
        let believed = if ms < 5_000 { at.plus(MS * 80) } else { at };
        last = picture.frame(at, believed, at.plus(MS * 90));
        if ms > 0 {
            assert!((last - before).abs() <= 2_050, "jumped by {} µs at {ms} ms", last - before);
        }
        before = last;
    }
    assert!(last.abs() < 2_000, "still off by {last} µs");
}

/// In a pause of speech there is nothing to be heard: the whole error goes.
#[test]
fn sound_is_corrected_in_its_pauses() {
    let mut sound = Device::new(MediaKind::Audio, 0);
    let mut after_pause = 0;
    for n in 0..500u64 {
        let pause = if n >= 400 { 3_000 } else { 0 };
        let at = Time::from_millis(5_000 + n * 20 + pause);
        let believed = if n < 200 { at.plus(MS * 9) } else { at };
        let off = sound.frame(at, believed, at.plus(MS * 50));
        if (200..400).contains(&n) {
            assert!((off - 9_000).abs() < 1_000, "moved in mid talk at {n}: {off}");
        }
        after_pause = off;
    }
    assert!(after_pause.abs() < 1_000, "{after_pause}");
}

/// What a forged or broken report claims moves a slot by no more than a frame can be old.
#[test]
fn a_moment_of_capture_is_believed_only_near_the_arrival() {
    for believed in [Time::ZERO, Time::NEVER] {
        let mut picture = Device::new(MediaKind::Video, 0);
        let mut n = 0;
        for ms in (0..3_000u64).step_by(33) {
            let at = Time::from_millis(100_000 + ms);
            let off = picture.frame(at, believed, at.plus(MS * 10));
            assert!((-3_100_000..=200_000).contains(&off), "off by {off} µs at {ms}");
            n += 1;
        }
        assert_eq!(n, 91);
    }
}

/// The 32 bits of a source's clock wrap while it is silent.
#[test]
fn a_silence_longer_than_a_timestamp_lasts_is_survived() {
    let mut slot = sound_slot();
    slot.aim(voice(3));
    let (mut seq, mut last) = (100, None::<u64>);
    // A word, fourteen hours of silence (32 bits of 48 kHz half wrap in 12.4), a word, and so on.
    for word in 0..6u64 {
        for n in 0..10u64 {
            let ms = 5_000 + word * 14 * 3_600_000 + n * 20;
            let now = Time::from_millis(ms);
            seq += 1;
            let out = slot.push(&sound(3, seq, (ms * 48) as u32, now)).unwrap();
            assert_eq!(out.timestamp, slot.clock(now), "word {word}");
            if let Some(last) = last.replace(out.index.0) {
                assert_eq!(out.index.0, last + 1, "silence must cost no number");
            }
        }
    }
}

/// A source whose timestamps jump while its numbers go on.
#[test]
fn a_source_whose_clock_jumps_is_anchored_anew() {
    for jump in [5_000_000u32, 5_000_000u32.wrapping_neg(), 1 << 31, 77] {
        let mut slot = Slot::new();
        let mut source = Source::new(1, Shape::Full);
        slot.aim(&source, 3);
        let mut held = Vec::new();
        for n in 0..200 {
            slot.pass_ms(33);
            if n % 50 == 49 {
                // One packet of before the jump is late.
                held.extend(source.delta(slot.now, 1));
                slot.pass_ms(33);
                source.ts0 = source.ts0.wrapping_add(jump);
            } else if n % 50 == 5 {
                for wire in held.drain(..) {
                    assert!(jump == 77 || slot.push(&wire) == Err(SkipReason::TooLate));
                }
            }
            for wire in source.delta(slot.now, 2) {
                let out = slot.push(&wire).unwrap();
                let off = off(&slot.forwarder, 90_000, out.timestamp, slot.now);
                assert!(off.abs() <= 1_000_000, "off by {off} µs after a jump of {jump}");
            }
        }
        slot.check();
        assert!(slot.decode().decoded >= 49);
    }
}

/// A perfect clock is never moved, and still its 32 bits wrap.
#[test]
fn a_clock_that_needs_no_correction_wraps_too() {
    let mut sound = Device::new(MediaKind::Audio, 0);
    for n in 0..3_000u64 {
        let at = Time::from_millis(5_000 + n * 50_000);
        assert!(sound.frame(at, at, at).abs() < 100, "after {n} words");
    }
}

/// Pictures a millisecond apart, of which some come late, under a clock that is moved back all the time.
#[test]
fn a_step_back_never_overtakes_a_picture_that_is_still_to_come() {
    let mut slot = Slot::new();
    let mut source = Source::new(1, Shape::Full).layers(1);
    source.ppm = 19_000;
    slot.aim(&source, 3);
    let mut held = None;
    for n in 0..3_000u64 {
        slot.pass_ms(1);
        let wire = source.delta(slot.now, 1).remove(0);
        if n > 0 && n % 2 == 0 {
            held = Some(wire);
        } else {
            slot.push(&wire).unwrap();
            held.take().map(|late| slot.push(&late).unwrap());
        }
    }
    slot.check();
}

/// A picture shown before the first one of its slot (a B picture after the key frame) is refused, and leaves no hole.
#[test]
fn a_picture_from_before_the_start_leaves_no_hole() {
    let mut slot = Slot::new();
    let mut source = Source::new(1, Shape::Bare);
    slot.aim(&source, 3);
    let first = source.key(slot.now, 1).remove(0);
    slot.push(&first).unwrap();
    slot.pass_ms(33);
    let early = Source::picture(&mut source, slot.now.minus(MS * 66), 1, false).remove(0);
    assert_eq!(slot.push(&early), Err(SkipReason::TooLate));
    let next = source.delta(slot.now, 1).remove(0);
    slot.push(&next).unwrap();
    assert_eq!(slot.holes(), 0);
}

/// A late packet has the offset of its own frame, although the slope has gone on; long after, it is refused by name.
#[test]
fn late_packets_keep_the_offset_of_their_time() {
    let mut slot = Slot::new();
    let mut source = Source::new(1, Shape::Full).layers(1);
    source.ppm = 20_000; // Two per cent fast, so that the offset moves all the time.
    slot.aim(&source, 3);
    let mut held = Vec::new();
    let mut times = std::collections::HashMap::new();
    let (mut late, mut refused) = (0, 0);
    for n in 0..600u64 {
        slot.pass_ms(33);
        let mut wires = source.delta(slot.now, 2);
        if n > 0 && n % 5 == 0 {
            held.push((n + 1 + n % 400, n, wires.pop().unwrap()));
        }
        for wire in wires {
            times.insert(n, slot.push(&wire).unwrap().timestamp);
        }
        while let Some(i) = held.iter().position(|(due, _, _)| *due <= n) {
            let (_, frame, wire) = held.swap_remove(i);
            match slot.push(&wire) {
                Ok(forward) => {
                    assert_eq!(forward.timestamp, times[&frame]);
                    late += 1;
                }
                Err(reason) => {
                    assert_eq!(reason, SkipReason::TooLate);
                    assert!(n - frame > 80, "{} frames late is not too late", n - frame);
                    refused += 1;
                }
            }
        }
    }
    slot.check();
    assert!(late > 20 && refused > 20, "{late} {refused}");
}
