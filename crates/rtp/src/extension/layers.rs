//! Which layers a sender makes just now, and for which rates.

use crate::{Bitrate, Error, TooSmall, leb128};
use bytes::BufMut;

/// What a sender allocates to the layers of its simulcast (the video layers allocation of the WebRTC project,
/// `video-layers-allocation00`). Only layers that are being made stand in it.
///
/// ```text
/// |RID|NS |sl_bm  | |sl0_bm |sl1_bm | |sl2_bm |sl3_bm | |#tl|#tl|#tl|#tl| … leb128 kb/s … |w-1|h-1|fps| …
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LayersAllocation {
    /// Which of the sender's streams carries this: 0 to 3, in the order of its encodings.
    stream: u8,
    /// How many streams are described: 1 to 4.
    streams: u8,
    len: u8,
    sized: bool,
    layers: [SpatialLayer; Self::MAX_LAYERS],
}

/// One spatial layer of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SpatialLayer {
    /// Of which stream: 0 to 3.
    pub stream: u8,
    /// Which one: 0 to 3.
    pub spatial: u8,
    /// How many temporal layers it has: 1 to 4.
    pub temporal_layers: u8,
    /// The rate of each temporal layer together with those below it; whole kilobits travel.
    pub rates: [Bitrate; 4],
    /// Its picture, if the sender says it.
    pub size: Option<LayerSize>,
}

/// The picture of a spatial layer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LayerSize {
    /// Pixels: 1 to 65,536.
    pub width: u32,
    /// Pixels: 1 to 65,536.
    pub height: u32,
    /// Pictures per second at most.
    pub fps: u8,
}

/// Layers that a [`LayersAllocation`] cannot say: none ascending by stream and spatial layer, numbers outside their ranges,
/// or sizes for some only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("layers must ascend, stay in their ranges, and all or none have a size")]
pub struct BadLayers;

/// More than this is taken for nonsense, as in libwebrtc: 1 Gb/s.
const MAX_KBPS: u64 = 1_000_000;

impl LayersAllocation {
    /// Four streams of four spatial layers.
    pub const MAX_LAYERS: usize = 16;
    /// The longest value that can be written: header 3, counts 4, 64 rates of at most 3 bytes, sizes. Beyond 255 bytes it
    /// fits no header extension.
    pub const MAX_LEN: usize = 3 + 4 + 64 * 3 + 5 * Self::MAX_LAYERS;

    /// No stream is being sent.
    pub const EMPTY: Self = Self {
        stream: 0,
        streams: 1,
        len: 0,
        sized: false,
        layers: [SpatialLayer {
            stream: 0,
            spatial: 0,
            temporal_layers: 0,
            rates: [Bitrate::ZERO; 4],
            size: None,
        }; Self::MAX_LAYERS],
    };

    /// An allocation that travels on stream `stream` of `streams`. The layers ascend by stream, then by spatial layer.
    pub fn new(stream: u8, streams: u8, layers: &[SpatialLayer]) -> Result<Self, BadLayers> {
        if layers.is_empty() {
            return if stream == 0 { Ok(Self::EMPTY) } else { Err(BadLayers) };
        }
        if !(1..=4).contains(&streams) || stream >= streams {
            return Err(BadLayers);
        }
        let sized = layers.first().is_some_and(|l| l.size.is_some());
        let mut out = Self { stream, streams, sized, ..Self::EMPTY };
        let mut next = 0;
        for layer in layers {
            let place = 4 * u16::from(layer.stream) + u16::from(layer.spatial);
            let wide = |px: u32| (1..=0x1_0000).contains(&px);
            let fits = layer.stream < streams
                && layer.spatial < 4
                && place >= next
                && (1..=4).contains(&layer.temporal_layers)
                && layer.size.is_some() == sized
                && layer.size.is_none_or(|s| wide(s.width) && wide(s.height))
                && layer.rates().iter().all(|r| r.as_bps() / 1_000 <= MAX_KBPS);
            if !fits {
                return Err(BadLayers);
            }
            next = place + 1;
            out.push(SpatialLayer { rates: layer.kilobits(), ..*layer });
        }
        Ok(out)
    }

    /// The stream that carries this: 0 to 3.
    pub const fn stream(&self) -> u8 {
        self.stream
    }

    /// How many streams are described: 1 to 4.
    pub const fn streams(&self) -> u8 {
        self.streams
    }

