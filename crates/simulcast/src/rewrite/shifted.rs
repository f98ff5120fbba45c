//! Cyclic numbers that one distance moves.

use salon_rtp::SeqNo;

/// TL0PICIDX or KEYIDX of one slot: a source's number moved by a distance that is fixed from its start to its end, so
/// that the first goes on where the source before it stopped.
#[derive(Debug, Default)]
pub(crate) struct Shifted {
    by: Option<u8>,
    /// What went out on the packet of the highest number of its source, and that number. (Not on the newest packet: that
    /// one may have been skipped, and one before it go out late.)
    last: Option<u8>,
    at: u64,
}

impl Shifted {
    /// Another source begins.
    pub(crate) fn restart(&mut self) {
        (self.by, self.at) = (None, 0);
    }

    /// The number that goes out for `v`, on a packet of the number `seq`.
    pub(crate) fn shift(&mut self, v: u8, seq: SeqNo) -> u8 {
        let last = self.last;
        let by = *self.by.get_or_insert_with(|| last.map_or(0, |l| l.wrapping_add(1).wrapping_sub(v)));
        let out = v.wrapping_add(by);
        if seq.0 >= self.at {
            (self.last, self.at) = (Some(out), seq.0);
        }
        out
    }
}
