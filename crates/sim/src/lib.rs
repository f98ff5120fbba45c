//! Virtual clock, seeded links, RTP sources and model decoders for tests.
//!
//! Whole rooms are tried over it: [`VoiceSource`] and [`CameraSource`] play what browsers send, a [`Link`] loses, delays
//! and repeats it, a [`VideoReceiver`] asks for what is missing, and a [`Vp8Decoder`] decides as libwebrtc does which
//! frames can be shown, while the [`Tag`] hidden in each payload tells which frame of which source it truly was. Same
//! seed, same run: there is no clock, no socket, no thread and no randomness of the machine in it.
//!
//! What it deliberately is not: a codec (payloads carry tags and filling), a bandwidth estimator, or a browser.
//!
//! ```
//! use salon_rtp::{Packet, Time};
//! use salon_sim::*;
//! let mut camera = CameraSource::new(7, CameraConfig::default());
//! let mut link = Link::new(8, LinkConfig { loss: 0.02, ..LinkConfig::default() });
//! let mut outbox = Outbox::default();
//! let mut decoder = Vp8Decoder::default();
//! for ms in 0..2_000 {
//!     let now = Time::from_millis(ms);
//!     camera.poll(now, &mut outbox);
//!     outbox.drain().for_each(|datagram| link.push(now, datagram));
//!     while let Some(datagram) = link.pop(now) {
//!         if let Datagram::Rtp(bytes) = datagram {
//!             decoder.push(now, &Packet::parse(&bytes)?);
//!         }
//!     }
//! }
//! assert!(decoder.finish().decoded > 0);
//! # Ok::<(), salon_rtp::Error>(())
//! ```
#![forbid(unsafe_code)]

mod camera;
mod clock;
mod decoder;
mod feedback;
mod line;
mod link;
mod listener;
mod outbox;
mod peer;
mod receiver;
mod rng;
mod stream;
mod tag;
mod voice;

pub use camera::{CameraConfig, CameraCounts, CameraSource, EncodingConfig, PictureIds, TemporalLayers};
pub use clock::{Clock, WallClock};
pub use decoder::{Decoded, DecoderReport, Vp8Decoder};
pub use feedback::{FeedbackCounts, FeedbackLog};
pub use line::SenderLine;
pub use link::{Bursts, Link, LinkConfig, LinkCounts};
pub use listener::{Heard, VoiceListener};
pub use outbox::{Datagram, Outbox};
pub use peer::Peer;
pub use receiver::{ReceiverConfig, ReceiverCounts, VideoReceiver};
pub use rng::Rng;
pub use stream::StreamCheck;
pub use tag::Tag;
pub use voice::{VoiceConfig, VoiceSource};
