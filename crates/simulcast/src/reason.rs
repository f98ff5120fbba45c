//! Why a packet does not go out on a slot.

/// Why a packet was not forwarded on a slot. Indexes a counter: `reason as usize` is its place in [`SkipReason::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum SkipReason {
    /// Nothing is aimed at: the slot is paused or empty.
    Paused,
    /// It belongs to an encoding that the slot neither shows nor waits for.
    OtherEncoding,
    /// The slot waits for a key frame of this encoding, and this is not the first packet of one.
    AwaitingKey,
    /// It starts a key frame, but packets after it came first and are lost to this slot: the next key will do.
    KeyOutOfOrder,
    /// It was sent before the packet on which the slot switched to its encoding.
    BeforeSwitch,
    /// Its temporal layer lies above the target, or could not be climbed to yet.
    TemporalLayer,
    /// Its picture came so late that what held in its time is forgotten, and it is not of the base layer.
    LateLayer,
    /// It belongs to a picture of which another packet was skipped.
    PictureSkipped,
    /// It carries padding only, or the caller keeps it back.
    Padding,
    /// It was forwarded already.
    Duplicate,
    /// It comes later than the slot remembers numbers or times for.
    TooLate,
}

impl SkipReason {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 11] = [
        Self::Paused,
        Self::OtherEncoding,
        Self::AwaitingKey,
        Self::KeyOutOfOrder,
        Self::BeforeSwitch,
        Self::TemporalLayer,
        Self::LateLayer,
        Self::PictureSkipped,
        Self::Padding,
        Self::Duplicate,
        Self::TooLate,
    ];

    /// A name for a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::OtherEncoding => "other_encoding",
            Self::AwaitingKey => "awaiting_key",
            Self::KeyOutOfOrder => "key_out_of_order",
            Self::BeforeSwitch => "before_switch",
            Self::TemporalLayer => "temporal_layer",
            Self::LateLayer => "late_layer",
            Self::PictureSkipped => "picture_skipped",
            Self::Padding => "padding",
            Self::Duplicate => "duplicate",
            Self::TooLate => "too_late",
        }
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
