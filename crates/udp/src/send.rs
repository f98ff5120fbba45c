//! What is to leave with one call.

use std::net::{IpAddr, SocketAddr};

use crate::limits::MTU;

/// Datagrams that wait to leave, in order, packed one behind the other.
#[derive(Debug)]
pub struct SendBatch {
    bytes: Box<[u8]>,
}

/// What a [`Socket::flush`](crate::Socket::flush) did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flushed {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Whether it will not take more now: the rest waits in the batch, in order; flush again when the socket is writable.
    pub blocked: bool,
    /// Datagrams that the kernel refused (no route, no permission, too long, no such source address) and that are gone.
    pub refused: u64,
}

impl SendBatch {
    /// Empty. The only allocation that it ever makes.
    pub fn new() -> Self {
        Self { bytes: vec![0; crate::limits::SEND_BATCH * MTU].into() }
    }

    /// [`MTU`] bytes for the next datagram to `to`, sent from the local address `from` (`None`: the system's choice);
    /// `None` when the batch is full: flush first. A slot that is not committed costs nothing, and the next call gives
    /// the same bytes again.
    pub fn slot(&mut self, from: Option<IpAddr>, to: SocketAddr) -> Option<&mut [u8]> {
        let _ = (from, to);
        self.bytes.get_mut(..MTU)
    }

    /// The slot's first `n` bytes are a datagram. Nothing happens without a slot, or where `n` exceeds it.
    pub fn commit(&mut self, n: usize) {
        let _ = n;
    }

    /// Datagrams that wait.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}
