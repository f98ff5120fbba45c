//! What went wrong in other forwarding servers, and must not here. Each test names its origin: project and issue or pull
//! request, or "read" where the fault was found in the source. The words and the code are ours.
#![allow(clippy::unwrap_used)]

mod model;

use core::time::Duration;

use model::{CONSTANT, Shape, Slot, Source, sound, sound_slot, voice};
use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor};
use salon_rtp::payload::vp9::Vp9Descriptor;
use salon_rtp::{Bitrate, Codec, H264Profile, MediaKind, RtpTime, SeqNo, Time};
use salon_simulcast::allocate::{Budget, Demand, Rank, Step, allocate, watched};
use salon_simulcast::{Facts, Forwarder, Input, Layer, Patch, Rate, SkipReason, SourceId, Target};

/// A slot that shows the source from a key frame on.
fn showing(source: &mut Source, temporal: u8) -> Slot {
    let mut slot = Slot::new();
    slot.aim(source, temporal);
    let now = slot.now;
    assert_eq!(slot.push_all(&source.key(now, 1)), 1);
    slot
}

/// Lets the source send `n` pictures of `parts` packets, all of which arrive.
fn play(slot: &mut Slot, source: &mut Source, n: usize, parts: usize) {
    for _ in 0..n {
        slot.pass_ms(33);
        let wires = source.delta(slot.now, parts);
        slot.push_all(&wires);
    }
}

fn key(slot: &mut Slot, source: &mut Source) {
    slot.pass_ms(33);
    let wires = source.key(slot.now, 2);
    assert_eq!(slot.push_all(&wires), 2);
}

fn last_index(slot: &Slot) -> u64 {
    *slot.by_index().last_key_value().unwrap().0
}

fn all_decode(slot: &Slot) {
    slot.check();
    let outcome = slot.decode();
    assert_eq!(outcome.decoded, outcome.complete);
}

// ---- Sequence maps ----

/// mediasoup#372: old drops were pruned and the base not moved, so numbers jumped a cycle later.
#[test]
fn drops_before_a_cycle_are_not_forgotten_in_the_numbers() {
    let mut source = Source::new(1, Shape::Full).layers(1);
    let mut slot = showing(&mut source, 3);
    for _ in 0..8 {
        let padding = source.padding(slot.now);
        assert_eq!(slot.push(&padding), Err(SkipReason::Padding));
    }
    play(&mut slot, &mut source, 70_000, 1);
    assert_eq!(slot.holes(), 0);
}

/// mediasoup#1025: after pruning, a late packet got its neighbour's number.
#[test]
fn a_late_packet_never_gets_its_neighbours_number() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    for n in 0..600u64 {
        slot.pass_ms(33);
        let mut wires = source.delta(slot.now, 3);
        let late = wires.remove((n % 3) as usize);
        slot.push_all(&wires);
        play(&mut slot, &mut source, (n % 7) as usize, 1);
        let result = slot.push(&late);
        assert_eq!(result.is_ok(), late.picture.temporal == 0, "{result:?}");
    }
    assert!(slot.sent.len() > 900);
    slot.check();
}

/// mediasoup#1037: drops of the last cycle were counted again after the wrap: 80 % "loss".
#[test]
fn drops_of_the_last_cycle_are_not_counted_as_loss() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    let before = source.seq;
    // Three pictures of four are dropped, for more than three cycles.
    play(&mut slot, &mut source, 3 * 65_536 / 2 + 9, 2);
    assert!(source.seq - before > 3 * 65_536);
    assert_eq!(slot.holes(), 0);
    assert!(slot.sent.len() > 40_000);
}

/// mediasoup#1635: in 0, drop 2, drop 1, in 3 must give 0 and 1.
#[test]
fn drops_that_come_out_of_order_count() {
    let mut source = Source::new(1, Shape::Full).layers(1);
    let mut slot = showing(&mut source, 3);
    let first = last_index(&slot);
    let (one, two) = (source.padding(slot.now), source.padding(slot.now));
    slot.push(&two).unwrap_err();
    slot.push(&one).unwrap_err();
    play(&mut slot, &mut source, 1, 1);
    assert_eq!(last_index(&slot), first + 1);
}

/// mediasoup#1101: a packet lost inside a skipped frame left a gap.
#[test]
fn a_loss_inside_a_skipped_picture_leaves_no_gap() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    for n in 0..40 {
        slot.pass_ms(33);
        let mut wires = source.delta(slot.now, 4);
        if wires[0].picture.temporal > 0 {
            wires.remove(1 + n % 2);
        }
        slot.push_all(&wires);
    }
    assert_eq!(slot.holes(), 0);
    all_decode(&slot);
}

