//! What a participant publishes.

use alloc::vec::Vec;

use salon_simulcast::SourceId;
use slotmap::SlotMap;

use super::{Encoding, Latch, PublisherClock, TwccRecorder};
use crate::audible::VoiceId;
use crate::{ParticipantId, SlotId, TrackId, TrackSpec};
use salon_rtp::extension::{ExtId, ExtensionKind};
use salon_rtp::{MediaKind, Time};

/// The tracks of a room.
pub(crate) type Tracks = SlotMap<TrackId, Track>;

/// One encoding of one track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodingId {
    /// The track.
    pub track: TrackId,
    /// The place among its encodings.
    pub index: u8,
    /// Its name towards `simulcast`, never given twice in a room.
    pub source: SourceId,
}

/// A track: what was negotiated, its encodings, and the slots that it was given.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) owner: ParticipantId,
    pub(crate) spec: TrackSpec,
    pub(crate) encodings: Vec<Encoding>,
    /// Its publisher muted it.
    pub(crate) muted: bool,
    /// Its place among the voices, if it is a sound.
    pub(crate) voice: Option<VoiceId>,
    /// Counts publications: the order in which tracks came.
    pub(crate) published: u64,
    /// The slots that show it or are to show it.
    pub(crate) slots: Vec<SlotId>,
    /// The encodings that its publisher was last told that somebody watches, a bit each.
    pub(crate) told: u8,
    /// Since when fewer are watched than was told.
    pub(crate) idle_since: Option<Time>,
    /// An event about its encodings waits to be polled.
    pub(crate) event_pending: bool,
}

impl Track {
    pub(crate) fn new(owner: ParticipantId, spec: TrackSpec, first: SourceId, published: u64) -> Self {
        let encodings = (0..spec.encodings.len() as u32)
            .map(|i| Encoding::new(SourceId(first.0.wrapping_add(i)), &spec))
            .collect::<Vec<_>>();
        let told = all(encodings.len());
        Self {
            owner,
            spec,
            encodings,
            muted: false,
            voice: None,
            published,
            slots: Vec::new(),
            told,
            idle_since: None,
            event_pending: false,
        }
    }

    /// Whether another track of the same publisher could not be told from this one.
    pub(crate) fn clashes(&self, other: &TrackSpec) -> bool {
        let ssrcs = |s: &TrackSpec| {
            s.encodings.iter().flat_map(|e| [e.ssrc, e.rtx_ssrc]).flatten().collect::<Vec<_>>()
        };
        let mine = ssrcs(&self.spec);
        let named = self.spec.mid.is_some() && self.spec.mid == other.mid;
        named || ssrcs(other).iter().any(|s| mine.contains(s))
    }

    pub(crate) const fn kind(&self) -> MediaKind {
        self.spec.source.kind()
    }

    /// The full name of an encoding.
    pub(crate) fn name(&self, id: TrackId, index: u8) -> Option<EncodingId> {
        self.encoding(index).map(|e| EncodingId { track: id, index, source: e.source })
    }

    pub(crate) fn encoding(&self, index: u8) -> Option<&Encoding> {
        self.encodings.get(usize::from(index))
    }

    pub(crate) fn encoding_mut(&mut self, index: u8) -> Option<&mut Encoding> {
        self.encodings.get_mut(usize::from(index))
    }
}

/// A mask of the first `n` bits.
pub(crate) const fn all(n: usize) -> u8 {
    if n >= 8 { u8::MAX } else { (1 << n) - 1 }
}

/// A participant as its packets come: whose SSRC is whose, what its clock says, when its packets came.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    pub(crate) latch: Latch<EncodingId>,
    pub(crate) clock: PublisherClock,
    pub(crate) tracks: Vec<TrackId>,
    /// Transport-wide arrivals, if any track negotiated the feedback, and the extension's id.
    pub(crate) twcc: Option<(ExtId, TwccRecorder)>,
    /// Counts transport-wide feedback messages.
    pub(crate) twcc_count: u8,
    /// When reception is to be reported next; [`Time::NEVER`] while nothing comes.
    pub(crate) report_due: Time,
    /// Counts full intra requests (RFC 5104 §4.3.1.1).
    pub(crate) fir_count: u8,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        Self { report_due: Time::NEVER, ..Self::default() }
    }

    /// Takes note of what a new track negotiated for the whole transport.
    pub(crate) fn negotiate(&mut self, spec: &TrackSpec) {
        if let (true, None, Some(id)) =
            (spec.feedback.twcc, &self.twcc, spec.extensions.id(ExtensionKind::Twcc))
        {
            self.twcc = Some((id, TwccRecorder::new()));
        }
    }
}
