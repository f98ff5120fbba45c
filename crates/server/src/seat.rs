//! A participant and what waits for it: what a connection holds while it lives, and what stays when it is lost.

use crate::keys::Role;
use crate::limits::{MEDIA_ANSWER, MISSED};
use crate::messages::{Code, Join, LeftReason, Refusal, Resume};
use crate::outbox::{Inbox, Item, outbox};
use crate::participant::Participant;
use crate::presence::Keys;
use crate::server::stopped;
use crate::session::Place;
use axum::extract::ws::Utf8Bytes;
use std::collections::VecDeque;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A place in a room, whichever connection it is held by. Dropped, the participant leaves.
pub(crate) struct Seat {
    pub(crate) participant: Participant,
    pub(crate) inbox: Inbox,
    claims: mpsc::Receiver<Claim>,
    /// Lines of chat that came while no connection held the seat.
    pub(crate) missed: VecDeque<Utf8Bytes>,
}

/// Another connection of the same person wants the seat.
pub(crate) type Claim = oneshot::Sender<Seat>;

/// What a seat's holder must see to.
pub(crate) enum Happened {
    Item(Item),
    Ended(Refusal),
    Claimed(Claim),
}

impl Seat {
    /// Joins; gives the `welcome` too.
    pub(crate) async fn take(place: Place, join: Join, role: Role) -> Result<(Self, Utf8Bytes), Refusal> {
        let (outbox, inbox) = outbox();
        // One at a time: a second one that claims while a first is served has lost the race.
        let (claim, claims) = mpsc::channel(1);
        let (participant, welcome) = Participant::join(place, join, role, Keys { outbox, claim }).await?;
        Ok((Self { participant, inbox, claims, missed: VecDeque::new() }, welcome))
    }

    /// Takes over the seat of the token's bearer.
    ///
    /// # Errors
    /// [`Code::NotHere`] where there is no such seat, or none any more.
    pub(crate) async fn resume(place: Place, resume: &Resume) -> Result<Self, Refusal> {
        let claims = place.app.directory.claims(&place.room, &resume.token).ok_or(Code::NotHere)?;
        let (claim, seat) = oneshot::channel();
        claims.try_send(claim).map_err(|_| Code::NotHere)?;
        match timeout(MEDIA_ANSWER, seat).await {
            Ok(Ok(mut seat)) => {
                seat.participant.moved(place);
                Ok(seat)
            }
            _ => Err(Code::NotHere.into()),
        }
    }

    /// Waits for what happens next.
    pub(crate) async fn next(&mut self) -> Happened {
        tokio::select! {
            biased;
            refusal = self.inbox.end.ended() => Happened::Ended(refusal),
            Some(claim) = self.claims.recv() => Happened::Claimed(claim),
            Some(item) = self.inbox.queue.recv() => Happened::Item(item),
        }
    }

    /// Keeps the seat of somebody whose connection is lost while their media live: a broken WebSocket is no departure. Ends when another
    /// connection takes it over, when the media end, or when somebody ends it.
    pub(crate) async fn hold(mut self) {
        self.participant.set_away(true);
        let mut stop = self.participant.stopping();
        let reason = loop {
            let happened = tokio::select! {
                biased;
                () = stopped(&mut stop) => break LeftReason::Removed,
                happened = self.next() => happened,
            };
            match happened {
                Happened::Ended(refusal) => break refusal.code.left_reason(),
                Happened::Claimed(claim) => match claim.send(self) {
                    Ok(()) => return,
                    // The other connection was lost too.
                    Err(back) => self = back,
                },
                Happened::Item(Item::Text(_)) => {}
                Happened::Item(Item::Chat(text)) => {
                    if self.missed.len() >= MISSED {
                        self.missed.pop_front();
                    }
                    self.missed.push_back(text);
                }
                Happened::Item(Item::About(person, _)) => self.participant.look_again(person),
                Happened::Item(Item::Event(event)) => {
                    if let Err(refusal) = self.participant.translate(event) {
                        break refusal.code.left_reason();
                    }
                }
            }
        };
        self.participant.because(reason);
    }
}
