//! `resume`, `resumed`: another connection takes over where one was lost; the media go on.

use super::{Knock, MediaState, Notice, Person, PersonId, Sections, Shown};
use serde::{Deserialize, Serialize};

/// The bearer of this token goes on by this connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Resume {
    /// Of an earlier `welcome` in this room.
    pub(crate) token: String,
}

/// All that was told by the connection before.
#[derive(Debug, Serialize)]
pub(crate) struct Resumed<'a> {
    pub(crate) id: PersonId,
    pub(crate) boot: &'a str,
    /// Where media is received, `address:port`.
    pub(crate) media: Vec<String>,
    /// The others.
    pub(crate) people: Vec<Person>,
    pub(crate) slots: Sections<Shown>,
    pub(crate) encodings: Sections<Vec<String>>,
    pub(crate) floor: Option<PersonId>,
    pub(crate) speaking: Vec<PersonId>,
    /// How the server sees the client's media; none until they were connected.
    pub(crate) state: Option<MediaState>,
    pub(crate) locked: bool,
    /// Who waits at the door, for moderators.
    pub(crate) knocks: Vec<Knock>,
}

impl Notice for Resumed<'_> {
    const TYPE: &'static str = "resumed";
}
