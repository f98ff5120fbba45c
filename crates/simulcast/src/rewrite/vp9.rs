//! The ids in VP9's payload descriptor (RFC 9628 §4.2), for streams that are forwarded with all their spatial layers.
//!
//! A receiver derives references from distances between picture ids (in flexible mode they are written so, in
//! non-flexible mode the group of pictures implies them), so ids are moved by one distance from a key frame to the next
//! change of encoding, and never closed over what was dropped. TL0PICIDX likewise; absent in flexible mode, it stays so.

use salon_rtp::payload::vp8::PictureId;
use salon_rtp::payload::vp9::{Vp9Head, Vp9Patch};

use super::pictures::{Extender, Place, wire};
use super::shifted::Shifted;
use super::{Packet, Patch};
use crate::SkipReason;

/// The ids of one slot, over all that it shows in its life.
#[derive(Debug, Default)]
pub(crate) struct Vp9 {
    extender: Extender,
    /// What is added to the source's extended id, modulo 2⁶⁴.
    by: u64,
    last: Option<u64>,
    /// Packets below this are from before the source counted its pictures anew.
    floor: u64,
    tl0: Shifted,
}

impl Vp9 {
    /// Another source begins.
    pub(crate) fn start(&mut self) {
        self.extender.restart();
        self.floor = 0;
        self.tl0.restart();
    }

    /// The packet's picture is skipped as a whole: its id stays free.
    pub(crate) fn skip(&mut self, p: &Packet, ids: &Vp9Head) {
        let Some(id) = ids.picture_id().filter(|_| p.seq.0 >= self.floor) else { return };
        if let Place::At(id) = self.extender.place(id, p.new_picture) {
            self.extender.saw(id);
        }
    }

    /// The packet goes out.
    pub(crate) fn forward(&mut self, p: &Packet, ids: &Vp9Head) -> Result<Patch, SkipReason> {
        if p.seq.0 < self.floor {
            return Err(SkipReason::TooLate);
        }
        let picture_id = ids.picture_id().map(|id| wire(self.picture(p, id)));
        let tl0 = ids.tl0().map(|v| self.tl0.shift(v, p.seq));
        if (picture_id, tl0) == (ids.picture_id(), ids.tl0()) {
            return Ok(Patch::NONE);
        }
        Ok(Patch::of(ids.patched(&Vp9Patch { picture_id, tl0 })))
    }

    fn picture(&mut self, p: &Packet, id: PictureId) -> u64 {
        let id = match self.extender.place(id, p.new_picture) {
            Place::At(id) => id,
            Place::Anew(id) => {
                self.count_anew(p, id);
                id
            }
        };
        self.extender.saw(id);
        let out = id.wrapping_add(self.by);
        self.last = self.last.max(Some(out));
        out
    }

    fn count_anew(&mut self, p: &Packet, id: u64) {
        let fresh = self.extender.is_fresh();
        // As in VP8: without a key frame the gap tells the receiver that something is missing.
        let step = if p.key || fresh { 1 } else { 2 };
        self.by = self.last.map_or(0, |l| l.saturating_add(step).wrapping_sub(id));
        self.extender.restart();
        if !fresh {
            self.floor = p.seq.0;
            if p.key {
                self.tl0.restart();
            }
        }
    }
}
