//! What is due to one receiver, packet by packet.

use salon_rtp::extension::{AbsSendTime, AudioLevel, ExtensionKind};
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::{Egress, OutExtensions, Outgoing, Prefix, Time};

use super::reports::Teller;
use super::{Entry, Ready, Receiver, Slot, Slots};
use crate::config::SlotPayload;
use crate::ingress::{Cached, EncodingId, Meta, Passed, Tracks};
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
    /// The packet that was given last: filled where it stands, because each copy of it would cost as much as its header.
    pub(crate) out: Outgoing<'a>,
    /// Whose header it has: the next packet of the same has the same but for its numbers, and need not gather it again.
    pub(crate) header: Option<Gathered>,
}

/// What decides on a header beside its numbers: slot, encoding, audio level. (Within a burst the time stands still.)
pub(crate) type Gathered = (SlotId, EncodingId, Option<AudioLevel>);

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
            if !self.receiver.queue.is_empty() {
                if !self.packet() {
                    continue;
                }
                self.left = Some(left - 1);
                return Some(Egress::Rtp(&self.out));
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

    /// Fills in the packet that is first in the queue; false, and counted, if it cannot be sent.
    fn packet(&mut self) -> bool {
        // Its parts are read where it stands: a copy of the whole costs as much as all else that is done with it here.
        let result = match self.receiver.queue.front() {
            Some(&Entry::Media { slot, encoding, seq, forward, key }) => {
                self.media(slot, encoding, seq, forward, key)
            }
            Some(&Entry::Repair { slot, index }) => self.repair(slot, index),
            None => return false,
        };
        self.receiver.queue.pop_front();
        if let Err(reason) = result {
            self.counters.leave_unsent(reason);
        }
        result.is_ok()
    }

    /// Sends a packet for the first time.
    fn media(
        &mut self,
        id: SlotId,
        encoding: EncodingId,
        seq: SeqNo,
        forward: Forward,
        key: bool,
    ) -> Result<(), EgressDrop> {
        let slot = self.slots.get_mut(id).ok_or(EgressDrop::SlotGone)?;
        if slot.cut && !key {
            return Err(EgressDrop::Evicted);
        }
        let found = find(self.tracks, encoding, seq);
        if key {
            slot.cut = found.is_err();
        }
        let (csrc, codec, cached) = found?;
        let out = &mut self.out;
        let header = Some((id, encoding, cached.meta.level)).filter(|_| cached.passed == Passed::default());
        let known = header.is_some() && header == self.header;
        if !known {
            out.header.pt = slot.payload(codec).ok_or(EgressDrop::NoPayloadType)?.pt;
            out.header.csrc = Some(csrc.csrc());
            gather(&mut out.header.extensions, slot, &cached, Some(self.now));
        }
        let replaced = forward.patch.put(&mut out.prefix);
        (out.ssrc, out.index) = (slot.streams.ssrc, forward.index);
        (out.header.marker, out.header.timestamp) = (forward.marker, forward.timestamp);
        out.tail = cached.payload.get(replaced..).unwrap_or_default();
        self.header = header;
        if !fits(out) {
            self.header = None;
            self.counters.oversized += u64::from(!shorten(out, slot, &cached));
        }
        let body = out.body_len();
        slot.history.push(self.now, encoding, seq, &forward, key);
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
        Ok(())
    }

    /// Sends a packet again, on the repair stream (RFC 4588 §4).
    fn repair(&mut self, id: SlotId, index: SeqNo) -> Result<(), EgressDrop> {
        let slot = self.slots.get_mut(id).ok_or(EgressDrop::SlotGone)?;
        let sent = *slot.history.get_mut(index).ok_or(EgressDrop::RepairUnknown)?;
        let (csrc, codec, cached) = find(self.tracks, sent.encoding, sent.seq)?;
        let rtx_pt = slot.payload(codec).and_then(|p: &SlotPayload| p.rtx_pt);
        let (Some(pt), Some(ssrc)) = (rtx_pt, slot.streams.rtx) else {
            return Err(EgressDrop::RepairWithoutRtx);
        };
        let (first, replaced) = sent.forward.patch.get();
        let prefix: Prefix = Rtx::prefix(index.seq(), &first).ok_or(EgressDrop::TooLarge)?;
        let out = &mut self.out;
        // The number is spent only now that the packet is sure to go: the repair stream is dense.
        (out.ssrc, out.index) = (ssrc, slot.repair_index);
        out.header.pt = pt;
        (out.header.marker, out.header.timestamp) = (sent.forward.marker, sent.forward.timestamp);
        out.header.csrc = Some(csrc.csrc());
        (out.prefix, out.tail) = (prefix, cached.payload.get(replaced..).unwrap_or_default());
        self.header = None;
        gather(&mut out.header.extensions, slot, &cached, Some(self.now));
        if !fits(out) {
            self.counters.oversized += u64::from(!shorten(out, slot, &cached));
        }
        let body = out.body_len();
        slot.repair_index = slot.repair_index.next();
        slot.sent.repaired += 1;
        self.receiver.rate(slot.spec.kind).add(self.now, body + limits::OVERHEAD);
        self.counters.rtx_out += 1;
        self.counters.rtx_bytes_out += body as u64;
        Ok(())
    }
}

/// The bytes of a packet, whose they are, and in what codec.
#[inline]
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

/// Whether a packet fits a datagram.
#[inline]
fn fits(out: &Outgoing<'_>) -> bool {
    out.header_len() + out.body_len() + TAG <= limits::DATAGRAM
}

/// Leaves out the send time, which an estimator does not need of each packet; whether it fits then. With every element a packet grows
/// by 19 bytes; without that one, what came with 1,200 bytes fits.
#[cold]
fn shorten<'a>(out: &mut Outgoing<'a>, slot: &Slot, cached: &Cached<'a, Meta>) -> bool {
    gather(&mut out.header.extensions, slot, cached, None);
    fits(out)
}

/// Builds the header extension anew from what may pass: audio level, dependency descriptor and colour space as they came;
/// MID and send time are ours. An element that finds no room is left out.
#[inline]
fn gather<'a>(out: &mut OutExtensions<'a>, slot: &Slot, cached: &Cached<'a, Meta>, sent: Option<Time>) {
    let map = &slot.spec.extensions;
    *out = OutExtensions::NONE;
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
}
