//! Events: noted once, read when they are polled.

use crate::event::Pending;
use crate::{Event, Room, SlotId, TrackId};

impl Room {
    /// The next change that the caller has not been told.
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some((track, speaking)) = self.audible.poll_speaking() {
            let owner = self
                .tracks
                .get(track)
                .filter(|t| t.spec.source == crate::Source::Microphone)
                .map(|t| t.owner);
            let Some(receiver) = owner.and_then(|o| self.receivers.get_mut(o)) else { continue };
            receiver.speaking = speaking;
            return owner.map(|participant| Event::Speaking { participant, speaking });
        }
        loop {
            let event = match self.events.pop_front()? {
                Pending::Slot(id) => self.slot_event(id),
                Pending::Floor => self.floor_event(),
                Pending::Encodings(id) => self.encodings_event(id),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// Notes that what a slot shows may have changed.
    pub(crate) fn note_slot(&mut self, id: SlotId) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.state() != slot.told && !core::mem::replace(&mut slot.event_pending, true) {
            self.events.push_back(Pending::Slot(id));
        }
    }

    fn slot_event(&mut self, id: SlotId) -> Option<Event> {
        let slot = self.slots.get_mut(id)?;
        slot.event_pending = false;
        let state = slot.state();
        let old = core::mem::replace(&mut slot.told, state);
        let (shows, empty) = state;
        (old != state).then_some(Event::Slot { participant: slot.owner, slot: id, shows, empty })
    }

    fn floor_event(&mut self) -> Option<Event> {
        let floor = self.stage.floor;
        let old = core::mem::replace(&mut self.stage.floor_told, floor);
        self.stage.floor_pending = false;
        (old != floor).then_some(Event::Floor(floor))
    }

    fn encodings_event(&mut self, id: TrackId) -> Option<Event> {
        let wanted = self.wanted(id)?;
        let track = self.tracks.get_mut(id)?;
        track.event_pending = false;
        track.idle_since = None;
        let old = core::mem::replace(&mut track.told, wanted);
        (old != wanted).then_some(Event::Encodings { participant: track.owner, track: id, wanted })
    }
}
