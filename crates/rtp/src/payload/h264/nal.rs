//! NAL units in payloads and out of them.

use super::{FU_A, STAP_A};
use crate::{Error, TooSmall};
use bytes::BufMut;

/// A NAL unit or a part of one, as a payload holds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NalPart<'a> {
    /// The unit's header: forbidden bit, `nal_ref_idc`, type (RFC 6184 §1.3). A fragment's is put together from its two bytes.
    pub header: u8,
    /// What stands after the header.
    pub body: &'a [u8],
    /// The unit begins here.
    pub start: bool,
    /// The unit ends here.
    pub end: bool,
}

impl<'a> NalPart<'a> {
    /// `nal_unit_type`: 1 to 23.
    pub const fn kind(&self) -> u8 {
        self.header & 0x1f
    }

    /// `nal_ref_idc`: 0 to 3; other pictures may refer to this one unless it is 0.
    pub const fn reference(&self) -> u8 {
        self.header >> 5 & 3
    }

    fn whole(nal: &'a [u8]) -> Option<Self> {
        let (&header, body) = nal.split_first()?;
        Some(Self { header, body, start: true, end: true })
    }
}

/// The NAL units of a payload, in order: one, those of an aggregate, or a fragment. Empty units in an aggregate are left out.
#[derive(Clone, Debug)]
pub struct NalParts<'a> {
    first: Option<NalPart<'a>>,
    /// Units each behind a 16-bit size.
    aggregate: &'a [u8],
}

impl<'a> NalParts<'a> {
    /// Checks a payload as [`H264Payload::parse`](super::H264Payload::parse) does.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        let (&header, body) = payload.split_first().ok_or(Error::TooShort)?;
        match header & 0x1f {
            1..=23 => Ok(Self { first: NalPart::whole(payload), aggregate: &[] }),
            STAP_A => {
                let (_, mut rest) = split(body)?;
                while !rest.is_empty() {
                    (_, rest) = split(rest)?;
                }
                Ok(Self { first: None, aggregate: body })
            }
            FU_A => {
                let (&fu, body) = body.split_first().ok_or(Error::Descriptor)?;
                let header = header & 0xe0 | fu & 0x1f;
                // One fragment that is both ends is forbidden (RFC 6184 §5.8), yet says clearly what it is: a whole unit.
                let part = NalPart { header, body, start: fu & 0x80 != 0, end: fu & 0x40 != 0 };
                Ok(Self { first: Some(part), aggregate: &[] })
            }
            _ => Err(Error::Value),
        }
    }
}

impl<'a> Iterator for NalParts<'a> {
    type Item = NalPart<'a>;

    fn next(&mut self) -> Option<NalPart<'a>> {
        if let Some(part) = self.first.take() {
            return Some(part);
        }
        loop {
            // All of it was checked before: an error is its end.
            let (nal, rest) = split(self.aggregate).ok()?;
            self.aggregate = rest;
            if let Some(part) = NalPart::whole(nal) {
                return Some(part);
            }
        }
    }
}

/// The next unit of an aggregate and what follows it (RFC 6184 §5.7.1).
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let (&size, rest) = bytes.split_first_chunk().ok_or(Error::Descriptor)?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(size))).ok_or(Error::Descriptor)
}

/// Writes NAL units, each with its header, as one STAP-A payload (RFC 6184 §5.7.1). [`TooSmall`], and nothing written, if
/// there is no room, or a unit is longer than 65,535 bytes; nothing for no unit.
pub fn write_aggregate(nals: &[&[u8]], out: &mut impl BufMut) -> Result<(), TooSmall> {
    let len = 1 + nals.iter().map(|n| 2 + n.len()).sum::<usize>();
    if out.remaining_mut() < len || nals.iter().any(|n| n.len() > usize::from(u16::MAX)) {
        return Err(TooSmall);
    }
    let headers = || nals.iter().filter_map(|n| n.first());
    if nals.is_empty() {
        return Ok(());
    }
    // The forbidden bit of any, the highest nal_ref_idc of all (§5.3, §5.7).
    let forbidden = headers().fold(0, |f, h| f | h & 0x80);
    let reference = headers().map(|h| h & 0x60).max().unwrap_or(0);
    out.put_u8(forbidden | reference | STAP_A);
    for nal in nals {
        out.put_u16(nal.len() as u16);
        out.put_slice(nal);
    }
    Ok(())
}

