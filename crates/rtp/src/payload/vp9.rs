//! VP9 in RTP (RFC 9628), both its flexible and its non-flexible mode.

mod fields;

pub use fields::{Vp9Fields, Vp9StructureFields};

use super::vp8::PictureId;
use crate::{Error, Prefix};

/// Bits of the first byte (RFC 9628 §4.2).
const I: u8 = 0x80;
const P: u8 = 0x40;
const L: u8 = 0x20;
const F: u8 = 0x10;
const B: u8 = 0x08;
const E: u8 = 0x04;
const V: u8 = 0x02;
const Z: u8 = 0x01;
/// Of a picture id's first byte: another follows.
const M: u8 = 0x80;

/// Bytes up to TL0PICIDX at most: the first, a picture id of two, layer indices, TL0PICIDX.
const HEAD: usize = 5;

/// Which layers a frame is in, and what it refers to (RFC 9628 §4.2, layer indices).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vp9Layer {
    /// TID: 0 to 7.
    pub temporal: u8,
    /// U: a receiver may climb to this temporal layer here.
    pub switch_up: bool,
    /// SID: 0 to 7.
    pub spatial: u8,
    /// D: refers to the spatial layer below in the same picture.
    pub inter_layer: bool,
}

/// The scalability structure (RFC 9628 §4.2.1), of which we keep what a forwarder decides by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vp9Structure {
    /// N_S + 1: 1 to 8.
    pub spatial_layers: u8,
    /// N_G: pictures in the group, 0 if none is described.
    pub pictures: u8,
    sizes: [(u16, u16); 8],
    has_sizes: bool,
    /// Bytes of the group's description, which ends the descriptor.
    group_len: u16,
}

/// One picture of the group that a structure describes (RFC 9628 §4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Vp9GroupPicture {
    /// TID: 0 to 7.
    pub temporal: u8,
    /// U: a receiver may climb to this temporal layer here.
    pub switch_up: bool,
    references: [u8; 3],
    reference_count: u8,
}

impl Vp9GroupPicture {
    /// A picture that refers to those so many pictures back; `None` for more than three references or a layer above 7.
    pub fn new(temporal: u8, switch_up: bool, references: &[u8]) -> Option<Self> {
        let mut out =
            Self { temporal, switch_up, reference_count: references.len() as u8, ..Self::default() };
        out.references.get_mut(..references.len())?.copy_from_slice(references);
        (temporal < 8).then_some(out)
    }

    /// P_DIFF: how many pictures back each reference lies, at most three.
    pub fn references(&self) -> &[u8] {
        self.references.get(..usize::from(self.reference_count)).unwrap_or(&[])
    }

    /// The next picture of a group and what follows it.
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&head, rest) = bytes.split_first()?;
        let (references, rest) = rest.split_at_checked(usize::from(head >> 2 & 3))?;
        Some((Self::new(head >> 5, head & 0x10 != 0, references)?, rest))
    }
}

impl Vp9Structure {
    /// Width and height of a spatial layer, if the structure gives them.
    pub fn size(&self, spatial: u8) -> Option<(u16, u16)> {
        if !self.has_sizes || spatial >= self.spatial_layers {
            return None;
        }
        self.sizes.get(usize::from(spatial)).copied()
    }
}

/// What to change in a descriptor; absent fields stay absent.
///
/// New fields come with a default: write `..Vp9Patch::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vp9Patch {
    /// The new picture id. A long one over a short field widens it by a byte; a short one over a long field is written long.
    pub picture_id: Option<PictureId>,
    /// The new TL0PICIDX.
    pub tl0: Option<u8>,
}

/// A VP9 payload descriptor (RFC 9628 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vp9Descriptor {
    /// The picture id.
    pub picture_id: Option<PictureId>,
    /// P: refers to earlier pictures.
    pub inter_picture: bool,
    /// F: references are given picture by picture.
    pub flexible: bool,
    /// B: starts a frame (one spatial layer of a picture).
    pub start: bool,
    /// E: ends a frame.
    pub end: bool,
    /// Z: no upper spatial layer of this picture refers to this frame.
    pub not_for_upper: bool,
    /// The layer indices.
    pub layer: Option<Vp9Layer>,
    /// TL0PICIDX: non-flexible mode with layer indices only.
    pub tl0: Option<u8>,
    /// The scalability structure.
    pub structure: Option<Vp9Structure>,
    references: [u8; 3],
    reference_count: u8,
    /// The bytes up to TL0PICIDX, which a patch may change.
    head: [u8; HEAD],
    head_len: u8,
    len: u16,
}

