//! A model VP8 encoder and packetizer.

use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Descriptor, Vp8Fields};
use salon_rtp::{Codec, RtpTime, SeqNo, Time};
use salon_simulcast::{Facts, Input, SourceId};

/// Which fields the descriptor has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// 15-bit picture id, TL0PICIDX, TID, KEYIDX: a browser with temporal layers.
    Full,
    /// The same with a picture id of 7 bits.
    Narrow,
    /// A picture id and nothing else: a browser with one temporal layer.
    IdOnly,
    /// Nothing.
    Bare,
}

/// What a picture really is, whatever its descriptor says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    pub number: u64,
    pub key: bool,
    pub temporal: u8,
    pub sync: bool,
    /// The pictures that it was predicted from, by number.
    pub refs: Vec<u64>,
}

/// A packet on its way to us.
#[derive(Clone, Debug)]
pub struct Wire {
    pub source: SourceId,
    pub seq: u64,
    pub timestamp: u32,
    pub captured: Time,
    pub marker: bool,
    pub payload: Vec<u8>,
    pub padding: bool,
    pub picture: Picture,
    pub part: usize,
    pub parts: usize,
}

impl Wire {
    pub fn input(&self, arrived: Time, newest: bool) -> Input {
        Input {
            source: self.source,
            seq: SeqNo(self.seq),
            timestamp: RtpTime(self.timestamp),
            captured: self.captured,
            marker: self.marker,
            facts: if self.padding {
                Facts::UNKNOWN
            } else {
                Facts::read(Codec::Vp8, self.marker, &self.payload)
            },
            arrived,
            newest,
            padding_only: self.padding,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Source {
    pub id: SourceId,
    pub seq: u64,
    pub shape: Shape,
    pub layers: u8,
    pub picture_id: u16,
    pub tl0: u8,
    pub keyidx: u8,
    /// RTP time at the server's zero, and how many parts in a million its clock runs fast.
    pub ts0: u32,
    pub ppm: i64,
    /// Whether pictures above the base are switch points when the pattern allows a choice.
    pub syncs: bool,
    /// How many parts a picture id stands still before it moves: 0 never.
    number: u64,
    position: usize,
    last: [Option<u64>; 4],
}

impl Source {
    pub fn new(id: u32, shape: Shape) -> Self {
        let layers = if matches!(shape, Shape::Full | Shape::Narrow) { 3 } else { 1 };
        Self {
            id: SourceId(id),
            seq: 65_000 + u64::from(id) * 1_000,
            shape,
            layers,
            picture_id: 32_700 + id as u16 * 7,
            tl0: 250u8.wrapping_add(id as u8 * 3),
            keyidx: (29 + id as u8) & 31,
            ts0: (u32::MAX - 5_000).wrapping_add(id * 77_777),
            ppm: 0,
            syncs: true,
            number: 0,
            position: 0,
            last: [None; 4],
        }
    }

    pub fn layers(mut self, layers: u8) -> Self {
        self.layers = layers;
        self
    }

    fn timestamp(&self, now: Time) -> u32 {
        let ticks = i128::from(now.as_micros()) * 90_000 / 1_000_000;
        self.ts0.wrapping_add((ticks + ticks * i128::from(self.ppm) / 1_000_000) as u32)
    }

    /// The next picture, captured now, in `parts` packets.
    pub fn picture(&mut self, now: Time, parts: usize, key: bool) -> Vec<Wire> {
        let key = key || self.last[0].is_none();
        let picture = self.next_picture(key);
        let fields = self.fields(&picture);
        let timestamp = self.timestamp(now);
        (0..parts)
            .map(|part| {
                let head = Vp8Descriptor::new(Vp8Fields { start: part == 0, ..fields });
                // The frame header's P bit, then something that tells the packets apart.
                let body =
                    [if part == 0 { u8::from(!key) } else { 0xfe }, picture.number as u8, part as u8, 7];
                self.seq += 1;
                Wire {
                    source: self.id,
                    seq: self.seq,
                    timestamp,
                    captured: now,
                    marker: part + 1 == parts,
                    payload: [head.as_bytes(), &body].concat(),
                    padding: false,
                    picture: picture.clone(),
                    part,
                    parts,
                }
            })
            .collect()
    }

    pub fn delta(&mut self, now: Time, parts: usize) -> Vec<Wire> {
        self.picture(now, parts, false)
    }

    pub fn key(&mut self, now: Time, parts: usize) -> Vec<Wire> {
        self.picture(now, parts, true)
    }

    /// A packet of padding only, as bandwidth probes are.
    pub fn padding(&mut self, now: Time) -> Wire {
        self.seq += 1;
        Wire {
            source: self.id,
            seq: self.seq,
            timestamp: self.timestamp(now),
            captured: now,
            marker: false,
            payload: Vec::new(),
            padding: true,
            picture: Picture { number: 0, key: false, temporal: 0, sync: false, refs: Vec::new() },
            part: 0,
            parts: 1,
        }
    }

    /// The sender starts again: nothing continues.
    pub fn restart(&mut self, salt: u64) {
        self.seq = 30_000 + salt % 70_000;
        self.picture_id = (salt % 32_768) as u16;
        self.tl0 = salt as u8;
        self.keyidx = (salt & 31) as u8;
        self.ts0 = self.ts0.wrapping_add((salt as u32).wrapping_mul(0x9e37_79b9));
        (self.last, self.position) = ([None; 4], 0);
    }

    fn next_picture(&mut self, key: bool) -> Picture {
        self.number += 1;
        let pattern: &[u8] = match self.layers {
            0 | 1 => &[0],
            2 => &[0, 1],
            _ => &[0, 2, 1, 2],
        };
        if key {
            self.position = 0;
        }
        let temporal = pattern[self.position % pattern.len()];
        self.position += 1;
        // What has no predecessor in its layer refers to the base only; so does every second of the others.
        let t = usize::from(temporal);
        let alone = (1..=t).any(|l| self.last[l].is_none());
        let sync = temporal > 0 && (alone || (self.syncs && self.position % 8 < 4));
        let refs = match (key, sync) {
            (true, _) => Vec::new(),
            (_, true) => self.last[0].into_iter().collect(),
            _ => self.last[..=t].iter().flatten().copied().collect(),
        };
        if key {
            self.last = [None; 4];
            self.keyidx = (self.keyidx + 1) & 31;
        }
        self.last[t] = Some(self.number);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        Picture { number: self.number, key, temporal, sync, refs }
    }

    fn fields(&self, picture: &Picture) -> Vp8Fields {
        let temporal = Temporal { layer: picture.temporal, sync: picture.sync };
        let full = Vp8Fields {
            picture_id: Some(PictureId::Long(self.picture_id)),
            tl0: Some(self.tl0),
            temporal: Some(temporal),
            key_index: Some(self.keyidx),
            ..Vp8Fields::default()
        };
        match self.shape {
            Shape::Full => full,
            Shape::Narrow => {
                Vp8Fields { picture_id: Some(PictureId::Short((self.picture_id & 0x7f) as u8)), ..full }
            }
            Shape::IdOnly => Vp8Fields { picture_id: full.picture_id, ..Vp8Fields::default() },
            Shape::Bare => Vp8Fields::default(),
        }
    }
}
