//! Paths: chosen by the peer, proved by checks, bounded in number.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::SocketAddr;

use common::{Check, World, credentials};
use core::time::Duration;
use salon_transport::{DropReason, Event, Fingerprint, IceCredentials, Path, PeerSpec, Setup};
use str0m::config::DtlsVersion;

const S: Duration = Duration::from_secs(1);

fn alone(w: &mut World, name: &str) -> (IceCredentials, salon_transport::PeerId) {
    let ours = credentials(name);
    let spec = PeerSpec {
        local: ours.clone(),
        remote: None,
        remote_fingerprint: Fingerprint([0; 32]),
        setup: Setup::Passive,
    };
    let peer = w.transport.add_peer(w.now, spec).unwrap();
    (ours, peer)
}

fn from(n: u16) -> SocketAddr {
    ([10, 0, 0, 5], n).into()
}

#[test]
fn a_client_behind_a_rebound_nat_is_heard_again_after_its_next_check_and_media_goes_there() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    w.assert_media(n, 1);
    let (before, peer) = (w.clients[n].outside, w.clients[n].peer);
    let after: SocketAddr = "198.51.100.7:61000".parse().unwrap();
    w.clients[n].outside = after;
    let moved = w.now;

    w.say(n, b"too early");
    w.run(2 * common::DELAY);
    assert_eq!(w.drops.last(), Some(&DropReason::SrtpForeign), "media alone proves nothing");
    assert_eq!(w.transport.path(peer).unwrap().remote, before, "and moves nothing");

    let path = Path { local: w.local, remote: after };
    assert!(w.run_until(10 * S, |w| w.happened(|e| *e == Event::PathChanged { peer, path })));
    let check = w.sent.iter().rev().find(|(_, d)| d.is_stun() && d.path.remote == after).unwrap().0;
    assert_eq!(w.now, check, "at the very check");
    assert!(w.now.since(moved) < 5 * S);
    w.assert_media(n, 2);
    let late = w.sent.iter().filter(|(t, d)| *t > check && d.path.remote == before).count();
    assert_eq!(late, 0, "nothing goes where nobody is");
}

/// As Firefox does: it nominates once, and its later checks are plain.
#[test]
fn a_client_that_nominates_only_once_is_followed_by_what_it_sends() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    w.assert_media(n, 1);
    let (before, peer) = (w.clients[n].outside, w.clients[n].peer);
    let ours = w.transport.local_credentials(peer).unwrap().clone();
    let theirs = w.clients[n].rtc.direct_api().local_ice_credentials().ufrag;
    w.wire = Box::new(|_, d| !(d.to_us && d.is_stun()));
    let after: SocketAddr = "198.51.100.7:61000".parse().unwrap();
    w.clients[n].outside = after;
    let moved = w.now;
    assert_eq!(w.hand(after, &Check::new(&ours, &theirs, 900).bytes()), None);
    assert_eq!(
        w.transport.path(peer).unwrap().remote,
        before,
        "a check from a path in reserve moves nothing"
    );
    let heard = w.received.len();
    while w.transport.path(peer).unwrap().remote == before {
        w.say(n, b"here");
        w.run(Duration::from_millis(20));
        assert!(w.now.since(moved) < S);
    }
    assert!(w.received.len() > heard + 10, "what it says is heard from the check on");
    w.assert_media(n, 2);
    assert_eq!(w.events.len(), 2, "{:?}", w.events);

    // A packet that comes late on the old path does not undo it.
    w.clients[n].outside = before;
    w.say(n, b"late");
    w.run(2 * common::DELAY);
    assert!(w.received.iter().any(|(_, b)| b.ends_with(b"late")));
    assert_eq!(w.transport.path(peer).unwrap().remote, after);

    // One that only listens is followed by its checks.
    w.wire = Box::new(|_, d| !d.to_us);
    w.run(3 * S);
    let third: SocketAddr = "198.51.100.7:61001".parse().unwrap();
    assert_eq!(w.hand(third, &Check::new(&ours, &theirs, 901).bytes()), None);
    assert_eq!(w.transport.path(peer).unwrap().remote, third);
}

