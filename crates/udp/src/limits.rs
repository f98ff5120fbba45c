//! The bounds of this crate, each with its reason.

/// The longest datagram that is sent, in bytes: what an Ethernet frame carries. Media stays below 1,232 and DTLS below
/// 1,400, so the slot never limits them; more would only spread a batch over more cache lines.
pub const MTU: usize = 1500;

/// Datagrams received with one system call, at most. Beyond 32 or so the cost of the call itself is spread thin; 64 keeps
/// the batch's buffers (128 KiB) within a second-level cache.
pub const RECV_BATCH: usize = 64;

/// Datagrams that a receive asks for at least. As many more are asked for as the last one brought, twice over: preparing
/// 64 places for a lone datagram would cost half as much as receiving it.
#[cfg(target_os = "linux")]
pub(crate) const RECV_LEAST: usize = 8;

/// The longest datagram that is received, in bytes; a longer one is dropped and counted. Above the MTU of any path that
/// leads here, so that truncation never hits an honest packet.
pub const RECV_MAX: usize = 2048;

/// Datagrams that wait in a [`SendBatch`](crate::SendBatch), at most: 192 KB of buffer.
pub const SEND_BATCH: usize = 128;
