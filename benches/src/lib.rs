//! What packets cost: read, sealed, forwarded in memory ([`Memory`], beside str0m's way in [`PlainMemory`]), and forwarded from
//! socket to socket: real datagrams over the loopback, real handshakes, real ciphers.
//!
//! A [`Crowd`] of clients stands on one side, a [`Forwarder`] on the other: ours ([`Ours`]), or a plain loop over str0m
//! ([`Plain`]). A [`Clip`] is sealed beforehand, so that sending it costs next to nothing. What is measured is the time that the
//! forwarder's threads were on a processor ([`cpu`]): on a machine where others work, a clock on the wall tells of them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A measurement that cannot be made ends.

mod check;
mod clip;
pub mod cpu;
mod crowd;
mod forwarder;
pub mod memory;
mod ours;
mod plain;
mod plain_memory;
pub mod samples;

pub use clip::{Clip, Shape};
pub use crowd::{Crowd, socket};
pub use forwarder::{Admitted, Forwarded, Forwarder, Guest, Role};
pub use memory::Memory;
pub use ours::Ours;
pub use plain::Plain;
pub use plain_memory::PlainMemory;
