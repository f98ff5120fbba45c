//! Which track is in which slot.

use alloc::vec::Vec;

use salon_rtp::{MediaKind, Time};

use crate::config::View;
use crate::egress::Slot;
use crate::event::Pending;
use crate::ingress::Track;
use crate::{EmptyReason, ParticipantId, Room, SlotId, Source, TrackId};

/// Who is on stage: the order in which pictures are shown where nobody was chosen by hand.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// Pictures that may be shown: screens, then whoever has the floor, then whoever had it most recently, then who came first.
    pub(crate) pictures: Vec<TrackId>,
    /// Sounds that may be heard, in the order in which they came.
    pub(crate) sounds: Vec<TrackId>,
    /// Who has the floor.
    pub(crate) floor: Option<ParticipantId>,
    /// What the caller was last told, and whether an event waits.
    pub(crate) floor_told: Option<ParticipantId>,
    pub(crate) floor_pending: bool,
    /// Receivers with fewer audio slots than there are sounds: those who follow the ranking of the voices.
    pub(crate) listeners: Vec<ParticipantId>,
    /// Counts changes of the floor.
    pub(crate) floor_count: u32,
    /// Reused lists, so that a change of speakers allocates nothing.
    chosen: Vec<TrackId>,
    places: Vec<SlotId>,
}

impl Room {
    /// Gives a sound its place among the voices.
    pub(crate) fn give_voice(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get_mut(id) else { return };
        if track.kind() == MediaKind::Audio {
            track.voice = self.audible.add(id);
            // What a screen plays is heard, but doesn't take the floor.
            if let (Some(voice), Source::Microphone) = (track.voice, track.spec.source) {
                self.speaker.add(voice);
            }
        }
    }

    /// Takes a sound from among the voices.
    pub(crate) fn take_voice(&mut self, id: TrackId) {
        if let Some(voice) = self.tracks.get_mut(id).and_then(|t| t.voice.take()) {
            self.speaker.remove(voice);
            self.audible.remove(voice);
        }
    }

    /// Follows the speaker detection; whether the floor changed.
    pub(crate) fn take_floor(&mut self) -> bool {
        let voice = self.speaker.floor();
        let track = voice.and_then(|v| self.audible.key(v)).and_then(|t| self.tracks.get(t));
        let here = |t: &&Track| self.receivers.get(t.owner).is_some_and(|r| r.connected);
        let floor = track.filter(|t| !t.muted).filter(here).map(|t| t.owner);
        if floor == self.stage.floor {
            return false;
        }
        self.stage.floor = floor;
        if let Some(receiver) = floor.and_then(|f| self.receivers.get_mut(f)) {
            self.stage.floor_count = self.stage.floor_count.saturating_add(1);
            receiver.floor_order = self.stage.floor_count;
        }
        if !core::mem::replace(&mut self.stage.floor_pending, true) {
            self.events.push_back(Pending::Floor);
        }
        true
    }

    /// Assigns all slots of everybody anew: a track, a participant or the floor changed.
    pub(crate) fn restage(&mut self, now: Time) {
        self.take_floor();
        self.rank();
        for id in self.everybody() {
            self.restage_receiver(now, id);
        }
    }

    /// Assigns the audio slots of everybody who hears a choice: the voices' ranking changed.
    pub(crate) fn restage_sounds(&mut self, now: Time) {
        let mut at = 0;
        while let Some(id) = self.stage.listeners.get(at).copied() {
            at += 1;
            self.restage_kind(now, id, MediaKind::Audio);
        }
    }

    /// Assigns the slots of one receiver anew.
    pub(crate) fn restage_receiver(&mut self, now: Time, id: ParticipantId) {
        self.restage_kind(now, id, MediaKind::Audio);
        self.restage_kind(now, id, MediaKind::Video);
        self.retarget(now, id);
        self.reschedule(now, id);
    }

    fn everybody(&self) -> Vec<ParticipantId> {
        // Who has no slot has nothing to be assigned.
        self.receivers.iter().filter(|(_, r)| !r.slots.is_empty()).map(|r| r.0).collect()
    }

    /// Lists what may be shown and heard.
    fn rank(&mut self) {
        let receivers = &self.receivers;
        let may = |t: &Track| !t.muted && receivers.get(t.owner).is_some_and(|r| r.connected);
        let of = |kind| self.tracks.iter().filter(move |(_, t)| t.kind() == kind && may(t));
        self.stage.sounds.clear();
        self.stage.sounds.extend(of(MediaKind::Audio).map(|t| t.0));
        self.stage.pictures.clear();
        self.stage.pictures.extend(of(MediaKind::Video).map(|t| t.0));
        let (tracks, floor) = (&self.tracks, self.stage.floor);
        let published = |id: &TrackId| tracks.get(*id).map_or(0, |t| t.published);
        self.stage.sounds.sort_by_key(published);
        self.stage.pictures.sort_by_key(|id| {
            let Some(track) = tracks.get(*id) else { return (true, true, u32::MAX, u64::MAX) };
            let spoke = receivers.get(track.owner).map_or(0, |r| r.floor_order);
            // `false` comes first; what is greater is turned round.
            (
                track.spec.source != Source::Screen,
                floor != Some(track.owner),
                u32::MAX - spoke,
                track.published,
            )
        });
    }