/// mediasoup#1069: a consumer that flapped between the least layer and pause moved its numbers each time.
#[test]
fn a_hundred_pauses_leave_no_gap() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    for _ in 0..100 {
        slot.forwarder.aim(None);
        play(&mut slot, &mut source, 3, 2);
        slot.aim(&source, 0);
        play(&mut slot, &mut source, 2, 2);
        key(&mut slot, &mut source);
    }
    assert_eq!(slot.holes(), 0);
    all_decode(&slot);
}

/// mediasoup#1429: padding of another encoding entered the map.
#[test]
fn padding_of_another_encoding_changes_nothing() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    for _ in 0..20 {
        let padding = b.padding(slot.now);
        assert_eq!(slot.push(&padding), Err(SkipReason::OtherEncoding));
        play(&mut slot, &mut a, 1, 1);
    }
    // Nor when that encoding is waited for.
    slot.aim(&b, 3);
    let padding = b.padding(slot.now);
    assert_eq!(slot.push(&padding), Err(SkipReason::Padding));
    play(&mut slot, &mut a, 1, 1);
    assert_eq!(slot.holes(), 0);
}

/// mediasoup#823: packets that the new encoding had sent before the switch came after it and went out.
#[test]
fn packets_of_before_the_switch_stay_out() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    slot.aim(&b, 3);
    let early = b.key(slot.now, 3);
    slot.pass_ms(33);
    key(&mut slot, &mut b);
    for wire in &early {
        assert_eq!(slot.push(wire), Err(SkipReason::BeforeSwitch));
    }
    slot.check();
}

/// livekit#1020: padding was missing from the map, so a late packet after it got a wrong number.
#[test]
fn a_late_packet_after_padding_keeps_its_number() {
    let mut source = Source::new(1, Shape::Full).layers(1);
    let mut slot = showing(&mut source, 3);
    let padding = source.padding(slot.now);
    slot.push(&padding).unwrap_err();
    slot.pass_ms(33);
    let mut wires = source.delta(slot.now, 3);
    let late = wires.remove(1);
    slot.push_all(&wires);
    play(&mut slot, &mut source, 5, 2);
    slot.push(&late).unwrap();
    assert_eq!(slot.holes(), 0);
    all_decode(&slot);
}

/// livekit#4760: the map outlived a restart, and a loop ran per missing number.
#[test]
fn a_leap_of_the_numbers_costs_nothing_and_starts_anew() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 3);
    play(&mut slot, &mut source, 10, 2);
    let last = last_index(&slot);
    // 2⁴⁰ numbers: a loop over them would not end.
    source.seq += 1 << 40;
    let wires = source.delta(slot.now, 1);
    assert_eq!(slot.push(&wires[0]), Err(SkipReason::AwaitingKey));
    assert_eq!(slot.forwarder.wants_key(), Some(source.id));
    key(&mut slot, &mut source);
    assert_eq!(last_index(&slot), last + 2);
    all_decode(&slot);
}

/// livekit#2891, #2951: a very old packet was taken for one of a new cycle.
#[test]
fn a_very_old_packet_is_refused() {
    let mut source = Source::new(1, Shape::Full).layers(1);
    let mut slot = showing(&mut source, 3);
    let mut wires = source.delta(slot.now, 2);
    let old = wires.pop().unwrap();
    slot.push_all(&wires);
    play(&mut slot, &mut source, 66_000, 1);
    let last = last_index(&slot);
    assert_eq!(slot.push(&old), Err(SkipReason::TooLate));
    play(&mut slot, &mut source, 1, 1);
    assert_eq!(last_index(&slot), last + 1);
}

/// janus#3444: a new source on the same SSRC.
#[test]
fn a_restarted_source_goes_on_where_it_stopped() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 3);
    for salt in [3u64, 40_000, 123_456_789, u64::MAX] {
        play(&mut slot, &mut source, 9, 2);
        let last = last_index(&slot);
        source.restart(salt);
        slot.restarted(&source);
        assert_eq!(slot.forwarder.wants_key(), Some(source.id));
        key(&mut slot, &mut source);
        assert_eq!(last_index(&slot), last + 2);
    }
    all_decode(&slot);
}

/// jitsi-videobridge#1810: silence was filtered after numbering.
#[test]
fn silence_that_is_kept_back_leaves_no_gap() {
    let mut slot = sound_slot();
    slot.aim(voice(1));
    let mut expected = 1;
    for n in 0..1_000u64 {
        let now = Time::from_millis(1_000 + n * 20);
        let silent = n % 10 > 3;
        let input = Input { padding_only: silent, ..sound(1, 500 + n, (n * 960) as u32, now) };
        match slot.push(&input) {
            Ok(forward) => {
                assert_eq!((forward.index.0, forward.timestamp), (expected, slot.clock(now)));
                expected += 1;
            }
            Err(reason) => assert!(silent && reason == SkipReason::Padding),
        }
    }
    assert_eq!(expected, 401);
}

