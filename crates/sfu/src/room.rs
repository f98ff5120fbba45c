//! A room.

use salon_rtp::{Egress, Time};

use crate::{
    Config, Constraint, Counters, DropReason, Event, Limit, Misuse, ParticipantId, Refused, RoomReport,
    SlotId, SlotSpec, SlotStreams, TrackId, TrackSpec, Verdict,
};

/// Who is there, what they publish, and who gets what. No socket, clock, or randomness of its own.
#[derive(Debug)]
pub struct Room {
    counters: Counters,
}

impl Room {
    /// An empty room. The same seed and the same calls give the same packets.
    ///
    /// The seed also decides SSRCs and first sequence numbers: in earnest give 32 bytes of the system's randomness.
    pub fn new(_config: Config, _seed: [u8; 32]) -> Self {
        Self { counters: Counters::default() }
    }

    /// The canonical name of every stream that leaves this room (RFC 3550 §6.5.1): 16 hexadecimal digits.
    pub fn cname(&self) -> &str {
        ""
    }

    /// Somebody comes. Nothing is sent to or taken from it before [`connected`](Self::connected).
    pub fn join(&mut self, _now: Time) -> Result<ParticipantId, Limit> {
        Err(Limit::Participants)
    }

    /// Somebody leaves, with tracks and slots.
    pub fn leave(&mut self, _now: Time, _id: ParticipantId) -> Result<(), Misuse> {
        Err(Misuse::UnknownParticipant)
    }

    /// Whether there is a path to and from a participant: keys are agreed and it is not silent. Without one its tracks
    /// leave the others' slots and nothing is queued for it.
    pub fn connected(&mut self, _now: Time, _id: ParticipantId, _is: bool) -> Result<(), Misuse> {
        Err(Misuse::UnknownParticipant)
    }

    /// A participant is about to send a track.
    pub fn publish(&mut self, _now: Time, _id: ParticipantId, _spec: TrackSpec) -> Result<TrackId, Refused> {
        Err(Refused::Misuse(Misuse::UnknownParticipant))
    }

    /// A track ends.
    pub fn unpublish(&mut self, _now: Time, _id: ParticipantId, _track: TrackId) -> Result<(), Misuse> {
        Err(Misuse::UnknownTrack)
    }

    /// A participant negotiated a receive stream.
    pub fn subscribe(&mut self, _now: Time, _id: ParticipantId, _spec: SlotSpec) -> Result<SlotId, Refused> {
        Err(Refused::Misuse(Misuse::UnknownParticipant))
    }

    /// A receive stream ends. Its SSRCs are never used again while the room lives.
    pub fn unsubscribe(&mut self, _now: Time, _id: ParticipantId, _slot: SlotId) -> Result<(), Misuse> {
        Err(Misuse::UnknownSlot)
    }

    /// The streams of a slot, for its SDP answer.
    pub fn streams(&self, _slot: SlotId) -> Option<SlotStreams> {
        None
    }

    /// What a slot is to show, and how large.
    pub fn constrain(
        &mut self,
        _now: Time,
        _id: ParticipantId,
        _slot: SlotId,
        _constraint: Constraint,
    ) -> Result<(), Misuse> {
        Err(Misuse::UnknownSlot)
    }

    /// A publisher mutes a track, or lifts the mute. A muted track leaves all slots and the floor.
    pub fn set_muted(
        &mut self,
        _now: Time,
        _id: ParticipantId,
        _track: TrackId,
        _muted: bool,
    ) -> Result<(), Misuse> {
        Err(Misuse::UnknownTrack)
    }

    /// A decrypted RTP packet came.
    pub fn handle_rtp(&mut self, _now: Time, _from: ParticipantId, _packet: &[u8]) -> Verdict {
        Verdict::Dropped(DropReason::UnknownParticipant)
    }

    /// A decrypted RTCP compound came.
    pub fn handle_rtcp(&mut self, _now: Time, _from: ParticipantId, _packet: &[u8]) -> Verdict {
        Verdict::Dropped(DropReason::UnknownParticipant)
    }

    /// Does what is due. Call it when [`poll_timeout`](Self::poll_timeout) says; earlier does no harm.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// The next receiver for which something is due: go on with it until its burst is empty.
    pub fn poll_transmit(&mut self, _now: Time) -> Option<Burst<'_>> {
        None
    }

    /// The next change that the caller has not been told.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` if nothing is to be done.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Whose track this is.
    pub fn publisher(&self, _track: TrackId) -> Option<ParticipantId> {
        None
    }

    /// Everything worth seeing, at `now`. It walks the whole room and allocates: for an API, not for a loop.
    pub fn report(&self, _now: Time) -> RoomReport {
        RoomReport::default()
    }

    /// What the room counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the room's invariants hold; for tests, after each step. The text names the first that doesn't.
    #[doc(hidden)]
    pub fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// What is due to one receiver: at most [`limits::BURST`](crate::limits::BURST) packets. Dropped half-read, the rest comes first next time.
#[derive(Debug)]
pub struct Burst<'a> {
    to: ParticipantId,
    _room: &'a mut Room,
}

impl Burst<'_> {
    /// To whom.
    pub fn to(&self) -> ParticipantId {
        self.to
    }

    /// The next packet: what comes out counts as sent.
    #[allow(clippy::should_implement_trait)] // Each item borrows the burst.
    pub fn next(&mut self) -> Option<Egress<'_>> {
        None
    }

    /// Throws away all that is queued for this receiver: it has no path.
    pub fn discard(self) {}
}
