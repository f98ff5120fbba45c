//! A participant as it is sent to.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use salon_rtp::{MediaKind, SeqNo, Ssrc, Time};
use salon_simulcast::{Forward, Rate};

use super::budget::Budget;
use super::{Outbox, RoundTrip};
use crate::ingress::EncodingId;
use crate::{Counters, EgressDrop, ParticipantId, SlotId, limits};

/// Something to be sent: where its bytes are, and how they go out. Small: no byte of the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// A packet of an encoding, for a slot.
    Media { slot: SlotId, encoding: EncodingId, seq: SeqNo, forward: Forward, key: bool },
    /// A packet of a slot, again.
    Repair { slot: SlotId, index: SeqNo },
}

/// A participant's sending half: what waits for it, and what is known of its link.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// There is a path to it.
    pub(crate) connected: bool,
    pub(crate) slots: Vec<SlotId>,
    /// Whose an SSRC is that it reports on: media and repair, in ascending order.
    pub(crate) ssrcs: Vec<(Ssrc, SlotId)>,
    pub(crate) queue: VecDeque<Entry>,
    pub(crate) outbox: Outbox,
    /// It stands on the ready list.
    pub(crate) ready: bool,
    /// Slots whose first packet has just left: they are owed a sender report.
    pub(crate) fresh: Vec<SlotId>,
    /// When it is to be attended to next; [`Time::NEVER`] while nothing is sent.
    pub(crate) tick: Time,
    /// Who we are in feedback to it.
    pub(crate) feedback_ssrc: Ssrc,
    pub(crate) rtt: Option<RoundTrip>,
    pub(crate) budget: Budget,
    /// What was sent to it: pictures, with what repaired them …
    pub(crate) pictures: Rate,
    /// … and sound.
    pub(crate) sound: Rate,
    /// Bytes of repair that it may still cost.
    pub(crate) repair_bytes: u64,
    /// When it last had the floor: greater is later, 0 is never.
    pub(crate) floor_order: u32,
    pub(crate) speaking: bool,
}

impl Receiver {
    pub(crate) fn new(feedback_ssrc: Ssrc) -> Self {
        Self {
            connected: false,
            slots: Vec::new(),
            ssrcs: Vec::new(),
            queue: VecDeque::new(),
            outbox: Outbox::default(),
            ready: false,
            fresh: Vec::new(),
            tick: Time::NEVER,
            feedback_ssrc,
            rtt: None,
            budget: Budget::new(),
            pictures: Rate::new(),
            sound: Rate::new(),
            repair_bytes: limits::REPAIR_START,
            floor_order: 0,
            speaking: false,
        }
    }

    pub(crate) fn has_something(&self) -> bool {
        !self.queue.is_empty() || !self.outbox.is_empty() || !self.fresh.is_empty()
    }

    /// Counts a media packet that leaves, with `body` bytes of payload.
    pub(crate) fn sent(&mut self, now: Time, kind: MediaKind, body: usize) {
        self.rate(kind).add(now, body + limits::OVERHEAD);
        self.earn_repair(body);
    }

    /// What is sent to it of a kind.
    pub(crate) fn rate(&mut self, kind: MediaKind) -> &mut Rate {
        match kind {
            MediaKind::Audio => &mut self.sound,
            MediaKind::Video => &mut self.pictures,
        }
    }

    /// Queues an entry; false, and counted, if there is no room.
    pub(crate) fn enqueue(
        &mut self,
        id: ParticipantId,
        entry: Entry,
        ready: &mut Ready,
        counters: &mut Counters,
    ) -> bool {
        if self.queue.len() >= limits::QUEUE {
            counters.leave_unsent(EgressDrop::QueueFull);
            return false;
        }
        self.queue.push_back(entry);
        ready.add(id, self);
        true
    }

    /// The slot that an SSRC belongs to.
    pub(crate) fn slot_of(&self, ssrc: Ssrc) -> Option<SlotId> {
        let at = self.ssrcs.binary_search_by_key(&ssrc, |e| e.0).ok()?;
        self.ssrcs.get(at).map(|e| e.1)
    }

    pub(crate) fn name(&mut self, ssrc: Ssrc, slot: SlotId) {
        let at = self.ssrcs.partition_point(|e| e.0 < ssrc);
        self.ssrcs.insert(at, (ssrc, slot));
    }

    /// Throws away what waits.
    pub(crate) fn clear(&mut self, counters: &mut Counters) {
        counters.leave_unsent_many(EgressDrop::Discarded, self.queue.len() + self.outbox.len());
        self.queue.clear();
        self.outbox.clear();
        self.fresh.clear();
    }
}

/// The receivers with something due, in the order of their turns.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    list: VecDeque<ParticipantId>,
}

impl Ready {
    /// Puts a receiver at the end, if it doesn't stand there yet.
    pub(crate) fn add(&mut self, id: ParticipantId, receiver: &mut Receiver) {
        if !core::mem::replace(&mut receiver.ready, true) {
            self.list.push_back(id);
        }
    }

    pub(crate) fn first(&self) -> Option<ParticipantId> {
        self.list.front().copied()
    }

    /// Ends the turn of the first: it goes to the end if something is left, else off the list.
    pub(crate) fn turn(&mut self, receiver: &mut Receiver) {
        let Some(id) = self.list.pop_front() else { return };
        receiver.ready = receiver.has_something();
        if receiver.ready {
            self.list.push_back(id);
        }
    }

    /// Takes a receiver off the list, wherever it stands.
    pub(crate) fn remove(&mut self, id: ParticipantId) {
        self.list.retain(|&r| r != id);
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = ParticipantId> + '_ {
        self.list.iter().copied()
    }
}
