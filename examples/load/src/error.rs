//! What ends a run before it has begun. What happens to one client is in the report instead.

use std::io;

/// Why a run cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A URL that cannot be read.
    #[error("{0} is no http or https URL")]
    Url(String),
    /// A host without an address.
    #[error("{0} has no address: check the name")]
    Unknown(String),
    /// The certificates that TLS is to trust cannot be read.
    #[error("no certificates to trust ({0}): name a PEM file with --ca, or give --insecure")]
    Trust(String),
    /// The system refused a socket or the poll.
    #[error("this machine refuses {0} ({1})")]
    System(&'static str, io::Error),
    /// The plan contradicts itself.
    #[error("{0}")]
    Plan(&'static str),
    /// The server's figures could not be read.
    #[error("{0} cannot be read ({1})")]
    Figures(String, String),
}
