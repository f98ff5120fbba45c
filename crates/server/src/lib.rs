//! A conference server to mount in an axum program: page, WebSocket room protocol, WHIP, WHEP, API, metrics, TLS.
//!
//! [`Server`] puts a conference that browsers join by a link over the rooms of a [`salon_host::Host`]. Take its
//! [`router`](Server::router) into a program of your own, or let it [`serve`](Server::serve) a port, on which it speaks plain HTTP and
//! TLS both. Media flows beside it, on the host's threads and its UDP port; here is only what HTTP carries: the page, the
//! [room protocol](https://github.com/salon-rs/salon/blob/main/crates/server/PROTOCOL.md),
//! [WHIP and WHEP](https://github.com/salon-rs/salon/blob/main/crates/server/WHIP.md), `/healthz`, and for the holder of the
//! administrator's token `/metrics` and `/api/rooms`.
//!
//! What it deliberately does not: it keeps no accounts and no history, sets no cookies, and touches no media packet.
//!
//! ```
//! use salon_host::{Host, HostConfig};
//! use salon_server::{Config, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::start(HostConfig::new("127.0.0.1:0".parse()?))?;
//! let conference = Server::start(Config::default(), host.handle())?;
//! let app: axum::Router = axum::Router::new().nest("/meet", conference.router());
//! # Ok(())
//! # }
//! ```
//!
//! The two types that matter are [`Server`] and [`Config`], whose default is safe as it stands.
//!
//! # Limits
//!
//! [`limits`] names the bound of everything that a client can make grow, each with its reason. There are no features.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod access;
mod api;
mod arrival;
mod bucket;
mod candidates;
mod config;
mod costs;
mod directory;
mod events;
mod gate;
mod headers;
mod joins;
mod keys;
pub mod limits;
mod listener;
mod lobby;
mod messages;
mod metrics;
mod moderation;
mod name;
mod negotiation;
mod outbox;
mod page;
mod participant;
mod presence;
mod proposal;
mod random;
mod router;
mod seat;
mod server;
mod session;
mod state;
mod tls;
mod told;
mod whip;
mod wire;

pub use arrival::Arrival;
pub use candidates::machine_addresses;
pub use config::Config;
pub use keys::{Needed, Role};
#[doc(hidden)]
pub use messages::judge_message;
pub use name::RoomName;
pub use random::NoRandomness;
pub use server::Server;
pub use state::{StateError, kept_secret};
pub use tls::{Tls, TlsError};
