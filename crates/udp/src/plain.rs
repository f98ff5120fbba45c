//! Everywhere else: the standard library's socket, a datagram a call. The local address of a datagram is that to which
//! the socket is bound, and a source cannot be chosen; on a machine with several addresses bind one of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::limits::{RECV_MAX, RECV_MESSAGES, RECV_PLACE};
use crate::offload::Segmentation;
use crate::{Flushed, Meta, Offload, Options, Ready, RecvBatch, SendBatch};

/// How long [`Socket::wait`] lasts at most while somebody wants to send: the standard library cannot wait for that, so
/// the sender tries again a thousand times a second.
const RETRY: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    bound: SocketAddr,
    waker: Waker,
}

impl Socket {
    pub(crate) fn bind(addr: SocketAddr, _: Options) -> io::Result<Self> {
        let socket = UdpSocket::bind(addr)?;
        socket.set_nonblocking(true)?;
        let bound = socket.local_addr()?;
        let waker = Waker::new(bound)?;
        Ok(Self { socket, bound, waker })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.bound
    }

    pub(crate) fn recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        batch.entries.clear();
        batch.left = true;
        // Ends also where nothing but waking and overlong datagrams comes.
        for i in 0..RECV_MESSAGES {
            let start = i * RECV_PLACE;
            batch.counters.calls += 1;
            let Some(place) = batch.bytes.get_mut(start..start + RECV_MAX) else { break };
            match self.socket.recv_from(place) {
                // Empty ones are those by which we wake ourselves; nobody else has anything to say with them.
                Ok((0, _)) => {}
                // Whether it was cut off is not told, so a full place counts as overlong.
                Ok((RECV_MAX, _)) => batch.counters.oversized += 1,
                Ok((n, remote)) => {
                    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                    batch.counters.datagrams += 1;
                    batch.entries.push((Meta { local: self.bound, remote }, start..start + n));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    batch.left = false;
                    break;
                }
                // Somebody's port is closed, somebody's datagram too long: the next may be good.
                Err(_) => {}
            }
        }
        Ok(batch.entries.len())
    }

    pub(crate) fn flush(&self, batch: &mut SendBatch) -> Flushed {
        batch.drive(&Segmentation::new(Offload::Off), |batch, next, _| {
            let Some(message) = batch.message(next) else { return Ok(0) };
            let datagram = batch.bytes.get(message.at..message.at + message.len).unwrap_or(&[]);
            let to = match (self.bound, message.to) {
                (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                    SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
                }
                (_, to) => to,
            };
            self.socket.send_to(datagram, to).map(|_| 1)
        })
    }

    pub(crate) fn wait(&self, timeout: Option<Duration>, writable: bool) -> io::Result<Ready> {
        let timeout = if writable { Some(timeout.map_or(RETRY, |t| t.min(RETRY))) } else { timeout };
        let mut ready = Ready { writable, ..Ready::default() };
        // Asked before waiting: a wake that comes in between has sent its datagram, which ends the wait.
        if !self.waker.clear() {
            match self.peek(timeout) {
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // An error is fetched, and so ended, by receiving.
                Ok(_) | Err(_) => ready.readable = true,
            }
            ready.woken = self.waker.clear();
        } else {
            ready.woken = true;
        }
        // The waking datagram stands in the queue until it is received.
        ready.readable |= ready.woken;
        Ok(ready)
    }

    fn peek(&self, timeout: Option<Duration>) -> io::Result<(usize, SocketAddr)> {
        if timeout == Some(Duration::ZERO) {
            return self.socket.peek_from(&mut [0; 1]);
        }
        self.socket.set_read_timeout(timeout)?;
        self.socket.set_nonblocking(false)?;
        let peeked = self.socket.peek_from(&mut [0; 1]);
        self.socket.set_nonblocking(true)?;
        peeked
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

/// Sends an empty datagram to the socket.
#[derive(Clone, Debug)]
pub(crate) struct Waker {
    woken: Arc<AtomicBool>,
    socket: Arc<UdpSocket>,
    to: SocketAddr,
}

impl Waker {
    fn new(bound: SocketAddr) -> io::Result<Self> {
        let (any, own): (IpAddr, IpAddr) = match bound {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::LOCALHOST.into()),
        };
        let to = SocketAddr::new(if bound.ip().is_unspecified() { own } else { bound.ip() }, bound.port());
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Self { woken: Arc::new(AtomicBool::new(false)), socket: Arc::new(socket), to })
    }

    pub(crate) fn wake(&self) {
        // One datagram is enough until the wait has seen it.
        if !self.woken.swap(true, Ordering::AcqRel) {
            let _ = self.socket.send_to(&[], self.to);
        }
    }

    fn clear(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(ip: &str) -> Option<(Socket, UdpSocket)> {
        let addr = format!("{ip}:0").parse().unwrap();
        let Ok(socket) = Socket::bind(addr, Options::default()) else {
            println!("skipped: no {ip} here");
            return None;
        };
        Some((socket, UdpSocket::bind(addr).unwrap()))
    }

    #[test]
    fn datagrams_come_and_go_in_order() {
        for (socket, peer) in ["127.0.0.1", "[::1]"].into_iter().filter_map(pair) {
            let (mut received, mut batch) = (RecvBatch::new(), SendBatch::new());
            for i in 1..=10u8 {
                peer.send_to(&vec![i; usize::from(i)], socket.local_addr()).unwrap();
            }
            peer.send_to(&[0; RECV_MAX + 1], socket.local_addr()).unwrap();
            let mut seen = 0;
            while seen < 10 {
                assert!(socket.wait(Some(Duration::from_secs(60)), false).unwrap().readable);
                socket.recv(&mut received).unwrap();
                for (meta, datagram) in received.iter_mut() {
                    seen += 1;
                    assert_eq!(datagram, vec![seen as u8; seen]);
                    assert_eq!(meta, Meta { local: socket.local_addr(), remote: peer.local_addr().unwrap() });
                    let out = batch.slot(Some(meta.local.ip()), meta.remote).unwrap();
                    out[..datagram.len()].copy_from_slice(datagram);
                    batch.commit(datagram.len());
                }
            }
            while received.counters().oversized == 0 {
                socket.recv(&mut received).unwrap();
            }
            assert_eq!(socket.flush(&mut batch), Flushed { sent: 10, blocked: false, refused: 0 });
            for i in 1..=10u8 {
                let mut buffer = [0; 20];
                assert_eq!(peer.recv(&mut buffer).unwrap(), usize::from(i));
                assert_eq!(buffer[0], i);
            }
        }
    }

    #[test]
    fn it_wakes() {
        for ip in ["127.0.0.1", "0.0.0.0", "[::1]", "[::]"] {
            let Some((socket, _)) = pair(ip) else { continue };
            let (waker, mut received) = (socket.waker(), RecvBatch::new());
            waker.wake();
            waker.wake();
            assert!(socket.wait(None, false).unwrap().woken);
            assert_eq!(socket.recv(&mut received).unwrap(), 0);
            let thread = std::thread::spawn(move || waker.wake());
            let mut ready = Ready::default();
            while !ready.woken {
                ready = socket.wait(None, false).unwrap();
                if ready.readable {
                    assert_eq!(socket.recv(&mut received).unwrap(), 0);
                }
            }
            thread.join().unwrap();
            assert!(!socket.wait(Some(Duration::ZERO), false).unwrap().woken);
            assert!(socket.wait(None, true).unwrap().writable);
        }
    }
}
