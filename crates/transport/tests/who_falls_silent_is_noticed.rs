//! Liveness, ends, and what they leave behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Check, World, credentials};
use core::time::Duration;
use salon_rtp::Time;
use salon_transport::{Config, DropReason, Event, Fingerprint, GoneReason, PeerSpec, Refused, Setup};
use str0m::config::DtlsVersion;

const S: Duration = Duration::from_secs(1);
const US: Duration = Duration::from_micros(1);

/// A connected client, killed; and the moment at which it was heard last.
fn killed(w: &mut World) -> (usize, Time) {
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    w.run(S);
    w.clients[n].alive = false;
    let mut bytes = Vec::new();
    w.run(3 * common::DELAY);
    // One more check, at a time that we know.
    let (peer, at) = (w.clients[n].peer, w.clients[n].outside);
    let ours = w.transport.local_credentials(peer).unwrap().clone();
    let theirs = w.clients[n].rtc.direct_api().local_ice_credentials().ufrag;
    bytes.extend(Check::new(&ours, &theirs, 9).nominating().bytes());
    assert_eq!(w.hand(at, &bytes), None);
    w.events.clear();
    (n, w.now)
}

#[test]
fn silent_after_8_s_and_gone_after_30_s_to_the_microsecond() {
    let mut w = World::new();
    let (n, heard) = killed(&mut w);
    let peer = w.clients[n].peer;
    w.run(100 * S);
    let (silent, gone) = (Event::Silent { peer }, Event::Gone { peer, reason: GoneReason::Silence });
    assert_eq!(w.events, [(heard.plus(8 * S), silent), (heard.plus(30 * S), gone)]);
    assert!(w.transport.is_empty());
    assert_eq!(w.transport.poll_timeout(), None);
}

#[test]
fn a_timer_that_fires_a_microsecond_early_does_nothing() {
    let mut w = World::new();
    let (n, heard) = killed(&mut w);
    let peer = w.clients[n].peer;
    let at = |w: &mut World, t: Time| {
        w.transport.handle_timeout(t);
        w.transport.poll_event()
    };
    assert_eq!(at(&mut w, heard.plus(8 * S - US)), None);
    assert_eq!(at(&mut w, heard.plus(8 * S)), Some(Event::Silent { peer }));
    assert_eq!(at(&mut w, heard.plus(30 * S - US)), None);
    assert_eq!(at(&mut w, heard.plus(30 * S)), Some(Event::Gone { peer, reason: GoneReason::Silence }));
}

#[test]
fn whoever_is_heard_again_is_back_and_one_that_was_silent_between_two_polls_is_not_mentioned() {
    let mut w = World::new();
    let (n, heard) = killed(&mut w);
    let (peer, from) = (w.clients[n].peer, w.clients[n].outside);
    let ours = w.transport.local_credentials(peer).unwrap().clone();
    let theirs = w.clients[n].rtc.direct_api().local_ice_credentials().ufrag;
    let check = |t: u64| Check::new(&ours, &theirs, t).bytes();
    w.run(20 * S);
    assert_eq!(w.hand(from, &check(10)), None);
    let back = w.now;
    assert_eq!(w.events, [(heard.plus(8 * S), Event::Silent { peer }), (back, Event::Back { peer })]);
    w.events.clear();
    // Silent and back, and nobody asked in between.
    w.transport.handle_timeout(back.plus(8 * S));
    w.now = back.plus(9 * S);
    assert_eq!(w.hand(from, &check(11)), None);
    assert_eq!(w.events, []);
    w.run(60 * S);
    let heard = back.plus(9 * S);
    assert_eq!(w.events[0], (heard.plus(8 * S), Event::Silent { peer }));
}

#[test]
fn media_alone_keeps_a_peer_alive() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    w.wire = Box::new(|_, d| !d.is_stun());
    for index in 1..15 {
        w.assert_media(n, index);
        w.run(S);
    }
    assert_eq!(w.events.len(), 1, "{:?}", w.events);
}

#[test]
fn who_never_connects_is_gone_after_30_s_though_its_checks_go_on() {
    let mut w = World::new();
    let ours = credentials("us");
    let spec = PeerSpec {
        local: ours.clone(),
        remote: None,
        remote_fingerprint: Fingerprint([0; 32]),
        setup: Setup::Passive,
    };
    let (peer, added) = (w.transport.add_peer(w.now, spec).unwrap(), w.now);
    for t in 0..40 {
        w.hand("10.0.0.9:9".parse().unwrap(), &Check::new(&ours, "them", t).nominating().bytes());
        w.run(S);
    }
    assert_eq!(w.events, [(added.plus(30 * S), Event::Gone { peer, reason: GoneReason::NeverConnected })]);
    assert_eq!(w.transport.counters().checks, 30);
}

