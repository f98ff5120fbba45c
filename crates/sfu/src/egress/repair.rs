//! Answers to a receiver's NACKs: what is sent again, and what is not.

use core::time::Duration;

use salon_rtp::{Seq, SeqNo, Time};

use super::{Entry, Ready, Receiver, Slot};
use crate::{Counters, EgressDrop, ParticipantId, SlotId, limits};

/// The round trip that is assumed until a reception report tells it (mediasoup assumes the same).
const UNKNOWN_RTT: Duration = Duration::from_millis(100);

/// Below this the round trip says more about timers than about the path; what was asked for twice within is one loss.
const LEAST_RTT: Duration = Duration::from_millis(10);

impl Receiver {
    /// Earns repair with what is sent: a quarter of it, saved up to a bound. More would feed the congestion that loses
    /// packets; loss of more than a fifth is a key frame's and the budget's matter (facts of other servers: 15 to 25 %).
    pub(crate) fn earn_repair(&mut self, sent: usize) {
        self.repair_bytes = (self.repair_bytes + sent as u64 / 4).min(limits::REPAIR_SAVED);
    }

    /// The packet whose loss is heard of for the first time, if it was sent since a moment: asked for by a receiver that cannot have
    /// got it. Also where it is not sent again, such as a picture's before a newer key frame.
    pub(crate) fn misses(&self, now: Time, since: Time, slot: &mut Slot, seq: Seq) -> Option<SeqNo> {
        let patience = self.patience();
        let index = slot.history.newest().and_then(|newest| seq.extend(newest))?;
        let sent = slot.history.get_mut(index)?;
        if sent.at < since || (sent.late && now.since(sent.at) < patience) {
            return None;
        }
        (!core::mem::replace(&mut sent.asked, true)).then_some(index)
    }

    fn patience(&self) -> Duration {
        self.rtt.map_or(UNKNOWN_RTT, |r| r.patience()).max(LEAST_RTT)
    }

    /// Queues a packet of a slot to be sent again.
    pub(crate) fn repair(
        &mut self,
        now: Time,
        (id, slot_id, slot): (ParticipantId, SlotId, &mut Slot),
        seq: Seq,
        size: impl FnOnce(&super::Sent) -> Option<usize>,
        ready: &mut Ready,
        counters: &mut Counters,
    ) -> Result<(), EgressDrop> {
        if slot.streams.rtx.is_none() {
            return Err(EgressDrop::RepairWithoutRtx);
        }
        // It would take the room of the sound, for a picture that is not to be seen.
        if self.budget.chokes(now) && (slot.is_starved() || slot.target != slot.current) {
            return Err(EgressDrop::RepairChoked);
        }
        let newest = slot.history.newest().ok_or(EgressDrop::RepairUnknown)?;
        let index = seq.extend(newest).ok_or(EgressDrop::RepairUnknown)?;
        if index < slot.history.key() {
            return Err(EgressDrop::RepairBeforeKey);
        }
        let sent = slot.history.get_mut(index).ok_or(EgressDrop::RepairUnknown)?;
        if sent.repeats >= limits::REPEATS {
            return Err(EgressDrop::RepairTooOften);
        }
        // A request that comes sooner was made before the answer to the one before it, or the late packet itself, could arrive.
        let patience = self.patience();
        if (sent.repeats > 0 || sent.late) && now.since(sent.at) < patience {
            return Err(EgressDrop::RepairTooSoon);
        }
        let size = size(sent).ok_or(EgressDrop::Evicted)? as u64;
        self.repair_bytes = self.repair_bytes.checked_sub(size).ok_or(EgressDrop::RepairBudget)?;
        sent.repeats += 1;
        sent.at = now;
        self.enqueue(id, Entry::Repair { slot: slot_id, index }, ready, counters);
        Ok(())
    }
}
