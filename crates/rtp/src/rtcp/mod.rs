//! RTCP (RFC 3550 §6 and its extensions): [`Compound`] reads what came; each packet type has its `write`, into any
//! [`BufMut`], one after the other, which makes a compound.
//!
//! ```
//! use salon_rtp::rtcp::{Compound, Nack, Pli, RtcpPacket};
//! use salon_rtp::{SeqNo, Ssrc};
//! let mut buffer = [0; 1200];
//! let mut free = &mut buffer[..];
//! Pli { sender: Ssrc(1), media: Ssrc(2) }.write(&mut free)?;
//! Nack::write(Ssrc(1), Ssrc(2), [SeqNo(7), SeqNo(9)].into_iter(), &mut free)?;
//! let left = free.len();
//! let len = buffer.len() - left;
//! let compound = Compound::parse(&buffer[..len])?;
//! assert_eq!(compound.iter().count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod app;
mod bye;
mod ccfb;
mod compound;
mod fir;
mod nack;
mod pli;
mod remb;
mod rr;
mod sdes;
mod sr;
mod twcc;
mod xr;

pub use app::App;
pub use bye::Bye;
pub use ccfb::{ArrivalOffset, Ccfb, CcfbArrival, CcfbReport, CcfbStream, Ecn};
pub use compound::{Compound, Packets, RtcpPacket};
pub use fir::{Fir, FirEntry};
pub use nack::Nack;
pub use pli::Pli;
pub use remb::Remb;
pub use rr::{ReceiverReport, ReportBlock, ReportBlocks};
pub use sdes::{Chunk, Sdes, SdesItem};
pub use sr::{SenderInfo, SenderReport};
pub use twcc::{Statuses, Twcc, TwccReport, TwccStatus};
pub use xr::{Dlrr, DlrrEntry, Xr, XrBlock};

use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// Packet types (RFC 3550 §12.1; RFC 4585 §6.1; RFC 3611 §2).
mod kind {
    pub(super) const SR: u8 = 200;
    pub(super) const RR: u8 = 201;
    pub(super) const SDES: u8 = 202;
    pub(super) const BYE: u8 = 203;
    pub(super) const APP: u8 = 204;
    pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
    pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
    pub(super) const XR: u8 = 207;
}

/// Feedback message types: RFC 4585 §6.2.1 and §6.3.1, RFC 5104 §4.3.1, RFC 8888 §3.1, draft-holmer-rmcat §3.1,
/// draft-alvestrand-rmcat-remb §2.2.
mod fmt {
    pub(super) const NACK: u8 = 1;
    pub(super) const CCFB: u8 = 11;
    pub(super) const TWCC: u8 = 15;
    pub(super) const PLI: u8 = 1;
    pub(super) const FIR: u8 = 4;
    pub(super) const APPLICATION: u8 = 15;
}

/// Bytes of the header that all packets share (RFC 3550 §6.4.1).
const HEADER: usize = 4;

/// Checks that a packet of `len` bytes (header included, a multiple of four) fits, and writes its header.
fn open(out: &mut impl BufMut, count: u8, packet_type: u8, len: usize, padded: bool) -> Result<(), TooSmall> {
    let words = u16::try_from(len / 4 - 1).map_err(|_| TooSmall)?;
    if out.remaining_mut() < len {
        return Err(TooSmall);
    }
    out.put_u8(0x80 | u8::from(padded) << 5 | count & 0x1f);
    out.put_u8(packet_type);
    out.put_u16(words);
    Ok(())
}

/// Splits a feedback message into sender, media source and the rest (RFC 4585 §6.1).
fn feedback(body: &[u8]) -> Result<(Ssrc, Ssrc, &[u8]), Error> {
    let (sender, rest) = ssrc(body)?;
    let (media, rest) = ssrc(rest)?;
    Ok((sender, media, rest))
}

/// Splits an SSRC off.
fn ssrc(bytes: &[u8]) -> Result<(Ssrc, &[u8]), Error> {
    let (&head, rest) = bytes.split_first_chunk().ok_or(Error::RtcpLength)?;
    Ok((Ssrc(u32::from_be_bytes(head)), rest))
}

/// A run of SSRCs; a last one that is not whole is not there.
fn ssrcs(bytes: &[u8]) -> impl ExactSizeIterator<Item = Ssrc> + '_ {
    bytes.chunks_exact(4).map(|c| Ssrc(u32::from_be_bytes([c[0], c[1], c[2], c[3]])))
}
