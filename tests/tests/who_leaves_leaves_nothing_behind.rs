//! People come and go by the thousand, and the heap is as it was.
//!
//! Two kinds of coming. By command: all that `host` does for a join and a leave (the room, its tracks and slots, the transport's
//! peer with its ICE and DTLS state, the directory, the callbacks), while nobody's packets come. In earnest: real clients that
//! check, shake hands, say something and hear each other, before they leave. The gate runs some; the long form, a hundred thousand of each, is
//! `cargo test -p salon-tests --test who_leaves_leaves_nothing_behind -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)] // Tests may.

#[path = "../../crates/host/tests/common/mod.rs"]
mod common;

use cap::Cap;
use common::{Asking, Bring, Client, GUARD, ask, connect, counters, slot, socket, track};
use salon_host::sfu::{Constraint, Source, View};
use salon_host::transport::{IceCredentials, Setup};
use salon_host::{Handle, Host, HostConfig, Join, JoinError, Joined};
use salon_rtp::{Codec, MediaKind};
use std::alloc::System;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts the live bytes of all threads.
#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Counts are of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// What tables and queues that have reached their size may still sway by, whatever the number of joins.
const SWAY: i64 = 16 * 1024;
/// People in one room.
const ROOM: usize = 10;

const ALL: Bring = Bring { microphone: true, camera: true, ear: true, eye: true };

fn host() -> (Host, Handle) {
    let host = Host::start(HostConfig { shards: 1, ..HostConfig::new(([127, 0, 0, 1], 0).into()) }).unwrap();
    let handle = host.handle();
    (host, handle)
}

/// Live bytes, when nobody is there any more and the media thread rests.
fn live(handle: &Handle) -> i64 {
    let end = Instant::now() + GUARD;
    loop {
        let c = counters(handle);
        if (c.rooms_now, c.participants_now) == (0, 0) {
            break;
        }
        assert!(Instant::now() < end, "{c:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    // The answer leaves the heap of the thread that asked, and the question that of the other.
    std::thread::sleep(Duration::from_millis(50));
    HEAP.allocated() as i64
}

/// Runs `people` joins and leaves after some that let tables grow, and says what the heap holds more than before.
fn grown(warm: usize, people: usize, mut come_and_go: impl FnMut(&Handle, usize)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_host, handle) = host();
    come_and_go(&handle, warm);
    let before = live(&handle);
    let began = Instant::now();
    come_and_go(&handle, people);
    let took = began.elapsed();
    let after = live(&handle);
    println!(
        "{people} joined and left in {took:.1?}: {before} bytes live before, {after} after: {:+.3} a join",
        (after - before) as f64 / people as f64
    );
    assert!(after - before <= SWAY, "{} bytes more", after - before);
    assert_eq!(counters(&handle).failed_rooms, 0);
}

/// Rooms of ten by command: they join with all that can be sent and received, pin each other, mute, and leave.
fn by_command(handle: &Handle, people: usize) {
    for n in 0..people / ROOM {
        let name = format!("room {}", n % 97);
        let answers: Vec<_> = (0..ROOM).map(|label| join(handle, &name, label as u64)).collect();
        let joined: Vec<_> = answers.iter().map(|a| a.recv_timeout(GUARD).unwrap().unwrap()).collect();
        for (at, one) in joined.iter().enumerate() {
            let view = View::Participant(joined[(at + 1) % ROOM].member.participant());
            for (slot, _) in &one.slots {
                handle.constrain(one.member, *slot, Constraint { view, height: 180 });
            }
            handle.mute(one.member, one.tracks[0], at % 2 == 0);
        }
        joined.iter().for_each(|one| handle.leave(one.member));
    }
}

/// Somebody's join, as one comes from the answer to an offer.
fn join(handle: &Handle, room: &str, label: u64) -> Receiver<Result<Joined, JoinError>> {
    let ears = (0..3).map(|_| slot(MediaKind::Audio, Codec::Opus, 111));
    let eyes = (0..9).map(|_| slot(MediaKind::Video, Codec::Vp8, 96));
    let (tell, told) = channel();
    let join = Join {
        label,
        remote: IceCredentials {
            ufrag: format!("client{label}"),
            pwd: "aPasswordOfTheClient1234".to_owned(),
        },
        fingerprint: handle.fingerprint(),
        setup: Setup::Passive,
        tracks: vec![
            track(Source::Microphone, Codec::Opus, 111, 1),
            track(Source::Camera, Codec::Vp8, 96, 2),
        ],
        slots: ears.chain(eyes).collect(),
        events: Box::new(|_| {}),
    };
    handle.join(room, join, move |answer| drop(tell.send(answer)));
    told
}

/// Pairs in earnest: they connect, one talks and shows a picture until the other has heard it, and they leave.
fn in_earnest(handle: &Handle, people: usize) {
    for n in 0..people / 2 {
        let name = format!("pair {}", n % 97);
        let asking: Vec<Asking> = (0..2).map(|label| ask(handle, &name, label, ALL, socket())).collect();
        let mut pair: Vec<Client> = asking.into_iter().map(Asking::join).collect();
        connect(&mut pair);
        let end = Instant::now() + GUARD;
        while pair[1].agent.heard.is_empty() {
            assert!(Instant::now() < end, "never heard");
            pair[0].say(&[n as u8; 80]);
            pair[0].show(3, 900);
            std::thread::sleep(Duration::from_millis(2));
            pair.iter_mut().for_each(Client::drive);
        }
        pair.iter().for_each(|one| handle.leave(one.joined.member));
    }
}

#[test]
fn three_thousand_by_command() {
    grown(1_000, 3_000, by_command);
}

#[test]
fn a_hundred_in_earnest() {
    grown(100, 100, in_earnest);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_by_command() {
    grown(1_000, 100_000, by_command);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_in_earnest() {
    grown(100, 100_000, in_earnest);
}
