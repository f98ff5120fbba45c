//! A client that has joined: its person in the directory, its member at the host, what was negotiated, what it wants to see.

use crate::directory::Entry;
use crate::limits::MEDIA_ANSWER;
use crate::messages::{
    Answer, Chat, Code, Encodings, Floor, Hand, Join, LeftReason, Media, MediaState, Mute, Notice as _,
    Offer, Person, PersonId, Refusal, Shown, SlotView, Slots, Speaking, View, Want, Welcome,
};
use crate::negotiation::{Negotiated, Own, Proposal, refused};
use crate::outbox::Item;
use crate::random;
use crate::session::Place;
use axum::extract::ws::Utf8Bytes;
use salon_host::sfu::{Constraint, SlotId, View as MediaView};
use salon_host::{HostEvent, JoinError, Joined, Member};
use salon_rtp::Mid;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A client that has joined. Dropped, it leaves the room.
pub(crate) struct Participant {
    presence: Presence,
    negotiated: Negotiated,
    /// What each slot is to show, as the client said it.
    wishes: BTreeMap<Mid, SlotView>,
}

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

impl Participant {
    /// Joins; gives the `welcome` too.
    pub(crate) async fn join(place: Place, join: Join) -> Result<(Self, Utf8Bytes), Refusal> {
        let app = place.app.clone();
        let proposal = Proposal::read(&join.sdp, &join.sources)?;
        let token = random::token().map_err(|_| Code::Internal)?;
        let session_id = u64::from_be_bytes(random::bytes().map_err(|_| Code::Internal)?) >> 1;
        if let Some(member) = join.replaces.and_then(|token| app.directory.replace(&place.room, &token)) {
            app.host.leave(member);
        }
        let id = app.directory.next_id();
        let mut sources: Vec<_> = proposal.track_specs().iter().map(|spec| spec.source.into()).collect();
        sources.sort_unstable();
        let muted = join.muted.into_iter().filter(|source| sources.contains(source)).collect();
        let person = Person { id, name: join.name, sources, muted, hand: false };
        let (joined, others) = enter(&place, &proposal, person, token.clone()).await?;
        let presence = Presence { place: place.clone(), id, member: joined.member, reason: LeftReason::Left };
        let mut negotiated = Negotiated::new(&proposal, &joined, session_id);
        let own = Own {
            credentials: &joined.local,
            cname: &joined.cname,
            host: &app.host,
            reachable: &place.reachable,
        };
        let welcome = Welcome {
            id,
            room: place.room.as_str(),
            sdp: &negotiated.answer(&proposal, own),
            token: &token,
            boot: &app.boot,
            media: place.reachable.iter().map(ToString::to_string).collect(),
            tracks: negotiated.sources(),
            refused: refused(&proposal),
            people: others,
        };
        let welcome = welcome.text();
        Ok((Self { presence, negotiated, wishes: BTreeMap::new() }, welcome))
    }

    /// Why the others will be told that it left.
    pub(crate) fn because(&mut self, reason: LeftReason) {
        self.presence.reason = reason;
    }

    /// A renegotiation; gives the `answer`.
    pub(crate) async fn offer(&mut self, offer: Offer) -> Result<Utf8Bytes, Refusal> {
        let proposal = Proposal::read(&offer.sdp, &offer.sources)?;
        let difference = self.negotiated.difference(&proposal)?;
        let app = self.presence.place.app.clone();
        let (sender, receiver) = oneshot::channel();
        app.host
            .update(self.presence.member, difference.update.clone(), move |result| drop(sender.send(result)));
        let updated = match timeout(MEDIA_ANSWER, receiver).await {
            Ok(Ok(Ok(updated))) => updated,
            Ok(Ok(Err(error))) => {
                self.negotiated.forget(&difference.update);
                self.tell_tracks();
                return Err(refusal(error));
            }
            _ => return Err(Code::Internal.into()),
        };
        self.negotiated.apply(&proposal, difference, &updated);
        self.tell_tracks();
        self.wishes.retain(|mid, _| self.negotiated.slot(mid).is_some());
        let place = &self.presence.place;
        let own = Own {
            credentials: &updated.local,
            cname: &updated.cname,
            host: &app.host,
            reachable: &place.reachable,
        };
        let sdp = self.negotiated.answer(&proposal, own);
        Ok(Answer { sdp: &sdp, tracks: self.negotiated.sources(), refused: refused(&proposal) }.text())
    }

