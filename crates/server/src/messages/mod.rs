//! The room protocol (`PROTOCOL.md`): one file per kind of message, both directions.

mod answer;
mod chat;
mod connection;
mod drain;
mod encodings;
mod error;
mod floor;
mod hand;
mod join;
mod leave;
mod media;
mod moderate;
mod mute;
mod offer;
mod people;
mod ping;
mod request;
mod resume;
mod sections;
mod slots;
mod source;
mod speaking;
mod view;
mod welcome;

pub(crate) use answer::Answer;
pub(crate) use chat::{Chat, Said};
pub(crate) use connection::{Ask, Connection};
pub(crate) use drain::Drain;
pub(crate) use encodings::Encodings;
pub(crate) use error::{Code, Refusal};
pub(crate) use floor::Floor;
pub(crate) use hand::Hand;
pub(crate) use join::Join;
pub(crate) use leave::Leave;
pub(crate) use media::{Media, MediaState};
pub(crate) use moderate::{Admit, Hush, Hushed, Knock, KnockOver, Lock, Locked, Moderation, Remove, Waiting};
pub(crate) use mute::Mute;
pub(crate) use offer::Offer;
pub(crate) use people::{Changed, Joined, Left, LeftReason, Person, Via};
pub(crate) use ping::{Ping, Pong};
pub(crate) use request::{Kind, Request};
pub(crate) use resume::{Resume, Resumed};
pub(crate) use sections::Sections;
pub(crate) use slots::{Shown, Slots};
pub(crate) use source::Source;
pub(crate) use speaking::Speaking;
pub(crate) use view::{SlotView, View, Want};
pub(crate) use welcome::Welcome;

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;

/// Names a person in a room; never given to two people of a room while the server runs.
pub(crate) type PersonId = u32;

/// A message from the server, written as JSON with its `type` in front.
pub(crate) trait Notice: Serialize + Sized {
    /// The `type`.
    const TYPE: &'static str;

    /// The text to send; cheap to clone for many receivers.
    fn text(&self) -> Utf8Bytes {
        #[derive(Serialize)]
        struct Typed<'a, T> {
            r#type: &'static str,
            #[serde(flatten)]
            body: &'a T,
        }
        // Only maps with keys that are no strings and failing Serialize impls make this fail: none of ours has either.
        serde_json::to_string(&Typed { r#type: Self::TYPE, body: self }).unwrap_or_default().into()
    }
}

/// What becomes of a client's text: the kind of message that it is, or the reply that refuses it. For fuzzing.
#[doc(hidden)]
pub fn judge_message(text: &str) -> Result<&'static str, String> {
    match Request::parse(text) {
        Ok(request) => Ok(request.kind().name()),
        Err(refusal) => Err(refusal.text().to_string()),
    }
}
