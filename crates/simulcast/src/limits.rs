//! Bounds, each with its reason.

use core::time::Duration;

/// How far a source's sequence number may run ahead of the newest before the source counts as restarted (MAX_DROPOUT of
/// RFC 3550 §A.1): ten seconds of 300 packets/s. Less would cost a key frame after a short outage; more, holes that a
/// receiver reports as loss.
pub const MAX_JUMP_AHEAD: u64 = 3_000;

/// How many output numbers back a late packet may still go out: as deep as the sent window of the cipher, 3.4 s at
/// 300 packets/s. A repair that comes later than that is of no use to any playout buffer. A multiple of 64.
pub const LATE_PACKETS: u64 = 1_024;

/// Runs that a slot's maps of sequence numbers and of picture ids remember: two seconds of a 60 Hz picture of which every
/// other frame is dropped. What is older is refused, as it would be by the playout buffer. 16 bytes each.
pub const RUNS: usize = 64;

/// Changes of the timestamp's offset that a slot remembers for late packets: with one per
/// [`SLEW_EVERY`], three seconds.
pub const SEGMENTS: usize = 32;

/// Pictures whose decision (all of it goes out, nothing of it does) is remembered for late packets: half a second at
/// 30 Hz, which is what a repair takes. For older ones the layer decides.
pub const PICTURES: usize = 16;

/// A picture's timestamp follows the publisher's clock in steps no more frequent than this …
pub const SLEW_EVERY: Duration = Duration::from_millis(100);

/// … and no larger than this: 20 ms/s, two hundred times what crystals drift, and far below what one sees.
pub const SLEW_STEP: Duration = Duration::from_millis(2);

/// Sound between two pauses is moved only when it is off by more than this, because each move is heard (a receiver conceals 20 ms). It is three quarters of
/// the 20 ms by which sound and picture may part.
pub const SOUND_PATIENCE: Duration = Duration::from_millis(15);

/// Beyond this a source's timestamps have jumped, and are anchored anew rather than followed.
pub const CLOCK_JUMP: Duration = Duration::from_secs(1);

/// How long before its arrival a packet may claim to have been captured: bounds what a forged report can do to a slot's
/// clock. A frame held up longer than this is of no use.
pub const MAX_CAPTURE_AGE: Duration = Duration::from_secs(3);

/// How far a picture id may run ahead before it counts as a new sequence: a receiver compares them modulo 2¹⁵.
pub const MAX_PICTURE_JUMP: u64 = 1_000;

/// Steps that one slot can choose among: three encodings of four temporal layers, with room to spare.
pub const MAX_STEPS: usize = 16;
