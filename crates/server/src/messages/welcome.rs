//! `welcome`: one is in.

use super::{Knock, Notice, Person, PersonId, Sections, Source};
use crate::keys::Role;
use serde::Serialize;

/// One is in.
#[derive(Debug, Serialize)]
pub(crate) struct Welcome<'a> {
    pub(crate) id: PersonId,
    pub(crate) room: &'a str,
    /// The answer.
    pub(crate) sdp: &'a str,
    /// To be given as `replaces` by the next connection of the same person.
    pub(crate) token: &'a str,
    /// Changes when the server restarts.
    pub(crate) boot: &'a str,
    /// Where media is received, `address:port`.
    pub(crate) media: Vec<String>,
    /// Sending sections that were accepted.
    pub(crate) tracks: Sections<Source>,
    /// Sections that were not, with a reason.
    pub(crate) refused: Sections<String>,
    /// The others.
    pub(crate) people: Vec<Person>,
    /// As the others see it.
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) locked: bool,
    /// Who waits at the door, for moderators.
    pub(crate) knocks: Vec<Knock>,
}

impl Notice for Welcome<'_> {
    const TYPE: &'static str = "welcome";
}
