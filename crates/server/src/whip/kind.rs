//! The two protocols.

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

    /// The first segment of its paths.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Publish => "whip",
            Self::Play => "whep",
        }
    }
}
