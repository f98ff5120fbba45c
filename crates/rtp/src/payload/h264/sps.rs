//! Sequence parameter sets.

use crate::Error;
use crate::bits::BitReader;
use crate::payload::H264Profile;

/// What a sequence parameter set says of its stream (H.264 §7.3.2.1.1), as far as a forwarder asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Sps {
    /// `profile_idc`.
    pub profile_idc: u8,
    /// The constraint flags, set0 highest, as `profile-level-id` has them (RFC 6184 §8.1).
    pub constraints: u8,
    /// `level_idc`: ten times the level (but see [`level`](Self::level)).
    pub level_idc: u8,
    /// Which parameter set it is: 0 to 31.
    pub id: u8,
    /// Pixels that are shown.
    pub width: u32,
    /// Pixels that are shown.
    pub height: u32,
}

/// NAL unit type (H.264 table 7-1).
const SPS: u8 = 7;
/// What we unescape at most: sets with all scaling lists stay below; beyond it the rest is not there.
const MAX: usize = 512;
/// No picture is wider or higher (H.264 §A.3.1 allows 8 × MaxFS macroblocks under a root: far below).
const MAX_PIXELS: u32 = 1 << 16;

impl Sps {
    /// Reads a NAL unit, its header included. [`Error::Value`] for another type and for values that are reserved or beyond
    /// reason, [`Error::Descriptor`] if it ends before the picture's size.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let (&header, payload) = nal.split_first().ok_or(Error::TooShort)?;
        if header & 0x9f != SPS {
            return Err(Error::Value);
        }
        let (bytes, len) = unescaped(payload);
        let mut r = BitReader::new(bytes.get(..len).unwrap_or(&bytes));
        let [profile_idc, constraints, level_idc] = [r.bits(8)? as u8, r.bits(8)? as u8, r.bits(8)? as u8];
        let id = at_most(r.golomb()?, 31)? as u8;
        let chroma = if HAS_CHROMA.contains(&profile_idc) { read_chroma(&mut r)? } else { Chroma::YUV_420 };
        skip_order_counts(&mut r)?;
        // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag.
        r.golomb()?;
        r.flag()?;
        let columns = at_most(r.golomb()?, MAX_PIXELS / 16 - 1)? + 1;
        let rows = at_most(r.golomb()?, MAX_PIXELS / 16 - 1)? + 1;
        let frames_only = r.flag()?;
        if !frames_only {
            // mb_adaptive_frame_field_flag.
            r.flag()?;
        }
        // direct_8x8_inference_flag.
        r.flag()?;
        // Fields come in pairs: a row of the map is two of the frame (§7.4.2.1.1, equation 7-18).
        let fields = if frames_only { 1 } else { 2 };
        let (mut width, mut height) = (16 * columns, 16 * rows * fields);
        if r.flag()? {
            let mut crop = |unit: u32| -> Result<u32, Error> {
                let [before, after] = [r.golomb()?, r.golomb()?];
                let units = before.checked_add(after).ok_or(Error::Value)?;
                units.checked_mul(unit).ok_or(Error::Value)
            };
            // Left and right, top and bottom, in units of the chroma grid (§7.4.2.1.1, equations 7-19 to 7-22).
            let [cut_width, cut_height] = [crop(chroma.crop_x)?, crop(chroma.crop_y * fields)?];
            width = width.checked_sub(cut_width).filter(|w| *w > 0).ok_or(Error::Value)?;
            height = height.checked_sub(cut_height).filter(|h| *h > 0).ok_or(Error::Value)?;
        }
        Ok(Self { profile_idc, constraints, level_idc, id, width, height })
    }

    /// The profile, if it is one that we know.
    pub const fn profile(&self) -> Option<H264Profile> {
        H264Profile::from_profile_level_id(self.profile_idc, self.constraints)
    }

    /// The level times ten; 1b is 9 (H.264 §A.3.1: `level_idc` 11 with constraint_set3 in the profiles that have no other use
    /// for it).
    pub const fn level(&self) -> u8 {
        let plain = matches!(self.profile_idc, 66 | 77 | 88);
        if plain && self.level_idc == 11 && self.constraints & 0x10 != 0 { 9 } else { self.level_idc }
    }
}

/// Profiles whose sets speak of chroma and scaling (§7.3.2.1.1).
const HAS_CHROMA: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// How far cropping moves in pixels.
struct Chroma {
    crop_x: u32,
    crop_y: u32,
}

impl Chroma {
    const YUV_420: Self = Self { crop_x: 2, crop_y: 2 };
}

