//! O(active): what a poll, a packet or a timer touches does not grow with who else is there.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{World, credentials};
use core::time::Duration;
use salon_transport::{Fingerprint, Path, PeerSpec, Setup};
use str0m::config::DtlsVersion;

#[test]
fn a_thousand_idle_peers_are_not_visited() {
    let mut w = World::new();
    for i in 0..1_000 {
        let spec = PeerSpec {
            local: credentials(&format!("i{i}")),
            remote: None,
            remote_fingerprint: Fingerprint([0; 32]),
            setup: Setup::Passive,
        };
        w.transport.add_peer(w.now, spec).unwrap();
    }
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let during_handshake = w.transport.counters().visits;
    assert!(during_handshake < 10, "{during_handshake}");
    for index in 1..=500 {
        w.tell(n, index, b"x");
        w.say(n, b"x");
        w.run(Duration::from_millis(20));
    }
    // Ten seconds of talk: the timers looked at the one who talks, about every 8 s, and at nobody else.
    let visits = w.transport.counters().visits - during_handshake;
    assert!(visits <= 3, "{visits}");
    w.transport.check();
}

#[test]
fn connected_peers_that_are_heard_are_looked_at_once_in_eight_seconds() {
    let mut w = World::new();
    let all: Vec<_> = (0..20).map(|_| w.join(Setup::Passive, DtlsVersion::Dtls12)).collect();
    assert!(w.run_until(Duration::from_secs(5), |w| all.iter().all(|&n| w.is_linked(n))));
    w.run(Duration::from_secs(10));
    let before = w.transport.counters().visits;
    w.run(Duration::from_secs(80));
    let visits = w.transport.counters().visits - before;
    // An entry that is found early moves to the true deadline, at least 3 s away: checks come every 5 s at the most.
    assert!(visits <= 20 * 80 / 3, "{visits}");
    assert_eq!(w.transport.len(), 20);
}

#[test]
fn a_packet_in_and_a_packet_out_allocate_nothing() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.connect(n);
    let caught = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let into = caught.clone();
    w.wire = Box::new(move |_, d| {
        if d.to_us && d.is_media() {
            into.borrow_mut().push(d.bytes.clone());
            return false;
        }
        true
    });
    for i in 0..200u8 {
        w.say(n, &[i; 100]);
        w.run(Duration::from_millis(5));
    }
    let mut packets = caught.borrow().clone();
    assert!(packets.len() >= 200);
    let path = Path { local: w.local, remote: w.clients[n].outside };
    let (head, tail) = packets.split_at_mut(20);
    for p in head {
        w.transport.handle_datagram(w.now, path, p);
    }
    let mut opened = 0;
    let info = allocation_counter::measure(|| {
        for p in tail {
            let received = w.transport.handle_datagram(w.now, path, p);
            opened += usize::from(matches!(
                received,
                salon_transport::Received::Rtp(..) | salon_transport::Received::Rtcp(..)
            ));
        }
    });
    assert!(opened >= 170, "{opened}");
    assert_eq!(info.count_total, 0);
}
