//! Snapshots for people who look at a room: its API, its metrics. Plain data; making one may allocate.

use alloc::string::String;
use alloc::vec::Vec;

use salon_rtp::{Bitrate, Codec, MediaKind, Rid};

use crate::{EmptyReason, ParticipantId, SlotId, Source, TrackId};

/// A room at one moment.
#[derive(Clone, Debug, Default)]
pub struct RoomReport {
    /// Everybody in it.
    pub participants: Vec<ParticipantReport>,
    /// Who has the floor.
    pub floor: Option<ParticipantId>,
}

/// A participant at one moment.
#[derive(Clone, Debug)]
pub struct ParticipantReport {
    /// Who.
    pub id: ParticipantId,
    /// Whether it has a path.
    pub connected: bool,
    /// Whether it makes a sound now.
    pub speaking: bool,
    /// What its link carries, as far as is known: the ceiling of its video.
    pub budget: Option<Bitrate>,
    /// Round-trip time in milliseconds, from its reception reports.
    pub rtt_ms: Option<u32>,
    /// What it publishes.
    pub tracks: Vec<TrackReport>,
    /// What it receives.
    pub slots: Vec<SlotReport>,
}

/// A track at one moment.
#[derive(Clone, Debug)]
pub struct TrackReport {
    /// Which.
    pub id: TrackId,
    /// What it is.
    pub source: Source,
    /// Its codec.
    pub codec: Codec,
    /// Whether its publisher muted it.
    pub muted: bool,
    /// In how many slots it is.
    pub viewers: usize,
    /// Its encodings, in ascending order of size.
    pub encodings: Vec<EncodingReport>,
}

/// An encoding at one moment.
#[derive(Clone, Debug)]
pub struct EncodingReport {
    /// Its restriction identifier.
    pub rid: Option<Rid>,
    /// Whether packets came in the last two seconds.
    pub live: bool,
    /// Its rate.
    pub rate: Bitrate,
    /// Height of its picture, once a key frame told it.
    pub height: Option<u16>,
    /// Packets received, without duplicates.
    pub received: u64,
    /// Packets lost for good so far.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1) in microseconds.
    pub jitter_us: u32,
    /// Slots that show it.
    pub viewers: usize,
}

/// A slot at one moment.
#[derive(Clone, Debug)]
pub struct SlotReport {
    /// Which.
    pub id: SlotId,
    /// Its m-line.
    pub mid: Option<String>,
    /// Sound or picture.
    pub kind: MediaKind,
    /// The track in it.
    pub shows: Option<TrackId>,
    /// Which encoding of that track is sent now.
    pub encoding: Option<u8>,
    /// Why nothing is sent.
    pub empty: Option<EmptyReason>,
    /// Media packets sent.
    pub sent: u64,
    /// Packets sent again.
    pub repaired: u64,
    /// Loss that its receiver reported last, in 1/256.
    pub loss: Option<u8>,
}
