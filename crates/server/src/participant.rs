//! A client that has joined: its person in the directory, its member at the host, what was negotiated, what it wants to see.

use crate::api;
use crate::directory::Found;
use crate::keys::Role;
use crate::limits::MEDIA_ANSWER;
use crate::messages::{
    Answer, Chat, Code, Connection, Encodings, Floor, Hand, Join, LeftReason, Media, MediaState, Moderation,
    Mute, Notice as _, Offer, Person, PersonId, Refusal, Resumed, Sections, Shown, SlotView, Slots, Speaking,
    View, Want, Welcome,
};
use crate::negotiation::{Negotiated, Own};
use crate::presence::{Keys, Presence, enter, refusal};
use crate::proposal::{Proposal, refused};
use crate::random;
use crate::server::Phase;
use crate::session::Place;
use crate::told::Told;
use axum::extract::ws::Utf8Bytes;
use salon_host::sfu::{Constraint, SlotId, View as MediaView};
use salon_host::{HostEvent, MemberReport};
use salon_rtp::Mid;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// A client that has joined. Dropped, it leaves the room.
pub(crate) struct Participant {
    presence: Presence,
    role: Role,
    negotiated: Negotiated,
    /// What each slot is to show, as the client said it.
    wishes: BTreeMap<Mid, SlotView>,
    told: Told,
}

