//! Writing a descriptor.

use super::{B, E, F, I, L, P, V, Z};
use super::{Vp9GroupPicture, Vp9Layer};
use crate::payload::WriteError;
use crate::payload::vp8::PictureId;
use bytes::BufMut;

/// A descriptor to be written (RFC 9628 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vp9Fields<'a> {
    /// The picture id; flexible mode must have one.
    pub picture_id: Option<PictureId>,
    /// P: refers to earlier pictures.
    pub inter_picture: bool,
    /// F: references are given picture by picture.
    pub flexible: bool,
    /// B: starts a frame.
    pub start: bool,
    /// E: ends a frame.
    pub end: bool,
    /// Z: no upper spatial layer of this picture refers to this frame.
    pub not_for_upper: bool,
    /// The layer indices: up to 7.
    pub layer: Option<Vp9Layer>,
    /// TL0PICIDX: written in non-flexible mode with layer indices, where it must be.
    pub tl0: u8,
    /// P_DIFF: one to three of 1 to 127, in flexible mode where earlier pictures are referred to, none elsewhere.
    pub references: &'a [u8],
    /// The scalability structure.
    pub structure: Option<Vp9StructureFields<'a>>,
}

/// A scalability structure to be written (RFC 9628 §4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vp9StructureFields<'a> {
    /// 1 to 8.
    pub spatial_layers: u8,
    /// Width and height of each spatial layer, or none.
    pub sizes: &'a [(u16, u16)],
    /// The pictures of a group, at most 255, or none.
    pub group: &'a [Vp9GroupPicture],
}

impl Vp9Fields<'_> {
    /// Writes the descriptor. A picture id is taken modulo its width. [`WriteError::Unsayable`] for what breaks the ranges
    /// above; nothing is written then.
    pub fn write(&self, out: &mut impl BufMut) -> Result<(), WriteError> {
        if !self.is_sayable() {
            return Err(WriteError::Unsayable);
        }
        if out.remaining_mut() < self.wire_len() {
            return Err(WriteError::TooSmall);
        }
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        out.put_u8(
            flag(self.picture_id.is_some(), I)
                | flag(self.inter_picture, P)
                | flag(self.layer.is_some(), L)
                | flag(self.flexible, F)
                | flag(self.start, B)
                | flag(self.end, E)
                | flag(self.structure.is_some(), V)
                | flag(self.not_for_upper, Z),
        );
        match self.picture_id {
            Some(PictureId::Short(v)) => out.put_u8(v & 0x7f),
            Some(PictureId::Long(v)) => out.put_u16(0x8000 | v),
            None => {}
        }
        if let Some(l) = self.layer {
            out.put_u8(l.temporal << 5 | flag(l.switch_up, 0x10) | l.spatial << 1 | u8::from(l.inter_layer));
            if !self.flexible {
                out.put_u8(self.tl0);
            }
        }
        for (i, r) in self.references.iter().enumerate() {
            out.put_u8(r << 1 | u8::from(i + 1 < self.references.len()));
        }
        if let Some(s) = &self.structure {
            s.write(out);
        }
        Ok(())
    }

    /// Bytes of the descriptor.
    pub fn wire_len(&self) -> usize {
        let id = match self.picture_id {
            None => 0,
            Some(PictureId::Short(_)) => 1,
            Some(PictureId::Long(_)) => 2,
        };
        let layers = if self.layer.is_some() { 1 + usize::from(!self.flexible) } else { 0 };
        1 + id + layers + self.references.len() + self.structure.map_or(0, |s| s.wire_len())
    }

    fn is_sayable(&self) -> bool {
        let referring = self.flexible && self.inter_picture;
        let references = if referring { 1..=3 } else { 0..=0 };
        references.contains(&self.references.len())
            && self.references.iter().all(|r| (1..=127).contains(r))
            && (self.picture_id.is_some() || !self.flexible)
            && self.layer.is_none_or(|l| l.temporal < 8 && l.spatial < 8)
            && self.structure.is_none_or(|s| s.is_sayable())
    }
}

