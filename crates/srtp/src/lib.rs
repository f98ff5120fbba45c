//! SRTP and SRTCP: seals what leaves, opens what came, refuses to do either twice.
#![forbid(unsafe_code)]

mod error;
mod inbound;
pub mod limits;
mod outbound;
mod profile;

pub use error::{BadKey, OpenError, SealError};
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use profile::{MasterKey, Profile};
