//! `connection`: how one's own media fare, as the server sees them.

use super::Notice;
use crate::costs::Costs;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// How do my media fare?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Ask {}

/// The answer, with what the server alone knows.
#[derive(Debug, Serialize)]
pub(crate) struct Connection {
    pub(crate) connected: bool,
    /// Where the client's packets come from, and at which address of the server they arrive.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) rtt_ms: Option<u32>,
    /// Milliseconds since the last authenticated packet.
    pub(crate) unheard_ms: u64,
    /// Share of the client's packets that did not arrive, since it joined.
    pub(crate) loss_up: f32,
    /// Share of packets that the client missed lately, the worst of its slots.
    pub(crate) loss_down: Option<f32>,
    /// What the link is thought to carry, bit/s; none while nothing limits.
    pub(crate) budget: Option<u64>,
    /// Whether a picture pauses, or is smaller than its tile, because the link carries no more.
    pub(crate) narrow: bool,
    /// What the client has cost since it joined.
    pub(crate) costs: Costs,
}

impl Notice for Connection {
    const TYPE: &'static str = "connection";
}