#[test]
fn a_wrong_certificate_ends_the_peer_and_no_key_is_ever_used() {
    for setup in [Setup::Passive, Setup::Active] {
        let mut w = World::new();
        let n = w.join_with(setup, DtlsVersion::Dtls12, |spec| PeerSpec {
            remote_fingerprint: Fingerprint([0xab; 32]),
            ..spec
        });
        let peer = w.clients[n].peer;
        let mut linked = false;
        w.run_until(10 * S, |w| {
            linked |= w.clients[n].connected;
            !w.events.is_empty()
        });
        assert_eq!(w.events.len(), 1);
        assert_eq!(w.events[0].1, Event::Gone { peer, reason: GoneReason::WrongFingerprint });
        assert!(!w.tell(n, 1, b"secret"));
        assert_eq!(w.transport.counters().connected, 0);
        assert!(w.sent.iter().all(|(_, d)| !d.is_media()));
        assert!(w.transport.is_empty());
    }
}

#[test]
fn who_closes_is_gone_at_once() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let m = w.join(Setup::Active, DtlsVersion::Dtls12);
    w.connect(m);
    // Ours: the client hears of it.
    w.transport.remove_peer(w.now, w.clients[n].peer);
    w.poll();
    assert!(
        w.sent.last().is_some_and(|(_, d)| d.is_dtls() && d.path.remote == w.clients[n].outside),
        "close_notify"
    );
    assert_eq!(w.transport.len(), 1);
    assert!(!w.happened(|e| matches!(e, Event::Gone { .. })), "who removes knows it");
    w.transport.remove_peer(w.now, w.clients[n].peer);
    w.assert_media(m, 1);
}

#[test]
fn whoever_says_goodbye_is_gone_at_once() {
    for setup in [Setup::Passive, Setup::Active] {
        let mut w = World::new();
        let n = w.join(setup, DtlsVersion::Dtls12);
        w.connect(n);
        let peer = w.clients[n].peer;
        w.bye(n);
        w.run(2 * common::DELAY);
        assert!(w.happened(|e| *e == Event::Gone { peer, reason: GoneReason::Closed }), "{:?}", w.events);
        assert!(w.transport.is_empty());
    }
}

#[test]
fn nothing_is_left_of_who_is_removed_in_any_state() {
    for setup in [Setup::Passive, Setup::Active] {
        for ms in (0..400).step_by(5) {
            let mut w = World::new();
            let n = w.join(setup, DtlsVersion::Dtls12);
            w.run(Duration::from_millis(ms));
            let (peer, at) = (w.clients[n].peer, w.clients[n].outside);
            let ours = w.transport.local_credentials(peer).unwrap().clone();
            w.transport.remove_peer(w.now, peer);
            w.transport.check();
            assert!(w.transport.is_empty());
            assert_eq!(w.transport.poll_timeout(), None);
            assert_eq!(w.transport.path(peer), None);
            assert!(w.transport.link(peer).is_none());
            assert_eq!(
                w.transport.restart_ice(w.now, peer, credentials("a"), credentials("b")),
                Err(Refused::NoSuchPeer)
            );
            assert_eq!(w.hand(at, &Check::new(&ours, "them", 1).bytes()), Some(DropReason::StunUnknownUser));
            assert_eq!(w.hand(at, &[0x80; 60]), Some(DropReason::SrtpForeign));
            assert_eq!(w.hand(at, &[22; 60]), Some(DropReason::DtlsForeign));
            assert!(!w.happened(|e| matches!(e, Event::Gone { .. })));
            let spec =
                PeerSpec { local: ours, remote: None, remote_fingerprint: Fingerprint([0; 32]), setup };
            assert_ne!(w.transport.add_peer(w.now, spec), Ok(peer), "a stale id never means another");
        }
    }
}

#[test]
fn what_must_not_be_added_is_refused_with_a_reason() {
    let mut w = World::with(Config { max_peers: 2, ..Config::default() });
    let spec = |name: &str| PeerSpec {
        local: credentials(name),
        remote: None,
        remote_fingerprint: Fingerprint([0; 32]),
        setup: Setup::Passive,
    };
    let a = w.transport.add_peer(w.now, spec("a")).unwrap();
    assert_eq!(w.transport.add_peer(w.now, spec("a")), Err(Refused::UfragInUse));
    assert_eq!(w.transport.add_peer(w.now, spec("ä")), Err(Refused::BadCredentials));
    w.transport.add_peer(w.now, spec("b")).unwrap();
    assert_eq!(w.transport.add_peer(w.now, spec("c")), Err(Refused::TooManyPeers));
    assert_eq!(
        w.transport.restart_ice(w.now, a, credentials("b"), credentials("x")),
        Err(Refused::UfragInUse)
    );
    w.transport.check();
    w.transport.remove_peer(w.now, a);
    w.transport.add_peer(w.now, spec("a")).unwrap();
}

#[test]
fn handshakes_under_way_are_bounded_and_the_others_follow() {
    let mut w = World::with(Config { max_handshakes: 2, ..Config::default() });
    let all: Vec<_> = (0..8).map(|_| w.join(Setup::Passive, DtlsVersion::Dtls12)).collect();
    let done = w.run_until(20 * S, |w| {
        assert!(w.transport.counters().handshakes <= 2);
        all.iter().all(|&n| w.is_linked(n))
    });
    assert!(done);
    assert!(w.transport.counters().dropped(DropReason::DtlsTooMany) > 0);
}
