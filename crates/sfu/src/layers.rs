//! Which encoding of its track each picture slot shows, and which encodings nobody needs.

use core::time::Duration;

use salon_rtp::{Bitrate, MediaKind, Time};
use salon_simulcast::allocate::{self, Demand, Rank, Step};

use crate::config::View;
use crate::egress::Slot;
use crate::event::Pending;
use crate::ingress::{EncodingId, STALLED, Track};
use crate::{ParticipantId, Room, SlotId, TrackId, limits};

/// Picture slots of one receiver that compete for its link: a wall of seven by seven tiles. Further ones show their least
/// encoding, and are not counted.
const COMPETING: usize = 49;

/// How long an encoding must have been without use before its sender is told: switching views back and forth should not cost a
/// key frame each time (LiveKit: 5 s down, at once up).
const UNUSED: Duration = Duration::from_secs(3);

impl Room {
    /// Chooses an encoding for each picture slot of a receiver, by height and by what its link carries.
    pub(crate) fn retarget(&mut self, now: Time, id: ParticipantId) {
        let Some(receiver) = self.receivers.get_mut(id) else { return };
        let mut places = [None; COMPETING];
        let mut steps = [[NO_STEP; limits::ENCODINGS]; COMPETING];
        let mut counts = [0; COMPETING];
        let mut n = 0;
        for at in 0..receiver.slots.len() {
            let Some(&slot_id) = receiver.slots.get(at) else { break };
            let Some(slot) = self.slots.get(slot_id) else { continue };
            if slot.spec.kind == MediaKind::Audio {
                continue;
            }
            if let (Some(track), Some(place)) = (slot.track, places.get_mut(n)) {
                *place = Some((slot_id, track));
                if let (Some(track), Some(steps)) = (self.tracks.get(track), steps.get_mut(n)) {
                    counts[n] = live_steps(track, now, steps);
                }
                n += 1;
            }
        }
        if n == 0 {
            return;
        }
        let budget = receiver.budget.allocation(now, receiver.sound.get(now));
        let sure = receiver.budget.sure();
        let mut out = [None; COMPETING];
        let mut limited = [false; COMPETING];
        {
            let empty = Demand { rank: Rank::Recent(0), height: 0, steps: &[], shown: None };
            let mut demands = [empty; COMPETING];
            for i in 0..n {
                let Some((slot, track)) = places[i] else { continue };
                demands[i] = self.demand(slot, track, &steps[i][..counts[i]]);
            }
            allocate::allocate(&budget, &demands[..n], &mut out[..n]);
            for (i, demand) in demands[..n].iter().enumerate() {
                if !sure && out[i].is_none() && demand.is_limited(None) {
                    out[i] = Some(0);
                }
                limited[i] = demand.is_limited(out[i]);
            }
        }
        let rates = (0..n).filter_map(|i| steps[i][..counts[i]].get(out[i]?)).map(|s| s.rate);
        let sum = rates.fold(budget.audio, Bitrate::plus);
        let starved = (0..n).any(|i| limited[i] && out[i].is_none());
        if let Some(receiver) = self.receivers.get_mut(id) {
            receiver.budget.allocated(now, sum, starved);
        }
        for i in 0..n {
            let Some((slot, track)) = places[i] else { continue };
            let chosen = out[i].and_then(|at| steps[i][..counts[i]].get(at));
            self.settle(now, slot, track, chosen, limited[i]);
        }
        if n == COMPETING {
            self.settle_rest(now, id, &places);
        }
        self.look_again(now, id);
    }

    /// Sees to it that a receiver to which nothing may be sent is attended to: it has nothing to report, and so would never be
    /// sent anything again.
    fn look_again(&mut self, now: Time, id: ParticipantId) {
        let Some(receiver) = self.receivers.get_mut(id) else { return };
        let starved = receiver.slots.iter().any(|&s| self.slots.get(s).is_some_and(Slot::is_starved));
        if starved && receiver.connected && receiver.tick == Time::NEVER {
            receiver.tick = now.plus(crate::attend::TICK);
            self.schedule.lower(id, receiver.tick);
        }
    }

    /// Shows the least of its track in each picture slot that did not compete.
    fn settle_rest(&mut self, now: Time, id: ParticipantId, competed: &[Option<(SlotId, TrackId)>]) {
        let mut at = 0;
        while let Some(slot_id) = self.receivers.get(id).and_then(|r| r.slots.get(at)).copied() {
            at += 1;
            let slot = self.slots.get(slot_id).filter(|s| s.spec.kind == MediaKind::Video);
            let Some(track) = slot.and_then(|s| s.track) else { continue };
            if competed.contains(&Some((slot_id, track))) {
                continue;
            }
            let mut steps = [NO_STEP; limits::ENCODINGS];
            let n = self.tracks.get(track).map_or(0, |t| live_steps(t, now, &mut steps));
            self.settle(now, slot_id, track, steps[..n].first(), false);
        }
    }

    /// An encoding of a track came for the first time, or again, with a key frame or without: those who wait for what doesn't come may take it.
    pub(crate) fn woke(&mut self, now: Time, id: EncodingId, with_key: bool) {
        let mut at = 0;
        while let Some(slot) = self.tracks.get(id.track).and_then(|t| t.slots.get(at)).copied() {
            at += 1;
            let Some(slot) = self.slots.get(slot) else { continue };
            // While it was away nobody could be asked, and the request may have been given up.
            let waits = !with_key && slot.forwarder.wants_key() == Some(id.source);
            self.retarget(now, slot.owner);
            if waits {
                self.want_key(now, id);
            }
        }
    }

