//! From the cache to the network: the sending half of the room.

pub(crate) mod budget;
mod burst;
mod choke;
mod history;
mod outbox;
mod receiver;
mod repair;
mod reports;
mod round_trip;
mod slot;

pub use burst::Burst;
pub(crate) use choke::Missing;
pub(crate) use history::{History, Sent};
pub(crate) use outbox::Outbox;
pub(crate) use receiver::{Entry, Ready, Receiver};
pub(crate) use reports::Teller;
pub(crate) use round_trip::RoundTrip;
pub(crate) use slot::{Slot, Slots};
