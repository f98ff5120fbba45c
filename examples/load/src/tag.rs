//! What stands in payloads, where neither a forwarder touches nor a decoder reads it.

use crate::microphone::Microphone;

/// Who sent a payload and when, and which part of which frame it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// The run, so that what another load tool sends is told apart.
    pub run: u32,
    /// The person, by the number that the run gave it.
    pub person: u32,
    /// The encoding's place in its camera; 0 for sound.
    pub encoding: u8,
    /// Somebody talks in it (sound only).
    pub voice: bool,
    /// Packets since its turn of speech began (sound only).
    pub turn: u16,
    /// A key frame (picture only).
    pub key: bool,
    /// How many frames back the frame lies that this one refers to; 0 for none.
    pub back: u8,
    /// The frame's number in its encoding; for sound, the packet's.
    pub frame: u32,
    /// How many packets the frame has.
    pub packets: u16,
    /// When it was given to the socket: microseconds since the run began.
    pub sent: u64,
}

const MAGIC: [u8; 4] = *b"load";
const VOICE: u8 = 1;
const KEY: u8 = 2;

impl Tag {
    /// Bytes that it takes.
    pub const LEN: usize = 4 + 4 + 4 + 4 + 4 + 2 + 2 + 8;

    /// Its bytes.
    pub fn write(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let flags = if self.voice { VOICE } else { 0 } | if self.key { KEY } else { 0 };
        let parts: [&[u8]; 8] = [
            &MAGIC,
            &self.run.to_be_bytes(),
            &self.person.to_be_bytes(),
            &[self.encoding, flags, self.back, 0],
            &self.frame.to_be_bytes(),
            &self.packets.to_be_bytes(),
            &self.turn.to_be_bytes(),
            &self.sent.to_be_bytes(),
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
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (run, rest) = rest.split_first_chunk()?;
        let (person, rest) = rest.split_first_chunk()?;
        let ([encoding, flags, back, _], rest) = rest.split_first_chunk()?;
        let (frame, rest) = rest.split_first_chunk()?;
        let (packets, rest) = rest.split_first_chunk()?;
        let (turn, rest) = rest.split_first_chunk()?;
        let sent = rest.first_chunk()?;
        let tag = Self {
            run: u32::from_be_bytes(*run),
            person: u32::from_be_bytes(*person),
            encoding: *encoding,
            voice: flags & VOICE != 0,
            turn: u16::from_be_bytes(*turn),
            key: flags & KEY != 0,
            back: *back,
            frame: u32::from_be_bytes(*frame),
            packets: u16::from_be_bytes(*packets),
            sent: u64::from_be_bytes(*sent),
        };
        (*magic == MAGIC).then_some(tag)
    }

    /// Reads the tag of an Opus payload of ours: in its padding.
    pub fn of_opus(payload: &[u8]) -> Option<Self> {
        Self::read(payload.get(Microphone::PADDING..)?)
    }

    /// Reads the tag of a VP8 payload of ours: at its end. A packet that is all picture has none.
    pub fn of_vp8(payload: &[u8]) -> Option<Self> {
        Self::read(payload.get(payload.len().checked_sub(Self::LEN)?..)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_back() {
        let tag = Tag {
            run: 0xdead_beef,
            person: 70_000,
            encoding: 2,
            voice: true,
            turn: 400,
            key: false,
            back: 4,
            frame: 1 << 30,
            packets: 26,
            sent: u64::MAX / 3,
        };
        assert_eq!(Tag::read(&tag.write()), Some(tag));
        assert_eq!(Tag::read(&tag.write()[..Tag::LEN - 1]), None);
        assert_eq!(Tag::read(&[0; Tag::LEN]), None);
        let opus: Vec<u8> = [&[0xfb, 0x41, 52, 0xff, 0xfe][..], &tag.write(), &[7; 20]].concat();
        assert_eq!(Tag::of_opus(&opus), Some(tag));
        let vp8: Vec<u8> = [&[7; 20][..], &tag.write()].concat();
        assert_eq!((Tag::of_vp8(&vp8), Tag::of_vp8(&vp8[1..40])), (Some(tag), None));
    }
}
