//! A picture, or a voice, that is sent.

use std::time::Duration;

use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Descriptor, Vp8Fields};
use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc};

/// How a picture comes: frames at equal distance, each as packets in a row. A voice is frames of one packet.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// A voice.
    pub voice: bool,
    /// Frames per second.
    pub fps: u32,
    /// Packets of one frame.
    pub packets: u32,
    /// Bytes of one frame.
    pub bytes: usize,
}

impl Shape {
    /// 720 lines at 30 frames a second and 2.5 Mbit/s.
    pub const CAMERA: Self = Self { voice: false, fps: 30, packets: 9, bytes: 10_417 };
    /// 360 lines at 30 frames a second and 0.5 Mbit/s.
    pub const SMALL: Self = Self { voice: false, fps: 30, packets: 2, bytes: 2_083 };
    /// Opus: 50 packets a second, 32 kbit/s.
    pub const VOICE: Self = Self { voice: true, fps: 50, packets: 1, bytes: 80 };

    /// The same frames so often that there are about as many packets a second.
    pub fn at(self, packets_per_second: u32) -> Self {
        Self { fps: (packets_per_second / self.packets).max(1), ..self }
    }

    /// Packets per second.
    pub fn rate(self) -> u32 {
        self.fps * self.packets
    }
}

/// Sealed packets, frame by frame.
#[derive(Clone, Debug, Default)]
pub struct Clip {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Packets up to the end of each frame.
    frames: Vec<usize>,
    shape: Option<Shape>,
}

/// Where a picture stands: a clip goes on where the one before it ended.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    ssrc: Ssrc,
    index: u64,
    frame: u64,
    timestamp: u32,
}

impl Stand {
    /// The beginning of a stream.
    pub fn new(ssrc: Ssrc) -> Self {
        Self { ssrc, index: 100, frame: 0, timestamp: 1_000 }
    }
}

impl Clip {
    /// Makes packets for so long, sealed by `seal`. The first frame of each second is a key frame, and no larger than the others.
    pub fn record(
        stand: &mut Stand,
        shape: Shape,
        time: Duration,
        mut seal: impl FnMut(&Outgoing<'_>, &mut [u8]) -> usize,
    ) -> Self {
        let mut clip = Self { shape: Some(shape), ..Self::default() };
        let frames = (shape.fps as f64 * time.as_secs_f64()).round() as u32;
        let mut out = [0; 1_500];
        for n in 0..frames {
            let key = n % shape.fps == 0;
            for packet in 0..shape.packets {
                let payload = payload(stand.frame, packet, key, shape);
                let header = Header {
                    pt: Pt::new(if shape.voice { 111 } else { 96 }).unwrap(),
                    marker: !shape.voice && packet + 1 == shape.packets,
                    timestamp: RtpTime(stand.timestamp),
                    csrc: None,
                    extensions: OutExtensions::NONE,
                };
                let (ssrc, index) = (stand.ssrc, SeqNo(stand.index));
                let outgoing =
                    Outgoing { ssrc, index, header, prefix: Prefix::EMPTY, tail: &payload, padding: 0 };
                let n = seal(&outgoing, &mut out);
                clip.bytes.extend_from_slice(&out[..n]);
                clip.ends.push(clip.bytes.len());
                stand.index += 1;
            }
            clip.frames.push(clip.ends.len());
            stand.frame += 1;
            let clock = if shape.voice { 48_000 } else { 90_000 };
            stand.timestamp = stand.timestamp.wrapping_add(clock / shape.fps);
        }
        clip
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape.unwrap_or(Shape::CAMERA)
    }

    /// Packets in it.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The frames, each as its packets.
    pub fn frames(&self) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
        let begins = std::iter::once(0).chain(self.frames.iter().copied());
        begins.zip(&self.frames).map(|(from, &to)| (from..to).map(|i| self.packet(i)))
    }

    fn packet(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[from..self.ends[i]]
    }
}

/// A packet's payload. A frame is cut as libwebrtc does it: into parts that differ by a byte at most, the larger ones last.
fn payload(frame: u64, packet: u32, key: bool, shape: Shape) -> Vec<u8> {
    if shape.voice {
        // Fullband, 20 ms, one channel, one frame (RFC 6716 table 2).
        let mut payload = vec![31 << 3];
        payload.resize(shape.bytes, 0xa5);
        return payload;
    }
    let fields = Vp8Fields {
        discardable: false,
        start: packet == 0,
        partition: 0,
        picture_id: Some(PictureId::Long(frame as u16 & 0x7fff)),
        tl0: Some(frame as u8),
        temporal: Some(Temporal { layer: 0, sync: false }),
        key_index: None,
    };
    let mut payload = Vp8Descriptor::new(fields).as_bytes().to_vec();
    // RFC 6386 §9.1: not a key frame in bit 0, shown in bit 4; a key frame's start code and size.
    match (packet, key) {
        (0, true) => payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]),
        (0, false) => payload.extend([0x11, 0, 0]),
        _ => {}
    }
    let (part, rest) = (shape.bytes / shape.packets as usize, shape.bytes % shape.packets as usize);
    let larger = packet as usize >= shape.packets as usize - rest;
    payload.resize(part + usize::from(larger), 0xa5);
    payload
}
