//! `offer`: sources or slots change, or ICE restarts.

use super::join::{distinct, sized};
use super::{Refusal, Sections, Source};
use serde::Deserialize;

/// A renegotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The offer.
    pub(crate) sdp: String,
    /// What each sending section carries.
    pub(crate) sources: Sections<Source>,
}

#[derive(Deserialize)]
pub(super) struct Wire {
    sdp: String,
    sources: Option<Sections<Source>>,
}

impl TryFrom<Wire> for Offer {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        Ok(Self { sdp: sized(wire.sdp)?, sources: distinct(wire.sources.unwrap_or_default())? })
    }
}