/// jitsi-videobridge#2392: a reset and a resumption in one frame left the stream stuck.
#[test]
fn a_restart_and_a_resumption_at_once_resume() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 3);
    slot.forwarder.aim(None);
    source.restart(77);
    slot.restarted(&source);
    slot.aim(&source, 3);
    slot.restarted(&source);
    key(&mut slot, &mut source);
    play(&mut slot, &mut source, 4, 2);
    assert_eq!(slot.decode().decoded, 6);
}

/// jitsi-videobridge#1648: a participant that was left out for long came back with a wrong roll-over count.
#[test]
fn seventy_thousand_packets_unseen_do_not_move_the_packet_index() {
    let mut slot = sound_slot();
    slot.aim(voice(1));
    assert_eq!(slot.push(&sound(1, 65_000, 0, Time::from_millis(1_000))).unwrap().index, SeqNo(1));
    slot.aim(None);
    slot.aim(voice(1));
    let later = Time::from_millis(1_000 + 70_000 * 20);
    let back = slot.push(&sound(1, 65_000 + 70_000, 70_000 * 960, later)).unwrap();
    assert_eq!((back.index, back.timestamp), (SeqNo(2), slot.clock(later)));
}

// ---- Timestamps ----

/// mediasoup#301: the arrival of the key frame was taken for its time.
#[test]
fn a_key_frame_that_is_late_keeps_its_time() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    play(&mut slot, &mut a, 30, 2);
    slot.aim(&b, 3);
    let captured = slot.now.plus(Duration::from_millis(10));
    let wires = b.key(captured, 1);
    slot.pass_ms(210);
    let forward = slot.push(&wires[0]).unwrap();
    assert!(forward.timestamp.since(slot.forwarder.clock(captured)).abs() <= 90 * 33);
}

/// mediasoup#999: a key frame was refused for its timestamp, and the target forgotten: a frozen picture.
#[test]
fn a_key_frame_is_never_refused_for_its_time() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    play(&mut slot, &mut a, 30, 2);
    slot.aim(&b, 3);
    // Captured two seconds before the picture that is shown.
    let wires = b.key(slot.now.minus(Duration::from_secs(2)), 1);
    slot.push(&wires[0]).unwrap();
    slot.check();
}

/// mediasoup#1459, #1098: without a sender report, or with its reference gone, it never switched.
#[test]
fn a_switch_needs_no_report_and_no_reference() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    slot.aim(&b, 3);
    slot.forwarder.source_gone(a.id);
    let mut wires = b.key(slot.now, 2);
    for w in &mut wires {
        // No report: the time of arrival stands for that of capture.
        w.captured = slot.now;
    }
    assert_eq!(slot.push_all(&wires), 2);
}

/// livekit#1698: the offset changed in mid frame.
#[test]
fn an_offset_never_changes_in_mid_frame() {
    let mut source = Source::new(1, Shape::Full);
    source.ppm = 30_000;
    let mut slot = showing(&mut source, 3);
    for _ in 0..300 {
        slot.pass_ms(33);
        let mut wires = source.delta(slot.now, 4);
        for (i, w) in wires.iter_mut().enumerate() {
            w.captured = slot.now.plus(Duration::from_millis(7 * i as u64));
        }
        wires.rotate_left(1);
        slot.push_all(&wires);
    }
    slot.check();
}

/// livekit#2757: an old report was sent with a new offset.
#[test]
fn sender_reports_lie_on_the_line_of_the_media_over_every_switch() {
    let mut sources: Vec<_> = (1..4).map(|i| Source::new(i, Shape::Full)).collect();
    let mut slot = Slot::new();
    for n in 0..60usize {
        let source = &mut sources[n % 3];
        slot.aim(source, 3);
        for k in 0..10 {
            slot.pass_ms(33);
            for wire in source.picture(slot.now, 2, k == 0) {
                let out = slot.push(&wire).unwrap().timestamp;
                let report = slot.forwarder.clock(slot.now);
                assert!(out.since(report).abs() <= 90 * 33, "a frame off the line");
            }
        }
    }
    slot.check();
}

/// livekit#1948, janus#1220: each switch to a source that lags cost a tick or a frame, and they added up.
#[test]
fn a_hundred_switches_do_not_add_up() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = Slot::new();
    for n in 0..100 {
        let (source, lag) = if n % 2 == 0 { (&mut a, 0) } else { (&mut b, 80) };
        slot.aim(source, 3);
        for k in 0..3 {
            slot.pass_ms(33);
            let captured = slot.now.minus(Duration::from_millis(lag));
            let wires = source.picture(captured, 1, k == 0);
            let off = slot.push(&wires[0]).unwrap().timestamp.since(slot.forwarder.clock(captured));
            assert!((-90..=90 * 50).contains(&off), "off by {off} ticks after {n} switches");
        }
    }
    slot.check();
}

