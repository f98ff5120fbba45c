//! The selective forwarding core of a conference: rooms, tracks, slots, repair, keyframes, speakers; no I/O.
#![forbid(unsafe_code)]
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
