//! `media`: how the server sees a client's media path.

use super::Notice;
use serde::Serialize;

/// How the server sees the client's media path.
#[derive(Debug, Serialize)]
pub(crate) struct Media {
    pub(crate) state: MediaState,
}

/// The state of a media path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MediaState {
    /// Keys are agreed, packets may flow.
    Connected,
    /// No packet for 8 s.
    Silent,
    /// Packets come again.
    Back,
}

impl Notice for Media {
    const TYPE: &'static str = "media";
}
