//! `join`: a person comes in.

use super::{Code, Refusal, Sections, Source};
use crate::limits::SDP_BYTES;
use crate::name;
use serde::Deserialize;
use std::sync::Arc;

/// A person comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) name: Arc<str>,
    /// The offer.
    pub(crate) sdp: String,
    /// What each sending section carries; where it is silent the kind decides.
    pub(crate) sources: Sections<Source>,
    /// Sources that begin muted.
    pub(crate) muted: Vec<Source>,
    /// The token of an earlier `welcome`, whose person leaves.
    pub(crate) replaces: Option<String>,
    /// The moderator's key, or a token.
    pub(crate) key: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Wire {
    name: String,
    sdp: String,
    sources: Option<Sections<Source>>,
    muted: Option<Vec<Source>>,
    replaces: Option<String>,
    key: Option<String>,
}

impl TryFrom<Wire> for Join {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        let name = name::person(&wire.name).ok_or(Refusal::new(Code::BadName))?;
        let mut muted = wire.muted.unwrap_or_default();
        muted.sort_unstable();
        muted.dedup();
        Ok(Self {
            name,
            sdp: sized(wire.sdp)?,
            sources: distinct(wire.sources.unwrap_or_default())?,
            muted,
            replaces: wire.replaces,
            key: wire.key,
        })
    }
}

/// An SDP within its bound.
pub(super) fn sized(sdp: String) -> Result<String, Refusal> {
    if sdp.len() > SDP_BYTES {
        return Err(Refusal::new(Code::BadSdp).saying("The offer is larger than 256 KiB."));
    }
    Ok(sdp)
}

/// Sources of which none stands in two sections.
pub(super) fn distinct(sources: Sections<Source>) -> Result<Sections<Source>, Refusal> {
    let mut seen: Vec<Source> = sources.0.values().copied().collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(Refusal::new(Code::BadSource).saying("A source is named for two sections."));
    }
    Ok(sources)
}
