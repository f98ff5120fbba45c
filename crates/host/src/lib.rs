//! Conference rooms over UDP behind a handle.
//!
//! [`Host`] owns what the crates below refuse to own: the media threads, their UDP sockets, the clock and the randomness.
//! It joins [`salon_transport::Transport`] and [`salon_sfu::Room`], which do not know each other. [`Handle`] is what
//! the rest of a process holds: commands go in through bounded queues, events come out through callbacks.
//!
//! A *shard* is a thread with a socket, a transport and rooms of its own. All sockets share one port; a room lives on one
//! shard, where its packets take no lock. What the kernel gives to another shard's socket is handed on.
//!
//! What it deliberately is not: an HTTP server, an SDP parser, or a user of an async runtime. `salon-signal` turns an SDP
//! offer into the tracks and slots of a [`Join`]; `salon-server` does both behind HTTP.
//!
//! ```
//! use salon_host::{Host, HostConfig};
//! let host = Host::start(HostConfig::new("127.0.0.1:0".parse()?))?;
//! let handle = host.handle();
//! assert_ne!(handle.udp().port(), 0);
//! println!("a=fingerprint:sha-256 {}", handle.fingerprint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The two types that matter are [`Host`], which is dropped to end it all, and [`Handle`], which is cloned as one likes.
//!
//! # Limits
//!
//! [`limits`]: commands that wait, and what one turn of a thread may take. There are no features.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// The tests below look at one shard from inside, with the clients of those outside.
#[cfg(test)]
extern crate self as salon_host;
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;

mod clock;
mod command;
mod counters;
mod departure;
mod directory;
mod entropy;
mod gather;
mod handle;
mod host;
mod intake;
mod ledger;
pub mod limits;
mod member;
mod obey;
mod pace;
mod places;
mod post;
mod pump;
mod refusal;
mod rooms;
mod shard;
mod spent;
mod steer;

pub use clock::Clock;
pub use command::{
    HostEvent, HostRoomReport, Join, Joined, Member, MemberReport, PeerReport, Shown, Update, Updated,
};
pub use counters::{HostCounters, ShardCounters};
pub use entropy::NoEntropy;
pub use handle::Handle;
pub use host::{Host, HostConfig, StartError};
pub use refusal::{JoinError, Stale};
pub use salon_sfu as sfu;
pub use salon_transport as transport;
pub use salon_udp::{Offload, RecvCounters, SendCounters};
pub use spent::{Allocated, Meter, RoomSpent, Spent};
