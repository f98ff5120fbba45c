//! The ids in VP8's payload descriptor (RFC 7741 §4.2).
//!
//! A receiver checks three. A base picture waits for the one whose TL0PICIDX is one less; a picture of a higher layer
//! that is no switch point waits while a PictureID between its reference and itself is missing; KEYIDX counts key
//! frames. So all three go on by one over a change of encoding, PictureIDs close over dropped pictures, and both ids
//! keep the gaps of lost ones, whose repair gets the id that was kept free.
//!
//! **Which fields there are** follows the encoding that is shown: an absent one is never written, a present one never
//! left out, so the shape changes only where the encoding does, at its key frame, where a receiver starts anew anyway.
//! PictureID alone has one width for the life of every slot, 15 bits: a receiver compares modulo 2¹⁵ whatever the width.

use salon_rtp::payload::vp8::{Vp8Descriptor, Vp8Patch};

use super::numbers::Runs;
use super::pictures::{Extender, Place, wire};
use super::shifted::Shifted;
use super::{Packet, Patch};
use crate::SkipReason;

/// The ids of one slot, over all that it shows in its life.
#[derive(Debug)]
pub(crate) struct Vp8 {
    extender: Extender,
    pictures: Runs,
    /// The highest picture id that went out, extended.
    last: Option<u64>,
    /// Packets below this are from before the source counted its pictures anew.
    floor: u64,
    tl0: Shifted,
    keyidx: Shifted,
}

impl Vp8 {
    pub(crate) fn new() -> Self {
        Self {
            extender: Extender::default(),
            pictures: Runs::new(),
            last: None,
            floor: 0,
            tl0: Shifted::default(),
            keyidx: Shifted::default(),
        }
    }

    /// Another source begins.
    pub(crate) fn start(&mut self) {
        self.extender.restart();
        self.floor = 0;
        self.tl0.restart();
        self.keyidx.restart();
    }

    /// The packet's picture is skipped as a whole.
    pub(crate) fn skip(&mut self, p: &Packet, ids: &Vp8Descriptor) {
        let Some(id) = ids.fields().picture_id.filter(|_| p.seq.0 >= self.floor) else { return };
        if let Place::At(id) = self.extender.place(id, p.new_picture) {
            self.pictures.skip(id, id);
            self.extender.saw(id);
        }
    }

    /// The packet goes out.
    pub(crate) fn forward(&mut self, p: &Packet, ids: &Vp8Descriptor) -> Result<Patch, SkipReason> {
        if p.seq.0 < self.floor {
            return Err(SkipReason::TooLate);
        }
        let had = ids.fields();
        let picture_id = match had.picture_id {
            None => None,
            Some(id) => Some(wire(self.picture(p, self.extender.place(id, p.new_picture))?)),
        };
        let tl0 = had.tl0.map(|v| self.tl0.shift(v, p.seq));
        let key_index = had.key_index.map(|v| self.keyidx.shift(v, p.seq) & 0x1f);
        if (picture_id, tl0, key_index) == (had.picture_id, had.tl0, had.key_index) {
            return Ok(Patch::NONE);
        }
        Ok(Patch::of(ids.patched(&Vp8Patch { picture_id, tl0, key_index })))
    }

    fn picture(&mut self, p: &Packet, place: Place) -> Result<u64, SkipReason> {
        let id = match place {
            Place::At(id) => id,
            Place::Anew(id) => {
                self.count_anew(p, id);
                id
            }
        };
        let out = self.pictures.output(id)?;
        self.pictures.forwarded(id);
        self.extender.saw(id);
        self.last = self.last.max(Some(out));
        Ok(out)
    }

    fn count_anew(&mut self, p: &Packet, id: u64) {
        let fresh = self.extender.is_fresh();
        // A count that starts anew in mid stream and not at a key frame hides a loss: the gap tells the receiver.
        let step = if p.key || fresh { 1 } else { 2 };
        self.pictures.restart(id, self.last.map_or(id, |l| l.saturating_add(step)));
        self.extender.restart();
        if !fresh {
            self.floor = p.seq.0;
            if p.key {
                self.tl0.restart();
            }
        }
    }
}
