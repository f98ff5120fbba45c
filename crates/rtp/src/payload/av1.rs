//! AV1 in RTP (the AV1 RTP specification of the Alliance for Open Media; the bitstream is AV1's own).
//!
//! What a frame needs and who needs it does not stand here, but in the
//! [dependency descriptor](crate::extension::descriptor) beside it.

mod sequence;

pub use sequence::SequenceHeader;

use crate::{Error, TooSmall, leb128};
use bytes::BufMut;

/// Bits of the aggregation header (AV1 RTP specification §4.4).
const Z: u8 = 0x80;
const Y: u8 = 0x40;
const N: u8 = 0x08;

/// OBU types (AV1 §6.2.2).
const SEQUENCE_HEADER: u8 = 1;

/// A payload: an aggregation header, then OBUs and parts of OBUs (AV1 RTP specification §4.4, §4.5).
///
/// ```text
/// |Z|Y| W |N|-|-|-| [length] OBU or part | … | [length] OBU or part |
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Av1Payload<'a> {
    head: u8,
    elements: &'a [u8],
}

impl<'a> Av1Payload<'a> {
    /// Reads a payload. [`Error::Descriptor`] if an element runs past its end or if fewer stand there than are announced;
    /// [`Error::TooShort`] without an element; [`Error::Value`] if it both starts a coded video sequence and continues an OBU.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        let (&head, elements) = payload.split_first().ok_or(Error::TooShort)?;
        if elements.is_empty() {
            return Err(Error::TooShort);
        }
        if head & (Z | N) == Z | N {
            return Err(Error::Value);
        }
        let out = Self { head, elements };
        let mut walk = out.walk();
        while walk.next()?.is_some() {}
        Ok(out)
    }

    /// N: the first packet of a coded video sequence, hence of a key frame.
    pub const fn is_key(&self) -> bool {
        self.head & N != 0
    }

    /// Z: it begins in the middle of an OBU.
    pub const fn continues(&self) -> bool {
        self.head & Z != 0
    }

    /// Y: its last OBU goes on in the next packet.
    pub const fn is_continued(&self) -> bool {
        self.head & Y != 0
    }

    /// The OBUs and parts of OBUs, in order; at most one for each byte.
    pub fn parts(&self) -> impl Iterator<Item = ObuPart<'a>> + use<'a> {
        let mut walk = self.walk();
        // All of it was checked before: an error is its end.
        core::iter::from_fn(move || walk.next().ok().flatten())
    }

    /// The layer of the packet: that of any OBU in it that names one (AV1 RTP specification §6).
    pub fn layer(&self) -> Option<Av1Layer> {
        self.parts().find_map(|p| p.header()?.layer)
    }

    /// The sequence header that it holds whole, if any and if it can be read.
    pub fn sequence_header(&self) -> Option<SequenceHeader> {
        self.parts().filter(|p| p.end).find_map(|p| {
            let header = p.header().filter(|h| h.kind == SEQUENCE_HEADER)?;
            SequenceHeader::parse(p.data.get(header.len..)?).ok()
        })
    }

    fn walk(&self) -> Walk<'a> {
        Walk { head: self.head, rest: self.elements, taken: 0 }
    }

    /// Writes a payload of OBUs, each with its header: whether it starts a coded video sequence, whether the first one is the
    /// continuation of an OBU and whether the last one will be continued. Lengths have their shortest form, and the last
    /// has none where there are at most three. Nothing is written for no element.
    pub fn write(
        starts_sequence: bool,
        continues: bool,
        is_continued: bool,
        elements: &[&[u8]],
        out: &mut impl BufMut,
    ) -> Result<(), TooSmall> {
        let Some((last, others)) = elements.split_last() else { return Ok(()) };
        let counted = elements.len() <= 3 && !last.is_empty();
        let size = |e: &[u8]| u32::try_from(e.len()).map(|n| leb128::len(n) + e.len()).map_err(|_| TooSmall);
        let mut len = 1 + if counted { last.len() } else { size(last)? };
        for e in others {
            len += size(e)?;
        }
        if out.remaining_mut() < len {
            return Err(TooSmall);
        }
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let count = if counted { (elements.len() as u8) << 4 } else { 0 };
        out.put_u8(flag(continues, Z) | flag(is_continued, Y) | count | flag(starts_sequence, N));
        for e in others {
            leb128::write(e.len() as u32, out);
            out.put_slice(e);
        }
        if !counted {
            leb128::write(last.len() as u32, out);
        }
        out.put_slice(last);
        Ok(())
    }
}

/// An OBU, or a part of one that began in an earlier packet or goes on in a later one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObuPart<'a> {
    /// Its bytes, the header included where it begins here.
    pub data: &'a [u8],
    /// The OBU begins here.
    pub start: bool,
    /// The OBU ends here.
    pub end: bool,
}

impl ObuPart<'_> {
    /// Its header, where it begins here; `None` too where the header is not whole or breaks the rules of AV1.
    pub fn header(&self) -> Option<ObuHeader> {
        if self.start { ObuHeader::parse(self.data).ok() } else { None }
    }
}

/// The header of an OBU (AV1 §5.3.2, §5.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObuHeader {
    /// `obu_type`: 1 sequence header, 3 frame header, 4 tile group, 6 frame … (AV1 §6.2.2).
    pub kind: u8,
    /// The layer, if the header has its extension.
    pub layer: Option<Av1Layer>,
    /// Bytes of the header, with the size behind it if there is one.
    len: usize,
}

/// Which layers an OBU belongs to (AV1 §5.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Av1Layer {
    /// `temporal_id`: 0 to 7.
    pub temporal: u8,
    /// `spatial_id`: 0 to 3.
    pub spatial: u8,
}

