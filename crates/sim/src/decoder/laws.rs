//! The laws of a forwarder's output, seen packet by packet in the order of their numbers.

use super::{DecoderReport, Media, Part};
use crate::stream::Settled;
use salon_rtp::RtpTime;
use salon_rtp::payload::vp8::{PictureId, Vp8Fields};

#[derive(Clone, Debug, Default)]
pub(super) struct Laws {
    report: DecoderReport,
    last: Option<Last>,
    /// A number was missing since the last packet with media.
    hole: bool,
    /// A number was missing since the last frame's first packet.
    hole_in_frame: bool,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    media: Media,
    marker: bool,
    timestamp: RtpTime,
}

impl Laws {
    pub(super) fn report(&self) -> DecoderReport {
        self.report
    }

    pub(super) fn take(&mut self, packet: &Settled<Part>) {
        self.hole |= !packet.adjacent;
        self.hole_in_frame |= !packet.adjacent;
        let Some(media) = packet.value.media else {
            self.report.padding += 1;
            // Padding within a frame tears it: packets of a frame must follow each other.
            if !self.hole && self.last.is_some_and(|l| !l.marker) {
                self.report.torn += 1;
            }
            return;
        };
        let (now, last) =
            (Last { media, marker: packet.value.marker, timestamp: packet.timestamp }, self.last);
        if now.marker != (media.tag.packet + 1 == media.tag.packets) {
            self.report.marker_errors += 1;
        }
        let same_frame = last.is_some_and(|l| {
            (l.media.tag.stream(), l.media.tag.frame) == (media.tag.stream(), media.tag.frame)
        });
        if let Some(last) = last {
            self.follow(&last, &now, same_frame);
        }
        let switched = last.is_none_or(|l| l.media.tag.stream() != media.tag.stream());
        if switched {
            self.report.switches += 1;
            // With a number missing before it, the key frame's beginning may have been lost on the way.
            let begins = match last {
                None => media.tag.key,
                Some(_) => self.hole || media.start && media.key,
            };
            if !begins {
                self.report.keyless += 1;
            }
        }
        if media.start {
            self.hole_in_frame = false;
        }
        self.hole = false;
        self.last = Some(now);
    }

    fn follow(&mut self, last: &Last, now: &Last, same_frame: bool) {
        let ticks = now.timestamp.since(last.timestamp);
        if same_frame && ticks != 0 || !same_frame && ticks == 0 {
            self.report.timestamp_errors += 1;
        }
        if !self.hole {
            let (before, tag) = (last.media.tag, now.media.tag);
            let follows = if same_frame {
                tag.packet == before.packet + 1 && !now.media.start
            } else {
                before.packet + 1 == before.packets && tag.packet == 0 && now.media.start
            };
            if !follows {
                self.report.torn += 1;
            }
        }
        let (old, new) = (&last.media.fields, &now.media.fields);
        if !same_shape(old, new) {
            self.report.shape_changes += 1;
        } else if same_frame {
            if old.picture_id != new.picture_id {
                self.report.picture_id_breaks += 1;
            }
            if old.tl0 != new.tl0 {
                self.report.tl0_breaks += 1;
            }
        } else if !self.hole_in_frame {
            let next = old.picture_id.map(|id| match id {
                PictureId::Short(v) => PictureId::Short((v + 1) & 0x7f),
                PictureId::Long(v) => PictureId::Long((v + 1) & 0x7fff),
            });
            if next != new.picture_id {
                self.report.picture_id_breaks += 1;
            }
            let is_base = new.temporal.is_none_or(|t| t.layer == 0);
            if old.tl0.map(|v| v.wrapping_add(u8::from(is_base))) != new.tl0 {
                self.report.tl0_breaks += 1;
            }
        }
    }
}

/// Whether the same fields are there, in the same width.
fn same_shape(a: &Vp8Fields, b: &Vp8Fields) -> bool {
    let shape = |f: &Vp8Fields| {
        let width = f.picture_id.map(|id| matches!(id, PictureId::Long(_)));
        (width, f.tl0.is_some(), f.temporal.is_some(), f.key_index.is_some())
    };
    shape(a) == shape(b)
}
