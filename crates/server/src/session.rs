//! One client's WebSocket, from its opening to its end.

use crate::bucket::Bucket;
use crate::limits::{
    BEFORE_JOIN, FAREWELL, MESSAGE_BYTES, MESSAGES_AT_ONCE, MESSAGES_PER_SECOND, PING_EVERY, SEND_TIME,
    SILENCE,
};
use crate::messages::{Code, LeftReason, Notice as _, Ping, Pong, Refusal, Request};
use crate::name::RoomName;
use crate::outbox::{End, Item, Outbox, outbox};
use crate::participant::Participant;
use crate::server::{App, stopped};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The close code of every error: of those that RFC 6455 §7.4.2 leaves to us.
const ERROR: u16 = 4000;

/// Why a session ends.
#[derive(Debug)]
enum Over {
    /// The client said `leave`.
    Left,
    /// The connection is closed or broken: nothing can be said any more.
    Closed,
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

/// Serves one client.
pub(crate) async fn run(app: Arc<App>, room: RoomName, reachable: Vec<SocketAddr>, socket: WebSocket) {
    app.metrics.sockets.inc();
    let (outbox, mut inbox) = outbox();
    let now = Instant::now();
    let mut session = Session {
        wire: Wire { socket, end: inbox.end.clone() },
        bucket: Bucket::new(now.into_std(), MESSAGES_PER_SECOND, MESSAGES_AT_ONCE),
        opened: now,
        heard: now,
        place: Place { app: app.clone(), room, reachable, outbox },
        participant: None,
    };
    let over = session.talk(&mut inbox.queue).await;
    let Session { mut wire, participant, .. } = session;
    if let Some(mut participant) = participant {
        participant.because(reason(&over));
        // Dropped here, it leaves the room.
    }
    // Nobody may wait for a farewell: the room has been left before.
    wire.farewell(&app, over).await;
    app.metrics.sockets.dec();
}

/// What the others are told.
fn reason(over: &Over) -> LeftReason {
    match over {
        Over::Left | Over::Closed => LeftReason::Left,
        Over::Refused(refusal) => match refusal.code {
            Code::Silent | Code::MediaLost | Code::MediaFailed => LeftReason::Lost,
            Code::Replaced => LeftReason::Replaced,
            _ => LeftReason::Removed,
        },
    }
}

/// Where a session is, before and after it joins.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) app: Arc<App>,
    pub(crate) room: RoomName,
    /// Where the client may send its media.
    pub(crate) reachable: Vec<SocketAddr>,
    pub(crate) outbox: Outbox,
}

struct Session {
    wire: Wire,
    bucket: Bucket,
    opened: Instant,
    heard: Instant,
    place: Place,
    participant: Option<Participant>,
}

