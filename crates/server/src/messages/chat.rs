//! `chat`: a line of text to everybody.

use super::{Code, Notice, PersonId, Refusal};
use crate::limits::CHAT_CHARS;
use serde::{Deserialize, Serialize};

/// A line of text from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chat {
    pub(crate) text: String,
}

#[derive(Deserialize)]
pub(super) struct Wire {
    text: String,
}

impl TryFrom<Wire> for Chat {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        let length = wire.text.chars().count();
        if length == 0 || length > CHAT_CHARS {
            return Err(Refusal::new(Code::BadChat));
        }
        Ok(Self { text: wire.text })
    }
}

/// The same line on its way to everybody; who said it is known by the connection, never by the message.
#[derive(Debug, Serialize)]
pub(crate) struct Said<'a> {
    pub(crate) from: PersonId,
    pub(crate) text: &'a str,
    /// Milliseconds since 1970, by the server's clock.
    pub(crate) at: u64,
}

impl Notice for Said<'_> {
    const TYPE: &'static str = "chat";
}
