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
        for some in ssrcs.chunks(31) {
            open(out, some.len() as u8, kind::BYE, HEADER + 4 * some.len(), false)?;
            for s in some {
                out.put_u32(s.0);
            }
        }
        Ok(())
    }
}
