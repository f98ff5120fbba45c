//! Bounds, each with its reason.

/// How far a source's sequence number may run ahead of the newest before the source counts as restarted (mediasoup's
/// and RFC 3550 A.1's MAX_DROPOUT: ten seconds of 300 packets/s; less would cost a key frame after a short outage).
pub const MAX_JUMP_AHEAD: u64 = 3_000;

/// How many output numbers back a late packet may still go out: as deep as the sent window of the cipher, 3.4 s at
/// 300 packets/s. A repair that comes later than that is of no use to any playout buffer.
pub const LATE_PACKETS: u64 = 1_024;

/// Steps that one slot can choose among: three encodings of four temporal layers, with room to spare.
pub const MAX_STEPS: usize = 16;
