//! Somebody's being in a room, by whichever protocol they came: its beginning on the media threads and in the directory, and its end.

use crate::directory::{Entry, Found};
use crate::limits::MEDIA_ANSWER;
use crate::messages::{Code, LeftReason, Person, PersonId, Refusal};
use crate::outbox::{Item, Outbox};
use crate::proposal::Proposal;
use crate::seat::Claim;
use crate::server::App;
use crate::session::Place;
use salon_host::{JoinError, Joined, Member};
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Somebody's being in a room: with the host and in the directory. Ends when it is dropped, whatever happened.
pub(crate) struct Presence {
    pub(crate) place: Place,
    pub(crate) id: PersonId,
    pub(crate) member: Member,
    pub(crate) reason: LeftReason,
}

impl Drop for Presence {
    fn drop(&mut self) {
        // The media first: the others' slots are free at once.
        self.place.app.host.leave(self.member);
        self.place.app.directory.leave(&self.place.room, self.id, self.reason);
    }
}

/// What others reach a participant by.
pub(crate) struct Keys {
    pub(crate) outbox: Outbox,
    pub(crate) claim: mpsc::Sender<Claim>,
}

/// Joins the host's room and, in the same moment on the media thread, the directory: so nobody hears of tracks of a person that
/// they have not heard of.
pub(crate) async fn enter(
    place: &Place,
    proposal: &Proposal,
    person: Person,
    token: String,
    keys: Keys,
) -> Result<(Joined, Found), Refusal> {
    let (sender, mut receiver) = oneshot::channel();
    let (events, directory, room) = (keys.outbox.clone(), place.app.directory.clone(), place.room.clone());
    let (host, id, muted) = (place.app.host.clone(), person.id, person.muted.clone());
    let join = salon_host::Join {
        label: id.into(),
        remote: proposal.remote(),
        fingerprint: proposal.fingerprint(),
        setup: proposal.setup(),
        tracks: proposal.track_specs(),
        slots: proposal.slot_specs(),
        events: Box::new(move |event| events.put(Item::Event(event))),
    };
    let specs = proposal.track_specs();
    let muting = host.clone();
    place.app.host.join(place.room.as_str(), join, move |result| {
        let result = result.map(|joined| {
            let sources = specs.iter().map(|spec| spec.source.into());
            let tracks = sources.zip(joined.tracks.iter().copied()).collect::<BTreeMap<_, _>>();
            for source in &muted {
                if let Some(track) = tracks.get(source) {
                    muting.mute(joined.member, *track, true);
                }
            }
            let Keys { outbox, claim } = keys;
            let entry = Entry { person, token, outbox, claim, member: joined.member, tracks };
            (joined, directory.enter(&room, entry))
        });
        let _ = sender.send(result);
    });
    match timeout(MEDIA_ANSWER, &mut receiver).await {
        Ok(Ok(Ok(entered))) => Ok(entered),
        Ok(Ok(Err(error))) => Err(refusal(&place.app, error)),
        Ok(Err(_)) => Err(Code::Internal.into()),
        Err(_) => {
            // Should the host answer after all, nobody is there any more.
            let place = place.clone();
            tokio::spawn(async move {
                if let Ok(Ok((joined, _))) = receiver.await {
                    drop(Presence { place, id, member: joined.member, reason: LeftReason::Removed });
                }
            });
            Err(Code::Internal.into())
        }
    }
}

/// What a client is told when the host refuses; counted by its own name.
pub(crate) fn refusal(app: &App, error: JoinError) -> Refusal {
    app.metrics.refused_join(error);
    said(error)
}

fn said(error: JoinError) -> Refusal {
    match error {
        JoinError::RoomFull => Code::RoomFull.into(),
        JoinError::TooManyRooms => Code::TooManyRooms.into(),
        JoinError::TooManyParticipants | JoinError::TooManyPeers => Code::ServerFull.into(),
        // Both are the client's to mend.
        JoinError::Refused(_) | JoinError::BadCredentials => {
            Refusal::new(Code::BadSdp).saying(format!("The offer cannot be served: {error}."))
        }
        // These are not, and asking again may help.
        JoinError::UfragInUse
        | JoinError::NoEntropy(_)
        | JoinError::RoomFailed
        | JoinError::Busy
        | JoinError::Stale(_) => {
            Refusal::new(Code::Internal).saying(format!("The server failed ({error}); please join again."))
        }
        _ => Code::Internal.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salon_host::sfu::{Limit, Refused};
    use salon_host::{NoEntropy, Stale};

    #[test]
    fn who_is_refused_hears_who_must_act() {
        let code = |error| said(error).code;
        assert_eq!(code(JoinError::RoomFull), Code::RoomFull);
        assert_eq!(code(JoinError::TooManyPeers), Code::ServerFull);
        for error in [JoinError::BadCredentials, JoinError::Refused(Refused::Limit(Limit::Tracks))] {
            assert_eq!(code(error), Code::BadSdp);
        }
        let ours = [
            JoinError::UfragInUse,
            JoinError::NoEntropy(NoEntropy),
            JoinError::RoomFailed,
            JoinError::Busy,
            JoinError::Stale(Stale),
        ];
        for error in ours {
            assert_eq!(
                code(error),
                Code::Internal,
                "{error} is nothing that the client did, nor that it is full"
            );
            assert!(said(error).sentence().contains(&error.to_string()));
        }
    }
}
