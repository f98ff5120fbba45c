//! SRTP and SRTCP: seals what leaves, opens what came, refuses to do either twice.
#![forbid(unsafe_code)]

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
