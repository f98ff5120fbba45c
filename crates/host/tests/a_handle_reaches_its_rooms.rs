//! What a program that holds a [`Handle`] can rely on, without any client: rooms come and go, and stale ids hurt nobody.

// Helpers outside a #[test] function may fail a test, too.
#![allow(clippy::unwrap_used)]
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use salon_host::sfu::{Constraint, EncodingSpec, Feedback, SlotPayload, SlotSpec, Source, TrackSpec};
use salon_host::transport::{Fingerprint, IceCredentials, Setup};
use salon_host::{Handle, Host, HostConfig, HostEvent, Join, JoinError, Joined, Update};
use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Codec, MediaKind, Pt};

/// Far beyond what any answer takes: what waits longer has failed.
const GUARD: Duration = Duration::from_secs(10);

fn host() -> Host {
    Host::start(HostConfig::new("127.0.0.1:0".parse().unwrap())).unwrap()
}

fn pt(v: u8) -> Pt {
    Pt::new(v).unwrap()
}

fn microphone() -> TrackSpec {
    TrackSpec {
        mid: None,
        source: Source::Microphone,
        codec: Codec::Opus,
        pt: pt(111),
        rtx_pt: None,
        encodings: vec![EncodingSpec::default()],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback::default(),
    }
}

fn ear() -> SlotSpec {
    SlotSpec {
        mid: None,
        kind: MediaKind::Audio,
        payloads: vec![SlotPayload { codec: Codec::Opus, pt: pt(111), rtx_pt: None }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback::default(),
    }
}

fn credentials() -> IceCredentials {
    IceCredentials { ufrag: "zK8e".into(), pwd: "aT5rG0bN3cV7xM1jL9wE4s".into() }
}

fn joining(label: u64, slots: usize) -> (Join, Receiver<HostEvent>) {
    let (tell, events) = channel();
    let join = Join {
        label,
        remote: credentials(),
        fingerprint: Fingerprint([7; 32]),
        setup: Setup::Passive,
        tracks: vec![microphone()],
        slots: vec![ear(); slots],
        events: Box::new(move |e| {
            let _ = tell.send(e);
        }),
    };
    (join, events)
}

fn join(handle: &Handle, room: &str, label: u64, slots: usize) -> Result<Joined, JoinError> {
    let (tell, answer) = channel();
    handle.join(room, joining(label, slots).0, move |r| tell.send(r).unwrap());
    answer.recv_timeout(GUARD).unwrap()
}

fn rooms(handle: &Handle) -> Vec<(String, usize)> {
    let (tell, answer) = channel();
    handle.report(None, move |r| tell.send(r).unwrap());
    let mut list: Vec<_> = (answer.recv_timeout(GUARD).unwrap().into_iter())
        .map(|r| (r.name, r.room.participants.len()))
        .collect();
    list.sort();
    list
}

#[test]
fn a_room_is_there_while_somebody_is() {
    let host = host();
    let handle = host.handle();
    let ada = join(&handle, "hall", 1, 1).unwrap();
    let grace = join(&handle, "hall", 2, 2).unwrap();
    let alan = join(&handle, "attic", 3, 0).unwrap();
    assert_eq!(grace.slots.len(), 2);
    assert_ne!(ada.slots[0].1.ssrc, grace.slots[0].1.ssrc);
    assert_ne!(ada.local.ufrag, grace.local.ufrag);
    assert_eq!(ada.local.ufrag.chars().next(), grace.local.ufrag.chars().next(), "it names the shard");
    assert_eq!(rooms(&handle), [("attic".into(), 1), ("hall".into(), 2)]);
    handle.leave(ada.member);
    handle.leave(alan.member);
    assert_eq!(rooms(&handle), [("hall".into(), 1)]);
}

#[test]
fn what_is_said_of_somebody_who_left_changes_nothing() {
    let host = host();
    let handle = host.handle();
    let ada = join(&handle, "hall", 1, 1).unwrap();
    let grace = join(&handle, "hall", 2, 1).unwrap();
    handle.leave(ada.member);
    handle.leave(ada.member);
    handle.constrain(ada.member, ada.slots[0].0, Constraint::default());
    handle.constrain(grace.member, ada.slots[0].0, Constraint::default());
    handle.mute(ada.member, ada.tracks[0], true);
    let (tell, answer) = channel();
    handle.update(ada.member, Update::default(), move |r| tell.send(r.map(drop)).unwrap());
    assert!(matches!(answer.recv_timeout(GUARD).unwrap(), Err(JoinError::Stale(_))));
    assert_eq!(rooms(&handle), [("hall".into(), 1)]);
}

#[test]
fn a_refused_join_leaves_no_room_and_no_peer_behind() {
    let host = host();
    let handle = host.handle();
    let refused = join(&handle, "hall", 1, salon_host::sfu::limits::SLOTS + 1);
    assert!(matches!(refused, Err(JoinError::Refused(_))), "{refused:?}");
    assert_eq!(rooms(&handle), []);
    let (tell, answer) = channel();
    handle.counters(move |c| tell.send(c).unwrap());
    let counters = answer.recv_timeout(GUARD).unwrap();
    assert_eq!((counters.rooms_now, counters.participants_now), (0, 0));
}

#[test]
fn malformed_credentials_are_called_that_and_cost_no_place() {
    let mut config = HostConfig::new("127.0.0.1:0".parse().unwrap());
    (config.max_participants, config.max_rooms) = (1, 1);
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    for remote in [
        IceCredentials { ufrag: "a:b2".into(), ..credentials() },
        IceCredentials { pwd: "short".into(), ..credentials() },
    ] {
        let (tell, answer) = channel();
        handle.join("hall", Join { remote, ..joining(1, 0).0 }, move |r| tell.send(r).unwrap());
        assert_eq!(answer.recv_timeout(GUARD).unwrap().unwrap_err(), JoinError::BadCredentials);
    }
    let ada = join(&handle, "attic", 1, 0).unwrap();
    let restart = IceCredentials { pwd: "short".into(), ..credentials() };
    let (tell, answer) = channel();
    let update = Update { restart: Some(restart), ..Update::default() };
    handle.update(ada.member, update, move |r| tell.send(r.map(drop)).unwrap());
    assert_eq!(answer.recv_timeout(GUARD).unwrap().unwrap_err(), JoinError::BadCredentials);
    assert_eq!(rooms(&handle), [("attic".into(), 1)], "who is in stays in");
}

/// What panics when it is thrown away.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a fault of ours");
    }
}

