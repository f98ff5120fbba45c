//! Picture loss indication.

use super::{fmt, kind, open};
use crate::{Ssrc, TooSmall};
use bytes::BufMut;

/// A picture loss indication: the receiver cannot go on without a key frame (RFC 4585 §6.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pli {
    /// Who asks.
    pub sender: Ssrc,
    /// Of which stream.
    pub media: Ssrc,
}

impl Pli {
    /// Bytes on the wire.
    pub const LEN: usize = 12;

    /// Writes it.
    pub fn write(self, out: &mut impl BufMut) -> Result<(), TooSmall> {
        open(out, fmt::PLI, kind::PAYLOAD_FEEDBACK, Self::LEN, false)?;
        out.put_u32(self.sender.0);
        out.put_u32(self.media.0);
        Ok(())
    }
}
