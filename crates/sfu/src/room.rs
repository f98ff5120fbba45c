//! A room: who is there, what they publish, who gets what.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use salon_rtp::{Outgoing, Time};
use salon_simulcast::SourceId;
use slotmap::{SecondaryMap, SlotMap};

use crate::audible::Audible;
use crate::egress::{Burst, Ready, Receiver, Slot, Slots, Teller};
use crate::ingress::{Declared, EncodingId, Publisher, Section, Track, Tracks};
use crate::prng::Prng;
use crate::schedule::Schedule;
use crate::speaker::Speaker;
use crate::stage::Stage;
use crate::{
    Config, Constraint, Counters, Limit, Misuse, ParticipantId, Refused, SlotId, SlotSpec, SlotStreams,
    TrackId, TrackSpec, Verdict, limits,
};

/// Who is there, what they publish, and who gets what. No socket, clock, or randomness of its own.
///
/// Two halves under one participant id, so that a packet changes one track while it goes to its viewers: what comes (publishers,
/// tracks) and what leaves (receivers, slots).
#[derive(Debug)]
pub struct Room {
    pub(crate) config: Config,
    pub(crate) cname: String,
    pub(crate) prng: Prng,
    pub(crate) publishers: SecondaryMap<ParticipantId, Publisher>,
    pub(crate) tracks: Tracks,
    pub(crate) receivers: SlotMap<ParticipantId, Receiver>,
    pub(crate) slots: Slots,
    /// Receivers with something to send.
    pub(crate) ready: Ready,
    /// When whom must be attended to.
    pub(crate) schedule: Schedule,
    pub(crate) audible: Audible<TrackId>,
    pub(crate) speaker: Speaker,
    pub(crate) stage: Stage,
    pub(crate) events: VecDeque<crate::event::Pending>,
    pub(crate) counters: Counters,
    next_source: u32,
    published: u64,
}

