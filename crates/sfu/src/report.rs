//! Snapshots for people who look at a room: its API, its metrics. Plain data; making one may allocate.

use alloc::string::String;
use alloc::vec::Vec;

use core::time::Duration;

use alloc::string::ToString;
use salon_rtp::{Bitrate, Codec, MediaKind, Rid, Time};

use crate::egress::Slot;
use crate::ingress::Track;
use crate::{EmptyReason, ParticipantId, Room, SlotId, Source, TrackId};

/// A room at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RoomReport {
    /// Everybody in it.
    pub participants: Vec<ParticipantReport>,
    /// Who has the floor.
    pub floor: Option<ParticipantId>,
}

/// A participant at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParticipantReport {
    /// Who.
    pub id: ParticipantId,
    /// Whether it has a path.
    pub connected: bool,
    /// Whether it makes a sound now.
    pub speaking: bool,
    /// What its link carries, as far as is known: the ceiling of its video.
    pub budget: Option<Bitrate>,
    /// What its own estimator said last (REMB), of pictures alone; `None` while it has said nothing.
    pub estimate: Option<Bitrate>,
    /// Round-trip time in milliseconds, from its reception reports.
    pub rtt_ms: Option<u32>,
    /// What it publishes.
    pub tracks: Vec<TrackReport>,
    /// What it receives.
    pub slots: Vec<SlotReport>,
}

/// A track at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// Whether the receiver's bandwidth is why the slot is given a smaller encoding than its height asks for, or none
    /// ([`EmptyReason::NoBandwidth`]); a sender calls that a `qualityLimitationReason` of `bandwidth` (W3C webrtc-stats). The allocation that
    /// chose the encoding says so, whether or not it has come: a picture that has its room and awaits its key frame is not limited. What its
    /// publisher does not send no link keeps away, and sound is never limited.
    pub bandwidth_limited: bool,
    /// Media packets sent.
    pub sent: u64,
    /// Packets sent again.
    pub repaired: u64,
    /// Loss that its receiver reported last, in 1/256.
    pub loss: Option<u8>,
}

/// How long after its last packet an encoding still counts as live.
const LIVE: Duration = Duration::from_secs(2);

impl Room {
    /// Everything worth seeing, at `now`. It walks the whole room and allocates: for an API, not for a loop.
    pub fn report(&self, now: Time) -> RoomReport {
        let participants = self.receivers.keys().filter_map(|id| self.report_participant(now, id));
        RoomReport { participants: participants.collect(), floor: self.stage.floor }
    }

    /// One participant, at `now`; `None` if it has left. It walks what is theirs alone.
    pub fn report_participant(&self, now: Time, id: ParticipantId) -> Option<ParticipantReport> {
        let receiver = self.receivers.get(id)?;
        Some(ParticipantReport {
            id,
            connected: receiver.connected,
            speaking: receiver.speaking,
            budget: receiver.budget.ceiling(),
            estimate: receiver.budget.estimate(),
            rtt_ms: receiver.rtt.map(|r| u32::try_from(r.smooth().as_millis()).unwrap_or(u32::MAX)),
            tracks: self.report_tracks(now, id),
            slots: (receiver.slots.iter())
                .filter_map(|&s| Some(report_slot(s, self.slots.get(s)?)))
                .collect(),
        })
    }

    fn report_tracks(&self, now: Time, id: ParticipantId) -> Vec<TrackReport> {
        let tracks = self.publishers.get(id).map(|p| p.tracks.as_slice()).unwrap_or_default();
        let report = |&id: &TrackId| {
            let track = self.tracks.get(id)?;
            Some(TrackReport {
                id,
                source: track.spec.source,
                codec: track.spec.codec,
                muted: track.muted,
                viewers: track.slots.len(),
                encodings: report_encodings(now, track),
            })
        };
        tracks.iter().filter_map(report).collect()
    }
}

fn report_encodings(now: Time, track: &Track) -> Vec<EncodingReport> {
    let specs = track.spec.encodings.iter();
    let report = |(spec, e): (&crate::EncodingSpec, &crate::ingress::Encoding)| EncodingReport {
        rid: spec.rid,
        live: e.sends(now, LIVE),
        rate: e.rate.get(now),
        height: e.height,
        received: e.arrival.packets(),
        lost: e.arrival.lost(),
        jitter_us: u32::try_from(e.arrival.jitter().as_micros()).unwrap_or(u32::MAX),
        viewers: e.viewers.len(),
    };
    specs.zip(&track.encodings).map(report).collect()
}

fn report_slot(id: SlotId, slot: &Slot) -> SlotReport {
    let (shows, empty) = slot.state();
    SlotReport {
        id,
        mid: slot.spec.mid.as_ref().map(ToString::to_string),
        kind: slot.spec.kind,
        shows,
        encoding: slot.current.filter(|c| Some(c.track) == shows).map(|c| c.index),
        empty,
        bandwidth_limited: slot.limited,
        sent: slot.sent.packets,
        repaired: slot.sent.repaired,
        loss: slot.heard.loss,
    }
}
