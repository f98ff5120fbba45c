//! A room with a clock, hand-made packets, and what came out of it, read back from its bytes.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::new_without_default,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used
)]

use std::collections::HashSet;
use std::time::Duration;

use salon_rtp::extension::{AudioLevel, ExtId, ExtensionKind, ExtensionMap, Values};
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{
    Codec, Egress, Header, MediaKind, Mid, OutExtensions, Outgoing, Packet, Prefix, Pt, Rid, RtpTime, SeqNo,
    Ssrc, Time,
};
use salon_sfu::{
    Config, Constraint, EncodingSpec, Event, Feedback, ParticipantId, Room, SlotId, SlotPayload, SlotSpec,
    Source, TrackId, TrackSpec, Verdict, View,
};

pub fn pt(v: u8) -> Pt {
    Pt::new(v).unwrap()
}

pub fn mid(text: &str) -> Mid {
    Mid::new(text.as_bytes()).unwrap()
}

pub fn ext(v: u8) -> ExtId {
    ExtId::new(v).unwrap()
}

/// The extensions of every m-line here.
pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    map.set(ExtensionKind::Mid, ext(1));
    map.set(ExtensionKind::AudioLevel, ext(2));
    map.set(ExtensionKind::Twcc, ext(3));
    map.set(ExtensionKind::Rid, ext(4));
    map.set(ExtensionKind::RepairedRid, ext(5));
    map
}

pub const ALL_FEEDBACK: Feedback = Feedback { nack: true, pli: true, fir: true, twcc: true, remb: true };

/// A packet that left, read back.
#[derive(Clone, Debug)]
pub struct Out {
    pub to: ParticipantId,
    pub ssrc: Ssrc,
    pub index: SeqNo,
    pub pt: u8,
    pub marker: bool,
    pub timestamp: RtpTime,
    pub csrc: Option<Ssrc>,
    pub mid: Option<Mid>,
    pub level: Option<u8>,
    pub payload: Vec<u8>,
    pub at: Time,
    pub extension_ids: Vec<u8>,
}

/// A report that left.
#[derive(Clone, Debug)]
pub struct Report {
    pub to: ParticipantId,
    pub bytes: Vec<u8>,
    pub at: Time,
}

impl Report {
    pub fn packets(&self) -> Vec<RtcpPacket<'_>> {
        Compound::parse(&self.bytes).unwrap().iter().collect()
    }
}

