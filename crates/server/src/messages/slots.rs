//! `slots`: who is in each slot.

use super::{Notice, PersonId, Sections, Source};
use serde::Serialize;

/// Who is in each slot that changed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Slots {
    pub(crate) slots: Sections<Shown>,
}

/// What a slot shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    /// Somebody.
    Somebody {
        /// Who.
        person: PersonId,
        /// Which source of theirs.
        source: Source,
        /// Why nothing is sent for the moment, one word.
        #[serde(skip_serializing_if = "Option::is_none")]
        empty: Option<&'static str>,
    },
    /// Nobody, and why.
    Nobody {
        /// The reason, one word.
        empty: &'static str,
    },
}

impl Notice for Slots {
    const TYPE: &'static str = "slots";
}
