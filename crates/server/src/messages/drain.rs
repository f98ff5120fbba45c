//! `drain`: the server will stop.

use super::Notice;
use serde::Serialize;

/// The server will stop when everybody has left, at the latest after this time.
#[derive(Debug, Serialize)]
pub(crate) struct Drain {
    pub(crate) seconds: u64,
}

impl Notice for Drain {
    const TYPE: &'static str = "drain";
}