#[test]
fn the_newest_use_candidate_wins_whatever_its_priority() {
    let mut w = World::new();
    let (ours, peer) = alone(&mut w, "us");
    let say = |w: &mut World, n: u16, transaction: u64, priority: u32, nominates: bool| {
        let check = Check { priority, nominates, ..Check::new(&ours, "them", transaction) };
        assert_eq!(w.hand(from(n), &check.bytes()), None);
        w.transport.path(peer).map(|p| p.remote.port())
    };
    assert_eq!(say(&mut w, 1, 1, 9_000, false), None, "a check alone chooses nothing");
    assert_eq!(say(&mut w, 1, 2, 9_000, true), Some(1));
    assert_eq!(say(&mut w, 2, 3, 1, true), Some(2), "lower priority");
    assert_eq!(say(&mut w, 1, 4, 9_000, false), Some(2));
    assert_eq!(say(&mut w, 3, 5, u32::MAX, false), Some(2));
    assert_eq!(say(&mut w, 1, 6, 9_000, true), Some(1), "and back");
    for transaction in 100..200 {
        let n = (transaction % 3 + 1) as u16;
        assert_eq!(say(&mut w, n, transaction, 5, true), Some(n));
    }
}

#[test]
fn answers_leave_from_the_address_that_was_asked() {
    let mut w = World::new();
    let (ours, peer) = alone(&mut w, "us");
    let mut bytes = Check::new(&ours, "them", 1).nominating().bytes();
    let other = Path { local: "198.51.100.1:3478".parse().unwrap(), remote: from(1) };
    w.transport.handle_datagram(w.now, other, &mut bytes);
    w.poll();
    assert_eq!(w.sent[0].1.path, other);
    assert_eq!(w.transport.path(peer), Some(other));
    let v6 =
        Path { local: "[2001:db8::1]:3478".parse().unwrap(), remote: "[2001:db8::2]:5".parse().unwrap() };
    let mut bytes = Check::new(&ours, "them", 2).nominating().bytes();
    w.transport.handle_datagram(w.now, v6, &mut bytes);
    w.poll();
    assert_eq!(w.sent[1].1.path, v6);
    assert_eq!(w.transport.path(peer), Some(v6));
}

#[test]
fn more_than_sixteen_addresses_a_minute_are_refused_before_anybody_remembers_them() {
    let mut w = World::new();
    let (ours, peer) = alone(&mut w, "us");
    let check = |t: u64| Check::new(&ours, "them", t).nominating().bytes();
    for n in 1..=16 {
        assert_eq!(w.hand(from(n), &check(u64::from(n))), None);
    }
    for n in 17..2_000 {
        assert_eq!(w.hand(from(n), &check(u64::from(n))), Some(DropReason::StunTooManyAddresses));
    }
    assert_eq!(w.transport.path(peer).unwrap().remote, from(16));
    assert_eq!(w.hand(from(3), &check(5_000)), None, "known ones go on");
    assert_eq!(w.transport.path(peer).unwrap().remote, from(3));
}

#[test]
fn hours_of_wandering_cost_no_memory() {
    let mut w = World::new();
    // Connected, so that it lives that long.
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let (peer, local) = (w.clients[n].peer, w.local);
    w.clients[n].alive = false;
    let ours = w.transport.local_credentials(peer).unwrap().clone();
    let theirs = w.clients[n].rtc.direct_api().local_ice_credentials().ufrag;
    let mut serial = 10u16;
    let mut wander = |w: &mut World, steps: u16| {
        for _ in 0..steps {
            w.now = w.now.plus(4 * S);
            serial += 1;
            let mut bytes = Check::new(&ours, &theirs, serial.into()).nominating().bytes();
            w.transport.handle_datagram(w.now, Path { local, remote: from(serial) }, &mut bytes);
            let mut out = [0; 1500];
            assert!(w.transport.poll_transmit(w.now, &mut out).is_some(), "{serial}");
            while w.transport.poll_event().is_some() {}
            w.transport.handle_timeout(w.now);
        }
        w.transport.check();
    };
    wander(&mut w, 700);
    let info = allocation_counter::measure(|| wander(&mut w, 4_000));
    assert!(info.bytes_current < 64 * 1024, "{} bytes more", info.bytes_current);
    assert_eq!(w.transport.path(peer).unwrap().remote, from(serial));
}

