//! Conversions from and to the packets of webrtc-rs: its crates `rtp` and `rtcp`, version 0.17 (feature `webrtc-rs-0_17`).
//!
//! Theirs own their parts, ours are views of bytes: so ours become theirs, and theirs become bytes that we view
//! ([`RtpBuf`], [`RtcpBuf`]). All is built field by field; their own reading and writing is never called, for it panics on some
//! bytes from the network.
//!
//! Nothing is lost on the way, or the conversion says what would be ([`ConvertError`]). What stays out of it, because it
//! means nothing: where padding stands within a header extension, the bytes of padding in RTCP, and the media source of FIR
//! and REMB (RFC 5104 §4.3.1.1, draft-alvestrand-rmcat-remb-03 §2.2).
//!
//! ```
//! use salon_rtp::Packet;
//! use salon_rtp::webrtc_rs::RtpBuf;
//! let bytes = [0x80, 0x6f, 0x00, 0x07, 0, 0, 0, 160, 0, 0, 0, 42, 0xfc, 0xff];
//! let theirs = rtp::packet::Packet::try_from(&Packet::parse(&bytes)?)?;
//! assert_eq!((theirs.header.ssrc, &theirs.payload[..]), (42, &[0xfc, 0xff][..]));
//! let ours = RtpBuf::try_from(&theirs)?;
//! assert_eq!(ours.packet().as_bytes(), bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod rtcp_packets;
mod rtp_packets;

pub use rtcp_packets::{RtcpBuf, TheirRtcp};
pub use rtp_packets::RtpBuf;

use crate::{Error, TooSmall};

/// Why a packet cannot be said on the other side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A version other than 2.
    #[error("unknown version")]
    Version,
    /// A number that is too large for its field, or not exact in the other type.
    #[error("a number outside its field")]
    Number,
    /// More of something than a packet can hold, or a text that is too long.
    #[error("too many or too long")]
    Count,
    /// RTP padding: their packet does not say how much.
    #[error("their packet does not say how much padding there is")]
    Padding,
    /// A header extension whose elements do not fit its form, or whose form theirs do not have.
    #[error("the header extension does not fit its form")]
    Extension,
    /// A kind of packet, block or item that the other side does not have.
    #[error("the other side does not have this kind")]
    Kind,
    /// Transport-wide feedback whose chunks, count and deltas contradict each other.
    #[error("chunks, count and deltas contradict each other")]
    Feedback,
    /// What they hold is not a packet.
    #[error("malformed: {0}")]
    Malformed(#[from] Error),
}

impl From<TooSmall> for ConvertError {
    /// Into a buffer that grows, only what no packet can hold does not fit.
    fn from(_: TooSmall) -> Self {
        Self::Count
    }
}
