//! Foreign handshakes, media and checks: dropped by name, unanswered, without any effect on the call.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::net::SocketAddr;

use common::{Check, World, attribute, credentials, finish};
use core::time::Duration;
use salon_transport::{DropReason, Event, Fingerprint, GoneReason, IceCredentials, PeerSpec, Setup};
use str0m::config::DtlsVersion;

const HELLO: [&[u8]; 2] =
    [include_bytes!("data/chromium-hello-1.bin"), include_bytes!("data/chromium-hello-2.bin")];

fn stranger() -> SocketAddr {
    "203.0.113.66:6666".parse().unwrap()
}

fn alone(w: &mut World) -> IceCredentials {
    let ours = credentials("us");
    let spec = PeerSpec {
        local: ours.clone(),
        remote: Some(credentials("them")),
        remote_fingerprint: Fingerprint([0; 32]),
        setup: Setup::Passive,
    };
    w.transport.add_peer(w.now, spec).unwrap();
    ours
}

/// At every datagram of a call's beginning a stranger speaks up, each time with everything that it has.
#[test]
fn a_stranger_who_says_hello_in_any_state_is_not_heard_and_the_call_is_set_up() {
    for setup in [Setup::Passive, Setup::Active] {
        let mut w = World::new();
        let n = w.join(setup, DtlsVersion::Dtls12);
        let plain = {
            let mut w = World::new();
            let n = w.join(setup, DtlsVersion::Dtls12);
            w.connect(n)
        };
        let peer = w.clients[n].peer;
        let ufrag = w.transport.local_credentials(peer).unwrap().clone();
        let from = w.now;
        let mut said = 0;
        while !w.is_linked(n) {
            for piece in HELLO {
                assert_eq!(w.hand(stranger(), piece), Some(DropReason::DtlsForeign));
            }
            assert_eq!(w.hand(stranger(), &[0x80; 60]), Some(DropReason::SrtpForeign));
            assert_eq!(
                w.hand(stranger(), &[0x80, 200, 0, 9, 5, 5, 5, 5, 5, 5]),
                Some(DropReason::SrtpForeign)
            );
            let check = Check::new(&ufrag, "whoever", said).nominating();
            assert_eq!(
                w.hand(stranger(), &check.signed("not the password at all")),
                Some(DropReason::StunBadIntegrity)
            );
            said += 1;
            w.run(Duration::from_millis(1));
            assert!(said < 2_000);
        }
        assert!(said > 50);
        // Within one round trip of an undisturbed one.
        assert!(
            w.now.since(from) <= plain + 2 * common::DELAY + Duration::from_millis(2),
            "{:?} {plain:?}",
            w.now.since(from)
        );
        w.assert_media(n, 1);
        assert!(w.sent.iter().all(|(_, d)| d.path.remote != stranger()), "nothing is sent there");
    }
}

#[test]
fn forged_media_from_the_right_address_changes_nothing() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    let at = w.clients[n].outside;
    w.run_until(Duration::from_secs(2), |w| w.transport.counters().checks > 0);
    assert_eq!(w.hand(at, &[0x80; 60]), Some(DropReason::SrtpNoKeys));
    w.connect(n);
    w.assert_media(n, 1);
    let heard = w.events.len();
    for _ in 0..10_000 {
        assert_eq!(w.hand(at, &[0x80; 60]), Some(DropReason::SrtpBadTag));
    }
    assert_eq!(w.hand(at, &[0x80; 13]), Some(DropReason::SrtpTooShort));
    assert_eq!(w.events.len(), heard);
    w.assert_media(n, 2);
    assert_eq!(w.transport.counters().dropped(DropReason::SrtpBadTag), 10_000);
}

#[test]
fn what_was_heard_once_is_not_heard_again_though_its_sender_be_right() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let caught = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let into = caught.clone();
    w.wire = Box::new(move |_, d| {
        if d.to_us && d.is_media() {
            into.borrow_mut().push(d.bytes.clone());
        }
        true
    });
    w.assert_media(n, 1);
    let (at, packet) = (w.clients[n].outside, caught.borrow()[0].clone());
    assert_eq!(w.hand(at, &packet), Some(DropReason::SrtpReplayed));
    assert_eq!(w.hand(stranger(), &packet), Some(DropReason::SrtpForeign));
}

