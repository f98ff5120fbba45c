//! The loop over the slots that show a packet's encoding.

use salon_rtp::{MediaKind, Time};
use salon_simulcast::Input;

use crate::egress::Entry;
use crate::ingress::EncodingId;
use crate::{Room, SlotId};

/// Slots of one encoding that may change what they show with one packet before the rest waits for the next one. A bound on the
/// stack; the rest is found by the next packet.
const SWITCHES: usize = 64;

impl Room {
    /// Offers a packet to each slot that shows its encoding or waits for it. Nothing else is visited.
    pub(crate) fn forward(&mut self, now: Time, id: EncodingId, input: &Input) {
        let mut switched: [Option<SlotId>; SWITCHES] = [None; SWITCHES];
        let mut switches = switched.iter_mut();
        let Some(track) = self.tracks.get(id.track) else { return };
        let Some(encoding) = track.encoding(id.index) else { return };
        let seq = input.seq;
        let mut unmet = false;
        // What is older than a key frame need not be sent again. Sound has no such thing.
        let key = input.facts.key && track.kind() == MediaKind::Video;
        for &viewer in &encoding.viewers {
            self.counters.visited += 1;
            let Some(slot) = self.slots.get_mut(viewer) else { continue };
            let Some(receiver) = self.receivers.get_mut(slot.owner) else { continue };
            match slot.forwarder.push(input) {
                Ok(forward) => {
                    let entry = Entry::Media { slot: viewer, encoding: id, seq, forward, key };
                    let waits = receiver.enqueue(slot.owner, entry, &mut self.ready, &mut self.counters);
                    slot.cut |= key && !waits;
                    if receiver.tick == Time::NEVER {
                        receiver.tick = now.plus(crate::attend::TICK);
                        self.schedule.lower(slot.owner, receiver.tick);
                    }
                }
                Err(reason) => self.counters.skip(reason),
            }
            // The first packet of a key frame that this slot cannot use (it came out of order) met nobody's need here.
            unmet |= key && slot.forwarder.wants_key() == Some(id.source);
            if slot.forwarder.current() != slot.current.map(|c| c.source) {
                if let Some(place) = switches.next() {
                    *place = Some(viewer);
                }
            }
        }
        if unmet {
            self.want_key(now, id);
        }
        for viewer in switched.into_iter().flatten() {
            self.relink(now, viewer);
        }
    }
}
