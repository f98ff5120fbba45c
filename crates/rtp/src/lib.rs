//! RTP and RTCP on the wire.
//!
//! Borrowed views of what came ([`Packet`]), the description of what leaves ([`Outgoing`]), header extensions,
//! payload descriptors, RTCP, and the number types that travel ([`Ssrc`], [`Seq`], [`SeqNo`], [`RtpTime`], [`Time`] …).
//! It is the vocabulary that the other Salon crates share.
//!
//! What it deliberately is not: a session, a jitter buffer, or a cipher. It keeps no state between packets (except
//! where a descriptor is stateful by definition), owns no buffer, and never allocates to parse.
//!
//! The two types that matter are [`Packet`], which checks every length once and then cannot fail, and [`Outgoing`],
//! which the forwarding core fills and the cipher reads, so that they meet without knowing each other.
//!
//! ```
//! use salon_rtp::{Packet, Ssrc};
//! let bytes = [0x80, 0x6f, 0x00, 0x07, 0, 0, 0, 160, 0, 0, 0, 42, 0xfc, 0xff];
//! let packet = Packet::parse(&bytes)?;
//! assert_eq!(packet.ssrc(), Ssrc(42));
//! assert_eq!(packet.payload(), &[0xfc, 0xff]);
//! # Ok::<(), salon_rtp::Error>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bitrate;
mod bits;
#[cfg(test)]
mod cases;
mod demux;
mod error;
pub mod extension;
mod ids;
mod leb128;
mod outgoing;
mod packet;
pub mod payload;
mod reasons;
pub mod rtcp;
mod seq;
mod time;
#[cfg(feature = "webrtc-rs-0_17")]
pub mod webrtc_rs;

pub use bitrate::Bitrate;
pub use demux::Demux;
pub use error::Error;
pub use ids::{BadToken, Mid, Pt, Rid, Ssrc};
pub use outgoing::{Egress, ExtensionsFull, Header, OutExtensions, Outgoing, Prefix, TooSmall};
pub use packet::Packet;
pub use payload::{Codec, H264Profile, MediaKind};
pub use seq::{Seq, SeqNo};
pub use time::{NtpTime, RtpTime, Time};
