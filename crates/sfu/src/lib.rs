//! The selective forwarding core of a conference: rooms, tracks, slots, repair, keyframes, speakers; no I/O.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod audible;
mod config;
mod counters;
mod event;
mod ids;
pub mod ingress;
pub mod limits;
mod noise;
mod report;
mod room;
pub mod speaker;
mod verdict;

pub use config::{
    Config, Constraint, EncodingSpec, Feedback, SlotPayload, SlotSpec, SlotStreams, Source, TrackSpec, View,
};
pub use counters::Counters;
pub use event::{EmptyReason, Event, Limit, Misuse, Refused};
pub use ids::{ParticipantId, SlotId, TrackId};
pub use report::{EncodingReport, ParticipantReport, RoomReport, SlotReport, TrackReport};
pub use room::{Burst, Room};
pub use verdict::{DropReason, EgressDrop, Verdict};
