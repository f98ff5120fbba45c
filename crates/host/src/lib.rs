//! Conference rooms over UDP behind a handle.
//!
//! [`Host`] owns what the crates below refuse to own: the media thread, the UDP socket, the clock and the randomness.
//! It joins [`salon_transport::Transport`] and [`salon_sfu::Room`], which do not know each other. [`Handle`] is what
//! the rest of a process holds: commands go in through a bounded queue, events come out through callbacks.
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
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod clock;
mod command;
mod counters;
mod entropy;
mod handle;
pub mod limits;
mod member;
mod obey;
mod rooms;
mod shard;

pub use clock::Clock;
pub use command::{
    HostEvent, HostRoomReport, Join, JoinError, Joined, Member, MemberReport, PeerReport, Shown, Stale,
    Update, Updated,
};
pub use counters::HostCounters;
pub use entropy::NoEntropy;
pub use handle::{Handle, Host, HostConfig, StartError};
pub use salon_sfu as sfu;
pub use salon_transport as transport;
