//! What the administrator may see.

use crate::costs::Costs;
use crate::keys::Role;
use crate::limits::TOKEN_SECONDS;
use crate::messages::{Person, PersonId};
use crate::name::RoomName;
use crate::page;
use crate::server::App;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use salon_host::sfu::{EncodingReport, ParticipantId, ParticipantReport, SlotReport, TrackId, TrackReport};
use salon_host::{HostRoomReport, PeerReport};
use salon_rtp::MediaKind;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// `GET /api/rooms`.
pub(crate) async fn rooms(State(app): State<Arc<App>>) -> Response<Body> {
    match reports(&app, None).await {
        Some(reports) => {
            Json(reports.iter().map(|report| room_view(&app, report)).collect::<Vec<_>>()).into_response()
        }
        None => busy(),
    }
}

/// `GET /api/rooms/{room}`.
pub(crate) async fn room(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response<Body> {
    let Some(name) = RoomName::parse(&name) else { return page::not_found() };
    match reports(&app, Some(&name)).await {
        Some(reports) => match reports.first() {
            Some(report) => Json(room_view(&app, report)).into_response(),
            None => (StatusCode::NOT_FOUND, "Nobody is in that room.\n").into_response(),
        },
        None => busy(),
    }
}

/// What `POST /api/rooms/{room}/tokens` is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenWish {
    role: Role,
    seconds: u64,
    name: Option<String>,
}