/// livekit#4712: a layer equal to the number of layers was used as an index.
#[test]
fn a_layer_that_does_not_exist_is_no_index() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, u8::MAX);
    for temporal in [0, u8::MAX, 3, 4, 200] {
        let facts = Facts {
            layer: Layer { spatial: temporal, temporal },
            switch_up: true,
            frame_start: true,
            ..Facts::UNKNOWN
        };
        slot.pass_ms(33);
        let wire = source.delta(slot.now, 1).remove(0);
        let _ = slot.forwarder.push(&Input { facts, ..wire.input(slot.now, true) });
    }
    let mut rates = salon_simulcast::LayerRates::new();
    rates.add(Time::ZERO, u8::MAX, 100);
    assert!(rates.upto(Time::from_millis(100), u8::MAX) > Bitrate::ZERO);
}

/// jitsi-videobridge, VP9 and AV1 projection (read): after any pause the time went on by one frame.
#[test]
fn the_clock_runs_on_in_a_pause() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 3);
    let before = slot.sent.last().unwrap().forward;
    slot.forwarder.aim(None);
    slot.pass(Duration::from_secs(10));
    slot.aim(&source, 3);
    let wires = source.key(slot.now, 1);
    let after = slot.push(&wires[0]).unwrap();
    assert_eq!(after.timestamp.since(before.timestamp), 900_000);
    assert_eq!(after.index, before.index.next());
}

// ---- Descriptors ----

/// mediasoup#140: picture ids were not rewritten over a switch.
#[test]
fn a_receiver_accepts_every_picture_over_switches() {
    let mut sources: Vec<_> = (1..4).map(|i| Source::new(i, Shape::Full)).collect();
    let mut slot = Slot::new();
    for n in 0..30 {
        let source = &mut sources[n % 3];
        slot.aim(source, (n % 4) as u8);
        key(&mut slot, source);
        play(&mut slot, source, 17, 2);
    }
    all_decode(&slot);
    assert_eq!(slot.holes(), 0);
}

/// mediasoup#817: a base picture that was lost beside a dropped one was taken for dropped too, and not sent when recovered.
#[test]
fn a_recovered_base_picture_beside_a_dropped_one_is_sent() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    play(&mut slot, &mut source, 3, 1); // Two, one, two: the next is a base picture.
    slot.pass_ms(33);
    let base = source.delta(slot.now, 2);
    assert_eq!(base[0].picture.temporal, 0);
    play(&mut slot, &mut source, 7, 1);
    assert_eq!(slot.push_all(&base), 2);
    all_decode(&slot);
    assert_eq!(slot.holes(), 0);
}

/// mediasoup#984: picture ids went wrong at their roll-over.
#[test]
fn forty_thousand_pictures_roll_over() {
    for shape in [Shape::Full, Shape::Narrow] {
        for temporal in [0, 1, 3] {
            let mut source = Source::new(1, shape);
            let mut slot = showing(&mut source, temporal);
            play(&mut slot, &mut source, 40_000, 1);
            all_decode(&slot);
        }
    }
}

/// janus#3121: a 15-bit picture id was written over a 7-bit one, into the payload.
#[test]
fn a_short_picture_id_is_widened_and_the_payload_stays() {
    let (mut wide, mut narrow) = (Source::new(1, Shape::Full), Source::new(2, Shape::Narrow));
    let mut slot = showing(&mut wide, 3);
    slot.aim(&narrow, 3);
    key(&mut slot, &mut narrow);
    play(&mut slot, &mut narrow, 200, 2);
    let sent = slot.sent.last().unwrap();
    assert_eq!(sent.payload.len(), sent.wire.payload.len() + 1);
    assert_eq!(sent.payload[sent.payload.len() - 4..], sent.wire.payload[sent.wire.payload.len() - 4..]);
    all_decode(&slot);
}

/// jitsi-videobridge#2105, #2303: a TL0PICIDX that was not there was written.
#[test]
fn an_absent_field_stays_absent() {
    let mut sources = [Shape::Full, Shape::Bare, Shape::IdOnly].map(|s| Source::new(s as u32, s));
    let mut slot = showing(&mut sources[0], 3);
    for i in [1, 0, 2, 1, 0] {
        let source = &mut sources[i];
        slot.aim(source, 3);
        key(&mut slot, source);
        play(&mut slot, source, 9, 2);
        let shape = source.shape;
        for sent in slot.sent.iter().rev().take(18) {
            let f = *Vp8Descriptor::parse(&sent.payload).unwrap().fields();
            assert_eq!(f.tl0.is_some(), shape == Shape::Full);
            assert_eq!(f.picture_id.is_some(), shape != Shape::Bare);
        }
    }
    all_decode(&slot);
}

