//! What a payload's first bytes say.

pub mod av1;
pub mod h264;
pub mod h265;
pub mod opus;
pub mod red;
pub mod rtx;
pub mod vp8;
pub mod vp9;

/// Why a payload or its descriptor was not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The buffer is too small.
    #[error("the buffer is too small")]
    TooSmall,
    /// The format has no way to say it: a number too large for its field, too many of something.
    #[error("the format cannot say it")]
    Unsayable,
}

/// Sound or picture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// A codec that a conference carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628, with its profile (`profile-id`).
    Vp9(u8),
    /// RFC 6184, packetization mode 1.
    H264(H264Profile),
    /// The AV1 RTP specification, with its profile (`profile`): 0 to 2.
    Av1(u8),
    /// RFC 7798, without decoding order numbers.
    H265,
}

impl Codec {
    /// Sound or picture.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            Self::Vp8 | Self::Vp9(_) | Self::H264(_) | Self::Av1(_) | Self::H265 => MediaKind::Video,
        }
    }

    /// Ticks of its RTP clock per second.
    pub const fn clock_rate(self) -> u32 {
        match self.kind() {
            MediaKind::Audio => 48_000,
            MediaKind::Video => 90_000,
        }
    }

    /// Its name in `a=rtpmap`, as IANA writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9(_) => "VP9",
            Self::H264(_) => "H264",
            Self::Av1(_) => "AV1",
            Self::H265 => "H265",
        }
    }

    /// Whether who negotiated `self` can decode a stream of `sent`.
    pub fn decodes(self, sent: Self) -> bool {
        match (self, sent) {
            (Self::H264(mine), Self::H264(theirs)) => mine.contains(theirs),
            _ => self == sent,
        }
    }
}

/// `profile_idc` and `profile_iop` of H.264 (RFC 6184 §8.1); the level does not matter to a forwarder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum H264Profile {
    /// 42 with constraint_set1: what every decoder of the other profiles below can decode.
    ConstrainedBaseline,
    /// 42 without it.
    Baseline,
    /// 4D.
    Main,
    /// 64 with both constraint_set4 and constraint_set5.
    ConstrainedHigh,
    /// 64.
    High,
    /// F4.
    High444Predictive,
}

impl H264Profile {
    /// Reads the first two bytes of `profile-level-id` (RFC 6184 table 5); `None` for profiles that we do not know.
    pub const fn from_profile_level_id(idc: u8, iop: u8) -> Option<Self> {
        match idc {
            0x42 if iop & 0x40 != 0 => Some(Self::ConstrainedBaseline),
            0x42 => Some(Self::Baseline),
            0x4d if iop & 0x80 != 0 => Some(Self::ConstrainedBaseline),
            0x4d => Some(Self::Main),
            0x58 if iop & 0xc0 == 0xc0 => Some(Self::ConstrainedBaseline),
            0x64 if iop & 0x0c == 0x0c => Some(Self::ConstrainedHigh),
            0x64 => Some(Self::High),
            0xf4 => Some(Self::High444Predictive),
            _ => None,
        }
    }

    /// Whether a decoder of this profile decodes streams of `other` (H.264 annex A.2). Baseline counts as Constrained Baseline: what it has
    /// beyond that (slice groups, slices in any order, redundant ones) no encoder in use makes, and ffmpeg's WHIP calls the one by the other's name.
    pub fn contains(self, other: Self) -> bool {
        use H264Profile::*;
        match (self, other) {
            (_, ConstrainedBaseline | Baseline) => true,
            (High | High444Predictive, Main | ConstrainedHigh) | (High444Predictive, High) => true,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_read_as_rfc_6184_table_5_says() {
        let p = H264Profile::from_profile_level_id;
        assert_eq!(p(0x42, 0xe0), Some(H264Profile::ConstrainedBaseline));
        assert_eq!(p(0x42, 0x00), Some(H264Profile::Baseline));
        assert_eq!(p(0x4d, 0x00), Some(H264Profile::Main));
        assert_eq!(p(0x64, 0x00), Some(H264Profile::High));
        assert_eq!(p(0x64, 0x0c), Some(H264Profile::ConstrainedHigh));
        assert!(Codec::H264(H264Profile::High).decodes(Codec::H264(H264Profile::ConstrainedBaseline)));
        assert!(!Codec::H264(H264Profile::ConstrainedBaseline).decodes(Codec::H264(H264Profile::High)));
        assert!(Codec::H264(H264Profile::ConstrainedBaseline).decodes(Codec::H264(H264Profile::Baseline)));
    }
}
