//! `leave`: the person goes.

use serde::Deserialize;

/// The person goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Leave {}