#[test]
fn nobody_takes_the_address_of_somebody_who_was_heard_there_of_late() {
    let mut w = World::new();
    let (a, peer_a) = alone(&mut w, "aaaa");
    let (b, peer_b) = alone(&mut w, "bbbb");
    assert_eq!(w.hand(from(1), &Check::new(&a, "them", 1).nominating().bytes()), None);
    w.now = w.now.plus(Duration::from_micros(8 * 1_000_000 - 1));
    let check = Check::new(&b, "them", 2).nominating().bytes();
    assert_eq!(w.hand(from(1), &check), Some(DropReason::StunAddressTaken));
    let path = |n| Path { local: w.local, remote: from(n) };
    assert!(w.transport.holds(w.now, path(1)) && !w.transport.holds(w.now, path(2)));
    w.now = w.now.plus(Duration::from_micros(1));
    assert!(!w.transport.holds(w.now, path(1)));
    assert_eq!(w.hand(from(1), &check), None, "a NAT gave it to somebody else");
    assert_eq!(w.transport.path(peer_b).unwrap().remote, from(1));
    assert_eq!(w.transport.path(peer_a), None);
}

#[test]
fn an_ice_restart_keeps_keys_and_media_and_ends_the_old_password_at_the_first_new_check() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    w.assert_media(n, 1);
    let peer = w.clients[n].peer;
    let old = w.transport.local_credentials(peer).unwrap().clone();
    let old_theirs = w.clients[n].rtc.direct_api().local_ice_credentials().ufrag;
    let (new, theirs) = (credentials("new"), credentials("newthem"));
    w.transport.restart_ice(w.now, peer, new.clone(), theirs.clone()).unwrap();
    assert_eq!(w.transport.local_credentials(peer), Some(&new));

    // The peer has not yet got the answer: it goes on with the old ones, for as long as it likes.
    w.run(20 * S);
    w.assert_media(n, 2);
    assert_eq!(w.events.len(), 1, "{:?}", w.events);

    let at = w.clients[n].outside;
    assert_eq!(w.hand(at, &Check::new(&new, &old_theirs, 1).bytes()), Some(DropReason::StunBadIntegrity));
    assert_eq!(w.hand(at, &Check::new(&old, &old_theirs, 2).bytes()), None);
    let elsewhere = from(99);
    assert_eq!(w.hand(elsewhere, &Check::new(&new, &theirs.ufrag, 3).nominating().bytes()), None);
    assert_eq!(w.hand(at, &Check::new(&old, &old_theirs, 4).bytes()), Some(DropReason::StunUnknownUser));
    assert!(w.happened(|e| matches!(e, Event::PathChanged { path, .. } if path.remote == elsewhere)));
    assert_eq!(w.transport.counters().handshakes_begun, 1, "no new handshake");
    assert!(w.tell(n, 3, b"same keys"));
    // The client's media still comes from its old address, and opens.
    w.say(n, b"still here");
    w.run(3 * common::DELAY);
    assert!(w.received.iter().any(|(_, b)| b.ends_with(b"still here")));
}

#[test]
fn a_restart_that_the_peer_never_followed_is_replaced_by_the_next() {
    let mut w = World::new();
    let (old, peer) = alone(&mut w, "us");
    assert_eq!(w.hand(from(1), &Check::new(&old, "them", 1).nominating().bytes()), None);
    let them = credentials("them");
    let (one, two) = (credentials("one"), credentials("two"));
    w.transport.restart_ice(w.now, peer, one.clone(), them.clone()).unwrap();
    w.transport.restart_ice(w.now, peer, two.clone(), them.clone()).unwrap();
    w.transport.check();
    assert_eq!(w.hand(from(1), &Check::new(&old, "them", 2).bytes()), None, "what worked still works");
    assert_eq!(w.hand(from(1), &Check::new(&one, &them.ufrag, 3).bytes()), Some(DropReason::StunUnknownUser));
    assert_eq!(w.hand(from(1), &Check::new(&two, &them.ufrag, 4).bytes()), None);
    assert_eq!(w.hand(from(1), &Check::new(&old, "them", 5).bytes()), Some(DropReason::StunUnknownUser));
    // A ufrag that ended may come again; one in use may not.
    assert_eq!(
        w.transport.restart_ice(w.now, peer, two, them.clone()),
        Err(salon_transport::Refused::UfragInUse)
    );
    assert_eq!(w.transport.restart_ice(w.now, peer, old, them), Ok(()));
    w.transport.check();
}
