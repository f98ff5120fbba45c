//! Somebody in a room, as the shard knows them.

use std::fmt;

use salon_sfu::{ParticipantId, Source, TrackId};
use salon_transport::PeerId;
use slotmap::SecondaryMap;

use crate::places::Place;
use crate::{HostEvent, Spent};

/// Where a participant's packets go, and who hears its events.
pub(crate) struct MemberEntry {
    pub peer: PeerId,
    pub place: Place,
    pub label: u64,
    pub spent: Spent,
    pub events: Tell,
}

/// Who hears of what happens to a participant.
pub(crate) type Tell = Box<dyn FnMut(HostEvent) + Send>;

impl fmt::Debug for MemberEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberEntry")
            .field("peer", &self.peer)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// Everybody in a room, and whose the tracks are: what turns the core's ids into what a caller can name.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub entries: SecondaryMap<ParticipantId, MemberEntry>,
    pub tracks: SecondaryMap<TrackId, (ParticipantId, Source)>,
}

impl Members {
    pub(crate) fn tell(&mut self, to: ParticipantId, event: HostEvent) {
        if let Some(member) = self.entries.get_mut(to) {
            (member.events)(event);
        }
    }

    pub(crate) fn tell_all(&mut self, event: HostEvent) {
        for member in self.entries.values_mut() {
            (member.events)(event);
        }
    }

    pub(crate) fn label(&self, id: ParticipantId) -> Option<u64> {
        self.entries.get(id).map(|m| m.label)
    }

    pub(crate) fn remove(&mut self, id: ParticipantId) -> Option<MemberEntry> {
        self.tracks.retain(|_, (of, _)| *of != id);
        self.entries.remove(id)
    }
}
