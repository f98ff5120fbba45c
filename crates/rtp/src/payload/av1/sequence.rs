//! Sequence headers.

use crate::Error;
use crate::bits::BitReader;

/// What a sequence header says of its stream (AV1 §5.5.1), as far as a forwarder asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct SequenceHeader {
    /// `seq_profile`: 0 main, 1 high, 2 professional.
    pub profile: u8,
    /// `seq_level_idx` of the first operating point: 4 × (major − 2) + minor of the level's number (AV1 §A.3), 31 for none.
    pub level: u8,
    /// `seq_tier` of the first operating point: high.
    pub high_tier: bool,
    /// Pixels at most: 1 to 65,536.
    pub width: u32,
    /// Pixels at most: 1 to 65,536.
    pub height: u32,
}

impl SequenceHeader {
    /// Reads the OBU's bytes after its header.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut r = BitReader::new(body);
        let profile = r.bits(3)? as u8;
        if profile > 2 {
            return Err(Error::Value);
        }
        // still_picture.
        r.flag()?;
        let reduced = r.flag()?;
        let (level, high_tier) =
            if reduced { (r.bits(5)? as u8, false) } else { read_operating_points(&mut r)? };
        let [width_bits, height_bits] = [r.bits(4)? + 1, r.bits(4)? + 1];
        let [width, height] = [r.bits(width_bits)? + 1, r.bits(height_bits)? + 1];
        Ok(Self { profile, level, high_tier, width, height })
    }
}

/// Timing and all operating points; level and tier of the first.
fn read_operating_points(r: &mut BitReader<'_>) -> Result<(u8, bool), Error> {
    let mut delay_bits = None;
    if r.flag()? {
        // timing_info(): two numbers of 32 bits, then a count where all pictures last the same.
        r.bits(32)?;
        r.bits(32)?;
        if r.flag()? {
            r.golomb()?;
        }
        if r.flag()? {
            // decoder_model_info().
            delay_bits = Some(r.bits(5)? + 1);
            r.bits(32)?;
            r.bits(10)?;
        }
    }
    let display_delays = r.flag()?;
    let mut first = (0, false);
    for point in 0..=r.bits(5)? {
        // operating_point_idc.
        r.bits(12)?;
        let level = r.bits(5)? as u8;
        let high_tier = level > 7 && r.flag()?;
        if point == 0 {
            first = (level, high_tier);
        }
        if let Some(bits) = delay_bits {
            if r.flag()? {
                r.bits(bits)?;
                r.bits(bits)?;
                r.flag()?;
            }
        }
        if display_delays && r.flag()? {
            r.bits(4)?;
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn bytes(bits: &str) -> Vec<u8> {
        let mut bits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
        bits.resize(bits.len().next_multiple_of(8), 0);
        bits.chunks(8).map(|c| c.iter().fold(0, |a, b| a << 1 | b)).collect()
    }

    #[test]
    fn a_plain_header() {
        // Main, one operating point of level 8 (4.0) in the main tier, 10 bits for 640, 9 for 360.
        let h = bytes("000 0 0 0 0 00000 000000000000 01000 0 1001 1000 1001111111 101100111");
        let expected = SequenceHeader { profile: 0, level: 8, high_tier: false, width: 640, height: 360 };
        assert_eq!(SequenceHeader::parse(&h), Ok(expected));
        for n in 0..h.len() {
            assert_eq!(SequenceHeader::parse(&h[..n]), Err(Error::Descriptor));
        }
    }

    #[test]
    fn everything_that_may_stand_before_the_size_is_stepped_over() {
        let word = "0".repeat(32);
        let timing = ["1", &word, &word, "1 00100 1 00011", &word, "0000000000"].concat();
        // Two points: level 9 in the high tier with delays of four bits, level 5 with neither.
        let points = "1 00001 000000000000 01001 1 1 0000 0000 0 1 0000 000000000001 00101 0 0";
        let h = bytes(&["001 0 0", &timing, points, "0001 0000 11 0"].concat());
        let expected = SequenceHeader { profile: 1, level: 9, high_tier: true, width: 4, height: 1 };
        assert_eq!(SequenceHeader::parse(&h), Ok(expected));
        // A still picture has a level only.
        let expected = SequenceHeader { profile: 0, level: 4, high_tier: false, width: 2, height: 2 };
        assert_eq!(SequenceHeader::parse(&bytes("000 1 1 00100 0000 0000 1 1")), Ok(expected));
        assert_eq!(SequenceHeader::parse(&[0xe0; 20]), Err(Error::Value));
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(h) = SequenceHeader::parse(&bytes) {
                prop_assert!((1..=65_536).contains(&h.width) && (1..=65_536).contains(&h.height));
            }
        }
    }
}
