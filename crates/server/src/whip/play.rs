//! What a player sees and hears.

use super::resource::Session;
use crate::limits::{MEDIA_ANSWER, PLAYER_HEIGHT};
use crate::messages::PersonId;
use crate::name::RoomName;
use crate::negotiation::Streams;
use crate::server::App;
use salon_host::sfu::{Constraint, ParticipantId, Source, View as Wish};
use salon_rtp::{Codec, MediaKind};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What a player is to show: one person alone, or who has the floor and spoke most recently.
#[derive(Debug)]
pub(crate) struct View {
    only: Option<Arc<str>>,
    /// Who is shown alone, while they are there.
    shown: Option<ParticipantId>,
}

impl View {
    pub(crate) fn new(only: Option<Arc<str>>) -> Self {
        Self { only, shown: None }
    }

    /// Sound and picture of one person belong together. Otherwise the first of each kind is declared as one stream all the same,
    /// because players know no more than one (draft-ietf-wish-whep §4.5.2); both lie on the server's clock.
    pub(crate) fn streams(&self) -> Streams {
        if self.only.is_some() { Streams::Together } else { Streams::FirstPair }
    }

    /// The codec of the picture that will be shown first, if there is one already.
    pub(crate) async fn shown_codec(&self, app: &App, room: &RoomName) -> Option<Codec> {
        let only = match &self.only {
            Some(name) => Some(whereabouts(app, room, name)?),
            None => None,
        };
        let (sender, receiver) = oneshot::channel();
        app.host.report(Some(room.as_str()), move |reports| drop(sender.send(reports)));
        let report = timeout(MEDIA_ANSWER, receiver).await.ok()?.ok()?.into_iter().next()?.room;
        let people = report.participants.iter().filter(|one| only.is_none_or(|only| one.id == only));
        let tracks = people.flat_map(|one| one.tracks.iter().map(move |track| (one, track)));
        let pictures = tracks.filter(|(_, track)| track.source.kind() == MediaKind::Video && !track.muted);
        // In the order of the stage: a screen, then the floor.
        let first = pictures
            .min_by_key(|(one, track)| (track.source != Source::Screen, Some(one.id) != report.floor));
        first.map(|(_, track)| track.codec)
    }
}

impl Session {
    /// Tells the host what the slots are to show.
    pub(crate) fn look(&mut self) {
        let Some(view) = &mut self.view else { return };
        let place = &self.presence.place;
        let wish = match &view.only {
            None => Constraint { view: Wish::Auto, height: PLAYER_HEIGHT },
            Some(name) => {
                view.shown = whereabouts(&place.app, &place.room, name);
                match view.shown {
                    Some(participant) => {
                        Constraint { view: Wish::Participant(participant), height: PLAYER_HEIGHT }
                    }
                    // Nobody else is to be shown meanwhile.
                    None => Constraint { view: Wish::Auto, height: 0 },
                }
            }
        };
        for slot in self.negotiated.slots() {
            place.app.host.constrain(self.presence.member, slot, wish);
        }
    }

    /// Somebody came, changed or went, which may be the one to be shown.
    pub(crate) fn look_again(&mut self, person: PersonId) {
        let Some(View { only: Some(name), shown }) = &self.view else { return };
        let place = &self.presence.place;
        if person != self.presence.id && whereabouts(&place.app, &place.room, name) != *shown {
            self.look();
        }
    }
}

/// Whom a name means: of those who send something, the one who came last.
fn whereabouts(app: &App, room: &RoomName, name: &str) -> Option<ParticipantId> {
    let people = app.directory.people(room);
    let named = people.iter().filter(|one| *one.name == *name && !one.sources.is_empty());
    let found = named.max_by_key(|one| one.id)?;
    Some(app.directory.find(room, found.id, None)?.participant)
}
