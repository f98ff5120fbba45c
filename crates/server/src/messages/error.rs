//! `error`: what went wrong, by a code and a sentence.

use super::{Kind, LeftReason, Notice};
use salon_host::transport::GoneReason;
use serde::Serialize;
use std::borrow::Cow;

/// What can go wrong; the word for machines, the sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    BadJson,
    TooDeep,
    UnknownType,
    BadMessage,
    NotText,
    TooLarge,
    TooFast,
    Slow,
    Silent,
    Idle,
    Shutdown,
    NotJoined,
    NotHere,
    Draining,
    AlreadyJoined,
    BadName,
    BadChat,
    BadSdp,
    BadSource,
    BadSlot,
    RoomFull,
    TooManyRooms,
    ServerFull,
    KeyNeeded,
    BadKey,
    TooManyJoins,
    Locked,
    NotAdmitted,
    NotAllowed,
    Removed,
    Ended,
    MediaLost,
    MediaClosed,
    MediaFailed,
    Replaced,
    Internal,
}

impl Code {
    /// All of them, in the order of the documentation.
    pub(crate) const ALL: [Self; 36] = [
        Self::BadJson,
        Self::TooDeep,
        Self::UnknownType,
        Self::BadMessage,
        Self::NotText,
        Self::TooLarge,
        Self::TooFast,
        Self::Slow,
        Self::Silent,
        Self::Idle,
        Self::Shutdown,
        Self::NotJoined,
        Self::NotHere,
        Self::Draining,
        Self::AlreadyJoined,
        Self::BadName,
        Self::BadChat,
        Self::BadSdp,
        Self::BadSource,
        Self::BadSlot,
        Self::RoomFull,
        Self::TooManyRooms,
        Self::ServerFull,
        Self::KeyNeeded,
        Self::BadKey,
        Self::TooManyJoins,
        Self::Locked,
        Self::NotAdmitted,
        Self::NotAllowed,
        Self::Removed,
        Self::Ended,
        Self::MediaLost,
        Self::MediaClosed,
        Self::MediaFailed,
        Self::Replaced,
        Self::Internal,
    ];

