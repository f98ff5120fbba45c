//! A wire that loses. What is lost is enumerated instead of drawn: retransmission timers are jittered by the libraries, so
//! that a seed would not lose the same datagrams twice.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::World;
use core::time::Duration;
use salon_transport::Setup;
use str0m::config::DtlsVersion;

/// Joins over a wire on which `lost` says, by direction and number, which handshake datagrams vanish.
fn join(setup: Setup, mut lost: impl FnMut(bool, usize) -> bool + 'static) -> Duration {
    let mut w = World::new();
    let n = w.join(setup, DtlsVersion::Dtls12);
    let mut count = [0, 0];
    w.wire = Box::new(move |_, d| {
        if !d.is_dtls() {
            return true;
        }
        let k = &mut count[usize::from(d.to_us)];
        *k += 1;
        !lost(d.to_us, *k - 1)
    });
    let took = w.connect(n);
    w.assert_media(n, 1);
    took
}

#[test]
fn each_single_datagram_of_the_handshake_may_be_lost() {
    for setup in [Setup::Passive, Setup::Active] {
        for direction in [false, true] {
            for k in 0..8 {
                let took = join(setup, move |to_us, n| to_us == direction && n == k);
                assert!(took < Duration::from_millis(2_000), "{setup:?} {direction} {k}: {took:?}");
            }
        }
    }
}

#[test]
fn any_two_datagrams_each_way_may_be_lost() {
    let pairs: Vec<(usize, usize)> = (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b))).collect();
    let mut took = Vec::new();
    for setup in [Setup::Passive, Setup::Active] {
        for &up in &pairs {
            for &down in &pairs {
                took.push(join(setup, move |to_us, n| {
                    let (a, b) = if to_us { up } else { down };
                    n == a || n == b
                }));
            }
        }
    }
    took.sort();
    // The client waits a second, then two, then four; we a fifth of a second.
    assert!(took[took.len() / 2] < Duration::from_secs(4), "{:?}", took[took.len() / 2]);
}

#[test]
fn doubled_and_late_datagrams_do_no_harm() {
    for setup in [Setup::Passive, Setup::Active] {
        let mut w = World::new();
        let n = w.join(setup, DtlsVersion::Dtls12);
        let copies = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let into = copies.clone();
        w.wire = Box::new(move |_, d| {
            if d.to_us && d.is_dtls() {
                into.borrow_mut().push(d.bytes.clone());
            }
            true
        });
        w.connect(n);
        let at = w.clients[n].outside;
        // All of it again, first forwards, then backwards.
        let all = copies.borrow().clone();
        for bytes in all.iter().chain(all.iter().rev()) {
            w.hand(at, bytes);
        }
        w.run(Duration::from_secs(3));
        w.assert_media(n, 1);
        assert_eq!(w.events.len(), 1, "{:?}", w.events);
    }
}
