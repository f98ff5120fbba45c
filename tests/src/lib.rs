//! Whole rooms on a virtual clock: people with sources, models of browsers as receivers and a network between them, around
//! one [`Room`](salon_sfu::Room) that is driven as `host` drives it. Nothing here waits, and the same seed gives the same bytes.
//!
//! [`Rig`] is the room with everything around it; [`Guest`] says how somebody comes; [`Ledger`] stands at the room's door and
//! checks the laws that hold for each packet that leaves; [`steps`] plays at random.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A law that is broken ends the run.

mod estimator;
mod figures;
mod ledger;
mod person;
mod rig;
mod shape;
pub mod steps;

pub use estimator::Estimator;
pub use figures::Figures;
pub use ledger::{Ledger, Totals};
pub use person::{Arrival, Guest, Person, Stamped, Subscription, Upload};
pub use rig::Rig;
pub use shape::{camera, extensions, lossy, pt, simulcast};