    /// The layers that are being made, ascending by stream and spatial layer: at most 16.
    pub fn layers(&self) -> &[SpatialLayer] {
        self.layers.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Reads an element's value. Bytes left over that are not sizes for all layers are an error, as in libwebrtc.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        // A zero alone says that all is off.
        if value == [0] {
            return Ok(Self::EMPTY);
        }
        let (&head, mut rest) = value.split_first().ok_or(Error::TooShort)?;
        let mut out = Self { stream: head >> 6, streams: (head >> 4 & 3) + 1, ..Self::EMPTY };
        if out.stream >= out.streams {
            return Err(Error::Value);
        }
        let mut masks = [head & 0x0f; 4];
        if head & 0x0f == 0 {
            for pair in masks.chunks_exact_mut(2).take(usize::from(out.streams.div_ceil(2))) {
                let byte = byte(&mut rest)?;
                pair.copy_from_slice(&[byte >> 4, byte & 0x0f]);
            }
        }
        let mut counts = 0;
        for (stream, mask) in (0..out.streams).zip(masks) {
            for spatial in (0..4).filter(|s| mask >> s & 1 == 1) {
                if out.len % 4 == 0 {
                    counts = byte(&mut rest)?;
                }
                let temporal_layers = (counts >> 6) + 1;
                counts <<= 2;
                out.push(SpatialLayer { stream, spatial, temporal_layers, ..SpatialLayer::default() });
            }
        }
        if out.len == 0 {
            return Err(Error::Value);
        }
        for layer in out.layers.iter_mut().take(usize::from(out.len)) {
            for rate in layer.rates.iter_mut().take(usize::from(layer.temporal_layers)) {
                let (kbps, after) = leb128::split(rest)?;
                if u64::from(kbps) > MAX_KBPS {
                    return Err(Error::Value);
                }
                *rate = Bitrate::from_kbps(kbps.into());
                rest = after;
            }
        }
        if rest.is_empty() {
            return Ok(out);
        }
        if rest.len() != 5 * usize::from(out.len) {
            return Err(Error::Descriptor);
        }
        out.sized = true;
        for (layer, s) in out.layers.iter_mut().zip(rest.chunks_exact(5)) {
            let pixels = |a, b| u32::from(u16::from_be_bytes([a, b])) + 1;
            layer.size = Some(LayerSize { width: pixels(s[0], s[1]), height: pixels(s[2], s[3]), fps: s[4] });
        }
        Ok(out)
    }

    /// Bytes of the value in its shortest form, which is the one written.
    pub fn wire_len(&self) -> usize {
        let masks = self.masks();
        let head = match self.len {
            0 => return 1,
            _ if self.alike(&masks) => 1,
            _ => 1 + usize::from(self.streams.div_ceil(2)),
        };
        let layers = usize::from(self.len);
        let rates: usize = self.rates().map(leb128::len).sum();
        head + layers.div_ceil(4) + rates + if self.sized { 5 * layers } else { 0 }
    }

    /// Writes the element's value.
    pub fn write(&self, out: &mut impl BufMut) -> Result<(), TooSmall> {
        if out.remaining_mut() < self.wire_len() {
            return Err(TooSmall);
        }
        if self.len == 0 {
            out.put_u8(0);
            return Ok(());
        }
        let masks = self.masks();
        let head = self.stream << 6 | (self.streams - 1) << 4;
        if self.alike(&masks) {
            out.put_u8(head | masks[0]);
        } else {
            out.put_u8(head);
            for pair in masks.chunks_exact(2).take(usize::from(self.streams.div_ceil(2))) {
                out.put_u8(pair[0] << 4 | pair[1]);
            }
        }
        for four in self.layers().chunks(4) {
            let counts = four.iter().zip([6, 4, 2, 0]).map(|(l, shift)| (l.temporal_layers - 1) << shift);
            out.put_u8(counts.fold(0, |a, b| a | b));
        }
        self.rates().for_each(|kbps| leb128::write(kbps, out));
        for size in self.layers().iter().filter_map(|l| l.size) {
            out.put_u16((size.width - 1) as u16);
            out.put_u16((size.height - 1) as u16);
            out.put_u8(size.fps);
        }
        Ok(())
    }

    /// One bit per spatial layer, of each stream.
    fn masks(&self) -> [u8; 4] {
        let mut masks = [0u8; 4];
        for l in self.layers() {
            if let Some(mask) = masks.get_mut(usize::from(l.stream)) {
                *mask |= 1 << l.spatial;
            }
        }
        masks
    }

    /// Whether all streams have the same layers.
    fn alike(&self, masks: &[u8; 4]) -> bool {
        masks.iter().take(usize::from(self.streams)).all(|m| *m == masks[0])
    }

    /// All rates in kilobits per second, in order; none above 32 bits.
    fn rates(&self) -> impl Iterator<Item = u32> + '_ {
        self.layers().iter().flat_map(|l| l.rates()).map(|r| (r.as_bps() / 1_000) as u32)
    }

    fn push(&mut self, layer: SpatialLayer) {
        if let Some(slot) = self.layers.get_mut(usize::from(self.len)) {
            *slot = layer;
            self.len += 1;
        }
    }
}

impl SpatialLayer {
    /// The rates of the temporal layers that it has.
    pub fn rates(&self) -> &[Bitrate] {
        self.rates.get(..usize::from(self.temporal_layers)).unwrap_or(&self.rates)
    }

    /// The rates as they travel.
    fn kilobits(&self) -> [Bitrate; 4] {
        let mut rates = [Bitrate::ZERO; 4];
        for (to, from) in rates.iter_mut().zip(self.rates()) {
            *to = Bitrate::from_kbps(from.as_bps() / 1_000);
        }
        rates
    }
}

