//! VP8 in RTP (RFC 7741; the bitstream is RFC 6386).

use crate::{Error, Prefix};

/// Bits of the descriptor (RFC 7741 §4.2).
const X: u8 = 0x80;
const N: u8 = 0x20;
const S: u8 = 0x10;
const I: u8 = 0x80;
const L: u8 = 0x40;
const T: u8 = 0x20;
const K: u8 = 0x10;
const M: u8 = 0x80;

/// A picture id, in the width that it travels in (RFC 7741 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PictureId {
    /// Seven bits.
    Short(u8),
    /// Fifteen bits.
    Long(u16),
}

impl PictureId {
    /// The number, whatever its width.
    pub const fn get(self) -> u16 {
        match self {
            Self::Short(v) => v as u16,
            Self::Long(v) => v,
        }
    }
}

/// Which temporal layer a frame is in, and what it refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Temporal {
    /// TID: 0 to 3.
    pub layer: u8,
    /// Y: refers to frames of layer 0 only, so that a receiver may climb here.
    pub sync: bool,
}

/// The fields of a descriptor, to build one from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Vp8Fields {
    /// N: nothing refers to this frame.
    pub discardable: bool,
    /// S: starts a partition.
    pub start: bool,
    /// PID: which partition, 0 to 7.
    pub partition: u8,
    /// PictureID.
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX.
    pub tl0: Option<u8>,
    /// TID and Y.
    pub temporal: Option<Temporal>,
    /// KEYIDX: 0 to 31.
    pub key_index: Option<u8>,
}

/// What to change in a descriptor. A field that the descriptor lacks stays absent: none may appear or vanish in mid
/// stream.
///
/// New fields come with a default: write `..Vp8Patch::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vp8Patch {
    /// The new picture id. A long one over a short field widens it by a byte; a short one over a long field is written long.
    pub picture_id: Option<PictureId>,
    /// The new TL0PICIDX.
    pub tl0: Option<u8>,
    /// The new KEYIDX, modulo 32.
    pub key_index: Option<u8>,
}

/// A VP8 payload descriptor (RFC 7741 §4.2), with the bytes that it stood in, so that what nobody changes stays as it was,
/// reserved bits included.
///
/// ```text
/// |X|R|N|S|R|PID| |I|L|T|K|RSV| |M|PictureID 7 or 15| |TL0PICIDX| |TID|Y|KEYIDX|
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vp8Descriptor {
    /// Zeros behind what it has.
    raw: [u8; WINDOW],
    len: u8,
    fields: Vp8Fields,
}

/// As long as the longest descriptor, or its patch, and a round number.
const WINDOW: usize = 8;

impl Vp8Descriptor {
    /// The longest descriptor.
    pub const MAX: usize = 6;

