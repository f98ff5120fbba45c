//! Receiver report.

use super::{HEADER, kind, open, ssrc};
use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// The count field has five bits.
pub(super) const MAX_BLOCKS: usize = 31;

/// How one stream arrives (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Lost since the last report, in 1/256 of the expected.
    pub fraction_lost: u8,
    /// Lost since the beginning: 24 bits with a sign; duplicates make it negative.
    pub cumulative_lost: i32,
    /// The highest sequence number, with the count of its cycles above 16 bits.
    pub highest: u32,
    /// Interarrival jitter, in ticks of the stream's clock (RFC 3550 §A.8).
    pub jitter: u32,
    /// The middle bits of the last sender report's NTP time; 0 if none came.
    pub last_report: u32,
    /// Since that report came, in 1/65536 s; 0 if none came.
    pub delay: u32,
}

impl ReportBlock {
    /// Bytes on the wire.
    pub const LEN: usize = 24;

    fn read(b: &[u8; Self::LEN]) -> Self {
        let word = |i: usize| u32::from_be_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
        Self {
            ssrc: Ssrc(word(0)),
            fraction_lost: b[4],
            // To the top of the word and back: the sign of 24 bits.
            cumulative_lost: (word(4) << 8) as i32 >> 8,
            highest: word(8),
            jitter: word(12),
            last_report: word(16),
            delay: word(20),
        }
    }

    /// The caller has made room.
    pub(super) fn write(&self, out: &mut impl BufMut) {
        // What 24 bits cannot hold is clamped (RFC 3550 §A.3).
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        out.put_u32(self.ssrc.0);
        out.put_u32(u32::from(self.fraction_lost) << 24 | lost);
        out.put_u32(self.highest);
        out.put_u32(self.jitter);
        out.put_u32(self.last_report);
        out.put_u32(self.delay);
    }
}

/// The report blocks of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportBlocks<'a> {
    bytes: &'a [u8],
    extension: &'a [u8],
}

impl<'a> ReportBlocks<'a> {
    pub(super) fn parse(count: u8, bytes: &'a [u8]) -> Result<Self, Error> {
        let len = ReportBlock::LEN * usize::from(count);
        let (bytes, extension) = bytes.split_at_checked(len).ok_or(Error::RtcpLength)?;
        Ok(Self { bytes, extension })
    }

    /// The blocks, at most 31.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ReportBlock> + 'a {
        // Every chunk has the length of a block.
        self.bytes.chunks_exact(ReportBlock::LEN).map(|c| {
            let mut block = [0; ReportBlock::LEN];
            block.copy_from_slice(c);
            ReportBlock::read(&block)
        })
    }

    /// What stands after the blocks: an extension of some profile's (RFC 3550 §6.4.3), which we do not read.
    pub const fn extension(&self) -> &'a [u8] {
        self.extension
    }
}

/// A receiver report (RFC 3550 §6.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// How it receives.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let (sender, rest) = ssrc(body)?;
        Ok(Self { sender, blocks: ReportBlocks::parse(count, rest)? })
    }
}

impl ReceiverReport<'_> {
    /// Writes a receiver report; more than 31 blocks become several packets, none an empty one (RFC 3550 §6.4.2).
    pub fn write(sender: Ssrc, blocks: &[ReportBlock], out: &mut impl BufMut) -> Result<(), TooSmall> {
        let mut rest = blocks;
        loop {
            let (here, more) = rest.split_at(rest.len().min(MAX_BLOCKS));
            let len = HEADER + 4 + ReportBlock::LEN * here.len();
            open(out, here.len() as u8, kind::RR, len, false)?;
            out.put_u32(sender.0);
            for block in here {
                block.write(out);
            }
            if more.is_empty() {
                return Ok(());
            }
            rest = more;
        }
    }
}
