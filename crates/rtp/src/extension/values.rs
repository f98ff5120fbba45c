//! The values of one packet's header extension, read in one walk.

use super::{
    AbsSendTime, AudioLevel, CaptureTime, Elements, ExtId, ExtensionKind, ExtensionMap, PlayoutDelay,
    TwccSeq, VideoOrientation,
};
use crate::{Mid, Packet, Rid};

/// What a packet's header extension says, of what was negotiated. An element whose value is malformed counts as absent;
/// of an id that stands there twice, the last counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Values<'a> {
    /// How loud it is.
    pub audio_level: Option<AudioLevel>,
    /// When it was sent.
    pub send_time: Option<AbsSendTime>,
    /// Its transport-wide number.
    pub twcc: Option<TwccSeq>,
    /// Which media section it belongs to.
    pub mid: Option<Mid>,
    /// Which encoding it is.
    pub rid: Option<Rid>,
    /// Which encoding it repairs.
    pub repaired_rid: Option<Rid>,
    /// How to turn the picture.
    pub orientation: Option<VideoOrientation>,
    /// The dependency descriptor, as received: what it says depends on packets before it
    /// ([`DescriptorReader`](super::descriptor::DescriptorReader)).
    pub descriptor: Option<&'a [u8]>,
    /// The colour space, as received.
    pub color_space: Option<&'a [u8]>,
    /// How long to hold the picture back.
    pub playout_delay: Option<PlayoutDelay>,
    /// When it was captured.
    pub capture_time: Option<CaptureTime>,
    /// The layers allocation, as received: a few hundred bytes when read ([`LayersAllocation`](super::LayersAllocation)),
    /// and rarely there.
    pub layers: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    /// Reads a packet's header extension by what was negotiated.
    pub fn read(packet: &Packet<'a>, map: &ExtensionMap) -> Self {
        Self::of(packet.extensions(), map)
    }

    /// Reads elements by what was negotiated.
    pub fn of(elements: Elements<'a>, map: &ExtensionMap) -> Self {
        let mut values = Self::default();
        for (id, value) in elements {
            values.take(map, id, value);
        }
        values
    }

    fn take(&mut self, map: &ExtensionMap, id: ExtId, value: &'a [u8]) {
        let Some(kind) = map.kind(id) else { return };
        match kind {
            ExtensionKind::AudioLevel => self.audio_level = AudioLevel::parse(value),
            ExtensionKind::AbsSendTime => self.send_time = AbsSendTime::parse(value),
            ExtensionKind::Twcc => self.twcc = TwccSeq::parse(value),
            ExtensionKind::Mid => self.mid = Mid::parse(value),
            ExtensionKind::Rid => self.rid = Rid::parse(value),
            ExtensionKind::RepairedRid => self.repaired_rid = Rid::parse(value),
            ExtensionKind::VideoOrientation => self.orientation = VideoOrientation::parse(value),
            ExtensionKind::DependencyDescriptor => self.descriptor = Some(value),
            ExtensionKind::ColorSpace => self.color_space = Some(value),
            ExtensionKind::PlayoutDelay => self.playout_delay = PlayoutDelay::parse(value),
            ExtensionKind::CaptureTime => self.capture_time = CaptureTime::parse(value),
            ExtensionKind::LayersAllocation => self.layers = Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_negotiated_is_read() {
        let mut map = ExtensionMap::EMPTY;
        map.set(ExtensionKind::AudioLevel, ExtId::new(1).unwrap());
        map.set(ExtensionKind::Mid, ExtId::new(4).unwrap());
        map.set(ExtensionKind::Twcc, ExtId::new(3).unwrap());
        let body = [0x10, 0x85, 0x40, b'0', 0x31, 1, 2, 0x20, 9, 0, 0, 0];
        let values = Values::of(Elements::new(0xbede, &body), &map);
        let expected = Values {
            audio_level: Some(AudioLevel::new(5, true)),
            mid: Mid::parse(b"0"),
            twcc: Some(TwccSeq(0x0102)),
            ..Values::default()
        };
        assert_eq!(values, expected);
    }
}
