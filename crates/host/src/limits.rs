//! What the host bounds, and why.

use core::time::Duration;

/// Commands waiting for a shard. A shard drains them every turn (milliseconds); a thousand waiting means that it is
/// lost in other work, and refusing is better than growing.
pub const COMMANDS: usize = 1_024;

/// Commands taken in one turn of the loop: a burst of joins must not hold up packets of those who talk.
pub const COMMANDS_PER_TURN: usize = 64;

/// Datagrams taken in one turn before what they caused is sent, about: enough that a video frame's packets leave as one
/// run, few enough that the first of them does not wait for long.
pub const DATAGRAMS_PER_TURN: usize = 256;

/// Bytes of a room's name.
pub const ROOM_NAME: usize = 256;

/// Bytes of socket buffer to ask for in each direction: 40 ms of 800 Mbit/s, so that a stall of the thread loses nothing.
pub const SOCKET_BUFFER: usize = 4 << 20;

/// How far apart turns are held under load, and so how long a packet waits then at most. Why there is such a thing, and
/// what it gains, stands with `pace::Pace`.
pub const TICK: Duration = Duration::from_millis(2);

/// Turns are held apart when more than so many percent of the thread's time was work. It is a fraction of what a core can
/// do, so that there is always a core's greater part left when it begins to save; and far above what a few rooms take.
pub const HOLD_ABOVE: u32 = 25;

/// … until it was less than so many. Holding turns makes half of the work of before, or a third: were the bound as high as the
/// other, it would flap.
pub const RELEASE_BELOW: u32 = 8;

/// Over so long that share is taken: long enough to see through one frame or one handshake, short enough to help with a
/// flood.
pub const SHARE_WINDOW: Duration = Duration::from_millis(50);

/// Rooms whose costs the counters name, those that have cost most: what monitoring keeps a line of its own for.
pub const ROOMS_TOLD: usize = 50;

/// Shards: as many as one character of a ufrag can name.
pub const SHARDS: usize = 64;

/// Paths of other shards' peers that a shard remembers. Only who has our password for a peer can add one, 16 a minute; as
/// many peers as a transport has, with that many each, fit.
pub const PATHS: usize = 65_536;

/// Bytes of a parcel between shards: some 13 packets of video.
pub const PARCEL_BYTES: usize = 16 << 10;

/// Datagrams of a parcel: as many as its bytes hold of audio packets and reports, about.
pub const PARCEL_DATAGRAMS: usize = 128;

/// Parcels of one shard that may be on their way at one time, and parcels that may wait for one. A turn fills one at least,
/// however little came; so this is also how many turns another shard may stand still for without a loss. With 4 MB they hold as
/// much as a socket does. They are made when they are first needed.
pub const PARCELS: usize = 256;

/// Parcels on their way beyond which nothing is handed on from paths of nobody's: strangers who send checks that name
/// another shard must not use up what those who talk need.
pub const PARCELS_FOR_NEW: usize = 64;
