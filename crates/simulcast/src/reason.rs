//! Why a packet does not go out on a slot.

use salon_rtp::reasons;

reasons! {
    /// Why a packet was not forwarded on a slot. Indexes a counter: `reason as usize` is its place in [`SkipReason::ALL`].
    #[non_exhaustive]
    pub enum SkipReason {
        /// Nothing is aimed at: the slot is paused or empty.
        Paused = "paused",
        /// It belongs to an encoding that the slot neither shows nor waits for.
        OtherEncoding = "other-encoding",
        /// The slot waits for a key frame of this encoding, and this is not the first packet of one.
        AwaitingKey = "awaiting-key",
        /// It starts a key frame, but packets after it came first and are lost to this slot: the next key will do.
        KeyOutOfOrder = "key-out-of-order",
        /// It was sent before the packet on which the slot switched to its encoding.
        BeforeSwitch = "before-switch",
        /// Its temporal layer lies above the target, or could not be climbed to yet.
        TemporalLayer = "temporal-layer",
        /// Its picture came so late that what held in its time is forgotten, and it is not of the base layer.
        LateLayer = "late-layer",
        /// It belongs to a picture of which another packet was skipped.
        PictureSkipped = "picture-skipped",
        /// It carries padding only, or the caller keeps it back.
        Padding = "padding",
        /// It was forwarded already.
        Duplicate = "duplicate",
        /// It comes later than the slot remembers numbers or times for.
        TooLate = "too-late",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_indexes_itself_and_has_its_own_name() {
        for (i, reason) in SkipReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, i);
            assert_eq!(SkipReason::ALL.iter().filter(|r| r.name() == reason.name()).count(), 1);
        }
    }
}