    /// Assigns the slots of one kind of one receiver: first what was chosen by hand, then by rank.
    fn restage_kind(&mut self, now: Time, id: ParticipantId, kind: MediaKind) {
        let mut places = core::mem::take(&mut self.stage.places);
        let mut chosen = core::mem::take(&mut self.stage.chosen);
        places.clear();
        chosen.clear();
        if let Some(receiver) = self.receivers.get(id) {
            self.counters.visited += 1;
            let slots = &self.slots;
            places.extend(
                receiver.slots.iter().filter(|&&s| slots.get(s).is_some_and(|s| s.spec.kind == kind)),
            );
            let connected = receiver.connected;
            self.place_pinned(now, id, connected, &mut places);
            if !connected {
                places.clear();
            }
            self.choose(id, kind, places.len(), &mut chosen);
            self.place_chosen(now, &mut places, &mut chosen);
        }
        self.stage.places = places;
        self.stage.chosen = chosen;
    }

    /// Settles the slots that rank doesn't decide, and takes them off `places`: paused ones, and those whose view was chosen.
    fn place_pinned(&mut self, now: Time, id: ParticipantId, connected: bool, places: &mut Vec<SlotId>) {
        for at in 0..places.len() {
            let Some(&place) = places.get(at) else { break };
            let Some(slot) = self.slots.get(place) else { continue };
            let given = match slot.constraint.view {
                _ if !connected => Err(EmptyReason::NothingToShow),
                _ if slot.is_paused() => Err(EmptyReason::Paused),
                View::Auto => continue,
                View::Track(track) => self.may_show(id, slot, track).and_then(|()| {
                    if self.is_pinned(&places[..at], track) {
                        Err(EmptyReason::NothingToShow)
                    } else {
                        Ok(track)
                    }
                }),
                View::Participant(who) => self.track_of_person(id, slot, who, &places[..at]),
            };
            self.give(now, place, given);
        }
        let slots = &self.slots;
        places.retain(|&p| slots.get(p).is_some_and(|s| !s.is_paused() && s.constraint.view == View::Auto));
    }

    /// Whether a slot of `viewer` may show a track, and if not, why.
    fn may_show(&self, viewer: ParticipantId, slot: &Slot, track: TrackId) -> Result<(), EmptyReason> {
        let track = self.tracks.get(track).ok_or(EmptyReason::NothingToShow)?;
        if track.owner == viewer || track.kind() != slot.spec.kind {
            return Err(EmptyReason::NothingToShow);
        }
        if !self.receivers.get(track.owner).is_some_and(|r| r.connected) {
            return Err(EmptyReason::PublisherSilent);
        }
        if track.muted {
            return Err(EmptyReason::Muted);
        }
        slot.payload(track.spec.codec).map(|_| ()).ok_or(EmptyReason::CodecNotNegotiated)
    }

    /// Whether a track is in one of these slots by choice of the viewer.
    fn is_pinned(&self, slots: &[SlotId], track: TrackId) -> bool {
        let mut slots = slots.iter().filter_map(|&s| self.slots.get(s));
        slots.any(|s| s.track == Some(track) && s.constraint.view != View::Auto)
    }

    /// A picture or a sound of somebody that is in none of the slots before: the screen, else the camera; the microphone, else what
    /// the screen plays.
    fn track_of_person(
        &self,
        viewer: ParticipantId,
        slot: &Slot,
        who: ParticipantId,
        before: &[SlotId],
    ) -> Result<TrackId, EmptyReason> {
        let publisher = self.publishers.get(who).ok_or(EmptyReason::NothingToShow)?;
        let mut reason = EmptyReason::NothingToShow;
        let mut found: Option<(bool, TrackId)> = None;
        for &track in &publisher.tracks {
            let Some(t) = self.tracks.get(track).filter(|t| t.kind() == slot.spec.kind) else { continue };
            if self.is_pinned(before, track) {
                continue;
            }
            let first = matches!(t.spec.source, Source::Screen | Source::Microphone);
            match self.may_show(viewer, slot, track) {
                Ok(()) if found.is_none_or(|f| first && !f.0) => found = Some((first, track)),
                Ok(()) => {}
                Err(e) => reason = e,
            }
        }
        found.map(|f| f.1).ok_or(reason)
    }