pub struct Rig {
    pub room: Room,
    pub now: Time,
    pub out: Vec<Out>,
    pub reports: Vec<Report>,
    pub events: Vec<Event>,
    /// Each (receiver, SSRC, index) that ever left.
    sealed: HashSet<(ParticipantId, Ssrc, SeqNo)>,
    twcc: u16,
    pub checking: bool,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        Self {
            room: Room::new(config, [42; 32]),
            now: Time::from_millis(10_000),
            out: Vec::new(),
            reports: Vec::new(),
            events: Vec::new(),
            sealed: HashSet::new(),
            twcc: 0,
            checking: true,
        }
    }

    pub fn check(&self) {
        if self.checking {
            self.room.check().unwrap();
        }
    }

    pub fn join(&mut self) -> ParticipantId {
        let id = self.room.join(self.now).unwrap();
        self.room.connected(self.now, id, true).unwrap();
        self.check();
        id
    }

    pub fn microphone(&mut self, id: ParticipantId, ssrc: u32) -> TrackId {
        let spec = TrackSpec {
            mid: Some(mid("a")),
            source: Source::Microphone,
            codec: Codec::Opus,
            pt: pt(111),
            rtx_pt: None,
            encodings: vec![EncodingSpec { ssrc: Some(Ssrc(ssrc)), ..EncodingSpec::default() }],
            extensions: extensions(),
            feedback: Feedback { twcc: true, ..Feedback::default() },
        };
        let id = self.room.publish(self.now, id, spec).unwrap();
        self.check();
        id
    }

    pub fn camera(&mut self, id: ParticipantId, ssrc: u32, source: Source) -> TrackId {
        let spec = TrackSpec {
            mid: Some(mid(source.name())),
            source,
            codec: Codec::Vp8,
            pt: pt(96),
            rtx_pt: Some(pt(97)),
            encodings: vec![EncodingSpec {
                rid: None,
                ssrc: Some(Ssrc(ssrc)),
                rtx_ssrc: Some(Ssrc(ssrc + 1)),
            }],
            extensions: extensions(),
            feedback: ALL_FEEDBACK,
        };
        let id = self.room.publish(self.now, id, spec).unwrap();
        self.check();
        id
    }

    pub fn simulcast(&mut self, id: ParticipantId, rids: &[&str]) -> TrackId {
        let spec = TrackSpec {
            mid: Some(mid("camera")),
            source: Source::Camera,
            codec: Codec::Vp8,
            pt: pt(96),
            rtx_pt: Some(pt(97)),
            encodings: rids
                .iter()
                .map(|r| EncodingSpec {
                    rid: Some(Rid::new(r.as_bytes()).unwrap()),
                    ..EncodingSpec::default()
                })
                .collect(),
            extensions: extensions(),
            feedback: ALL_FEEDBACK,
        };
        let id = self.room.publish(self.now, id, spec).unwrap();
        self.check();
        id
    }

    pub fn slot(&mut self, id: ParticipantId, kind: MediaKind, name: &str) -> SlotId {
        let payloads = match kind {
            MediaKind::Audio => vec![SlotPayload { codec: Codec::Opus, pt: pt(109), rtx_pt: None }],
            MediaKind::Video => vec![SlotPayload { codec: Codec::Vp8, pt: pt(120), rtx_pt: Some(pt(124)) }],
        };
        let spec = SlotSpec {
            mid: Some(mid(name)),
            kind,
            payloads,
            extensions: extensions(),
            // Nobody answers a request for sound (salon-signal offers none).
            feedback: Feedback { nack: kind == MediaKind::Video, ..ALL_FEEDBACK },
        };
        let slot = self.room.subscribe(self.now, id, spec).unwrap();
        self.check();
        slot
    }

    pub fn height(&mut self, id: ParticipantId, slot: SlotId, height: u16) {
        self.constrain(id, slot, View::Auto, height);
    }

    pub fn constrain(&mut self, id: ParticipantId, slot: SlotId, view: View, height: u16) {
        self.room.constrain(self.now, id, slot, Constraint { view, height }).unwrap();
        self.check();
    }

    pub fn rtp(&mut self, from: ParticipantId, bytes: &[u8]) -> Verdict {
        let verdict = self.room.handle_rtp(self.now, from, bytes);
        self.check();
        verdict
    }

    pub fn rtcp(&mut self, from: ParticipantId, write: impl FnOnce(&mut Vec<u8>)) -> Verdict {
        let mut bytes = Vec::new();
        write(&mut bytes);
        let verdict = self.room.handle_rtcp(self.now, from, &bytes);
        self.check();
        verdict
    }

    /// Lets time pass, doing what is due when it is due, and sending what waits.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        self.drain();
        while let Some(due) = self.room.poll_timeout().filter(|&d| d <= end) {
            self.now = self.now.max(due);
            self.room.handle_timeout(self.now);
            self.check();
            assert!(self.room.poll_timeout().is_none_or(|d| d > self.now), "a deadline that stays due");
            self.drain();
        }
        self.now = end;
    }

    /// Sends all that waits.
    pub fn drain(&mut self) {
        while let Some(mut burst) = self.room.poll_transmit(self.now) {
            let to = burst.to();
            let mut n = 0;
            while let Some(egress) = burst.next() {
                n += 1;
                match egress {
                    Egress::Rtp(p) => {
                        assert!(self.sealed.insert((to, p.ssrc, p.index)), "an index sealed twice");
                        self.out.push(read(to, self.now, p));
                    }
                    Egress::Rtcp(bytes) => {
                        Compound::parse(bytes).unwrap();
                        self.reports.push(Report { to, bytes: bytes.to_vec(), at: self.now });
                    }
                }
            }
            assert!(n <= salon_sfu::limits::BURST);
            assert!(burst.next().is_none());
            self.check();
        }
        while let Some(event) = self.room.poll_event() {
            self.events.push(event);
        }
        self.check();
    }

    /// Gives back the memory of all that came out.
    pub fn forget(&mut self) {
        self.out = Vec::new();
        self.reports = Vec::new();
        self.events = Vec::new();
        self.sealed = HashSet::new();
    }

    /// Media packets that left.
    pub fn sent(&self) -> u64 {
        self.room.counters().rtp_out
    }

    pub fn take(&mut self) -> Vec<Out> {
        self.drain();
        core::mem::take(&mut self.out)
    }

    pub fn take_reports(&mut self) -> Vec<Report> {
        self.drain();
        core::mem::take(&mut self.reports)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        self.drain();
        core::mem::take(&mut self.events)
    }

    /// An Opus packet of 20 ms.
    pub fn voice(&mut self, n: u64, ssrc: u32, level: u8) -> Vec<u8> {
        let mut x = OutExtensions::NONE;
        x.push(ext(2), &AudioLevel::new(level, level < 60).write()).unwrap();
        self.twcc = self.twcc.wrapping_add(1);
        x.push(ext(3), &self.twcc.to_be_bytes()).unwrap();
        let payload: Vec<u8> = [0xfc].into_iter().chain((0..80).map(|i| (n as u8).wrapping_add(i))).collect();
        bytes(ssrc, 111, n, (n * 960) as u32, false, &x, &payload)
    }
}

