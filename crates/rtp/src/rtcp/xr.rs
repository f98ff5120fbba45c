//! Extended reports.

use super::{HEADER, kind, open, ssrc};
use crate::{Error, NtpTime, Ssrc, TooSmall};
use bytes::BufMut;

/// Block types (RFC 3611 §4.4, §4.5).
const RRTR: u8 = 4;
const DLRR: u8 = 5;

/// Bytes of a block's header (RFC 3611 §3).
const BLOCK: usize = 4;

/// An extended report (RFC 3611 §2): blocks of many kinds, of which we read the two by which a receiver that sends nothing
/// learns its round trip. All others are stepped over by their length, and said to be [`XrBlock::Unknown`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Xr<'a> {
    /// Who reports.
    pub sender: Ssrc,
    blocks: &'a [u8],
}

impl<'a> Xr<'a> {
    /// Whole blocks only: one that runs past the packet makes the packet wrong.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, blocks) = ssrc(body)?;
        let mut rest = blocks;
        while !rest.is_empty() {
            (_, rest) = XrBlock::split(rest)?;
        }
        Ok(Self { sender, blocks })
    }

    /// The blocks, in order; at most one for each four bytes.
    pub fn blocks(&self) -> impl Iterator<Item = XrBlock<'a>> + use<'a> {
        let mut rest = self.blocks;
        core::iter::from_fn(move || {
            let (block, after) = XrBlock::split(rest).ok()?;
            rest = after;
            Some(block)
        })
    }

    /// How many of its blocks are of kinds that we do not read, for a counter.
    pub fn unknown(&self) -> usize {
        self.blocks().filter(|b| matches!(b, XrBlock::Unknown { .. })).count()
    }

    /// Writes one report: the receiver's reference time if there is one, answers if there are any; nothing for neither.
    pub fn write(
        sender: Ssrc,
        reference: Option<NtpTime>,
        answers: &[DlrrEntry],
        out: &mut impl BufMut,
    ) -> Result<(), TooSmall> {
        let words = u16::try_from(answers.len() * DlrrEntry::LEN / 4).map_err(|_| TooSmall)?;
        let dlrr = if answers.is_empty() { 0 } else { BLOCK + DlrrEntry::LEN * answers.len() };
        let rrtr = if reference.is_some() { BLOCK + 8 } else { 0 };
        if rrtr + dlrr == 0 {
            return Ok(());
        }
        open(out, 0, kind::XR, HEADER + 4 + rrtr + dlrr, false)?;
        out.put_u32(sender.0);
        if let Some(time) = reference {
            out.put_slice(&[RRTR, 0, 0, 2]);
            out.put_u64(time.0);
        }
        if !answers.is_empty() {
            out.put_slice(&[DLRR, 0]);
            out.put_u16(words);
            for a in answers {
                out.put_u32(a.receiver.0);
                out.put_u32(a.last_reference);
                out.put_u32(a.delay);
            }
        }
        Ok(())
    }
}

/// One block of an extended report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum XrBlock<'a> {
    /// The receiver's wall clock as it sent the report (RFC 3611 §4.4).
    ReceiverReferenceTime(NtpTime),
    /// Answers to such times (RFC 3611 §4.5).
    Dlrr(Dlrr<'a>),
    /// A kind that we do not read, or one that we do in a length that it cannot have: kept as it is.
    Unknown {
        /// BT.
        kind: u8,
        /// The byte whose meaning depends on the kind.
        specific: u8,
        /// What stands after the block's header.
        body: &'a [u8],
    },
}

impl<'a> XrBlock<'a> {
    /// Splits a block off: its length counts words, header excluded (RFC 3611 §3).
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let (&[kind, specific, l0, l1], rest) = bytes.split_first_chunk().ok_or(Error::RtcpLength)?;
        let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (body, rest) = rest.split_at_checked(len).ok_or(Error::RtcpLength)?;
        let block = match (kind, <[u8; 8]>::try_from(body)) {
            (RRTR, Ok(time)) => Self::ReceiverReferenceTime(NtpTime(u64::from_be_bytes(time))),
            (DLRR, _) if body.len() % DlrrEntry::LEN == 0 => Self::Dlrr(Dlrr { entries: body }),
            _ => Self::Unknown { kind, specific, body },
        };
        Ok((block, rest))
    }
}

/// Answers to receivers' reference times (RFC 3611 §4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dlrr<'a> {
    entries: &'a [u8],
}

impl<'a> Dlrr<'a> {
    /// One answer per receiver.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = DlrrEntry> + 'a {
        self.entries.chunks_exact(DlrrEntry::LEN).map(|c| {
            let word = |i: usize| u32::from_be_bytes([c[i], c[i + 1], c[i + 2], c[i + 3]]);
            DlrrEntry { receiver: Ssrc(word(0)), last_reference: word(4), delay: word(8) }
        })
    }
}

/// The answer to one receiver: round trip = arrival − `delay` − `last_reference`, all in the middle 32 bits of NTP time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DlrrEntry {
    /// Whose reference time is answered.
    pub receiver: Ssrc,
    /// The middle bits of the last such time ([`NtpTime::middle`]); 0 if none came.
    pub last_reference: u32,
    /// Since it came, in 1/65536 s; 0 if none came.
    pub delay: u32,
}

impl DlrrEntry {
    /// Bytes on the wire.
    pub const LEN: usize = 12;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Compound, RtcpPacket};
    use std::vec::Vec;

    fn read(bytes: &[u8]) -> Result<(usize, Vec<XrBlock<'_>>), Error> {
        let compound = Compound::parse(bytes)?;
        let Some(RtcpPacket::Xr(xr)) = compound.iter().next() else { panic!() };
        assert_eq!(xr.sender, Ssrc(1));
        Ok((xr.unknown(), xr.blocks().collect()))
    }

    #[test]
    fn unknown_blocks_are_stepped_over_and_counted() {
        let bytes = [
            &[0x80, 207, 0, 12, 0, 0, 0, 1][..],
            // Voice metrics in a length of one word, a reference time, an empty block of a kind of nobody.
            &[7, 9, 0, 1, 1, 2, 3, 4],
            &[4, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6],
            &[200, 0, 0, 0],
            // A reference time and answers in lengths that they cannot have.
            &[4, 0, 0, 1, 0, 0, 0, 5],
            &[5, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6],
        ]
        .concat();
        let (unknown, blocks) = read(&bytes).unwrap();
        assert_eq!(unknown, 4);
        assert_eq!(blocks[0], XrBlock::Unknown { kind: 7, specific: 9, body: &[1, 2, 3, 4] });
        assert_eq!(blocks[1], XrBlock::ReceiverReferenceTime(NtpTime(5 << 32 | 6)));
        assert_eq!(blocks.len(), 5);
    }

    #[test]
    fn a_block_that_runs_past_the_packet_makes_it_wrong() {
        assert_eq!(read(&[0x80, 207, 0, 2, 0, 0, 0, 1, 4, 0, 0, 2]), Err(Error::RtcpLength));
        assert_eq!(read(&[0x80, 207, 0, 0]), Err(Error::RtcpLength));
        assert_eq!(read(&[0x80, 207, 0, 1, 0, 0, 0, 1]).unwrap().1, []);
    }
}
