//! `ping`, `pong`: both ways, so that each end knows that the other lives.

use super::{Code, Notice, Refusal};
use serde::{Deserialize, Serialize};

/// Are you there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Ping {
    pub(crate) t: u64,
}

/// The answer to the [`Ping`] of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Pong {
    pub(crate) t: u64,
}

/// Integers up to here survive a reader whose numbers are all doubles (RFC 8259 §6).
const EXACT: u64 = 1 << 53;

#[derive(Deserialize)]
pub(super) struct Wire {
    t: u64,
}

impl Wire {
    fn checked(self) -> Result<u64, Refusal> {
        if self.t > EXACT { Err(Refusal::new(Code::BadMessage)) } else { Ok(self.t) }
    }
}

impl TryFrom<Wire> for Ping {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        wire.checked().map(|t| Self { t })
    }
}

impl TryFrom<Wire> for Pong {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        wire.checked().map(|t| Self { t })
    }
}

impl Notice for Ping {
    const TYPE: &'static str = "ping";
}

impl Notice for Pong {
    const TYPE: &'static str = "pong";
}
