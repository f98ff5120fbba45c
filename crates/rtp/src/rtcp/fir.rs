//! Full intra request.

use super::{feedback, fmt, kind, open};
use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// Which stream owes a key frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FirEntry {
    /// The stream.
    pub media: Ssrc,
    /// Counts requests: one that repeats the last number is a repetition, and asks for nothing new (RFC 5104 §4.3.1.2).
    pub number: u8,
}

/// A full intra request (RFC 5104 §4.3.1). The media source of its header means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: &'a [u8],
}

impl<'a> Fir<'a> {
    /// At least one entry, and whole ones.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, _, entries) = feedback(body)?;
        if entries.is_empty() || entries.len() % 8 != 0 {
            return Err(Error::RtcpLength);
        }
        Ok(Self { sender, entries })
    }

    /// Which streams are asked for.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = FirEntry> + 'a {
        self.entries
            .chunks_exact(8)
            .map(|e| FirEntry { media: Ssrc(u32::from_be_bytes([e[0], e[1], e[2], e[3]])), number: e[4] })
    }

    /// Writes a request; nothing if there is no entry.
    pub fn write(sender: Ssrc, entries: &[FirEntry], out: &mut impl BufMut) -> Result<(), TooSmall> {
        if entries.is_empty() {
            return Ok(());
        }
        open(out, fmt::FIR, kind::PAYLOAD_FEEDBACK, 12 + 8 * entries.len(), false)?;
        out.put_u32(sender.0);
        // The media source shall be 0 (RFC 5104 §4.3.1.1).
        out.put_u32(0);
        for e in entries {
            out.put_u32(e.media.0);
            out.put_u8(e.number);
            out.put_bytes(0, 3);
        }
        Ok(())
    }
}
