//! What everybody here negotiates.

use core::time::Duration;
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap};
use salon_rtp::{Bitrate, Pt};
use salon_sim::{CameraConfig, EncodingConfig, LinkConfig};

/// A payload type.
pub fn pt(v: u8) -> Pt {
    Pt::new(v).unwrap()
}

/// The payload type of every camera's repair.
pub(crate) const RTX: u8 = 97;

/// The extensions of every m-line.
pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    for (id, kind) in [
        (1, ExtensionKind::Mid),
        (2, ExtensionKind::AudioLevel),
        (3, ExtensionKind::Twcc),
        (4, ExtensionKind::Rid),
        (5, ExtensionKind::RepairedRid),
        (6, ExtensionKind::AbsSendTime),
    ] {
        map.set(kind, ExtId::new(id).unwrap());
    }
    map
}

/// A camera with one encoding of this height and rate. Its streams get their names when its owner comes.
pub fn camera(height: u16, rate: Bitrate, fps: u32) -> CameraConfig {
    let plain = CameraConfig::default();
    let encodings = vec![EncodingConfig { width: height / 9 * 16, height, rate, ..plain.encodings[0] }];
    CameraConfig { encodings, fps, ..plain }
}

/// A camera with encodings of 180, 360 and 720 lines, as a browser sends them.
pub fn simulcast() -> CameraConfig {
    CameraConfig { fps: 25, ..CameraConfig::simulcast(0, 0) }
}

/// A path that loses this share of its packets and delays them so long one way, each by up to 30 ms more than another.
pub fn lossy(loss: f64, delay: Duration) -> LinkConfig {
    LinkConfig { loss, delay, jitter: Duration::from_millis(30), ..LinkConfig::default() }
}