impl Room {
    /// An empty room. The same seed and the same calls give the same packets.
    ///
    /// The seed also decides SSRCs and first sequence numbers: in earnest give 32 bytes of the system's randomness.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut prng = Prng::new(seed);
        let mut cname = String::with_capacity(16);
        let _ = write!(cname, "{:016x}", prng.next());
        Self {
            config,
            cname,
            prng,
            publishers: SecondaryMap::new(),
            tracks: SlotMap::with_key(),
            receivers: SlotMap::with_key(),
            slots: SlotMap::with_key(),
            ready: Ready::default(),
            schedule: Schedule::default(),
            audible: Audible::new(),
            speaker: Speaker::new(),
            stage: Stage::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            next_source: 0,
            published: 0,
        }
    }

    /// The canonical name of every stream that leaves this room (RFC 3550 §6.5.1): 16 hexadecimal digits.
    pub fn cname(&self) -> &str {
        &self.cname
    }

    /// Somebody comes. Nothing is sent to or taken from it before [`connected`](Self::connected).
    pub fn join(&mut self, _now: Time) -> Result<ParticipantId, Limit> {
        if self.receivers.len() >= self.config.participants.min(limits::PARTICIPANTS) {
            return Err(Limit::Participants);
        }
        let id = self.receivers.insert(Receiver::new(self.prng.ssrc()));
        self.publishers.insert(id, Publisher::new());
        Ok(id)
    }

    /// Somebody leaves, with tracks and slots.
    pub fn leave(&mut self, now: Time, id: ParticipantId) -> Result<(), Misuse> {
        self.receiver(id)?;
        for track in self.publishers.get_mut(id).map(|p| core::mem::take(&mut p.tracks)).unwrap_or_default() {
            self.end_track(now, track);
        }
        for slot in self.receivers.get_mut(id).map(|r| core::mem::take(&mut r.slots)).unwrap_or_default() {
            self.end_slot(now, slot);
        }
        self.receivers.remove(id);
        self.publishers.remove(id);
        self.schedule.remove(id);
        self.ready.remove(id);
        self.stage.forget(id);
        self.restage(now);
        Ok(())
    }

    /// Whether there is a path to and from a participant: keys are agreed and it is not silent. Without one its tracks
    /// leave the others' slots and nothing is queued for it.
    pub fn connected(&mut self, now: Time, id: ParticipantId, is: bool) -> Result<(), Misuse> {
        let receiver = self.receivers.get_mut(id).ok_or(Misuse::UnknownParticipant)?;
        if core::mem::replace(&mut receiver.connected, is) == is {
            return Ok(());
        }
        if !is {
            receiver.clear(&mut self.counters);
            receiver.tick = Time::NEVER;
            if core::mem::take(&mut receiver.ready) {
                self.ready.remove(id);
            }
            self.schedule.remove(id);
            if let Some((_, arrivals)) = self.publishers.get_mut(id).and_then(|p| p.twcc.as_mut()) {
                // What came before the silence tells nothing of the path after it.
                *arrivals = crate::ingress::TwccRecorder::new();
            }
        }
        self.restage(now);
        if is {
            self.reschedule(now, id);
        }
        Ok(())
    }

    /// A participant is about to send a track.
    pub fn publish(&mut self, now: Time, id: ParticipantId, spec: TrackSpec) -> Result<TrackId, Refused> {
        self.receiver(id)?;
        let publisher = self.publishers.get(id).ok_or(Misuse::UnknownParticipant)?;
        if publisher.tracks.len() >= limits::TRACKS {
            return Err(Limit::Tracks.into());
        }
        if publisher.tracks.iter().filter_map(|&t| self.tracks.get(t)).any(|t| t.clashes(&spec)) {
            return Err(Refused::Taken);
        }
        if spec.encodings.is_empty() {
            return Err(Refused::Nothing);
        }
        if spec.encodings.len() > limits::ENCODINGS {
            return Err(Limit::Encodings.into());
        }
        if spec.codec.kind() != spec.source.kind() {
            return Err(Refused::Kind);
        }
        let first = SourceId(self.next_source);
        self.next_source = self.next_source.wrapping_add(spec.encodings.len() as u32);
        self.published += 1;
        let published = self.published;
        let track = self.tracks.insert_with_key(|_| Track::new(id, spec, first, published));
        if let Err(refused) = self.declare(id, track) {
            self.tracks.remove(track);
            return Err(refused);
        }
        self.give_voice(track);
        self.restage(now);
        Ok(track)
    }

    /// Tells the latch of a participant about a new track.
    fn declare(&mut self, id: ParticipantId, track_id: TrackId) -> Result<(), Refused> {
        let publisher = self.publishers.get_mut(id).ok_or(Misuse::UnknownParticipant)?;
        let track = self.tracks.get(track_id).ok_or(Misuse::UnknownTrack)?;
        let spec = &track.spec;
        let declared: Vec<Declared<EncodingId>> = (spec.encodings.iter().zip(&track.encodings).enumerate())
            .map(|(i, (e, encoding))| Declared {
                encoding: EncodingId { track: track_id, index: i as u8, source: encoding.source },
                rid: e.rid,
                ssrc: e.ssrc,
                rtx_ssrc: e.rtx_ssrc,
            })
            .collect();
        let section = Section {
            mid: spec.mid,
            pt: spec.pt,
            rtx_pt: spec.rtx_pt,
            extensions: spec.extensions,
            encodings: &declared,
        };
        publisher.latch.publish(&section).map_err(|_| Limit::Encodings)?;
        publisher.negotiate(spec);
        publisher.tracks.push(track_id);
        Ok(())
    }

    /// A track ends.
    pub fn unpublish(&mut self, now: Time, id: ParticipantId, track: TrackId) -> Result<(), Misuse> {
        self.track_of(id, track)?;
        if let Some(publisher) = self.publishers.get_mut(id) {
            publisher.tracks.retain(|&t| t != track);
            publisher.latch.unpublish(|e| e.track == track);
        }
        self.end_track(now, track);
        self.restage(now);
        Ok(())
    }

    /// A participant negotiated a receive stream.
    pub fn subscribe(&mut self, now: Time, id: ParticipantId, spec: SlotSpec) -> Result<SlotId, Refused> {
        let receiver = self.receivers.get_mut(id).ok_or(Misuse::UnknownParticipant)?;
        if receiver.slots.len() >= limits::SLOTS {
            return Err(Limit::Slots.into());
        }
        if spec.payloads.is_empty() {
            return Err(Refused::Nothing);
        }
        if spec.payloads.len() > limits::SLOT_PAYLOADS {
            return Err(Limit::Payloads.into());
        }
        if spec.payloads.iter().any(|p| p.codec.kind() != spec.kind) {
            return Err(Refused::Kind);
        }
        let slot = Slot::new(id, spec, &mut self.prng);
        let streams = slot.streams;
        let slot = self.slots.insert(slot);
        receiver.slots.push(slot);
        receiver.name(streams.ssrc, slot);
        if let Some(rtx) = streams.rtx {
            receiver.name(rtx, slot);
        }
        self.restage_receiver(now, id);
        Ok(slot)
    }

    /// A receive stream ends. Its SSRCs are never used again while the room lives.
    pub fn unsubscribe(&mut self, now: Time, id: ParticipantId, slot: SlotId) -> Result<(), Misuse> {
        self.slot_of(id, slot)?;
        if let Some(receiver) = self.receivers.get_mut(id) {
            receiver.slots.retain(|&s| s != slot);
            receiver.ssrcs.retain(|e| e.1 != slot);
            receiver.fresh.retain(|&s| s != slot);
        }
        self.end_slot(now, slot);
        self.restage_receiver(now, id);
        Ok(())
    }

    /// The streams of a slot, for its SDP answer.
    pub fn streams(&self, slot: SlotId) -> Option<SlotStreams> {
        self.slots.get(slot).map(|s| s.streams)
    }

    /// Whose track this is.
    pub fn publisher(&self, track: TrackId) -> Option<ParticipantId> {
        self.tracks.get(track).map(|t| t.owner)
    }

    /// What a slot is to show, and how large.
    pub fn constrain(
        &mut self,
        now: Time,
        id: ParticipantId,
        slot: SlotId,
        constraint: Constraint,
    ) -> Result<(), Misuse> {
        self.slot_of(id, slot)?;
        let Some(slot) = self.slots.get_mut(slot) else { return Ok(()) };
        if core::mem::replace(&mut slot.constraint, constraint) != constraint {
            self.restage_receiver(now, id);
        }
        Ok(())
    }

    /// A publisher mutes a track, or lifts the mute. A muted track leaves all slots and the floor.
    pub fn set_muted(
        &mut self,
        now: Time,
        id: ParticipantId,
        track: TrackId,
        muted: bool,
    ) -> Result<(), Misuse> {
        self.track_of(id, track)?;
        let Some(track) = self.tracks.get_mut(track) else { return Ok(()) };
        if core::mem::replace(&mut track.muted, muted) == muted {
            return Ok(());
        }
        if let Some(voice) = track.voice {
            self.audible.set_muted(now, voice, muted);
        }
        self.restage(now);
        Ok(())
    }

    /// A decrypted RTP packet came.
    pub fn handle_rtp(&mut self, now: Time, from: ParticipantId, packet: &[u8]) -> Verdict {
        self.counters.rtp_in += 1;
        let result = self.ingest(now, from, packet);
        self.judge(result)
    }

    /// A decrypted RTCP compound came.
    pub fn handle_rtcp(&mut self, now: Time, from: ParticipantId, packet: &[u8]) -> Verdict {
        self.counters.rtcp_in += 1;
        let result = self.take_feedback(now, from, packet);
        self.judge(result)
    }

    fn judge(&mut self, result: Result<(), crate::DropReason>) -> Verdict {
        if let Err(reason) = result {
            self.counters.drop(reason);
        }
        result.into()
    }

    /// The next receiver for which something is due: go on with it until its burst is empty.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Burst<'_>> {
        let to = self.ready.first()?;
        let receiver = self.receivers.get_mut(to)?;
        Some(Burst {
            to,
            now,
            left: Some(limits::BURST),
            receiver,
            slots: &mut self.slots,
            tracks: &self.tracks,
            ready: &mut self.ready,
            counters: &mut self.counters,
            teller: Teller { ntp_at_zero: self.config.ntp_at_zero, cname: &self.cname },
            out: Outgoing::EMPTY,
            header: None,
        })
    }

    /// What the room counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn receiver(&self, id: ParticipantId) -> Result<&Receiver, Misuse> {
        self.receivers.get(id).ok_or(Misuse::UnknownParticipant)
    }

    fn track_of(&self, id: ParticipantId, track: TrackId) -> Result<(), Misuse> {
        self.receiver(id)?;
        self.tracks.get(track).filter(|t| t.owner == id).map(|_| ()).ok_or(Misuse::UnknownTrack)
    }

    fn slot_of(&self, id: ParticipantId, slot: SlotId) -> Result<(), Misuse> {
        self.receiver(id)?;
        self.slots.get(slot).filter(|s| s.owner == id).map(|_| ()).ok_or(Misuse::UnknownSlot)
    }
}
