//! What the room calls its things. Ids are generational keys: a stale one names nothing, never somebody else.

use salon_rtp::Ssrc;
use slotmap::{Key, new_key_type};

new_key_type! {
    /// Somebody in a room (RFC 7656 §2.2.3).
    pub struct ParticipantId;
    /// What a participant publishes: a microphone, a camera, a screen.
    pub struct TrackId;
    /// A receive stream that a participant negotiated once, and in which tracks appear.
    pub struct SlotId;
}

impl ParticipantId {
    /// The contributing source by which this participant's packets are marked at every receiver (RFC 3550 §5.1).
    /// Distinct for all who are in a room at one time.
    pub fn csrc(self) -> Ssrc {
        // The low word is the place in the table, which `limits::PARTICIPANTS` keeps below 2¹⁶; the high word counts
        // how often that place was given away.
        let raw = self.data().as_ffi();
        Ssrc(((raw >> 32) as u32) << 16 | (raw as u32 & 0xffff))
    }
}
