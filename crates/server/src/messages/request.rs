//! Reading a client's message: depth, then type, then fields.

use super::{Ask, Chat, Code, Hand, Join, Leave, Moderation, Mute, Offer, Ping, Pong, Refusal, Resume, View};
use super::{chat, join, offer, ping, view};
use crate::limits::MESSAGE_DEPTH;
use serde::{Deserialize, de::DeserializeOwned};
use std::borrow::Cow;

/// The kinds of message that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Join,
    Resume,
    Offer,
    View,
    Mute,
    Chat,
    Hand,
    Remove,
    Hush,
    Lock,
    Admit,
    End,
    Connection,
    Leave,
    Ping,
    Pong,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::Join,
        Self::Resume,
        Self::Offer,
        Self::View,
        Self::Mute,
        Self::Chat,
        Self::Hand,
        Self::Remove,
        Self::Hush,
        Self::Lock,
        Self::Admit,
        Self::End,
        Self::Connection,
        Self::Leave,
        Self::Ping,
        Self::Pong,
    ];

    /// The word in `type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Resume => "resume",
            Self::Offer => "offer",
            Self::View => "view",
            Self::Mute => "mute",
            Self::Chat => "chat",
            Self::Hand => "hand",
            Self::Remove => "remove",
            Self::Hush => "hush",
            Self::Lock => "lock",
            Self::Admit => "admit",
            Self::End => "end",
            Self::Connection => "connection",
            Self::Leave => "leave",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

/// A client's message, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Join(Join),
    Resume(Resume),
    Offer(Offer),
    View(View),
    Mute(Mute),
    Chat(Chat),
    Hand(Hand),
    Moderate(Moderation),
    Connection(Ask),
    Leave(Leave),
    Ping(Ping),
    Pong(Pong),
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// A [`Refusal`] that says what is wrong and, if it could be read, to what kind of message.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            r#type: Cow<'a, str>,
        }
        if too_deep(text) {
            return Err(Code::TooDeep.into());
        }
        let head: Head<'_> = serde_json::from_str(text).map_err(|_| Code::BadJson)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == head.r#type).ok_or(Code::UnknownType)?;
        Self::body(kind, text).map_err(|refusal| refusal.to(kind))
    }

    /// What kind of message this is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Join(_) => Kind::Join,
            Self::Resume(_) => Kind::Resume,
            Self::Offer(_) => Kind::Offer,
            Self::View(_) => Kind::View,
            Self::Mute(_) => Kind::Mute,
            Self::Chat(_) => Kind::Chat,
            Self::Hand(_) => Kind::Hand,
            Self::Moderate(what) => what.kind(),
            Self::Connection(_) => Kind::Connection,
            Self::Leave(_) => Kind::Leave,
            Self::Ping(_) => Kind::Ping,
            Self::Pong(_) => Kind::Pong,
        }
    }

    fn body(kind: Kind, text: &str) -> Result<Self, Refusal> {
        Ok(match kind {
            Kind::Join => Self::Join(fields::<join::Wire>(text)?.try_into()?),
            Kind::Resume => Self::Resume(fields(text)?),
            Kind::Offer => Self::Offer(fields::<offer::Wire>(text)?.try_into()?),
            Kind::View => Self::View(fields::<view::Wire>(text)?.try_into()?),
            Kind::Mute => Self::Mute(fields(text)?),
            Kind::Chat => Self::Chat(fields::<chat::Wire>(text)?.try_into()?),
            Kind::Hand => Self::Hand(fields(text)?),
            Kind::Remove => Self::Moderate(Moderation::Remove(fields(text)?)),
            Kind::Hush => Self::Moderate(Moderation::Hush(fields(text)?)),
            Kind::Lock => Self::Moderate(Moderation::Lock(fields(text)?)),
            Kind::Admit => Self::Moderate(Moderation::Admit(fields(text)?)),
            Kind::End => Self::Moderate(Moderation::End(fields(text)?)),
            Kind::Connection => Self::Connection(fields(text)?),
            Kind::Leave => Self::Leave(fields(text)?),
            Kind::Ping => Self::Ping(fields::<ping::Wire>(text)?.try_into()?),
            Kind::Pong => Self::Pong(fields::<ping::Wire>(text)?.try_into()?),
        })
    }
}

/// The fields of a message; those that the type does not know are passed over. A field named twice is an error.
fn fields<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        // serde's own words are of the form "missing field `sdp` at line 1 column 20", and may quote a value of any length.
        let text: String = error.to_string().chars().take(120).collect();
        Refusal::new(Code::BadMessage).saying(format!("A field is missing or has the wrong form: {text}."))
    })
}