impl Participant {
    /// Joins; gives the `welcome` too.
    pub(crate) async fn join(
        place: Place,
        join: Join,
        role: Role,
        keys: Keys,
    ) -> Result<(Self, Utf8Bytes), Refusal> {
        let app = place.app.clone();
        let proposal = Proposal::read(&join.sdp, &join.sources, role)?;
        let token = random::token().map_err(|_| Code::Internal)?;
        let session_id = u64::from_be_bytes(random::bytes().map_err(|_| Code::Internal)?) >> 1;
        if let Some(member) = join.replaces.and_then(|token| app.directory.replace(&place.room, &token)) {
            app.host.leave(member);
        }
        let id = app.directory.next_id();
        let mut sources: Vec<_> = proposal.track_specs().iter().map(|spec| spec.source.into()).collect();
        sources.sort_unstable();
        let muted = join.muted.into_iter().filter(|source| sources.contains(source)).collect();
        let person =
            Person { id, name: join.name, sources, muted, hand: false, away: false, role, via: None };
        let name = person.name.clone();
        let (joined, found) = enter(&place, &proposal, person, token.clone(), keys).await?;
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
            media: place.media(),
            tracks: negotiated.sources(),
            refused: refused(&proposal),
            people: found.people,
            name: &name,
            role,
            locked: found.locked,
            knocks: found.knocks,
        };
        let welcome = welcome.text();
        Ok((Self { presence, role, negotiated, wishes: BTreeMap::new(), told: Told::default() }, welcome))
    }

    /// Another connection goes on with this participant.
    pub(crate) fn moved(&mut self, place: Place) {
        self.presence.place = place;
        self.set_away(false);
    }

    /// All that the connection before was told.
    pub(crate) fn resumed(&self) -> Utf8Bytes {
        let Presence { place, id, .. } = &self.presence;
        let found = place.app.directory.look(&place.room, *id);
        let Found { people, locked, knocks } = found.unwrap_or_default();
        let mut resumed = Resumed {
            id: *id,
            boot: &place.app.boot,
            media: place.media(),
            people,
            slots: Sections::default(),
            encodings: Sections::default(),
            floor: None,
            speaking: Vec::new(),
            state: None,
            locked,
            knocks,
        };
        self.told.fill(&mut resumed);
        resumed.text()
    }

    /// Whether keys have been agreed, so that the media's own end will be noticed.
    pub(crate) fn has_media(&self) -> bool {
        self.told.media.is_some()
    }

    /// Tells the others that the connection is lost, or is back.
    pub(crate) fn set_away(&self, away: bool) {
        let Presence { place, id, .. } = &self.presence;
        place.app.directory.change(&place.room, *id, |entry| entry.person.away = away);
    }

    /// Tells when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<Phase> {
        self.presence.place.app.stopping()
    }

    /// Why the others will be told that it left.
    pub(crate) fn because(&mut self, reason: LeftReason) {
        self.presence.reason = reason;
    }

    /// A renegotiation; gives the `answer`.
    pub(crate) async fn offer(&mut self, offer: Offer) -> Result<Utf8Bytes, Refusal> {
        let proposal = Proposal::read(&offer.sdp, &offer.sources, self.role)?;
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
                return Err(refusal(&app, error));
            }
            _ => return Err(Code::Internal.into()),
        };
        self.negotiated.apply(&proposal, difference, &updated);
        self.tell_tracks();
        self.wishes.retain(|mid, _| self.negotiated.slot(mid).is_some());
        self.told.slots.retain(|mid, _| self.negotiated.slot(mid).is_some());
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
        let Presence { place, .. } = &self.presence;
        if !place.app.directory.has(&place.room, person) {
            self.told.forget(person);
        }
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

    /// How its media fare.
    pub(crate) async fn connection(&self) -> Result<Utf8Bytes, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let Presence { place, member, .. } = &self.presence;
        place.app.host.report_member(*member, move |report| drop(sender.send(report)));
        let report = timeout(MEDIA_ANSWER, receiver).await.ok().and_then(Result::ok).flatten();
        let report = report.ok_or(Code::Internal)?;
        let MemberReport { participant, peer, .. } = report;
        Ok(Connection {
            connected: participant.connected,
            remote: peer.path.map(|path| path.remote),
            local: peer.path.map(|path| path.local),
            rtt_ms: participant.rtt_ms,
            unheard_ms: u64::try_from(peer.unheard.as_millis()).unwrap_or(u64::MAX),
            loss_up: api::loss_up(&participant),
            loss_down: api::loss_down(&participant),
            budget: participant.budget.map(|rate| rate.as_bps()),
            narrow: participant.slots.iter().any(|slot| slot.bandwidth_limited),
            costs: (&peer.spent).into(),
        }
        .text())
    }

    /// Does what only moderators may.
    pub(crate) fn moderate(&self, what: Moderation) -> Result<(), Refusal> {
        let Presence { place, id, .. } = &self.presence;
        place.app.directory.moderate(&place.room, *id, what, &place.app.host)
    }

    /// Puts an event of the media threads into the protocol's words; an error where it ends the session.
    pub(crate) fn translate(&mut self, event: HostEvent) -> Result<Option<Utf8Bytes>, Refusal> {
        Ok(match event {
            HostEvent::Connected => Some(self.media(MediaState::Connected)),
            HostEvent::Silent => Some(self.media(MediaState::Silent)),
            HostEvent::Back => Some(self.media(MediaState::Back)),
            HostEvent::Gone(reason) => return Err(Code::from(reason).into()),
            HostEvent::RoomFailed => return Err(Code::Internal.into()),
            HostEvent::Slot { slot, shows } => self.slot(slot, shows),
            HostEvent::Encodings { track, wanted } => {
                self.negotiated.section_of_track(track, wanted).map(|(mid, rids)| {
                    self.told.encodings.insert(mid, rids.clone());
                    Encodings { encodings: [(mid, rids)].into_iter().collect() }.text()
                })
            }
            HostEvent::Floor(label) => {
                let person = label.and_then(|label| self.known(label));
                self.told.floor = person;
                Some(Floor { person }.text())
            }
            HostEvent::Speaking { label, on } => self.known(label).map(|person| {
                if on {
                    self.told.speaking.insert(person);
                } else {
                    self.told.speaking.remove(&person);
                }
                Speaking { person, on }.text()
            }),
            // Events of a later host: nothing that this protocol has words for.
            _ => None,
        })
    }

    fn media(&mut self, state: MediaState) -> Utf8Bytes {
        self.told.media = Some(state);
        Media { state }.text()
    }

    fn slot(
        &mut self,
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
        self.told.slots.insert(mid, shown.clone());
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
