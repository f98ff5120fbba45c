//! Somebody in a room.

use crate::{Estimator, shape};
use core::time::Duration;
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::rtcp::Remb;
use salon_rtp::{Bitrate, Packet, Ssrc, Time};
use salon_sfu::{ParticipantId, SlotId, SlotStreams, TrackId};
use salon_sim::{CameraConfig, Datagram, Link, LinkConfig, Peer, Tag, WallClock};

/// How somebody comes.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its clock.
    pub clock: WallClock,
    /// Its path to the server.
    pub up: LinkConfig,
    /// The server's path to it.
    pub down: LinkConfig,
    /// Whether it has a microphone, and whether that stops in silence.
    pub microphone: bool,
    /// Whether silence is sent all the same.
    pub no_dtx: bool,
    /// Its cameras; their streams get their names when it comes.
    pub cameras: Vec<CameraConfig>,
    /// Whether signalling declares the SSRCs; else packets say MID and RID.
    pub declared: bool,
    /// Audio slots.
    pub ears: usize,
    /// Video slots.
    pub eyes: usize,
    /// Lines at which it shows each video slot.
    pub height: u16,
    /// Whether it takes RTX.
    pub rtx: bool,
    /// Whether it tells what its link carries.
    pub remb: bool,
    /// Whether what arrives is noted, packet by packet.
    pub noted: bool,
}

impl Default for Guest {
    /// Three ears and no eyes, 10 ms away, on a perfect link.
    fn default() -> Self {
        Self {
            clock: WallClock::RIGHT,
            up: LinkConfig::default(),
            down: LinkConfig::default(),
            microphone: false,
            no_dtx: false,
            cameras: Vec::new(),
            declared: true,
            ears: 3,
            eyes: 0,
            height: 720,
            rtx: true,
            remb: false,
            noted: false,
        }
    }
}

/// What is on its way to somebody, and since when.
#[derive(Clone, Debug)]
pub struct Stamped {
    /// When the server sent it.
    pub at: Time,
    /// What it is.
    pub datagram: Datagram,
}

impl AsRef<[u8]> for Stamped {
    fn as_ref(&self) -> &[u8] {
        self.datagram.as_ref()
    }
}

/// A receive stream and how the room calls it.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// The room's name of it.
    pub slot: SlotId,
    /// Its streams.
    pub streams: SlotStreams,
    /// Whether it is a picture.
    pub video: bool,
}

/// A source and how the room calls it.
#[derive(Clone, Copy, Debug)]
pub struct Upload {
    /// The room's name of it.
    pub track: TrackId,
    /// Its number in the simulation.
    pub source: u32,
    /// Whether it is a picture.
    pub video: bool,
    /// Whether its publisher muted it.
    pub muted: bool,
}

/// A packet with media that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// The stream that it belongs to, which is not that of its repair.
    pub media: Ssrc,
    /// What it truly is.
    pub tag: Tag,
    /// Whether it came by repair.
    pub repaired: bool,
}

/// A participant: a browser, its links, and how the room calls it.
pub struct Person {
    /// The room's name of it.
    pub id: ParticipantId,
    /// The browser. What the server sends goes through [`down`](Self::down), not through its own link.
    pub peer: Peer,
    /// The server's path to it.
    pub down: Link<Stamped>,
    /// What it receives, in the order of its ears and of its eyes.
    pub slots: Vec<Subscription>,
    /// What it sends: the microphone's first, if it has one, then one for each camera.
    pub uploads: Vec<Upload>,
    /// Whether it is in the room.
    pub here: bool,
    /// Whether it has a path.
    pub connected: bool,
    /// What arrived, if that is noted.
    pub arrivals: Vec<Arrival>,
    /// Bytes sent to it and bytes that came: the difference, after a while, was lost.
    pub bytes: (u64, u64),
    pub(crate) guest: Guest,
    pub(crate) estimator: Option<Estimator>,
    pub(crate) next_name: u32,
}

impl Person {
    pub(crate) fn new(id: ParticipantId, seed: u64, guest: Guest) -> Self {
        // What comes has waited on our own link already.
        let none = LinkConfig { delay: Duration::ZERO, ..LinkConfig::default() };
        Self {
            id,
            peer: Peer::new(seed, shape::extensions(), guest.up, none),
            down: Link::new(!seed, guest.down),
            slots: Vec::new(),
            uploads: Vec::new(),
            here: true,
            connected: false,
            arrivals: Vec::new(),
            bytes: (0, 0),
            estimator: guest.remb.then(Estimator::default),
            next_name: 0,
            guest,
        }
    }

    /// Its ears' slots, in their order.
    pub fn audio(&self) -> impl Iterator<Item = &Subscription> {
        self.slots.iter().filter(|s| !s.video)
    }

    /// Its eyes' slots, in their order.
    pub fn video(&self) -> impl Iterator<Item = &Subscription> {
        self.slots.iter().filter(|s| s.video)
    }

    /// How somebody like it comes.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Changes how the server's path to it treats packets.
    pub fn set_down(&mut self, config: LinkConfig) {
        self.guest.down = config;
        self.down.configure(config);
    }

    /// Changes how its path to the server treats packets.
    pub fn set_up(&mut self, config: LinkConfig) {
        self.guest.up = config;
        self.peer.up.configure(config);
    }

    pub(crate) fn send(&mut self, now: Time, datagram: Datagram) {
        self.bytes.0 += datagram.as_ref().len() as u64;
        self.down.push(now, Stamped { at: now, datagram });
    }

    /// Takes what has arrived, sends what is due.
    pub(crate) fn poll(&mut self, now: Time) {
        while let Some(Stamped { at, datagram }) = self.down.pop(now) {
            self.bytes.1 += datagram.as_ref().len() as u64;
            if let Datagram::Rtp(bytes) = &datagram {
                if let Some(estimator) = &mut self.estimator {
                    estimator.packet(now, now.since(at), bytes.len() + self.guest.down.overhead);
                }
                if self.guest.noted {
                    self.note(now, bytes);
                }
            }
            self.peer.downlink(now, datagram);
        }
        self.peer.poll(now);
        let bitrate = self.estimator.as_mut().and_then(|e| e.poll(now));
        if let (Some(bitrate), true) = (bitrate, self.connected) {
            self.tell(now, bitrate);
        }
    }

    fn tell(&mut self, now: Time, bitrate: Bitrate) {
        let ssrcs: Vec<Ssrc> = self.slots.iter().map(|s| s.streams.ssrc).collect();
        let mut out = Vec::new();
        Remb::write(Ssrc(1), bitrate, &ssrcs, &mut out).unwrap();
        self.peer.up.push(now, Datagram::Rtcp(out));
    }

    fn note(&mut self, at: Time, bytes: &[u8]) {
        let packet = Packet::parse(bytes).unwrap();
        let of =
            |ssrc: Ssrc| self.slots.iter().find(|s| s.streams.ssrc == ssrc || s.streams.rtx == Some(ssrc));
        let Some(to) = of(packet.ssrc()) else { return };
        let repaired = to.streams.rtx == Some(packet.ssrc());
        let payload = if repaired {
            match Rtx::parse(packet.payload()) {
                Ok(rtx) => rtx.payload,
                Err(_) => return,
            }
        } else {
            packet.payload()
        };
        let tag = if to.video { Tag::of_vp8(payload) } else { Tag::of_opus(payload) };
        if let Some(tag) = tag {
            self.arrivals.push(Arrival { at, media: to.streams.ssrc, tag, repaired });
        }
    }
}
