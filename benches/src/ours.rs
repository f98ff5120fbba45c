//! Salon's own host.

use std::net::SocketAddr;
use std::sync::mpsc::channel;

use salon_host::sfu::{Constraint, EncodingSpec, Feedback, SlotPayload, SlotSpec, Source, TrackSpec, View};
use salon_host::transport::Setup;
use salon_host::{Handle, Host, HostConfig, HostCounters, Join};
use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Codec, MediaKind, Pt, Ssrc};

use salon_udp::{Offload, SendBatch, Socket};

use crate::cpu::Threads;
use crate::{Admitted, Forwarded, Forwarder, Guest, socket};

/// [`salon_host`] with as many shards as told.
pub struct Ours {
    handle: Handle,
    _host: Host,
}

impl Ours {
    /// Begins at once: people may come and go while it runs.
    pub fn new(bend: impl FnOnce(&mut HostConfig)) -> Self {
        let mut config = HostConfig::new(([127, 0, 0, 1], 0).into());
        bend(&mut config);
        let host = Host::start(config).unwrap();
        Self { handle: host.handle(), _host: host }
    }

    /// All that it counted.
    pub fn counters(&self) -> HostCounters {
        let (tell, told) = channel();
        self.handle.counters(move |c| tell.send(c).unwrap());
        told.recv().unwrap()
    }
}

impl Ours {
    /// A client's socket whose datagrams the kernel gives to this shard's. Nobody may send meanwhile.
    pub fn socket_to(&self, shard: usize, offload: Offload) -> Socket {
        let mut tried = Vec::new();
        loop {
            let socket = socket(offload);
            let before = self.counters();
            let mut batch = SendBatch::new();
            batch.slot(None, self.address()).unwrap()[0] = 0xff;
            batch.commit(1);
            socket.flush(&mut batch);
            let lands = loop {
                let after = self.counters();
                let grew = |i: &usize| after.shards[*i].datagrams_in > before.shards[*i].datagrams_in;
                if let Some(lands) = (0..after.shards.len()).find(grew) {
                    break lands;
                }
            };
            if lands == shard {
                return socket;
            }
            tried.push(socket);
            assert!(tried.len() < 1_000, "shard {shard} gets nothing");
        }
    }
}

impl Forwarder for Ours {
    fn name(&self) -> &'static str {
        "salon"
    }

    fn address(&self) -> SocketAddr {
        self.handle.udp()
    }

    fn admit(&mut self, guest: Guest) -> Admitted {
        let (tell, told) = channel();
        let role = guest.role;
        let join = Join {
            label: 0,
            remote: guest.ice,
            fingerprint: guest.fingerprint,
            setup: Setup::Passive,
            tracks: role.voice.map(microphone).into_iter().chain(role.picture.map(camera)).collect(),
            slots: (0..role.hears).map(|_| ear()).chain((0..role.sees).map(|_| eye())).collect(),
            events: Box::new(|_| {}),
        };
        self.handle.join(&format!("room {}", guest.room), join, move |r| tell.send(r).unwrap());
        let joined = told.recv().unwrap().unwrap();
        for (slot, _) in joined.slots.into_iter().skip(role.hears) {
            self.handle.constrain(joined.member, slot, Constraint { view: View::Auto, height: 720 });
        }
        Admitted { ice: joined.local, fingerprint: self.handle.fingerprint() }
    }

    fn start(&mut self) {}

    fn forwarded(&self) -> Forwarded {
        let c = self.counters();
        Forwarded { came: c.rooms.rtp_in, left: c.rooms.rtp_out, messages: c.sent.messages }
    }

    fn threads(&self) -> Threads {
        Threads::named("salon-media")
    }
}

pub(crate) fn camera(ssrc: Ssrc) -> TrackSpec {
    TrackSpec {
        mid: None,
        source: Source::Camera,
        codec: Codec::Vp8,
        pt: Pt::new(96).unwrap(),
        rtx_pt: None,
        encodings: vec![EncodingSpec { ssrc: Some(ssrc), ..EncodingSpec::default() }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback { nack: true, pli: true, ..Feedback::default() },
    }
}

fn microphone(ssrc: Ssrc) -> TrackSpec {
    TrackSpec {
        source: Source::Microphone,
        codec: Codec::Opus,
        pt: Pt::new(111).unwrap(),
        feedback: Feedback::default(),
        ..camera(ssrc)
    }
}

fn ear() -> SlotSpec {
    SlotSpec {
        mid: None,
        kind: MediaKind::Audio,
        payloads: vec![SlotPayload { codec: Codec::Opus, pt: Pt::new(111).unwrap(), rtx_pt: None }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback::default(),
    }
}

fn eye() -> SlotSpec {
    let pt = |n| Pt::new(n).unwrap();
    SlotSpec {
        mid: None,
        kind: MediaKind::Video,
        payloads: vec![SlotPayload { codec: Codec::Vp8, pt: pt(96), rtx_pt: Some(pt(97)) }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback { nack: true, pli: true, ..Feedback::default() },
    }
}
