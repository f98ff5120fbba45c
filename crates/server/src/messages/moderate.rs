//! What only moderators may say: `remove`, `hush`, `lock`, `admit`, `end`; and what is heard of it.

use super::{Kind, Notice, PersonId, Source};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What only moderators may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moderation {
    Remove(Remove),
    Hush(Hush),
    Lock(Lock),
    Admit(Admit),
    End(EndAll),
}

impl Moderation {
    /// What kind of message this is.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Remove(_) => Kind::Remove,
            Self::Hush(_) => Kind::Hush,
            Self::Lock(_) => Kind::Lock,
            Self::Admit(_) => Kind::Admit,
            Self::End(_) => Kind::End,
        }
    }
}

/// Somebody has to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Remove {
    pub(crate) person: PersonId,
}

/// Somebody, or everybody else, is muted; they may lift it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Hush {
    /// None: everybody but moderators.
    pub(crate) person: Option<PersonId>,
    pub(crate) source: Source,
    /// The mute of a session of WHIP, which cannot lift it itself, ends.
    #[serde(default)]
    pub(crate) lift: bool,
}

/// Nobody new comes in without being let in, or everybody again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Lock {
    pub(crate) locked: bool,
}

/// The answer to a knock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Admit {
    pub(crate) knock: PersonId,
    pub(crate) admit: bool,
}

/// The conference is over for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct EndAll {}

/// One's own source was muted.
#[derive(Debug, Serialize)]
pub(crate) struct Hushed {
    pub(crate) source: Source,
    /// By whom.
    pub(crate) by: PersonId,
}

impl Notice for Hushed {
    const TYPE: &'static str = "hushed";
}

/// Whether the door is locked.
#[derive(Debug, Serialize)]
pub(crate) struct Locked {
    pub(crate) locked: bool,
    /// By whom.
    pub(crate) by: PersonId,
}

impl Notice for Locked {
    const TYPE: &'static str = "locked";
}

/// One waits at the door.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    /// How many could open it.
    pub(crate) moderators: usize,
}

impl Notice for Waiting {
    const TYPE: &'static str = "waiting";
}

/// To moderators: somebody waits at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Knock {
    pub(crate) id: PersonId,
    pub(crate) name: Arc<str>,
}

impl Notice for Knock {
    const TYPE: &'static str = "knock";
}

/// To moderators: a knock has been answered, or somebody has gone away.
#[derive(Debug, Serialize)]
pub(crate) struct KnockOver {
    pub(crate) id: PersonId,
}

impl Notice for KnockOver {
    const TYPE: &'static str = "knock-over";
}
