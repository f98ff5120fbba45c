//! What a room takes of memory, by what is in it. The table of `ARCHITECTURE.md` is what this prints:
//! `cargo test -p salon-sfu --test memory_has_a_ceiling -- --nocapture`.
//!
//! A file of its own, because the counting allocator is the program's.
#![allow(missing_docs)]

mod rig;

use std::time::Duration;

use allocation_counter::measure;
use rig::{Rig, Vp8};
use salon_rtp::MediaKind;
use salon_sfu::{ParticipantId, Room, Source};

/// Bytes that a step takes for good; what it needs only meanwhile does not count.
fn taken(step: impl FnOnce()) -> i64 {
    measure(step).bytes_current
}

/// A room whose harness keeps nothing of what came out.
fn quiet() -> Rig {
    let mut rig = Rig::new();
    rig.checking = false;
    rig
}

fn forget(rig: &mut Rig) {
    rig.drain();
    rig.forget();
}

/// The slots of a page: three for sound, eight tiles, one large picture.
fn slots(rig: &mut Rig, id: ParticipantId) {
    for n in 0..3 {
        rig.slot(id, MediaKind::Audio, &format!("a{n}"));
    }
    for n in 0..9 {
        let slot = rig.slot(id, MediaKind::Video, &format!("v{n}"));
        rig.height(id, slot, if n == 0 { 720 } else { 180 });
    }
}

/// A second of a voice.
fn talk(rig: &mut Rig, id: ParticipantId, ssrc: u32, from: u64) {
    for n in from..from + 50 {
        let packet = rig.voice(n, ssrc, 25);
        rig.rtp(id, &packet);
        rig.pass(Duration::from_millis(20));
        forget(rig);
    }
}

/// A second of pictures, in so many packets each.
fn show(rig: &mut Rig, id: ParticipantId, source: &mut Vp8, key: bool, packets: usize) {
    for n in 0..30 {
        for packet in source.frame(key && n == 0, packets) {
            rig.rtp(id, &packet);
        }
        rig.pass(Duration::from_millis(33));
        forget(rig);
    }
}

#[test]
fn the_table() {
    let mut rows = Vec::new();
    let mut row = |what: &str, bytes: i64| {
        rows.push((what.to_owned(), bytes));
        bytes
    };

    let mut rig = None;
    let room = taken(|| rig = Some(quiet()));
    let room = row("an empty room", room + size_of::<Room>() as i64);

    // Thirty people who are there and silent.
    let mut rig = rig.unwrap();
    let mut ids = Vec::with_capacity(30);
    let nobody = taken(|| (0..30).for_each(|_| ids.push(rig.join())));
    let microphones = taken(|| {
        ids.iter().zip(0..).for_each(|(&id, n)| {
            rig.microphone(id, 1_000 + n);
        });
    });
    let cameras = taken(|| {
        ids.iter().for_each(|&id| {
            rig.simulcast(id, &["l", "m", "h"]);
        });
    });
    let places = taken(|| {
        ids.iter().for_each(|&id| slots(&mut rig, id));
        forget(&mut rig);
        rig.pass(Duration::from_secs(2));
        forget(&mut rig);
    });
    let joined = nobody + microphones + cameras + places;
    let idle = row("one of thirty who are there and send nothing, in all", joined / 30);
    row("- the participant", nobody / 30);
    row("- a microphone", microphones / 30);
    row("- a camera of three encodings", cameras / 30);
    row("- three slots for sound and nine for pictures", places / 30);

    // One speaks to a listener.
    let mut pair = quiet();
    let (speaker, listener) = (pair.join(), pair.join());
    pair.microphone(speaker, 7);
    let first = taken(|| talk(&mut pair, speaker, 7, 0));
    row("what a publisher's first packets take: when each packet came, to report it", first);
    let unheard = pair.sent();
    let slot = taken(|| {
        pair.slot(listener, MediaKind::Audio, "a0");
    });
    let heard = taken(|| talk(&mut pair, speaker, 7, 50));
    assert!(pair.sent() > unheard, "somebody hears it");
    row("an audio stream that is heard, with one listener's slot", slot + heard);

    // One shows something to a viewer.
    let mut pair = quiet();
    let (shows, looks) = (pair.join(), pair.join());
    let mut source = Vp8 { size: 1_000, ..Vp8::new(9, 720) };
    let track = taken(|| {
        pair.camera(shows, 9, Source::Camera);
    });
    let unseen = taken(|| show(&mut pair, shows, &mut source, true, 6));
    let unseen = row("a video encoding that nobody watches", track + unseen);
    let slot = pair.slot(looks, MediaKind::Video, "v0");
    pair.height(looks, slot, 720);
    let seen = taken(|| {
        show(&mut pair, shows, &mut source, true, 6);
        show(&mut pair, shows, &mut source, false, 6);
        show(&mut pair, shows, &mut source, false, 6);
    });
    let seen = row("a video encoding of 720 lines that somebody watches, with that viewer's slot", seen);
    let third = pair.join();
    let slot = pair.slot(third, MediaKind::Video, "v0");
    pair.height(third, slot, 720);
    let more = taken(|| {
        show(&mut pair, shows, &mut source, true, 6);
        show(&mut pair, shows, &mut source, false, 6);
    });
    row("one more viewer's slot", more);

    // Everybody leaves: nothing stays but what the tables keep for the next.
    let left = taken(|| {
        for id in ids {
            rig.room.leave(rig.now, id).unwrap();
        }
        forget(&mut rig);
    });
    let kept = row("what the tables keep for the next when thirty have gone", joined + left);
    // … and it is enough for the next.
    let again = taken(|| {
        let ids: Vec<_> = (0..30).map(|_| rig.join()).collect();
        for (&id, n) in ids.iter().zip(0..) {
            rig.microphone(id, 2_000 + n);
            rig.simulcast(id, &["l", "m", "h"]);
            slots(&mut rig, id);
        }
        forget(&mut rig);
        rig.pass(Duration::from_secs(2));
        forget(&mut rig);
        for id in ids {
            rig.room.leave(rig.now, id).unwrap();
        }
        forget(&mut rig);
    });

    for (what, bytes) in &rows {
        println!("| {what} | {:.1} KiB |", *bytes as f64 / 1024.0);
    }
    // The goal for one who is there; the others a fifth above what they are now, so that nothing grows unseen.
    assert!(room < 5 << 10 && idle < 64 << 10, "{room} {idle}");
    assert!(unseen < 3 << 10 && seen < 840 << 10, "{unseen} {seen}");
    assert!(kept < 1_100 << 10, "what is gone is given back: {kept} of {joined}");
    assert!(again < 16 << 10, "whoever comes and goes takes nothing along: {again}");
}