fn byte(rest: &mut &[u8]) -> Result<u8, Error> {
    let (&first, after) = rest.split_first().ok_or(Error::Descriptor)?;
    *rest = after;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn size() -> impl Strategy<Value = LayerSize> {
        (1u32..=0x1_0000, 1u32..=0x1_0000, any::<u8>()).prop_map(|(width, height, fps)| LayerSize {
            width,
            height,
            fps,
        })
    }

    prop_compose! {
        fn layers()(
            streams in 1u8..=4, sized in any::<bool>(),
        )(
            list in prop::collection::btree_map((0..streams, 0u8..4), (1u8..=4, prop::array::uniform4(0u64..=MAX_KBPS), size()), 0..16),
            streams in Just(streams), stream in 0..streams, sized in Just(sized),
        ) -> (u8, u8, Vec<SpatialLayer>) {
            let layers: Vec<_> = list.into_iter().map(|((stream, spatial), (temporal_layers, kbps, size))| {
                let mut rates = [Bitrate::ZERO; 4];
                for (to, from) in rates.iter_mut().zip(kbps).take(temporal_layers.into()) {
                    *to = Bitrate::from_kbps(from);
                }
                SpatialLayer { stream, spatial, temporal_layers, rates, size: sized.then_some(size) }
            }).collect();
            if layers.is_empty() { (0, 1, layers) } else { (stream, streams, layers) }
        }
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back((stream, streams, layers) in layers()) {
            let a = LayersAllocation::new(stream, streams, &layers).unwrap();
            prop_assert_eq!((a.stream(), a.streams(), a.layers()), (stream, streams, &layers[..]));
            let mut out = Vec::new();
            a.write(&mut out).unwrap();
            prop_assert!(out.len() == a.wire_len() && out.len() <= LayersAllocation::MAX_LEN);
            prop_assert_eq!(LayersAllocation::parse(&out), Ok(a));
            prop_assert_eq!(a.write(&mut &mut std::vec![0; out.len() - 1][..]), Err(TooSmall));
        }

        /// What is read is written in a form that is not longer, and reads the same.
        #[test]
        fn any_value(bytes in prop::collection::vec(prop_oneof![3 => 0u8..16, 1 => any::<u8>()], 0..60)) {
            if let Ok(a) = LayersAllocation::parse(&bytes) {
                let mut out = Vec::new();
                a.write(&mut out).unwrap();
                prop_assert!(out.len() <= bytes.len());
                prop_assert_eq!(LayersAllocation::parse(&out), Ok(a));
                prop_assert_eq!(LayersAllocation::new(a.stream(), a.streams(), a.layers()), Ok(a));
            }
        }
    }

    #[test]
    fn two_streams_with_the_same_layers_share_their_mask() {
        // Stream 1 of 2, one spatial layer each, of two and of one temporal layers.
        let value = [0x51, 0x40, 25, 50, 0xc8, 0x01, 1, 63, 0, 179, 15, 2, 127, 1, 103, 30];
        let a = LayersAllocation::parse(&value).unwrap();
        assert_eq!((a.stream(), a.streams(), a.layers().len()), (1, 2, 2));
        assert_eq!(a.layers()[0].rates(), [Bitrate::from_kbps(25), Bitrate::from_kbps(50)]);
        assert_eq!(a.layers()[0].size, Some(LayerSize { width: 320, height: 180, fps: 15 }));
        assert_eq!(a.layers()[1].rates(), [Bitrate::from_kbps(200)]);
        assert_eq!((a.layers()[1].stream, a.layers()[1].spatial), (1, 0));
        for n in (0..value.len()).filter(|&n| n != 6) {
            assert!(LayersAllocation::parse(&value[..n]).is_err(), "{n}");
        }
        assert_eq!(LayersAllocation::parse(&value[..6]).unwrap().layers()[1].size, None);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let l = SpatialLayer { temporal_layers: 1, ..SpatialLayer::default() };
        let sized = SpatialLayer { spatial: 1, size: Some(LayerSize { width: 1, height: 1, fps: 1 }), ..l };
        for (stream, streams, layers) in [
            (0, 1, &[SpatialLayer { temporal_layers: 5, ..l }][..]),
            (0, 1, &[SpatialLayer { spatial: 4, ..l }]),
            (0, 1, &[SpatialLayer { stream: 255, spatial: 255, ..l }]),
            (0, 1, &[l, l]),
            (0, 1, &[l, sized]),
            (1, 1, &[l]),
            (0, 5, &[l]),
            (1, 2, &[]),
        ] {
            assert_eq!(LayersAllocation::new(stream, streams, layers), Err(BadLayers));
        }
        assert_eq!(LayersAllocation::parse(&[0]), Ok(LayersAllocation::EMPTY));
        // All masks empty; a carrier that is not described; a rate beyond a gigabit.
        assert_eq!(LayersAllocation::parse(&[0, 0, 0, 0]), Err(Error::Value));
        assert_eq!(LayersAllocation::parse(&[0x41, 0, 0]), Err(Error::Value));
        assert_eq!(LayersAllocation::parse(&[1, 0, 0xff, 0xff, 0xff, 0x7f]), Err(Error::Value));
    }
}
