//! What the room counted.

use crate::{DropReason, EgressDrop};

/// Totals of a room since it was made. They only grow.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// RTP packets given to the room.
    pub rtp_in: u64,
    /// RTCP compounds given to the room.
    pub rtcp_in: u64,
    /// Media packets that left.
    pub rtp_out: u64,
    /// Repair packets that left.
    pub rtx_out: u64,
    /// RTCP compounds that left.
    pub rtcp_out: u64,
    /// Payload bytes that left in media packets.
    pub bytes_out: u64,
    /// Payload bytes that left in repair packets.
    pub rtx_bytes_out: u64,
    /// Participants touched by packets and timeouts: what O(active) is measured by.
    pub visited: u64,
    /// Key frames asked of publishers.
    pub keys_asked: u64,
    /// Missing packets asked of publishers.
    pub nacks_sent: u64,
    dropped: [u64; DropReason::COUNT],
    unsent: [u64; EgressDrop::COUNT],
}

#[allow(dead_code)] // Until the first packets flow.
impl Counters {
    /// Packets that came and were dropped for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// What was to be sent and was not, for this reason.
    pub fn unsent(&self, reason: EgressDrop) -> u64 {
        self.unsent.get(reason as usize).copied().unwrap_or(0)
    }

    pub(crate) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(crate) fn leave_unsent(&mut self, reason: EgressDrop) {
        self.unsent[reason as usize] += 1;
    }
}
