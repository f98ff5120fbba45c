//! A server on ports of its own, and a fleet that turns until something is so.

#![allow(clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

use load::Fleet;
use salon_host::{Host, HostConfig};
use salon_server::{Config, Server};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Far more than it takes: what has not happened by then never will.
const GUARD: Duration = Duration::from_secs(60);

/// A server, as long as this lives.
pub(crate) struct Running {
    pub(crate) url: String,
    _runtime: Runtime,
    _host: Host,
}

pub(crate) fn start() -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let host = Host::start(HostConfig::new("127.0.0.1:0".parse().unwrap())).unwrap();
    let server = Server::start(Config::default(), host.handle()).unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(async move { server.serve(listener, None).await });
    Running { url, _runtime: runtime, _host: host }
}

pub(crate) fn until(fleet: &mut Fleet, so: impl Fn(&Fleet) -> bool) {
    let guard = Instant::now() + GUARD;
    while !so(fleet) {
        assert!(Instant::now() < guard, "{:?}", fleet.failures().collect::<Vec<_>>());
        fleet.turn(Duration::from_millis(20)).unwrap();
    }
}