/// Whether brackets outside strings nest deeper than any message of ours. Looked at before any parser sees the text, so that
/// no parser's own idea of depth matters. Unbalanced text is the parser's business.
fn too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MESSAGE_DEPTH {
                    return true;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::{Sections, SlotView, Source, Want};
    use super::*;
    use proptest::prelude::*;
    use salon_rtp::Mid;

    fn code(text: &str) -> Code {
        Request::parse(text).unwrap_err().code
    }

    #[test]
    fn every_example_of_the_documentation_is_read() {
        let page = include_str!("../../PROTOCOL.md");
        let (clients, _) = page.split_once("## Server → client").unwrap();
        let mut seen = Vec::new();
        for block in clients.split("```json\n").skip(1) {
            let (json, _) = block.split_once("```").unwrap();
            for message in serde_json::Deserializer::from_str(json).into_iter::<serde_json::Value>() {
                let text = message.unwrap().to_string();
                seen.push(Request::parse(&text).unwrap_or_else(|e| panic!("{text}: {e:?}")).kind());
            }
        }
        assert_eq!(seen, Kind::ALL);
    }

    #[test]
    fn a_view_is_read() {
        let text = r#"{"type":"view","slots":{"5":{"want":"auto","height":360},"6":{"want":{"person":2,"source":"screen"},"height":0}}}"#;
        let Request::View(view) = Request::parse(text).unwrap() else { panic!() };
        let mid = |name: &[u8]| Mid::new(name).unwrap();
        let expected: Sections<SlotView> = [
            (mid(b"5"), SlotView { want: Want::Auto, height: 360 }),
            (mid(b"6"), SlotView { want: Want::Person(2, Some(Source::Screen)), height: 0 }),
        ]
        .into_iter()
        .collect();
        assert_eq!(view.slots, expected);
    }

    #[test]
    fn each_fault_has_its_own_code() {
        for (text, expected) in [
            ("", Code::BadJson),
            ("{", Code::BadJson),
            ("[]", Code::BadJson),
            ("null", Code::BadJson),
            ("{}", Code::BadJson),
            (r#"{"type":7}"#, Code::BadJson),
            (r#"{"type":"ping","type":"pong","t":1}"#, Code::BadJson),
            (r#"{"type":"kick"}"#, Code::UnknownType),
            (r#"{"type":"ping"}"#, Code::BadMessage),
            (r#"{"type":"ping","t":-1}"#, Code::BadMessage),
            (r#"{"type":"ping","t":1e300}"#, Code::BadMessage),
            (r#"{"type":"ping","t":1,"t":2}"#, Code::BadMessage),
            (r#"{"type":"chat","text":""}"#, Code::BadChat),
            (r#"{"type":"chat","text":["a"]}"#, Code::BadMessage),
            (r#"{"type":"join","name":" ","sdp":""}"#, Code::BadName),
            (r#"{"type":"join","name":"a","sdp":"","sources":{"0":"camera","1":"camera"}}"#, Code::BadSource),
            (
                r#"{"type":"join","name":"a","sdp":"","sources":{"0":"camera","0":"screen"}}"#,
                Code::BadMessage,
            ),
            (r#"{"type":"join","name":"a","sdp":"","sources":{"":"camera"}}"#, Code::BadMessage),
            (r#"{"type":"join","name":"a","sdp":"","sources":{"0":"microwave"}}"#, Code::BadMessage),
            (r#"{"type":"view","slots":{"1":{"want":"auto","height":5000}}}"#, Code::BadSlot),
            (r#"{"type":"view","slots":{"1":{"want":"all","height":50}}}"#, Code::BadMessage),
            (r#"{"type":"view","slots":null}"#, Code::BadMessage),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(code(&format!(r#"{{"type":"chat","text":"{}"}}"#, "x".repeat(4001))), Code::BadChat);
        assert_eq!(
            code(&format!(r#"{{"type":"offer","sdp":"{}"}}"#, "x".repeat(256 * 1024 + 1))),
            Code::BadSdp
        );
        let many: Vec<String> = (0..129).map(|n| format!(r#""{n}":{{"want":"auto","height":1}}"#)).collect();
        assert_eq!(code(&format!(r#"{{"type":"view","slots":{{{}}}}}"#, many.join(","))), Code::BadMessage);
    }

    #[test]
    fn depth_is_refused_before_any_parser_sees_it() {
        assert_eq!(code(&"[".repeat(100_000)), Code::TooDeep);
        assert_eq!(
            code(&format!(r#"{{"type":"ping","t":1,"x":{}}}"#, r#"{"a":"#.repeat(100_000))),
            Code::TooDeep
        );
        let brackets_in_text = format!(r#"{{"type":"chat","text":"\"{}"}}"#, "[".repeat(3_000));
        assert!(Request::parse(&brackets_in_text).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in ".{0,200}") {
            let _ = Request::parse(&text);
        }

        #[test]
        fn no_mutilated_message_makes_the_reader_fail(at in 0usize..120, byte in any::<char>()) {
            let mut text: Vec<char> = r#"{"type":"join","name":"Ada","sdp":"v=0","sources":{"0":"microphone"},"muted":["camera"],"replaces":"x"}"#.chars().collect();
            if let Some(place) = text.get_mut(at) { *place = byte; }
            let _ = Request::parse(&text.into_iter().collect::<String>());
        }

        #[test]
        fn a_shallow_value_is_never_called_deep(depth in 0usize..=20) {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            prop_assert_eq!(too_deep(&text), depth > MESSAGE_DEPTH);
        }
    }
}
