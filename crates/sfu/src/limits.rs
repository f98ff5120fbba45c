//! The bounds of everything that grows, each with its reason.

/// Participants in a room. The issue is conversation; a CSRC also has 16 bits for a place in the table.
pub const PARTICIPANTS: usize = 4096;
/// Tracks of one participant: microphone, camera, screen with its sound, and as much again.
pub const TRACKS: usize = 8;
/// Encodings of one track: three are what browsers send; a mask of eight bits names them.
pub const ENCODINGS: usize = 4;
/// Slots of one participant: an SDP has at most 128 m-lines.
pub const SLOTS: usize = 128;
/// Payload types that one slot may use.
pub const SLOT_PAYLOADS: usize = 16;
/// Packets that wait for one receiver. At 8 a burst this is 64 bursts: more means that it cannot be reached.
pub const QUEUE: usize = 512;
/// Bytes of an RTP payload that we take: an Ethernet frame's. What comes larger cannot leave again.
pub const PAYLOAD: usize = 1_460;
/// Packets in one burst: enough for a segmentation offload to pay, few enough for others not to wait (design §3).
pub const BURST: usize = 8;
/// Bytes of UDP payload that may leave, the cipher's tag included: IPv6's least MTU less its and UDP's header.
pub const DATAGRAM: usize = 1_232;