    /// What slots are to show: all of them, or none if one is not there.
    pub(crate) fn view(&mut self, view: View) -> Result<(), Refusal> {
        if view.slots.0.keys().any(|mid| self.negotiated.slot(mid).is_none()) {
            return Err(Code::BadSlot.into());
        }
        for (mid, mut wish) in view.slots.0 {
            self.aim(mid, &mut wish);
            self.wishes.insert(mid, wish);
        }
        Ok(())
    }

    /// Somebody came, changed or went: wishes that name them may mean something else now.
    pub(crate) fn look_again(&mut self, person: PersonId) {
        let concerned = |wish: &SlotView| matches!(wish.want, Want::Person(of, _) if of == person);
        let wishes: Vec<(Mid, SlotView)> =
            self.wishes.iter().filter(|(_, wish)| concerned(wish)).map(|(mid, wish)| (*mid, *wish)).collect();
        for (mid, mut wish) in wishes {
            self.aim(mid, &mut wish);
            self.wishes.insert(mid, wish);
        }
    }

    /// Mutes a source, or lifts the mute.
    pub(crate) fn mute(&mut self, mute: Mute) -> Result<(), Refusal> {
        let Presence { place, id, member, .. } = &self.presence;
        let track = self.negotiated.tracks().get(&mute.source).copied().ok_or(Code::BadSource)?;
        place.app.host.mute(*member, track, mute.muted);
        place.app.directory.change(&place.room, *id, |entry| {
            let muted = &mut entry.person.muted;
            muted.retain(|source| *source != mute.source);
            if mute.muted {
                muted.push(mute.source);
                muted.sort_unstable();
            }
        });
        Ok(())
    }

    /// Says something to everybody.
    pub(crate) fn chat(&self, chat: &Chat) {
        let Presence { place, id, .. } = &self.presence;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = u64::try_from(since.as_millis()).unwrap_or_default();
        place.app.directory.say(&place.room, *id, &chat.text, at);
    }

    /// Raises or lowers the hand.
    pub(crate) fn hand(&self, hand: Hand) {
        let Presence { place, id, .. } = &self.presence;
        place.app.directory.change(&place.room, *id, |entry| entry.person.hand = hand.raised);
    }

    /// Puts an event of the media threads into the protocol's words; an error where it ends the session.
    pub(crate) fn translate(&self, event: HostEvent) -> Result<Option<Utf8Bytes>, Refusal> {
        let state = |state| Ok(Some(Media { state }.text()));
        match event {
            HostEvent::Connected => state(MediaState::Connected),
            HostEvent::Silent => state(MediaState::Silent),
            HostEvent::Back => state(MediaState::Back),
            HostEvent::Gone(_) => Err(Code::MediaLost.into()),
            HostEvent::RoomFailed => Err(Code::Internal.into()),
            HostEvent::Slot { slot, shows } => Ok(self.slot(slot, shows)),
            HostEvent::Encodings { track, wanted } => {
                let entry = self.negotiated.section_of_track(track, wanted);
                Ok(entry.map(|entry| Encodings { encodings: [entry].into_iter().collect() }.text()))
            }
            HostEvent::Floor(label) => {
                let person = label.and_then(|label| self.known(label));
                Ok(Some(Floor { person }.text()))
            }
            HostEvent::Speaking { label, on } => {
                Ok(self.known(label).map(|person| Speaking { person, on }.text()))
            }
            // Events of a later host: nothing that this protocol has words for.
            _ => Ok(None),
        }
    }

