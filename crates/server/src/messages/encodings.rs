//! `encodings`: which encodings of a sender somebody watches.

use super::{Notice, Sections};
use serde::Serialize;

/// The rids that somebody watches, per sending section; `""` stands for the encoding of a section without rids.
#[derive(Debug, Serialize)]
pub(crate) struct Encodings {
    pub(crate) encodings: Sections<Vec<String>>,
}

impl Notice for Encodings {
    const TYPE: &'static str = "encodings";
}