impl Vp9StructureFields<'_> {
    fn is_sayable(&self) -> bool {
        let sized = self.sizes.is_empty() || self.sizes.len() == usize::from(self.spatial_layers);
        (1..=8).contains(&self.spatial_layers) && sized && self.group.len() < 256
    }

    fn wire_len(&self) -> usize {
        let pictures: usize = self.group.iter().map(|p| 1 + p.references().len()).sum();
        1 + 4 * self.sizes.len() + usize::from(!self.group.is_empty()) + pictures
    }

    /// The caller has checked and made room.
    fn write(&self, out: &mut impl BufMut) {
        let (sized, grouped) = (!self.sizes.is_empty(), !self.group.is_empty());
        out.put_u8((self.spatial_layers - 1) << 5 | u8::from(sized) << 4 | u8::from(grouped) << 3);
        for &(width, height) in self.sizes {
            out.put_u16(width);
            out.put_u16(height);
        }
        if grouped {
            out.put_u8(self.group.len() as u8);
        }
        for p in self.group {
            out.put_u8(p.temporal << 5 | u8::from(p.switch_up) << 4 | (p.references().len() as u8) << 2);
            out.put_slice(p.references());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::vp9::Vp9Descriptor;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use std::vec::Vec;

    type Structure = (Vec<(u16, u16)>, u8, Vec<Vp9GroupPicture>);

    fn picture_id() -> impl Strategy<Value = PictureId> {
        prop_oneof![(0u8..128).prop_map(PictureId::Short), (0u16..1 << 15).prop_map(PictureId::Long)]
    }

    fn layer() -> impl Strategy<Value = Vp9Layer> {
        (0u8..8, any::<bool>(), 0u8..8, any::<bool>()).prop_map(
            |(temporal, switch_up, spatial, inter_layer)| Vp9Layer {
                temporal,
                switch_up,
                spatial,
                inter_layer,
            },
        )
    }

    fn structure() -> impl Strategy<Value = Structure> {
        let picture = (0u8..8, any::<bool>(), vec(any::<u8>(), 0..=3))
            .prop_map(|(t, u, r)| Vp9GroupPicture::new(t, u, &r).unwrap());
        (1usize..=8, any::<bool>(), vec(picture, 0..20)).prop_flat_map(|(n, sized, group)| {
            (vec(any::<(u16, u16)>(), if sized { n } else { 0 }), Just(n as u8), Just(group))
        })
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(
            id in of(picture_id()), (inter_picture, flexible, start, end, not_for_upper) in any::<(bool, bool, bool, bool, bool)>(),
            layer in of(layer()), tl0: u8, references in vec(1u8..128, 1..=3), structure in of(structure()), rest in vec(any::<u8>(), 0..4),
        ) {
            let fields = Vp9Fields {
                picture_id: id.or(flexible.then_some(PictureId::Long(7))),
                inter_picture, flexible, start, end, not_for_upper, layer, tl0,
                references: if flexible && inter_picture { &references } else { &[] },
                structure: structure.as_ref().map(|(sizes, n, group)| Vp9StructureFields { spatial_layers: *n, sizes, group }),
            };
            let mut out = Vec::new();
            fields.write(&mut out).unwrap();
            prop_assert_eq!(out.len(), fields.wire_len());
            prop_assert_eq!(fields.write(&mut &mut std::vec![0; out.len() - 1][..]), Err(WriteError::TooSmall));
            let payload = [&out[..], &rest].concat();
            let d = Vp9Descriptor::parse(&payload).unwrap();
            prop_assert_eq!(d.len(), out.len());
            prop_assert_eq!((d.picture_id, d.layer, d.references()), (fields.picture_id, layer, fields.references));
            let flags = [d.inter_picture, d.flexible, d.start, d.end, d.not_for_upper];
            prop_assert_eq!(flags, [inter_picture, flexible, start, end, not_for_upper]);
            prop_assert_eq!(d.tl0, (layer.is_some() && !flexible).then_some(tl0));
            let Some((sizes, n, group)) = structure else {
                prop_assert!(d.structure.is_none() && d.group(&payload).next().is_none());
                return Ok(());
            };
            let s = d.structure.unwrap();
            prop_assert_eq!((s.spatial_layers, usize::from(s.pictures)), (n, group.len()));
            prop_assert_eq!((0..8).filter_map(|i| s.size(i)).collect::<Vec<_>>(), sizes);
            prop_assert_eq!(d.group(&payload).collect::<Vec<_>>(), group);
        }
    }

    #[test]
    fn what_the_format_cannot_say_is_refused() {
        let layer =
            |temporal, spatial| Some(Vp9Layer { temporal, switch_up: false, spatial, inter_layer: false });
        let flexible = Vp9Fields {
            flexible: true,
            inter_picture: true,
            picture_id: Some(PictureId::Short(1)),
            ..Vp9Fields::default()
        };
        let structure = |s| Vp9Fields { structure: Some(s), ..Vp9Fields::default() };
        for fields in [
            flexible,
            Vp9Fields { references: &[1, 2, 3, 4], ..flexible },
            Vp9Fields { references: &[0], ..flexible },
            Vp9Fields { references: &[128], ..flexible },
            Vp9Fields { references: &[1], flexible: false, ..flexible },
            Vp9Fields { references: &[1], picture_id: None, ..flexible },
            Vp9Fields { layer: layer(8, 0), ..Vp9Fields::default() },
            Vp9Fields { layer: layer(0, 8), ..Vp9Fields::default() },
            structure(Vp9StructureFields::default()),
            structure(Vp9StructureFields { spatial_layers: 2, sizes: &[(1, 1)], group: &[] }),
            structure(Vp9StructureFields {
                spatial_layers: 1,
                sizes: &[],
                group: &[Vp9GroupPicture::default(); 256],
            }),
        ] {
            assert_eq!(fields.write(&mut Vec::new()), Err(WriteError::Unsayable), "{fields:?}");
        }
        assert_eq!(Vp9GroupPicture::new(8, false, &[]), None);
        assert_eq!(Vp9GroupPicture::new(0, false, &[1, 2, 3, 4]), None);
    }
}
