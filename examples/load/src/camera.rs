//! A camera: VP8 in up to three encodings, three temporal layers each, key frames when asked.

use crate::Tag;
use crate::clip::Clip;
use crate::piece::Piece;
use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Descriptor, Vp8Fields};
use salon_sim::Rng;
use std::time::{Duration, Instant};
use str0m::rtp::Ssrc;

/// One encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer {
    /// Its rid (RFC 8851).
    pub rid: &'static str,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Bits per second, key frames not counted; what the pictures lack to it is filling.
    pub rate: u64,
}

/// The encodings of a simulcast, from the smallest, with the rids and rates of Salon's page.
pub const LAYERS: [Layer; 3] = [
    Layer { rid: "l", width: 320, height: 180, rate: 150_000 },
    Layer { rid: "m", width: 640, height: 360, rate: 500_000 },
    Layer { rid: "h", width: 1_280, height: 720, rate: 1_500_000 },
];

/// Bytes of payload in one packet at most: with all headers 1,200, as browsers send.
const PACKET_BYTES: usize = 1_100;
/// How many times the size of another frame a key frame has.
const KEY_FACTOR: u64 = 4;
/// libwebrtc's encoder ignores requests for so long after a key frame.
const KEY_INTERVAL: Duration = Duration::from_millis(300);
/// Ticks of video in RTP per second.
const RATE: u64 = 90_000;

/// A frame's place in the pattern [0 2 1 2]: its layer, how many frames back it refers to (never to a higher layer, so that
/// any of them may be left out), whether only to layer 0 (RFC 7741 §4.2, Y), whether nothing refers to it (N), and its share
/// of the mean size in percent.
struct Step {
    layer: u8,
    back: u8,
    sync: bool,
    discardable: bool,
    percent: u64,
}

const PATTERN: [Step; 4] = [
    Step { layer: 0, back: 4, sync: false, discardable: false, percent: 160 },
    Step { layer: 2, back: 1, sync: true, discardable: true, percent: 70 },
    Step { layer: 1, back: 2, sync: true, discardable: false, percent: 100 },
    Step { layer: 2, back: 1, sync: false, discardable: true, percent: 70 },
];

/// The picture of one person.
#[derive(Debug)]
pub(crate) struct Camera {
    run: u32,
    person: u32,
    fps: u32,
    rng: Rng,
    start: Instant,
    captured: u64,
    encoders: Vec<Encoder>,
}

#[derive(Debug)]
struct Encoder {
    layer: Layer,
    clip: &'static Clip,
    ssrc: Ssrc,
    place: u8,
    active: bool,
    key_wanted: bool,
    last_key: Option<Instant>,
    /// The next frame's place in the clip.
    at: usize,
    frame: u32,
    picture_id: u16,
    tl0: u8,
    seq: u64,
    zero: u32,
    keys: u64,
}

impl Camera {
    /// Whose it is, in which run, and its streams, from the smallest. The first frame is due at `start`, a key frame.
    pub(crate) fn new(run: u32, person: u32, fps: u32, streams: &[(Layer, Ssrc)], start: Instant) -> Self {
        let mut rng = Rng::new(u64::from(run) << 32 | u64::from(person) | 1 << 31);
        let encoders = (0..).zip(streams).map(|(place, (layer, ssrc))| Encoder {
            layer: *layer,
            clip: Clip::of(LAYERS.iter().position(|l| l == layer).unwrap_or_default()),
            ssrc: *ssrc,
            place,
            active: true,
            key_wanted: true,
            last_key: None,
            at: 0,
            frame: 0,
            picture_id: rng.below(1 << 15) as u16,
            tl0: rng.next_u64() as u8,
            // In the lower half, so that the receiver needs no roll-over counter to begin with (RFC 3711 §3.3.1).
            seq: rng.below(1 << 15),
            zero: rng.next_u64() as u32,
            keys: 0,
        });
        let encoders = encoders.collect();
        Self { run, person, fps: fps.max(1), rng, start, captured: 0, encoders }
    }

    /// When the next frame is due.
    pub(crate) fn next(&self) -> Instant {
        self.start + Duration::from_micros(self.captured * 1_000_000 / u64::from(self.fps))
    }

    /// Leaves out the frame that is due.
    pub(crate) fn skip(&mut self) {
        self.captured += 1;
    }

