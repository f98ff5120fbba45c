//! What came with one call.

use std::net::SocketAddr;

/// From where to where a datagram came. IPv4 addresses that a dual-stack socket shows as IPv6 are IPv4 here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// The address of this machine to which it came, with the socket's port: answers must leave from there.
    pub local: SocketAddr,
    /// Who sent it.
    pub remote: SocketAddr,
}

/// Buffers for what one call receives, and after it the datagrams.
#[derive(Debug)]
pub struct RecvBatch {
    bytes: Box<[u8]>,
    entries: Vec<(Meta, std::ops::Range<usize>)>,
    oversized: u64,
}

impl RecvBatch {
    /// Empty. The only allocation that it ever makes.
    pub fn new() -> Self {
        use crate::limits::{RECV_BATCH, RECV_MAX};
        Self {
            bytes: vec![0; RECV_BATCH * RECV_MAX].into(),
            entries: Vec::with_capacity(RECV_BATCH),
            oversized: 0,
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

    /// Datagrams longer than [`RECV_MAX`](crate::limits::RECV_MAX) that were dropped since the batch was made.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}
