//! How a client comes to its answer and what it hears besides, by whichever protocol.

use crate::session::Session;
use crate::talk::Talk;
use mio::Registry;
use std::time::Instant;

/// What a server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// The answer to the offer; whether somebody who sends was there before.
    Answer { sdp: String, company: bool },
    /// Slots, by mid, and whether there is somebody to be seen or heard in each.
    Slots(Vec<(String, bool)>),
    /// The encodings that somebody watches, by the mid of the section that sends them.
    Wanted(Vec<(String, Vec<String>)>),
    /// Why this client is not, or no longer, served.
    Failed(String),
    /// It has left, as it wished.
    Left,
}

/// The conversation of one client with its server.
#[derive(Debug)]
pub(crate) enum Signal {
    /// Salon's room protocol over a WebSocket.
    Room(Box<Talk>),
    /// WHIP or WHEP.
    Session(Box<Session>),
}

impl Signal {
    /// Goes on as far as it goes without waiting.
    pub(crate) fn drive(&mut self, now: Instant, registry: &Registry, said: &mut Vec<Said>) {
        match self {
            Self::Room(talk) => talk.drive(now, said),
            Self::Session(session) => session.drive(registry, said),
        }
    }

    /// When it wants to be driven without an event.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self {
            Self::Room(talk) => talk.due(),
            Self::Session(_) => None,
        }
    }

    /// Says goodbye; [`Said::Left`] follows.
    pub(crate) fn leave(&mut self, registry: &Registry, said: &mut Vec<Said>) {
        match self {
            Self::Room(talk) => talk.leave(said),
            Self::Session(session) => session.leave(registry, said),
        }
    }
}
