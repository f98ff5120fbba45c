//! The bounds of this crate, each with its reason.

/// The longest datagram that is sent, in bytes: what an Ethernet frame carries. Media stays below 1,232 and DTLS below
/// 1,400, so the slot never limits them; more would only spread a batch over more cache lines.
pub const MTU: usize = 1500;

/// Messages received with one system call, at most. Beyond 16 or so the cost of the call itself is spread thin.
pub const RECV_MESSAGES: usize = 32;

/// Datagrams that the kernel joins into one message at most: 64 that came over a network (UDP_GRO_CNT_MAX), twice as many
/// where another program of this machine sent them as one run (UDP_MAX_SEGMENTS).
pub const RECV_TRAIN: usize = 128;

/// Datagrams that one receive brings at most: hardly ever more than [`RECV_MESSAGES`], but each may be a train.
pub const RECV_BATCH: usize = RECV_MESSAGES * RECV_TRAIN;

/// Messages that a receive asks for at least. As many more are asked for as the last one brought, twice over: preparing
/// all places for a lone datagram would cost half as much as receiving it.
#[cfg(target_os = "linux")]
pub(crate) const RECV_LEAST: usize = 8;

/// The longest datagram that is received, in bytes; a longer one is dropped and counted. Above the MTU of any path that
/// leads here, so that truncation never hits an honest packet.
pub const RECV_MAX: usize = 2048;

/// Bytes of the place of one message. A train has up to 65,535 bytes, and one that were cut off would lose datagrams; what
/// is beyond keeps the beginnings of places, where lone datagrams stand, out of the same cache sets. Memory that no
/// train touches is never mapped.
#[cfg(target_os = "linux")]
pub(crate) const RECV_PLACE: usize = 65_536 + 1_344;
/// Bytes of the place of one message: a datagram's, for want of trains.
#[cfg(not(target_os = "linux"))]
pub(crate) const RECV_PLACE: usize = RECV_MAX;

/// Datagrams that wait in a [`SendBatch`](crate::SendBatch), at most: 192 KB of buffer.
pub const SEND_BATCH: usize = 128;

/// Datagrams of one run at most: what every kernel since 4.18 takes (UDP_MAX_SEGMENTS; newer ones take twice as many).
pub const RUN_DATAGRAMS: usize = 64;

/// Bytes of one run at most: until it is cut up it travels as one datagram, whose length field has 16 bits, headers
/// included (RFC 768).
pub const RUN_BYTES: usize = 65_000;

/// Datagrams that leave one by one after the kernel refused a run, before the next run is tried. Where it always refuses
/// that costs one system call in so many datagrams; where the cause was one path (older kernels say EINVAL where a path
/// takes less than a segment), one peer cannot make all others dearer for good.
pub const RUNS_REST: u32 = 65_536;