impl Vp9Descriptor {
    /// Reads the descriptor that starts a payload. [`Error::Descriptor`] if the payload ends before it does or if a fourth
    /// reference is announced.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader { bytes: payload, at: 0 };
        let first = reader.byte()?;
        let mut picture_id = None;
        if first & I != 0 {
            let id = reader.byte()?;
            picture_id = Some(if id & M != 0 {
                PictureId::Long(u16::from_be_bytes([id & 0x7f, reader.byte()?]))
            } else {
                PictureId::Short(id)
            });
        }
        let (mut layer, mut tl0) = (None, None);
        let flexible = first & F != 0;
        if first & L != 0 {
            let byte = reader.byte()?;
            layer = Some(Vp9Layer {
                temporal: byte >> 5,
                switch_up: byte & 0x10 != 0,
                spatial: byte >> 1 & 7,
                inter_layer: byte & 1 != 0,
            });
            if !flexible {
                tl0 = Some(reader.byte()?);
            }
        }
        let mut head = [0; HEAD];
        let head_len = reader.at;
        for (to, from) in head.iter_mut().zip(payload.iter().take(head_len)) {
            *to = *from;
        }
        let (mut references, mut reference_count) = ([0; 3], 0);
        if flexible && first & P != 0 {
            (references, reference_count) = reader.references()?;
        }
        let structure = if first & V != 0 { Some(reader.structure()?) } else { None };
        Ok(Self {
            picture_id,
            inter_picture: first & P != 0,
            flexible,
            start: first & B != 0,
            end: first & E != 0,
            not_for_upper: first & Z != 0,
            layer,
            tl0,
            structure,
            references,
            reference_count,
            head,
            head_len: head_len as u8,
            len: reader.at as u16,
        })
    }

    /// Bytes of the descriptor.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: there is always a first byte.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Whether this packet starts a key picture: base spatial layer, first packet, no reference to an earlier picture.
    pub fn is_key(&self) -> bool {
        self.start && !self.inter_picture && self.layer.is_none_or(|l| l.spatial == 0)
    }

    /// Whether this packet starts a picture: the first of its base spatial layer. (Where the base layer is absent from a
    /// stream, the change of timestamp tells.)
    pub fn is_picture_start(&self) -> bool {
        self.start && self.layer.is_none_or(|l| l.spatial == 0)
    }

    /// P_DIFF: how many pictures back each reference lies (flexible mode), at most three.
    pub fn references(&self) -> &[u8] {
        self.references.get(..usize::from(self.reference_count)).unwrap_or(&[])
    }

    /// The pictures of the group that the structure describes, at most 255, from the payload that this descriptor was read
    /// from; none without a structure.
    pub fn group<'p>(&self, payload: &'p [u8]) -> impl Iterator<Item = Vp9GroupPicture> + use<'p> {
        let len = self.structure.map_or(0, |s| usize::from(s.group_len));
        let mut rest = payload.get(self.len().saturating_sub(len)..self.len()).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let (picture, after) = Vp9GroupPicture::split(rest)?;
            rest = after;
            Some(picture)
        })
    }

    /// What a patch may change.
    pub fn head(&self) -> Vp9Head {
        let mut raw = [0; 8];
        raw[..HEAD].copy_from_slice(&self.head);
        Vp9Head { raw, len: self.head_len, picture_id: self.picture_id, tl0: self.tl0 }
    }

    /// The descriptor's first bytes with some fields changed, and how many bytes of the payload they replace.
    pub fn patched(&self, patch: &Vp9Patch) -> (Prefix, usize) {
        self.head().patched(patch)
    }
}

/// The beginning of a descriptor, up to TL0PICIDX: all that a patch may change, with the bytes that it stood in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vp9Head {
    /// Zeros behind what it has.
    raw: [u8; 8],
    len: u8,
    picture_id: Option<PictureId>,
    tl0: Option<u8>,
}

impl Vp9Head {
    /// The picture id.
    pub const fn picture_id(&self) -> Option<PictureId> {
        self.picture_id
    }

    /// TL0PICIDX.
    pub const fn tl0(&self) -> Option<u8> {
        self.tl0
    }

