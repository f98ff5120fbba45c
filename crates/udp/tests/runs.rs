//! Several datagrams as one: runs that leave, trains that come, and a kernel that refuses.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use salon_udp::limits::SEND_BATCH;
use salon_udp::{Offload, Options, RecvBatch, SendBatch, Socket};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn socket(offload: Offload) -> Socket {
    Socket::bind(([127, 0, 0, 1], 0).into(), Options { buffers: 1 << 20, offload, ..Options::default() })
        .unwrap()
}

/// Datagrams of these lengths, each with its number in it.
fn put(batch: &mut SendBatch, to: &Socket, lengths: &[usize]) {
    for (i, &n) in lengths.iter().enumerate() {
        batch.slot(Some([127, 0, 0, 1].into()), to.local_addr()).unwrap()[..n].fill(i as u8);
        batch.commit(n);
    }
}

/// How many left, whether the rest waits, how many were refused.
fn flush(socket: &Socket, batch: &mut SendBatch) -> (usize, bool, u64) {
    let flushed = socket.flush(batch);
    (flushed.sent, flushed.blocked, flushed.refused)
}

/// Receives them, in order and whole.
fn take(socket: &Socket, batch: &mut RecvBatch, from: &Socket, lengths: &[usize]) {
    let mut came = 0;
    while came < lengths.len() {
        assert!(socket.wait(PATIENCE, false).unwrap().readable);
        let n = socket.recv(batch).unwrap();
        assert_eq!(n, batch.iter_mut().count());
        for (meta, datagram) in batch.iter_mut() {
            assert_eq!((meta.local, meta.remote), (socket.local_addr(), from.local_addr()));
            assert_eq!(datagram.len(), lengths[came]);
            assert!(datagram.iter().all(|&b| b == came as u8));
            came += 1;
        }
    }
    assert_eq!(socket.recv(batch).unwrap(), 0);
}

#[test]
fn a_run_leaves_as_one_message_and_comes_as_one() {
    let (from, to) = (socket(Offload::Auto), socket(Offload::Auto));
    let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
    let lengths = [1_200, 1_200, 1_200, 800, 100, 100, 1_000];
    put(&mut sent, &to, &lengths);
    assert_eq!(flush(&from, &mut sent), (7, false, 0));
    take(&to, &mut received, &from, &lengths);
    let (out, came) = (sent.counters(), received.counters());
    assert_eq!((out.datagrams, out.calls, out.messages, out.runs, out.run_datagrams), (7, 1, 3, 2, 6));
    assert_eq!((came.datagrams, came.trains, came.train_datagrams), (7, 2, 6));
}

#[test]
fn where_the_kernel_refuses_runs_all_arrives_and_it_is_not_asked_again() {
    let (from, to) = (socket(Offload::Refused), socket(Offload::Auto));
    let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
    for _ in 0..3 {
        let lengths = [900, 900, 900, 200, 1_000, 1_000, 1_000, 1_000];
        put(&mut sent, &to, &lengths);
        assert_eq!(flush(&from, &mut sent), (8, false, 0));
        take(&to, &mut received, &from, &lengths);
    }
    let out = sent.counters();
    assert_eq!((out.datagrams, out.messages, out.runs, out.refused), (24, 24, 0, 0));
    assert_eq!(out.broken_runs, 1);
}

#[test]
fn without_offload_there_are_neither_runs_nor_trains() {
    let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
    let lengths = [500; 20];
    for (out, into, runs) in [(Offload::Off, Offload::Auto, 0), (Offload::Auto, Offload::Off, 1)] {
        let (from, to) = (socket(out), socket(into));
        put(&mut sent, &to, &lengths);
        from.flush(&mut sent);
        take(&to, &mut received, &from, &lengths);
        assert_eq!((sent.counters().runs, received.counters().trains), (runs, 0));
    }
}

/// A gate's worth of cases; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_lengths_all_arrives_in_order_and_whole(
        runs in prop::collection::vec((0usize..1_500, 1usize..12), 1..10),
        refused in any::<bool>(),
    ) {
        let mut lengths: Vec<_> = runs.into_iter().flat_map(|(len, n)| (0..n).map(move |_| len)).collect();
        lengths.truncate(SEND_BATCH);
        let (from, to) = (socket(if refused { Offload::Refused } else { Offload::Auto }), socket(Offload::Auto));
        let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
        put(&mut sent, &to, &lengths);
        prop_assert_eq!(from.flush(&mut sent).sent, lengths.len());
        take(&to, &mut received, &from, &lengths);
    }
}
