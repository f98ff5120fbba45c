//! One client's connection, from its opening to its end.

use crate::bucket::Bucket;
use crate::keys::{Admission, Role};
use crate::limits::{
    BEFORE_JOIN, KNOCK_TIME, MESSAGE_BYTES, MESSAGES_AT_ONCE, MESSAGES_PER_SECOND, PING_EVERY, SILENCE,
};
use crate::lobby::Knocking;
use crate::messages::{Code, Join, Kind, LeftReason, Notice as _, Ping, Pong, Refusal, Request, Waiting};
use crate::name::RoomName;
use crate::outbox::Item;
use crate::participant::Participant;
use crate::seat::{Happened, Seat};
use crate::server::{App, stopped};
use crate::wire::{Heard, Unsent, Wire};
use axum::extract::ws::Utf8Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// Why a session ends.
#[derive(Debug)]
enum Over {
    /// The client said `leave`, or closed the connection in good order.
    Left,
    /// The connection is closed or broken: nothing can be said any more.
    Lost,
    /// For this reason, which the client is told.
    Refused(Refusal),
}

impl From<Refusal> for Over {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for Over {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<Unsent> for Over {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Lost => Self::Lost,
            Unsent::Slow => Code::Slow.into(),
        }
    }
}

/// Serves one client.
pub(crate) async fn run(place: Place, wire: Wire) {
    let app = place.app.clone();
    app.metrics.sockets.inc();
    let now = Instant::now();
    let mut session = Session {
        wire,
        bucket: Bucket::new(now.into_std(), MESSAGES_PER_SECOND, MESSAGES_AT_ONCE),
        opened: now,
        heard: now,
        place,
        seat: None,
        door: None,
    };
    let over = session.talk().await;
    let Session { wire, seat, .. } = session;
    if let Some(mut seat) = seat {
        if may_come_back(&over) && seat.participant.has_media() {
            tokio::spawn(seat.hold());
        } else {
            seat.participant.because(match &over {
                Over::Left | Over::Lost => LeftReason::Left,
                Over::Refused(refusal) => refusal.code.left_reason(),
            });
            // Dropped here, it leaves the room: nobody may wait for a farewell.
        }
    }
    match over {
        Over::Lost => {}
        Over::Left => wire.farewell(None).await,
        Over::Refused(refusal) => {
            app.metrics.error(refusal.code);
            tracing::debug!(code = refusal.code.name(), "a session ends");
            wire.farewell(Some(refusal)).await;
        }
    }
    app.metrics.sockets.dec();
}

/// Whether the connection ended by itself, and the person may still be there.
fn may_come_back(over: &Over) -> bool {
    matches!(over, Over::Lost | Over::Refused(Refusal { code: Code::Silent | Code::Slow, .. }))
}

/// Where a session is, before and after it joins.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) app: Arc<App>,
    pub(crate) room: RoomName,
    /// Where the client may send its media.
    pub(crate) reachable: Vec<SocketAddr>,
    /// Where the client's HTTP connection came from, if that is known.
    pub(crate) client: Option<IpAddr>,
}

impl Place {
    /// The addresses as messages name them.
    pub(crate) fn media(&self) -> Vec<String> {
        self.reachable.iter().map(ToString::to_string).collect()
    }
}

struct Session {
    wire: Wire,
    bucket: Bucket,
    opened: Instant,
    heard: Instant,
    place: Place,
    seat: Option<Seat>,
    door: Option<Door>,
}

/// Somebody at a locked door, and what they will join with.
struct Door {
    join: Join,
    role: Role,
    knocking: Knocking,
    until: Instant,
}

