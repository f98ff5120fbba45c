//! `joined`, `changed`, `left`: who is here.

use super::{Notice, PersonId, Source};
use crate::keys::Role;
use serde::Serialize;
use std::sync::Arc;

/// A person as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    pub(crate) id: PersonId,
    pub(crate) name: Arc<str>,
    pub(crate) sources: Vec<Source>,
    pub(crate) muted: Vec<Source>,
    pub(crate) hand: bool,
    /// The connection is lost; the person may come back by itself.
    pub(crate) away: bool,
    pub(crate) role: Role,
    /// By which protocol they came; `None`: by that of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) via: Option<Via>,
}

/// A protocol by which one comes without a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Via {
    Whip,
    Whep,
}

/// Somebody came.
#[derive(Debug, Serialize)]
pub(crate) struct Joined<'a> {
    pub(crate) person: &'a Person,
}

impl Notice for Joined<'_> {
    const TYPE: &'static str = "joined";
}

/// Somebody's sources, mute or hand changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changed<'a> {
    pub(crate) person: &'a Person,
}

impl Notice for Changed<'_> {
    const TYPE: &'static str = "changed";
}

/// Somebody went.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    pub(crate) id: PersonId,
    pub(crate) reason: LeftReason,
}

impl Notice for Left {
    const TYPE: &'static str = "left";
}

/// Why somebody went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LeftReason {
    /// Said so, or closed the connection.
    Left,
    /// Nothing was heard any more.
    Lost,
    /// Came back on another connection.
    Replaced,
    /// The server ended it.
    Removed,
}
