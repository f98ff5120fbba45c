//! One encoding as it comes.

use alloc::vec::Vec;
use core::time::Duration;

use salon_rtp::extension::AudioLevel;
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::{Bitrate, Codec, MediaKind, Packet, Pt, RtpTime, Seq, Time};
use salon_simulcast::{Facts, Rate, SourceId};

use super::{
    Arrival, Arrived, Cache, CacheSize, CaptureClock, KeyframeThrottle, NackGenerator, Origin, Passed, Role,
    RtxUnwrap, Unwrapped,
};
use crate::{DropReason, SlotId, TrackSpec, limits};

/// A media packet as it was first sent, whether it came as such or was repaired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Media<'a> {
    pub(crate) seq: Seq,
    pub(crate) timestamp: RtpTime,
    pub(crate) marker: bool,
    pub(crate) payload: &'a [u8],
    pub(crate) origin: Origin,
}

/// What is remembered of a cached packet beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) level: Option<AudioLevel>,
}

/// An encoding: its numbers, clock, history, what is missing, and who watches it.
#[derive(Debug)]
pub(crate) struct Encoding {
    /// Its name towards `simulcast`.
    pub(crate) source: SourceId,
    kind: MediaKind,
    codec: Codec,
    pt: Pt,
    rtx: Option<RtxUnwrap>,
    pub(crate) arrival: Arrival,
    pub(crate) clock: CaptureClock,
    /// Taken when somebody first watches.
    pub(crate) cache: Option<Cache<Meta>>,
    /// Taken when the first packet comes, if NACK was negotiated.
    pub(crate) nack: Option<NackGenerator>,
    nacks: bool,
    pub(crate) keys: KeyframeThrottle,
    pub(crate) rate: Rate,
    /// Since when it comes.
    woke: Time,
    /// Lines of its picture, once a key frame told.
    pub(crate) height: Option<u16>,
    /// When its last packet came.
    pub(crate) last: Option<Time>,
    /// The slots that show it or wait for its key frame.
    pub(crate) viewers: Vec<SlotId>,
}

impl Encoding {
    pub(crate) fn new(source: SourceId, spec: &TrackSpec) -> Self {
        let rate = spec.codec.clock_rate();
        Self {
            source,
            kind: spec.codec.kind(),
            codec: spec.codec,
            pt: spec.pt,
            rtx: spec.rtx_pt.map(|_| RtxUnwrap::new(spec.pt)),
            arrival: Arrival::new(rate),
            clock: CaptureClock::new(rate),
            cache: None,
            nack: None,
            nacks: spec.feedback.nack,
            keys: KeyframeThrottle::new(),
            rate: Rate::new(),
            woke: Time::ZERO,
            height: None,
            last: None,
            viewers: Vec::new(),
        }
    }

