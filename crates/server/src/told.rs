//! What a client has been told of its media, so that another connection of the same person can be told it at once.

use crate::messages::{MediaState, PersonId, Resumed, Sections, Shown};
use salon_rtp::Mid;
use std::collections::{BTreeMap, BTreeSet};

/// The last word on everything that the media threads tell a client.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) slots: BTreeMap<Mid, Shown>,
    pub(crate) encodings: BTreeMap<Mid, Vec<String>>,
    pub(crate) floor: Option<PersonId>,
    pub(crate) speaking: BTreeSet<PersonId>,
    /// None until keys were agreed.
    pub(crate) media: Option<MediaState>,
}

impl Told {
    /// Somebody has left: nothing can be told of them any more.
    pub(crate) fn forget(&mut self, person: PersonId) {
        self.speaking.remove(&person);
        self.floor = self.floor.filter(|floor| *floor != person);
    }

    /// Fills in what a connection that takes over must know.
    pub(crate) fn fill(&self, resumed: &mut Resumed<'_>) {
        resumed.slots = self.slots.iter().map(|(mid, shown)| (*mid, shown.clone())).collect::<Sections<_>>();
        resumed.encodings = self.encodings.iter().map(|(mid, rids)| (*mid, rids.clone())).collect();
        resumed.floor = self.floor;
        resumed.speaking = self.speaking.iter().copied().collect();
        resumed.state = self.media;
    }
}
