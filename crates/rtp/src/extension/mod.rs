//! Header extensions (RFC 8285): their ids, their map, their values.

mod audio_level;
mod capture_time;
pub mod descriptor;
mod elements;
mod layers;
mod map;
mod mid;
mod orientation;
mod playout_delay;
mod send_time;
mod twcc;
mod values;

pub use audio_level::AudioLevel;
pub use capture_time::{CaptureTime, ClockOffset};
pub use elements::Elements;
pub use layers::{BadLayers, LayerSize, LayersAllocation, SpatialLayer};
pub use map::{ExtId, ExtensionKind, ExtensionMap};
pub use orientation::{Rotation, VideoOrientation};
pub use playout_delay::PlayoutDelay;
pub use send_time::AbsSendTime;
pub use twcc::TwccSeq;
pub use values::Values;
