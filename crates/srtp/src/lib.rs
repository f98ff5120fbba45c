//! SRTP and SRTCP: seals what leaves, opens what came, refuses to do either twice.
//!
//! The profiles that DTLS-SRTP negotiates in practice: AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714), and
//! AES_CM_128_HMAC_SHA1_80 (RFC 3711). [`Outbound`] seals a payload straight from where it is kept into the send buffer,
//! and keeps the nonce law; [`Inbound`] opens in place, and keeps the replay law. Neither allocates once a stream is
//! known, and what does not authenticate changes nothing.
//!
//! What it deliberately is not: a key exchange (DTLS gives the keys; see [`MasterKey::from_keying_material`]), and no
//! home for what WebRTC does not use: other tag lengths, MKI, re-derivation of keys, unencrypted RTCP.
//!
//! ```
//! use salon_rtp::{Header, OutExtensions, Outgoing, Packet, Prefix, Pt, RtpTime, SeqNo, Ssrc};
//! use salon_srtp::{Inbound, MasterKey, OpenError, Outbound, Profile, SealError, limits};
//!
//! // What DTLS exports: 56 bytes for this profile, here all the same.
//! let exported = [7; Profile::AeadAes128Gcm.keying_material_len()];
//! let (client, server) = MasterKey::from_keying_material(Profile::AeadAes128Gcm, &exported)?;
//! let mut outbound = Outbound::new(&server, limits::DEFAULT_SENT_WINDOW)?; // ours: we are the DTLS server
//! let mut inbound = Inbound::new(&server)?; // the client's
//!
//! let packet = Outgoing {
//!     ssrc: Ssrc(42),
//!     index: SeqNo(7),
//!     header: Header {
//!         pt: Pt::new(111).unwrap(),
//!         marker: false,
//!         timestamp: RtpTime(960),
//!         csrc: None,
//!         extensions: OutExtensions::NONE,
//!     },
//!     prefix: Prefix::EMPTY,
//!     tail: b"hello",
//!     padding: 0,
//! };
//! let mut datagram = [0; 1500];
//! let n = outbound.seal_rtp(&packet, &mut datagram)?;
//! assert_eq!(outbound.seal_rtp(&packet, &mut [0; 1500]), Err(SealError::IndexReused));
//!
//! let mut replayed = datagram;
//! let opened = Packet::parse(inbound.open_rtp(&mut datagram[..n])?)?;
//! assert_eq!(opened.payload(), b"hello");
//! assert_eq!(inbound.open_rtp(&mut replayed[..n]), Err(OpenError::Replayed));
//! # drop(client);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! [`limits`]: how many packets are looked back at, and how many streams a peer may have, each with its reason. There are no features. The
//! ciphers are aws-lc-rs's; the smallest Rust is 1.85.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod cipher;
mod counter_mode;
mod error;
mod gcm;
mod inbound;
mod keys;
pub mod limits;
mod outbound;
mod profile;
mod streams;
#[cfg(test)]
mod vectors;
mod window;

pub use error::{BadKey, OpenError, SealError};
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use profile::{MasterKey, Profile};
