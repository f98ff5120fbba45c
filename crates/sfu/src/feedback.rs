//! What comes back by RTCP: publishers' clocks, receivers' losses and wishes.

use core::time::Duration;

use salon_rtp::rtcp::{Compound, Fir, Nack, ReportBlock, RtcpPacket, SenderInfo};
use salon_rtp::{Ssrc, Time};

use crate::egress::{Missing, RoundTrip, Sent, Teller};
use crate::ingress::EncodingId;
use crate::{DropReason, ParticipantId, Room, limits};

/// A round trip above this is a mistake of somebody's clock.
const LONGEST_RTT: Duration = Duration::from_secs(10);

impl Room {
    /// Reads a compound. What is about streams that don't exist here changes nothing; a compound of only such is dropped by
    /// name.
    pub(crate) fn take_feedback(
        &mut self,
        now: Time,
        from: ParticipantId,
        bytes: &[u8],
    ) -> Result<(), DropReason> {
        self.receivers.get(from).filter(|r| r.connected).ok_or(DropReason::UnknownParticipant)?;
        let compound = Compound::parse(bytes).map_err(|_| DropReason::MalformedRtcp)?;
        self.counters.visited += 1;
        let (mut used, mut unknown) = (false, false);
        let mut repairs = limits::REPAIRS_PER_REPORT;
        for packet in compound.iter() {
            let known = match packet {
                RtcpPacket::SenderReport(report) => {
                    let known = self.sender_report(now, from, &report.info);
                    self.reception(now, from, report.blocks.iter()) | known
                }
                RtcpPacket::ReceiverReport(report) => self.reception(now, from, report.blocks.iter()),
                RtcpPacket::Nack(nack) => self.resend(now, from, &nack, &mut repairs),
                RtcpPacket::Pli(pli) => self.key_wanted(now, from, pli.media),
                RtcpPacket::Fir(fir) => self.keys_wanted(now, from, &fir),
                RtcpPacket::Remb(remb) => self.estimate(now, from, remb.bitrate),
                // Names, farewells (the caller says who leaves), and what we didn't negotiate.
                _ => true,
            };
            used |= known;
            unknown |= !known;
        }
        self.reschedule(now, from);
        if unknown && !used { Err(DropReason::UnknownReport) } else { Ok(()) }
    }

    /// Where a publisher's media clock stands on its wall clock.
    fn sender_report(&mut self, now: Time, from: ParticipantId, info: &SenderInfo) -> bool {
        let Some(id) = self.encoding_of(from, info.ssrc) else { return false };
        let Some(publisher) = self.publishers.get_mut(from) else { return false };
        let Some(encoding) = self.tracks.get_mut(id.track).and_then(|t| t.encoding_mut(id.index)) else {
            return false;
        };
        encoding.arrival.sender_report(now, info.ntp);
        encoding.clock.sender_report(now, info.ntp, info.timestamp, &mut publisher.clock);
        true
    }

    /// The encoding whose media an SSRC of a publisher is.
    fn encoding_of(&self, from: ParticipantId, ssrc: Ssrc) -> Option<EncodingId> {
        let publisher = self.publishers.get(from)?;
        let mut names = publisher.tracks.iter().flat_map(|&id| {
            let track = self.tracks.get(id);
            let n = track.map_or(0, |t| t.encodings.len() as u8);
            (0..n).filter_map(move |i| track?.name(id, i))
        });
        names.find(|&e| publisher.latch.ssrc(e) == Some(ssrc))
    }

