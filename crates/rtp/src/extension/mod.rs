//! Header extensions (RFC 8285): their ids, their map, their values.

mod audio_level;
mod elements;
mod map;
mod mid;
mod orientation;
mod send_time;
mod twcc;
mod values;

pub use audio_level::AudioLevel;
pub use elements::Elements;
pub use map::{ExtId, ExtensionKind, ExtensionMap};
pub use orientation::{Rotation, VideoOrientation};
pub use send_time::AbsSendTime;
pub use twcc::TwccSeq;
pub use values::Values;
