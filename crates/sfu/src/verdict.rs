//! What became of a packet, by name. Each reason indexes a counter.

use salon_rtp::reasons;

/// What became of a packet that came from the network. Never an error of the caller's.
// Exhaustive: there is no third; what grows is the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It did what it is for.
    Accepted,
    /// It changed nothing but this reason's counter.
    Dropped(DropReason),
}

impl From<Result<(), DropReason>> for Verdict {
    fn from(r: Result<(), DropReason>) -> Self {
        match r {
            Ok(()) => Self::Accepted,
            Err(e) => Self::Dropped(e),
        }
    }
}

reasons! {
    /// Why a packet that came in went no further: one per packet.
    #[non_exhaustive]
    pub enum DropReason {
        /// The room knows no such participant, or it is not connected.
        UnknownParticipant = "unknown-participant",
        /// The RTP header, or its payload's descriptor, runs past the end or contradicts itself.
        MalformedRtp = "malformed-rtp",
        /// The RTCP compound has a block whose length or count cannot be.
        MalformedRtcp = "malformed-rtcp",
        /// Its SSRC is neither declared nor bound, and its extensions do not name a track.
        UnknownSsrc = "unknown-ssrc",
        /// Its MID or RID names nothing that this participant negotiated.
        UnknownMid = "unknown-mid",
        /// This participant has as many bound SSRCs as it may.
        TooManySsrcs = "too-many-ssrcs",
        /// Its track has several encodings, and it does not say which it is.
        MissingRid = "missing-rid",
        /// Its SSRC was replaced by a newer one: a straggler.
        RetiredSsrc = "retired-ssrc",
        /// Its encoding changed its SSRC a moment ago: once more is too soon.
        SsrcTooSoon = "ssrc-too-soon",
        /// Its payload type is not its track's.
        WrongPayloadType = "wrong-payload-type",
        /// It came before.
        Duplicate = "duplicate",
        /// It lies too far behind the newest of its encoding.
        TooOld = "too-old",
        /// Its number jumped: held back until a run in order shows that the source restarted.
        Probation = "probation",
        /// Its payload is larger than a packet that we could send on.
        TooLarge = "too-large",
        /// Only padding, or an empty RTX packet (a probe): nothing to forward.
        Padding = "padding",
        /// An RTX packet that repairs nothing that is missing.
        RtxUseless = "rtx-useless",
        /// An RTX packet for an encoding whose media was never seen.
        RtxUnbound = "rtx-unbound",
        /// Its payload cannot be what its codec says.
        MalformedPayload = "malformed-payload",
        /// A report about streams that do not exist here.
        UnknownReport = "unknown-report",
    }
}

reasons! {
    /// Why something that a receiver was to get was not sent.
    #[non_exhaustive]
    pub enum EgressDrop {
        /// Its bytes, or those of the key frame before it, had left the cache before their turn came.
        Evicted = "evicted",
        /// Its slot ended before its turn came.
        SlotGone = "slot-gone",
        /// Its track ended before its turn came.
        TrackGone = "track-gone",
        /// The receiver's queue was full.
        QueueFull = "queue-full",
        /// The receiver has no path, or the caller discarded the burst.
        Discarded = "discarded",
        /// The slot's m-line has no payload type for the codec.
        NoPayloadType = "no-payload-type",
        /// With its header it would be larger than a datagram may be.
        TooLarge = "too-large",
        /// A report did not fit among those that wait.
        ReportsFull = "reports-full",
        /// Asked for again, but never sent or long forgotten.
        RepairUnknown = "repair-unknown",
        /// Asked for again within one round trip.
        RepairTooSoon = "repair-too-soon",
        /// Asked for again more often than a packet is repeated.
        RepairTooOften = "repair-too-often",
        /// Asked for again though a key frame has made it useless.
        RepairBeforeKey = "repair-before-key",
        /// Asked for again beyond what repair may cost.
        RepairBudget = "repair-budget",
        /// Asked for again of a picture that is being taken off a link that has just choked.
        RepairChoked = "repair-choked",
        /// Asked for again by a receiver that negotiated no RTX: an index is sealed once.
        RepairWithoutRtx = "repair-without-rtx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_in_the_order_of_the_counters() {
        for (i, a) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*a as usize, i);
            assert!(DropReason::ALL[..i].iter().all(|b| b.name() != a.name()));
        }
        for (i, a) in EgressDrop::ALL.iter().enumerate() {
            assert_eq!(*a as usize, i);
            assert!(EgressDrop::ALL[..i].iter().all(|b| b.name() != a.name()));
        }
    }
}
