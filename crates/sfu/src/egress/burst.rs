//! What is due to one receiver, packet by packet.

use salon_rtp::extension::{AbsSendTime, ExtensionKind};
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::{Egress, Header, OutExtensions, Outgoing, Prefix, Time};

use super::reports::Teller;
use super::{Entry, Ready, Receiver, Sent, Slot, Slots};
use crate::config::SlotPayload;
use crate::ingress::{Cached, EncodingId, Meta, Tracks};
use crate::{Counters, EgressDrop, ParticipantId, SlotId, limits};
use salon_rtp::SeqNo;
use salon_simulcast::Forward;

/// What is due to one receiver: at most [`limits::BURST`] packets. Dropped half-read, the rest comes first next time.
#[derive(Debug)]
pub struct Burst<'a> {
    pub(crate) to: ParticipantId,
    pub(crate) now: Time,
    /// Packets that it may still give; `None` once its turn has ended.
    pub(crate) left: Option<usize>,
    pub(crate) receiver: &'a mut Receiver,
    pub(crate) slots: &'a mut Slots,
    pub(crate) tracks: &'a Tracks,
    pub(crate) ready: &'a mut Ready,
    pub(crate) counters: &'a mut Counters,
    pub(crate) teller: Teller<'a>,
}

/// Bytes that the cipher adds at most: a GCM tag (RFC 7714 §13.2).
const TAG: usize = 16;

impl<'a> Burst<'a> {
    /// To whom.
    pub fn to(&self) -> ParticipantId {
        self.to
    }

    /// The next packet: what comes out counts as sent.
    #[allow(clippy::should_implement_trait)] // Each item borrows the burst.
    pub fn next(&mut self) -> Option<Egress<'_>> {
        let left = self.left?;
        let report = loop {
            if left == 0 {
                return self.end();
            }
            if let Some(at) = self.receiver.outbox.take() {
                break at;
            }
            if let Some(entry) = self.receiver.queue.pop_front() {
                let Some(packet) = self.packet(entry) else { continue };
                self.left = Some(left - 1);
                return Some(Egress::Rtp(packet));
            }
            if self.receiver.fresh.is_empty() {
                return self.end();
            }
            self.teller.first_reports(self.now, self.receiver, self.slots, self.counters);
        };
        self.left = Some(left - 1);
        self.counters.rtcp_out += 1;
        Some(Egress::Rtcp(self.receiver.outbox.get(report)))
    }

    /// Throws away all that is queued for this receiver: it has no path.
    pub fn discard(self) {
        self.receiver.clear(self.counters);
        // Its turn may have ended already: then it stands elsewhere on the list, or not at all.
        if core::mem::take(&mut self.receiver.ready) {
            self.ready.remove(self.to);
        }
    }

    fn end(&mut self) -> Option<Egress<'_>> {
        self.left = None;
        self.receiver.outbox.tidy();
        self.ready.turn(self.receiver);
        None
    }

    fn packet(&mut self, entry: Entry) -> Option<Outgoing<'a>> {
        let result = match entry {
            Entry::Media { slot, encoding, seq, forward, key } => {
                self.media(slot, encoding, seq, forward, key)
            }
            Entry::Repair { slot, index } => self.repair(slot, index),
        };
        match result {
            Ok(packet) => Some(packet),
            Err(reason) => {
                self.counters.leave_unsent(reason);
                None
            }
        }
    }

    /// Sends a packet for the first time.
    fn media(
        &mut self,
        id: SlotId,
        encoding: EncodingId,
        seq: SeqNo,
        forward: Forward,
        key: bool,
    ) -> Result<Outgoing<'a>, EgressDrop> {
        let slot = self.slots.get_mut(id).ok_or(EgressDrop::SlotGone)?;
        let (csrc, codec, cached) = find(self.tracks, encoding, seq)?;
        let payload = slot.payload(codec).ok_or(EgressDrop::NoPayloadType)?;
        let (prefix, replaced) = forward.patch.apply(cached.payload);
        let mut packet = Outgoing {
            ssrc: slot.streams.ssrc,
            index: forward.index,
            header: Header {
                pt: payload.pt,
                marker: forward.marker,
                timestamp: forward.timestamp,
                csrc: Some(csrc.csrc()),
                extensions: extensions(slot, &cached, Some(self.now)),
            },
            prefix,
            tail: cached.payload.get(replaced..).unwrap_or_default(),
            padding: 0,
        };
        let body = packet.body_len();
        if !fit(&mut packet, slot, &cached) {
            self.counters.oversized += 1;
        }
        slot.history
            .push(Sent { encoding, seq, forward, at: self.now, repeats: 0, asked: false, late: false }, key);
        slot.sent.first_index.get_or_insert(forward.index);
        slot.sent.packets += 1;
        slot.sent.octets += body as u64;
        slot.sent.rate.add(self.now, body + limits::OVERHEAD);
        // The first packet, and the first after a silence, is followed by a sender report at once.
        if !slot.reports(self.now) {
            self.receiver.fresh.push(id);
        }
        slot.sent.last = Some(self.now);
        self.receiver.sent(self.now, slot.spec.kind, body);
        self.counters.rtp_out += 1;
        self.counters.bytes_out += body as u64;
        Ok(packet)
    }

    /// Sends a packet again, on the repair stream (RFC 4588 §4).
    fn repair(&mut self, id: SlotId, index: SeqNo) -> Result<Outgoing<'a>, EgressDrop> {
        let slot = self.slots.get_mut(id).ok_or(EgressDrop::SlotGone)?;
        let sent = *slot.history.get_mut(index).ok_or(EgressDrop::RepairUnknown)?;
        let (csrc, codec, cached) = find(self.tracks, sent.encoding, sent.seq)?;
        let rtx_pt = slot.payload(codec).and_then(|p: &SlotPayload| p.rtx_pt);
        let (Some(pt), Some(ssrc)) = (rtx_pt, slot.streams.rtx) else {
            return Err(EgressDrop::RepairWithoutRtx);
        };
        let (first, replaced) = sent.forward.patch.apply(cached.payload);
        let prefix: Prefix = Rtx::prefix(index.seq(), &first).ok_or(EgressDrop::TooLarge)?;
        let mut packet = Outgoing {
            ssrc,
            // Spent only now that the packet is sure to go: the repair stream is dense.
            index: slot.repair_index,
            header: Header {
                pt,
                marker: sent.forward.marker,
                timestamp: sent.forward.timestamp,
                csrc: Some(csrc.csrc()),
                extensions: extensions(slot, &cached, Some(self.now)),
            },
            prefix,
            tail: cached.payload.get(replaced..).unwrap_or_default(),
            padding: 0,
        };
        if !fit(&mut packet, slot, &cached) {
            self.counters.oversized += 1;
        }
        slot.repair_index = slot.repair_index.next();
        slot.sent.repaired += 1;
        self.receiver.rate(slot.spec.kind).add(self.now, packet.body_len() + limits::OVERHEAD);
        self.counters.rtx_out += 1;
        self.counters.rtx_bytes_out += packet.body_len() as u64;
        Ok(packet)
    }
}

