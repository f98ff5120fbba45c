//! Numbers of seven bits a byte.

use crate::Error;
use bytes::BufMut;

/// Splits a number off (AV1 §4.10.5): the lowest seven bits first, each byte but the last with its top bit set, at most
/// eight bytes and 32 bits.
pub(crate) fn split(bytes: &[u8]) -> Result<(u32, &[u8]), Error> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(8) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let rest = bytes.get(i + 1..).unwrap_or(&[]);
            return Ok((u32::try_from(value).map_err(|_| Error::Value)?, rest));
        }
    }
    Err(if bytes.len() < 8 { Error::Descriptor } else { Error::Value })
}

/// Bytes that the shortest form of a number takes: 1 to 5.
pub(crate) const fn len(value: u32) -> usize {
    // Zero has one byte too.
    (32 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Writes the shortest form; the caller has made room.
pub(crate) fn write(mut value: u32, out: &mut impl BufMut) {
    while value > 0x7f {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(value in prop_oneof![any::<u32>(), 0u32..300, (0u32..32).prop_map(|n| u32::MAX >> n)]) {
            let mut out = Vec::new();
            write(value, &mut out);
            prop_assert_eq!(out.len(), len(value));
            prop_assert_eq!(split(&out), Ok((value, &[][..])));
            prop_assert_eq!(split(&out[..out.len() - 1]), Err(Error::Descriptor));
        }
    }

    #[test]
    fn longer_forms_are_read_and_larger_numbers_refused() {
        assert_eq!(split(&[0x85, 0x80, 0x00, 9]), Ok((5, &[9][..])));
        assert_eq!(split(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Ok((0, &[][..])));
        assert_eq!(split(&[0x80; 9]), Err(Error::Value));
        assert_eq!(split(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(Error::Value));
    }
}
