//! H.264 in RTP, packetization modes 0 and 1 (RFC 6184).

mod nal;
mod sps;

pub use nal::{Fragments, NalPart, NalParts, write_aggregate};
pub use sps::Sps;

use crate::Error;

/// NAL unit types (RFC 6184 table 1, H.264 table 7-1).
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// What a payload says about its frame. There is no frame number in it: a frame also starts where the timestamp changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct H264Payload {
    /// Holds a sequence parameter set: where a switch must start, for the decoder needs it before the picture.
    pub sps: bool,
    /// Holds a picture parameter set.
    pub pps: bool,
    /// Holds a slice of an instantaneous decoder refresh picture, or a fragment of one (any fragment).
    pub idr: bool,
    /// No slice of the same frame came before it: starts with a NAL unit that H.264 §7.4.1.2.3 puts before the first slice
    /// (delimiter, parameter sets, SEI, prefix), or with the slice that begins at the first macroblock. (Parameter sets in
    /// a packet of their own may have come before: the change of timestamp decides where a frame starts.)
    pub first: bool,
    /// Starts a NAL unit: every form but the later fragments of an FU-A.
    pub nal_start: bool,
    /// Some NAL unit in it may be referred to (`nal_ref_idc` not zero).
    pub reference: bool,
}

impl H264Payload {
    /// Reads a payload: a single NAL unit, STAP-A or FU-A. An STAP-A whose sizes do not fit is an error, as is a NAL unit
    /// type of the interleaved mode (25 to 27, 29) or without meaning (0, 30, 31).
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let (&header, body) = payload.split_first().ok_or(Error::TooShort)?;
        match header & 0x1f {
            1..=23 => {
                let mut out = Self { nal_start: true, ..Self::default() };
                out.take(payload, true);
                Ok(out)
            }
            STAP_A => Self::parse_aggregate(body),
            FU_A => Self::parse_fragment(header, body),
            _ => Err(Error::Value),
        }
    }

    /// Whether a decoder can start here or soon after: a parameter set or a slice of a refresh picture.
    pub const fn is_key(&self) -> bool {
        self.sps || self.idr
    }

    /// Units each behind a 16-bit size (RFC 6184 §5.7.1).
    fn parse_aggregate(mut rest: &[u8]) -> Result<Self, Error> {
        let mut out = Self { nal_start: true, ..Self::default() };
        let mut first = true;
        while let Some((&size, after)) = rest.split_first_chunk() {
            let size = usize::from(u16::from_be_bytes(size));
            let (nal, after) = after.split_at_checked(size).ok_or(Error::Descriptor)?;
            out.take(nal, first);
            first = false;
            rest = after;
        }
        // One byte over is a broken size field; nothing at all is an empty aggregate.
        if first || !rest.is_empty() { Err(Error::Descriptor) } else { Ok(out) }
    }

    /// A fragment: the unit's own type stands in the second byte (RFC 6184 §5.8).
    fn parse_fragment(indicator: u8, body: &[u8]) -> Result<Self, Error> {
        let (&fu, rest) = body.split_first().ok_or(Error::Descriptor)?;
        let start = fu & 0x80 != 0;
        let kind = fu & 0x1f;
        let reference = indicator & 0x60 != 0;
        Ok(Self {
            sps: start && kind == SPS,
            pps: start && kind == PPS,
            idr: kind == IDR,
            first: start && opens_frame(kind, rest),
            nal_start: start,
            reference,
        })
    }

    fn take(&mut self, nal: &[u8], first: bool) {
        let Some((&header, rest)) = nal.split_first() else { return };
        let kind = header & 0x1f;
        self.sps |= kind == SPS;
        self.pps |= kind == PPS;
        self.idr |= kind == IDR;
        self.reference |= header & 0x60 != 0;
        if first {
            self.first = opens_frame(kind, rest);
        }
    }
}

/// Whether no slice of its access unit stands before a NAL unit of this type, with these bytes after its header.
fn opens_frame(kind: u8, rest: &[u8]) -> bool {
    match kind {
        // SEI, SPS, PPS, delimiter, and 14 to 18 stand before the first slice (H.264 §7.4.1.2.3).
        6..=9 | 14..=18 => true,
        // first_mb_in_slice is an Exp-Golomb number: a leading 1 bit is zero (H.264 §7.3.3, §9.1).
        1 | 2 | IDR => rest.first().is_some_and(|b| b & 0x80 != 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameter_sets_and_refresh_pictures_are_keys_in_every_form() {
        let sps = H264Payload::parse(&[0x67, 0x42, 0, 0x1f]).unwrap();
        assert!(sps.sps && sps.is_key() && sps.first && sps.reference && !sps.idr);
        let stap = H264Payload::parse(&[0x78, 0, 2, 0x67, 1, 0, 1, 0x68, 0, 2, 0x65, 0x88]).unwrap();
        assert!(stap.sps && stap.pps && stap.idr && stap.first && stap.nal_start);
        let fu = H264Payload::parse(&[0x7c, 0x85, 0x88]).unwrap();
        assert!(fu.idr && fu.first && fu.nal_start);
        let later = H264Payload::parse(&[0x7c, 0x05, 0x88]).unwrap();
        assert!(later.idr && !later.first && !later.nal_start);
        let second_slice = H264Payload::parse(&[0x65, 0x48]).unwrap();
        assert!(second_slice.idr && !second_slice.first);
        let delta = H264Payload::parse(&[0x41, 0x9a]).unwrap();
        assert!(!delta.is_key() && delta.first && delta.reference);
        assert!(!H264Payload::parse(&[0x01, 0x9a]).unwrap().reference);
    }

    #[test]
    fn broken_aggregates_are_errors() {
        assert_eq!(H264Payload::parse(&[0x78]), Err(Error::Descriptor));
        assert_eq!(H264Payload::parse(&[0x78, 0]), Err(Error::Descriptor));
        assert_eq!(H264Payload::parse(&[0x78, 0, 5, 1, 2]), Err(Error::Descriptor));
        assert_eq!(H264Payload::parse(&[0x7c]), Err(Error::Descriptor));
        assert_eq!(H264Payload::parse(&[0x79, 0]), Err(Error::Value));
        assert_eq!(H264Payload::parse(&[]), Err(Error::TooShort));
        assert!(H264Payload::parse(&[0x78, 0, 0]).is_ok());
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = H264Payload::parse(&bytes);
        }
    }
}
