//! Which layer a frame is in, and what it refers to.

use super::{CameraConfig, PictureIds, TemporalLayers};
use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Fields};

/// What the encoder made of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) number: u32,
    pub(super) key: bool,
    pub(super) layer: u8,
    /// How many frames back each frame that it refers to lies; 0 for none.
    pub(super) references: [u8; 3],
    /// The descriptor of its packets; the first one's start bit is not set yet.
    pub(super) fields: Vp8Fields,
}

/// The state of one encoding's encoder.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    /// The next frame's number, never wrapping in a simulation.
    number: u32,
    /// The next frame's place in the pattern.
    at: usize,
    /// The last frame of each layer since the last key frame.
    last: [Option<u32>; 3],
    picture_id: u16,
    tl0: u8,
    key_index: u8,
    pub(super) key_wanted: bool,
}

/// A frame of a pattern: its layer, whether it refers to layer 0 only, whether nothing refers to it.
type Step = (u8, bool, bool);
const ONE: &[Step] = &[(0, false, false)];
const TWO: &[Step] = &[(0, false, false), (1, true, false), (0, false, false), (1, false, true)];
const THREE: &[Step] = &[
    (0, false, false),
    (2, true, false),
    (1, true, false),
    (2, false, false),
    (0, false, false),
    (2, false, false),
    (1, false, false),
    (2, false, true),
];

impl Encoder {
    pub(super) fn new(picture_id: u16) -> Self {
        Self { number: 0, at: 0, last: [None; 3], picture_id, tl0: 250, key_index: 30, key_wanted: true }
    }

    /// Goes on elsewhere, with a key frame.
    pub(super) fn restart(&mut self, picture_id: u16, tl0: u8) {
        *self = Self { picture_id, tl0, ..Self::new(0) };
    }

    pub(super) fn next(&mut self, config: &CameraConfig) -> Frame {
        let key = core::mem::take(&mut self.key_wanted);
        if key {
            (self.at, self.last) = (0, [None; 3]);
            self.key_index = (self.key_index + 1) % 32;
        }
        let pattern = match config.layers {
            TemporalLayers::L1T1 => ONE,
            TemporalLayers::L1T2 => TWO,
            TemporalLayers::L1T3 => THREE,
        };
        let (layer, sync, discardable) = pattern.get(self.at).copied().unwrap_or((0, false, false));
        self.at = (self.at + 1) % pattern.len();
        let number = self.number;
        self.number += 1;
        let mut references = [0; 3];
        if !key {
            // To the last frame of each layer up to its own; with sync, of layer 0 alone.
            let reach = if sync { 0 } else { layer };
            for (to, last) in references.iter_mut().zip(self.last).take(usize::from(reach) + 1) {
                *to = last.map_or(0, |n| (number - n) as u8);
            }
        }
        if layer == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        if let Some(last) = self.last.get_mut(usize::from(layer)) {
            *last = Some(number);
        }
        let fields = Vp8Fields {
            discardable,
            start: false,
            partition: 0,
            picture_id: match config.picture_ids {
                PictureIds::Absent => None,
                PictureIds::Short => Some(PictureId::Short((self.picture_id & 0x7f) as u8)),
                PictureIds::Long => Some(PictureId::Long(self.picture_id & 0x7fff)),
            },
            tl0: config.layer_indices.then_some(self.tl0),
            temporal: config.layer_indices.then_some(Temporal { layer, sync }),
            key_index: config.key_index.then_some(self.key_index),
        };
        self.picture_id = self.picture_id.wrapping_add(1);
        Frame { number, key, layer, references, fields }
    }
}
