//! What happens to a packet between the cipher and the slots: whose it is, what is missing, when it was captured, and
//! where its bytes stay.
//!
//! Each file is one machine that stands alone: it is told the moment, allocates nothing in steady state, and is bounded
//! for any input.

mod arrival;
mod cache;
mod clock;
mod keyframe;
mod latch;
mod nack;
mod rtx;
mod twcc;

pub use arrival::{Arrival, Arrived, Origin, Reception};
pub use cache::{Cache, CacheSize, Cached, Passed, TooLarge};
pub use clock::{CaptureClock, PublisherClock};
pub use keyframe::KeyframeThrottle;
pub use latch::{Bound, Declared, Latch, News, Role, Section, TooManyEncodings};
pub use nack::NackGenerator;
pub use rtx::{RtxUnwrap, Unwrapped};
pub use twcc::{Arrivals, TwccRecorder};
