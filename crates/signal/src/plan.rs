//! What an offer has become: plain data, decided once.

use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Codec, MediaKind, Mid, Pt, Rid, Ssrc};

use crate::extensions::AnsweredExtension;
use crate::lines::MediaLine;
use crate::{Rejection, Transport};

/// An offer that can be answered, with what becomes of each of its sections.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The one transport of all accepted sections.
    pub transport: Transport,
    /// As many as the offer has `m=` lines, in their order.
    pub sections: Vec<Section>,
    /// Indices of the accepted sections in the order of the BUNDLE group; the first one carries the transport.
    pub(crate) bundle: Vec<usize>,
    /// Whether the offer has a BUNDLE group.
    pub(crate) grouped: bool,
    /// `a=extmap-allow-mixed` for the session (RFC 8285 §6).
    pub(crate) allow_mixed: bool,
}

/// One `m=` line of the offer.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its place in the offer and in the answer, from 0.
    pub index: usize,
    /// `a=mid`; WHIP clients with a single section may have none.
    pub mid: Option<Mid>,
    /// What becomes of it.
    pub plan: Plan,
    pub(crate) line: MediaLine,
    pub(crate) extensions: Vec<AnsweredExtension>,
    /// `a=extmap-allow-mixed` for this section.
    pub(crate) allow_mixed: bool,
    /// `a=rtcp-rsize` (RFC 5506 §5).
    pub(crate) reduced_size: bool,
}

/// What becomes of a section. Directions are the client's.
// Exhaustive: the directions of RFC 3264 §5.1, and a refusal. Whoever answers must miss none.
#[derive(Clone, Debug)]
pub enum Plan {
    /// The client sends: a track.
    Send(SendPlan),
    /// The client receives: a slot.
    Receive(ReceivePlan),
    /// Both in one section, as clients do that don't know slots.
    SendReceive(SendPlan, ReceivePlan),
    /// Neither for now; it stands, and a later offer may wake it.
    Inactive(ReceivePlan),
    /// Answered with port 0.
    Rejected(Rejection),
}

impl Plan {
    /// What the client sends.
    pub fn send(&self) -> Option<&SendPlan> {
        match self {
            Self::Send(s) | Self::SendReceive(s, _) => Some(s),
            _ => None,
        }
    }

    /// What the client receives.
    pub fn receive(&self) -> Option<&ReceivePlan> {
        match self {
            Self::Receive(r) | Self::SendReceive(_, r) => Some(r),
            _ => None,
        }
    }

    /// Why it is rejected.
    pub fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(r) => Some(*r),
            _ => None,
        }
    }
}

/// What the client will send in a section: one codec, in one or more encodings.
#[derive(Clone, Debug)]
pub struct SendPlan {
    /// `a=mid`.
    pub mid: Option<Mid>,
    /// Sound or picture.
    pub kind: MediaKind,
    /// The one codec of the answer.
    pub codec: Codec,
    /// Its payload type.
    pub pt: Pt,
    /// The payload type of its repair (RFC 4588).
    pub rtx_pt: Option<Pt>,
    /// In the order of `a=simulcast`, at least one, at most [`limits::ENCODINGS`](crate::limits::ENCODINGS).
    pub encodings: Vec<Encoding>,
    /// What its packets may carry.
    pub extensions: ExtensionMap,
    /// What we may send it.
    pub feedback: Feedback,
    /// Stream and track id, as the client names them (RFC 8830).
    pub msid: Option<Msid>,
    pub(crate) payload: Payload,
}

/// One encoded stream of a track.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Encoding {
    /// `a=rid` (RFC 8851), if it is known by one.
    pub rid: Option<Rid>,
    /// `a=ssrc` (RFC 5576), if it is known beforehand.
    pub ssrc: Option<Ssrc>,
    /// The SSRC of its repair, from `a=ssrc-group:FID`.
    pub rtx_ssrc: Option<Ssrc>,
    /// Offered as paused (`~`, RFC 8853 §5.1).
    pub paused: bool,
}

/// What the client can show or play in a section.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivePlan {
    /// `a=mid`.
    pub mid: Option<Mid>,
    /// Sound or picture.
    pub kind: MediaKind,
    /// All that it can decode of what we forward, in the offer's order, each codec once, at least one.
    pub payloads: Vec<Payload>,
    /// What we may put into its packets.
    pub extensions: ExtensionMap,
    /// What it may send us, for any of the payloads.
    pub feedback: Feedback,
}

/// A codec under its payload type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload {
    /// The codec, with its profile.
    pub codec: Codec,
    /// Its payload type.
    pub pt: Pt,
    /// The payload type of its repair (RFC 4588).
    pub rtx_pt: Option<Pt>,
    /// What was offered and is accepted for it.
    pub feedback: Feedback,
    /// What `a=fmtp` of the answer says.
    pub(crate) fmtp: Option<String>,
}

/// Accepted RTCP feedback (RFC 4585, RFC 5104).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Feedback {
    /// Generic NACK.
    pub nack: bool,
    /// Picture loss indication.
    pub pli: bool,
    /// Full intra request.
    pub fir: bool,
    /// Transport-wide congestion control.
    pub twcc: bool,
    /// Receiver estimated maximum bitrate.
    pub remb: bool,
}

/// `a=msid` (RFC 8830).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Msid {
    /// The stream.
    pub stream: String,
    /// The track, empty where the client names none.
    pub track: String,
}