/// The bytes of a packet, whose they are, and in what codec.
fn find(
    tracks: &Tracks,
    encoding: EncodingId,
    seq: SeqNo,
) -> Result<(ParticipantId, salon_rtp::Codec, Cached<'_, Meta>), EgressDrop> {
    let track = tracks.get(encoding.track).ok_or(EgressDrop::TrackGone)?;
    let cache = track.encoding(encoding.index).and_then(|e| e.cache.as_ref());
    let cached = cache.and_then(|c| c.get(seq)).ok_or(EgressDrop::Evicted)?;
    Ok((track.owner, track.spec.codec, cached))
}

/// Makes a packet fit a datagram, if leaving out its send time does; whether it fits. With every element a packet grows by 19
/// bytes; without the send time, which an estimator does not need of each, what came with 1,200 bytes fits.
fn fit<'a>(packet: &mut Outgoing<'a>, slot: &Slot, cached: &Cached<'a, Meta>) -> bool {
    let fits = |p: &Outgoing<'_>| p.header_len() + p.body_len() + TAG <= limits::DATAGRAM;
    if !fits(packet) {
        packet.header.extensions = extensions(slot, cached, None);
    }
    fits(packet)
}

/// The header extension, built anew from what may pass: audio level, dependency descriptor and colour space as they came;
/// MID and send time are ours. An element that finds no room is left out.
fn extensions<'a>(slot: &Slot, cached: &Cached<'a, Meta>, sent: Option<Time>) -> OutExtensions<'a> {
    let map = &slot.spec.extensions;
    let mut out = OutExtensions::NONE;
    // Once the receiver has reported on the SSRC it knows whose it is (RFC 8843 §9.2).
    if let (false, Some(id), Some(mid)) = (slot.heard.known, map.id(ExtensionKind::Mid), &slot.spec.mid) {
        let _ = out.push(id, mid.as_str().as_bytes());
    }
    if let (Some(sent), Some(id)) = (sent, map.id(ExtensionKind::AbsSendTime)) {
        let _ = out.push(id, &AbsSendTime::from_time(sent).write());
    }
    if let (Some(id), Some(level)) = (map.id(ExtensionKind::AudioLevel), cached.meta.level) {
        let _ = out.push(id, &level.write());
    }
    if let (Some(id), Some(value)) = (map.id(ExtensionKind::DependencyDescriptor), cached.passed.descriptor) {
        let _ = out.pass(id, value);
    }
    if let (Some(id), Some(value)) = (map.id(ExtensionKind::ColorSpace), cached.passed.color_space) {
        let _ = out.pass(id, value);
    }
    out
}
