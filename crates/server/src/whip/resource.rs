//! One session, from its first answer to its end.

use super::refused::{Reason, Refused};
use super::{Kind, body, condition, cors, endpoint, play};
use crate::bucket::Bucket;
use crate::gate::Place;
use crate::limits::MEDIA_ANSWER;
use crate::messages::{Code, LeftReason};
use crate::name::RoomName;
use crate::negotiation::{Negotiated, Own};
use crate::outbox::{Inbox, Item};
use crate::presence::{Presence, refusal};
use crate::proposal::{Proposal, sentence};
use crate::server::{App, stopped};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use salon_host::transport::IceCredentials;
use salon_host::{HostEvent, JoinError, Update, Updated};
use salon_signal::Fragment;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

/// One session of a client that speaks WHIP or WHEP.
pub(crate) struct Resource {
    kind: Kind,
    room: RoomName,
    /// Locked while something of it changes, so that two requests do not overtake each other. `None` once it has ended.
    session: Mutex<Option<Session>>,
    _place: Place,
}

/// What a session is while it lives. Dropped, it leaves the room.
pub(crate) struct Session {
    pub(crate) presence: Presence,
    pub(crate) proposal: Proposal,
    pub(crate) negotiated: Negotiated,
    /// Names the ICE session.
    pub(crate) tag: Tag,
    /// How fast fragments may come.
    pub(crate) pace: Bucket,
    pub(crate) view: Option<play::View>,
}

/// A strong entity-tag (RFC 9110 §8.8.3). Our ICE user name is another one for each ICE session, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    pub(crate) fn of(local: &IceCredentials) -> Self {
        Self(format!("\"{}\"", local.ufrag))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header(&self) -> HeaderValue {
        // ICE characters are all visible ASCII.
        HeaderValue::try_from(&self.0).unwrap_or(HeaderValue::from_static("\"\""))
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("kind", &self.kind).field("room", &self.room).finish_non_exhaustive()
    }
}

impl Resource {
    pub(crate) fn new(kind: Kind, room: RoomName, session: Session, place: Place) -> Self {
        Self { kind, room, session: Mutex::new(Some(session)), _place: place }
    }

    /// Whether a URL that names this protocol and this room means it.
    pub(crate) fn is(&self, kind: Kind, room: &RoomName) -> bool {
        self.kind == kind && self.room == *room
    }

    /// Does what a fragment asks for.
    async fn patch(self: Arc<Self>, request: Request) -> Result<Response<Body>, Refused> {
        let (parts, body) = request.into_parts();
        let text = body::text(&parts.headers, body, cors::FRAGMENT).await?;
        let fragment = Fragment::parse(&text)
            .map_err(|error| Refused::saying(Reason::Malformed, sentence(&error.to_string())))?;
        // To its end, also when the client does not wait for the answer: a restart done half way would be known to nobody.
        let changing = tokio::spawn(async move { self.change(&parts, fragment).await });
        changing.await.unwrap_or(Err(Reason::Busy.into()))
    }

