//! One encoding on the wire.

use super::encoder::{Encoder, Frame};
use super::{CameraConfig, CameraCounts, EncodingConfig};
use crate::clock::ticks;
use crate::outbox::Outbox;
use crate::{Rng, Tag};
use core::time::Duration;
use salon_rtp::extension::ExtensionKind;
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::payload::vp8::{Vp8Descriptor, Vp8Fields};
use salon_rtp::rtcp::{Sdes, SenderInfo};
use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, Seq, SeqNo, Ssrc, Time};
use std::collections::VecDeque;

/// Ticks of video in RTP per second.
const RATE: u32 = 90_000;
/// A packet is not sent again within so long of the last time: libwebrtc takes a round trip, at least this.
const AGAIN: Duration = Duration::from_millis(5);

#[derive(Clone, Debug)]
struct Kept {
    seq: SeqNo,
    timestamp: RtpTime,
    marker: bool,
    payload: Vec<u8>,
    sent: Time,
}

/// An encoding: its encoder, its numbers, what it has sent.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    encoding: EncodingConfig,
    place: u8,
    epoch: u8,
    encoder: Encoder,
    active: bool,
    seq: SeqNo,
    rtx_seq: SeqNo,
    /// The timestamp at the simulation's zero.
    zero: RtpTime,
    history: VecDeque<Kept>,
    identified: u32,
    packets: u32,
    octets: u32,
    last_key: Option<Time>,
}

impl Stream {
    pub(super) fn new(config: &CameraConfig, place: usize) -> Self {
        let i = place as u32;
        Self {
            encoding: config.encodings[place],
            place: place as u8,
            epoch: 0,
            encoder: Encoder::new(config.first_picture_id.wrapping_add(5_000 * i as u16)),
            active: true,
            seq: SeqNo(u64::from(config.first_seq.wrapping_add(1_000 * i as u16))),
            rtx_seq: SeqNo(u64::from(config.first_seq.wrapping_add(500 + 1_000 * i as u16))),
            zero: RtpTime(config.first_timestamp.wrapping_add(0x1234_5678 * i)),
            history: VecDeque::new(),
            identified: config.identified,
            packets: 0,
            octets: 0,
            last_key: None,
        }
    }

