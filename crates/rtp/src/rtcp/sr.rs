//! Sender report.

use super::rr::{self, ReportBlock, ReportBlocks};
use super::{HEADER, kind, open, ssrc};
use crate::{Error, NtpTime, RtpTime, Ssrc, TooSmall};
use bytes::BufMut;

/// What a sender says about its stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: Ssrc,
    /// The moment of the report on the sender's wall clock.
    pub ntp: NtpTime,
    /// The same moment on the stream's clock.
    pub timestamp: RtpTime,
    /// Packets sent since the stream began; wraps.
    pub packets: u32,
    /// Payload bytes sent since the stream began, without header and padding; wraps.
    pub octets: u32,
}

/// A sender report: what it says of its own stream, and how it receives others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderReport<'a> {
    /// Of its own stream.
    pub info: SenderInfo,
    /// Of others.
    pub blocks: ReportBlocks<'a>,
}

/// Bytes of the sender information with its SSRC.
const INFO: usize = 24;

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let (of, rest) = ssrc(body)?;
        let (&info, rest) = rest.split_first_chunk::<20>().ok_or(Error::RtcpLength)?;
        let [n0, n1, n2, n3, n4, n5, n6, n7, t0, t1, t2, t3, p0, p1, p2, p3, o0, o1, o2, o3] = info;
        let info = SenderInfo {
            ssrc: of,
            ntp: NtpTime(u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7])),
            timestamp: RtpTime(u32::from_be_bytes([t0, t1, t2, t3])),
            packets: u32::from_be_bytes([p0, p1, p2, p3]),
            octets: u32::from_be_bytes([o0, o1, o2, o3]),
        };
        Ok(Self { info, blocks: ReportBlocks::parse(count, rest)? })
    }
}

impl SenderInfo {
    /// Writes a sender report; report blocks beyond 31 follow in receiver reports (RFC 3550 §6.4.1).
    pub fn write(&self, blocks: &[ReportBlock], out: &mut impl BufMut) -> Result<(), TooSmall> {
        let (here, more) = blocks.split_at(blocks.len().min(rr::MAX_BLOCKS));
        open(out, here.len() as u8, kind::SR, HEADER + INFO + ReportBlock::LEN * here.len(), false)?;
        out.put_u32(self.ssrc.0);
        out.put_u64(self.ntp.0);
        out.put_u32(self.timestamp.0);
        out.put_u32(self.packets);
        out.put_u32(self.octets);
        for block in here {
            block.write(out);
        }
        if more.is_empty() { Ok(()) } else { rr::ReceiverReport::write(self.ssrc, more, out) }
    }
}
