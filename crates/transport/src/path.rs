//! Two ends of a datagram's way.

use core::fmt;
use std::net::SocketAddr;

/// Our address and the peer's. What came on one path is answered on it: a machine with several addresses must not answer
/// from another than the one that was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    /// Ours: where the datagram came in, or leaves from.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {}", self.local, self.remote)
    }
}
