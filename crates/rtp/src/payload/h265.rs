//! H.265 in RTP without decoding order numbers (RFC 7798; the bitstream is ITU-T H.265).

use crate::Error;

/// NAL unit types (H.265 table 7-1; RFC 7798 §4.4 for those of payloads).
const RASL: [u8; 2] = [8, 9];
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;
const AUD: u8 = 35;
const PREFIX_SEI: u8 = 39;
const AGGREGATE: u8 = 48;
const FRAGMENT: u8 = 49;
/// Types below are slices.
const FIRST_NON_VCL: u8 = 32;

/// Where a receiver of lower temporal layers may climb (H.265 §7.4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SwitchPoint {
    /// TSA: to this layer and all above it.
    AllAbove,
    /// STSA: to this layer.
    ThisLayer,
}

/// What a payload says about its frame. As in H.264 there is no frame number in it: a frame also starts where the timestamp
/// changes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub struct H265Payload {
    /// Holds a video parameter set.
    pub vps: bool,
    /// Holds a sequence parameter set: where a switch must start, for the decoder needs it before the picture.
    pub sps: bool,
    /// Holds a picture parameter set.
    pub pps: bool,
    /// Holds a slice of a picture at which decoding can start (IRAP, types 16 to 23), or a fragment of one (any fragment).
    pub irap: bool,
    /// Holds a slice of a leading picture that cannot be decoded if decoding started at the picture it follows (RASL).
    pub skipped_leading: bool,
    /// A receiver may climb here.
    pub switch: Option<SwitchPoint>,
    /// TID: 0 to 6, the lowest of its units.
    pub temporal: u8,
    /// No slice of the same frame came before it: starts with a unit that H.265 §7.4.2.4.4 puts before the first slice
    /// (delimiter, parameter sets, prefix SEI), or with the picture's first slice segment.
    pub first: bool,
    /// Starts a NAL unit: every form but the later fragments.
    pub nal_start: bool,
    /// Some slice in it may be referred to within its temporal layer: not one of the even types 0 to 14.
    pub reference: bool,
}