/// `POST /api/rooms/{room}/tokens`: a key for somebody; `*` for all rooms.
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    wish: Result<Json<TokenWish>, JsonRejection>,
) -> Response<Body> {
    let room = RoomName::parse(&name);
    if room.is_none() && name != "*" {
        return page::not_found();
    }
    let wish = match wish {
        Ok(Json(wish)) => wish,
        Err(rejection) => return rejection.into_response(),
    };
    let bad = |sentence: &'static str| (StatusCode::BAD_REQUEST, sentence).into_response();
    if wish.name.as_deref().is_some_and(|name| crate::name::person(name).is_none()) {
        return bad("A name has 1 to 64 characters and no control characters.\n");
    }
    if wish.seconds == 0 || wish.seconds > TOKEN_SECONDS {
        return bad("A token is valid for 1 second to 400 days.\n");
    }
    let valid = Duration::from_secs(wish.seconds);
    match app.keys.token(room.as_ref(), wish.role, wish.name, valid) {
        Some(token) => Json(serde_json::json!({ "token": token })).into_response(),
        None => busy(),
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response<Body> {
    let (sender, receiver) = oneshot::channel();
    app.host.counters(move |counters| drop(sender.send(counters)));
    // Without the media threads' numbers the others are worth having all the more.
    let counters = timeout(crate::limits::MEDIA_ANSWER, receiver).await.ok().and_then(Result::ok);
    let text = app.metrics.text(counters);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}

fn busy() -> Response<Body> {
    (StatusCode::SERVICE_UNAVAILABLE, "The media threads do not answer.\n").into_response()
}

async fn reports(app: &App, name: Option<&RoomName>) -> Option<Vec<HostRoomReport>> {
    let (sender, receiver) = oneshot::channel();
    app.host.report(name.map(RoomName::as_str), move |reports| drop(sender.send(reports)));
    timeout(crate::limits::MEDIA_ANSWER, receiver).await.ok()?.ok()
}

#[derive(Debug, Serialize)]
struct RoomView {
    name: String,
    floor: Option<PersonId>,
    /// What it has cost, with all who ever were in it.
    costs: Costs,
    participants: Vec<ParticipantView>,
}

#[derive(Debug, Serialize)]
struct ParticipantView {
    /// None where another program put somebody into the host's room.
    id: Option<PersonId>,
    name: Option<Arc<str>>,
    hand: bool,
    /// Whether there is a media path.
    connected: bool,
    speaking: bool,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    rtt_ms: Option<u32>,
    /// Milliseconds since its last authenticated packet.
    unheard_ms: Option<u64>,
    /// Share of its own packets that did not arrive here since it joined, 0 to 1.
    loss_up: f32,
    /// Share of packets that did not arrive there lately, the worst of its slots, 0 to 1.
    loss_down: Option<f32>,
    /// What its link is thought to carry, bit/s.
    budget: Option<u64>,
    /// What its own estimator says (REMB), of pictures alone, bit/s.
    estimate: Option<u64>,
    /// What this participant has cost.
    costs: Option<Costs>,
    tracks: Vec<TrackView>,
    slots: Vec<SlotView>,
}

#[derive(Debug, Serialize)]
struct TrackView {
    source: &'static str,
    codec: &'static str,
    muted: bool,
    viewers: usize,
    encodings: Vec<EncodingView>,
}

#[derive(Debug, Serialize)]
struct EncodingView {
    rid: Option<String>,
    live: bool,
    /// bit/s.
    rate: u64,
    height: Option<u16>,
    received: u64,
    lost: u64,
    jitter_us: u32,
    viewers: usize,
}

#[derive(Debug, Serialize)]
struct SlotView {
    mid: Option<String>,
    kind: &'static str,
    /// Who is in it.
    person: Option<PersonId>,
    source: Option<&'static str>,
    /// Which encoding of the track is sent, by its place.
    encoding: Option<u8>,
    /// Why nothing is sent.
    empty: Option<&'static str>,
    sent: u64,
    repaired: u64,
    /// Share of packets that the receiver missed lately, 0 to 1.
    loss: Option<f32>,
}

/// Who is behind the core's ids.
struct Names<'a> {
    people: HashMap<PersonId, Person>,
    peers: HashMap<ParticipantId, &'a PeerReport>,
    tracks: HashMap<TrackId, (ParticipantId, &'static str)>,
}

impl Names<'_> {
    fn person(&self, id: ParticipantId) -> Option<PersonId> {
        PersonId::try_from(self.peers.get(&id)?.label).ok()
    }
}

fn room_view(app: &App, report: &HostRoomReport) -> RoomView {
    let people = RoomName::parse(&report.name).map(|name| app.directory.people(&name)).unwrap_or_default();
    let participants = &report.room.participants;
    let names = Names {
        people: people.into_iter().map(|person| (person.id, person)).collect(),
        peers: report.peers.iter().map(|peer| (peer.participant, peer)).collect(),
        tracks: (participants.iter())
            .flat_map(|one| one.tracks.iter().map(|track| (track.id, (one.id, track.source.name()))))
            .collect(),
    };
    RoomView {
        name: report.name.clone(),
        costs: (&report.spent).into(),
        floor: report.room.floor.and_then(|id| names.person(id)),
        participants: participants.iter().map(|one| participant_view(&names, one)).collect(),
    }
}

fn participant_view(names: &Names<'_>, report: &ParticipantReport) -> ParticipantView {
    let id = names.person(report.id);
    let person = id.and_then(|id| names.people.get(&id));
    let peer = names.peers.get(&report.id);
    let path = peer.and_then(|peer| peer.path);
    ParticipantView {
        id,
        name: person.map(|person| person.name.clone()),
        hand: person.is_some_and(|person| person.hand),
        connected: report.connected,
        speaking: report.speaking,
        local: path.map(|path| path.local),
        remote: path.map(|path| path.remote),
        rtt_ms: report.rtt_ms,
        unheard_ms: peer.map(|peer| u64::try_from(peer.unheard.as_millis()).unwrap_or(u64::MAX)),
        costs: peer.map(|peer| (&peer.spent).into()),
        loss_up: loss_up(report),
        loss_down: loss_down(report),
        budget: report.budget.map(|rate| rate.as_bps()),
        estimate: report.estimate.map(|rate| rate.as_bps()),
        tracks: report.tracks.iter().map(track_view).collect(),
        slots: report.slots.iter().map(|slot| slot_view(names, slot)).collect(),
    }
}

fn track_view(report: &TrackReport) -> TrackView {
    TrackView {
        source: report.source.name(),
        codec: report.codec.name(),
        muted: report.muted,
        viewers: report.viewers,
        encodings: report.encodings.iter().map(encoding_view).collect(),
    }
}

fn encoding_view(report: &EncodingReport) -> EncodingView {
    EncodingView {
        rid: report.rid.map(|rid| rid.as_str().to_owned()),
        live: report.live,
        rate: report.rate.as_bps(),
        height: report.height,
        received: report.received,
        lost: report.lost,
        jitter_us: report.jitter_us,
        viewers: report.viewers,
    }
}

fn slot_view(names: &Names<'_>, report: &SlotReport) -> SlotView {
    let shown = report.shows.and_then(|track| names.tracks.get(&track));
    SlotView {
        mid: report.mid.clone(),
        kind: match report.kind {
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
        },
        person: shown.and_then(|(id, _)| names.person(*id)),
        source: shown.map(|(_, source)| *source),
        encoding: report.encoding,
        empty: report.empty.map(|reason| reason.name()),
        sent: report.sent,
        repaired: report.repaired,
        loss: report.loss.map(|loss| f32::from(loss) / 256.0),
    }
}

/// Share of a participant's own packets that were lost for good on their way to us, 0 to 1.
pub(crate) fn loss_up(report: &ParticipantReport) -> f32 {
    let encodings = report.tracks.iter().flat_map(|track| &track.encodings);
    let (received, lost) =
        encodings.fold((0, 0), |(received, lost), one| (received + one.received, lost + one.lost));
    let all = received + lost;
    if all == 0 { 0.0 } else { lost as f32 / all as f32 }
}

/// Share of packets that a participant missed lately, the worst of its slots, 0 to 1.
pub(crate) fn loss_down(report: &ParticipantReport) -> Option<f32> {
    let losses = report.slots.iter().filter(|slot| slot.empty.is_none()).filter_map(|slot| slot.loss);
    losses.max().map(|loss| f32::from(loss) / 256.0)
}
