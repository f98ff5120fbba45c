//! Three people in a room of a real server: whoever sends is heard and seen by all others.

#![allow(clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

use load::{Fleet, Plan};
use salon_host::{Host, HostConfig};
use salon_server::{Config, Server};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Far more than it takes: who has not met by then never will.
const GUARD: Duration = Duration::from_secs(60);

/// A server on ports of its own, as long as this lives.
struct Running {
    url: String,
    _runtime: Runtime,
    _host: Host,
}

fn start() -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let host = Host::start(HostConfig::new("127.0.0.1:0".parse().unwrap())).unwrap();
    let server = Server::start(Config::default(), host.handle()).unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(async move { server.serve(listener, None).await });
    Running { url, _runtime: runtime, _host: host }
}

/// Turns until something is so.
fn until(fleet: &mut Fleet, so: impl Fn(&Fleet) -> bool) {
    let guard = Instant::now() + GUARD;
    while !so(fleet) {
        assert!(Instant::now() < guard, "{:?}", fleet.failures().collect::<Vec<_>>());
        fleet.turn(Duration::from_millis(20)).unwrap();
    }
}

#[test]
fn three_people_hear_and_see_each_other_and_leave() {
    let server = start();
    let plan = Plan { tiles: 2, join_every: Duration::ZERO, ..Plan::new(&server.url) };
    let mut fleet = Fleet::new(plan).unwrap();
    until(&mut fleet, Fleet::all_are_here);
    assert_eq!(fleet.failures().count(), 0);
    until(&mut fleet, Fleet::everybody_has_met);
    fleet.leave();
    until(&mut fleet, Fleet::is_empty);
    assert_eq!(fleet.failures().count(), 0);
}
