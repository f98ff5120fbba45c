//! Many datagrams a call: order, refusals, lengths, waking, and no allocation.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use salon_udp::limits::{MTU, RECV_BATCH, RECV_MAX, SEND_BATCH};
use salon_udp::{Options, Ready, RecvBatch, SendBatch, Socket, Waker};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn socket() -> Socket {
    Socket::bind(([127, 0, 0, 1], 0).into(), Options { buffers: 1 << 20, ..Options::default() }).unwrap()
}

fn put(batch: &mut SendBatch, from: Option<IpAddr>, to: SocketAddr, datagram: &[u8]) {
    batch.slot(from, to).unwrap()[..datagram.len()].copy_from_slice(datagram);
    batch.commit(datagram.len());
}

/// How many left, whether the rest waits, how many were refused.
fn flush(socket: &Socket, batch: &mut SendBatch) -> (usize, bool, u64) {
    let flushed = socket.flush(batch);
    (flushed.sent, flushed.blocked, flushed.refused)
}

/// Receives `n` datagrams.
fn take(socket: &Socket, n: usize) -> Vec<Vec<u8>> {
    let (mut batch, mut all) = (RecvBatch::new(), Vec::new());
    while all.len() < n {
        assert!(socket.wait(PATIENCE, false).unwrap().readable);
        let came = socket.recv(&mut batch).unwrap();
        assert!(came <= RECV_BATCH && came == batch.len());
        all.extend(batch.iter_mut().map(|(_, d)| d.to_vec()));
    }
    assert_eq!(socket.recv(&mut batch).unwrap(), 0);
    assert!(batch.is_empty() && batch.iter_mut().next().is_none());
    all
}

#[test]
fn a_thousand_datagrams_of_every_length_arrive_in_order() {
    let (from, to) = (socket(), socket());
    let mut batch = SendBatch::new();
    let mut expected = (0..=1_000usize).map(|i| vec![i as u8; i * 37 % (MTU + 1)]);
    loop {
        let some: Vec<_> = expected.by_ref().take(SEND_BATCH).collect();
        for datagram in &some {
            put(&mut batch, None, to.local_addr(), datagram);
        }
        assert!(some.len() < SEND_BATCH || batch.slot(None, to.local_addr()).is_none(), "full");
        assert_eq!(flush(&from, &mut batch), (some.len(), false, 0));
        assert!(batch.is_empty());
        assert_eq!(take(&to, some.len()), some);
        if some.len() < SEND_BATCH {
            return;
        }
    }
}

#[test]
fn a_refused_datagram_loses_itself_alone_and_is_counted() {
    let (from, to) = (socket(), socket());
    let mut batch = SendBatch::new();
    let broadcast = ([255, 255, 255, 255], 9).into(); // EACCES without SO_BROADCAST
    let foreign = Some(IpAddr::from([203, 0, 113, 9])); // EINVAL: no address of this machine
    let other_family = "[::1]:9".parse().unwrap(); // EAFNOSUPPORT
    let port_zero = ([127, 0, 0, 1], 0).into(); // EINVAL
    put(&mut batch, None, broadcast, b"lost");
    for i in 0..30u8 {
        put(&mut batch, None, to.local_addr(), &[i]);
        match i % 5 {
            0 => put(&mut batch, None, broadcast, b"lost"),
            1 => put(&mut batch, foreign, to.local_addr(), b"lost"),
            2 => put(&mut batch, None, other_family, b"lost"),
            3 => put(&mut batch, None, port_zero, b"lost"),
            _ => {}
        }
    }
    assert_eq!(flush(&from, &mut batch), (30, false, 25));
    assert!(take(&to, 30).into_iter().eq((0..30).map(|i| vec![i])));
    assert_eq!(flush(&from, &mut batch), (0, false, 0));
}

