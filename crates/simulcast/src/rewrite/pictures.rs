//! Picture ids: extended from the 7 or 15 bits that travel.

use salon_rtp::payload::vp8::PictureId;

use crate::limits::MAX_PICTURE_JUMP;

/// Where extended ids start, so that there is room below the first: a multiple of 2¹⁵.
const BASE: u64 = 1 << 30;

/// What travels. Always 15 bits: a receiver compares ids modulo 2¹⁵ even where a source sends 7 bits, and would take
/// 127 → 0 for a step back.
pub(crate) fn wire(id: u64) -> PictureId {
    PictureId::Long((id & 0x7fff) as u16)
}

/// Where a packet's picture stands among those of its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// At this extended id.
    At(u64),
    /// At this extended id of a new count: it is the first, or the source went back, stood still, or leapt.
    Anew(u64),
}

/// Extends the picture ids of one source.
#[derive(Debug, Default)]
pub(crate) struct Extender {
    newest: Option<u64>,
}

impl Extender {
    pub(crate) fn restart(&mut self) {
        self.newest = None;
    }

    /// Whether no picture was seen since the restart.
    pub(crate) fn is_fresh(&self) -> bool {
        self.newest.is_none()
    }

    /// Places a packet's picture. `new` says that the picture is newer by sequence number than all before, so that an id
    /// that is not belongs to a new count.
    pub(crate) fn place(&self, id: PictureId, new: bool) -> Place {
        let first = BASE | u64::from(id.get());
        let Some(newest) = self.newest else { return Place::Anew(first) };
        let unused = match id {
            PictureId::Short(_) => 64 - 7,
            PictureId::Long(_) => 64 - 15,
        };
        // The distance, cut to the bits that travel, with a sign.
        let distance = i64::from(id.get()).wrapping_sub_unsigned(newest) << unused >> unused;
        let at = newest.saturating_add_signed(distance);
        if new && (at <= newest || at - newest > MAX_PICTURE_JUMP) {
            Place::Anew(first)
        } else {
            Place::At(at)
        }
    }

    /// The picture at `id` was seen.
    pub(crate) fn saw(&mut self, id: u64) {
        self.newest = self.newest.max(Some(id));
    }
}
