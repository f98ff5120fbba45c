//! Pictures through a whole host: the packets of a frame leave as one, and what the kernel refuses as one leaves by itself.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Bring, Client, ask, connect, counters, socket, until};
use salon_host::{Handle, Host, HostConfig, HostCounters, Offload};

const FRAMES: usize = 40;
const PACKETS: usize = 7;

fn shows() -> Bring {
    Bring { camera: true, ..Bring::default() }
}

fn sees() -> Bring {
    Bring { eye: true, ..Bring::default() }
}

/// One shows, five see all of it.
fn show(handle: &Handle) -> HostCounters {
    let who = |label| if label == 0 { shows() } else { sees() };
    let mut all: Vec<Client> =
        (0..6).map(|label| ask(handle, "hall", label, who(label), socket()).join()).collect();
    connect(&mut all);
    for n in 1..=FRAMES {
        all[0].show(PACKETS, 900);
        until(&mut all, |all| all[1..].iter().all(|c| c.agent.heard.len() >= n * PACKETS));
    }
    for client in &all[1..] {
        assert_eq!(client.agent.heard.len(), FRAMES * PACKETS);
        assert!(client.agent.heard.iter().all(|p| p.len() == 900));
    }
    counters(handle)
}

fn host(offload: Offload) -> (Host, Handle) {
    let mut config = HostConfig::new("127.0.0.1:0".parse().unwrap());
    config.offload = offload;
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    (host, handle)
}

#[test]
fn a_frame_leaves_to_each_receiver_as_one_run() {
    let (_host, handle) = host(Offload::Auto);
    let c = show(&handle);
    println!("{:?} {:?}", c.received, c.sent);
    // A frame came as one train, and so was all there when it was forwarded.
    assert!(c.received.trains >= FRAMES as u64);
    assert!(c.sent.runs >= 5 * FRAMES as u64);
    assert!(c.sent.run_datagrams >= c.sent.runs * 6, "seven packets, and now and then a report before them");
    assert_eq!((c.sent.broken_runs, c.refused, c.undelivered), (0, 0, 0));
}

#[test]
fn where_the_kernel_refuses_runs_all_arrives() {
    let (_host, handle) = host(Offload::Refused);
    let c = show(&handle);
    assert_eq!((c.sent.runs, c.refused), (0, 0));
    assert!(c.sent.broken_runs >= 1, "it was asked for one");
    assert!(c.sent.datagrams >= (5 * FRAMES * PACKETS) as u64);
}

#[test]
fn without_offload_all_arrives() {
    let (_host, handle) = host(Offload::Off);
    let c = show(&handle);
    assert_eq!((c.sent.runs, c.sent.broken_runs, c.received.trains, c.refused), (0, 0, 0, 0));
}