impl Session {
    /// Until it is over.
    async fn talk(&mut self) -> Over {
        let mut ticks = interval(PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = self.place.app.stopping();
        loop {
            let Self { wire, seat, door, .. } = self;
            let step = tokio::select! {
                biased;
                () = stopped(&mut stop) => Err(Code::Shutdown.into()),
                Some(happened) = next(seat) => self.attend(happened).await,
                Some(admitted) = answered(door) => self.pass(admitted).await,
                _ = ticks.tick() => self.tick().await,
                heard = wire.hear() => self.hear(heard).await,
            };
            if let Err(over) = step {
                return over;
            }
        }
    }

    /// Every few seconds.
    async fn tick(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        if now.saturating_duration_since(self.heard) > SILENCE {
            return Err(Code::Silent.into());
        }
        if self.seat.is_none() && now.saturating_duration_since(self.opened) > BEFORE_JOIN {
            return Err(Code::Idle.into());
        }
        let since = now.saturating_duration_since(self.opened);
        let t = u64::try_from(since.as_millis()).unwrap_or_default();
        self.send(Ping { t }.text()).await
    }

    /// Something that others left here.
    async fn attend(&mut self, happened: Happened) -> Result<(), Over> {
        let item = match happened {
            Happened::Ended(refusal) => return Err(refusal.into()),
            Happened::Claimed(claim) => {
                let Some(seat) = self.seat.take() else { return Ok(()) };
                return match claim.send(seat) {
                    Ok(()) => Err(Code::Replaced.into()),
                    Err(seat) => {
                        self.seat = Some(seat);
                        Ok(())
                    }
                };
            }
            Happened::Item(item) => item,
        };
        match item {
            Item::Text(text) | Item::Chat(text) => self.send(text).await,
            Item::About(person, text) => {
                self.send(text).await?;
                self.participant().map(|participant| participant.look_again(person))
            }
            Item::Event(event) => match self.participant()?.translate(event)? {
                Some(text) => self.send(text).await,
                None => Ok(()),
            },
        }
    }

    /// Something that the client sent.
    async fn hear(&mut self, heard: Heard) -> Result<(), Over> {
        let now = Instant::now();
        let text = match heard {
            Heard::Lost => return Err(Over::Lost),
            Heard::Bye => return Err(Over::Left),
            Heard::Broken(code) => return Err(code.into()),
            Heard::Nothing => None,
            Heard::Text(text) => Some(text),
        };
        self.heard = now;
        if !self.bucket.take(now.into_std()) {
            return Err(Code::TooFast.into());
        }
        let Some(text) = text else { return Ok(()) };
        if text.len() > MESSAGE_BYTES {
            return Err(Code::TooLarge.into());
        }
        let result = match Request::parse(text.as_str()) {
            Ok(request) => {
                let kind = request.kind();
                self.place.app.metrics.message(kind);
                self.act(request).await.map_err(|over| about(over, kind))
            }
            Err(refusal) => Err(refusal.into()),
        };
        self.told(result).await
    }

    async fn act(&mut self, request: Request) -> Result<(), Over> {
        match request {
            Request::Join(join) => self.join(join).await,
            Request::Resume(resume) => {
                if self.seat.is_some() || self.door.is_some() {
                    return Err(Code::AlreadyJoined.into());
                }
                let seat = Seat::resume(self.place.clone(), &resume).await?;
                let resumed = self.seat.insert(seat).participant.resumed();
                self.send(resumed).await?;
                while let Some(text) = self.seat.as_ref().and_then(|seat| seat.missed.front()).cloned() {
                    self.send(text).await?;
                    self.seat.as_mut().and_then(|seat| seat.missed.pop_front());
                }
                Ok(())
            }
            Request::Connection(_) => {
                let told = self.participant()?.connection().await?;
                self.send(told).await
            }
            Request::Leave(_) => Err(Over::Left),
            Request::Ping(ping) => self.send(Pong { t: ping.t }.text()).await,
            Request::Pong(_) => Ok(()),
            Request::Offer(offer) => {
                let answer = self.participant()?.offer(offer).await?;
                self.send(answer).await
            }
            Request::View(view) => Ok(self.participant()?.view(view)?),
            Request::Mute(mute) => Ok(self.participant()?.mute(mute)?),
            Request::Chat(chat) => {
                self.participant()?.chat(&chat);
                Ok(())
            }
            Request::Hand(hand) => {
                self.participant()?.hand(hand);
                Ok(())
            }
            Request::Moderate(what) => Ok(self.participant()?.moderate(what)?),
        }
    }

    /// Comes in, or waits at the door.
    async fn join(&mut self, mut join: Join) -> Result<(), Over> {
        if self.seat.is_some() || self.door.is_some() {
            return Err(Code::AlreadyJoined.into());
        }
        let Place { app, room, client, .. } = &self.place;
        if app.is_draining() {
            return Err(Code::Draining.into());
        }
        // Before the key is judged: nobody tries many.
        if !app.joins.allow(std::time::Instant::now(), *client) {
            return Err(Code::TooManyJoins.into());
        }
        let Admission { role, name } = app.keys.judge(room, join.key.as_deref())?;
        join.name = name.unwrap_or(join.name);
        let was_in =
            join.replaces.as_deref().is_some_and(|token| app.directory.claims(room, token).is_some());
        if role != Role::Moderator
            && !was_in
            && let Some(door) = app.directory.knock(room, join.name.clone())?
        {
            let waiting = Waiting { moderators: door.moderators };
            let until = Instant::now() + KNOCK_TIME;
            self.door = Some(Door { join, role, knocking: door.knocking, until });
            return self.send(waiting.text()).await;
        }
        self.enter(join, role).await
    }

    async fn enter(&mut self, join: Join, role: Role) -> Result<(), Over> {
        let (seat, welcome) = Seat::take(self.place.clone(), join, role).await?;
        self.seat = Some(seat);
        // Before anything that waits in the queue: nobody hears of the room before they are in.
        self.send(welcome).await
    }

    /// The knock has been answered.
    async fn pass(&mut self, admitted: bool) -> Result<(), Over> {
        let Some(Door { join, role, .. }) = self.door.take() else { return Ok(()) };
        let entered = if admitted { self.enter(join, role).await } else { Err(Code::NotAdmitted.into()) };
        self.told(entered.map_err(|over| about(over, Kind::Join))).await
    }

    /// An error that does not end the session is told.
    async fn told(&mut self, result: Result<(), Over>) -> Result<(), Over> {
        match result {
            Err(Over::Refused(refusal)) if !refusal.code.is_fatal() => {
                self.place.app.metrics.error(refusal.code);
                self.send(refusal.text()).await
            }
            other => other,
        }
    }

    /// Sends a text, unless somebody ends the session meanwhile: one whose queue overflows while it does not read is too slow.
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        let Some(seat) = &self.seat else { return Ok(self.wire.send(text).await?) };
        tokio::select! {
            sent = self.wire.send(text) => Ok(sent?),
            refusal = seat.inbox.end.ended() => Err(refusal.into()),
        }
    }

    fn participant(&mut self) -> Result<&mut Participant, Over> {
        self.seat.as_mut().map(|seat| &mut seat.participant).ok_or(Code::NotJoined.into())
    }
}

/// What happens to a seat; nothing ever to somebody who has none.
async fn next(seat: &mut Option<Seat>) -> Option<Happened> {
    Some(seat.as_mut()?.next().await)
}

/// How a knock is answered; nobody waits for ever.
async fn answered(door: &mut Option<Door>) -> Option<bool> {
    let Door { knocking, until, .. } = door.as_mut()?;
    Some(timeout_at(*until, knocking.answered()).await.unwrap_or(false))
}

/// A refusal, as the answer to a kind of message.
fn about(over: Over, kind: Kind) -> Over {
    match over {
        Over::Refused(refusal) => Over::Refused(refusal.to(kind)),
        other => other,
    }
}
