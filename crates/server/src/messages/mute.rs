//! `mute`: a source falls silent or speaks again.

use super::Source;
use serde::Deserialize;

/// A source falls silent or speaks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Mute {
    pub(crate) source: Source,
    pub(crate) muted: bool,
}
