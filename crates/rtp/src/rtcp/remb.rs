//! Receiver estimated maximum bitrate.

use super::{feedback, fmt, kind, open, ssrcs};
use crate::{Bitrate, Error, Ssrc, TooSmall};
use bytes::BufMut;

/// The receiver's estimate of what may be sent to it in all (draft-alvestrand-rmcat-remb-03 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender: Ssrc,
    /// The estimate; what 64 bits cannot hold is [`Bitrate::MAX`].
    pub bitrate: Bitrate,
    ssrcs: &'a [u8],
}

/// What tells it from other application layer feedback (draft-alvestrand-rmcat-remb-03 §2.2).
const IDENTIFIER: [u8; 4] = *b"REMB";

impl<'a> Remb<'a> {
    /// Whether an application layer feedback message is one of these.
    pub(super) fn is_remb(body: &[u8]) -> bool {
        body.get(8..12) == Some(&IDENTIFIER)
    }

    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, _, rest) = feedback(body)?;
        let [_, _, _, _, count, m0, m1, m2, ssrcs @ ..] = rest else { return Err(Error::RtcpLength) };
        let ssrcs = ssrcs.get(..4 * usize::from(*count)).ok_or(Error::RtcpLength)?;
        let exponent = u32::from(m0 >> 2);
        let mantissa = u64::from(u32::from_be_bytes([0, m0 & 3, *m1, *m2]));
        let fits = mantissa == 0 || mantissa.leading_zeros() >= exponent;
        let bitrate = if fits { Bitrate::from_bps(mantissa.wrapping_shl(exponent)) } else { Bitrate::MAX };
        Ok(Self { sender, bitrate, ssrcs })
    }

    /// The streams that the estimate speaks of, together.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        ssrcs(self.ssrcs)
    }

    /// Writes an estimate, rounded down to the 18 bits that it travels with. At most 255 streams are named.
    pub fn write(
        sender: Ssrc,
        bitrate: Bitrate,
        ssrcs: &[Ssrc],
        out: &mut impl BufMut,
    ) -> Result<(), TooSmall> {
        let count = u8::try_from(ssrcs.len()).map_err(|_| TooSmall)?;
        open(out, fmt::APPLICATION, kind::PAYLOAD_FEEDBACK, 20 + 4 * ssrcs.len(), false)?;
        out.put_u32(sender.0);
        // The media source is always 0 (§2.2).
        out.put_u32(0);
        out.put_slice(&IDENTIFIER);
        let exponent = (64 - bitrate.as_bps().leading_zeros()).saturating_sub(18);
        let mantissa = (bitrate.as_bps() >> exponent) as u32;
        out.put_u32(u32::from(count) << 24 | exponent << 18 | mantissa);
        for s in ssrcs {
            out.put_u32(s.0);
        }
        Ok(())
    }
}
