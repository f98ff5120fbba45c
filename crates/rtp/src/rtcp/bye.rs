//! Good bye.

use super::{HEADER, kind, open, ssrcs};
use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// Streams that end (RFC 3550 §6.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bye<'a> {
    ssrcs: &'a [u8],
    reason: &'a [u8],
}

impl<'a> Bye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let (ssrcs, rest) = body.split_at_checked(4 * usize::from(count)).ok_or(Error::RtcpLength)?;
        let reason = match rest {
            [] => &[][..],
            [len, text @ ..] => text.get(..usize::from(*len)).ok_or(Error::RtcpLength)?,
        };
        Ok(Self { ssrcs, reason })
    }

    /// The streams, at most 31.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        ssrcs(self.ssrcs)
    }

    /// Why: UTF-8 if the sender keeps to the RFC; empty if it says nothing.
    pub fn reason(&self) -> &'a [u8] {
        self.reason
    }

    /// Writes the end of streams, without a reason; more than 31 become several packets, none nothing.
    pub fn write(ssrcs: &[Ssrc], out: &mut impl BufMut) -> Result<(), TooSmall> {
        ssrcs.chunks(31).try_for_each(|some| Self::write_one(some, &[], out))
    }

    /// Writes the end of at most 31 streams with a reason of at most 255 bytes, which should be UTF-8; one packet even for no
    /// stream.
    pub fn write_with_reason(ssrcs: &[Ssrc], reason: &[u8], out: &mut impl BufMut) -> Result<(), TooSmall> {
        if ssrcs.len() > 31 { Err(TooSmall) } else { Self::write_one(ssrcs, reason, out) }
    }

    /// The reason stands behind its length, with zeros up to the word's end (RFC 3550 §6.6).
    fn write_one(ssrcs: &[Ssrc], reason: &[u8], out: &mut impl BufMut) -> Result<(), TooSmall> {
        let count = u8::try_from(reason.len()).map_err(|_| TooSmall)?;
        let text = if reason.is_empty() { 0 } else { 1 + reason.len() };
        let len = HEADER + 4 * ssrcs.len() + text.next_multiple_of(4);
        open(out, ssrcs.len() as u8, kind::BYE, len, false)?;
        for s in ssrcs {
            out.put_u32(s.0);
        }
        if text > 0 {
            out.put_u8(count);
            out.put_slice(reason);
            out.put_bytes(0, text.next_multiple_of(4) - text);
        }
        Ok(())
    }
}
