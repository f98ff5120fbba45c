//! What the room counted.

use salon_simulcast::SkipReason;

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
    /// Requests for key frames that went no further: their receiver had asked too often.
    pub keys_refused: u64,
    /// Missing packets asked of publishers.
    pub nacks_sent: u64,
    /// Packets that left larger than [`limits::DATAGRAM`](crate::limits::DATAGRAM).
    pub oversized: u64,
    skipped: [u64; SkipReason::ALL.len()],
    dropped: [u64; DropReason::COUNT],
    unsent: [u64; EgressDrop::COUNT],
}

impl Counters {
    /// Packets that came and were dropped for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or(0)
    }

    /// What was to be sent and was not, for this reason.
    pub fn unsent(&self, reason: EgressDrop) -> u64 {
        self.unsent.get(reason as usize).copied().unwrap_or(0)
    }

    /// Adds another room's totals: what a process counted is the sum over its rooms, those that ended included.
    pub fn add(&mut self, other: &Self) {
        let Self {
            rtp_in,
            rtcp_in,
            rtp_out,
            rtx_out,
            rtcp_out,
            bytes_out,
            rtx_bytes_out,
            visited,
            keys_asked,
            keys_refused,
            nacks_sent,
            oversized,
            skipped,
            dropped,
            unsent,
        } = other;
        let pairs = [
            (&mut self.rtp_in, rtp_in),
            (&mut self.rtcp_in, rtcp_in),
            (&mut self.rtp_out, rtp_out),
            (&mut self.rtx_out, rtx_out),
            (&mut self.rtcp_out, rtcp_out),
            (&mut self.bytes_out, bytes_out),
            (&mut self.rtx_bytes_out, rtx_bytes_out),
            (&mut self.visited, visited),
            (&mut self.keys_asked, keys_asked),
            (&mut self.keys_refused, keys_refused),
            (&mut self.nacks_sent, nacks_sent),
            (&mut self.oversized, oversized),
        ];
        let lists = self.dropped.iter_mut().zip(dropped).chain(self.unsent.iter_mut().zip(unsent));
        let lists = lists.chain(self.skipped.iter_mut().zip(skipped));
        for (sum, more) in pairs.into_iter().chain(lists) {
            *sum = sum.saturating_add(*more);
        }
    }

    /// Packets that a slot did not forward, for this reason: one per packet and slot.
    pub fn skipped(&self, reason: SkipReason) -> u64 {
        self.skipped.get(reason as usize).copied().unwrap_or(0)
    }

    pub(crate) fn skip(&mut self, reason: SkipReason) {
        self.skipped[reason as usize] += 1;
    }

    pub(crate) fn drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    pub(crate) fn leave_unsent(&mut self, reason: EgressDrop) {
        self.leave_unsent_many(reason, 1);
    }

    pub(crate) fn leave_unsent_many(&mut self, reason: EgressDrop, n: usize) {
        self.unsent[reason as usize] += n as u64;
    }
}
