//! Which slots count among the viewers of which encoding.

use salon_rtp::Time;

use crate::egress::Slot;
use crate::ingress::EncodingId;
use crate::{Room, SlotId, TrackId};

impl Room {
    /// Points a slot at an encoding of a track, or at nothing. A picture goes on with the old one until the new one's key frame.
    pub(crate) fn aim(&mut self, now: Time, id: SlotId, to: Option<(TrackId, u8)>) {
        let to = to.and_then(|(track, index)| {
            let t = self.tracks.get(track)?;
            Some((t.name(track, index)?, t.spec.codec))
        });
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.target != to.map(|t| t.0) {
            slot.aim(to);
            self.relink(now, id);
        }
    }

    /// Stops a slot.
    pub(crate) fn halt(&mut self, now: Time, id: SlotId) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.wish = None;
        if slot.target.is_some() || slot.current.is_some() {
            slot.aim(None);
            self.relink(now, id);
        }
    }

    /// Makes viewers agree with what a slot's forwarder shows and waits for, and asks for the key frame that it needs.
    pub(crate) fn relink(&mut self, now: Time, id: SlotId) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let shown = slot.forwarder.current();
        let known = [slot.target, slot.links[0], slot.links[1]];
        slot.current = known.into_iter().flatten().find(|e| Some(e.source) == shown);
        if slot.forwarder.target().is_none() {
            slot.target = None;
        }
        let links = [slot.target, slot.current.filter(|c| Some(*c) != slot.target)];
        let old = core::mem::replace(&mut slot.links, links);
        let key = slot.forwarder.wants_key();
        for gone in old.into_iter().flatten().filter(|e| !links.contains(&Some(*e))) {
            self.unlink(gone, id);
        }
        for new in links.into_iter().flatten().filter(|e| !old.contains(&Some(*e))) {
            if let Some(encoding) = self.tracks.get_mut(new.track).and_then(|t| t.encoding_mut(new.index)) {
                encoding.viewers.push(id);
            }
        }
        if let Some(wanted) = links.into_iter().flatten().find(|e| Some(e.source) == key) {
            self.want_key(now, wanted);
        }
        self.note_slot(id);
    }

    fn unlink(&mut self, encoding: EncodingId, slot: SlotId) {
        let track = self.tracks.get_mut(encoding.track);
        if let Some(encoding) = track.and_then(|t| t.encoding_mut(encoding.index)) {
            if let Some(at) = encoding.viewers.iter().position(|&v| v == slot) {
                encoding.viewers.swap_remove(at);
            }
            if encoding.viewers.is_empty() {
                encoding.keys.cancel();
            }
        }
    }

    /// Somebody needs a key frame of an encoding. How often its publisher is asked is the throttle's matter.
    pub(crate) fn want_key(&mut self, now: Time, id: EncodingId) {
        let Some(track) = self.tracks.get_mut(id.track) else { return };
        let owner = track.owner;
        if let Some(encoding) = track.encoding_mut(id.index) {
            encoding.keys.request(now);
            self.reschedule_encoding(owner, id);
        }
    }

    /// An encoding began anew: its viewers do, too.
    pub(crate) fn restarted(&mut self, now: Time, id: EncodingId) {
        let mut at = 0;
        // The list may shrink under our hands.
        while let Some(slot) = self.viewer(id, at) {
            if let Some(slot) = self.slots.get_mut(slot) {
                slot.forwarder.source_restarted(id.source);
            }
            self.relink(now, slot);
            at += usize::from(self.viewer(id, at) == Some(slot));
        }
    }

    fn viewer(&self, id: EncodingId, at: usize) -> Option<SlotId> {
        self.tracks.get(id.track)?.encoding(id.index)?.viewers.get(at).copied()
    }

    /// Takes a track out of the room. The caller has taken it off its publisher's list.
    pub(crate) fn end_track(&mut self, now: Time, id: TrackId) {
        self.take_voice(id);
        let Some(track) = self.tracks.remove(id) else { return };
        for (index, encoding) in track.encodings.iter().enumerate() {
            for &viewer in &encoding.viewers {
                let Some(slot) = self.slots.get_mut(viewer) else { continue };
                slot.forwarder.source_gone(encoding.source);
                let this = |e: EncodingId| e.track == id && usize::from(e.index) == index;
                forget(slot, this);
            }
        }
        for slot in track.slots.iter().copied().chain(track.encodings.into_iter().flat_map(|e| e.viewers)) {
            if let Some(slot) = self.slots.get_mut(slot) {
                slot.track = slot.track.filter(|&t| t != id);
                slot.limited &= slot.track.is_some();
                slot.wish = slot.wish.filter(|w| w.track != id);
            }
            self.relink(now, slot);
        }
    }

    /// Takes a slot out of the room. The caller has taken it off its receiver's list.
    pub(crate) fn end_slot(&mut self, _now: Time, id: SlotId) {
        let Some(slot) = self.slots.remove(id) else { return };
        for link in slot.links.into_iter().flatten() {
            self.unlink(link, id);
        }
        if let Some(track) = slot.track.and_then(|t| self.tracks.get_mut(t)) {
            track.slots.retain(|&s| s != id);
        }
    }
}

/// Makes a slot forget an encoding that is no more.
fn forget(slot: &mut Slot, this: impl Fn(EncodingId) -> bool) {
    slot.target = slot.target.filter(|&e| !this(e));
    slot.current = slot.current.filter(|&e| !this(e));
    for link in &mut slot.links {
        *link = link.filter(|&e| !this(e));
    }
}