/// Cuts a NAL unit into the payloads of FU-A (RFC 6184 §5.8): the two bytes that each begins with, and what follows them.
#[derive(Clone, Debug)]
pub struct Fragments<'a> {
    header: u8,
    rest: &'a [u8],
    room: usize,
    start: bool,
}

impl<'a> Fragments<'a> {
    /// `nal` with its header, into payloads of at most `max` bytes. `None` if it would be one payload only, which FU-A must
    /// not be: a unit that fits travels as it is; and if `max` leaves no room beside the two bytes.
    pub fn new(nal: &'a [u8], max: usize) -> Option<Self> {
        let (&header, rest) = nal.split_first()?;
        let room = max.checked_sub(2).filter(|r| *r > 0)?;
        (rest.len() > room).then_some(Self { header, rest, room, start: true })
    }
}

impl<'a> Iterator for Fragments<'a> {
    type Item = ([u8; 2], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (part, rest) = self.rest.split_at(self.rest.len().min(self.room));
        self.rest = rest;
        let start = core::mem::take(&mut self.start);
        let edges = u8::from(start) << 7 | u8::from(rest.is_empty()) << 6;
        Some(([self.header & 0xe0 | FU_A, edges | self.header & 0x1f], part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::h264::H264Payload;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn nal() -> impl Strategy<Value = Vec<u8>> {
        (0u8..4, 1u8..24, vec(any::<u8>(), 0..60))
            .prop_map(|(r, kind, body)| [&[r << 5 | kind][..], &body].concat())
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn aggregates_are_read_back(nals in vec(nal(), 1..6)) {
            let list: Vec<&[u8]> = nals.iter().map(|n| &n[..]).collect();
            let mut out = Vec::new();
            write_aggregate(&list, &mut out).unwrap();
            let read: Vec<_> = NalParts::parse(&out).unwrap().map(|p| [&[p.header][..], p.body].concat()).collect();
            prop_assert_eq!(&read, &nals);
            prop_assert!(H264Payload::parse(&out).unwrap().reference == nals.iter().any(|n| n[0] & 0x60 != 0));
            prop_assert_eq!(write_aggregate(&list, &mut &mut std::vec![0; out.len() - 1][..]), Err(TooSmall));
        }

        #[test]
        fn fragments_make_their_unit_again(nal in nal(), max in 0usize..40) {
            let Some(fragments) = Fragments::new(&nal, max) else {
                prop_assert!(nal.len() - 1 + 2 <= max || max < 3);
                return Ok(());
            };
            let (mut again, mut edges) = (std::vec![nal[0]], Vec::new());
            for (head, body) in fragments {
                let payload = [&head[..], body].concat();
                prop_assert!(payload.len() <= max);
                let parts: Vec<_> = NalParts::parse(&payload).unwrap().collect();
                prop_assert!(parts.len() == 1 && parts[0].header == nal[0]);
                again.extend(parts[0].body);
                edges.push((parts[0].start, parts[0].end));
                prop_assert!(H264Payload::parse(&payload).is_ok());
            }
            prop_assert_eq!(again, nal);
            let n = edges.len();
            prop_assert!(n > 1 && edges.iter().enumerate().all(|(i, &e)| e == (i == 0, i == n - 1)));
        }

        #[test]
        fn any_payload(bytes in vec(any::<u8>(), 0..60), first in prop::sample::select(std::vec![0x78u8, 0x7c, 0x65])) {
            for payload in [&bytes[..], &[&[first][..], &bytes].concat()] {
                if let Ok(parts) = NalParts::parse(payload) {
                    prop_assert!(H264Payload::parse(payload).is_ok());
                    let total: usize = parts.map(|p| 1 + p.body.len()).sum();
                    prop_assert!(total <= payload.len());
                }
            }
        }
    }
}
