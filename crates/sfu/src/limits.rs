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
/// Packets in one burst: a whole frame of a camera (some nine packets at 720 lines), because what is cut in two costs the
/// kernel twice (a seventh of all that forwarding costs, at 8); few enough for others not to wait.
pub const BURST: usize = 16;
/// What a packet takes on the wire beyond its payload, for rates: IPv4 and UDP 28, RTP 12, CSRC and extension about 12, the tag 16.
pub const OVERHEAD: usize = 68;
/// Bytes of UDP payload that may leave, the cipher's tag included: IPv6's least MTU less its and UDP's header.
pub const DATAGRAM: usize = 1_232;

// Ingress, voices.

/// Encodings that one participant may declare.
pub const ENCODINGS_PER_PARTICIPANT: usize = TRACKS * ENCODINGS;

/// SSRCs that are known of one participant at a time: media and repair of each encoding. What is new replaces what was
/// bound to the same encoding, so that four thousand million SSRCs from one peer cost no more than these.
pub const SSRCS_PER_PARTICIPANT: usize = 2 * ENCODINGS_PER_PARTICIPANT;

/// Bytes of history that one encoding may hold: 2 s at 4 Mbit/s, the most that a browser sends of 1080p by default.
/// A faster stream keeps a shorter history.
pub const CACHE_BYTES: usize = 1 << 20;

/// Packets of history that one encoding may hold: as many as a slot remembers to have sent, for nobody can ask for others.
pub const CACHE_PACKETS: usize = HISTORY;

/// Bytes of a packet that the cache takes, payload and passed extensions together. Larger ones could not leave
/// (a datagram of 1,232 bytes of UDP payload, issue of the tag and header included), so nothing is lost by refusing.
pub const CACHED_PACKET_BYTES: usize = 2048;

/// Missing packets that are asked for at a time, per encoding. Beyond that a key frame costs less than the repair.
pub const NACKS_TRACKED: usize = 1000;

/// Sequence numbers that one poll asks for: 17 per item of four bytes at best, one at worst, within one small packet.
pub const NACKS_PER_POLL: usize = 200;

/// Transport-wide arrivals that are remembered until they are reported, ten times a second: 10,000 packets/s.
pub const TWCC_WINDOW: usize = 1024;

/// Packets that one transport-wide feedback covers: at two bytes each and the symbols, it stays below 1,200 bytes.
pub const TWCC_PER_FEEDBACK: usize = 400;

/// Voices (microphones and other sounds) that one room ranks.
pub const VOICES_PER_ROOM: usize = 1024;

// Egress.

/// Packets of a slot that can be sent again: 2 s at 250 packets/s, as long as the cache holds them (a power of two).
/// Each costs 64 bytes per slot; none where nothing can be asked for again (sound).
pub const HISTORY: usize = 512;
/// Times that one packet is sent again: what four did not bring, a key frame will.
pub const REPEATS: u8 = 4;
/// Bytes of repair that a receiver may cost before it was sent anything: the first key frame twice.
pub const REPAIR_START: u64 = 48 << 10;
/// Bytes of repair that a receiver may save up: a burst of loss of half a second at 1 Mbit/s. All of it may be spent at once, just when a link
/// chokes: more would push the sound out.
pub const REPAIR_SAVED: u64 = 64 << 10;
/// Missing packets that one RTCP compound may ask for: what is beyond is a key frame's matter.
pub const REPAIRS_PER_REPORT: usize = 256;
/// Key frames that one slot's receiver may ask for at once …
pub const KEYS_SAVED: u8 = 3;
/// … and how often it earns another: three in ten seconds (as jitsi-media-transform allows). Enough for whoever lost packets that
/// repair did not bring; too few for one broken decoder to spoil the picture for all.
pub const KEY_EARNED: core::time::Duration = core::time::Duration::from_millis(3_333);
/// RTCP datagrams that wait for one participant. They leave at the next turn, so more means that it cannot be reached.
pub const REPORTS: usize = 8;
/// Bytes of one RTCP datagram before encryption, so that it stays below [`DATAGRAM`] with tag and index.
pub const REPORT_BYTES: usize = 1_200;
