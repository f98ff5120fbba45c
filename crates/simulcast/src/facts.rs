//! What a packet says about itself, whatever its codec.

use salon_rtp::Codec;
use salon_rtp::payload::h264::H264Payload;
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::payload::vp9::{Vp9Descriptor, Vp9Head};

/// The place of a packet in a layered stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Layer {
    /// Resolution: 0 is the smallest.
    pub spatial: u8,
    /// Frame rate: 0 is the base, on which all else rests.
    pub temporal: u8,
}

/// What a packet says about itself, read once when it arrives; what cannot be read degrades to "forward all".
///
/// New fields come with a value of their own in [`UNKNOWN`](Self::UNKNOWN): write `..Facts::UNKNOWN`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Facts {
    /// This packet starts a frame from which decoding can start: a slot may switch to its encoding here. It is set on
    /// that one packet only (for H.264 on the one that holds the SPS; other packets of a VP8 key frame cannot be told).
    pub key: bool,
    /// This packet is known to be the first of its picture. H.264 has no such sign that is always there: a change of
    /// timestamp tells too.
    pub frame_start: bool,
    /// This is the last packet of its picture: the marker bit. Every packet of sound is.
    pub frame_end: bool,
    /// Its layer; the base where the payload names none.
    pub layer: Layer,
    /// Its picture refers to nothing but the layers below: a receiver that has these can climb to its layer here.
    pub switch_up: bool,
    /// No other picture refers to its picture.
    pub discardable: bool,
    /// The picture numbers that a receiver checks.
    pub ids: Ids,
}

/// The part of a payload that holds picture numbers, which are each receiver's own; opaque to selection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Ids {
    /// The payload has none, or they could not be read: it goes out as it came.
    #[default]
    None,
    /// PictureID, TL0PICIDX, KEYIDX (RFC 7741 §4.2).
    Vp8(Vp8Descriptor),
    /// Picture ID, TL0PICIDX (RFC 9628 §4.2).
    Vp9(Vp9Head),
}

impl Facts {
    /// Nothing is known: every packet may go out, none may be switched to.
    pub const UNKNOWN: Self = Self {
        key: false,
        frame_start: false,
        frame_end: false,
        layer: Layer { spatial: 0, temporal: 0 },
        switch_up: false,
        discardable: false,
        ids: Ids::None,
    };

    /// Reads the payload (without padding) of a packet.
    pub fn read(codec: Codec, marker: bool, payload: &[u8]) -> Self {
        let unknown = Self { frame_end: marker, ..Self::UNKNOWN };
        match codec {
            Codec::Opus => Self { key: true, frame_start: true, frame_end: true, ..Self::UNKNOWN },
            Codec::Vp8 => vp8(unknown, payload),
            Codec::Vp9(_) => vp9(unknown, payload),
            Codec::H264(_) => h264(unknown, payload),
            _ => unknown,
        }
    }
}

fn vp8(unknown: Facts, payload: &[u8]) -> Facts {
    let Ok(d) = Vp8Descriptor::parse(payload) else { return unknown };
    let f = d.fields();
    let temporal = f.temporal.map_or(0, |t| t.layer);
    Facts {
        // A receiver drops a key frame above the base layer (libwebrtc), so nothing can start there.
        key: d.is_key(payload) && temporal == 0,
        frame_start: d.is_frame_start(),
        layer: Layer { spatial: 0, temporal },
        switch_up: f.temporal.is_some_and(|t| t.sync),
        discardable: f.discardable,
        ids: Ids::Vp8(d),
        ..unknown
    }
}

fn vp9(unknown: Facts, payload: &[u8]) -> Facts {
    let Ok(d) = Vp9Descriptor::parse(payload) else { return unknown };
    let layer = d.layer.map_or(Layer::default(), |l| Layer { spatial: l.spatial, temporal: l.temporal });
    Facts {
        // In non-flexible mode a receiver cannot use a key picture whose group of pictures it does not know.
        key: d.is_key() && layer.temporal == 0 && (d.flexible || d.structure.is_some()),
        frame_start: d.is_picture_start(),
        layer,
        switch_up: d.layer.is_some_and(|l| l.switch_up),
        ids: Ids::Vp9(d.head()),
        ..unknown
    }
}

fn h264(unknown: Facts, payload: &[u8]) -> Facts {
    let Ok(h) = H264Payload::parse(payload) else { return unknown };
    // Not the length of the packet, nor the refresh slice: a decoder needs the SPS, and it may stand in a packet of its own.
    Facts { key: h.sps, frame_start: h.first, discardable: h.nal_start && !h.reference, ..unknown }
}
