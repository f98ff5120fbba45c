//! What the caller is told: edges of state, one pending per subject and kind.

use salon_rtp::reasons;

use crate::{ParticipantId, SlotId, TrackId};

reasons! {
    /// Why a slot sends nothing.
    #[non_exhaustive]
    pub enum EmptyReason {
        /// There is no track for it.
        NothingToShow = "nobody",
        /// Its constraint's height is 0.
        Paused = "paused",
        /// The slot's m-line negotiated no payload type for what would be shown.
        CodecNotNegotiated = "no-codec",
        /// What was pinned is muted.
        Muted = "muted",
        /// The receiver's link cannot carry it.
        NoBandwidth = "no-rate",
        /// Chosen; its first packet or key frame has not come yet.
        Waiting = "waiting",
        /// Chosen, but its publisher has no path or sends nothing.
        PublisherSilent = "silent",
    }
}

/// A change in the room. The state is read when the event is polled: what changed back in between is told once.
// Exhaustive: salon-host tells each to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// What a slot shows. With both `shows` and `empty` the track is chosen but nothing is sent, for that reason.
    Slot {
        /// Whose slot.
        participant: ParticipantId,
        /// Which slot.
        slot: SlotId,
        /// The track in it.
        shows: Option<TrackId>,
        /// Why nothing is sent.
        empty: Option<EmptyReason>,
    },
    /// Who has the word.
    Floor(Option<ParticipantId>),
    /// Who makes a sound now.
    Speaking {
        /// Who.
        participant: ParticipantId,
        /// Whether it began or ended.
        speaking: bool,
    },
    /// Which encodings of a track somebody watches. Before the first such event all are wanted.
    Encodings {
        /// Whose track.
        participant: ParticipantId,
        /// Which track.
        track: TrackId,
        /// Bit *i* stands for the encoding at place *i* of [`TrackSpec::encodings`](crate::TrackSpec::encodings).
        wanted: u8,
    },
}

/// The caller named something that is not there (any more), or is another participant's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// No such participant in this room.
    #[error("no such participant in this room")]
    UnknownParticipant,
    /// No such track of this participant.
    #[error("no such track of this participant")]
    UnknownTrack,
    /// No such slot of this participant.
    #[error("no such slot of this participant")]
    UnknownSlot,
}

/// A bound of [`limits`](crate::limits) or of the configuration was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// The room is full.
    #[error("the room is full")]
    Participants,
    /// This participant has as many tracks as it may.
    #[error("too many tracks")]
    Tracks,
    /// This participant has as many slots as it may.
    #[error("too many slots")]
    Slots,
    /// A track with more encodings than a track may have.
    #[error("too many encodings")]
    Encodings,
    /// A slot with more payload types than a slot may have.
    #[error("too many payload types")]
    Payloads,
}

/// Why a track or a slot was not accepted. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The participant does not exist.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// A bound was reached.
    #[error(transparent)]
    Limit(#[from] Limit),
    /// A track without encodings, or a slot without payloads.
    #[error("nothing to send or receive")]
    Nothing,
    /// Codec and kind, or codec and source, are sound here and picture there.
    #[error("sound and picture do not mix")]
    Kind,
    /// Another track of this participant has the same MID, or an SSRC of this one.
    #[error("the MID, or an SSRC, is another track's")]
    Taken,
}

/// An event whose subject may have changed since: read when it is polled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    Slot(SlotId),
    Floor,
    Encodings(TrackId),
}