/// livekit#180: a hole beside a dropped picture, whose late packet then went out.
#[test]
fn a_late_packet_of_a_dropped_picture_stays_out() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    slot.pass_ms(33);
    let mut wires = source.delta(slot.now, 3);
    assert_eq!(wires[0].picture.temporal, 2);
    let late = [wires.remove(2), wires.remove(0)];
    slot.push_all(&wires);
    play(&mut slot, &mut source, 4, 2);
    for wire in &late {
        assert_eq!(slot.push(wire), Err(SkipReason::PictureSkipped));
    }
    all_decode(&slot);
}

/// mediasoup#811: the marker of one receiver's packet leaked into the next's.
#[test]
fn two_slots_know_nothing_of_each_other() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let (mut alone, mut first, mut second) = (Slot::new(), Slot::new(), Slot::starting_at(SeqNo(9)));
    for slot in [&mut alone, &mut first] {
        slot.aim(&a, 0);
    }
    second.aim(&b, 1);
    for n in 0..100 {
        let now = alone.now;
        let wires = [a.picture(now, 3, n % 40 == 0), b.picture(now, 2, n % 30 == 0)].concat();
        for wire in &wires {
            assert_eq!(alone.push(wire), first.push(wire));
            let _ = second.push(wire);
        }
        for slot in [&mut alone, &mut first, &mut second] {
            slot.pass_ms(33);
        }
    }
    second.check();
}

/// mediasoup#1606: a repair carried the source's marker and not the one first sent. Here what was sent is kept whole.
#[test]
fn what_is_kept_per_sent_packet_is_all_that_a_repair_needs() {
    let mut slot = sound_slot();
    slot.aim(voice(1));
    let forward = slot.push(&sound(1, 10, 0, Time::from_millis(50))).unwrap();
    // The first packet after a silence is marked although the source did not mark it.
    assert!(forward.marker);
    assert!(size_of_val(&forward) <= 48);
    assert!(!slot.push(&sound(1, 11, 960, Time::from_millis(70))).unwrap().marker);
}

/// As above within one encoding: its encoder starts its picture ids anew, with a key frame or without.
#[test]
fn picture_ids_that_start_anew_go_on() {
    for to in [5u16, 9_000, 32_700] {
        let mut source = Source::new(1, Shape::Full);
        let mut slot = showing(&mut source, 3);
        play(&mut slot, &mut source, 8, 2);
        slot.pass_ms(33);
        let late = source.delta(slot.now, 1).remove(0);
        (source.picture_id, source.tl0) = (to, 99);
        key(&mut slot, &mut source);
        play(&mut slot, &mut source, 8, 2);
        all_decode(&slot);
        let decoded = slot.decode().decoded;
        assert_eq!(decoded, 18);
        // 5 is a small step ahead of 32,716, modulo 2¹⁵: a gap, no new count.
        assert_eq!(slot.push(&late).is_ok(), to == 5);
        // Without a key frame nobody can tell what was lost: a receiver waits for the next.
        source.picture_id = to.wrapping_add(10_000) & 0x7fff;
        play(&mut slot, &mut source, 8, 2);
        key(&mut slot, &mut source);
        play(&mut slot, &mut source, 8, 2);
        slot.check();
        assert!(slot.decode().decoded >= decoded + 9);
    }
}

/// Found by law 7: the newest packet was one of a dropped picture, and the base picture before it came after it; then the
/// next encoding was given the number of that base picture again.
#[test]
fn a_base_picture_that_comes_after_a_dropped_one_is_counted() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 0);
    play(&mut slot, &mut a, 3, 1);
    slot.pass_ms(33);
    let base = a.delta(slot.now, 1);
    let old = a.clone();
    play(&mut slot, &mut a, 1, 1);
    assert_eq!(slot.push_all(&base), 1);
    slot.aim(&b, 3);
    key(&mut slot, &mut b);
    let tl0 = |i: usize| Vp8Descriptor::parse(&slot.sent[i].payload).unwrap().fields().tl0.unwrap();
    assert_eq!(tl0(2), tl0(1).wrapping_add(1));
    assert_eq!(old.tl0, tl0(1));
}

