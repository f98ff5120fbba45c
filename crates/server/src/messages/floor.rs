//! `floor`: who has the word.

use super::{Notice, PersonId};
use serde::Serialize;

/// Who has the word.
#[derive(Debug, Serialize)]
pub(crate) struct Floor {
    pub(crate) person: Option<PersonId>,
}

impl Notice for Floor {
    const TYPE: &'static str = "floor";
}
