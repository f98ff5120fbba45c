//! What a person sends.

use serde::{Deserialize, Serialize};

/// What a person sends; each at most once per person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// A voice.
    Microphone,
    /// A face.
    Camera,
    /// A shared screen or window.
    Screen,
    /// The sound that belongs to the screen.
    ScreenAudio,
}

impl Source {
    /// Whether this is sound.
    pub(crate) fn is_audio(self) -> bool {
        matches!(self, Self::Microphone | Self::ScreenAudio)
    }
}

impl From<Source> for salon_host::sfu::Source {
    fn from(source: Source) -> Self {
        match source {
            Source::Microphone => Self::Microphone,
            Source::Camera => Self::Camera,
            Source::Screen => Self::Screen,
            Source::ScreenAudio => Self::ScreenAudio,
        }
    }
}

impl From<salon_host::sfu::Source> for Source {
    fn from(source: salon_host::sfu::Source) -> Self {
        use salon_host::sfu::Source as Media;
        match source {
            Media::Microphone => Self::Microphone,
            Media::Camera => Self::Camera,
            Media::Screen => Self::Screen,
            Media::ScreenAudio => Self::ScreenAudio,
        }
    }
}
