//! Simulcast and SVC: which layer to send, how to rewrite it, who gets how much.
//!
//! A receiver's stream (a slot) shows one encoding at a time and outlives all of them. This crate decides, packet by
//! packet, what of the encodings goes out on it ([`Forwarder`]), under which numbers, times and descriptor ids, so that
//! the receiver sees one unbroken stream; and it divides an estimated rate among the slots of a receiver
//! ([`allocate()`]).
//!
//! What it deliberately is not: it knows no participant, room, cache or queue, keeps no packet, and estimates no
//! bandwidth. It reads payloads only in [`Facts::read`]; behind that, nothing but the rewriting of descriptor ids knows a
//! codec.
//!
//! The two types that matter are [`Facts`], what every packet says about itself, read once per packet whatever the
//! number of receivers, and [`Forwarder`], one per slot.
//!
//! ```
//! use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
//! use salon_simulcast::{Facts, Forwarder, Input, SourceId, Target};
//!
//! let mut slot = Forwarder::new(MediaKind::Audio, 48_000, SeqNo(1_000), 0);
//! slot.aim(Some(Target { source: SourceId(7), temporal: u8::MAX, codec: Codec::Opus }));
//! let payload = [0xfc, 1, 2, 3];
//! let input = Input {
//!     source: SourceId(7),
//!     seq: SeqNo(70_000),
//!     timestamp: RtpTime(960),
//!     captured: Time::from_millis(20),
//!     marker: false,
//!     facts: Facts::read(Codec::Opus, false, &payload),
//!     arrived: Time::from_millis(25),
//!     newest: true,
//!     padding_only: false,
//! };
//! let forward = slot.push(&input).unwrap();
//! assert_eq!((forward.index, forward.timestamp), (SeqNo(1_000), RtpTime(960)));
//! ```
//!
//! # Limits
//!
//! [`limits`] bounds what a source may jump, how late a packet may still go out, and what a receiver may have. There are
//! no features; the crate is `no_std`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod allocate;
mod facts;
mod forwarder;
pub mod limits;
mod rates;
mod reason;
mod rewrite;
mod select;

pub use allocate::allocate;
pub use facts::{Facts, Ids, Layer};
pub use forwarder::{Forward, Forwarder, Input};
pub use rates::{LayerRates, Rate, TEMPORAL_LAYERS};
pub use reason::SkipReason;
pub use rewrite::Patch;
pub use select::{SourceId, Target};
