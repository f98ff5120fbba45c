//! The program as it is run, and real clients that come and go: its files and threads are as before.
//!
//! The gate lets some come; the long form is
//! `cargo test -p meet --test who_leaves_leaves_nothing_behind -- --ignored --nocapture`: two thousand, or `$SALON_JOINS`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Tests may.

use load::{Fleet, Plan};
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than anything takes.
const GUARD: Duration = Duration::from_secs(60);
/// Rooms of ten: who comes with one fleet.
const ROOMS: usize = 5;
const PEOPLE: usize = 10;

/// The server, as long as this lives.
struct Meet {
    program: Child,
    port: u16,
    home: std::path::PathBuf,
}

impl Meet {
    fn start() -> Self {
        let port = free_port();
        let home = std::env::temp_dir().join(format!("salon-soak-{}-{port}", std::process::id()));
        let program = Command::new(env!("CARGO_BIN_EXE_meet"))
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--drain",
                "0",
                "--admin-token",
                "secret",
                "--state-dir",
            ])
            .arg(&home)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + GUARD;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { program, port, home }
    }

    /// Open files and threads.
    fn holds(&self) -> (usize, usize) {
        let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", self.program.id())).unwrap().count();
        (count("fd"), count("task"))
    }

    /// Bytes of memory in the machine.
    fn resident(&self) -> i64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        1_024 * line.split_whitespace().next().unwrap().parse::<i64>().unwrap()
    }

    /// Fifty people by WebSocket, who send and receive all, come, hear and see somebody, and go.
    fn fleet(&self) {
        let plan = Plan {
            rooms: ROOMS,
            people: PEOPLE,
            publishers: PEOPLE,
            join_every: Duration::ZERO,
            ..Plan::new(&format!("http://127.0.0.1:{}/", self.port))
        };
        let mut fleet = Fleet::new(plan).unwrap();
        for so in [Fleet::all_are_here, Fleet::everybody_is_served] {
            until(&mut fleet, so);
        }
        fleet.leave();
        until(&mut fleet, Fleet::is_empty);
        assert_eq!(fleet.failures().collect::<Vec<_>>(), [""; 0]);
    }
}

impl Drop for Meet {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn until(fleet: &mut Fleet, so: fn(&Fleet) -> bool) {
    let end = Instant::now() + GUARD;
    while !so(fleet) {
        assert!(Instant::now() < end, "{:?}", fleet.failures().collect::<Vec<_>>());
        fleet.turn(Duration::from_millis(20)).unwrap();
    }
}

/// Free for TCP and for UDP at this moment.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// So many come and go, after some that let the server grow to its size.
fn soak(people: usize) {
    let meet = Meet::start();
    for _ in 0..2 {
        meet.fleet();
    }
    // Connections that were closed are let go of when the runtime has seen it.
    let settle = |before: Option<(usize, usize)>| {
        let end = Instant::now() + GUARD;
        loop {
            let first = meet.holds();
            std::thread::sleep(Duration::from_millis(500));
            let still = meet.holds() == first;
            if still && before.is_none_or(|before| before == first) || Instant::now() > end {
                return first;
            }
        }
    };
    let (before, resident, began) = (settle(None), meet.resident(), Instant::now());
    let rounds = people.div_ceil(ROOMS * PEOPLE);
    let mut memory = vec![resident];
    for _ in 0..rounds {
        meet.fleet();
        memory.push(meet.resident());
    }
    let took = began.elapsed();
    let after = settle(Some(before));
    let tenths: Vec<_> =
        (0..=10).map(|n| format!("{:.1}", memory[rounds * n / 10] as f64 / f64::from(1 << 20))).collect();
    println!(
        "{} joined and left in {took:.0?}: files and threads {before:?} before, {after:?} after; resident, in MiB, by tenths: {}; in the second half {:+.0} bytes a join",
        rounds * ROOMS * PEOPLE,
        tenths.join(" "),
        (memory[rounds] - memory[rounds / 2]) as f64 / ((rounds - rounds / 2) * ROOMS * PEOPLE) as f64,
    );
    assert_eq!(after, before, "files and threads");
}

#[test]
fn two_hundred_real_ones() {
    soak(200);
}

#[test]
#[ignore = "takes minutes"]
fn two_thousand_real_ones() {
    soak(std::env::var("SALON_JOINS").map_or(2_000, |n| n.parse().unwrap()));
}
