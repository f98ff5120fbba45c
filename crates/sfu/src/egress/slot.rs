//! A receive stream of one participant, in which tracks appear.

use core::time::Duration;

use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
use salon_simulcast::{Forwarder, Rate, Target};
use slotmap::SlotMap;

use super::History;
use super::choke::Asked;
use crate::config::SlotPayload;
use crate::ingress::EncodingId;
use crate::prng::Prng;
use crate::{Constraint, EmptyReason, ParticipantId, SlotSpec, SlotStreams, TrackId, limits};

/// The slots of a room.
pub(crate) type Slots = SlotMap<crate::SlotId, Slot>;

/// A slot: its streams, what it was given to show, and what it sent.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) owner: ParticipantId,
    pub(crate) spec: SlotSpec,
    pub(crate) streams: SlotStreams,
    pub(crate) constraint: Constraint,
    pub(crate) forwarder: Forwarder,
    /// The track that it was given.
    pub(crate) track: Option<TrackId>,
    /// Why it was given none.
    pub(crate) vacancy: EmptyReason,
    /// For the receiver's link it was given less of its track than its height asks for, or nothing.
    pub(crate) limited: bool,
    /// The encoding that it shall show.
    pub(crate) target: Option<EncodingId>,
    /// The encoding whose packets go out.
    pub(crate) current: Option<EncodingId>,
    /// The encodings that count it among their viewers: these two, if they differ.
    pub(crate) links: [Option<EncodingId>; 2],
    /// The encoding that would fit its height, whether or not it is sent: what its publisher is asked for.
    pub(crate) wish: Option<EncodingId>,
    pub(crate) history: History,
    /// A key frame's first packet waited so long that it could not be sent: what follows is of no use before the next one.
    pub(crate) cut: bool,
    /// The next number of its repair stream.
    pub(crate) repair_index: SeqNo,
    pub(crate) sent: SentTotals,
    pub(crate) heard: Reported,
    /// What the caller was last told.
    pub(crate) told: State,
    /// An event about it waits to be polled.
    pub(crate) event_pending: bool,
}

/// What a slot shows, and why nothing is sent.
pub(crate) type State = (Option<TrackId>, Option<EmptyReason>);

/// What a slot sent (RFC 3550 §6.4.1).
#[derive(Debug, Default)]
pub(crate) struct SentTotals {
    pub(crate) packets: u64,
    pub(crate) octets: u64,
    pub(crate) repaired: u64,
    pub(crate) first_index: Option<SeqNo>,
    pub(crate) last: Option<Time>,
    pub(crate) rate: Rate,
}

/// What its receiver reported of a slot.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// A receiver report named its SSRC: the receiver knows whose it is, so its MID need not be sent any more.
    pub(crate) known: bool,
    /// Loss in 1/256, as last reported.
    pub(crate) loss: Option<u8>,
    /// Cumulative loss and highest number of the last report.
    pub(crate) last: Option<(i32, u32)>,
    /// Numbers that were never sent, when that report came.
    pub(crate) holes: u64,
    /// Up to where it has asked for what was missing.
    pub(crate) asked: Asked,
    /// How many key frames it may still ask for, and when the last one was given back.
    keys: u8,
    keys_at: Time,
}

impl Reported {
    /// Whether the receiver may ask for a key frame now. What cannot decode at all (another key, a broken decoder) asks six
    /// times a second, and would make all others pay for it.
    pub(crate) fn may_ask_key(&mut self, now: Time) -> bool {
        let earned = now.since(self.keys_at).as_millis() / limits::KEY_EARNED.as_millis();
        if earned > 0 {
            self.keys =
                u128::from(self.keys).saturating_add(earned).min(u128::from(limits::KEYS_SAVED)) as u8;
            self.keys_at = now;
        }
        let may = self.keys > 0;
        self.keys = self.keys.saturating_sub(1);
        may
    }
}

impl Slot {
    pub(crate) fn new(owner: ParticipantId, spec: SlotSpec, prng: &mut Prng) -> Self {
        let rtx = spec.payloads.iter().any(|p| p.rtx_pt.is_some());
        let streams = SlotStreams { ssrc: prng.ssrc(), rtx: rtx.then(|| prng.ssrc()) };
        // All codecs of a kind share one clock rate here (RFC 7587 §4.1; 90 kHz for all pictures).
        let rate = if spec.kind == MediaKind::Audio { 48_000 } else { 90_000 };
        let first = SeqNo(prng.first_number());
        let forwarder = Forwarder::new(spec.kind, rate, first, prng.next() as u32);
        Self {
            owner,
            streams,
            forwarder,
            constraint: Constraint::default(),
            track: None,
            vacancy: EmptyReason::NothingToShow,
            limited: false,
            target: None,
            current: None,
            links: [None; 2],
            wish: None,
            cut: false,
            history: History::new(rtx || spec.feedback.nack),
            repair_index: SeqNo(prng.first_number()),
            sent: SentTotals::default(),
            heard: Reported { keys: limits::KEYS_SAVED, ..Reported::default() },
            told: (None, Some(EmptyReason::NothingToShow)),
            event_pending: false,
            spec,
        }
    }

    /// The payload type under which this slot can show a codec.
    pub(crate) fn payload(&self, codec: Codec) -> Option<&SlotPayload> {
        // The very codec before one that merely decodes it.
        let exact = self.spec.payloads.iter().find(|p| p.codec == codec);
        exact.or_else(|| self.spec.payloads.iter().find(|p| p.codec.decodes(codec)))
    }

    /// Whether it has something to show, or could have.
    pub(crate) const fn is_paused(&self) -> bool {
        self.constraint.height == 0
    }

    /// The receiver's link cannot carry even the least of its track.
    pub(crate) const fn is_starved(&self) -> bool {
        self.limited && self.target.is_none()
    }

    /// What there is to tell.
    pub(crate) fn state(&self) -> State {
        let Some(track) = self.track else { return (None, Some(self.vacancy)) };
        let flows = self.spec.kind == MediaKind::Audio || self.current.is_some_and(|c| c.track == track);
        let empty = match flows {
            _ if self.is_starved() => Some(EmptyReason::NoBandwidth),
            true => None,
            false => Some(EmptyReason::Waiting),
        };
        (Some(track), empty)
    }

    /// Points the forwarder at an encoding.
    pub(crate) fn aim(&mut self, to: Option<(EncodingId, Codec)>) {
        let target = to.map(|(e, codec)| Target { source: e.source, temporal: u8::MAX, codec });
        self.forwarder.aim(target);
        self.target = to.map(|t| t.0);
    }

    /// Whether a sender report is due for it: silent two seconds after the last packet (mediasoup#1887).
    pub(crate) fn reports(&self, now: Time) -> bool {
        self.sent.last.is_some_and(|last| now.since(last) <= Duration::from_secs(2))
    }

    /// Outgoing numbers that were never sent, because what would have had them never came.
    pub(crate) fn holes(&self) -> u64 {
        match (self.sent.first_index, self.history.newest()) {
            (Some(first), Some(newest)) => (newest.since(first) + 1).saturating_sub(self.sent.packets),
            _ => 0,
        }
    }

    /// The slot's RTP time now.
    pub(crate) fn clock(&self, now: Time) -> RtpTime {
        self.forwarder.clock(now)
    }
}
