//! A room full of simulated participants behind simulated links: what browsers send, what networks do to it, and model receivers that
//! judge what comes out.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap};
use salon_rtp::{Bitrate, Codec, Egress, MediaKind, Mid, Packet, Pt, Ssrc, Time};
use salon_sfu::{
    Config, EncodingSpec, Event, Feedback, ParticipantId, Room, SlotId, SlotPayload, SlotSpec, Source,
    TrackId, TrackSpec,
};
use salon_sim::{
    CameraConfig, CameraSource, Datagram, LinkConfig, Peer, ReceiverConfig, TemporalLayers, VideoReceiver,
    VoiceConfig, VoiceListener, VoiceSource, Vp8Decoder, WallClock,
};

pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    let kinds = [
        ExtensionKind::Mid,
        ExtensionKind::AudioLevel,
        ExtensionKind::Twcc,
        ExtensionKind::Rid,
        ExtensionKind::RepairedRid,
    ];
    for (i, kind) in kinds.into_iter().enumerate() {
        map.set(kind, ExtId::new(i as u8 + 1).unwrap());
    }
    map
}

/// Somebody, and what the room knows of him.
pub struct Guest {
    pub id: ParticipantId,
    pub peer: Peer,
    pub clock: WallClock,
    pub microphone: Option<TrackId>,
    /// Tracks of `peer.cameras`, in the same order.
    pub cameras: Vec<TrackId>,
    /// Slots of `peer.ears` and `peer.eyes`, in the same order.
    pub ears: Vec<SlotId>,
    pub eyes: Vec<SlotId>,
    /// Payload bytes of media and of repair that were sent to it.
    pub media_bytes: u64,
    pub rtx_bytes: u64,
    /// Largest growth of a packet before the cipher's tag.
    pub media_packets: u64,
}

pub struct Hall {
    pub room: Room,
    pub now: Time,
    pub guests: Vec<Guest>,
    seed: u64,
    named: u32,
    sealed: HashSet<(ParticipantId, Ssrc, u64)>,
    rtx: HashSet<Ssrc>,
    /// Decoders at our own door, by media SSRC: they see what is sent before any network does something to it.
    pub witnesses: HashMap<Ssrc, Vp8Decoder>,
    /// Whether publishers switch off what nobody watches, as the page does.
    pub obedient: bool,
    /// How often invariants are checked, in milliseconds; 0 for never.
    pub check_every: u64,
    pub floor: Option<ParticipantId>,
    pub shown: HashMap<SlotId, Option<TrackId>>,
}

const MS: Duration = Duration::from_millis(1);

