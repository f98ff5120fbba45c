//! The bounds of this crate, each with its reason.

/// Received packets looked back at per stream, in packets. libwebrtc and mediasoup keep the same number: at 500 packets
/// a second two seconds of reordering; more would cost 128 bytes per further 1,024.
pub const REPLAY_WINDOW: usize = 1024;

/// Streams (SSRCs) that one peer may have in each direction, RTP and RTCP apart. A participant of a room needs some
/// dozens; a peer that invents SSRCs costs itself its oldest ones, and us at most 160 KiB.
pub const MAX_STREAMS: usize = 1024;

/// The sent window that [`Outbound`](crate::Outbound) gets at least, in packets. A number that falls out of it unsent can
/// never be sent, so it is to be as deep as what may still be sent late.
pub const MIN_SENT_WINDOW: usize = 64;

/// The sent window by default, in packets: the depth of a forwarding cache (2 s of 1,000 packets a second). 256 bytes
/// per stream.
pub const DEFAULT_SENT_WINDOW: usize = 2048;

/// The deepest sent window, in packets: half the sequence numbers that travel; beyond it a receiver would take the
/// number for one of the next round (RFC 3711 §3.3.1). 4 KiB per stream.
pub const MAX_SENT_WINDOW: usize = 1 << 15;