    /// The head with some fields changed, and how many bytes of the payload it replaces.
    #[inline]
    pub fn patched(&self, patch: &Vp9Patch) -> (Prefix, usize) {
        let (mut out, mut len) = (self.raw, usize::from(self.len));
        // The picture id stands behind the first byte, TL0PICIDX at the end.
        match (self.picture_id, patch.picture_id) {
            (None, _) | (_, None) => {}
            (Some(PictureId::Short(_)), Some(PictureId::Long(v))) => {
                let [first, _, b, c, ..] = self.raw;
                let [high, low] = v.to_be_bytes();
                out = [first, M | high, low, b, c, 0, 0, 0];
                len += 1;
            }
            (Some(PictureId::Short(_)), Some(PictureId::Short(v))) => out[1] = v & 0x7f,
            (Some(PictureId::Long(_)), Some(id)) => {
                let [high, low] = id.get().to_be_bytes();
                (out[1], out[2]) = (M | high, low);
            }
        }
        if let (Some(_), Some(v), Some(last)) = (self.tl0, patch.tl0, out.get_mut(len.saturating_sub(1))) {
            *last = v;
        }
        (Prefix::few(out, len), usize::from(self.len))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Error> {
        let byte = *self.bytes.get(self.at).ok_or(Error::Descriptor)?;
        self.at += 1;
        Ok(byte)
    }

    fn pair(&mut self) -> Result<u16, Error> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// Up to three P_DIFF, each with a bit that says whether another follows (RFC 9628 §4.2, reference indices).
    fn references(&mut self) -> Result<([u8; 3], u8), Error> {
        let (mut references, mut count) = ([0; 3], 0);
        for reference in &mut references {
            let byte = self.byte()?;
            *reference = byte >> 1;
            count += 1;
            if byte & 1 == 0 {
                return Ok((references, count));
            }
        }
        Err(Error::Descriptor)
    }

    fn structure(&mut self) -> Result<Vp9Structure, Error> {
        let byte = self.byte()?;
        let spatial_layers = (byte >> 5) + 1;
        let (has_sizes, has_pictures) = (byte & 0x10 != 0, byte & 0x08 != 0);
        let mut sizes = [(0, 0); 8];
        if has_sizes {
            for size in sizes.iter_mut().take(usize::from(spatial_layers)) {
                *size = (self.pair()?, self.pair()?);
            }
        }
        let pictures = if has_pictures { self.byte()? } else { 0 };
        let group_at = self.at;
        for _ in 0..pictures {
            let count = self.byte()? >> 2 & 3;
            for _ in 0..count {
                self.byte()?;
            }
        }
        // At most 255 pictures of four bytes.
        let group_len = (self.at - group_at) as u16;
        Ok(Vp9Structure { spatial_layers, pictures, sizes, has_sizes, group_len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn non_flexible_key_with_a_structure() {
        // I L B V, 15-bit id, layers 0, TL0, two spatial layers with sizes, a group of two pictures.
        let payload = [
            0xaa,
            0x80,
            0x05,
            0x00,
            0x07,
            0x38,
            1,
            64,
            0,
            180,
            2,
            128,
            1,
            104,
            2,
            0x04,
            1,
            0x30 | 0x04,
            2,
            0xff,
        ];
        let d = Vp9Descriptor::parse(&payload).unwrap();
        assert!(d.is_key() && d.is_picture_start() && !d.flexible);
        assert_eq!((d.picture_id, d.tl0), (Some(PictureId::Long(5)), Some(7)));
        let s = d.structure.unwrap();
        assert_eq!((s.spatial_layers, s.pictures), (2, 2));
        assert_eq!((s.size(0), s.size(1), s.size(2)), (Some((320, 180)), Some((640, 360)), None));
        let group: std::vec::Vec<_> = d.group(&payload).collect();
        assert_eq!(
            group,
            [Vp9GroupPicture::new(0, false, &[1]), Vp9GroupPicture::new(1, true, &[2])].map(Option::unwrap)
        );
        assert_eq!(d.len(), payload.len() - 1);
        for n in 0..d.len() {
            assert_eq!(Vp9Descriptor::parse(&payload[..n]), Err(Error::Descriptor));
        }
    }

    #[test]
    fn flexible_references_are_at_most_three() {
        // I P L F B, 7-bit id, layers.
        let head = [0xf8, 0x11, 0x22];
        let d = Vp9Descriptor::parse(&[&head[..], &[0x03, 0x05, 0x06]].concat()).unwrap();
        assert_eq!(d.references(), [1, 2, 3]);
        assert_eq!(d.layer.map(|l| (l.temporal, l.spatial)), Some((1, 1)));
        assert!(!d.is_key() && d.tl0.is_none());
        assert_eq!(
            Vp9Descriptor::parse(&[&head[..], &[0x03, 0x05, 0x07, 0x02]].concat()),
            Err(Error::Descriptor)
        );
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn no_patch_changes_nothing(payload in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(d) = Vp9Descriptor::parse(&payload) {
                prop_assert!(d.len() <= payload.len());
                let (prefix, replaced) = d.patched(&Vp9Patch::default());
                prop_assert_eq!(prefix.as_slice(), &payload[..replaced]);
                let _ = (d.is_key(), d.references());
            }
        }

        #[test]
        fn a_patch_changes_its_fields_only(
            payload in prop::collection::vec(any::<u8>(), 0..80), id in 0u16..0x8000, tl0: u8, widen: bool,
        ) {
            if let Ok(d) = Vp9Descriptor::parse(&payload) {
                let id = match d.picture_id {
                    Some(PictureId::Short(_)) if !widen => PictureId::Short(id as u8 & 0x7f),
                    _ => PictureId::Long(id),
                };
                let (prefix, replaced) = d.patched(&Vp9Patch { picture_id: Some(id), tl0: Some(tl0) });
                let out = [prefix.as_slice(), &payload[replaced..]].concat();
                let p = Vp9Descriptor::parse(&out).unwrap();
                let expected = Vp9Descriptor {
                    picture_id: d.picture_id.map(|_| id),
                    tl0: d.tl0.map(|_| tl0),
                    head: p.head, head_len: p.head_len, len: p.len,
                    ..d
                };
                prop_assert_eq!(p, expected);
                prop_assert_eq!(&out[p.len()..], &payload[d.len()..]);
            }
        }
    }
}
