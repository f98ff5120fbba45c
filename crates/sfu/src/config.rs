//! What the caller decides: of the room, of a track, of a slot.

use alloc::vec::Vec;

use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Codec, MediaKind, Mid, NtpTime, Pt, Rid, Ssrc};

use crate::{ParticipantId, TrackId, limits};

/// How a room behaves.
///
/// New fields come with a default: write `..Config::default()`.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many may be in the room: 1 to [`limits::PARTICIPANTS`].
    pub participants: usize,
    /// The wall clock at [`Time::ZERO`](salon_rtp::Time::ZERO); sender reports tell it.
    pub ntp_at_zero: NtpTime,
}

impl Default for Config {
    fn default() -> Self {
        Self { participants: 256, ntp_at_zero: NtpTime::from_micros(3_900_000_000_000_000) }
    }
}

/// Where a track comes from. A screen ranks above a camera when slots are scarce.
// Exhaustive: salon-server has a word for each in its protocol, both ways.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A person's voice.
    Microphone,
    /// A person's picture.
    Camera,
    /// A shared screen.
    Screen,
    /// What the shared screen plays.
    ScreenAudio,
}

impl Source {
    /// Sound or picture.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Microphone | Self::ScreenAudio => MediaKind::Audio,
            Self::Camera | Self::Screen => MediaKind::Video,
        }
    }

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::ScreenAudio => "screen-audio",
        }
    }
}

/// The feedback that an m-line negotiated (`a=rtcp-fb`).
///
/// New fields come with a default: write `..Feedback::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Feedback {
    /// Generic NACK (RFC 4585 §6.2.1).
    pub nack: bool,
    /// Picture loss indication (RFC 4585 §6.3.1).
    pub pli: bool,
    /// Full intra request (RFC 5104 §4.3.1).
    pub fir: bool,
    /// Transport-wide feedback.
    pub twcc: bool,
    /// Receiver-estimated maximum bitrate.
    pub remb: bool,
}

/// One encoding of a track, as far as signalling declares it. All may be unknown: then packets tell.
///
/// New fields come with a default: write `..EncodingSpec::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EncodingSpec {
    /// Its restriction identifier (RFC 8851).
    pub rid: Option<Rid>,
    /// Its SSRC.
    pub ssrc: Option<Ssrc>,
    /// The SSRC of its RTX stream (RFC 4588).
    pub rtx_ssrc: Option<Ssrc>,
}

/// A track that a participant is about to send.
#[derive(Clone, Debug)]
pub struct TrackSpec {
    /// The m-line's identification, for demultiplexing (RFC 9143).
    pub mid: Option<Mid>,
    /// What it is.
    pub source: Source,
    /// The one codec that was negotiated.
    pub codec: Codec,
    /// Its payload type.
    pub pt: Pt,
    /// The payload type of its RTX, if it was negotiated.
    pub rtx_pt: Option<Pt>,
    /// 1 to [`limits::ENCODINGS`], in ascending order of size.
    pub encodings: Vec<EncodingSpec>,
    /// The ids of its header extensions.
    pub extensions: ExtensionMap,
    /// Which feedback it understands.
    pub feedback: Feedback,
}

/// A payload type of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotPayload {
    /// What it decodes.
    pub codec: Codec,
    /// Its payload type.
    pub pt: Pt,
    /// The payload type of its RTX.
    pub rtx_pt: Option<Pt>,
}

/// A receive stream that a participant negotiated.
#[derive(Clone, Debug)]
pub struct SlotSpec {
    /// The m-line's identification; sent along until the first receiver report.
    pub mid: Option<Mid>,
    /// Sound or picture.
    pub kind: MediaKind,
    /// What it may show: 1 to [`limits::SLOT_PAYLOADS`].
    pub payloads: Vec<SlotPayload>,
    /// The ids of its header extensions.
    pub extensions: ExtensionMap,
    /// Which feedback the receiver sends.
    pub feedback: Feedback,
}

/// The streams of a slot. They live as long as the slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SlotStreams {
    /// Media.
    pub ssrc: Ssrc,
    /// Repair, where any payload of the slot negotiated it.
    pub rtx: Option<Ssrc>,
}

/// What a slot is to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum View {
    /// Who has the floor, then who had it most recently.
    #[default]
    Auto,
    /// This track.
    Track(TrackId),
    /// This participant alone: the screen before the camera, the microphone before what the screen plays.
    Participant(ParticipantId),
}

/// What a receiver wants of one slot.
///
/// New fields come with a default: write `..Constraint::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constraint {
    /// Whom to show. In an audio slot [`View::Auto`] is whoever makes a sound.
    pub view: View,
    /// Height in pixels at which it is shown; 0 pauses the slot: nothing is sent for it. Of an audio slot only that matters.
    pub height: u16,
}

impl Default for Constraint {
    /// [`View::Auto`] at 180 pixels: a tile among others.
    fn default() -> Self {
        Self { view: View::Auto, height: 180 }
    }
}

const _: () = assert!(limits::PARTICIPANTS <= 1 << 16, "a CSRC has 16 bits for a place in the table");
