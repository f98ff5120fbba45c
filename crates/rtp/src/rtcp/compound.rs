//! Several RTCP packets in one datagram.

use super::{
    App, Bye, Ccfb, Fir, HEADER, Nack, Pli, ReceiverReport, Remb, Sdes, SenderReport, Twcc, Xr, feedback,
    fmt, kind,
};
use crate::Error;

/// A compound RTCP packet (RFC 3550 §6.1), or a reduced-size one (RFC 5506): one packet or more, in any order.
///
/// [`Compound::parse`] reads every packet once, so that a datagram is taken as a whole or not at all.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'a> {
    bytes: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Checks every packet of a decrypted datagram. One that is wrong makes the whole wrong; one of an unknown type is
    /// given as [`RtcpPacket::Unknown`]. Padding is taken off any packet, not only the last: libwebrtc pads its
    /// transport-wide feedback wherever it stands.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::TooShort);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (block, after) = Block::split(rest)?;
            RtcpPacket::read(block)?;
            rest = after;
        }
        Ok(Self { bytes })
    }

    /// A compound over a copy of bytes that were checked before.
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) const fn trusted(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The packets, in order.
    #[inline]
    pub fn iter(&self) -> Packets<'a> {
        Packets { rest: self.bytes }
    }
}

impl<'a> IntoIterator for &Compound<'a> {
    type Item = RtcpPacket<'a>;
    type IntoIter = Packets<'a>;

    fn into_iter(self) -> Packets<'a> {
        self.iter()
    }
}

/// The packets of a [`Compound`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = RtcpPacket<'a>;

    #[inline]
    fn next(&mut self) -> Option<RtcpPacket<'a>> {
        // All of it was read before: an error here cannot be, and would end the walk.
        let (block, after) = Block::split(self.rest).ok()?;
        self.rest = after;
        RtcpPacket::read(block).ok()
    }
}

/// One RTCP packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport(SenderReport<'a>),
    /// RFC 3550 §6.4.2.
    ReceiverReport(ReceiverReport<'a>),
    /// RFC 3550 §6.5.
    Sdes(Sdes<'a>),
    /// RFC 3550 §6.6.
    Bye(Bye<'a>),
    /// RFC 3550 §6.7.
    App(App<'a>),
    /// RFC 4585 §6.2.1.
    Nack(Nack<'a>),
    /// RFC 4585 §6.3.1.
    Pli(Pli),
    /// RFC 5104 §4.3.1.
    Fir(Fir<'a>),
    /// draft-alvestrand-rmcat-remb-03.
    Remb(Remb<'a>),
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
    Twcc(Twcc<'a>),
    /// RFC 8888 §3.1.
    Ccfb(Ccfb<'a>),
    /// RFC 3611 §2.
    Xr(Xr<'a>),
    /// A type or feedback format that we do not read: kept as it is.
    Unknown {
        /// Its packet type.
        packet_type: u8,
        /// Its count, subtype or feedback format: 0 to 31.
        count: u8,
        /// What stands after its header, padding taken off.
        body: &'a [u8],
    },
}

impl<'a> RtcpPacket<'a> {
    fn read(block: Block<'a>) -> Result<Self, Error> {
        let Block { count, packet_type, body } = block;
        Ok(match (packet_type, count) {
            (kind::SR, _) => Self::SenderReport(SenderReport::parse(count, body)?),
            (kind::RR, _) => Self::ReceiverReport(ReceiverReport::parse(count, body)?),
            (kind::SDES, _) => Self::Sdes(Sdes::parse(count, body)?),
            (kind::BYE, _) => Self::Bye(Bye::parse(count, body)?),
            (kind::APP, _) => Self::App(App::parse(count, body)?),
            (kind::XR, _) => Self::Xr(Xr::parse(body)?),
            (kind::TRANSPORT_FEEDBACK, fmt::NACK) => Self::Nack(Nack::parse(body)?),
            (kind::TRANSPORT_FEEDBACK, fmt::TWCC) => Self::Twcc(Twcc::parse(body)?),
            (kind::TRANSPORT_FEEDBACK, fmt::CCFB) => Self::Ccfb(Ccfb::parse(body)?),
            (kind::PAYLOAD_FEEDBACK, fmt::PLI) => {
                let (sender, media, _) = feedback(body)?;
                Self::Pli(Pli { sender, media })
            }
            (kind::PAYLOAD_FEEDBACK, fmt::FIR) => Self::Fir(Fir::parse(body)?),
            (kind::PAYLOAD_FEEDBACK, fmt::APPLICATION) if Remb::is_remb(body) => {
                Self::Remb(Remb::parse(body)?)
            }
            _ => Self::Unknown { packet_type, count, body },
        })
    }
}

/// One packet of a compound: header read, padding off.
#[derive(Clone, Copy)]
struct Block<'a> {
    count: u8,
    packet_type: u8,
    body: &'a [u8],
}

impl<'a> Block<'a> {
    #[inline]
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let &[first, packet_type, l0, l1] = bytes.first_chunk().ok_or(Error::TooShort)?;
        if first >> 6 != 2 {
            return Err(Error::Version);
        }
        // The length field counts words less one (RFC 3550 §6.4.1).
        let len = HEADER + 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (block, after) = bytes.split_at_checked(len).ok_or(Error::RtcpLength)?;
        let mut body = block.get(HEADER..).ok_or(Error::RtcpLength)?;
        if first & 0x20 != 0 {
            let count = usize::from(*body.last().ok_or(Error::Padding)?);
            let kept = body.len().checked_sub(count).filter(|_| count > 0).ok_or(Error::Padding)?;
            body = body.get(..kept).ok_or(Error::Padding)?;
        }
        Ok((Self { count: first & 0x1f, packet_type, body }, after))
    }
}