fn read(to: ParticipantId, at: Time, p: &Outgoing<'_>) -> Out {
    let mut buffer = [0; 2000];
    let h = p.write_header(&mut buffer).unwrap();
    let n = h + p.write_body(&mut buffer[h..]).unwrap();
    let view = Packet::parse(&buffer[..n]).unwrap();
    let values = Values::read(&view, &extensions());
    Out {
        to,
        ssrc: view.ssrc(),
        index: p.index,
        pt: view.pt().get(),
        marker: view.marker(),
        timestamp: view.timestamp(),
        csrc: view.csrcs().next(),
        mid: values.mid,
        level: values.audio_level.map(|l| l.level),
        payload: view.payload().to_vec(),
        at,
        extension_ids: view.extensions().map(|e| e.0.get()).collect(),
    }
}

pub fn bytes(
    ssrc: u32,
    payload_type: u8,
    seq: u64,
    ts: u32,
    marker: bool,
    x: &OutExtensions<'_>,
    payload: &[u8],
) -> Vec<u8> {
    let p = Outgoing {
        ssrc: Ssrc(ssrc),
        index: SeqNo(seq),
        header: Header { pt: pt(payload_type), marker, timestamp: RtpTime(ts), csrc: None, extensions: *x },
        prefix: Prefix::EMPTY,
        tail: payload,
        padding: 0,
    };
    let mut buffer = [0; 2000];
    let h = p.write_header(&mut buffer).unwrap();
    let n = h + p.write_body(&mut buffer[h..]).unwrap();
    buffer[..n].to_vec()
}

/// A VP8 stream of one encoding, a packet or more per frame.
pub struct Vp8 {
    pub ssrc: u32,
    pub seq: u64,
    pub ts: u32,
    pub picture: u16,
    pub tl0: u8,
    pub height: u16,
    pub mid: Option<&'static str>,
    pub rid: Option<&'static str>,
    pub size: usize,
}

impl Vp8 {
    pub fn new(ssrc: u32, height: u16) -> Self {
        Self { ssrc, seq: 1000, ts: 5000, picture: 100, tl0: 10, height, mid: None, rid: None, size: 100 }
    }

    /// The packets of the next frame, at 30 frames a second.
    pub fn frame(&mut self, key: bool, packets: usize) -> Vec<Vec<u8>> {
        self.ts = self.ts.wrapping_add(3000);
        self.picture = (self.picture + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(1);
        (0..packets)
            .map(|i| {
                let [p0, p1] = (self.picture | 0x8000).to_be_bytes();
                let start = if i == 0 { 0x10 } else { 0 };
                let mut payload = vec![0x80 | start, 0xe0, p0, p1, self.tl0, 0x00];
                if i == 0 && key {
                    let [h0, h1] = self.height.to_le_bytes();
                    payload.extend([0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, h0, h1]);
                } else {
                    payload.push(1);
                }
                payload.resize(self.size.max(payload.len()), self.seq as u8);
                let mut x = OutExtensions::NONE;
                if let Some(mid) = self.mid {
                    x.push(ext(1), mid.as_bytes()).unwrap();
                }
                if let Some(rid) = self.rid {
                    x.push(ext(4), rid.as_bytes()).unwrap();
                }
                let packet = bytes(self.ssrc, 96, self.seq, self.ts, i + 1 == packets, &x, &payload);
                self.seq += 1;
                packet
            })
            .collect()
    }
}

impl Rig {
    /// Takes some packets of the first burst and drops the rest of it, or throws it away.
    pub fn nibble(&mut self, n: usize, discard: bool) {
        let Some(mut burst) = self.room.poll_transmit(self.now) else { return };
        let to = burst.to();
        for _ in 0..n {
            match burst.next() {
                Some(Egress::Rtp(p)) => {
                    assert!(self.sealed.insert((to, p.ssrc, p.index)), "an index sealed twice");
                    self.out.push(read(to, self.now, p));
                }
                Some(Egress::Rtcp(bytes)) => assert!(Compound::parse(bytes).is_ok()),
                None => break,
            }
        }
        if discard {
            burst.discard();
        }
        self.check();
    }
}