#[test]
fn media_does_not_keep_a_forger_alive_and_forgeries_do_not_keep_the_dead_alive() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let (at, peer) = (w.clients[n].outside, w.clients[n].peer);
    w.clients[n].alive = false;
    for _ in 0..40 {
        w.run(Duration::from_secs(1));
        w.hand(at, &[0x80; 60]);
        w.hand(at, &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    }
    assert!(w.happened(|e| *e == Event::Gone { peer, reason: GoneReason::Silence }));
}

#[test]
fn a_check_that_was_overheard_does_not_work_from_elsewhere() {
    let mut w = World::new();
    let ours = alone(&mut w);
    let them = credentials("them");
    let real: SocketAddr = "10.0.0.5:5".parse().unwrap();
    let check = Check::new(&ours, &them.ufrag, 77).nominating().bytes();
    assert_eq!(w.hand(real, &check), None);
    assert_eq!(w.hand(stranger(), &check), Some(DropReason::StunReplayed));
    assert_eq!(w.hand(real, &check), None, "a repetition is answered");
    assert_eq!(w.sent.len(), 2);
    assert!(w.sent.iter().all(|(_, d)| d.path.remote == real));
}

#[test]
fn odd_messages_with_the_right_password_are_dropped_by_name_too() {
    let mut w = World::new();
    let ours = alone(&mut w);
    let user = attribute(0x0006, format!("{}:{}", ours.ufrag, credentials("them").ufrag).as_bytes());
    let prio = attribute(0x0024, &[0, 0, 0, 1]);
    let with = |parts: &[&[u8]]| parts.concat();
    let mut hand = |kind: [u8; 2], body: Vec<u8>| w.hand(stranger(), &finish(kind, 5, body, &ours.pwd));
    let request = [0x00, 0x01];
    assert_eq!(hand([0x00, 0x11], with(&[&user])), Some(DropReason::StunUnexpected), "an indication");
    assert_eq!(
        hand([0x01, 0x01], with(&[&attribute(0x20, &[0, 1, 0, 9, 1, 2, 3, 4])])),
        Some(DropReason::StunUnexpected)
    );
    assert_eq!(hand([0x00, 0x03], with(&[&user])), Some(DropReason::StunUnexpected), "TURN");
    assert_eq!(hand([0x03, 0xff], with(&[&user])), Some(DropReason::StunUnexpected), "no method");
    assert_eq!(hand(request, prio.clone()), Some(DropReason::StunNoUsername));
    assert_eq!(hand(request, user.clone()), Some(DropReason::StunMalformed), "no priority");
    assert_eq!(
        hand(request, with(&[&attribute(0x0006, b"nocolon"), &prio])),
        Some(DropReason::StunNoUsername)
    );
    assert_eq!(
        hand(request, with(&[&attribute(0x0006, b"nobody:else"), &prio])),
        Some(DropReason::StunUnknownUser)
    );
    let short = attribute(0x0020, &[0]);
    assert_eq!(
        hand(request, with(&[&user, &prio, &short])),
        Some(DropReason::StunMalformed),
        "a short address"
    );
    let reason = attribute(0x0009, &[0, 0, 4, 0, 0xff, 0xfe]);
    assert_eq!(hand(request, with(&[&user, &prio, &reason])), Some(DropReason::StunMalformed), "no UTF-8");
    let foreign = attribute(0x0006, format!("{}:somebody", ours.ufrag).as_bytes());
    assert_eq!(
        hand(request, with(&[&foreign, &prio])),
        Some(DropReason::StunBadIntegrity),
        "not the peer's half"
    );
    assert!(w.sent.is_empty());
}

#[test]
fn who_takes_the_wrong_role_is_told_so_and_chooses_nothing() {
    let mut w = World::new();
    let ours = alone(&mut w);
    let them = credentials("them");
    let check = Check { controlled: true, ..Check::new(&ours, &them.ufrag, 1).nominating() };
    assert_eq!(w.hand(stranger(), &check.bytes()), None);
    let (_, answer) = &w.sent[0];
    assert_eq!(answer.bytes[..2], [0x01, 0x11], "a binding error");
    assert!(answer.bytes.windows(4).any(|b| b == [0, 0, 4, 87]), "487");
    assert_eq!(w.hand(stranger(), HELLO[0]), Some(DropReason::DtlsForeign));
    assert_eq!(w.transport.counters().checks, 1);
}

