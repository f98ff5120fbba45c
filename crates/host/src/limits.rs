//! What the host bounds, and why.

/// Commands waiting for a shard. A shard drains them every turn (milliseconds); a thousand waiting means that it is
/// lost in other work, and refusing is better than growing.
pub const COMMANDS: usize = 1_024;

/// Commands taken in one turn of the loop: a burst of joins must not hold up packets of those who talk.
pub const COMMANDS_PER_TURN: usize = 64;

/// Receive batches taken in one turn before what they caused is sent: enough that a video frame's packets leave as one
/// run, few enough that the first of them does not wait for long.
pub const BATCHES_PER_TURN: usize = 4;

/// Bytes of a room's name.
pub const ROOM_NAME: usize = 256;

/// Bytes of socket buffer to ask for in each direction: 40 ms of 800 Mbit/s, so that a stall of the thread loses nothing.
pub const SOCKET_BUFFER: usize = 4 << 20;
