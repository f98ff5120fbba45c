//! Which packets go out: sees only [`Facts`](crate::Facts).

use salon_rtp::Codec;

/// An encoding, as the caller numbers it: unique in a room for its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(pub u32);

/// What a slot shall show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The encoding.
    pub source: SourceId,
    /// The highest temporal layer that may go out; `u8::MAX` for all.
    pub temporal: u8,
    /// What the encoding's packets hold.
    pub codec: Codec,
}