    pub(super) fn is(&self, ssrc: Ssrc) -> bool {
        self.encoding.ssrc == ssrc
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    pub(super) fn set_active(&mut self, active: bool) {
        self.encoder.key_wanted |= active && !self.active;
        self.active = active;
    }

    pub(super) fn want_key(&mut self) {
        self.encoder.key_wanted = true;
    }

    pub(super) fn last_key(&self) -> Option<Time> {
        self.last_key
    }

    /// Goes on elsewhere: other numbers, other times, a new encoder.
    pub(super) fn restart(&mut self, rng: &mut Rng) {
        self.epoch = self.epoch.wrapping_add(1);
        self.encoder.restart(rng.next_u64() as u16, rng.next_u64() as u8);
        self.seq = SeqNo(rng.below(1 << 16));
        self.zero = RtpTime(rng.next_u64() as u32);
        self.history.clear();
        (self.packets, self.octets) = (0, 0);
    }

    #[allow(clippy::too_many_arguments)] // What a camera lends each of its streams.
    pub(super) fn frame(
        &mut self,
        config: &CameraConfig,
        rng: &mut Rng,
        captured: Time,
        local: u64,
        now: Time,
        outbox: &mut Outbox,
        counts: &mut CameraCounts,
    ) {
        // The draws are the same whether the encoding is on or off, so that the others' sizes are.
        let percent = rng.between(70, 130);
        let pads = rng.chance(config.padding);
        if !self.active {
            return;
        }
        let frame = self.encoder.next(config);
        if frame.key {
            self.last_key = Some(now);
            counts.keys += 1;
        }
        counts.frames += 1;
        let per_frame = self.encoding.rate.as_bps() / 8 / u64::from(config.fps.max(1));
        let factor = if frame.key { u64::from(config.key_factor) } else { 1 };
        let bytes = (per_frame * percent / 100 * factor).max(1) as usize;
        let packets = bytes.div_ceil(config.packet_bytes.max(1)).min(usize::from(u16::MAX)) as u16;
        let timestamp = self.zero.wrapping_add(ticks(local, RATE));
        for packet in 0..packets {
            let payload =
                self.payload(config, &frame, captured, packet, packets, bytes / usize::from(packets));
            counts.packets += 1;
            counts.bytes += payload.len() as u64;
            let marker = packet + 1 == packets;
            self.send(config, now, timestamp, marker, &payload, outbox);
            self.packets = self.packets.wrapping_add(1);
            self.octets = self.octets.wrapping_add(payload.len() as u32);
            self.history.push_back(Kept { seq: self.seq, timestamp, marker, payload, sent: now });
            self.seq = self.seq.next();
        }
        while self.history.len() > config.history {
            self.history.pop_front();
        }
        if pads {
            counts.padding += 1;
            let header = self.header(config, config.pt, false, timestamp, false);
            let (ssrc, index) = (self.encoding.ssrc, self.seq);
            outbox.rtp(now, Outgoing { ssrc, index, header, prefix: Prefix::EMPTY, tail: &[], padding: 255 });
            self.seq = self.seq.next();
        }
    }

    fn payload(
        &self,
        config: &CameraConfig,
        frame: &Frame,
        captured: Time,
        packet: u16,
        packets: u16,
        bytes: usize,
    ) -> Vec<u8> {
        let fields = Vp8Fields { start: packet == 0, ..frame.fields };
        let mut payload = Vp8Descriptor::new(fields).as_bytes().to_vec();
        // RFC 6386 §9.1: not a key frame in bit 0, shown in bit 4; a key frame's start code and size.
        match (packet, frame.key) {
            (0, true) => {
                payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a]);
                payload.extend(self.encoding.width.to_le_bytes());
                payload.extend(self.encoding.height.to_le_bytes());
            }
            (0, false) => payload.extend([0x11, 0, 0]),
            _ => {}
        }
        let tag = Tag {
            source: config.source,
            encoding: self.place,
            epoch: self.epoch,
            frame: frame.number,
            packet,
            packets,
            layer: frame.layer,
            key: frame.key,
            references: frame.references,
            captured,
        };
        payload.extend(tag.write());
        payload.resize(bytes.max(payload.len()), 0xa5);
        payload
    }

    fn send(
        &mut self,
        config: &CameraConfig,
        now: Time,
        timestamp: RtpTime,
        marker: bool,
        payload: &[u8],
        outbox: &mut Outbox,
    ) {
        let header = self.header(config, config.pt, marker, timestamp, false);
        let (ssrc, index) = (self.encoding.ssrc, self.seq);
        outbox.rtp(now, Outgoing { ssrc, index, header, prefix: Prefix::EMPTY, tail: payload, padding: 0 });
        self.identified = self.identified.saturating_sub(1);
    }

    fn header(
        &self,
        config: &CameraConfig,
        pt: Pt,
        marker: bool,
        timestamp: RtpTime,
        repair: bool,
    ) -> Header<'static> {
        let mut extensions = OutExtensions::NONE;
        if self.identified > 0 {
            let map = &config.extensions;
            if let (Some(id), Some(mid)) = (map.id(ExtensionKind::Mid), config.mid) {
                let _full = extensions.push(id, mid.as_str().as_bytes());
            }
            let kind = if repair { ExtensionKind::RepairedRid } else { ExtensionKind::Rid };
            if let (Some(id), Some(rid)) = (map.id(kind), self.encoding.rid) {
                let _full = extensions.push(id, rid.as_str().as_bytes());
            }
        }
        Header { pt, marker, timestamp, csrc: None, extensions }
    }

    /// Sends a packet of the history again, in the repair stream, if there is one.
    pub(super) fn retransmit(
        &mut self,
        config: &CameraConfig,
        seq: Seq,
        now: Time,
        outbox: &mut Outbox,
        counts: &mut CameraCounts,
    ) {
        counts.nacked += 1;
        let (Some(ssrc), Some(pt)) = (self.encoding.rtx, config.rtx_pt) else { return };
        let Some(at) = self.history.iter().rposition(|k| k.seq.seq() == seq) else { return };
        let Some(kept) = self.history.get_mut(at) else { return };
        if now.since(kept.sent) < AGAIN {
            return;
        }
        kept.sent = now;
        let (timestamp, marker, payload) = (kept.timestamp, kept.marker, kept.payload.clone());
        let header = self.header(config, pt, marker, timestamp, true);
        let prefix = Rtx::prefix(seq, &Prefix::EMPTY).unwrap_or(Prefix::EMPTY);
        outbox.rtp(now, Outgoing { ssrc, index: self.rtx_seq, header, prefix, tail: &payload, padding: 0 });
        self.rtx_seq = self.rtx_seq.next();
        counts.retransmitted += 1;
    }

    pub(super) fn report(&self, config: &CameraConfig, now: Time) -> Vec<u8> {
        let mut out = Vec::new();
        let info = SenderInfo {
            ssrc: self.encoding.ssrc,
            ntp: config.clock.ntp(now),
            timestamp: self.zero.wrapping_add(config.clock.ticks(now, RATE)),
            packets: self.packets,
            octets: self.octets,
        };
        let name = format!("sim-{}", config.source);
        let written = info
            .write(&[], &mut out)
            .and_then(|()| Sdes::write_cname(self.encoding.ssrc, name.as_bytes(), &mut out));
        if written.is_err() {
            out.clear();
        }
        out
    }
}
