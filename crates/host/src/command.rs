//! What the rest of a process asks of a shard, and what it hears back.

use salon_sfu::{
    Constraint, EmptyReason, ParticipantId, ParticipantReport, RoomReport, SlotId, SlotSpec, SlotStreams,
    Source, TrackId, TrackSpec,
};
use salon_transport::{Fingerprint, GoneReason, IceCredentials, Path, PeerId, Setup};

use std::time::Duration;

use crate::Spent;
use crate::ledger::Owner;
use crate::refusal::JoinError;
use crate::shard::RoomKey;

/// A participant of a room on this host: what [`Handle::join`](crate::Handle::join) gives, and all later calls take.
/// Copies may outlive the participant; a call with a stale one is [`Stale`](crate::Stale).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    pub(crate) shard: usize,
    pub(crate) room: RoomKey,
    pub(crate) participant: ParticipantId,
    pub(crate) peer: PeerId,
}

impl Member {
    /// Who this is to the media core: what a slot of another one pins by
    /// [`View::Participant`](salon_sfu::View::Participant).
    pub fn participant(self) -> ParticipantId {
        self.participant
    }

    pub(crate) fn owner(self) -> Owner {
        Owner { room: self.room, who: Some(self.participant) }
    }
}

/// Who joins, with what.
pub struct Join {
    /// The caller's own number for this participant; comes back in events about it. The host gives it no meaning.
    pub label: u64,
    /// The client's ICE credentials.
    pub remote: IceCredentials,
    /// Of the certificate that the client will show.
    pub fingerprint: Fingerprint,
    /// Our DTLS role.
    pub setup: Setup,
    /// What it publishes.
    pub tracks: Vec<TrackSpec>,
    /// Where it receives.
    pub slots: Vec<SlotSpec>,
    /// Hears what happens to it. Called on the media thread of its room: must not block, must not panic (the room would
    /// end for it).
    pub events: Box<dyn FnMut(HostEvent) + Send>,
}

/// What a join brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Joined {
    /// For later calls.
    pub member: Member,
    /// The canonical name that sender reports will carry (RFC 3550 §6.5.1): the answer's `a=ssrc … cname`.
    pub cname: String,
    /// Our ICE credentials towards this client.
    pub local: IceCredentials,
    /// One for each of [`Join::tracks`], in order.
    pub tracks: Vec<TrackId>,
    /// One for each of [`Join::slots`], in order.
    pub slots: Vec<(SlotId, SlotStreams)>,
}

/// A renegotiation: what is not named stays.
///
/// New fields come with a default: write `..Update::default()`.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// New credentials of the client: an ICE restart (RFC 8445 §9). Keys and streams stay.
    pub restart: Option<IceCredentials>,
    /// Tracks that end.
    pub unpublish: Vec<TrackId>,
    /// Tracks that begin.
    pub publish: Vec<TrackSpec>,
    /// Slots that go.
    pub unsubscribe: Vec<SlotId>,
    /// Slots that come.
    pub subscribe: Vec<SlotSpec>,
}

/// What an update brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Updated {
    /// Our credentials: new ones after a restart.
    pub local: IceCredentials,
    /// As [`Joined::cname`].
    pub cname: String,
    /// One for each of [`Update::publish`], in order.
    pub tracks: Vec<TrackId>,
    /// One for each of [`Update::subscribe`], in order.
    pub slots: Vec<(SlotId, SlotStreams)>,
}

/// Who is in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Shown {
    /// The label under which its publisher joined.
    pub label: u64,
    /// What it is.
    pub source: Source,
    /// Which track.
    pub track: TrackId,
}

/// What a participant hears of itself and of its room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HostEvent {
    /// Keys are agreed: media flows.
    Connected,
    /// No authenticated packet for 8 s: its slots are free, others no longer see it.
    Silent,
    /// An authenticated packet came again.
    Back,
    /// It is no longer in the room. The last event.
    Gone(GoneReason),
    /// The room ended because of a fault of ours. The last event.
    RoomFailed,
    /// Another is in this slot, or nobody and why.
    Slot {
        /// The receiver's slot.
        slot: SlotId,
        /// Who is in it.
        shows: Result<Shown, EmptyReason>,
    },
    /// Which encodings of its own track somebody watches: bit `i` for the `i`-th of its [`TrackSpec`].
    Encodings {
        /// Its own track.
        track: TrackId,
        /// The watched ones.
        wanted: u8,
    },
    /// Who has the floor in the room.
    Floor(Option<u64>),
    /// Who starts or stops making a sound.
    Speaking {
        /// Their label.
        label: u64,
        /// Starts.
        on: bool,
    },
}

/// A room as an administrator sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostRoomReport {
    /// On which of the host's shards it is, from 0.
    pub shard: usize,
    /// Its name.
    pub name: String,
    /// The media core's view.
    pub room: RoomReport,
    /// What it has cost, with all who ever were in it.
    pub spent: Spent,
    /// The participants' transports.
    pub peers: Vec<PeerReport>,
}

/// A participant, as itself or an administrator may see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemberReport {
    /// The media core's view.
    pub participant: ParticipantReport,
    /// Its transport.
    pub peer: PeerReport,
}

/// A participant's transport.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PeerReport {
    /// Who.
    pub participant: ParticipantId,
    /// Under which label it joined.
    pub label: u64,
    /// Where its packets come from and go to, once known.
    pub path: Option<Path>,
    /// For how long no authenticated packet has come.
    pub unheard: Duration,
    /// What this participant has cost.
    pub spent: Spent,
}

pub(crate) type Reply<T, E> = Box<dyn FnOnce(Result<T, E>) + Send>;

pub(crate) enum Command {
    Join { room: String, join: Box<Join>, reply: Reply<Joined, JoinError> },
    Update { member: Member, update: Box<Update>, reply: Reply<Updated, JoinError> },
    Constrain { member: Member, slot: SlotId, constraint: Constraint },
    Mute { member: Member, track: TrackId, muted: bool },
    Leave { member: Member },
    Report { room: Option<String>, reply: Box<dyn FnOnce(Vec<HostRoomReport>) + Send> },
    ReportMember { member: Member, reply: Box<dyn FnOnce(Option<MemberReport>) + Send> },
    Counters { reply: Box<dyn FnOnce(crate::HostCounters) + Send> },
    Stop,
}
