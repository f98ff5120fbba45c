//! A room in memory: sealed packets in, sealed packets out, no socket.

use std::time::Duration;

use salon_rtp::extension::{ExtensionKind, ExtensionMap};
use salon_rtp::rtcp::{ReceiverReport, ReportBlock};
use salon_rtp::{Codec, Egress, MediaKind, Mid, Pt, Ssrc, Time};
use salon_sfu::{
    Config, Constraint, Feedback, ParticipantId, Room, SlotPayload, SlotSpec, TrackSpec, Verdict, View,
};
use salon_srtp::{Inbound, MasterKey, Outbound, Profile, limits};

use crate::clip::Stand;
use crate::samples::id_of;
use crate::{Clip, Shape};

/// Somebody's camera, and those who look at it.
pub struct Memory {
    room: Room,
    publisher: ParticipantId,
    inbound: Option<Inbound>,
    sealed: Outbound,
    stand: Stand,
    /// By the participant's place in the room's table, which its CSRC tells.
    outbound: Vec<Option<Outbound>>,
    now: Time,
    shape: Shape,
    /// As many as one system call takes, one after the other.
    batch: Vec<[u8; 1_500]>,
}

/// Packets as they come from the publisher, frame by frame.
pub type Frames = Vec<Vec<Vec<u8>>>;

const CAMERA: Ssrc = Ssrc(7);

impl Memory {
    /// A room of one who publishes and so many who look at it. `encrypted`: with AEAD_AES_128_GCM on both sides; else what
    /// comes and what leaves is plain text.
    pub fn new(viewers: usize, shape: Shape, encrypted: bool) -> Self {
        let now = Time::from_millis(10_000);
        let mut room = Room::new(Config { participants: viewers + 1, ..Config::default() }, [7; 32]);
        let publisher = room.join(now).unwrap();
        room.connected(now, publisher, true).unwrap();
        room.publish(now, publisher, camera()).unwrap();
        let mut memory = Self {
            room,
            publisher,
            inbound: encrypted.then(|| Inbound::new(&key(0)).unwrap()),
            sealed: Outbound::new(&key(0), limits::DEFAULT_SENT_WINDOW).unwrap(),
            stand: Stand::new(CAMERA),
            outbound: Vec::new(),
            now,
            shape,
            batch: vec![[0; 1_500]; 64],
        };
        let ids: Vec<_> = (0..viewers).map(|_| memory.join(encrypted)).collect();
        // Pictures come, and everybody says once that they do: from then on no MID need be sent.
        let mut frames = memory.record(30);
        assert_eq!(memory.forward(&mut frames), 30 * shape.packets as usize * viewers);
        for (id, ssrc) in ids {
            let block = ReportBlock {
                ssrc,
                fraction_lost: 0,
                cumulative_lost: 0,
                highest: 0,
                jitter: 0,
                last_report: 0,
                delay: 0,
            };
            let mut report = Vec::new();
            ReceiverReport::write(Ssrc(1), &[block], &mut report).unwrap();
            assert_eq!(memory.room.handle_rtcp(memory.now, id, &report), Verdict::Accepted);
        }
        memory
    }

    fn join(&mut self, encrypted: bool) -> (ParticipantId, Ssrc) {
        let id = self.room.join(self.now).unwrap();
        self.room.connected(self.now, id, true).unwrap();
        let slot = self.room.subscribe(self.now, id, eye()).unwrap();
        let large = Constraint { view: View::Auto, height: 720 };
        self.room.constrain(self.now, id, slot, large).unwrap();
        let place = place(id);
        self.outbound.resize_with(self.outbound.len().max(place + 1), || None);
        self.outbound[place] =
            encrypted.then(|| Outbound::new(&key(place as u8), limits::DEFAULT_SENT_WINDOW).unwrap());
        (id, self.room.streams(slot).unwrap().ssrc)
    }

    /// The camera's next frames, to be given to [`forward`](Self::forward) one after the other and once.
    pub fn record(&mut self, frames: usize) -> Frames {
        let time = Duration::from_secs(1) * frames as u32 / self.shape.fps;
        let (encrypted, sealed) = (self.inbound.is_some(), &mut self.sealed);
        let clip = Clip::record(&mut self.stand, self.shape, time, |packet, out| {
            if encrypted {
                return sealed.seal_rtp(packet, out).unwrap();
            }
            let header = packet.write_header(out).unwrap();
            header + packet.write_body(&mut out[header..]).unwrap()
        });
        clip.frames().map(|frame| frame.map(<[u8]>::to_vec).collect()).collect()
    }

    /// Takes frames, each as its packets come in a row, and sends to everybody what is due; how many packets of media left.
    pub fn forward(&mut self, frames: &mut Frames) -> usize {
        let mut sent = 0;
        for frame in frames {
            for packet in frame {
                let plain = match &mut self.inbound {
                    Some(inbound) => inbound.open_rtp(packet).unwrap(),
                    None => packet,
                };
                let verdict = self.room.handle_rtp(self.now, self.publisher, plain);
                assert_eq!(verdict, Verdict::Accepted);
            }
            sent += self.send();
            self.now = self.now.plus(Duration::from_secs(1) / self.shape.fps);
            if self.room.poll_timeout().is_some_and(|due| due <= self.now) {
                self.room.handle_timeout(self.now);
            }
            while self.room.poll_event().is_some() {}
        }
        sent
    }

    fn send(&mut self) -> usize {
        let (mut sent, mut slot) = (0, 0);
        while let Some(mut burst) = self.room.poll_transmit(self.now) {
            let mut outbound = self.outbound.get_mut(place(burst.to())).and_then(Option::as_mut);
            while let Some(egress) = burst.next() {
                slot = (slot + 1) % self.batch.len();
                let out = &mut self.batch[slot][..];
                sent += usize::from(matches!(egress, Egress::Rtp(_)));
                match (egress, &mut outbound) {
                    (Egress::Rtp(packet), Some(outbound)) => {
                        outbound.seal_rtp(packet, out).unwrap();
                    }
                    (Egress::Rtcp(compound), Some(outbound)) => {
                        outbound.seal_rtcp(compound, out).unwrap();
                    }
                    (Egress::Rtp(packet), None) => {
                        let header = packet.write_header(out).unwrap();
                        packet.write_body(&mut out[header..]).unwrap();
                    }
                    // The publisher's, too: what is sent to it nobody measures.
                    (Egress::Rtcp(compound), None) => out[..compound.len()].copy_from_slice(compound),
                }
            }
        }
        std::hint::black_box(&self.batch);
        sent
    }
}

fn place(id: ParticipantId) -> usize {
    (id.csrc().0 & 0xffff) as usize
}

fn key(of: u8) -> MasterKey {
    MasterKey::new(Profile::AeadAes128Gcm, &[of; 16], &[of; 12]).unwrap()
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    map.set(ExtensionKind::Mid, id_of(4));
    map.set(ExtensionKind::AbsSendTime, id_of(2));
    map
}

fn camera() -> TrackSpec {
    TrackSpec { extensions: extensions(), ..crate::ours::camera(CAMERA) }
}

fn eye() -> SlotSpec {
    let pt = |n| Pt::new(n).unwrap();
    SlotSpec {
        mid: Mid::new(b"1").ok(),
        kind: MediaKind::Video,
        payloads: vec![SlotPayload { codec: Codec::Vp8, pt: pt(97), rtx_pt: Some(pt(98)) }],
        extensions: extensions(),
        feedback: Feedback { nack: true, pli: true, ..Feedback::default() },
    }
}
