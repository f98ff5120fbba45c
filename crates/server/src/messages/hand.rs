//! `hand`: somebody asks for the word.

use serde::Deserialize;

/// Somebody asks for the word, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Hand {
    pub(crate) raised: bool,
}