#[test]
fn two_hundred_thousand_invalid_checks_get_no_answer_and_leave_nothing() {
    let mut w = World::new();
    let ours = alone(&mut w);
    let them = credentials("them");
    let good = Check::new(&ours, &them.ufrag, 1);
    let forged = good.signed("a password of somebody else");
    let unknown = Check { ours: &credentials("nobody"), ..Check::new(&ours, &them.ufrag, 2) }.bytes();
    let mut bare = forged.clone();
    bare.truncate(bare.len() - 24);
    let n = bare.len() as u16 - 20;
    bare[2..4].copy_from_slice(&n.to_be_bytes());
    let local = w.local;
    let flood = |w: &mut World, times: u32| {
        for i in 0..times {
            let remote =
                SocketAddr::from(([i as u8, (i >> 8) as u8, (i >> 16) as u8, 7], 1000 + i as u16 % 1000));
            let path = salon_transport::Path { local, remote };
            for message in [&forged, &unknown, &bare] {
                let mut buffer = [0; 200];
                let bytes = &mut buffer[..message.len()];
                bytes.copy_from_slice(message);
                bytes[8] = i as u8;
                let received = w.transport.handle_datagram(w.now, path, bytes);
                assert!(matches!(received, salon_transport::Received::Dropped(_)));
            }
        }
    };
    flood(&mut w, 1_000);
    let mut held = 0;
    let info = allocation_counter::measure(|| flood(&mut w, 66_667));
    held += info.bytes_current;
    assert_eq!(held, 0, "nothing grows");
    w.poll();
    assert!(w.sent.is_empty(), "no answer");
    assert!(w.transport.poll_event().is_none());
    let c = w.transport.counters();
    assert_eq!(c.dropped(DropReason::StunBadIntegrity), 67_667);
    assert_eq!(c.dropped(DropReason::StunUnknownUser), 67_667);
    assert_eq!(c.dropped(DropReason::StunNoIntegrity), 67_667);
    assert_eq!(w.hand(stranger(), &good.bytes()), None, "the real one still comes through");
}

#[test]
fn a_stranger_without_a_name_of_ours_costs_no_allocation() {
    let mut w = World::new();
    let ours = alone(&mut w);
    let unknown = Check { ours: &credentials("nobody"), ..Check::new(&ours, "them", 2) }.bytes();
    let path = salon_transport::Path { local: w.local, remote: stranger() };
    let info = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            for bytes in [&unknown[..], &[0x80; 60], HELLO[0], &[0xff; 30], &[]] {
                let mut buffer = [0; 1500];
                buffer[..bytes.len()].copy_from_slice(bytes);
                w.transport.handle_datagram(w.now, path, &mut buffer[..bytes.len()]);
            }
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn no_mutation_of_a_check_with_the_right_password_does_harm() {
    // A participant has a password too, and may be malicious: any bytes below a valid integrity.
    let mut w = World::new();
    let ours = alone(&mut w);
    let them = credentials("them");
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let kinds = [
        0x1, 0x6, 0x8, 0x9, 0xa, 0xc, 0xd, 0x12, 0x13, 0x14, 0x15, 0x16, 0x20, 0x22, 0x24, 0x25, 0x8023,
        0x8028, 0x8029, 0x802a, 0xc057,
    ];
    for i in 0..50_000 {
        let mut body = attribute(0x0006, format!("{}:{}", ours.ufrag, them.ufrag).as_bytes());
        if random() % 4 != 0 {
            body.extend(attribute(0x0024, &[1; 4]));
        }
        for _ in 0..random() % 4 {
            let value: Vec<u8> = (0..random() % 24).map(|_| random() as u8 % 8).collect();
            body.extend(attribute(kinds[random() % kinds.len()], &value));
        }
        let mut message = finish([0x00, 0x01], i, body, &ours.pwd);
        if random() % 3 == 0 {
            let at = random() % message.len();
            message[at] ^= 1 << (random() % 8);
        }
        w.hand("10.0.0.5:5".parse().unwrap(), &message);
        w.sent.clear();
    }
    assert_eq!(w.transport.len(), 1);
    assert!(w.transport.counters().checks > 1_000, "{:?}", w.transport.counters());
}
