//! Redundant audio data (RFC 2198): earlier sounds again, before the one that is new.

use super::WriteError;
use crate::{Error, Pt};
use bytes::BufMut;

/// One block of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedBlock<'a> {
    /// The payload type of what it holds.
    pub pt: Pt,
    /// How many ticks before the packet's timestamp it belongs: 0 to 16,383, 0 for the primary.
    pub offset: u16,
    /// What it holds: at most 1,023 bytes unless it is the primary.
    pub data: &'a [u8],
}

/// A redundant payload (RFC 2198 §3): any number of older blocks, then the primary.
///
/// ```text
/// |1|  PT | offset 14 | length 10 | … |0|  PT | data … | primary … |
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Red<'a> {
    heads: &'a [u8],
    data: &'a [u8],
    primary: RedBlock<'a>,
}

impl<'a> Red<'a> {
    /// Reads a payload: [`Error::Descriptor`] if a header or a block runs past its end.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        let (mut rest, mut redundant) = (payload, 0);
        let last = loop {
            match *rest {
                [first, b, c, d, ref after @ ..] if first & 0x80 != 0 => {
                    redundant += usize::from(read_head([first, b, c, d]).2);
                    rest = after;
                }
                [last, ref after @ ..] if last & 0x80 == 0 => {
                    rest = after;
                    break last;
                }
                _ => return Err(Error::Descriptor),
            }
        };
        let (data, primary) = rest.split_at_checked(redundant).ok_or(Error::Descriptor)?;
        let heads = payload.get(..payload.len() - rest.len() - 1).ok_or(Error::Descriptor)?;
        Ok(Self { heads, data, primary: RedBlock { pt: Pt::from_header(last), offset: 0, data: primary } })
    }

    /// What is new.
    pub const fn primary(&self) -> RedBlock<'a> {
        self.primary
    }

    /// What was sent before, in the order of the payload: the oldest first, if the sender keeps to custom. At most one for
    /// each four bytes.
    pub fn redundant(&self) -> impl Iterator<Item = RedBlock<'a>> + use<'a> {
        let mut data = self.data;
        self.heads.chunks_exact(4).map_while(move |h| {
            let (pt, offset, len) = read_head([h[0], h[1], h[2], h[3]]);
            let (block, after) = data.split_at_checked(usize::from(len))?;
            data = after;
            Some(RedBlock { pt, offset, data: block })
        })
    }

    /// Writes a payload. [`WriteError::Unsayable`] for an offset above 14 bits or a redundant block above 1,023 bytes.
    pub fn write(
        redundant: &[RedBlock<'_>],
        pt: Pt,
        primary: &[u8],
        out: &mut impl BufMut,
    ) -> Result<(), WriteError> {
        if redundant.iter().any(|b| b.offset >= 1 << 14 || b.data.len() >= 1 << 10) {
            return Err(WriteError::Unsayable);
        }
        let len = redundant.iter().map(|b| 4 + b.data.len()).sum::<usize>() + 1 + primary.len();
        if out.remaining_mut() < len {
            return Err(WriteError::TooSmall);
        }
        for b in redundant {
            out.put_u8(0x80 | b.pt.get());
            let [_, x, y, z] = (u32::from(b.offset) << 10 | b.data.len() as u32).to_be_bytes();
            out.put_slice(&[x, y, z]);
        }
        out.put_u8(pt.get());
        for b in redundant {
            out.put_slice(b.data);
        }
        out.put_slice(primary);
        Ok(())
    }
}

/// Payload type, offset, length (RFC 2198 §3).
fn read_head(head: [u8; 4]) -> (Pt, u16, u16) {
    let word = u32::from_be_bytes(head);
    (Pt::from_header(head[0]), (word >> 10 & 0x3fff) as u16, (word & 0x3ff) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(
            list in vec((0u8..128, 0u16..1 << 14, vec(any::<u8>(), 0..40)), 0..6),
            pt in 0u8..128, primary in vec(any::<u8>(), 0..40),
        ) {
            let blocks: Vec<_> = list.iter()
                .map(|(pt, offset, data)| RedBlock { pt: Pt::new(*pt).unwrap(), offset: *offset, data }).collect();
            let mut out = Vec::new();
            Red::write(&blocks, Pt::new(pt).unwrap(), &primary, &mut out).unwrap();
            let red = Red::parse(&out).unwrap();
            prop_assert_eq!(red.redundant().collect::<Vec<_>>(), blocks.clone());
            prop_assert_eq!(red.primary(), RedBlock { pt: Pt::new(pt).unwrap(), offset: 0, data: &primary });
            let short = &mut std::vec![0; out.len() - 1][..];
            prop_assert_eq!(Red::write(&blocks, Pt::new(pt).unwrap(), &primary, &mut &mut *short), Err(WriteError::TooSmall));
        }

        /// A payload that is read is written as the same bytes: there is one form only.
        #[test]
        fn any_payload(bytes in vec(prop_oneof![1 => 0u8..4, 1 => any::<u8>()], 0..60)) {
            if let Ok(red) = Red::parse(&bytes) {
                let blocks: Vec<_> = red.redundant().collect();
                let mut out = Vec::new();
                Red::write(&blocks, red.primary().pt, red.primary().data, &mut out).unwrap();
                prop_assert_eq!(out, bytes);
            }
        }
    }

    #[test]
    fn the_example_of_two_blocks() {
        let bytes = [0x80 | 111, 0x0f, 0x00, 0x02, 111, 1, 2, 3];
        let red = Red::parse(&bytes).unwrap();
        let old = red.redundant().next().unwrap();
        assert_eq!((old.offset, old.data, red.primary().data), (960, &[1, 2][..], &[3][..]));
        assert_eq!(Red::parse(&bytes[..6]), Err(Error::Descriptor));
        assert_eq!(Red::parse(&[0x80 | 111, 0, 0]), Err(Error::Descriptor));
        assert_eq!(Red::parse(&[]), Err(Error::Descriptor));
        let long = RedBlock { pt: Pt::new(1).unwrap(), offset: 1 << 14, data: &[] };
        assert_eq!(Red::write(&[long], long.pt, &[], &mut Vec::new()), Err(WriteError::Unsayable));
    }
}
