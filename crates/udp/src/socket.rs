//! The socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::linux as system;
#[cfg(not(target_os = "linux"))]
use crate::plain as system;
use crate::{Flushed, Offload, RecvBatch, SendBatch};

/// How a socket is made.
///
/// New fields come with a default: write `..Options::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Several sockets share the port, and the kernel spreads what comes over them (Linux only).
    pub reuse_port: bool,
    /// Bytes of receive and of send buffer to ask for; 0: the system's. The system may give less, and says no error
    /// (Linux only).
    pub buffers: usize,
    /// Whether runs leave, and trains come, as one message.
    pub offload: Offload,
}

/// What [`Socket::wait`] saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
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
pub struct Socket(system::Socket);

impl Socket {
    /// Binds. An IPv4 address: IPv4; `[::]`: both families (where the machine has no IPv6, an error: bind `0.0.0.0`);
    /// another IPv6 address: IPv6. Port 0: the system's choice.
    pub fn bind(addr: SocketAddr, options: Options) -> io::Result<Self> {
        system::Socket::bind(addr, options).map(Self)
    }

    /// Where it is bound, the port being known.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr()
    }

    /// Receives what there is, up to [`RECV_MESSAGES`](crate::limits::RECV_MESSAGES) messages (a datagram each, or a train
    /// of them), replacing what the batch held; says how many datagrams. Call until
    /// [`may_have_left`](RecvBatch::may_have_left) is false. `Ok(0)` means that there was nothing, or that all that came was
    /// too long. An error costs no datagram, and the socket stays usable.
    pub fn recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        self.0.recv(batch)
    }

    /// Sends what waits, in order. What the kernel refuses for good is dropped and counted, and the rest goes on; what
    /// it does not take now stays.
    pub fn flush(&self, batch: &mut SendBatch) -> Flushed {
        self.0.flush(batch)
    }

    /// Waits until something can be received, or (if `writable` is asked for) sent, or a [`Waker`] is used, or `timeout`
    /// has passed (`None`: for ever). It may return early with nothing.
    pub fn wait(&self, timeout: Option<Duration>, writable: bool) -> io::Result<Ready> {
        self.0.wait(timeout, writable)
    }

    /// A handle by which any thread ends this socket's [`wait`](Self::wait).
    pub fn waker(&self) -> Waker {
        Waker(self.0.waker())
    }
}

/// Ends a [`Socket::wait`]: the one that goes on, else the next one.
#[derive(Clone, Debug)]
pub struct Waker(system::Waker);

impl Waker {
    /// Wakes. Never blocks; many calls before the wait count as one.
    pub fn wake(&self) {
        self.0.wake();
    }
}