impl H265Payload {
    /// Reads a payload: a single NAL unit, an aggregate, or a fragment. [`Error::Value`] for what is not read: PACI (type 50,
    /// RFC 7798 §4.4.4), types without meaning (51 to 63), and headers that H.265 forbids.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let (nal, body) = NalHeader::split(payload)?;
        let mut out = Self { nal_start: true, temporal: 7, ..Self::default() };
        match nal.kind {
            AGGREGATE => out.take_aggregate(body)?,
            FRAGMENT => out.take_fragment(nal, body)?,
            0..=47 => out.take(nal, body, true),
            _ => return Err(Error::Value),
        }
        Ok(out)
    }

    /// Whether a decoder can start here or soon after: a parameter set or a slice of a picture to start at.
    pub const fn is_key(&self) -> bool {
        self.sps || self.irap
    }

    /// Units each behind a 16-bit size, at least two of them (RFC 7798 §4.4.2); we take one too.
    fn take_aggregate(&mut self, mut rest: &[u8]) -> Result<(), Error> {
        let mut first = true;
        loop {
            let (&size, after) = rest.split_first_chunk().ok_or(Error::Descriptor)?;
            let size = usize::from(u16::from_be_bytes(size));
            let (unit, after) = after.split_at_checked(size).ok_or(Error::Descriptor)?;
            let (nal, body) = NalHeader::split(unit)?;
            self.take(nal, body, first);
            (first, rest) = (false, after);
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// A fragment: the unit's own type stands in the third byte (RFC 7798 §4.4.3).
    fn take_fragment(&mut self, nal: NalHeader, body: &[u8]) -> Result<(), Error> {
        let (&fu, body) = body.split_first().ok_or(Error::Descriptor)?;
        let start = fu & 0x80 != 0;
        let nal = NalHeader { kind: fu & 0x3f, ..nal };
        self.take(nal, body, start);
        self.nal_start = start;
        if !start {
            [self.vps, self.sps, self.pps] = [false; 3];
        }
        Ok(())
    }

    fn take(&mut self, nal: NalHeader, body: &[u8], first: bool) {
        let kind = nal.kind;
        self.vps |= kind == VPS;
        self.sps |= kind == SPS;
        self.pps |= kind == PPS;
        self.irap |= (16..=23).contains(&kind);
        self.skipped_leading |= RASL.contains(&kind);
        match kind {
            2 | 3 => self.switch = Some(SwitchPoint::AllAbove),
            4 | 5 => self.switch = Some(SwitchPoint::ThisLayer),
            _ => {}
        }
        self.temporal = self.temporal.min(nal.temporal);
        self.reference |= kind < FIRST_NON_VCL && !(kind <= 14 && kind % 2 == 0);
        if first {
            self.first = match kind {
                VPS..=AUD | PREFIX_SEI | 41..=44 => true,
                // first_slice_segment_in_pic_flag is the first bit of a slice (H.265 §7.3.6.1).
                0..FIRST_NON_VCL => body.first().is_some_and(|b| b & 0x80 != 0),
                _ => false,
            };
        }
    }
}

/// The two bytes that start a unit and a payload (H.265 §7.3.1.2; RFC 7798 §1.1.4).
#[derive(Clone, Copy)]
struct NalHeader {
    kind: u8,
    temporal: u8,
}

impl NalHeader {
    fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (&[a, b], rest) = bytes.split_first_chunk().ok_or(Error::TooShort)?;
        // forbidden_zero_bit, and nuh_temporal_id_plus1, which must not be 0.
        match (a & 0x80, b & 7) {
            (0, 1..) => Ok((Self { kind: a >> 1 & 0x3f, temporal: (b & 7) - 1 }, rest)),
            _ => Err(Error::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> H265Payload {
        H265Payload::parse(bytes).unwrap()
    }

    #[test]
    fn parameter_sets_and_pictures_to_start_at_are_keys_in_every_form() {
        let sps = parse(&[SPS << 1, 1, 9]);
        assert!(sps.sps && sps.is_key() && sps.first && sps.nal_start && !sps.irap && sps.temporal == 0);
        let idr = parse(&[19 << 1, 1, 0x80]);
        assert!(idr.irap && idr.is_key() && idr.first && idr.reference);
        assert!(!parse(&[19 << 1, 1, 0x40]).first);
        let all = parse(&[
            AGGREGATE << 1,
            1,
            0,
            3,
            VPS << 1,
            1,
            9,
            0,
            2,
            SPS << 1,
            1,
            0,
            2,
            PPS << 1,
            1,
            0,
            3,
            21 << 1,
            1,
            0x80,
        ]);
        assert!(all.vps && all.sps && all.pps && all.irap && all.first && all.nal_start);
        let start = parse(&[FRAGMENT << 1, 1, 0x80 | 19, 0x80]);
        assert!(start.irap && start.first && start.nal_start);
        let later = parse(&[FRAGMENT << 1, 1, 19, 0x80]);
        assert!(later.irap && !later.first && !later.nal_start);
        assert!(!parse(&[FRAGMENT << 1, 1, SPS]).sps);
    }

    #[test]
    fn layers_and_where_to_climb() {
        let tsa = parse(&[2 << 1, 3, 0x80]);
        assert_eq!((tsa.switch, tsa.temporal, tsa.reference), (Some(SwitchPoint::AllAbove), 2, false));
        let stsa = parse(&[5 << 1, 2, 0x80]);
        assert_eq!((stsa.switch, stsa.temporal, stsa.reference), (Some(SwitchPoint::ThisLayer), 1, true));
        let trail = parse(&[1 << 1, 1, 0x80]);
        assert!(trail.switch.is_none() && trail.reference && !trail.is_key());
        assert!(parse(&[9 << 1, 1, 0x80]).skipped_leading);
        // The lowest of an aggregate.
        assert_eq!(parse(&[AGGREGATE << 1, 1, 0, 2, 2, 3, 0, 2, 2, 2]).temporal, 1);
    }

    #[test]
    fn what_is_not_read_is_said() {
        // PACI, a type of nobody, the forbidden bit, no temporal id.
        for bytes in [[50 << 1, 1, 0], [63 << 1, 1, 0], [0x80, 1, 0], [2, 0, 0]] {
            assert_eq!(H265Payload::parse(&bytes), Err(Error::Value));
        }
        assert_eq!(H265Payload::parse(&[2]), Err(Error::TooShort));
        for bytes in [
            &[AGGREGATE << 1, 1][..],
            &[AGGREGATE << 1, 1, 0, 3, 2, 1],
            &[FRAGMENT << 1, 1],
            &[AGGREGATE << 1, 1, 0],
        ] {
            assert_eq!(H265Payload::parse(bytes), Err(Error::Descriptor));
        }
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40), first in prop::sample::select(std::vec![AGGREGATE, FRAGMENT, 19])) {
            let _ = H265Payload::parse(&bytes);
            let led = [&[first << 1, 1][..], &bytes].concat();
            if let Ok(p) = H265Payload::parse(&led) {
                prop_assert!(p.temporal < 7);
            }
        }
    }
}
