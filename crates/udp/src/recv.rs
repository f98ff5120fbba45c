//! What came with one call.

use std::net::SocketAddr;
use std::ops::Range;

use crate::limits::{RECV_BATCH, RECV_MAX};

/// From where to where a datagram came. IPv4 addresses that a dual-stack socket shows as IPv6 are IPv4 here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// The address of this machine to which it came, with the socket's port: answers must leave from there. Where the
    /// system does not tell (off Linux), the address to which the socket is bound.
    pub local: SocketAddr,
    /// Who sent it.
    pub remote: SocketAddr,
}

/// Buffers for what one call receives, and after it the datagrams.
#[derive(Debug)]
pub struct RecvBatch {
    /// A place of [`RECV_MAX`] bytes per datagram. Zeroed once, never again: a datagram is shown no longer than it came.
    pub(crate) bytes: Box<[u8]>,
    /// In ascending order of place.
    pub(crate) entries: Vec<(Meta, Range<usize>)>,
    pub(crate) oversized: u64,
    #[cfg(target_os = "linux")]
    pub(crate) scratch: crate::linux::RecvScratch,
}

impl RecvBatch {
    /// Empty. It never allocates again.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; RECV_BATCH * RECV_MAX].into(),
            entries: Vec::with_capacity(RECV_BATCH),
            oversized: 0,
            #[cfg(target_os = "linux")]
            scratch: crate::linux::RecvScratch::new(),
        }
    }

    /// The datagrams of the last [`Socket::recv`](crate::Socket::recv), in order of arrival.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Meta, &mut [u8])> {
        let mut rest = &mut self.bytes[..];
        let mut at = 0;
        self.entries.iter().filter_map(move |(meta, range)| {
            let (_, after) = std::mem::take(&mut rest).split_at_mut_checked(range.start.checked_sub(at)?)?;
            let (datagram, after) = after.split_at_mut_checked(range.len())?;
            rest = after;
            at = range.end;
            Some((*meta, datagram))
        })
    }

    /// How many datagrams the last receive brought.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the last receive brought none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Datagrams longer than [`RECV_MAX`] that were dropped since the batch was made.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}
