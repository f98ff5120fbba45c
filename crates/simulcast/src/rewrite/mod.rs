//! How a packet is renumbered for one receiver.

use salon_rtp::Prefix;

/// What has to change in a payload's descriptor for one receiver. Small enough to keep per sent packet, so that a
/// repair goes out exactly as first sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Patch(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Kind {
    #[default]
    None,
}

impl Patch {
    /// The payload goes out as it came.
    pub const NONE: Self = Self(Kind::None);

    /// The bytes that stand instead of the payload's first ones, and how many of these they replace: the tail that is
    /// sent as it came starts there. `(EMPTY, 0)` where nothing changes or the payload is not what the patch was made for.
    pub fn apply(&self, payload: &[u8]) -> (Prefix, usize) {
        let _ = payload;
        (Prefix::EMPTY, 0)
    }
}