/// The other way round: an older base packet that comes late must not set the count back.
#[test]
fn a_late_base_packet_does_not_set_the_count_back() {
    let (mut a, mut b) = (Source::new(1, Shape::Full).layers(1), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    slot.pass_ms(33);
    let late = a.delta(slot.now, 1);
    play(&mut slot, &mut a, 5, 1);
    assert_eq!(slot.push_all(&late), 1);
    slot.aim(&b, 3);
    key(&mut slot, &mut b);
    let tl0 = |s: &model::Sent| Vp8Descriptor::parse(&s.payload).unwrap().fields().tl0.unwrap();
    let sent: Vec<_> = slot.by_index().into_values().map(tl0).collect();
    assert!(sent[..8].windows(2).all(|w| w[1] == w[0].wrapping_add(1)), "{sent:?}");
    play(&mut slot, &mut b, 5, 1);
    all_decode(&slot);
    assert_eq!(slot.decode().decoded, 13);
}

/// Climbing: at a key frame to all layers at once; and a picture that was late over a climb is judged by what held in its time.
#[test]
fn layers_are_climbed_where_they_can_be_decoded() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = showing(&mut source, 0);
    play(&mut slot, &mut source, 3, 1);
    slot.aim(&source, 3);
    key(&mut slot, &mut source);
    play(&mut slot, &mut source, 4, 1);
    assert_eq!(slot.reasons.get(&SkipReason::TemporalLayer), Some(&3));
    assert_eq!(slot.sent.len(), 1 + 2 + 4);

    let mut source = Source::new(2, Shape::Full).layers(2);
    let mut slot = showing(&mut source, 0);
    play(&mut slot, &mut source, 5, 1);
    slot.pass_ms(33);
    // No switch point, and its predecessor was dropped.
    let mut late = source.delta(slot.now, 1).remove(0);
    while late.picture.temporal == 0 || late.picture.sync {
        let _ = slot.push(&late);
        slot.pass_ms(33);
        late = source.delta(slot.now, 1).remove(0);
    }
    slot.aim(&source, 1);
    play(&mut slot, &mut source, 12, 1);
    assert_eq!(
        slot.sent.last().unwrap().wire.picture.number,
        source.clone().delta(slot.now, 1)[0].picture.number - 1
    );
    assert_eq!(slot.push(&late), Err(SkipReason::LateLayer));
    all_decode(&slot);
}

/// Found by the laws: a picture that was refused for being late, and whose id was closed over although a later one that went out
/// referred to it; the receiver then took an older picture for the reference.
#[test]
fn ids_do_not_close_over_a_reference() {
    let mut source = Source::new(1, Shape::Full);
    source.syncs = false;
    let mut slot = showing(&mut source, 3);
    play(&mut slot, &mut source, 9, 1);
    slot.pass_ms(33);
    let late = source.delta(slot.now, 1);
    assert_eq!(late[0].picture.temporal, 1);
    slot.aim(&source, 1);
    play(&mut slot, &mut source, 1, 1);
    assert_eq!(slot.push(&late[0]), Err(SkipReason::LateLayer));
    play(&mut slot, &mut source, 8, 1);
    slot.check();
    // The base goes on; the middle layer waits for a switch point.
    assert_eq!(slot.decode().decoded, 10 + 2);
}

/// Two voices in turn on one slot: the first must not talk into the second, nor come back.
#[test]
fn a_voice_ends_where_the_next_is_aimed_at() {
    let mut slot = sound_slot();
    slot.aim(voice(1));
    let at = Time::from_millis(1_000);
    assert_eq!(slot.push(&sound(1, 10, 0, at)).unwrap().index, SeqNo(1));
    slot.aim(voice(2));
    assert_eq!(slot.push(&sound(1, 11, 960, at)), Err(SkipReason::OtherEncoding));
    assert_eq!(slot.push(&sound(2, 900, 7, at)).unwrap().index, SeqNo(2));
    assert_eq!(slot.push(&sound(1, 12, 1_920, at)), Err(SkipReason::OtherEncoding));
    assert_eq!(slot.push(&sound(2, 899, 7, at)), Err(SkipReason::BeforeSwitch));
}

/// A VP9 key picture is of use only with what a receiver needs to follow: its structure, in non-flexible mode.
#[test]
fn a_vp9_key_needs_its_structure() {
    let read = |payload: &[u8]| Facts::read(Codec::Vp9(0), false, payload).key;
    assert!(read(&[0xaa, 5, 0, 9, 0x20, 1])); // I L B V
    assert!(!read(&[0xa8, 5, 0, 9, 1])); // without V
    assert!(read(&[0xb8, 5, 0, 1])); // flexible: no group of pictures to know
    assert!(!read(&[0xe8, 5, 0, 9, 1])); // P
    assert!(!read(&[0xaa, 5, 2, 9, 0x20, 1])); // spatial layer 1
}

/// jitsi-videobridge#2101: indexes of two encodings were compared.
#[test]
fn there_and_back_again() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Narrow));
    b.seq = 3_000_000;
    let mut slot = showing(&mut b, 3);
    for _ in 0..5 {
        for source in [&mut a, &mut b] {
            slot.aim(source, 3);
            key(&mut slot, source);
            play(&mut slot, source, 6, 3);
        }
    }
    all_decode(&slot);
    assert_eq!(slot.holes(), 0);
}

fn h264(payload: &[u8]) -> Facts {
    Facts::read(Codec::H264(H264Profile::ConstrainedBaseline), false, payload)
}

