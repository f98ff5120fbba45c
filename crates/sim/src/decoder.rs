//! Which frames could be shown.

mod laws;
mod playout;
mod references;

use crate::stream::Ordered;
use crate::{StreamCheck, Tag};
use core::time::Duration;
use laws::Laws;
use playout::{Complete, Playout};
use references::{References, Verdict};
use salon_rtp::payload::vp8::{Vp8Descriptor, Vp8Fields};
use salon_rtp::{Packet, RtpTime, Seq, SeqNo, Time};
use std::collections::VecDeque;

/// A frame that was shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// Which frame it truly was: the tag of its first packet.
    pub tag: Tag,
    /// When it was decoded.
    pub at: Time,
    /// On the stream's clock.
    pub timestamp: RtpTime,
}

/// What a decoder has seen. The names of law are those of a forwarder's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DecoderReport {
    /// Numbers and times.
    pub stream: StreamCheck,
    /// Packets of nothing but padding.
    pub padding: u64,
    /// Packets whose descriptor or tag could not be read.
    pub unreadable: u64,
    /// Frames of which every packet came.
    pub complete: u64,
    /// Frames that were decoded.
    pub decoded: u64,
    /// Frames that were complete and never could be decoded, or were complete too late.
    pub undecodable: u64,
    /// Frames that libwebrtc would have decoded though what they truly refer to was missing: a broken picture.
    pub corrupt: u64,
    /// A marker that is not on a frame's last packet, or a last packet without.
    pub marker_errors: u64,
    /// A frame with two timestamps, or two frames with one.
    pub timestamp_errors: u64,
    /// Packets that do not follow in their frame, though no number is missing between: torn or mixed frames.
    pub torn: u64,
    /// Changes to another encoding, source or epoch, the first frame included.
    pub switches: u64,
    /// Of those, the ones that did not begin with a key frame's first packet.
    pub keyless: u64,
    /// Frames whose picture id does not follow, though no number is missing between.
    pub picture_id_breaks: u64,
    /// Frames whose TL0PICIDX does not follow, though no number is missing between.
    pub tl0_breaks: u64,
    /// Frames whose descriptor has other fields than the frame before.
    pub shape_changes: u64,
    /// The longest time between two decoded frames.
    pub longest_gap: Duration,
}

impl DecoderReport {
    /// The first law that was broken, if any was. Holes, frames that never were decodable, and what a network repeats are
    /// not among them: a network may lose.
    pub fn broken_law(&self) -> Option<&'static str> {
        [
            ("conflicts", self.stream.conflicts),
            ("backwards", self.stream.backwards),
            ("jumps", self.stream.jumps),
            ("unreadable", self.unreadable),
            ("marker_errors", self.marker_errors),
            ("timestamp_errors", self.timestamp_errors),
            ("torn", self.torn),
            ("keyless", self.keyless),
            ("picture_id_breaks", self.picture_id_breaks),
            ("tl0_breaks", self.tl0_breaks),
            ("shape_changes", self.shape_changes),
            // Last, for it is most often a consequence.
            ("corrupt", self.corrupt),
        ]
        .into_iter()
        .find_map(|(name, n)| (n > 0).then_some(name))
    }
}

/// A packet with media, or padding.
#[derive(Clone, Copy, Debug)]
struct Part {
    marker: bool,
    /// `None` for padding.
    media: Option<Media>,
}

#[derive(Clone, Copy, Debug)]
struct Media {
    tag: Tag,
    fields: Vp8Fields,
    start: bool,
    key: bool,
}

/// A model of VP8's receiver in libwebrtc: it puts frames together, finds out by picture id, TL0PICIDX and Y what each
/// refers to, and decodes what it can. Beside it, the laws of a forwarder's output are checked by what packets truly are.
#[derive(Clone, Debug)]
pub struct Vp8Decoder {
    ordered: Ordered<Part>,
    laws: Laws,
    references: References,
    playout: Playout,
    unreadable: u64,
    complete: u64,
    decoded: VecDeque<Decoded>,
}

/// Decoded frames that are kept for who asks; older ones are forgotten.
const KEPT: usize = 10_000;