impl ObuHeader {
    fn parse(obu: &[u8]) -> Result<Self, Error> {
        let (&first, mut rest) = obu.split_first().ok_or(Error::Descriptor)?;
        if first & 0x80 != 0 {
            return Err(Error::Value);
        }
        let mut layer = None;
        if first & 0x04 != 0 {
            let (&ext, after) = rest.split_first().ok_or(Error::Descriptor)?;
            layer = Some(Av1Layer { temporal: ext >> 5, spatial: ext >> 3 & 3 });
            rest = after;
        }
        if first & 0x02 != 0 {
            // obu_size, which the payload format makes superfluous (AV1 RTP specification §4.5).
            (_, rest) = leb128::split(rest)?;
        }
        Ok(Self { kind: first >> 3 & 0x0f, layer, len: obu.len() - rest.len() })
    }
}

/// The walk over a payload's elements.
struct Walk<'a> {
    head: u8,
    rest: &'a [u8],
    taken: usize,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Result<Option<ObuPart<'a>>, Error> {
        let announced = usize::from(self.head >> 4 & 3);
        if if announced == 0 { self.rest.is_empty() } else { self.taken == announced } {
            return Ok(None);
        }
        let last_of_announced = self.taken + 1 == announced;
        let data;
        if last_of_announced {
            // The last of those announced has no length: it is what remains (§4.4), which must be something.
            if self.rest.is_empty() {
                return Err(Error::Descriptor);
            }
            (data, self.rest) = (self.rest, &[]);
        } else {
            let (len, rest) = leb128::split(self.rest)?;
            let len = usize::try_from(len).map_err(|_| Error::Descriptor)?;
            (data, self.rest) = rest.split_at_checked(len).ok_or(Error::Descriptor)?;
        }
        let is_last = last_of_announced || announced == 0 && self.rest.is_empty();
        let start = self.taken > 0 || self.head & Z == 0;
        let end = !is_last || self.head & Y == 0;
        self.taken += 1;
        Ok(Some(ObuPart { data, start, end }))
    }
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
            elements in vec(vec(any::<u8>(), 0..200), 1..6), key: bool, z: bool, y: bool,
        ) {
            let list: Vec<&[u8]> = elements.iter().map(|e| &e[..]).collect();
            let z = z && !key;
            let mut out = Vec::new();
            Av1Payload::write(key, z, y, &list, &mut out).unwrap();
            let p = Av1Payload::parse(&out).unwrap();
            prop_assert_eq!((p.is_key(), p.continues(), p.is_continued()), (key, z, y));
            let n = list.len();
            let expected: Vec<_> = list.iter().enumerate()
                .map(|(i, &data)| ObuPart { data, start: i > 0 || !z, end: i + 1 < n || !y }).collect();
            prop_assert_eq!(p.parts().collect::<Vec<_>>(), expected);
            let short = &mut std::vec![0; out.len() - 1][..];
            prop_assert_eq!(Av1Payload::write(key, z, y, &list, &mut &mut *short), Err(TooSmall));
        }

        /// What is read is written in a form that is not longer, and reads the same.
        #[test]
        fn any_payload(bytes in vec(prop_oneof![2 => 0u8..8, 1 => any::<u8>()], 0..80)) {
            let Ok(p) = Av1Payload::parse(&bytes) else { return Ok(()) };
            let (parts, _, _) = (p.parts().collect::<Vec<_>>(), p.layer(), p.sequence_header());
            let list: Vec<&[u8]> = parts.iter().map(|p| p.data).collect();
            let mut out = Vec::new();
            Av1Payload::write(p.is_key(), p.continues(), p.is_continued(), &list, &mut out).unwrap();
            prop_assert!(out.len() <= bytes.len());
            prop_assert_eq!(Av1Payload::parse(&out).unwrap().parts().collect::<Vec<_>>(), parts);
        }
    }

    #[test]
    fn a_sequence_header_and_a_frame_with_its_layer() {
        // Two elements: a sequence header (main, level 4.0, 640 × 360), a frame of temporal layer 1.
        let sequence = [0x08, 0x00, 0x00, 0x00, 0x42, 0x62, 0x7f, 0xb3, 0x80];
        let payload = [&[0x28, sequence.len() as u8][..], &sequence, &[0x34, 0x20, 1, 2, 3]].concat();
        let p = Av1Payload::parse(&payload).unwrap();
        assert!(p.is_key() && !p.continues() && !p.is_continued());
        let kinds: Vec<_> = p.parts().map(|o| o.header().map(|h| h.kind)).collect();
        assert_eq!(kinds, [Some(1), Some(6)]);
        assert_eq!(p.layer(), Some(Av1Layer { temporal: 1, spatial: 0 }));
        assert_eq!(p.sequence_header().map(|h| (h.width, h.height, h.level)), Some((640, 360, 8)));
    }

    #[test]
    fn what_runs_past_the_end_is_an_error() {
        assert_eq!(Av1Payload::parse(&[0x10]), Err(Error::TooShort));
        assert_eq!(Av1Payload::parse(&[0x88, 1]), Err(Error::Value));
        assert_eq!(Av1Payload::parse(&[0x00, 3, 1, 2]), Err(Error::Descriptor));
        // Two are announced, one stands there with its length, and then nothing.
        assert_eq!(Av1Payload::parse(&[0x20, 1, 9]), Err(Error::Descriptor));
        assert_eq!(Av1Payload::parse(&[0x20, 1, 9, 8]).unwrap().parts().count(), 2);
        // The header of a later fragment is not there.
        let later = Av1Payload::parse(&[0x90, 0x34, 0x20]).unwrap();
        assert_eq!((later.parts().next().unwrap().header(), later.layer()), (None, None));
    }
}