    /// What a receiver says of our streams; whether one of them was ours. No block at all is no mistake.
    fn reception(
        &mut self,
        now: Time,
        from: ParticipantId,
        blocks: impl ExactSizeIterator<Item = ReportBlock>,
    ) -> bool {
        let mut known = blocks.len() == 0;
        let teller = Teller { ntp_at_zero: self.config.ntp_at_zero, cname: &self.cname };
        let wall = teller.ntp(now).middle();
        let Some(receiver) = self.receivers.get_mut(from) else { return false };
        let mut fresh = false;
        for block in blocks {
            let Some(id) = receiver.slot_of(block.ssrc) else { continue };
            known = true;
            if block.last_report != 0 {
                let ticks = wall.wrapping_sub(block.last_report).wrapping_sub(block.delay);
                let rtt = Duration::from_micros(u64::from(ticks) * 1_000_000 / 65_536);
                if rtt <= LONGEST_RTT {
                    fresh = true;
                    match &mut receiver.rtt {
                        Some(known) => known.add(now, rtt),
                        none => *none = Some(RoundTrip::new(now, rtt)),
                    }
                }
            }
            // Its repair stream has numbers of its own, and says nothing of loss that matters.
            let Some(slot) = self.slots.get_mut(id).filter(|s| s.streams.ssrc == block.ssrc) else {
                continue;
            };
            slot.heard.known = true;
            slot.heard.loss = Some(block.fraction_lost);
            let holes = slot.holes();
            let last = slot.heard.last.replace((block.cumulative_lost, block.highest));
            let new_holes = holes.saturating_sub(core::mem::replace(&mut slot.heard.holes, holes));
            if let Some((lost, highest)) = last {
                let expected = u64::from(block.highest.wrapping_sub(highest));
                let lost = u64::try_from(block.cumulative_lost.wrapping_sub(lost)).unwrap_or(0);
                // What never came to us is no fault of the receiver's link (mediasoup#962).
                receiver.budget.loss(expected, lost.saturating_sub(new_holes));
            }
        }
        if known {
            let (pictures, sound) = (receiver.pictures.get(now), receiver.sound.get(now));
            let queue = fresh && receiver.rtt.is_some_and(|r| r.queues());
            if receiver.budget.reported(now, pictures, sound, queue) {
                self.retarget(now, from);
            }
        }
        known
    }

    /// A receiver asks for packets again.
    fn resend(&mut self, now: Time, from: ParticipantId, nack: &Nack<'_>, left: &mut usize) -> bool {
        let Self { receivers, slots, tracks, ready, counters, .. } = self;
        let Some(receiver) = receivers.get_mut(from) else { return false };
        let Some(id) = receiver.slot_of(nack.media) else { return false };
        let Some(slot) = slots.get_mut(id).filter(|s| s.streams.ssrc == nack.media) else { return false };
        let mut missing = Missing::default();
        let since = receiver.budget.watched(now);
        for seq in nack.seqs() {
            let Some(rest) = left.checked_sub(1) else { break };
            *left = rest;
            let size = |sent: &Sent| {
                let encoding = tracks.get(sent.encoding.track)?.encoding(sent.encoding.index)?;
                Some(encoding.cache.as_ref()?.get(sent.seq)?.payload.len())
            };
            // Each loss tells of the link, whatever is done about it.
            if let Some(index) = receiver.misses(now, since, slot, seq) {
                missing.add(index);
            }
            if let Err(reason) = receiver.repair(now, (from, id, slot), seq, size, ready, counters) {
                counters.leave_unsent(reason);
            }
        }
        let sent = receiver.pictures.get(now).plus(receiver.sound.get(now));
        if receiver.budget.missed(now, &mut slot.heard.asked, &missing, sent) {
            self.retarget(now, from);
        }
        true
    }

    /// A receiver cannot decode what it gets. For an empty slot there is nobody to ask.
    fn key_wanted(&mut self, now: Time, from: ParticipantId, media: Ssrc) -> bool {
        let Some(id) = self.receivers.get(from).and_then(|r| r.slot_of(media)) else { return false };
        let Some(slot) = self.slots.get_mut(id) else { return false };
        if let Some(encoding) = slot.current.or(slot.target) {
            if slot.heard.may_ask_key(now) {
                self.want_key(now, encoding);
            } else {
                self.counters.keys_refused += 1;
            }
        }
        true
    }

    fn keys_wanted(&mut self, now: Time, from: ParticipantId, fir: &Fir<'_>) -> bool {
        let mut known = false;
        for entry in fir.entries().take(limits::SLOTS) {
            known |= self.key_wanted(now, from, entry.media);
        }
        known
    }

    /// A receiver's estimate of what its link carries.
    fn estimate(&mut self, now: Time, from: ParticipantId, bitrate: salon_rtp::Bitrate) -> bool {
        let Some(receiver) = self.receivers.get_mut(from) else { return false };
        if receiver.budget.remb(now, bitrate, receiver.pictures.get(now), receiver.sound.get(now)) {
            self.retarget(now, from);
        }
        true
    }
}
