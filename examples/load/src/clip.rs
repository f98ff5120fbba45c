//! The pictures that cameras send: real VP8, encoded beforehand (`clip/make`).

use std::sync::LazyLock;

/// One encoding of the pictures: a key frame, and frames that refer to it in three temporal layers, in the pattern 0 2 1 2.
#[derive(Debug)]
pub(crate) struct Clip(Vec<&'static [u8]>);

/// From the smallest, as the encodings of a camera.
static CLIPS: LazyLock<[Clip; 3]> = LazyLock::new(|| {
    let files: [&'static [u8]; 3] =
        [include_bytes!("../clip/l.ivf"), include_bytes!("../clip/m.ivf"), include_bytes!("../clip/h.ivf")];
    files.map(|file| Clip(frames(file)))
});

/// IVF: 32 bytes of header, and 12 before each frame, of which the first four are its length.
const FILE_HEADER: usize = 32;
const FRAME_HEADER: usize = 12;

impl Clip {
    /// That of an encoding, by its place from the smallest.
    pub(crate) fn of(place: usize) -> &'static Self {
        let [small, middle, large] = &*CLIPS;
        match place {
            0 => small,
            1 => middle,
            _ => large,
        }
    }

    /// Frames in it.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A frame's bytes; the first one is the key frame.
    pub(crate) fn frame(&self, at: usize) -> &'static [u8] {
        self.0.get(at).copied().unwrap_or_default()
    }
}

fn frames(file: &'static [u8]) -> Vec<&'static [u8]> {
    let mut rest = file.get(FILE_HEADER..).unwrap_or_default();
    std::iter::from_fn(|| {
        let (length, _) = rest.split_first_chunk()?;
        let (frame, after) =
            rest.get(FRAME_HEADER..)?.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = after;
        Some(frame)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LAYERS;

    #[test]
    fn each_is_eight_seconds_of_its_size_that_begin_with_their_only_key_frame() {
        for (place, layer) in LAYERS.iter().enumerate() {
            let clip = Clip::of(place);
            assert_eq!(clip.len(), 240);
            // RFC 6386 §9.1: bit 0 is clear in a key frame; its size stands behind the start code.
            let keys: Vec<usize> = (0..clip.len()).filter(|at| clip.frame(*at)[0] & 1 == 0).collect();
            assert_eq!(keys, [0]);
            let size = [layer.width.to_le_bytes(), layer.height.to_le_bytes()].concat();
            assert_eq!(clip.frame(0)[3..10], [&[0x9d, 0x01, 0x2a], &size[..]].concat());
        }
    }
}