    /// The media in a packet of this encoding.
    pub(crate) fn unwrap<'a>(&mut self, packet: &Packet<'a>, role: Role) -> Result<Media<'a>, DropReason> {
        let (seq, payload, origin) = match role {
            Role::Media if packet.pt() != self.pt => return Err(DropReason::WrongPayloadType),
            Role::Media => (packet.seq(), packet.payload(), Origin::Media),
            Role::Repair => match self.rtx.as_mut().ok_or(DropReason::WrongPayloadType)?.open(packet)? {
                Unwrapped::Media { seq, payload, .. } => (seq, payload, Origin::Repair),
                Unwrapped::Probe => return Err(DropReason::Padding),
            },
        };
        if payload.len() > limits::PAYLOAD {
            return Err(DropReason::TooLarge);
        }
        Ok(Media { seq, timestamp: packet.timestamp(), marker: packet.marker(), payload, origin })
    }

    /// Gives a packet its extended number; what was before is forgotten if the source began anew.
    pub(crate) fn arrive(&mut self, now: Time, media: &Media<'_>) -> Result<Arrived, DropReason> {
        let arrived =
            self.arrival.push(now, media.seq, media.timestamp, media.payload.len(), media.origin)?;
        if arrived.restarted {
            self.forget();
        }
        if !self.sends(now, STALLED) {
            self.woke = now;
        }
        self.last = Some(now);
        self.rate.add(now, media.payload.len() + limits::OVERHEAD);
        Ok(arrived)
    }

    /// Reads what a packet says of itself, and what that means for repair and key frames.
    pub(crate) fn read(&mut self, now: Time, media: &Media<'_>, arrived: Arrived) -> Facts {
        let facts = Facts::read(self.codec, media.marker, media.payload);
        let repaired = media.origin == Origin::Repair;
        // Every packet of sound could be started from; that makes none before it useless.
        let key = facts.key && self.kind == MediaKind::Video;
        self.keys.packet(now, key);
        if key {
            self.height = height(self.codec, media.payload).or(self.height);
        }
        if self.viewers.is_empty() {
            // Nobody misses what nobody watches.
            if let Some(nack) = &mut self.nack {
                nack.clear();
            }
        } else if self.nacks {
            let nack = self.nack.get_or_insert_with(|| NackGenerator::new(self.kind));
            if key {
                nack.key_frame(arrived.seq);
            }
            nack.arrived(now, arrived, repaired);
            if nack.take_hopeless() {
                self.keys.request(now);
            }
        }
        facts
    }

    /// Keeps a packet's bytes, if somebody may need them.
    pub(crate) fn keep(
        &mut self,
        now: Time,
        arrived: Arrived,
        meta: Meta,
        passed: Passed<'_>,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        let kind = self.kind;
        let cache = self.cache.get_or_insert_with(|| Cache::new(CacheSize::of(kind, guess(kind))));
        cache.push(now, arrived.seq, meta, passed, payload).map_err(|_| DropReason::TooLarge)
    }

    /// Another SSRC took the encoding over, or its numbers jumped.
    pub(crate) fn restart(&mut self) {
        self.arrival.restart();
        self.forget();
    }

    fn forget(&mut self) {
        self.clock.restart();
        if let Some(cache) = &mut self.cache {
            cache.clear();
        }
        if let Some(nack) = &mut self.nack {
            nack.clear();
        }
    }

    /// When something is to be asked of its publisher.
    pub(crate) fn next_due(&self, bound: bool) -> Time {
        if !bound {
            // Nothing can be asked of a stream that has no name yet.
            return Time::NEVER;
        }
        let nack = self.nack.as_ref().and_then(NackGenerator::next_due);
        nack.unwrap_or(Time::NEVER).min(self.keys.next_due().unwrap_or(Time::NEVER))
    }

    /// What it costs to send it on: what was measured; while that is young, no less than is usual for `lines`.
    pub(crate) fn cost(&self, now: Time, lines: u16) -> Bitrate {
        let measured = self.rate.get(now);
        if now.since(self.woke) < YOUNG { measured.max(usual(lines)) } else { measured }
    }

    /// Whether packets came lately.
    pub(crate) fn sends(&self, now: Time, within: Duration) -> bool {
        self.last.is_some_and(|last| now.since(last) <= within)
    }
}

/// An encoding without packets for so long, while others of its track come, has been switched off. Less would take a slow
/// screen share for dead (Janus #3422), more would freeze a picture longer.
pub(crate) const STALLED: Duration = Duration::from_secs(1);

/// How long an encoding must have come for its measured rate to be believed: the window of the measurement.
const YOUNG: Duration = Duration::from_secs(2);

/// What browsers spend on a camera of so many lines, by their own defaults (libwebrtc's simulcast table, rounded).
const fn usual(lines: u16) -> Bitrate {
    Bitrate::from_kbps(match lines {
        0..=180 => 150,
        181..=360 => 500,
        361..=540 => 1_000,
        541..=720 => 1_700,
        _ => 2_500,
    })
}

/// The rate that a cache is made for. Too much costs memory for nothing, too little shortens the history: the default of
/// browsers for one camera stream is 2.5 Mbit/s at most, for one voice 40 kbit/s.
const fn guess(kind: MediaKind) -> Bitrate {
    match kind {
        MediaKind::Audio => Bitrate::from_kbps(64),
        MediaKind::Video => Bitrate::from_kbps(2_500),
    }
}

/// Lines of the picture that a key frame starts.
fn height(codec: Codec, payload: &[u8]) -> Option<u16> {
    match codec {
        Codec::Vp8 => Some(Vp8Descriptor::parse(payload).ok()?.key_size(payload)?.1),
        _ => None,
    }
}