    /// What a slot asks of its receiver's budget.
    fn demand<'a>(&self, id: SlotId, track: TrackId, steps: &'a [Step]) -> Demand<'a> {
        let Some(slot) = self.slots.get(id) else {
            return Demand { rank: Rank::Recent(0), height: 0, steps, shown: None };
        };
        let owner = self.tracks.get(track).map(|t| t.owner);
        let rank = match owner {
            _ if slot.constraint.view != View::Auto => Rank::Pinned,
            Some(owner) if self.stage.floor == Some(owner) => Rank::Floor,
            Some(owner) => Rank::Recent(self.receivers.get(owner).map_or(0, |r| r.floor_order)),
            None => Rank::Recent(0),
        };
        let aimed = slot.target.or(slot.current);
        let shown = aimed.and_then(|e| steps.iter().position(|s| s.source == e.source));
        Demand { rank, height: slot.constraint.height, steps, shown }
    }

    /// Makes a slot show what was chosen for it.
    fn settle(&mut self, now: Time, id: SlotId, track_id: TrackId, chosen: Option<&Step>, limited: bool) {
        let Some(track) = self.tracks.get(track_id) else { return };
        let Some(slot) = self.slots.get_mut(id) else { return };
        let index_of = |s: &Step| track.encodings.iter().position(|e| e.source == s.source).map(|i| i as u8);
        slot.limited = limited;
        let starved = limited && chosen.is_none();
        // Of a picture that the link cannot carry, the least goes on coming: else nobody would know when it can again.
        let fitting = fitting(track, if starved { 1 } else { slot.constraint.height });
        slot.wish = track.name(track_id, fitting);
        let index = match chosen {
            Some(step) => index_of(step),
            None if starved => None,
            // Nothing has come of this track yet: wait for what would fit.
            None => Some(fitting),
        };
        self.aim(now, id, index.map(|i| (track_id, i)));
        self.note_slot(id);
        self.note_wanted(now, track_id);
    }

    /// Which encodings of a track somebody watches, waits for, or would watch if they came; a bit each.
    pub(crate) fn wanted(&self, id: TrackId) -> Option<u8> {
        let track = self.tracks.get(id)?;
        let watched = track.encodings.iter().enumerate().filter(|(_, e)| !e.viewers.is_empty());
        let mut mask = watched.fold(0, |m, (i, _)| m | 1 << i);
        for slot in track.slots.iter().filter_map(|&s| self.slots.get(s)) {
            if let Some(wish) = slot.wish.filter(|w| w.track == id) {
                mask |= 1 << wish.index;
            }
        }
        Some(mask)
    }

    /// Notes that more encodings of a track are wanted than was told; that fewer are is told only after a while.
    pub(crate) fn note_wanted(&mut self, now: Time, id: TrackId) {
        let Some(wanted) = self.wanted(id) else { return };
        let Some(track) = self.tracks.get_mut(id).filter(|t| t.kind() == MediaKind::Video) else { return };
        if wanted == track.told {
            track.idle_since = None;
            return;
        }
        let since = *track.idle_since.get_or_insert(now);
        let more = wanted & !track.told != 0;
        if (more || now.since(since) >= UNUSED) && !core::mem::replace(&mut track.event_pending, true) {
            self.events.push_back(Pending::Encodings(id));
        }
    }

    /// Looks whether encodings of a publisher have been without use for a while, or have ceased to come.
    pub(crate) fn note_idle(&mut self, now: Time, id: ParticipantId) {
        let n = self.publishers.get(id).map_or(0, |p| p.tracks.len());
        for at in 0..n {
            let Some(track) = self.publishers.get(id).and_then(|p| p.tracks.get(at)).copied() else { break };
            self.note_wanted(now, track);
        }
    }
}

const NO_STEP: Step =
    Step { source: salon_simulcast::SourceId(0), temporal: u8::MAX, height: 0, rate: Bitrate::ZERO };

/// The encodings of a track that send now, least first; how many there are.
fn live_steps(track: &Track, now: Time, out: &mut [Step; limits::ENCODINGS]) -> usize {
    let single = track.encodings.len() == 1;
    let mut n = 0;
    for (index, encoding) in track.encodings.iter().enumerate() {
        // Of the only encoding there is, silence says nothing: a still screen sends a frame in five seconds.
        let live = if single { encoding.last.is_some() } else { encoding.sends(now, STALLED) };
        if let (true, Some(to)) = (live, out.get_mut(n)) {
            let height = height(track, index);
            *to =
                Step { source: encoding.source, temporal: u8::MAX, height, rate: encoding.cost(now, height) };
            n += 1;
        }
    }
    // What key frames say counts for more than the order of the offer.
    out[..n].sort_unstable_by_key(|s| (s.height, s.source));
    n
}

/// Lines of an encoding: what its key frames said, else a guess by its place: the last has 720, each before it half as many.
fn height(track: &Track, index: usize) -> u16 {
    let known = track.encodings.get(index).and_then(|e| e.height);
    let above = track.encodings.len().saturating_sub(index + 1);
    known.unwrap_or(720 >> above.min(3))
}

/// The encoding that fits a tile, whether it is sent or not: the least that is tall enough, else the tallest.
fn fitting(track: &Track, lines: u16) -> u8 {
    let all = || 0..track.encodings.len();
    let enough = |i: &usize| allocate::is_enough(height(track, *i), lines);
    let least = all().filter(enough).min_by_key(|&i| height(track, i));
    least.or_else(|| all().max_by_key(|&i| height(track, i))).unwrap_or(0) as u8
}
