//! What a payload truly is, hidden in it.

use salon_rtp::Time;
use salon_rtp::payload::vp8::Vp8Descriptor;

/// Which part of which frame of which source a payload is. It stands in the payload's body, where no forwarder may touch it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tag {
    /// The source, by the number that its configuration gave it.
    pub source: u32,
    /// The encoding's place in the source; 0 for sound.
    pub encoding: u8,
    /// How often the source had been restarted.
    pub epoch: u8,
    /// The frame's number in its encoding; for sound, the packet's.
    pub frame: u32,
    /// The packet's place in its frame.
    pub packet: u16,
    /// How many packets the frame has.
    pub packets: u16,
    /// Temporal layer.
    pub layer: u8,
    /// A key frame.
    pub key: bool,
    /// How many frames back each frame that this one refers to lies; 0 for none.
    pub references: [u8; 3],
    /// When it was captured, on the simulation's clock.
    pub captured: Time,
}

const MAGIC: [u8; 4] = *b"\xa5tag";

impl Tag {
    /// Bytes that it takes.
    pub const LEN: usize = 4 + 4 + 2 + 4 + 4 + 2 + 3 + 8;

    /// Its bytes.
    pub fn write(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let parts: [&[u8]; 8] = [
            &MAGIC,
            &self.source.to_be_bytes(),
            &[self.encoding, self.epoch],
            &self.frame.to_be_bytes(),
            &(u32::from(self.packet) << 16 | u32::from(self.packets)).to_be_bytes(),
            &[self.layer, u8::from(self.key)],
            &self.references,
            &self.captured.as_micros().to_be_bytes(),
        ];
        let mut rest = &mut out[..];
        for part in parts {
            let (to, after) = rest.split_at_mut(part.len());
            to.copy_from_slice(part);
            rest = after;
        }
        out
    }

    /// Reads the tag that stands at the start of `bytes`.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let b: &[u8; Self::LEN] = bytes.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        let tag = Self {
            source: word(4),
            encoding: b[8],
            epoch: b[9],
            frame: word(10),
            packet: (word(14) >> 16) as u16,
            packets: word(14) as u16,
            layer: b[18],
            key: b[19] != 0,
            references: [b[20], b[21], b[22]],
            captured: Time::from_micros(u64::from(word(23)) << 32 | u64::from(word(27))),
        };
        (b[..4] == MAGIC).then_some(tag)
    }

    /// Reads the tag of a VP8 payload of ours: behind the descriptor and, in a frame's first packet, its frame header.
    pub fn of_vp8(payload: &[u8]) -> Option<Self> {
        let descriptor = Vp8Descriptor::parse(payload).ok()?;
        Self::read(payload.get(descriptor.len() + frame_header(&descriptor, payload)..)?)
    }

    /// Reads the tag of an Opus payload of ours: behind the table of contents. None in packets without sound.
    pub fn of_opus(payload: &[u8]) -> Option<Self> {
        Self::read(payload.get(1..)?)
    }

    /// The stream of frames that this one belongs to.
    pub fn stream(&self) -> (u32, u8, u8) {
        (self.source, self.encoding, self.epoch)
    }
}

/// Bytes of the frame header in a frame's first packet: ten in a key frame, three in another (RFC 6386 §9.1).
fn frame_header(descriptor: &Vp8Descriptor, payload: &[u8]) -> usize {
    match (descriptor.is_frame_start(), descriptor.is_key(payload)) {
        (false, _) => 0,
        (true, true) => 10,
        (true, false) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_back() {
        let tag = Tag {
            source: 0xdead_beef,
            encoding: 2,
            epoch: 1,
            frame: 70_000,
            packet: 3,
            packets: 9,
            layer: 1,
            key: true,
            references: [1, 2, 0],
            captured: Time::from_micros(u64::MAX / 3),
        };
        assert_eq!(Tag::read(&tag.write()), Some(tag));
        assert_eq!(Tag::read(&[0; Tag::LEN]), None);
        assert_eq!(Tag::read(&tag.write()[1..]), None);
    }
}