    /// Reads the descriptor that starts a payload. [`Error::Descriptor`] if the payload ends before it does.
    #[inline]
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        // Its fields are found in a copy that is long enough for all of them; only then it is asked whether they were there.
        let mut raw = match payload.first_chunk::<WINDOW>() {
            Some(window) => *window,
            None => {
                let mut window = [0; WINDOW];
                window.iter_mut().zip(payload).for_each(|(to, from)| *to = *from);
                window
            }
        };
        let mut at = 0;
        let mut take = || {
            let byte = raw[at % WINDOW];
            at += 1;
            byte
        };
        let first = take();
        let mut fields = Vp8Fields {
            discardable: first & N != 0,
            start: first & S != 0,
            partition: first & 7,
            ..Vp8Fields::default()
        };
        let extended = if first & X != 0 { take() } else { 0 };
        if extended & I != 0 {
            let id = take();
            fields.picture_id = Some(if id & M != 0 {
                PictureId::Long(u16::from_be_bytes([id & 0x7f, take()]))
            } else {
                PictureId::Short(id)
            });
        }
        if extended & L != 0 {
            fields.tl0 = Some(take());
        }
        if extended & (T | K) != 0 {
            let byte = take();
            fields.temporal =
                (extended & T != 0).then_some(Temporal { layer: byte >> 6, sync: byte & 0x20 != 0 });
            fields.key_index = (extended & K != 0).then_some(byte & 0x1f);
        }
        if at > payload.len() {
            return Err(Error::Descriptor);
        }
        for (i, byte) in raw.iter_mut().enumerate() {
            *byte = if i < at { *byte } else { 0 };
        }
        Ok(Self { raw, len: at as u8, fields })
    }

    /// Builds a descriptor. Numbers are taken modulo their width.
    pub fn new(fields: Vp8Fields) -> Self {
        let mut raw = [0; WINDOW];
        let mut len = 0;
        let mut put = |byte: u8| {
            raw[len] = byte;
            len += 1;
        };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let extended = flag(fields.picture_id.is_some(), I)
            | flag(fields.tl0.is_some(), L)
            | flag(fields.temporal.is_some(), T)
            | flag(fields.key_index.is_some(), K);
        put(flag(extended != 0, X)
            | flag(fields.discardable, N)
            | flag(fields.start, S)
            | fields.partition & 7);
        if extended != 0 {
            put(extended);
        }
        match fields.picture_id {
            Some(PictureId::Short(v)) => put(v & 0x7f),
            Some(PictureId::Long(v)) => {
                let [high, low] = v.to_be_bytes();
                put(M | high);
                put(low);
            }
            None => {}
        }
        if let Some(v) = fields.tl0 {
            put(v);
        }
        if extended & (T | K) != 0 {
            let t = fields.temporal.map_or(0, |t| (t.layer & 3) << 6 | u8::from(t.sync) << 5);
            put(t | fields.key_index.unwrap_or(0) & 0x1f);
        }
        // What was built is read back, so that a number taken modulo its width shows as it travels.
        Self::parse(&raw[..len]).unwrap_or(Self { raw, len: len as u8, fields })
    }

    /// Bytes of the descriptor: 1 to 6.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: there is always a first byte.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The descriptor's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw[..self.len()]
    }

    /// What it says.
    pub const fn fields(&self) -> &Vp8Fields {
        &self.fields
    }

    /// Whether this packet starts a frame: S on partition 0 (RFC 7741 §4.2).
    pub const fn is_frame_start(&self) -> bool {
        self.fields.start && self.fields.partition == 0
    }

    /// Whether `payload`, which this descriptor starts, is the first packet of a key frame: the frame header's P bit is
    /// clear (RFC 7741 §4.3). Later packets of the frame cannot be told.
    pub fn is_key(&self, payload: &[u8]) -> bool {
        self.is_frame_start() && payload.get(self.len()).is_some_and(|b| b & 1 == 0)
    }

    /// Width and height in pixels of the key frame that `payload` starts, each 0 to 16383 (RFC 6386 §9.1).
    pub fn key_size(&self, payload: &[u8]) -> Option<(u16, u16)> {
        if !self.is_key(payload) {
            return None;
        }
        // Three bytes of frame tag, three of start code, then two little-endian numbers of 14 bits with their scale above.
        match payload.get(self.len()..)? {
            [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] => {
                Some((u16::from_le_bytes([*w0, *w1]) & 0x3fff, u16::from_le_bytes([*h0, *h1]) & 0x3fff))
            }
            _ => None,
        }
    }

    /// The descriptor with some fields changed, and how many bytes of the payload it replaces (always [`len`](Self::len)).
    #[inline]
    pub fn patched(&self, patch: &Vp8Patch) -> (Prefix, usize) {
        let mut out = self.raw;
        let mut len = self.len();
        // A picture id stands behind the two bytes that announce it, TL0PICIDX behind that, KEYIDX last.
        let next = match (self.fields.picture_id, patch.picture_id) {
            (None, _) => 2,
            (Some(PictureId::Short(_)), Some(PictureId::Long(v))) => {
                // A byte more: what stands behind it moves. At most seven of eight are used.
                let [first, extended, _, c, d, e, ..] = self.raw;
                let [high, low] = v.to_be_bytes();
                out = [first, extended, M | high, low, c, d, e, 0];
                len += 1;
                4
            }
            (Some(PictureId::Short(_)), id) => {
                if let Some(PictureId::Short(v)) = id {
                    out[2] = v & 0x7f;
                }
                3
            }
            (Some(PictureId::Long(_)), id) => {
                if let Some(id) = id {
                    let [high, low] = id.get().to_be_bytes();
                    (out[2], out[3]) = (M | high, low);
                }
                4
            }
        };
        let mut last = next;
        if self.fields.tl0.is_some() {
            if let Some(v) = patch.tl0 {
                out[next] = v;
            }
            last += 1;
        }
        if let (Some(_), Some(k)) = (self.fields.key_index, patch.key_index) {
            out[last] = out[last] & 0xe0 | k & 0x1f;
        }
        (Prefix::few(out, len), self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields() -> impl Strategy<Value = Vp8Fields> {
        let id = prop_oneof![(0u8..128).prop_map(PictureId::Short), (0u16..0x8000).prop_map(PictureId::Long)];
        (
            (any::<bool>(), any::<bool>(), 0u8..8),
            prop::option::of(id),
            prop::option::of(any::<u8>()),
            prop::option::of((0u8..4, any::<bool>())),
            prop::option::of(0u8..32),
        )
            .prop_map(|((discardable, start, partition), picture_id, tl0, t, key_index)| Vp8Fields {
                discardable,
                start,
                partition,
                picture_id,
                tl0,
                temporal: t.map(|(layer, sync)| Temporal { layer, sync }),
                key_index,
            })
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_built_is_read_back(f in fields(), tail in prop::collection::vec(any::<u8>(), 0..8)) {
            let d = Vp8Descriptor::new(f);
            prop_assert_eq!(d.fields(), &f);
            let payload = [d.as_bytes(), &tail].concat();
            prop_assert_eq!(Vp8Descriptor::parse(&payload), Ok(d));
            for n in 0..d.len() {
                prop_assert_eq!(Vp8Descriptor::parse(&payload[..n]), Err(Error::Descriptor));
            }
        }

        #[test]
        fn no_patch_changes_nothing(payload in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(d) = Vp8Descriptor::parse(&payload) {
                let (prefix, replaced) = d.patched(&Vp8Patch::default());
                prop_assert_eq!(prefix.as_slice(), &payload[..d.len()]);
                prop_assert_eq!(replaced, d.len());
                let _ = d.key_size(&payload);
            }
        }

        #[test]
        fn a_patch_changes_its_fields_only(
            payload in prop::collection::vec(any::<u8>(), 6..12),
            id in 0u16..0x8000, tl0: u8, key in 0u8..32, widen: bool,
        ) {
            let d = Vp8Descriptor::parse(&payload).unwrap();
            let id = match d.fields().picture_id {
                Some(PictureId::Short(_)) if !widen => PictureId::Short(id as u8 & 0x7f),
                _ => PictureId::Long(id),
            };
            let patch = Vp8Patch { picture_id: Some(id), tl0: Some(tl0), key_index: Some(key) };
            let (prefix, _) = d.patched(&patch);
            let p = Vp8Descriptor::parse(prefix.as_slice()).unwrap();
            prop_assert_eq!(p.len(), prefix.as_slice().len());
            let f = d.fields();
            prop_assert_eq!(p.fields(), &Vp8Fields {
                picture_id: f.picture_id.map(|_| id),
                tl0: f.tl0.map(|_| tl0),
                key_index: f.key_index.map(|_| key),
                ..*f
            });
            // Back again, where the width was kept: every other bit is as it was.
            if p.len() == d.len() {
                let back = Vp8Patch { picture_id: f.picture_id, tl0: f.tl0, key_index: f.key_index };
                let (prefix, _) = p.patched(&back);
                prop_assert_eq!(prefix.as_slice(), d.as_bytes());
            }
        }
    }

    #[test]
    fn a_key_frame_tells_its_size() {
        let mut payload = std::vec![0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x40];
        let d = Vp8Descriptor::parse(&payload).unwrap();
        assert!(d.is_key(&payload));
        assert_eq!(d.key_size(&payload), Some((320, 180)));
        payload[1] |= 1;
        assert!(!d.is_key(&payload));
        assert_eq!(d.key_size(&payload), None);
        assert!(!d.is_key(&payload[..1]));
        // The second partition of a frame starts with S too, and is no frame start.
        assert!(!Vp8Descriptor::parse(&[0x11, 0]).unwrap().is_key(&[0x11, 0]));
    }
}
