//! The laws of any RTP stream.

use core::hash::{Hash, Hasher};
use salon_rtp::{RtpTime, Seq, SeqNo};
use std::collections::BTreeMap;
use std::hash::DefaultHasher;

/// What was seen of a stream's numbers and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamCheck {
    /// Packets that came, each number once.
    pub packets: u64,
    /// Numbers that came again with the same bytes: a network may do so, a sender must not.
    pub duplicates: u64,
    /// Numbers that came again with other bytes or another timestamp: nobody may do so.
    pub conflicts: u64,
    /// Packets too old to tell anything of.
    pub stale: u64,
    /// Numbers that never came.
    pub holes: u64,
    /// Packets whose timestamp lies before that of the packet before them.
    pub backwards: u64,
    /// Times that the number jumped by more than 1,500, which is how long a packet may be late.
    pub jumps: u64,
}

/// Puts a stream's packets in the order of their numbers, and checks the laws that hold for every stream.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T> {
    check: StreamCheck,
    highest: Option<SeqNo>,
    /// All below have settled.
    settled: SeqNo,
    last_timestamp: Option<RtpTime>,
    packets: BTreeMap<u64, Seen<T>>,
}

#[derive(Clone, Debug)]
struct Seen<T> {
    timestamp: RtpTime,
    fingerprint: u64,
    value: T,
}

/// A packet whose place in the order is final.
pub(crate) struct Settled<T> {
    pub(crate) timestamp: RtpTime,
    pub(crate) value: T,
    /// The packet with the number before it came too.
    pub(crate) adjacent: bool,
}

impl<T> Ordered<T> {
    /// A packet settles when one comes that is so many numbers ahead: more than any repair takes.
    pub(crate) const WINDOW: u64 = 1_500;

    pub(crate) fn new() -> Self {
        Self {
            check: StreamCheck::default(),
            highest: None,
            settled: SeqNo(0),
            last_timestamp: None,
            packets: BTreeMap::new(),
        }
    }

    /// Takes a packet; its extended number, if it is new. A repaired one may come again.
    pub(crate) fn push(
        &mut self,
        seq: Seq,
        timestamp: RtpTime,
        bytes: &[u8],
        repaired: bool,
        value: T,
    ) -> Option<SeqNo> {
        // A cycle above zero, so that a packet before the first can be extended.
        let near = *self.highest.get_or_insert(SeqNo(0x1_0000 | u64::from(seq.0)));
        let index = seq.extend(near)?;
        if self.check.packets == 0 {
            // Packets that the network let the first one pass may still come.
            self.settled = SeqNo(index.0.saturating_sub(100));
        }
        if index.since(near) > Self::WINDOW {
            self.check.jumps += 1;
        }
        if index < self.settled {
            self.check.stale += 1;
            return None;
        }
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let fingerprint = hasher.finish();
        if let Some(seen) = self.packets.get(&index.0) {
            if (seen.fingerprint, seen.timestamp) != (fingerprint, timestamp) {
                self.check.conflicts += 1;
            } else if !repaired {
                self.check.duplicates += 1;
            }
            return None;
        }
        self.check.packets += 1;
        self.highest = Some(near.max(index));
        self.packets.insert(index.0, Seen { timestamp, fingerprint, value });
        Some(index)
    }

    /// The packet of a number, while it has not settled.
    pub(crate) fn get(&self, index: SeqNo) -> Option<(RtpTime, &T)> {
        self.packets.get(&index.0).map(|s| (s.timestamp, &s.value))
    }

    /// The next packet whose place is final; with `all`, whichever is next.
    pub(crate) fn settle(&mut self, all: bool) -> Option<Settled<T>> {
        let (&index, _) = self.packets.first_key_value()?;
        if !all && self.highest?.0.saturating_sub(index) < Self::WINDOW {
            return None;
        }
        let seen = self.packets.remove(&index)?;
        let first = self.last_timestamp.is_none();
        let adjacent = !first && index == self.settled.0;
        if !first {
            // What lies in a jump was not lost.
            let missing = index - self.settled.0;
            self.check.holes += if missing < Self::WINDOW { missing } else { 0 };
        }
        if self.last_timestamp.is_some_and(|last| seen.timestamp.since(last) < 0) {
            self.check.backwards += 1;
        }
        self.settled = SeqNo(index + 1);
        self.last_timestamp = Some(seen.timestamp);
        Some(Settled { timestamp: seen.timestamp, value: seen.value, adjacent })
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.packets.len()
    }

    pub(crate) fn check(&self) -> StreamCheck {
        self.check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(packets: &[(u16, u32, u8)]) -> StreamCheck {
        let mut ordered = Ordered::new();
        for &(seq, ts, byte) in packets {
            ordered.push(Seq(seq), RtpTime(ts), &[byte], false, ());
        }
        while ordered.settle(true).is_some() {}
        ordered.check()
    }

    #[test]
    fn laws_are_seen_to_be_broken() {
        let good = run(&[(65_534, 1, 0), (0, 3, 0), (65_535, 2, 0), (1, 4, 0)]);
        assert_eq!(good, StreamCheck { packets: 4, ..StreamCheck::default() });
        assert_eq!(run(&[(1, 1, 0), (3, 1, 0)]).holes, 1);
        assert_eq!(run(&[(1, 1, 0), (1, 1, 0)]).duplicates, 1);
        assert_eq!(run(&[(1, 1, 0), (1, 1, 1)]).conflicts, 1);
        assert_eq!(run(&[(1, 1, 0), (1, 2, 0)]).conflicts, 1);
        assert_eq!(run(&[(1, 5, 0), (2, 4, 0)]).backwards, 1);
        assert_eq!(run(&[(1, u32::MAX, 0), (2, 0, 0)]).backwards, 0);
        assert_eq!(run(&[(1, 1, 0), (20_000, 1, 0)]).jumps, 1);
    }
}
