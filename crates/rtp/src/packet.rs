//! A received RTP packet, as a view of its bytes.

use crate::extension::Elements;
use crate::{Error, Pt, RtpTime, Seq, Ssrc};

/// Length of the fixed header (RFC 3550 §5.1).
const FIXED: usize = 12;

/// A view of an RTP packet (RFC 3550 §5.1). Every length was checked by [`Packet::parse`]; no accessor can fail.
///
/// ```text
/// | fixed 12 | CSRC 4 × cc | extension header 4 + body | payload | padding |
///            12           csrc_end              header_end   payload_end
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    csrc_end: usize,
    header_end: usize,
    payload_end: usize,
}

impl<'a> Packet<'a> {
    /// Reads the header of a decrypted packet.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let fixed: &[u8; FIXED] = bytes.first_chunk().ok_or(Error::TooShort)?;
        if fixed[0] >> 6 != 2 {
            return Err(Error::Version);
        }
        let csrc_end = FIXED + 4 * usize::from(fixed[0] & 0x0f);
        let mut header_end = csrc_end;
        if fixed[0] & 0x10 != 0 {
            let head: &[u8; 4] =
                bytes.get(csrc_end..).and_then(<[u8]>::first_chunk).ok_or(Error::HeaderOverrun)?;
            header_end += 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        }
        if header_end > bytes.len() {
            return Err(Error::HeaderOverrun);
        }
        let mut payload_end = bytes.len();
        if fixed[0] & 0x20 != 0 {
            // The last octet counts the padding, itself included (RFC 3550 §5.1): 0 says nothing that can be true.
            let count = usize::from(*bytes.last().ok_or(Error::TooShort)?);
            if count == 0 || count > payload_end - header_end {
                return Err(Error::Padding);
            }
            payload_end -= count;
        }
        Ok(Self { bytes, csrc_end, header_end, payload_end })
    }

    /// Where its parts end, for [`Packet::trusted`].
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) const fn ends(&self) -> [usize; 3] {
        [self.csrc_end, self.header_end, self.payload_end]
    }

    /// A packet over the bytes, or a copy of them, whose ends were found before.
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) const fn trusted(bytes: &'a [u8], ends: [usize; 3]) -> Self {
        let [csrc_end, header_end, payload_end] = ends;
        Self { bytes, csrc_end, header_end, payload_end }
    }

    /// The marker bit.
    #[inline]
    pub fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }

    /// The payload type.
    #[inline]
    pub fn pt(&self) -> Pt {
        Pt::from_header(self.bytes[1])
    }

    /// The sequence number.
    #[inline]
    pub fn seq(&self) -> Seq {
        Seq(u16::from_be_bytes([self.bytes[2], self.bytes[3]]))
    }

    /// The timestamp.
    #[inline]
    pub fn timestamp(&self) -> RtpTime {
        RtpTime(u32::from_be_bytes([self.bytes[4], self.bytes[5], self.bytes[6], self.bytes[7]]))
    }

    /// The synchronisation source.
    #[inline]
    pub fn ssrc(&self) -> Ssrc {
        Ssrc(u32::from_be_bytes([self.bytes[8], self.bytes[9], self.bytes[10], self.bytes[11]]))
    }

    /// The contributing sources, in order.
    #[inline]
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        self.bytes[FIXED..self.csrc_end]
            .chunks_exact(4)
            .map(|c| Ssrc(u32::from_be_bytes([c[0], c[1], c[2], c[3]])))
    }

    /// The header extension's elements (RFC 8285): none if there is no extension or its profile is another one.
    /// An element that runs past the block ends the walk, as in the browsers.
    #[inline]
    pub fn extensions(&self) -> Elements<'a> {
        let (profile, body) = self.extension_block().unwrap_or((0, &[]));
        Elements::new(profile, body)
    }

    /// The header extension as it stands there, of whatever form: its profile (RFC 3550 §5.3.1) and its body.
    #[inline]
    pub fn extension_block(&self) -> Option<(u16, &'a [u8])> {
        let bytes = self.bytes;
        match bytes.get(self.csrc_end..self.header_end) {
            Some([p0, p1, _, _, body @ ..]) => Some((u16::from_be_bytes([*p0, *p1]), body)),
            _ => None,
        }
    }

    /// The whole header: fixed part, CSRCs, extension.
    #[inline]
    pub fn header(&self) -> &'a [u8] {
        let bytes = self.bytes;
        &bytes[..self.header_end]
    }

    /// The payload without padding.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        let bytes = self.bytes;
        &bytes[self.header_end..self.payload_end]
    }

    /// Bytes of padding, the count included: 0 to 255.
    #[inline]
    pub fn padding(&self) -> usize {
        self.bytes.len() - self.payload_end
    }

    /// The packet as it was given.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn header(first: u8) -> Vec<u8> {
        let mut p = std::vec![first, 0xe0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 7];
        p.extend((0..first & 15).flat_map(|i| [0, 0, 0, i]));
        p
    }

    #[test]
    fn every_padding_count_against_every_payload_length() {
        for count in 0..=255u8 {
            for payload in 0..=300usize {
                let mut p = header(0xa0);
                p.extend(core::iter::repeat_n(0, payload));
                if let Some(last) = p.get_mut(12..).and_then(<[u8]>::last_mut) {
                    *last = count;
                }
                match Packet::parse(&p) {
                    Ok(v) => {
                        assert!(count > 0 && usize::from(count) <= payload);
                        assert_eq!(v.payload().len() + v.padding(), payload);
                    }
                    Err(e) => {
                        assert_eq!(e, Error::Padding);
                        assert!(payload == 0 || count == 0 || usize::from(count) > payload);
                    }
                }
            }
        }
    }

    #[test]
    fn an_extension_length_past_the_end_is_an_overrun() {
        let mut p = header(0x92);
        p.extend([0xbe, 0xde, 0, 2, 0, 0, 0, 0]);
        assert_eq!(Packet::parse(&p).unwrap_err(), Error::HeaderOverrun);
        p.extend([0; 4]);
        let v = Packet::parse(&p).unwrap();
        assert_eq!(v.csrcs().collect::<Vec<_>>(), [Ssrc(0), Ssrc(1)]);
        assert!(v.payload().is_empty());
        for n in 0..p.len() {
            assert!(Packet::parse(&p[..n]).is_err());
        }
    }
}
