//! SDP offer and answer of conferences as pure functions.
//!
//! The client always offers, the server always answers (RFC 3264, RFC 9429): [`Offer::parse`] reads an offer and decides
//! at once what becomes of each of its sections, [`Offer::answer`] writes that decision down with what only the caller
//! knows (ICE credentials, addresses, the SSRCs of the slots). Everything goes over one transport (BUNDLE, RFC 9143).
//!
//! What it deliberately is not: it makes no offers, keeps nothing between two offers (who renegotiates gives the same
//! SSRCs again, by mid), resolves no name, reads no candidate, and knows neither rooms nor people. What clients that speak
//! WHIP or WHEP say after their offer is a [`Fragment`].
//!
//! The two types that matter are [`Offer`] and [`Plan`]: what each section has become.
//!
//! ```
//! # const OFFER: &str = include_str!("../tests/data/aiortc-pub.sdp");
//! use salon_signal::{Fingerprint, Local, Offer, Plan};
//!
//! let offer = Offer::parse(OFFER)?;
//! for section in &offer.sections {
//!     if let Plan::Send(send) = &section.plan {
//!         println!("{:?}: {} as payload type {}", section.mid, send.codec.name(), send.pt);
//!     }
//! }
//! let answer = offer.answer(&Local {
//!     ufrag: "abcd",
//!     pwd: "0123456789abcdef012345",
//!     fingerprint: Fingerprint([7; 32]),
//!     setup: offer.transport.setup,
//!     candidates: &["192.0.2.7:8080".parse()?],
//!     slots: &[],
//!     refused: &[],
//!     session_id: 1,
//!     version: 1,
//! });
//! assert!(answer.starts_with("v=0\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! [`limits`] bounds an offer before it is read: its bytes, sections, encodings. What is beyond is an [`SdpError`] or a [`Rejection`] with a name.
//! There are no features.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answer;
mod attributes;
mod codecs;
mod encodings;
mod error;
mod extensions;
mod fragment;
pub mod limits;
mod lines;
mod offer;
mod plan;
mod transport;

pub use answer::{Local, SlotLine};
pub use error::{Rejection, SdpError};
pub use fragment::{Fragment, FragmentError};
pub use plan::{Encoding, Feedback, Msid, Offer, Payload, Plan, ReceivePlan, Section, SendPlan};
pub use transport::{Fingerprint, Setup, Transport};