    /// The tracks for `n` free slots of a receiver.
    fn choose(&mut self, id: ParticipantId, kind: MediaKind, n: usize, chosen: &mut Vec<TrackId>) {
        let tracks = &self.tracks;
        let (slots, receiver) = (&self.slots, self.receivers.get(id));
        let pinned = |t: &TrackId| {
            let mut mine = receiver.iter().flat_map(|r| &r.slots).filter_map(|&s| slots.get(s));
            mine.any(|s| s.track == Some(*t) && s.constraint.view != View::Auto)
        };
        let others = |t: &TrackId| tracks.get(*t).is_some_and(|t| t.owner != id) && !pinned(t);
        match kind {
            // All of them: which of the first n a slot can decode is seen when it is given one.
            MediaKind::Video => chosen.extend(self.stage.pictures.iter().filter(|t| others(t))),
            MediaKind::Audio => {
                chosen.extend(self.stage.sounds.iter().filter(|t| others(t)));
                let few = chosen.len() <= n;
                self.stage.listen(id, !few && n > 0);
                if !few {
                    // More voices than slots: those that are to be heard first.
                    let mayhear = |t: &TrackId| self.stage.sounds.contains(t) && others(t);
                    chosen.clear();
                    chosen.extend(self.audible.ranking().filter(mayhear));
                }
            }
        }
    }

    /// Puts the first of `chosen` into the slots. A slot keeps its track as long as that remains among them.
    fn place_chosen(&mut self, now: Time, places: &mut Vec<SlotId>, chosen: &mut Vec<TrackId>) {
        let total = chosen.len();
        let codecs = |room: &Self, p: SlotId, t: TrackId| {
            let (slot, track) = (room.slots.get(p), room.tracks.get(t));
            slot.zip(track).is_some_and(|(s, t)| s.payload(t.spec.codec).is_some())
        };
        // Only what some slot here can decode competes.
        chosen.retain(|&t| places.iter().any(|&p| codecs(self, p, t)));
        let undecodable = chosen.len() < total;
        chosen.truncate(places.len());
        places.retain(|&p| {
            let kept =
                self.slots.get(p).and_then(|s| s.track).and_then(|t| chosen.iter().position(|&c| c == t));
            if let Some(at) = kept {
                chosen.remove(at);
            }
            kept.is_none()
        });
        for &place in places.iter() {
            let found = chosen.iter().position(|&t| codecs(self, place, t));
            let given = match found {
                Some(at) => Ok(chosen.remove(at)),
                // With a slot to spare, whatever could be decoded is shown.
                None if undecodable => Err(EmptyReason::CodecNotNegotiated),
                None if total > 0 && chosen.is_empty() && !self.decodes_any(place) => {
                    Err(EmptyReason::CodecNotNegotiated)
                }
                None => Err(EmptyReason::NothingToShow),
            };
            self.give(now, place, given);
        }
    }

    /// Whether a slot can show any of what others publish.
    fn decodes_any(&self, slot: SlotId) -> bool {
        let Some(slot) = self.slots.get(slot) else { return false };
        let list = if slot.spec.kind == MediaKind::Audio { &self.stage.sounds } else { &self.stage.pictures };
        let mut others = list.iter().filter_map(|&t| self.tracks.get(t)).filter(|t| t.owner != slot.owner);
        others.any(|t| slot.payload(t.spec.codec).is_some())
    }

    /// Puts a track into a slot, or empties it.
    fn give(&mut self, now: Time, id: SlotId, given: Result<TrackId, EmptyReason>) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let track = given.ok();
        slot.vacancy = given.err().unwrap_or(EmptyReason::NothingToShow);
        if slot.track != track {
            let old = core::mem::replace(&mut slot.track, track);
            slot.limited = false;
            if let Some(old) = old.and_then(|t| self.tracks.get_mut(t)) {
                old.slots.retain(|&s| s != id);
            }
            if let Some(new) = track.and_then(|t| self.tracks.get_mut(t)) {
                new.slots.push(id);
            }
            match (track, slot.spec.kind) {
                // Which encoding of a picture, the budget decides.
                (Some(_), MediaKind::Video) => {}
                (Some(track), MediaKind::Audio) => self.aim(now, id, Some((track, 0))),
                (None, _) => {}
            }
        }
        if track.is_none() {
            // Also what went on only until something else would come.
            self.halt(now, id);
        }
        self.note_slot(id);
    }
}

impl Stage {
    /// Remembers whether somebody hears a choice of the voices, and so follows their ranking.
    fn listen(&mut self, id: ParticipantId, does: bool) {
        match self.listeners.iter().position(|&l| l == id) {
            Some(at) if !does => {
                self.listeners.swap_remove(at);
            }
            None if does => self.listeners.push(id),
            _ => {}
        }
    }

    /// Forgets somebody who left.
    pub(crate) fn forget(&mut self, id: ParticipantId) {
        self.listen(id, false);
    }
}
