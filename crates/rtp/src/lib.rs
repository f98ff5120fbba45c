//! RTP and RTCP on the wire.
//!
//! Borrowed views of what came ([`Packet`]), the description of what leaves ([`Outgoing`]), header extensions,
//! payload descriptors, RTCP, and the number types that travel ([`Ssrc`], [`Seq`], [`SeqNo`], [`RtpTime`], [`Time`] …).
//! It is the vocabulary that the other Salon crates share.
//!
//! What it deliberately is not: a session, a jitter buffer, or a cipher. It keeps no state between packets (except
//! where a descriptor is stateful by definition), owns no buffer, and never allocates, neither to read nor to write.
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
//!
//! # What is where
//!
//! | | read | written |
//! |---|---|---|
//! | the packet (RFC 3550 §5.1) | [`Packet`] | [`Outgoing`] |
//! | header extensions (RFC 8285) | [`extension::Elements`], [`extension::Values`] | [`OutExtensions`] |
//! | audio level, send time, transport-wide number, MID and RID, orientation, capture time, playout delay, layers allocation | [`extension`] | the same types |
//! | dependency descriptor (AV1 RTP specification, appendix A) | [`extension::descriptor`], with what it remembers | the same, and patches of what came |
//! | VP8, VP9 (RFC 7741, RFC 9628) | descriptors, key frames, sizes, groups of pictures | descriptors, and patches of what came |
//! | AV1 (AV1 RTP specification), H.264 (RFC 6184) | elements, key frames, sizes | payloads out of OBUs or NAL units |
//! | H.265 (RFC 7798) | what a forwarder decides by | – |
//! | Opus (RFC 7587, RFC 6716) | durations, frames, bandwidth | – |
//! | RED (RFC 2198), RTX (RFC 4588) | [`payload::red`], [`payload::rtx`] | the same |
//! | RTCP (RFC 3550 §6) and feedback (RFC 4585, 5104, 8888, 3611, transport-wide, REMB) | [`rtcp::Compound`] | each type's `write` |
//!
//! Reading never guesses. What is not known is said to be so: [`rtcp::RtcpPacket::Unknown`], [`rtcp::XrBlock::Unknown`],
//! `None` for a fact that a payload does not hold, [`Error::Value`] for a form that is not read.
//!
//! What is read and written again is the same bytes, or their normal form: the shortest, without padding and reserved bits.
//! The patches ([`payload::vp8::Vp8Patch`], [`payload::vp9::Vp9Patch`], [`extension::descriptor::DescriptorPatch`]) change the
//! bits that they name and no others.
//!
//! # Limits
//!
//! Nothing that comes from the network makes work or memory beyond its own size. What is bounded besides:
//!
//! | what | at most | because |
//! |---|---|---|
//! | CSRCs of a packet | 15, and one written | four bits (RFC 3550 §5.1); whose media it is |
//! | value of a header extension | 255 bytes | one byte (RFC 8285 §4.3) |
//! | elements of ours in an outgoing packet | 48 bytes with their heads, and one passed on | they are copied per packet |
//! | payload that differs per receiver | [`Prefix::MAX`] bytes | it is copied per packet |
//! | MID, RID | 16 bytes | the short form of header extensions |
//! | report blocks, chunks, streams of one RTCP packet | 31 | five bits; writers go on in another packet |
//! | statuses of transport-wide feedback | 65,535 read, 1,200 bytes written | sixteen bits, in a few bytes: readers take what they ask for |
//! | packets of one RFC 8888 report | 16,384 | a quarter of the numbers (RFC 8888 §3.1) |
//! | templates, decode targets, chains, layers of a dependency structure | 64, 32, 32, 4 × 8 | the fields' widths; one is 2½ kB, without heap |
//! | layers of a layers allocation | 16 of 4 rates, 1 Gb/s each | two bits each; more is nonsense |
//! | frames of an Opus packet | 48, 120 ms | RFC 6716 §3.4 |
//! | bytes of an H.264 parameter set that are looked at | 512 | the size stands before them |
//!
//! # Features
//!
//! None is on by default. `webrtc-rs-0_17` adds `webrtc_rs`, conversions from and to the packets of the crates `rtp` and
//! `rtcp` 0.17; it alone needs `std`, and brings some forty packages. The crate is `no_std` otherwise: a clock, a socket, a thread
//! or randomness are not in its reach. The smallest Rust is 1.85; what the feature brings needs a newer one.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "webrtc-rs-0_17")]
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
