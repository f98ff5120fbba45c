//! The two protocols.

use crate::messages::Via;

/// Which of the two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// WHIP: the client sends.
    Publish,
    /// WHEP: the client receives.
    Play,
}

impl Kind {
    /// What the others see of a client that gives no name.
    pub(crate) fn default_name(self) -> &'static str {
        match self {
            Self::Publish => "WHIP",
            Self::Play => "WHEP",
        }
    }

    /// What the others are told of it.
    pub(crate) fn via(self) -> Via {
        match self {
            Self::Publish => Via::Whip,
            Self::Play => Via::Whep,
        }
    }

    /// The first segment of its paths.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Publish => "whip",
            Self::Play => "whep",
        }
    }
}
