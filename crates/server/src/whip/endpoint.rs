//! The endpoints: an offer comes, an answer goes, and a session stays.

use super::refused::{Reason, Refused};
use super::resource::{Resource, Session, Tag};
use super::{Kind, authorize, body, cors, play, terms};
use crate::arrival::Arrival;
use crate::bucket::Bucket;
use crate::candidates::{candidates, is_proxied, machine_addresses};
use crate::gate;
use crate::keys::{Admission, Role};
use crate::limits::{FRAGMENTS_AT_ONCE, FRAGMENTS_PER_SECOND};
use crate::messages::{LeftReason, Person};
use crate::name::{self, RoomName};
use crate::negotiation::{Negotiated, Own};
use crate::outbox::outbox;
use crate::presence::{self, Keys, Presence};
use crate::random::{self, NoRandomness};
use crate::server::App;
use crate::session::Place;
use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use salon_signal::Offer;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// What the query of an endpoint may say.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// What the others are to call the client.
    name: Option<String>,
    /// Whom alone a player is to show.
    participant: Option<String>,
}

/// `POST` of an endpoint (RFC 9725 §4.2).
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Path(room): Path<String>,
    Query(asked): Query<Asked>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response<Body> {
    let begun = match Visit::read(&app, kind, &room, asked, request).await {
        // To its end, also when the client does not wait for the answer: half a session would be a ghost.
        Ok((visit, offer)) => tokio::spawn(visit.begin(offer)).await.unwrap_or(Err(Reason::Busy.into())),
        Err(refused) => Err(refused),
    };
    match begun {
        Ok(begun) => begun.answer(&uri),
        Err(refused) => refused.answer(&app),
    }
}

/// A client at the door.
struct Visit {
    app: Arc<App>,
    kind: Kind,
    room: RoomName,
    name: Arc<str>,
    role: Role,
    client: Option<IpAddr>,
    view: Option<play::View>,
    reachable: Vec<SocketAddr>,
    /// Of those that sessions are allowed.
    place: gate::Place,
}

impl Visit {
    /// Judges all that can be judged before anything is done; gives the offer too.
    async fn read(
        app: &Arc<App>,
        kind: Kind,
        room: &str,
        asked: Asked,
        request: Request,
    ) -> Result<(Self, Offer), Refused> {
        if app.is_draining() {
            return Err(Reason::Stopping.into());
        }
        let room = RoomName::parse(room).ok_or(Reason::NoRoom)?;
        let (parts, body) = request.into_parts();
        let client = arrival(&parts).and_then(|one| one.remote).map(|remote| remote.ip());
        // Before the key is judged: nobody tries many.
        if !app.joins.allow(Instant::now(), client) {
            return Err(Reason::TooManyJoins.into());
        }
        let Admission { role, name: given } = authorize::authorize(app, &room, kind, &parts.headers)?;
        let person = |text: &str| name::person(text).ok_or(Reason::BadName);
        let name = asked.name.as_deref().map_or_else(|| Ok(kind.default_name().into()), person)?;
        let only = asked.participant.as_deref().map(person).transpose()?;
        let name = given.unwrap_or(name);
        let place = app.sessions.admit(client)?;
        let text = body::text(&parts.headers, body, cors::SDP).await?;
        let offer = terms::read(kind, &text)?;
        let visit = Self {
            app: app.clone(),
            kind,
            room,
            name,
            role,
            client,
            view: (kind == Kind::Play).then(|| play::View::new(only)),
            reachable: reachable(app, &parts),
            place,
        };
        Ok((visit, offer))
    }

    /// Enters the room.
    async fn begin(self, mut offer: Offer) -> Result<Begun, Refused> {
        let Self { app, kind, room, name, role, client, view, reachable, place } = self;
        if let Some(view) = &view
            && let Some(codec) = view.shown_codec(&app, &room).await
        {
            terms::prefer(&mut offer, codec);
        }
        let proposal = terms::propose(offer, role)?;
        let (url, token, number) = secrets().map_err(|NoRandomness| Reason::Busy)?;
        let mut sources: Vec<_> = proposal.track_specs().iter().map(|spec| spec.source.into()).collect();
        sources.sort_unstable();
        let id = app.directory.next_id();
        let via = Some(kind.via());
        let person = Person { id, name, sources, muted: Vec::new(), hand: false, away: false, role, via };
        let (outbox, inbox) = outbox();
        // Nobody takes over such a session: its client has its URL.
        let (claim, _) = mpsc::channel(1);
        let at = Place { app: app.clone(), room: room.clone(), reachable, client };
        let (joined, _) = presence::enter(&at, &proposal, person, token, Keys { outbox, claim }).await?;
        let presence = Presence { place: at, id, member: joined.member, reason: LeftReason::Left };
        let mut negotiated = Negotiated::new(&proposal, &joined, number);
        negotiated.group(view.as_ref().map(play::View::streams).unwrap_or_default());
        let own = Own {
            credentials: &joined.local,
            cname: &joined.cname,
            host: &app.host,
            reachable: &presence.place.reachable,
        };
        let sdp = negotiated.answer(&proposal, own);
        let tag = Tag::of(&joined.local);
        let pace = Bucket::new(Instant::now(), FRAGMENTS_PER_SECOND, FRAGMENTS_AT_ONCE);
        let mut session = Session { presence, proposal, negotiated, tag: tag.clone(), pace, view };
        session.look();
        let resource = Arc::new(Resource::new(kind, room, session, place));
        app.sessions.insert(url.clone(), resource.clone());
        tokio::spawn(resource.attend(app, url.clone(), inbox));
        Ok(Begun { id: url, sdp, tag })
    }
}

/// How a request came.
fn arrival(parts: &Parts) -> Option<Arrival> {
    parts.extensions.get::<ConnectInfo<Arrival>>().map(|info| info.0)
}

/// Where whoever sent this request may send its media.
pub(crate) fn reachable(app: &App, parts: &Parts) -> Vec<SocketAddr> {
    let proxied = is_proxied(&parts.headers);
    let port = app.host.udp().port();
    candidates(&app.config.public_ips, arrival(parts), proxied, &machine_addresses(), port)
}

/// The session's name in its URL, a token that nobody is told (this participant cannot be replaced), the number of its answers.
fn secrets() -> Result<(String, String, u64), NoRandomness> {
    Ok((random::token()?, random::token()?, u64::from_be_bytes(random::bytes()?) >> 1))
}

/// A session that has begun.
struct Begun {
    id: String,
    sdp: String,
    tag: Tag,
}

impl Begun {
    /// The answer to a request for `endpoint`.
    fn answer(self, endpoint: &Uri) -> Response<Body> {
        // Its length is known, so that it is never sent in chunks, which some clients (ffmpeg) cannot read.
        let mut response = Response::new(Body::from(self.sdp));
        *response.status_mut() = StatusCode::CREATED;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(cors::SDP));
        headers.insert(header::ETAG, self.tag.header());
        headers.insert(cors::ACCEPT_PATCH, HeaderValue::from_static(cors::FRAGMENT));
        // Below whatever prefix the client sees; percent-encoded as it came.
        let location = format!("{}/{}", endpoint.path().trim_end_matches('/'), self.id);
        if let Ok(location) = HeaderValue::try_from(location) {
            headers.insert(header::LOCATION, location);
        }
        response
    }
}
