//! `speaking`: who makes a sound now.

use super::{Notice, PersonId};
use serde::Serialize;

/// Who makes a sound now, or no longer.
#[derive(Debug, Serialize)]
pub(crate) struct Speaking {
    pub(crate) person: PersonId,
    pub(crate) on: bool,
}

impl Notice for Speaking {
    const TYPE: &'static str = "speaking";
}
