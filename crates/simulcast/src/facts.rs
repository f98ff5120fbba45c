//! What a packet says about itself, whatever its codec.

use salon_rtp::Codec;

/// The place of a packet in a layered stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Layer {
    /// Resolution: 0 is the smallest.
    pub spatial: u8,
    /// Frame rate: 0 is the base, on which all else rests.
    pub temporal: u8,
}

/// What a packet says about itself, read once when it arrives; what cannot be read degrades to "forward all".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Facts {
    /// This packet starts a frame from which decoding can start: a slot may switch to its encoding here. It is set on
    /// that one packet only (for H.264 on the one that holds the SPS).
    pub key: bool,
    /// This is the first packet of its frame. H.264 does not say so: there it is set only where `key` is, and a frame
    /// start shows as a change of timestamp.
    pub frame_start: bool,
    /// This is the last packet of its picture: the marker bit.
    pub frame_end: bool,
    /// Its layer; the base where the payload names none.
    pub layer: Layer,
    /// Its frame refers to the base layer only: a receiver that had all below this layer can climb to it here.
    pub switch_up: bool,
    /// No other frame refers to its frame.
    pub discardable: bool,
    /// The picture numbers that a receiver checks.
    pub ids: Ids,
}

/// The picture numbers in a payload descriptor; opaque to the selector.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Ids {
    /// The payload has none, or they could not be read: it goes out as it came.
    #[default]
    None,
    /// RFC 7741 §4.2.
    Vp8(Vp8Ids),
    /// RFC 9628 §4.2.
    Vp9(Vp9Ids),
}

/// The numbers in a VP8 payload descriptor (RFC 7741 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Vp8Ids {
    /// PictureID, 7 or 15 bits.
    pub picture: Option<u16>,
    /// Whether PictureID has 15 bits (M).
    pub wide: bool,
    /// TL0PICIDX.
    pub tl0: Option<u8>,
    /// KEYIDX, five bits.
    pub keyidx: Option<u8>,
}

/// The numbers in a VP9 payload descriptor (RFC 9628 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Vp9Ids {
    /// Picture ID, 7 or 15 bits.
    pub picture: Option<u16>,
    /// Whether Picture ID has 15 bits (M).
    pub wide: bool,
    /// TL0PICIDX, in non-flexible mode only.
    pub tl0: Option<u8>,
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
        let _ = (codec, payload);
        Self { frame_end: marker, ..Self::UNKNOWN }
    }
}
