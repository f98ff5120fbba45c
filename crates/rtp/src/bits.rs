//! Numbers that do not begin and end with bytes.

use crate::{Error, TooSmall};

/// Reads bits from high to low. Past the end everything is an [`Error::Descriptor`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits read so far.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// Goes on at a bit that was reached before.
    pub(crate) const fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// `n` bits, at most 32, as a number.
    #[inline]
    pub(crate) fn bits(&mut self, n: u32) -> Result<u32, Error> {
        let end = self.at + n as usize;
        if end > 8 * self.bytes.len() {
            return Err(Error::Descriptor);
        }
        if n == 0 {
            return Ok(0);
        }
        // Up to 32 bits from the middle of a byte on touch five bytes.
        let from = self.bytes.get(self.at / 8..).unwrap_or(&[]);
        let window = from.first_chunk().copied().unwrap_or_else(|| {
            let mut window = [0; 8];
            window.iter_mut().zip(from).for_each(|(to, byte)| *to = *byte);
            window
        });
        let word = u64::from_be_bytes(window) << (self.at % 8) >> (64 - n);
        self.at = end;
        Ok(word as u32)
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.bits(1)? != 0)
    }

    /// A number below `n`, which must be at least 1: fewer bits for the lower ones (AV1 §4.10.7).
    pub(crate) fn below(&mut self, n: u32) -> Result<u32, Error> {
        let (width, short) = non_symmetric(n);
        let v = self.bits(width - 1)?;
        if v < short {
            return Ok(v);
        }
        Ok((v << 1) - short + self.bits(1)?)
    }

    /// An Exp-Golomb number without a sign (H.264 §9.1): at most 2³² − 2.
    pub(crate) fn golomb(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(Error::Value);
            }
        }
        Ok((1 << zeros) - 1 + self.bits(zeros)?)
    }

    /// An Exp-Golomb number with a sign (H.264 §9.1.1).
    pub(crate) fn signed_golomb(&mut self) -> Result<i64, Error> {
        let k = i64::from(self.golomb()?);
        Ok(if k % 2 == 0 { -(k / 2) } else { k / 2 + 1 })
    }
}

/// Writes bits from high to low into zeroed or any bytes.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    pub(crate) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// The lowest `n` bits of a number, at most 32.
    pub(crate) fn bits(&mut self, n: u32, value: u32) -> Result<(), TooSmall> {
        for i in (0..n).rev() {
            let byte = self.out.get_mut(self.at / 8).ok_or(TooSmall)?;
            let mask = 0x80 >> (self.at % 8);
            if self.at % 8 == 0 {
                *byte = 0;
            }
            if value >> i & 1 != 0 {
                *byte |= mask;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// One bit.
    pub(crate) fn flag(&mut self, value: bool) -> Result<(), TooSmall> {
        self.bits(1, u32::from(value))
    }

    /// A number below `n` ([`BitReader::below`]).
    pub(crate) fn below(&mut self, n: u32, value: u32) -> Result<(), TooSmall> {
        let (width, short) = non_symmetric(n);
        if value < short { self.bits(width - 1, value) } else { self.bits(width, value + short) }
    }

    /// Copies the next `n` bits of a reader, which must have them.
    pub(crate) fn copy(&mut self, from: &mut BitReader<'_>, n: usize) -> Result<(), TooSmall> {
        let mut left = n;
        while left > 0 {
            let some = left.min(32) as u32;
            let value = from.bits(some).map_err(|_| TooSmall)?;
            self.bits(some, value)?;
            left -= some as usize;
        }
        Ok(())
    }

    /// Bytes begun.
    pub(crate) const fn len(&self) -> usize {
        self.at.div_ceil(8)
    }
}

/// The bits that the largest number below `n` has, and how many numbers do with one less.
const fn non_symmetric(n: u32) -> (u32, u32) {
    let n = if n == 0 { 1 } else { n };
    let width = 32 - n.leading_zeros();
    (width, ((1u64 << width) - n as u64) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(list in prop::collection::vec((0u32..=32, any::<u32>()), 0..40)) {
            let mut out = [0xff; 200];
            let mut writer = BitWriter::new(&mut out);
            for &(n, v) in &list {
                writer.bits(n, v).unwrap();
                writer.below(n + 1, v % (n + 1)).unwrap();
            }
            let len = writer.len();
            let mut copied = [0xff; 200];
            let mut reader = BitReader::new(&out[..len]);
            for &(n, v) in &list {
                prop_assert_eq!(reader.bits(n).unwrap(), if n == 0 { 0 } else { v << (32 - n) >> (32 - n) });
                prop_assert_eq!(reader.below(n + 1).unwrap(), v % (n + 1));
            }
            let bits = reader.position();
            prop_assert_eq!(bits.div_ceil(8), len);
            let mut copier = BitWriter::new(&mut copied);
            copier.copy(&mut BitReader::new(&out), bits).unwrap();
            prop_assert_eq!(&copied[..len], &out[..len]);
        }
    }

    #[test]
    fn numbers_below_five_as_the_specification_lists_them() {
        for (value, bits) in [(0, 0b000), (1, 0b010), (2, 0b100), (3, 0b110), (4, 0b111)] {
            assert_eq!(BitReader::new(&[bits << 5]).below(5), Ok(value));
        }
        assert_eq!(BitReader::new(&[]).below(1), Ok(0));
    }

    #[test]
    fn exp_golomb_numbers_as_h264_table_9_2_lists_them() {
        for (bits, value, signed) in [(0x80, 0, 0), (0x40, 1, 1), (0x60, 2, -1), (0x20, 3, 2), (0x38, 6, -3)]
        {
            assert_eq!(BitReader::new(&[bits]).golomb(), Ok(value));
            assert_eq!(BitReader::new(&[bits]).signed_golomb(), Ok(signed));
        }
        assert_eq!(BitReader::new(&[0; 9]).golomb(), Err(Error::Value));
        assert_eq!(BitReader::new(&[0, 1]).golomb(), Err(Error::Descriptor));
        assert_eq!(BitReader::new(&[0, 0, 0, 1, 255, 255, 255, 254]).golomb(), Ok(u32::MAX - 1));
    }
}
