//! `answer`: the reply to an `offer`.

use super::{Notice, Sections, Source};
use serde::Serialize;

/// The reply to an `offer`.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    pub(crate) sdp: &'a str,
    /// Sending sections that were accepted.
    pub(crate) tracks: Sections<Source>,
    /// Sections that were not, with a reason.
    pub(crate) refused: Sections<String>,
}

impl Notice for Answer<'_> {
    const TYPE: &'static str = "answer";
}
