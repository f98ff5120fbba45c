//! Real clients, real handshakes.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::World;
use core::time::Duration;
use salon_srtp::Profile;
use salon_transport::{Event, Setup};
use str0m::config::DtlsVersion;

#[test]
fn a_client_connects_and_both_hear_each_other() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    let took = w.connect(n);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let peer = w.clients[n].peer;
    let (_, event) = w.events[0];
    let path = w.transport.path(peer).unwrap();
    assert_eq!(event, Event::Connected { peer, profile: Profile::AeadAes256Gcm, path });
    assert_eq!(path.remote, w.clients[n].outside);
    for index in 1..50 {
        w.assert_media(n, index);
    }
    w.run(Duration::from_secs(120));
    w.assert_media(n, 50);
    assert_eq!(w.events.len(), 1, "nothing else happened: {:?}", w.events);
}

#[test]
fn a_client_that_could_speak_1_3_gets_1_2_and_gcm_though_its_hello_comes_in_pieces() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Auto);
    w.connect(n);
    w.assert_media(n, 1);
    assert!(w.happened(|e| matches!(e, Event::Connected { profile: Profile::AeadAes256Gcm, .. })));
}

#[test]
fn where_the_offer_says_passive_we_are_the_client() {
    for version in [DtlsVersion::Dtls12, DtlsVersion::Auto] {
        let mut w = World::new();
        let n = w.join(Setup::Active, version);
        let took = w.connect(n);
        assert!(took < Duration::from_secs(1), "{took:?}");
        w.assert_media(n, 1);
    }
}

#[test]
fn thirty_at_once_share_the_port() {
    let mut w = World::new();
    let all: Vec<_> = (0..30)
        .map(|n| w.join(if n % 3 == 0 { Setup::Active } else { Setup::Passive }, DtlsVersion::Dtls12))
        .collect();
    assert!(w.run_until(Duration::from_secs(5), |w| all.iter().all(|&n| w.is_linked(n))));
    for &n in &all {
        w.assert_media(n, 1);
    }
    assert_eq!(w.transport.counters().connected, 30);
    assert_eq!(w.transport.counters().handshakes, 0);
}