#[test]
fn who_fails_in_the_door_takes_no_place_along() {
    // The hook would print a backtrace for what is meant to happen here.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains("a fault of ours") {
            hook(info);
        }
    }));
    let mut config = HostConfig::new("127.0.0.1:0".parse().unwrap());
    (config.max_participants, config.max_rooms) = (1, 1);
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    for _ in 0..3 {
        // Refused for too many slots; then it is thrown away, on the media thread, in the midst of the join.
        let (mut bad, grenade) = (joining(1, salon_host::sfu::limits::SLOTS + 1).0, Grenade);
        bad.events = Box::new(move |_| {
            let _ = &grenade;
        });
        let (tell, answer) = channel();
        handle.join("haunted", bad, move |r| tell.send(r).unwrap());
        assert_eq!(answer.recv_timeout(GUARD).unwrap().unwrap_err(), JoinError::RoomFailed);
    }
    join(&handle, "hall", 2, 0).unwrap();
    assert_eq!(join(&handle, "hall", 3, 0).unwrap_err(), JoinError::TooManyParticipants);
    assert_eq!(rooms(&handle), [("hall".into(), 1)]);
}

#[test]
fn full_rooms_and_full_hosts_say_so() {
    let mut config = HostConfig::new("127.0.0.1:0".parse().unwrap());
    config.max_rooms = 1;
    config.room.participants = 2;
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    join(&handle, "hall", 1, 0).unwrap();
    join(&handle, "hall", 2, 0).unwrap();
    assert_eq!(join(&handle, "hall", 3, 0).unwrap_err(), JoinError::RoomFull);
    assert_eq!(join(&handle, "attic", 4, 0).unwrap_err(), JoinError::TooManyRooms);
}

#[test]
fn a_renegotiation_keeps_what_it_does_not_name() {
    let host = host();
    let handle = host.handle();
    let ada = join(&handle, "hall", 1, 2).unwrap();
    let update = Update {
        restart: Some(credentials()),
        unsubscribe: vec![ada.slots[1].0],
        subscribe: vec![ear()],
        ..Update::default()
    };
    let (tell, answer) = channel();
    handle.update(ada.member, update, move |r| tell.send(r).unwrap());
    let updated = answer.recv_timeout(GUARD).unwrap().unwrap();
    assert_ne!(updated.local, ada.local, "an ICE restart brings new credentials");
    assert_eq!(updated.slots.len(), 1);
    assert_ne!(updated.slots[0].1.ssrc, ada.slots[1].1.ssrc, "no SSRC twice in a room's life");
}

#[test]
fn a_host_that_has_ended_refuses_instead_of_losing() {
    let host = host();
    let handle = host.handle();
    let (ada, events) = joining(1, 0);
    let (tell, answer) = channel();
    handle.join("hall", ada, move |r| tell.send(r).unwrap());
    answer.recv_timeout(GUARD).unwrap().unwrap();
    drop(host);
    // The host is down: its side of the channel is closed, and later calls are refused instead of lost.
    assert!(events.iter().all(|e| !matches!(e, HostEvent::Connected)));
    assert_eq!(join(&handle, "hall", 2, 0).unwrap_err(), JoinError::Busy);
}

#[test]
fn more_commands_than_a_turn_takes_are_all_obeyed() {
    let host = host();
    let handle = host.handle();
    // A callback holds the thread up, so that all that follows is there when it goes on.
    let (go, wait) = channel::<()>();
    handle.counters(move |_| {
        let _ = wait.recv();
    });
    let (tell, answers) = channel();
    for _ in 0..4 * salon_host::limits::COMMANDS_PER_TURN {
        let tell = tell.clone();
        handle.counters(move |_| {
            let _ = tell.send(());
        });
    }
    drop(go);
    for _ in 0..4 * salon_host::limits::COMMANDS_PER_TURN {
        answers.recv_timeout(GUARD).unwrap();
    }
}