    async fn change(&self, parts: &Parts, fragment: Fragment) -> Result<Response<Body>, Refused> {
        let mut session = self.session.lock().await;
        let session = session.as_mut().ok_or(Reason::NoSession)?;
        if !session.pace.take(Instant::now()) {
            return Err(Reason::TooFast.into());
        }
        condition::check(&parts.headers, session.tag.as_str())?;
        let known = session.negotiated.remote();
        let remote = fragment.credentials.map(|(ufrag, pwd)| IceCredentials { ufrag, pwd });
        let Some(remote) = remote.filter(|new| new.ufrag != known.ufrag || new.pwd != known.pwd) else {
            // RFC 9725 §4.3.2: no body, no tag, whatever the candidates are. Of those a lite agent needs none.
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Ok(response);
        };
        // A client restarts because its network is another one: this request may have come by another of our addresses.
        let place = &mut session.presence.place;
        place.reachable = endpoint::reachable(&place.app, parts);
        let text = session.restart(remote).await?;
        let mut response = Response::new(Body::from(text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(cors::FRAGMENT));
        headers.insert(header::ETAG, session.tag.header());
        Ok(response)
    }

    /// Ends the session; the others are told why.
    async fn close(&self, reason: LeftReason) {
        if let Some(mut session) = self.session.lock().await.take() {
            session.presence.reason = reason;
        }
    }

    /// Looks after the session until it has ended.
    pub(crate) async fn attend(self: Arc<Self>, app: Arc<App>, id: String, mut inbox: Inbox) {
        let mut stop = app.stopping();
        let reason = loop {
            let item = tokio::select! {
                biased;
                refusal = inbox.end.ended() => break refusal.code.left_reason(),
                () = stopped(&mut stop) => break LeftReason::Removed,
                item = inbox.queue.recv() => item,
            };
            match item {
                // Nobody can send any more: it was ended by its client.
                None => return,
                // No path was found, nothing came for 30 s (RFC 7675 §5.1), or the client closed it.
                Some(Item::Event(HostEvent::Gone(reason))) => break Code::from(reason).left_reason(),
                Some(Item::Event(HostEvent::RoomFailed)) => break LeftReason::Lost,
                Some(Item::About(person, _)) => {
                    if let Some(session) = self.session.lock().await.as_mut() {
                        session.look_again(person);
                    }
                }
                // What else happens in the room has no words in these protocols.
                Some(Item::Text(_) | Item::Chat(_) | Item::Event(_)) => {}
            }
        };
        app.sessions.remove(&id);
        self.close(reason).await;
    }
}

impl Session {
    pub(crate) fn own<'a>(&'a self, local: &'a IceCredentials, cname: &'a str) -> Own<'a> {
        let place = &self.presence.place;
        Own { credentials: local, cname, host: &place.app.host, reachable: &place.reachable }
    }

    /// Begins a new ICE session; gives its credentials and addresses. Refused, everything is as it was (RFC 9725 §4.3.3).
    async fn restart(&mut self, remote: IceCredentials) -> Result<String, Refused> {
        let update = Update { restart: Some(remote.clone()), ..Update::default() };
        let (sender, receiver) = oneshot::channel();
        let Presence { place, member, .. } = &self.presence;
        place.app.host.update(*member, update, move |result| drop(sender.send(result)));
        let updated: Updated = match timeout(MEDIA_ANSWER, receiver).await {
            Ok(Ok(Ok(updated))) => updated,
            // It is gone; the event that says so is on its way.
            Ok(Ok(Err(JoinError::Stale(_)))) => return Err(Reason::NoSession.into()),
            Ok(Ok(Err(error))) => return Err(refusal(&place.app, error).into()),
            _ => return Err(Reason::Busy.into()),
        };
        *self.negotiated.remote() = remote;
        self.tag = Tag::of(&updated.local);
        Ok(self.negotiated.fragment(&self.proposal, self.own(&updated.local, &updated.cname)))
    }
}

/// `PATCH` of a session: candidates, or an ICE restart (RFC 9725 §4.3.1).
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Path((room, id)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let result = match app.sessions.find(kind, &room, &id) {
        Ok(resource) => resource.patch(request).await,
        Err(refused) => Err(refused),
    };
    result.unwrap_or_else(|refused| refused.answer(&app))
}

/// `DELETE` of a session. An entity-tag that the client sends along does not matter (RFC 9725 §4.3.1).
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Path((room, id)): Path<(String, String)>,
) -> Response<Body> {
    match app.sessions.find(kind, &room, &id) {
        Ok(resource) => {
            app.sessions.remove(&id);
            // To its end, also when the client does not wait for the answer.
            let _ = tokio::spawn(async move { resource.close(LeftReason::Left).await }).await;
            Response::new(Body::empty())
        }
        Err(refused) => refused.answer(&app),
    }
}