impl Hall {
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            room: Room::new(Config::default(), bytes),
            now: Time::from_millis(1_000),
            guests: Vec::new(),
            seed,
            named: 0,
            sealed: HashSet::new(),
            rtx: HashSet::new(),
            witnesses: HashMap::new(),
            obedient: true,
            check_every: 50,
            floor: None,
            shown: HashMap::new(),
        }
    }

    /// Somebody comes; his place among the guests.
    pub fn join(&mut self, clock: WallClock, up: LinkConfig, down: LinkConfig) -> usize {
        self.named += 1;
        let id = self.room.join(self.now).unwrap();
        self.room.connected(self.now, id, true).unwrap();
        let peer = Peer::new(self.seed * 1_000 + u64::from(self.named), extensions(), up, down);
        self.guests.push(Guest {
            id,
            peer,
            clock,
            microphone: None,
            cameras: Vec::new(),
            ears: Vec::new(),
            eyes: Vec::new(),
            media_bytes: 0,
            rtx_bytes: 0,
            media_packets: 0,
        });
        self.guests.len() - 1
    }

    /// A microphone. Its number in the simulation is returned.
    pub fn microphone(&mut self, guest: usize) -> u32 {
        self.named += 1;
        let source = self.named;
        let g = &mut self.guests[guest];
        let mid = Mid::new(b"a").unwrap();
        let config = VoiceConfig {
            source,
            ssrc: Ssrc(0x1000_0000 + source),
            mid: Some(mid),
            extensions: extensions(),
            clock: g.clock,
            ..VoiceConfig::default()
        };
        let spec = TrackSpec {
            mid: Some(mid),
            source: Source::Microphone,
            codec: Codec::Opus,
            pt: config.pt,
            rtx_pt: None,
            encodings: vec![EncodingSpec { ssrc: Some(config.ssrc), ..EncodingSpec::default() }],
            extensions: extensions(),
            feedback: Feedback { twcc: true, ..Feedback::default() },
        };
        g.peer.voice = Some(VoiceSource::new(u64::from(source), config).starting(self.now));
        g.microphone = Some(self.room.publish(self.now, g.id, spec).unwrap());
        source
    }

    /// A camera of one encoding or three.
    pub fn camera(
        &mut self,
        guest: usize,
        encodings: usize,
        layers: TemporalLayers,
        source_kind: Source,
    ) -> u32 {
        self.named += 1;
        let source = self.named;
        let g = &mut self.guests[guest];
        let mid = Mid::new(format!("v{source}").as_bytes()).unwrap();
        let mut config = CameraConfig::simulcast(source, 0x2000_0000 + 10 * source);
        config.encodings.truncate(encodings);
        if encodings == 1 {
            config.encodings[0].rid = None;
        }
        let config =
            CameraConfig { mid: Some(mid), extensions: extensions(), clock: g.clock, layers, ..config };
        let declare = encodings == 1;
        let spec = TrackSpec {
            mid: Some(mid),
            source: source_kind,
            codec: Codec::Vp8,
            pt: config.pt,
            rtx_pt: config.rtx_pt,
            encodings: (config.encodings.iter())
                .map(|e| EncodingSpec {
                    rid: e.rid,
                    ssrc: declare.then_some(e.ssrc),
                    rtx_ssrc: if declare { e.rtx } else { None },
                })
                .collect(),
            extensions: extensions(),
            feedback: Feedback { nack: true, pli: true, fir: true, twcc: true, remb: true },
        };
        g.peer.cameras.push(CameraSource::new(u64::from(source), config).starting(self.now));
        g.cameras.push(self.room.publish(self.now, g.id, spec).unwrap());
        source
    }

    /// A slot for sound.
    pub fn ear(&mut self, guest: usize) -> SlotId {
        let g = &mut self.guests[guest];
        let spec = SlotSpec {
            mid: Some(Mid::new(format!("e{}", g.ears.len()).as_bytes()).unwrap()),
            kind: MediaKind::Audio,
            payloads: vec![SlotPayload { codec: Codec::Opus, pt: Pt::new(109).unwrap(), rtx_pt: None }],
            extensions: extensions(),
            feedback: Feedback::default(),
        };
        let slot = self.room.subscribe(self.now, g.id, spec).unwrap();
        let ssrc = self.room.streams(slot).unwrap().ssrc;
        g.peer.ears.push((ssrc, VoiceListener::default()));
        g.ears.push(slot);
        slot
    }

    /// A slot for a picture.
    pub fn eye(&mut self, guest: usize, rtt: Duration) -> SlotId {
        let g = &mut self.guests[guest];
        let spec = SlotSpec {
            mid: Some(Mid::new(format!("p{}", g.eyes.len()).as_bytes()).unwrap()),
            kind: MediaKind::Video,
            payloads: vec![SlotPayload {
                codec: Codec::Vp8,
                pt: Pt::new(120).unwrap(),
                rtx_pt: Pt::new(121),
            }],
            extensions: extensions(),
            feedback: Feedback { nack: true, pli: true, fir: true, twcc: false, remb: true },
        };
        let slot = self.room.subscribe(self.now, g.id, spec).unwrap();
        let streams = self.room.streams(slot).unwrap();
        self.rtx.extend(streams.rtx);
        self.witnesses.insert(streams.ssrc, Vp8Decoder::default());
        let config = ReceiverConfig {
            rtt,
            ..ReceiverConfig::new(Ssrc(0x3000_0000 + self.named), streams.ssrc, streams.rtx)
        };
        g.peer.eyes.push(VideoReceiver::new(config));
        g.eyes.push(slot);
        slot
    }

    pub fn leave(&mut self, guest: usize) -> Guest {
        let guest = self.guests.swap_remove(guest);
        self.room.leave(self.now, guest.id).unwrap();
        guest
    }

    /// A millisecond passes.
    pub fn step(&mut self) {
        self.now = self.now.plus(MS);
        let now = self.now;
        for g in &mut self.guests {
            g.peer.poll(now);
            while let Some(datagram) = g.peer.uplink(now) {
                match datagram {
                    Datagram::Rtp(bytes) => self.room.handle_rtp(now, g.id, &bytes),
                    Datagram::Rtcp(bytes) => self.room.handle_rtcp(now, g.id, &bytes),
                };
            }
        }
        if self.room.poll_timeout().is_some_and(|due| due <= now) {
            self.room.handle_timeout(now);
        }
        self.send();
        self.events();
        if self.check_every > 0 && (now.as_micros() / 1_000) % self.check_every == 0 {
            self.room.check().unwrap();
        }
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while self.now < end {
            self.step();
        }
    }

    fn send(&mut self) {
        while let Some(mut burst) = self.room.poll_transmit(self.now) {
            let to = burst.to();
            let Some(g) = self.guests.iter_mut().find(|g| g.id == to) else {
                burst.discard();
                continue;
            };
            while let Some(egress) = burst.next() {
                let datagram = match egress {
                    Egress::Rtcp(bytes) => Datagram::Rtcp(bytes.to_vec()),
                    Egress::Rtp(p) => {
                        // Law: an index is sealed once, whatever is asked for.
                        assert!(self.sealed.insert((to, p.ssrc, p.index.0)), "an index sealed twice");
                        let mut bytes = vec![0; p.header_len() + p.body_len()];
                        let (header, body) = bytes.split_at_mut(p.header_len());
                        p.write_header(header).unwrap();
                        p.write_body(body).unwrap();
                        let size = p.body_len() as u64;
                        if self.rtx.contains(&p.ssrc) {
                            g.rtx_bytes += size;
                        } else {
                            g.media_bytes += size;
                            g.media_packets += 1;
                        }
                        if let Some(witness) = self.witnesses.get_mut(&p.ssrc) {
                            witness.push(self.now, &Packet::parse(&bytes).unwrap());
                        }
                        Datagram::Rtp(bytes)
                    }
                };
                g.peer.downlink(self.now, datagram);
            }
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.room.poll_event() {
            match event {
                Event::Encodings { participant, track, wanted } if self.obedient => {
                    let Some(g) = self.guests.iter_mut().find(|g| g.id == participant) else { continue };
                    let Some(at) = g.cameras.iter().position(|&t| t == track) else { continue };
                    let camera = &mut g.peer.cameras[at];
                    for i in 0..camera.config().encodings.len() {
                        camera.set_active(i, wanted >> i & 1 == 1);
                    }
                }
                Event::Slot { slot, shows, .. } => {
                    self.shown.insert(slot, shows);
                }
                Event::Floor(floor) => self.floor = floor,
                _ => {}
            }
        }
    }
}

/// A link with a rate.
pub fn narrow(kbps: u64) -> LinkConfig {
    LinkConfig { rate: Some(Bitrate::from_kbps(kbps)), ..LinkConfig::default() }
}