    fn slot(
        &self,
        slot: SlotId,
        shows: Result<salon_host::Shown, salon_host::sfu::EmptyReason>,
    ) -> Option<Utf8Bytes> {
        let mid = self.negotiated.section_of_slot(slot)?;
        let shown = match shows {
            Ok(shown) => match self.known(shown.label) {
                Some(person) => Shown::Somebody { person, source: shown.source.into(), empty: None },
                None => Shown::Nobody { empty: "nobody" },
            },
            Err(reason) => Shown::Nobody { empty: reason.name() },
        };
        Some(Slots { slots: [(mid, shown)].into_iter().collect() }.text())
    }

    /// The person behind a label, while they are in the room: events may come a moment after somebody left.
    fn known(&self, label: u64) -> Option<PersonId> {
        let Presence { place, .. } = &self.presence;
        PersonId::try_from(label).ok().filter(|id| place.app.directory.has(&place.room, *id))
    }

    /// Tells the host what a slot is to show. A wish for somebody who is not there becomes one for anybody; one for a source that is not
    /// there (yet) stands, and shows nothing meanwhile.
    fn aim(&self, mid: Mid, wish: &mut SlotView) {
        let Presence { place, member, .. } = &self.presence;
        let Some(slot) = self.negotiated.slot(&mid) else { return };
        let (view, height) = match wish.want {
            Want::Auto => (MediaView::Auto, wish.height),
            Want::Person(id, source) => match place.app.directory.find(&place.room, id, source) {
                None => {
                    wish.want = Want::Auto;
                    (MediaView::Auto, wish.height)
                }
                Some(found) => match (source, found.track) {
                    (None, _) => (MediaView::Participant(found.participant), wish.height),
                    (Some(_), Some(track)) => (MediaView::Track(track), wish.height),
                    (Some(_), None) => (MediaView::Auto, 0),
                },
            },
        };
        place.app.host.constrain(*member, slot, Constraint { view, height });
    }

    /// Tells everybody what this client sends now.
    fn tell_tracks(&self) {
        let Presence { place, id, .. } = &self.presence;
        let tracks = self.negotiated.tracks();
        place.app.directory.change(&place.room, *id, |entry| {
            entry.person.sources = tracks.keys().copied().collect();
            entry.person.muted.retain(|source| tracks.contains_key(source));
            entry.tracks = tracks;
        });
    }
}

/// Joins the host's room and, in the same moment on the media thread, the directory: so nobody hears of tracks of a person that
/// they have not heard of.
pub(crate) async fn enter(
    place: &Place,
    proposal: &Proposal,
    person: Person,
    token: String,
) -> Result<(Joined, Vec<Person>), Refusal> {
    let (sender, mut receiver) = oneshot::channel();
    let (events, directory, room, outbox) =
        (place.outbox.clone(), place.app.directory.clone(), place.room.clone(), place.outbox.clone());
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
            let entry = Entry { person, token, outbox, member: joined.member, tracks };
            let others = directory.enter(&room, entry);
            (joined, others)
        });
        let _ = sender.send(result);
    });
    match timeout(MEDIA_ANSWER, &mut receiver).await {
        Ok(Ok(Ok(entered))) => Ok(entered),
        Ok(Ok(Err(error))) => Err(refusal(error)),
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

/// What a client is told when the host refuses.
fn refusal(error: JoinError) -> Refusal {
    match error {
        JoinError::RoomFull => Code::RoomFull.into(),
        JoinError::TooManyRooms | JoinError::TooManyPeers => Code::TooManyRooms.into(),
        JoinError::Refused(reason) => {
            Refusal::new(Code::BadSdp).saying(format!("The offer cannot be served: {reason}."))
        }
        _ => Code::Internal.into(),
    }
}
