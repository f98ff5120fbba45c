//! What came with one call.

use std::net::SocketAddr;
use std::ops::Range;

use crate::limits::{RECV_BATCH, RECV_MESSAGES, RECV_PLACE};

/// From where to where a datagram came. IPv4 addresses that a dual-stack socket shows as IPv6 are IPv4 here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
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
    /// A place of [`RECV_PLACE`] bytes per message. Zeroed once, never again: a datagram is shown no longer than it came.
    pub(crate) bytes: Box<[u8]>,
    /// In ascending order of place.
    pub(crate) entries: Vec<(Meta, Range<usize>)>,
    /// As many messages came as were asked for.
    pub(crate) left: bool,
    pub(crate) counters: RecvCounters,
    #[cfg(target_os = "linux")]
    pub(crate) scratch: crate::linux::RecvScratch,
}

impl RecvBatch {
    /// Empty. It never allocates again.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; RECV_MESSAGES * RECV_PLACE].into(),
            entries: Vec::with_capacity(RECV_BATCH),
            left: false,
            counters: RecvCounters::default(),
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

    /// Whether there may have been more when the last receive was done: it took as many messages as it asked for.
    pub fn may_have_left(&self) -> bool {
        self.left
    }

    /// What came since the batch was made.
    pub fn counters(&self) -> &RecvCounters {
        &self.counters
    }
}

/// What a batch received since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct RecvCounters {
    /// Datagrams that came.
    pub datagrams: u64,
    /// System calls.
    pub calls: u64,
    /// Messages in which the kernel had joined two and more.
    pub trains: u64,
    /// Datagrams in them.
    pub train_datagrams: u64,
    /// Datagrams longer than [`RECV_MAX`](crate::limits::RECV_MAX), which were dropped.
    pub oversized: u64,
}

impl RecvCounters {
    /// Adds what another batch counted.
    pub fn add(&mut self, other: &Self) {
        let Self { datagrams, calls, trains, train_datagrams, oversized } = *other;
        self.datagrams += datagrams;
        self.calls += calls;
        self.trains += trains;
        self.train_datagrams += train_datagrams;
        self.oversized += oversized;
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}
