//! A browser's ClientHello takes two datagrams; they may come in any order, twice, or one of them late.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Check, World, credentials};
use core::time::Duration;
use salon_transport::{DropReason, Fingerprint, PeerSpec, Setup};

const CHROMIUM: [&[u8]; 2] =
    [include_bytes!("data/chromium-hello-1.bin"), include_bytes!("data/chromium-hello-2.bin")];
const FIREFOX: [&[u8]; 2] =
    [include_bytes!("data/firefox-hello-1.bin"), include_bytes!("data/firefox-hello-2.bin")];

/// Whether a ServerHello has left: handshake record, message type 2 (RFC 5246 §7.4).
fn answered(w: &World) -> bool {
    w.sent.iter().any(|(_, d)| d.bytes[0] == 22 && d.bytes[13] == 2)
}

#[test]
fn the_hellos_of_chromium_and_firefox_are_answered_in_any_order() {
    for hello in [CHROMIUM, FIREFOX] {
        for order in [&[0, 1][..], &[1, 0], &[0, 0, 1], &[1, 1, 0], &[1, 0, 1, 0]] {
            let mut w = World::new();
            let ours = credentials("us");
            let spec = PeerSpec {
                local: ours.clone(),
                remote: Some(credentials("them")),
                remote_fingerprint: Fingerprint([0; 32]),
                setup: Setup::Passive,
            };
            w.transport.add_peer(w.now, spec).unwrap();
            let from = "10.0.0.9:9".parse().unwrap();
            assert_eq!(w.hand(from, hello[0]), Some(DropReason::DtlsForeign), "not before a check");
            assert_eq!(
                w.hand(from, &Check::new(&ours, &credentials("them").ufrag, 1).nominating().bytes()),
                None
            );
            for &piece in order {
                assert_eq!(w.hand(from, hello[piece]), None);
                w.run(Duration::from_millis(1));
            }
            assert!(answered(&w), "{order:?}");
            assert!(w.sent.iter().all(|(_, d)| d.path.remote == from && d.bytes.len() <= 1200));
        }
    }
}

#[test]
fn half_a_hello_holds_little_and_ends_with_the_peer() {
    let mut w = World::new();
    let ours = credentials("us");
    let spec = PeerSpec {
        local: ours.clone(),
        remote: None,
        remote_fingerprint: Fingerprint([0; 32]),
        setup: Setup::Passive,
    };
    w.transport.add_peer(w.now, spec).unwrap();
    let from = "10.0.0.9:9".parse().unwrap();
    assert_eq!(w.hand(from, &Check::new(&ours, "them", 1).nominating().bytes()), None);
    for _ in 0..1_000 {
        w.hand(from, CHROMIUM[1]);
    }
    assert!(!answered(&w));
    assert_eq!(w.transport.counters().handshakes, 1);
    w.run(Duration::from_secs(30));
    assert!(w.transport.is_empty());
    assert_eq!(w.transport.counters().handshakes, 0);
}