#[test]
fn too_long_a_datagram_is_dropped_and_counted_and_an_empty_one_arrives() {
    let to = socket();
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    for len in [1, RECV_MAX + 1, RECV_MAX, 40_000, 0, 2] {
        from.send_to(&vec![7; len], to.local_addr()).unwrap();
    }
    let mut batch = RecvBatch::new();
    let mut lengths = Vec::new();
    while lengths.len() < 4 {
        assert!(to.wait(PATIENCE, false).unwrap().readable);
        to.recv(&mut batch).unwrap();
        lengths.extend(batch.iter_mut().map(|(_, d)| d.len()));
    }
    assert_eq!(lengths, [1, RECV_MAX, 0, 2]);
    assert_eq!(batch.counters().oversized, 2);
}

#[test]
fn what_one_receive_leaves_the_next_ones_bring() {
    let (from, to) = (socket(), socket());
    let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
    // First nothing came, so that few are asked for; then more than one call can bring.
    assert_eq!(to.recv(&mut received).unwrap(), 0);
    for i in 0..SEND_BATCH as u8 {
        put(&mut sent, None, to.local_addr(), &[i]);
    }
    from.flush(&mut sent);
    let mut next = 0;
    while next < SEND_BATCH as u8 {
        assert!(to.recv(&mut received).unwrap() > 0);
        for (meta, datagram) in received.iter_mut() {
            assert_eq!((meta.remote, &*datagram), (from.local_addr(), &[next][..]));
            next += 1;
        }
    }
}

#[test]
fn a_waker_ends_the_wait_once() {
    let socket = socket();
    let (first, second) = (socket.waker(), socket.waker().clone());
    let quiet = Ready::default();
    assert_eq!(socket.wait(Some(Duration::ZERO), false).unwrap(), quiet);
    first.wake();
    second.wake();
    let mut woken = quiet;
    woken.woken = true;
    assert_eq!(socket.wait(None, false).unwrap(), woken);
    assert_eq!(socket.wait(Some(Duration::from_micros(1)), false).unwrap(), quiet);
    let thread = std::thread::spawn(move || second.wake());
    let mut ready = quiet;
    while !ready.woken {
        ready = socket.wait(PATIENCE, false).unwrap();
    }
    thread.join().unwrap();
    drop(socket);
    first.wake();
}

#[test]
fn an_idle_socket_is_writable_where_that_is_asked() {
    let mut writable = Ready::default();
    writable.writable = true;
    assert_eq!(socket().wait(None, true).unwrap(), writable);
}

#[test]
fn a_port_is_shared_only_where_both_say_so() {
    let shared = Options { reuse_port: true, ..Options::default() };
    let first = Socket::bind(([127, 0, 0, 1], 0).into(), shared).unwrap();
    assert!(Socket::bind(first.local_addr(), Options::default()).is_err());
    assert_eq!(Socket::bind(first.local_addr(), shared).unwrap().local_addr(), first.local_addr());
}

#[test]
fn sending_and_receiving_allocate_nothing() {
    let (from, to) = (socket(), socket());
    let (mut sent, mut received) = (SendBatch::new(), RecvBatch::new());
    let waker = to.waker();
    let counted = allocation_counter::measure(|| {
        for round in 0..200 {
            for _ in 0..1 + round % SEND_BATCH {
                let slot = sent.slot(Some([127, 0, 0, 1].into()), to.local_addr()).unwrap();
                slot[..50].fill(1);
                sent.commit(50);
            }
            from.flush(&mut sent);
            waker.wake();
            assert!(to.wait(PATIENCE, true).unwrap().woken);
            while to.recv(&mut received).unwrap() > 0 {
                assert!(received.iter_mut().all(|(_, d)| d.len() == 50));
            }
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn everything_may_move_to_another_thread() {
    fn moves<T: Send + 'static>() {}
    fn shared<T: Send + Sync + Clone + 'static>() {}
    moves::<Socket>();
    moves::<RecvBatch>();
    moves::<SendBatch>();
    shared::<Waker>();
}