/// janus#1552, #1965, ion-sfu#551: a key frame was told by its refresh slice, or by the length of the packet.
#[test]
fn an_h264_key_frame_starts_with_its_sps_however_short() {
    // An SPS of six bytes in a packet of its own; in an aggregate; the first fragment of a long one.
    assert!(h264(&[0x67, 0x42, 0xc0, 0x0c, 0xda, 0x11]).key);
    assert!(h264(&[0x78, 0, 4, 0x67, 0x42, 0xc0, 0x0c, 0, 2, 0x68, 0xce]).key);
    assert!(h264(&[0x7c, 0x87, 0x42]).key);
    // Refresh slices, whole and in fragments, a PPS alone, a later fragment, a long delta.
    for no_key in
        [&[0x65, 0x88, 0x84][..], &[0x7c, 0x85, 0x88], &[0x68, 0xce], &[0x7c, 0x07, 0x42], &[0x41; 1_200]]
    {
        assert!(!h264(no_key).key, "{no_key:x?}");
    }
}

/// The same, on a slot: it starts with the packet of the SPS, and the slices of that picture follow.
#[test]
fn an_h264_slot_starts_on_the_sps_packet() {
    let codec = Codec::H264(H264Profile::ConstrainedBaseline);
    let mut slot = Forwarder::new(MediaKind::Video, 90_000, SeqNo(5), CONSTANT);
    slot.aim(Some(Target { source: SourceId(1), temporal: u8::MAX, codec }));
    let packets: [(&[u8], u32); 6] = [
        (&[0x65, 0x88], 0),     // A refresh slice whose SPS was lost.
        (&[0x41, 0x9a], 3_000), // A delta.
        (&[0x09, 0xf0], 6_000), // A delimiter before the SPS: not needed.
        (&[0x67, 0x42, 0xc0, 0x0c, 0xda, 0x11], 6_000),
        (&[0x68, 0xce], 6_000),
        (&[0x65, 0x88], 6_000),
    ];
    let mut out = Vec::new();
    for (i, (payload, timestamp)) in packets.into_iter().enumerate() {
        let input = Input {
            source: SourceId(1),
            seq: SeqNo(70 + i as u64),
            timestamp: RtpTime(timestamp),
            captured: Time::from_millis(500 + i as u64),
            marker: false,
            facts: h264(payload),
            arrived: Time::from_millis(520),
            newest: true,
            padding_only: false,
        };
        out.push(slot.push(&input).map(|f| (f.index.0, f.patch)));
    }
    let key = Err(SkipReason::AwaitingKey);
    assert_eq!(out, [key, key, key, Ok((5, Patch::NONE)), Ok((6, Patch::NONE)), Ok((7, Patch::NONE))]);
}

/// mediasoup#1620, #1622: a marker on every layer frame of a picture. All spatial layers go out here, so the one marker
/// of the picture, on its last packet, is passed as it came.
#[test]
fn a_vp9_picture_of_two_layers_has_one_marker_and_one_distance() {
    let mut slot = Forwarder::new(MediaKind::Video, 90_000, SeqNo(0), CONSTANT);
    let (mut seq, mut last, mut markers, base) = (60_000, None::<u16>, 0, 0u8);
    for source in [1u32, 2, 1] {
        slot.aim(Some(Target { source: SourceId(source), temporal: u8::MAX, codec: Codec::Vp9(0) }));
        for n in 0..50u16 {
            let id = (source as u16 * 100 + n) % 128;
            for spatial in 0..2u8 {
                seq += 1;
                // I, L, B, E; P on deltas; V with a structure of two layers on the key; 7-bit id; TL0.
                let key = n == 0;
                let first = 0xac | u8::from(!key) << 6 | u8::from(key && spatial == 0) << 1;
                let mut payload = vec![first, id as u8, spatial << 1 | u8::from(spatial > 0), n as u8];
                if key && spatial == 0 {
                    payload.push(0x20);
                }
                payload.push(0xaa);
                let now = Time::from_millis(1_000 + seq * 10);
                let input = Input {
                    source: SourceId(source),
                    seq: SeqNo(seq),
                    timestamp: RtpTime(u32::from(n) * 3_000),
                    captured: now,
                    marker: spatial == 1,
                    facts: Facts::read(Codec::Vp9(0), spatial == 1, &payload),
                    arrived: now,
                    newest: true,
                    padding_only: false,
                };
                let forward = slot.push(&input).unwrap();
                markers += u32::from(forward.marker);
                let (prefix, replaced) = forward.patch.get();
                let out = [prefix.as_slice(), &payload[replaced..]].concat();
                let d = Vp9Descriptor::parse(&out).unwrap();
                let Some(PictureId::Long(id)) = d.picture_id else { panic!("a short id went out") };
                let step = id.wrapping_sub(last.replace(id).unwrap_or(id)) & 0x7fff;
                assert!(last.is_none() || step == u16::from(spatial == 0) || seq == 60_001, "{step}");
                assert_eq!(d.tl0.map(u32::from), Some((seq as u32 - 60_001) / 2 % 256 + u32::from(base)));
                assert_eq!(out.last(), Some(&0xaa));
            }
        }
    }
    assert_eq!(markers, 150);
}

