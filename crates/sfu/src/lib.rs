//! The selective forwarding core of a conference: rooms, tracks, slots, repair, keyframes, speakers; no I/O.
//!
//! A [`Room`] takes decrypted packets and gives descriptions of packets to send: who speaks is heard, who has the floor is
//! seen, what was lost is sent again, and each receiver gets the encoding that its tile and its link ask for.
//!
//! What it deliberately is not: it has no socket, clock, thread or randomness (each call is told the moment; the room is made
//! from a seed, and replays), it knows no cipher, no SDP and nobody's name, and it decodes nothing.
//!
//! The two types that matter are [`Room`], and [`Burst`], which gives what is due to one receiver, packet by packet.
//!
//! ```
//! use salon_rtp::{Codec, Egress, MediaKind, Pt, Ssrc, Time};
//! use salon_rtp::extension::ExtensionMap;
//! use salon_sfu::*;
//!
//! let (opus, extensions, feedback) = (Pt::new(111).unwrap(), ExtensionMap::EMPTY, Feedback::default());
//! let mut now = Time::ZERO;
//! let mut room = Room::new(Config::default(), [7; 32]);
//! let (ada, grace) = (room.join(now)?, room.join(now)?);
//! room.connected(now, ada, true)?;
//! room.connected(now, grace, true)?;
//! room.publish(now, ada, TrackSpec {
//!     mid: None,
//!     source: Source::Microphone,
//!     codec: Codec::Opus,
//!     pt: opus,
//!     rtx_pt: None,
//!     encodings: vec![EncodingSpec { ssrc: Some(Ssrc(42)), ..EncodingSpec::default() }],
//!     extensions,
//!     feedback,
//! })?;
//! let payloads = vec![SlotPayload { codec: Codec::Opus, pt: opus, rtx_pt: None }];
//! let slot = room.subscribe(now, grace, SlotSpec { mid: None, kind: MediaKind::Audio, payloads, extensions, feedback })?;
//!
//! // A packet of Ada's comes; what is due goes out.
//! let packet = [0x80, 111, 0, 1, 0, 0, 3, 0xc0, 0, 0, 0, 42, 0xfc, 1, 2, 3];
//! assert_eq!(room.handle_rtp(now, ada, &packet), Verdict::Accepted);
//! let mut burst = room.poll_transmit(now).unwrap();
//! assert_eq!(burst.to(), grace);
//! let Some(Egress::Rtp(sent)) = burst.next() else { panic!() };
//! assert_eq!((sent.tail, sent.header.csrc), (&[0xfc, 1, 2, 3][..], Some(ada.csrc())));
//! assert_eq!(Some(sent.ssrc), room.streams(slot).map(|s| s.ssrc));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The journey of one packet
//!
//! 1. `udp` receives many datagrams with one system call; one `now` for all; each says at which local address it came.
//! 2. `transport` tells STUN, DTLS and SRTP apart and finds the peer by address, or by ICE username for a new address.
//! 3. `srtp` checks the replay window, opens in place, then advances the window.
//! 4. [`Room::handle_rtp`]: `rtp::Packet::parse` checks all lengths once.
//! 5. [`ingress`]: SSRC (or MID and RID) → encoding; RTX unwrapped; the number extended; what came twice dropped; loss, jitter and
//!    transport-wide arrival recorded; what is missing asked for.
//! 6. The cache keeps the bytes once per encoding, whatever the number of receivers; the facts (key, frame edges, layer, ids) are
//!    read once; the audio level feeds [`audible`] and [`speaker`], so that slots may change hands before the packet goes on.
//! 7. `forward`: the loop over the slots that show this encoding or wait for it, and no others. 8. `simulcast`'s selector sees
//!    only facts: forward, or skip by name. 9. Its rewriting gives number, time and prefix for this receiver.
//! 10. The receiver's queue (small entries, no bytes), and the ready list.
//! 11. [`Room::poll_transmit`] → [`Burst::next`], the send moment, builds the header. **Extensions are rebuilt from a list of what may
//!     pass**: audio level, dependency descriptor, colour space as received; MID and send time are ours. CSRC is the publisher's
//!     [`csrc`](ParticipantId::csrc).
//! 12. `srtp` seals from the cache into the send batch. 13. `udp` sends the batch.
//!
//! Back: RTCP → `feedback`: NACK → the slot's history → cache → RTX; PLI and FIR → the encoding's throttle → one request upstream; REMB
//! and loss → the receiver's budget → `simulcast::allocate` → other encodings; and *upstream*, an encoding that nobody watches is
//! switched off at its sender ([`Event::Encodings`]).
//!
//! # Who is attended to when
//!
//! Nothing walks over everybody: a packet visits the slots that list themselves as viewers of its encoding, a receiver stands on the
//! ready list when something waits for it, each participant has one entry in one heap of deadlines, and events are edges of
//! state, of which one is pending per subject.
//!
//! # Limits
//!
//! [`limits`] names the bound of everything that grows, from participants to packets kept, each with its reason. There are no features; the
//! crate is `no_std`, with `alloc`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attend;
pub mod audible;
mod check;
mod config;
mod counters;
mod egress;
mod event;
mod feedback;
mod forward;
mod ids;
pub mod ingress;
mod layers;
pub mod limits;
mod link;
mod noise;
mod prng;
mod report;
mod room;
mod schedule;
pub mod speaker;
mod stage;
mod tidings;
mod verdict;

pub use config::{
    Config, Constraint, EncodingSpec, Feedback, SlotPayload, SlotSpec, SlotStreams, Source, TrackSpec, View,
};
pub use counters::Counters;
pub use egress::Burst;
pub use event::{EmptyReason, Event, Limit, Misuse, Refused};
pub use ids::{ParticipantId, SlotId, TrackId};
pub use report::{EncodingReport, ParticipantReport, RoomReport, SlotReport, TrackReport};
pub use room::Room;
pub use verdict::{DropReason, EgressDrop, Verdict};
