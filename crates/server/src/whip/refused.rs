//! Why a request is refused.

use crate::messages::{Code, Refusal};
use crate::server::App;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use std::borrow::Cow;

/// Why a WHIP or WHEP request is refused. Clients go by the hundreds of the status alone (RFC 9725 §4.1); the sentence is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    NoRoom,
    NoSession,
    Unauthorized,
    Forbidden,
    TooManyJoins,
    MediaType,
    TooLarge,
    TooSlow,
    Malformed,
    BadName,
    NotAcceptable,
    NoCondition,
    StaleCondition,
    TooFast,
    TooMany,
    RoomFull,
    ServerFull,
    Busy,
    Stopping,
}

impl Reason {
    /// All of them.
    pub(crate) const ALL: [Self; 19] = [
        Self::NoRoom,
        Self::NoSession,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TooManyJoins,
        Self::MediaType,
        Self::TooLarge,
        Self::TooSlow,
        Self::Malformed,
        Self::BadName,
        Self::NotAcceptable,
        Self::NoCondition,
        Self::StaleCondition,
        Self::TooFast,
        Self::TooMany,
        Self::RoomFull,
        Self::ServerFull,
        Self::Busy,
        Self::Stopping,
    ];

    /// For the counters.
    pub(crate) fn name(self) -> &'static str {
        self.describe().0
    }

    /// The status of the answer.
    pub(crate) fn status(self) -> StatusCode {
        self.describe().1
    }

    /// Seconds after which asking again may help (RFC 9110 §10.2.3).
    fn retry_after(self) -> Option<u32> {
        match self {
            // A restart takes some seconds; so do sessions that end.
            Self::Stopping | Self::TooMany => Some(10),
            Self::RoomFull | Self::ServerFull => Some(30),
            Self::Busy | Self::TooFast | Self::TooManyJoins => Some(1),
            _ => None,
        }
    }

    fn describe(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::NoRoom => ("no-room", S::NOT_FOUND, "That is no name of a room."),
            Self::NoSession => ("no-session", S::NOT_FOUND, "There is no such session (any more)."),
            Self::Unauthorized => {
                ("unauthorized", S::UNAUTHORIZED, "This room needs a token: Authorization: Bearer TOKEN")
            }
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "This key does not allow that."),
            // RFC 6585 §4.
            Self::TooManyJoins => (
                "too-many-joins",
                S::TOO_MANY_REQUESTS,
                "Too many sessions come from this address at once; try again in a moment.",
            ),
            // RFC 9725 §4.2 and §4.3.1 leave the status open; RFC 9110 §15.5.16.
            Self::MediaType => (
                "media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "An offer is application/sdp, what trickles application/trickle-ice-sdpfrag.",
            ),
            Self::TooLarge => ("too-large", S::PAYLOAD_TOO_LARGE, "The body is larger than 256 KiB."),
            Self::TooSlow => ("too-slow", S::REQUEST_TIMEOUT, "The body did not come in time."),
            Self::Malformed => ("malformed", S::BAD_REQUEST, "The body cannot be read."),
            Self::BadName => {
                ("bad-name", S::BAD_REQUEST, "A name has 1 to 64 characters and no control characters.")
            }
            // RFC 9725 §4.4.2 and §4.4.3: no session of which half works.
            Self::NotAcceptable => {
                ("not-acceptable", S::NOT_ACCEPTABLE, "The offer cannot be served as a whole.")
            }
            // RFC 6585 §3.
            Self::NoCondition => (
                "no-condition",
                S::PRECONDITION_REQUIRED,
                "If-Match must name the entity-tag of the ICE session, or * to restart it.",
            ),
            // RFC 9110 §13.1.1.
            Self::StaleCondition => {
                ("stale-condition", S::PRECONDITION_FAILED, "The ICE session is another one by now.")
            }
            // RFC 6585 §4.
            Self::TooFast => ("too-fast", S::TOO_MANY_REQUESTS, "Too many requests: slower, please."),
            Self::TooMany => {
                ("too-many", S::SERVICE_UNAVAILABLE, "There are as many sessions as there may be.")
            }
            Self::RoomFull => ("room-full", S::SERVICE_UNAVAILABLE, "The room is full."),
            Self::ServerFull => (
                "server-full",
                S::SERVICE_UNAVAILABLE,
                "The server is full: nobody more can come in until somebody leaves.",
            ),
            Self::Busy => ("busy", S::SERVICE_UNAVAILABLE, "The media threads do not answer."),
            Self::Stopping => ("stopping", S::SERVICE_UNAVAILABLE, "The server is stopping."),
        }
    }
}

/// A reason, with a closer sentence where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    text: Option<Cow<'static, str>>,
}

impl Refused {
    /// With a closer sentence.
    pub(crate) fn saying(reason: Reason, text: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, text: Some(text.into()) }
    }

    /// The answer, counted.
    pub(crate) fn answer(self, app: &App) -> Response<Body> {
        app.metrics.refused_session(self.reason);
        let text = self.text.as_deref().unwrap_or(self.reason.describe().2);
        let mut response = (self.reason.status(), format!("{text}\n")).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.reason.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self.reason {
            Reason::Unauthorized => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            Reason::MediaType => super::cors::accepted(headers),
            _ => {}
        }
        response
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason, text: None }
    }
}

/// What the room protocol calls by its own codes.
impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let reason = match refusal.code {
            Code::RoomFull => Reason::RoomFull,
            Code::TooManyRooms => Reason::TooMany,
            Code::ServerFull => Reason::ServerFull,
            Code::BadSdp | Code::BadSource => Reason::NotAcceptable,
            Code::Shutdown => Reason::Stopping,
            Code::KeyNeeded | Code::BadKey => Reason::Unauthorized,
            Code::BadName => Reason::BadName,
            _ => return Reason::Busy.into(),
        };
        Self::saying(reason, refusal.sentence().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_and_what_is_only_for_now_says_when_to_come_back() {
        assert_eq!(Reason::ALL.iter().map(|r| r.name()).collect::<HashSet<_>>().len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let now =
                [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&reason.status());
            assert_eq!(now, reason.retry_after().is_some(), "{reason:?}");
        }
    }

    #[test]
    fn the_documentation_has_every_reason() {
        let page = include_str!("../../WHIP.md");
        for reason in Reason::ALL {
            let line = format!("| {} | `{}` |", reason.status().as_str(), reason.name());
            assert!(page.contains(&line), "missing: {line}");
        }
    }
}
