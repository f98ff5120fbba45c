//! What whoever runs the server decides.

use crate::keys::Needed;
use crate::limits;
use std::net::IpAddr;

/// What whoever runs the server decides. `Config::default()` is safe as it stands.
///
/// New fields come with a default: write `..Config::default()`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The addresses by which clients reach this machine's UDP port from outside, in order of preference. Empty: the address by
    /// which a client's HTTP connection came, then the machine's own.
    pub public_ips: Vec<IpAddr>,
    /// The token that opens `/metrics` and `/api/rooms`; `None`: one of 128 random bits is made ([`crate::Server::admin_token`]).
    pub admin_token: Option<String>,
    /// The key that makes a moderator of whoever joins with it; `None`: one of 128 random bits is made ([`crate::Server::moderator_key`]).
    pub moderator_key: Option<String>,
    /// The secret with which tokens are signed (HS256); `None`: a random one, so that tokens end with the process.
    pub token_secret: Option<String>,
    /// Which rooms let in only who brings a key.
    pub key_needed: Needed,
    /// Joins from one address at once, loopback excepted (a reverse proxy comes from there); then one a second.
    pub joins_at_once: u32,
    /// Origins (`https://example.org`) whose pages may speak the room protocol and show ours in a frame, besides our own.
    pub allow_origins: Vec<String>,
    /// TCP connections at once that [`crate::Server::serve`] holds.
    pub max_connections: usize,
    /// Whether plain HTTP from beyond loopback is served, and not redirected to HTTPS. For a reverse proxy on another machine: a
    /// browser gives no microphone to a plain-HTTP page.
    pub plain_http: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_ips: Vec::new(),
            admin_token: None,
            moderator_key: None,
            token_secret: None,
            key_needed: Needed::Nowhere,
            joins_at_once: limits::JOINS_AT_ONCE,
            allow_origins: Vec::new(),
            max_connections: limits::CONNECTIONS,
            plain_http: false,
        }
    }
}