    /// The word in the message, and the close reason.
    pub(crate) fn name(self) -> &'static str {
        self.describe().0
    }

    /// The sentence for people.
    pub(crate) fn sentence(self) -> &'static str {
        self.describe().1
    }

    /// Whether the connection ends with it.
    pub(crate) fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::NotText
                | Self::TooLarge
                | Self::TooFast
                | Self::Slow
                | Self::Silent
                | Self::Idle
                | Self::Shutdown
                | Self::Removed
                | Self::Ended
                | Self::MediaLost
                | Self::MediaClosed
                | Self::MediaFailed
                | Self::Replaced
                | Self::Internal
        )
    }

    /// What the others are told of somebody whose session ends with it.
    pub(crate) fn left_reason(self) -> LeftReason {
        match self {
            Self::Silent | Self::MediaLost | Self::MediaFailed => LeftReason::Lost,
            Self::MediaClosed => LeftReason::Left,
            Self::Replaced => LeftReason::Replaced,
            _ => LeftReason::Removed,
        }
    }

    fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::BadJson => ("bad-json", "The message is not a JSON object with a type."),
            Self::TooDeep => ("too-deep", "The message nests deeper than 8 levels."),
            Self::UnknownType => ("unknown-type", "This server knows no message of that type."),
            Self::BadMessage => ("bad-message", "A field of the message is missing or has the wrong form."),
            Self::NotText => ("not-text", "Only text messages are understood here."),
            Self::TooLarge => ("too-large", "The message is larger than 512 KiB."),
            Self::TooFast => ("too-fast", "Too many messages: 50 a second are allowed, 200 at once."),
            Self::Slow => ("slow", "This connection takes messages too slowly."),
            Self::Silent => ("silent", "Nothing was heard for 12 seconds."),
            Self::Idle => ("idle", "Nobody joined on this connection for 30 minutes."),
            Self::Shutdown => ("shutdown", "The server is stopping."),
            Self::NotJoined => ("not-joined", "Join the room first."),
            Self::NotHere => ("not-here", "Whoever had this token has left; join again."),
            Self::Draining => ("draining", "The server will stop soon; join again in a moment."),
            Self::AlreadyJoined => ("already-joined", "This connection has already joined."),
            Self::BadName => ("bad-name", "A name has 1 to 64 characters and no control characters."),
            Self::BadChat => ("bad-chat", "A chat message has 1 to 4,000 characters."),
            Self::BadSdp => ("bad-sdp", "The offer cannot be read."),
            Self::BadSource => {
                ("bad-source", "A source is unknown, or named twice, or not of the section's kind.")
            }
            Self::BadSlot => ("bad-slot", "There is no such slot, or the height is above 4,320."),
            Self::RoomFull => ("room-full", "The room is full."),
            Self::TooManyRooms => ("too-many-rooms", "The server has as many rooms as it may."),
            Self::ServerFull => {
                ("server-full", "The server is full: nobody more can come in until somebody leaves.")
            }
            Self::KeyNeeded => {
                ("key-needed", "This room needs a key: ask whoever invited you for their link.")
            }
            Self::BadKey => ("bad-key", "The key is not one of this server."),
            Self::TooManyJoins => {
                ("too-many-joins", "Too many people come from this address at once; try again in a moment.")
            }
            Self::Locked => ("locked", "The room is locked."),
            Self::NotAdmitted => ("not-admitted", "You were not let in."),
            Self::NotAllowed => ("not-allowed", "Only a moderator may do that."),
            Self::Removed => ("removed", "A moderator removed you from the room."),
            Self::Ended => ("ended", "A moderator ended the conference."),
            Self::MediaLost => ("media-lost", "No media packet came for 30 seconds."),
            Self::MediaClosed => ("media-closed", "This client closed its media connection."),
            Self::MediaFailed => ("media-failed", "The media connection could not be set up."),
            Self::Replaced => ("replaced", "You joined again from another connection."),
            Self::Internal => ("internal", "The server failed; please join again."),
        }
    }
}

impl From<GoneReason> for Code {
    fn from(reason: GoneReason) -> Self {
        match reason {
            GoneReason::Silence => Self::MediaLost,
            GoneReason::Closed => Self::MediaClosed,
            GoneReason::NeverConnected
            | GoneReason::HandshakeFailed
            | GoneReason::WrongFingerprint
            | GoneReason::NoSrtpProfile => Self::MediaFailed,
        }
    }
}

/// A code, with a closer sentence where there is one, and the message that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    text: Option<Cow<'static, str>>,
    re: Option<Kind>,
}

impl Refusal {
    /// With the code's own sentence.
    pub(crate) fn new(code: Code) -> Self {
        Self { code, text: None, re: None }
    }

    /// With a closer sentence, which must not repeat what the client wrote beyond a few words.
    pub(crate) fn saying(self, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// The sentence for people.
    pub(crate) fn sentence(&self) -> &str {
        self.text.as_deref().unwrap_or(self.code.sentence())
    }

    /// As the answer to a kind of message.
    pub(crate) fn to(self, re: Kind) -> Self {
        Self { re: Some(re), ..self }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code.name())?;
        map.serialize_entry("text", self.sentence())?;
        if let Some(kind) = self.re {
            map.serialize_entry("re", kind.name())?;
        }
        map.serialize_entry("fatal", &self.code.is_fatal())?;
        map.end()
    }
}

impl Notice for Refusal {
    const TYPE: &'static str = "error";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_code_with_its_sentence() {
        let page = include_str!("../../PROTOCOL.md");
        for code in Code::ALL {
            let fatal = if code.is_fatal() { "yes" } else { "" };
            let sentence =
                if code == Code::BadSdp { "(says what is wrong with the offer)" } else { code.sentence() };
            let line = format!("| `{}` | {fatal} | {sentence} |", code.name()).replace("|  |", "| |");
            assert!(page.contains(&line), "missing: {line}");
        }
    }
}