/// From chroma_format_idc to the scaling lists.
fn read_chroma(r: &mut BitReader<'_>) -> Result<Chroma, Error> {
    let format = at_most(r.golomb()?, 3)?;
    if format == 3 {
        // separate_colour_plane_flag: cropping moves by single pixels with it and without.
        r.flag()?;
    }
    // Bit depths of luma and chroma, qpprime_y_zero_transform_bypass_flag.
    r.golomb()?;
    r.golomb()?;
    r.flag()?;
    if r.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if r.flag()? {
                skip_scaling_list(r, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    // Table 6-1; monochrome and 4:4:4 by single pixels.
    Ok(match format {
        1 => Chroma::YUV_420,
        2 => Chroma { crop_x: 2, crop_y: 1 },
        _ => Chroma { crop_x: 1, crop_y: 1 },
    })
}

/// scaling_list() (§7.3.2.1.1.1): it ends early where the next value is 0.
fn skip_scaling_list(r: &mut BitReader<'_>, len: u32) -> Result<(), Error> {
    let mut last = 8;
    for _ in 0..len {
        last = (last + r.signed_golomb()?).rem_euclid(256);
        if last == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// log2_max_frame_num_minus4 and how pictures are ordered.
fn skip_order_counts(r: &mut BitReader<'_>) -> Result<(), Error> {
    r.golomb()?;
    match r.golomb()? {
        0 => _ = r.golomb()?,
        1 => {
            r.flag()?;
            r.signed_golomb()?;
            r.signed_golomb()?;
            for _ in 0..at_most(r.golomb()?, 255)? {
                r.signed_golomb()?;
            }
        }
        2 => {}
        _ => return Err(Error::Value),
    }
    Ok(())
}

fn at_most(value: u32, max: u32) -> Result<u32, Error> {
    if value <= max { Ok(value) } else { Err(Error::Value) }
}

/// The payload without its emulation prevention bytes: 3 after two zeros (§7.4.1).
fn unescaped(payload: &[u8]) -> ([u8; MAX], usize) {
    let (mut out, mut len, mut zeros) = ([0; MAX], 0, 0);
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        let Some(slot) = out.get_mut(len) else { break };
        *slot = byte;
        len += 1;
    }
    (out, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// The bits of a set from the words that make it.
    fn nal(bits: &str) -> Vec<u8> {
        let mut bits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
        bits.resize(bits.len().next_multiple_of(8), 0);
        let bytes = bits.chunks(8).map(|c| c.iter().fold(0, |a, b| a << 1 | b));
        core::iter::once(0x67).chain(bytes).collect()
    }

    #[test]
    fn sets_of_real_encoders() {
        // Constrained baseline 3.1, 640 × 480 (40 × 30 macroblocks, no cropping).
        let sps =
            Sps::parse(&[0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a])
                .unwrap();
        assert_eq!((sps.profile(), sps.level()), (Some(H264Profile::ConstrainedBaseline), 31));
        assert_eq!((sps.width, sps.height, sps.id), (640, 480, 0));
        // High 4.0, 1920 × 1080: 68 rows of macroblocks, of which eight lines are cropped; escaped bytes in it (x264).
        let bytes = [
            0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03,
            0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
        ];
        let sps = Sps::parse(&bytes).unwrap();
        assert_eq!((sps.profile(), sps.level()), (Some(H264Profile::High), 40));
        assert_eq!((sps.width, sps.height), (1920, 1080));
    }

    #[test]
    fn interlaced_frames_count_rows_twice_and_crop_in_fours() {
        // Main 3.0; order type 2; 45 × 18 rows of field pairs; one unit of cropping at the bottom.
        let sps = nal("01001101 00000000 00011110 1 1 011 010 0 00000101101 000010010 0 0 1 1 1 1 1 010");
        let sps = Sps::parse(&sps).unwrap();
        assert_eq!((sps.width, sps.height), (720, 572));
    }

    #[test]
    fn order_counts_and_scaling_lists_are_stepped_over() {
        // High 4:4:4 in 4:4:4 with one scaling list that ends at once, and order type 1 with two offsets.
        let lists = "1 000010001 00000000000";
        let bits =
            ["11110100 00000000 00101000 1 00100 0 1 1 0 1", lists, "1 010 0 1 1 011 1 010 1 0 1 1 1 0 0"]
                .concat();
        let sps = Sps::parse(&nal(&bits)).unwrap();
        assert_eq!((sps.width, sps.height), (16, 16));
    }

    #[test]
    fn what_is_no_set_or_beyond_reason_is_refused() {
        assert_eq!(Sps::parse(&[]), Err(Error::TooShort));
        assert_eq!(Sps::parse(&[0x68, 0x42, 0, 31]), Err(Error::Value));
        assert_eq!(Sps::parse(&[0x67, 0x42, 0xc0]), Err(Error::Descriptor));
        // Cropped to nothing.
        let all = nal("01000010 00000000 00011110 1 1 011 010 0 1 1 1 1 1 0001001 1 1 1");
        assert_eq!(Sps::parse(&all), Err(Error::Value));
        // An id above 31; an order type above 2.
        assert_eq!(Sps::parse(&nal("01000010 00000000 00011110 00000100001")), Err(Error::Value));
        assert_eq!(Sps::parse(&nal("01000010 00000000 00011110 1 1 00100")), Err(Error::Value));
    }

    #[test]
    fn level_1b_is_told_by_a_constraint() {
        let sps = Sps { profile_idc: 66, constraints: 0xf0, level_idc: 11, id: 0, width: 176, height: 144 };
        assert_eq!(sps.level(), 9);
        assert_eq!(Sps { constraints: 0xe0, ..sps }.level(), 11);
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn any_bytes(profile in prop::sample::select(std::vec![66u8, 77, 100, 244]), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let nal = [&[0x67, profile, 0, 30][..], &bytes].concat();
            if let Ok(s) = Sps::parse(&nal) {
                prop_assert!((1..=MAX_PIXELS).contains(&s.width) && (1..=2 * MAX_PIXELS).contains(&s.height));
            }
        }
    }
}