impl Default for Vp8Decoder {
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl Vp8Decoder {
    /// A decoder that waits for so long for what is missing before a complete frame, before it passes over it. Zero where
    /// nothing is repaired; otherwise some round trips, as a jitter buffer does.
    pub fn new(wait: Duration) -> Self {
        Self {
            ordered: Ordered::new(),
            laws: Laws::default(),
            references: References::default(),
            playout: Playout::new(wait),
            unreadable: 0,
            complete: 0,
            decoded: VecDeque::new(),
        }
    }

    /// Takes a packet of the stream.
    pub fn push(&mut self, now: Time, packet: &Packet<'_>) {
        self.take(now, packet.seq(), packet.timestamp(), packet.marker(), packet.payload(), false);
    }

    /// Takes a packet that was repaired: its own number, and the payload behind it.
    pub fn repair(&mut self, now: Time, seq: Seq, packet: &Packet<'_>, payload: &[u8]) {
        self.take(now, seq, packet.timestamp(), packet.marker(), payload, true);
    }

    /// Decodes what has waited long enough.
    pub fn poll(&mut self, now: Time) {
        while let Some(frame) = self.playout.next(now) {
            if self.decoded.len() == KEPT {
                self.decoded.pop_front();
            }
            self.decoded.push_back(frame);
        }
    }

    /// The next decoded frame.
    pub fn pop(&mut self) -> Option<Decoded> {
        self.decoded.pop_front()
    }

    /// When the last frame was decoded.
    pub fn last_decoded(&self) -> Option<Time> {
        self.playout.last_at()
    }

    /// What it has seen so far; of the last packets not all is told yet.
    pub fn report(&self) -> DecoderReport {
        let mut report = self.laws.report();
        report.stream = self.ordered.check();
        report.unreadable = self.unreadable;
        report.complete = self.complete;
        self.playout.report(&mut report);
        report.undecodable = report.complete - report.decoded;
        report
    }

    /// Takes it that nothing comes any more, decodes what is left, and tells all.
    pub fn finish(&mut self) -> DecoderReport {
        self.poll(Time::NEVER);
        self.settle(true);
        self.report()
    }

    fn take(
        &mut self,
        now: Time,
        seq: Seq,
        timestamp: RtpTime,
        marker: bool,
        payload: &[u8],
        repaired: bool,
    ) {
        let media = match (payload, Vp8Descriptor::parse(payload), Tag::of_vp8(payload)) {
            ([], ..) => None,
            (_, Ok(d), Some(tag)) => {
                Some(Media { tag, fields: *d.fields(), start: d.is_frame_start(), key: d.is_key(payload) })
            }
            _ => {
                self.unreadable += 1;
                return;
            }
        };
        let part = Part { marker, media };
        if let Some(index) = self.ordered.push(seq, timestamp, payload, repaired, part) {
            if part.media.is_some() {
                self.assemble(now, index);
            }
        }
        self.poll(now);
        self.settle(false);
    }

    #[cfg(test)]
    fn size(&self) -> usize {
        self.ordered.size() + self.references.size() + self.playout.size() + self.decoded.len()
    }

    fn settle(&mut self, all: bool) {
        while let Some(settled) = self.ordered.settle(all) {
            self.laws.take(&settled);
        }
    }

    /// If the packet completes a frame, finds what it refers to. A frame goes from a first packet to a marker, without a
    /// hole and with one timestamp, as in libwebrtc's packet buffer.
    fn assemble(&mut self, now: Time, index: SeqNo) {
        let Some((timestamp, _)) = self.ordered.get(index) else { return };
        let media = |at: SeqNo| {
            let (t, part) = self.ordered.get(at)?;
            Some((part.marker, part.media.filter(|_| t == timestamp)?))
        };
        let (mut first, mut last) = (index, index);
        while !media(first).is_some_and(|(_, m)| m.start) {
            let before = SeqNo(first.0.saturating_sub(1));
            if media(before).is_none_or(|(marker, _)| marker) {
                return;
            }
            first = before;
        }
        while !media(last).is_some_and(|(marker, _)| marker) {
            if media(last.next()).is_none_or(|(_, m)| m.start) {
                return;
            }
            last = last.next();
        }
        let Some((_, head)) = media(first) else { return };
        // By its tags, whether all of the frame is there.
        let whole = (0..).zip(first.0..=last.0).all(|(i, at)| {
            media(SeqNo(at)).is_some_and(|(_, m)| {
                (m.tag.stream(), m.tag.frame, m.tag.packet) == (head.tag.stream(), head.tag.frame, i)
            })
        }) && u64::from(head.tag.packets) == last.since(first) + 1;
        self.complete += 1;
        let mut before = SeqNo(first.0.saturating_sub(1));
        while before.0 > 0 && self.ordered.get(before).is_some_and(|(_, p)| p.media.is_none()) {
            before = SeqNo(before.0 - 1);
        }
        let frame = Complete {
            tag: head.tag,
            key: head.key,
            whole,
            timestamp,
            at: now,
            before,
            last,
            fields: head.fields,
        };
        self.hand_on(frame);
    }

    /// Finds a frame's references, and then those of the frames that waited for it.
    fn hand_on(&mut self, frame: Complete) {
        let mut next = Some(frame);
        while let Some(frame) = next.take() {
            if let Verdict::Known { id, refers_to } = self.references.take(frame) {
                self.playout.insert(id, refers_to, frame);
                next =
                    self.references.retry(|id, refers_to, frame| self.playout.insert(id, refers_to, frame));
            }
        }
    }
}

#[cfg(test)]
mod tests;