impl Session {
    /// Until it is over.
    async fn talk(&mut self, queue: &mut tokio::sync::mpsc::Receiver<Item>) -> Over {
        let mut ticks = interval(PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = self.place.app.stopping();
        let end = self.wire.end.clone();
        loop {
            let step = tokio::select! {
                biased;
                refusal = end.ended() => Err(refusal.into()),
                () = stopped(&mut stop) => Err(Code::Shutdown.into()),
                _ = ticks.tick() => self.tick().await,
                Some(item) = queue.recv() => self.deliver(item).await,
                message = self.wire.socket.recv() => self.hear(message).await,
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
        if self.participant.is_none() && now.saturating_duration_since(self.opened) > BEFORE_JOIN {
            return Err(Code::Idle.into());
        }
        let since = now.saturating_duration_since(self.opened);
        let t = u64::try_from(since.as_millis()).unwrap_or_default();
        self.wire.send(Ping { t }.text()).await
    }

    /// Something that others left here.
    async fn deliver(&mut self, item: Item) -> Result<(), Over> {
        match item {
            Item::Text(text) => self.wire.send(text).await,
            Item::About(person, text) => {
                self.wire.send(text).await?;
                if let Some(participant) = &mut self.participant {
                    participant.look_again(person);
                }
                Ok(())
            }
            Item::Event(event) => {
                let Some(participant) = &self.participant else { return Ok(()) };
                match participant.translate(event)? {
                    Some(text) => self.wire.send(text).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Something that the client sent.
    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
        let message = match message {
            None => return Err(Over::Closed),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(message)) => message,
        };
        let now = Instant::now();
        self.heard = now;
        if !self.bucket.take(now.into_std()) {
            return Err(Code::TooFast.into());
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Code::NotText.into()),
            // Control frames of the WebSocket itself are answered below us.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(Over::Closed),
        };
        if text.len() > MESSAGE_BYTES {
            return Err(Code::TooLarge.into());
        }
        let result = match Request::parse(text.as_str()) {
            Ok(request) => {
                let kind = request.kind();
                self.place.app.metrics.message(kind);
                self.act(request).await.map_err(|over| match over {
                    Over::Refused(refusal) => Over::Refused(refusal.to(kind)),
                    other => other,
                })
            }
            Err(refusal) => Err(refusal.into()),
        };
        match result {
            Err(Over::Refused(refusal)) if !refusal.code.is_fatal() => {
                self.place.app.metrics.error(refusal.code);
                self.wire.send(refusal.text()).await
            }
            other => other,
        }
    }

    async fn act(&mut self, request: Request) -> Result<(), Over> {
        match request {
            Request::Join(join) => {
                if self.participant.is_some() {
                    return Err(Code::AlreadyJoined.into());
                }
                let (participant, welcome) = Participant::join(self.place.clone(), join).await?;
                self.participant = Some(participant);
                // Before anything that waits in the queue: nobody hears of the room before they are in.
                self.wire.send(welcome).await
            }
            Request::Leave(_) => Err(Over::Left),
            Request::Ping(ping) => self.wire.send(Pong { t: ping.t }.text()).await,
            Request::Pong(_) => Ok(()),
            Request::Offer(offer) => {
                let answer = self.participant()?.offer(offer).await?;
                self.wire.send(answer).await
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
        }
    }

    fn participant(&mut self) -> Result<&mut Participant, Over> {
        self.participant.as_mut().ok_or(Code::NotJoined.into())
    }
}

/// What a failed read means.
fn broken(error: &axum::Error) -> Over {
    // The WebSocket library below axum is not ours to name; these are the two failures by which a client can be told what it did.
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") {
        Code::TooLarge.into()
    } else if text.contains("UTF-8") {
        Code::NotText.into()
    } else {
        Over::Closed
    }
}

/// The socket's sending side.
struct Wire {
    socket: WebSocket,
    end: Arc<End>,
}

impl Wire {
    /// Sends a text; whoever does not take it in time is too slow, and so is one whose queue overflows meanwhile.
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        tokio::select! {
            sent = timeout(SEND_TIME, self.socket.send(Message::Text(text))) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Over::Closed),
                Err(_) => Err(Code::Slow.into()),
            },
            refusal = self.end.ended() => Err(refusal.into()),
        }
    }

    /// Says why, closes, and reads on for a moment: a connection that is closed with unread bytes is reset, and the client
    /// would lose what was said last (RFC 6455 §7.1.1 asks the server to close cleanly).
    async fn farewell(&mut self, app: &App, over: Over) {
        let close = match over {
            Over::Closed => return,
            Over::Left => CloseFrame { code: close_code::NORMAL, reason: Utf8Bytes::from_static("") },
            Over::Refused(refusal) => {
                app.metrics.error(refusal.code);
                tracing::debug!(code = refusal.code.name(), "a session ends");
                let _ = timeout(FAREWELL, self.socket.send(Message::Text(refusal.text()))).await;
                let code = if refusal.code == Code::Shutdown { close_code::AWAY } else { ERROR };
                CloseFrame { code, reason: Utf8Bytes::from_static(refusal.code.name()) }
            }
        };
        let _ = timeout(FAREWELL, async {
            let _ = self.socket.send(Message::Close(Some(close))).await;
            while let Some(Ok(_)) = self.socket.recv().await {}
        })
        .await;
    }
}