    /// Rids and numbers of frames and key frames made so far.
    #[cfg(test)]
    pub(crate) fn made(&self) -> impl Iterator<Item = (&'static str, u64, u64)> + '_ {
        self.encoders.iter().map(|e| (e.layer.rid, u64::from(e.frame), e.keys))
    }

    /// Only these rids are wanted; one that comes back does so with a key frame. (`""` is the only encoding's.)
    pub(crate) fn only(&mut self, rids: &[String]) {
        let one = self.encoders.len() == 1;
        for encoder in &mut self.encoders {
            let active = rids.iter().any(|r| r == encoder.layer.rid || one && r.is_empty());
            encoder.key_wanted |= active && !encoder.active;
            encoder.active = active;
        }
    }

    /// A key frame is wanted, of one encoding or, without a rid, of all.
    pub(crate) fn key(&mut self, rid: Option<&str>, now: Instant) {
        for encoder in &mut self.encoders {
            let fresh = encoder.last_key.is_some_and(|at| now.saturating_duration_since(at) < KEY_INTERVAL);
            encoder.key_wanted |= rid.is_none_or(|r| r == encoder.layer.rid) && !fresh;
        }
    }

    /// Makes the frame that is due, in each encoding that is on. `sent` says what stands in the tag, packet by packet; `take`
    /// takes them.
    pub(crate) fn frame(
        &mut self,
        now: Instant,
        scratch: &mut Vec<u8>,
        mut sent: impl FnMut() -> u64,
        mut take: impl FnMut(Piece<'_>),
    ) {
        let ticks = self.captured * RATE / u64::from(self.fps);
        self.captured += 1;
        for encoder in self.encoders.iter_mut().filter(|e| e.active) {
            let percent = self.rng.between(70, 130);
            let shot = encoder.shoot(self.fps, percent, now);
            for packet in 0..shot.packets {
                let tag = Tag {
                    run: self.run,
                    person: self.person,
                    encoding: encoder.place,
                    voice: false,
                    turn: 0,
                    key: shot.key,
                    back: shot.back,
                    frame: shot.frame,
                    packets: shot.packets,
                    sent: sent(),
                };
                encoder.write(&shot, packet, &tag, scratch);
                encoder.seq += 1;
                take(Piece {
                    ssrc: encoder.ssrc,
                    seq: encoder.seq,
                    timestamp: encoder.zero.wrapping_add(ticks as u32),
                    marker: packet + 1 == shot.packets,
                    level: None,
                    payload: scratch,
                });
            }
        }
    }
}

/// What an encoder made of a picture.
struct Shot {
    content: &'static [u8],
    key: bool,
    back: u8,
    frame: u32,
    packets: u16,
    /// Of the frame in each packet, filling included.
    share: usize,
    fields: Vp8Fields,
}

impl Encoder {
    fn shoot(&mut self, fps: u32, percent: u64, now: Instant) -> Shot {
        if core::mem::take(&mut self.key_wanted) {
            self.at = 0;
        }
        // The clip begins with a key frame, and so does each repetition.
        let key = self.at == 0;
        if key {
            self.last_key = Some(now);
            self.keys += 1;
        }
        let content = self.clip.frame(self.at);
        let step = PATTERN.get(self.at % PATTERN.len()).unwrap_or(&PATTERN[0]);
        self.at = (self.at + 1) % self.clip.len().max(1);
        if step.layer == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let factor = if key { 100 * KEY_FACTOR } else { step.percent };
        let wanted = (self.layer.rate / 8 / u64::from(fps) * percent / 100 * factor / 100) as usize;
        let bytes = wanted.max(content.len() + Tag::LEN);
        let packets = bytes.div_ceil(PACKET_BYTES - Vp8Descriptor::MAX);
        let shot = Shot {
            content,
            key,
            back: if key { 0 } else { step.back },
            frame: self.frame,
            packets: packets as u16,
            share: bytes.div_ceil(packets),
            fields: Vp8Fields {
                discardable: step.discardable,
                start: false,
                partition: 0,
                picture_id: Some(PictureId::Long(self.picture_id & 0x7fff)),
                tl0: Some(self.tl0),
                temporal: Some(Temporal { layer: step.layer, sync: step.sync }),
                key_index: None,
            },
        };
        self.frame += 1;
        self.picture_id = self.picture_id.wrapping_add(1);
        shot
    }

    /// A decoder reads the content and no further (RFC 6386 §9.5: the last partition takes what is left, and its reader
    /// only what it needs), so filling and tags stand behind it. A packet that is all content has no tag.
    fn write(&self, shot: &Shot, packet: u16, tag: &Tag, out: &mut Vec<u8>) {
        out.clear();
        out.extend(Vp8Descriptor::new(Vp8Fields { start: packet == 0, ..shot.fields }).as_bytes());
        let (from, to) = (usize::from(packet) * shot.share, (usize::from(packet) + 1) * shot.share);
        let content = shot.content.get(from..).unwrap_or_default();
        let end = out.len() + shot.share;
        out.extend(content.iter().take(shot.share));
        out.resize(end, 0xa5);
        if to - Tag::LEN >= shot.content.len() {
            out.truncate(end - Tag::LEN);
            out.extend(tag.write());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> (Camera, Instant) {
        let start = Instant::now();
        let streams: Vec<(Layer, Ssrc)> = (1..).map(Ssrc::from).zip(LAYERS).map(|(s, l)| (l, s)).collect();
        (Camera::new(1, 2, 30, &streams, start), start)
    }

    /// The packets of so many frames: stream, sequence number, payload.
    fn shoot(camera: &mut Camera, frames: usize) -> Vec<(u32, u64, Vec<u8>)> {
        let (mut scratch, mut out) = (Vec::new(), Vec::new());
        for _ in 0..frames {
            let now = camera.next();
            camera.frame(now, &mut scratch, || 9, |p| out.push((*p.ssrc, p.seq, p.payload.to_vec())));
        }
        out
    }

    #[test]
    fn each_encoding_has_its_size_its_rate_and_its_layers() {
        let (mut camera, start) = camera();
        let out = shoot(&mut camera, 300);
        assert_eq!(camera.next() - start, Duration::from_secs(10));
        for (stream, layer) in (1..).zip(LAYERS) {
            let of: Vec<_> = out.iter().filter(|p| p.0 == stream).collect();
            assert!(of.windows(2).all(|w| w[1].1 == w[0].1 + 1));
            let first = Vp8Descriptor::parse(&of[0].2).unwrap();
            assert_eq!(first.key_size(&of[0].2), Some((layer.width, layer.height)));
            let bits: usize = of.iter().map(|p| p.2.len() * 8).sum();
            let share = bits as f64 / 10.0 / layer.rate as f64;
            assert!((0.9..1.15).contains(&share), "{stream} {share}");
            let layers: Vec<u8> = of
                .iter()
                .filter_map(|p| Vp8Descriptor::parse(&p.2).ok().filter(Vp8Descriptor::is_frame_start))
                .map(|d| d.fields().temporal.unwrap().layer)
                .collect();
            assert_eq!((layers.len(), &layers[..5]), (300, &[0, 2, 1, 2, 0][..]));
            assert!(of.iter().all(|p| p.2.len() <= PACKET_BYTES));
            // Few packets are all picture.
            let bare = of.iter().filter(|p| Tag::of_vp8(&p.2).is_none()).count();
            assert!(bare * 20 < of.len(), "{bare} of {}", of.len());
        }
    }

    #[test]
    fn what_a_decoder_reads_comes_whole_and_its_last_packet_has_a_tag() {
        let (mut camera, _) = camera();
        for at in 0..241 {
            let out = shoot(&mut camera, 1);
            for (stream, place) in [(1, 0), (2, 1), (3, 2)] {
                let of: Vec<_> = out.iter().filter(|p| p.0 == stream).map(|p| &p.2).collect();
                let frame: Vec<u8> = of
                    .iter()
                    .flat_map(|p| p[Vp8Descriptor::parse(p).unwrap().len()..].iter().copied())
                    .collect();
                let content = Clip::of(place).frame(at % 240);
                assert!(frame.starts_with(content), "{at}");
                let tag = Tag::of_vp8(of.last().unwrap()).unwrap();
                assert_eq!((tag.key, usize::from(tag.packets)), (at % 240 == 0, of.len()));
            }
        }
    }

    #[test]
    fn a_frame_refers_to_no_higher_layer() {
        let (mut camera, _) = camera();
        let mut layers: Vec<u8> = Vec::new();
        for (stream, _, payload) in shoot(&mut camera, 40) {
            let d = Vp8Descriptor::parse(&payload).unwrap();
            if stream != 1 || !d.is_frame_start() {
                continue;
            }
            let tag = Tag::of_vp8(&payload).unwrap();
            let layer = d.fields().temporal.unwrap().layer;
            assert_eq!((tag.key, tag.frame as usize), (layers.is_empty(), layers.len()));
            if !tag.key {
                let of = layers[layers.len() - usize::from(tag.back)];
                assert!(of < layer || (of, layer) == (0, 0), "{layer} refers to {of}");
            }
            layers.push(layer);
        }
    }

    #[test]
    fn a_key_frame_comes_when_asked_and_not_twice_in_300_ms() {
        let (mut camera, _) = camera();
        shoot(&mut camera, 1);
        camera.key(Some("l"), camera.next());
        assert_eq!(camera.made().collect::<Vec<_>>(), [("l", 1, 1), ("m", 1, 1), ("h", 1, 1)]);
        shoot(&mut camera, 30);
        camera.key(Some("l"), camera.next());
        shoot(&mut camera, 1);
        assert_eq!(camera.made().collect::<Vec<_>>(), [("l", 32, 2), ("m", 32, 1), ("h", 32, 1)]);
        camera.key(None, camera.next());
        shoot(&mut camera, 1);
        assert_eq!(camera.made().collect::<Vec<_>>(), [("l", 33, 2), ("m", 33, 2), ("h", 33, 2)]);
    }

    #[test]
    fn what_nobody_watches_is_not_sent_and_comes_back_with_a_key_frame() {
        let (mut camera, _) = camera();
        shoot(&mut camera, 1);
        camera.only(&["h".to_owned()]);
        assert!(shoot(&mut camera, 10).iter().all(|p| p.0 == 3));
        camera.only(&["l".to_owned(), "h".to_owned()]);
        let back = shoot(&mut camera, 1);
        let first = back.iter().find(|p| p.0 == 1).unwrap();
        assert!(Tag::of_vp8(&first.2).unwrap().key);
    }
}
