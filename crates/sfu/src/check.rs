//! The room's invariants.

use crate::ingress::EncodingId;
use crate::{Room, SlotId, limits};

type Broken = Result<(), &'static str>;

impl Room {
    /// Whether the room's invariants hold; for tests, after each step. The text names the first that doesn't.
    #[doc(hidden)]
    pub fn check(&self) -> Broken {
        self.check_people()?;
        self.check_tracks()?;
        self.check_slots()?;
        self.check_ready()?;
        self.schedule.check(|id| self.receivers.get(id).is_some_and(|r| r.connected))
    }

    fn check_people(&self) -> Broken {
        ensure(self.publishers.len() == self.receivers.len(), "the two halves have different people")?;
        for (id, receiver) in &self.receivers {
            let publisher = self.publishers.get(id).ok_or("a receiver without its publishing half")?;
            ensure(publisher.tracks.len() <= limits::TRACKS, "too many tracks")?;
            ensure(receiver.slots.len() <= limits::SLOTS, "too many slots")?;
            ensure(receiver.queue.len() <= limits::QUEUE, "too long a queue")?;
            ensure(receiver.outbox.len() <= limits::REPORTS, "too many reports")?;
            ensure(
                receiver.connected || !receiver.has_something(),
                "something waits for somebody without a path",
            )?;
            for &slot in &receiver.slots {
                ensure(self.slots.get(slot).is_some_and(|s| s.owner == id), "a slot of somebody else's")?;
            }
            for &track in &publisher.tracks {
                ensure(self.tracks.get(track).is_some_and(|t| t.owner == id), "a track of somebody else's")?;
            }
            let mut before = None;
            for &(ssrc, slot) in &receiver.ssrcs {
                ensure(before < Some(ssrc), "SSRCs out of order")?;
                before = Some(ssrc);
                let streams = self.slots.get(slot).ok_or("an SSRC of no slot")?.streams;
                ensure(
                    streams.ssrc == ssrc || streams.rtx == Some(ssrc),
                    "an SSRC that its slot does not have",
                )?;
            }
            ensure(self.schedule.keeps(id, self.due(id)), "a deadline that would be missed")?;
        }
        let slots: usize = self.receivers.values().map(|r| r.slots.len()).sum();
        ensure(slots == self.slots.len(), "a slot of nobody's")?;
        let tracks: usize = self.publishers.values().map(|p| p.tracks.len()).sum();
        ensure(tracks == self.tracks.len(), "a track of nobody's")
    }

    fn check_tracks(&self) -> Broken {
        for (id, track) in &self.tracks {
            for &slot in &track.slots {
                let slot = self.slots.get(slot).ok_or("a track in a slot that is gone")?;
                ensure(slot.track == Some(id), "a track in a slot that shows another")?;
                ensure(slot.owner != track.owner, "somebody sees himself")?;
            }
            for index in 0..track.encodings.len() as u8 {
                let name = track.name(id, index).ok_or("an encoding without a name")?;
                let viewers = track.encoding(index).map(|e| e.viewers.as_slice()).unwrap_or_default();
                for (at, &viewer) in viewers.iter().enumerate() {
                    let slot = self.slots.get(viewer).ok_or("a viewer that is gone")?;
                    ensure(slot.links.contains(&Some(name)), "a viewer that looks elsewhere")?;
                    ensure(!viewers[..at].contains(&viewer), "a viewer counted twice")?;
                }
            }
        }
        Ok(())
    }

    fn check_slots(&self) -> Broken {
        for (id, slot) in &self.slots {
            for link in slot.links.into_iter().flatten() {
                ensure(self.views(link, id), "a slot that its encoding does not know")?;
            }
            let shown = slot.current.map(|c| c.source);
            ensure(slot.forwarder.current() == shown, "a slot shows what it doesn't know")?;
            let aimed = slot.target.map(|t| t.source);
            ensure(
                slot.forwarder.target().map(|t| t.source) == aimed,
                "a slot aims at what it doesn't know",
            )?;
            for seen in [slot.current, slot.target].into_iter().flatten() {
                ensure(slot.links.contains(&Some(seen)), "a slot looks where it is not counted")?;
            }
            if let Some(track) = slot.track {
                let track = self.tracks.get(track).ok_or("a slot shows what is gone")?;
                ensure(track.slots.contains(&id), "a slot that its track does not know")?;
                ensure(slot.payload(track.spec.codec).is_some(), "a slot shows what it cannot")?;
                let twice =
                    self.slots.iter().any(|(o, s)| o != id && s.owner == slot.owner && s.track == slot.track);
                ensure(!twice, "one track in two slots of one receiver")?;
                let connected = self.receivers.get(slot.owner).is_some_and(|r| r.connected);
                ensure(connected && !slot.is_paused(), "something shown to nobody")?;
                let bound = self.receivers.get(slot.owner).is_some_and(|r| r.budget.ceiling().is_some());
                ensure(bound || !slot.limited, "a link without bounds limits a picture")?;
            } else {
                ensure(slot.target.is_none() && slot.wish.is_none(), "an empty slot waits for something")?;
                ensure(slot.current.is_none(), "an empty slot shows something")?;
                ensure(!slot.limited, "an empty slot is kept from something")?;
            }
            ensure(slot.state() == slot.told || slot.event_pending, "a change that nobody was told")?;
        }
        Ok(())
    }

    fn views(&self, encoding: EncodingId, slot: SlotId) -> bool {
        let track = self.tracks.get(encoding.track);
        track.and_then(|t| t.encoding(encoding.index)).is_some_and(|e| e.viewers.contains(&slot))
    }

    fn check_ready(&self) -> Broken {
        let mut listed = 0;
        for id in self.ready.iter() {
            listed += 1;
            ensure(self.receivers.get(id).is_some_and(|r| r.ready), "on the ready list without knowing it")?;
            ensure(self.ready.iter().filter(|&o| o == id).count() == 1, "twice on the ready list")?;
        }
        let flagged = self.receivers.values().filter(|r| r.ready).count();
        ensure(flagged == listed, "a ready flag without its place on the list")?;
        let waiting = self.receivers.values().all(|r| r.ready || !r.has_something());
        ensure(waiting, "something waits and nobody knows")
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Broken {
    if holds { Ok(()) } else { Err(otherwise) }
}