/// livekit#3985: a stream was started on recovered old packets.
#[test]
fn a_slot_starts_at_the_live_edge() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = Slot::new();
    let now = slot.now;
    let old = source.key(now, 2);
    // Before the slot is aimed at this source, which has long gone on.
    play(&mut slot, &mut source, 5, 2);
    slot.aim(&source, 3);
    assert_eq!(slot.push(&old[0]), Err(SkipReason::KeyOutOfOrder));
    assert_eq!(slot.push(&old[1]), Err(SkipReason::AwaitingKey));
    assert_eq!(slot.forwarder.wants_key(), Some(source.id));
    key(&mut slot, &mut source);
}

/// Signal (read): a switch at a key frame whose first packet came second shows a torn picture.
#[test]
fn a_key_frame_that_starts_out_of_order_is_not_taken() {
    let (mut a, mut b) = (Source::new(1, Shape::Full), Source::new(2, Shape::Full));
    let mut slot = showing(&mut a, 3);
    slot.aim(&b, 3);
    let mut wires = b.key(slot.now, 3);
    wires.swap(0, 1);
    assert_eq!(slot.push_all(&wires), 0);
    play(&mut slot, &mut a, 5, 1);
    assert_eq!(slot.forwarder.current(), Some(a.id));
    key(&mut slot, &mut b);
    all_decode(&slot);
}

/// mediasoup#232: a request for a key frame outlived the key frame.
#[test]
fn who_has_the_key_frame_asks_no_more() {
    let mut source = Source::new(1, Shape::Full);
    let mut slot = Slot::new();
    assert_eq!(slot.forwarder.wants_key(), None);
    slot.aim(&source, 3);
    assert_eq!(slot.forwarder.wants_key(), Some(source.id));
    let wires = source.key(slot.now, 3);
    slot.push(&wires[0]).unwrap();
    assert_eq!(slot.forwarder.wants_key(), None);
    // One per resume, though (janus#2922).
    slot.forwarder.aim(None);
    assert_eq!(slot.forwarder.wants_key(), None);
    slot.aim(&source, 3);
    assert_eq!(slot.forwarder.wants_key(), Some(source.id));
    slot.forwarder.source_gone(source.id);
    assert_eq!(slot.forwarder.wants_key(), None);
}

// ---- Layers and budget ----

fn step(source: u32, height: u16, kbps: u64) -> Step {
    Step { source: SourceId(source), temporal: u8::MAX, height, rate: Bitrate::from_kbps(kbps) }
}

fn choose(estimate: u64, height: u16, steps: &[Step], shown: Option<usize>) -> Option<usize> {
    let estimate = Bitrate::from_kbps(estimate);
    let budget = Budget { estimate, steady: estimate, audio: Bitrate::ZERO };
    let mut out = [None];
    allocate(&budget, &[Demand { rank: Rank::Floor, height, steps, shown }], &mut out);
    out[0]
}

/// janus#2231: a fall to a middle encoding that did not exist, and never back.
#[test]
fn an_absent_middle_encoding_is_stepped_over_both_ways() {
    let steps = [step(1, 180, 150), step(3, 720, 1_500)];
    assert_eq!(choose(2_000, 720, &steps, None), Some(1));
    assert_eq!(choose(800, 720, &steps, Some(1)), Some(0));
    assert_eq!(choose(2_000, 720, &steps, Some(0)), Some(1));
    // 360 lines are asked for, 180 or 720 are there: the larger fills the tile.
    assert_eq!(choose(2_000, 360, &steps, None), Some(1));
}

/// janus#3422: a shared screen of 0.2 frames per second was taken for dead every 250 ms.
#[test]
fn a_screen_that_stands_still_is_not_dead() {
    let mut rate = Rate::new();
    for s in (0..60).step_by(5) {
        rate.add(Time::from_millis(s * 1_000), 1_000);
        let idle = rate.idle(Time::from_millis(s * 1_000 + 4_999)).unwrap();
        assert!(idle < Duration::from_secs(5));
    }
}

/// bigbluebutton#12274: the least of all receivers' estimates went to the publisher.
#[test]
fn one_poor_receiver_does_not_starve_the_others() {
    let encodings = [SourceId(1), SourceId(2), SourceId(3)];
    assert_eq!(watched(&encodings, [SourceId(1), SourceId(3)]), 0b101);
    assert_eq!(watched(&encodings, []), 0);
}
