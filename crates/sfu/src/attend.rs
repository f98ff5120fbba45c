//! What is done when its time has come: reports, requests, and what the passing of time changes.

use core::time::Duration;

use salon_rtp::rtcp::{Fir, FirEntry, Nack, Pli, ReceiverReport, Remb, ReportBlock, Sdes, TwccReport};
use salon_rtp::{Bitrate, MediaKind, SeqNo, Ssrc, Time, TooSmall};

use crate::egress::{Outbox, Teller};
use crate::ingress::{EncodingId, Publisher, Tracks};
use crate::{Counters, EgressDrop, ParticipantId, Room, limits};

/// How often a receiver is attended to while something is sent to it: sender reports, and what its link can carry. Browsers
/// send theirs every second, too (RFC 3550 §6.2 would allow five).
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// After the first packet of a publisher its reception is reported so soon: it goes on saying MID and RID in each packet until then.
pub(crate) const FIRST_REPORT: Duration = Duration::from_millis(200);

/// How often reception is reported after that.
const REPORT: Duration = Duration::from_secs(1);

/// Reports cease when nothing has come for so long.
const SILENCE: Duration = Duration::from_secs(5);

/// The least time between two visits to a participant: a deadline in the past must not make a loop.
const BREATH: Duration = Duration::from_millis(1);

/// What a publisher without transport-wide feedback may send: above the default of browsers for three encodings, so that its own
/// estimate by loss decides.
const UPSTREAM: Bitrate = Bitrate::from_kbps(5_000);

impl Room {
    /// Does what is due. Call it when [`poll_timeout`](Self::poll_timeout) says; earlier does no harm.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.audible.next_due().is_some_and(|due| due <= now) && self.audible.handle_timeout(now) {
            self.restage_sounds(now);
        }
        if self.speaker.next_due().is_some_and(|due| due <= now) {
            self.speaker.handle_timeout(now);
            if self.take_floor() {
                self.restage(now);
            }
        }
        while let Some((_, id)) = self.schedule.first().filter(|(due, _)| *due <= now) {
            self.attend(now, id);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` if nothing is to be done.
    pub fn poll_timeout(&self) -> Option<Time> {
        let scheduled = self.schedule.first().map(|f| f.0);
        [scheduled, self.audible.next_due(), self.speaker.next_due()].into_iter().flatten().min()
    }

    /// Attends to one participant.
    fn attend(&mut self, now: Time, id: ParticipantId) {
        self.counters.visited += 1;
        self.ask(now, id);
        self.tell(now, id);
        if let Some(receiver) = self.receivers.get_mut(id) {
            if receiver.connected && receiver.has_something() {
                self.ready.add(id, receiver);
            }
        }
        self.reschedule_after(now, id);
    }

    /// To it as a publisher: what came, what is missing, what is needed.
    fn ask(&mut self, now: Time, id: ParticipantId) {
        let Some(publisher) = self.publishers.get_mut(id) else { return };
        let Some(receiver) = self.receivers.get_mut(id) else { return };
        let mut asking = Asking {
            now,
            me: receiver.feedback_ssrc,
            rtt: receiver.rtt.map(|r| r.smooth()),
            publisher,
            tracks: &mut self.tracks,
            outbox: &mut receiver.outbox,
            counters: &mut self.counters,
        };
        let report = asking.publisher.report_due <= now;
        if report {
            let heard = asking.reception(&self.cname);
            asking.publisher.report_due = if heard { now.plus(REPORT) } else { Time::NEVER };
        }
        asking.missing();
        asking.keys();
        asking.arrivals();
        if report {
            self.note_idle(now, id);
        }
    }

    /// To it as a receiver: sender reports, and what its link carries.
    fn tell(&mut self, now: Time, id: ParticipantId) {
        let Some(receiver) = self.receivers.get_mut(id).filter(|r| r.tick <= now) else { return };
        let teller = Teller { ntp_at_zero: self.config.ntp_at_zero, cname: &self.cname };
        let sends = teller.all_reports(now, receiver, &self.slots, &mut self.counters);
        receiver.budget.pass(now);
        receiver.tick = if sends { now.plus(TICK) } else { Time::NEVER };
        self.mend(now, id);
        self.retarget(now, id);
    }

    /// Pictures of which the first packet waited too long begin anew.
    fn mend(&mut self, now: Time, id: ParticipantId) {
        let mut at = 0;
        while let Some(&slot_id) = self.receivers.get(id).and_then(|r| r.slots.get(at)) {
            at += 1;
            let Some(slot) = self.slots.get_mut(slot_id).filter(|s| s.cut) else { continue };
            if let Some(shown) = slot.current {
                slot.forwarder.source_restarted(shown.source);
                self.relink(now, slot_id);
            }
        }
    }

    /// Sets a participant's deadline by all that it waits for.
    pub(crate) fn reschedule(&mut self, now: Time, id: ParticipantId) {
        let due = self.due(id);
        self.schedule.lower_from(now, id, due);
    }

    fn reschedule_after(&mut self, now: Time, id: ParticipantId) {
        let due = self.due(id);
        self.schedule.set_from(now.plus(BREATH), id, due);
    }

    /// Moves a publisher's deadline to what one of its encodings waits for, if that is sooner.
    pub(crate) fn reschedule_encoding(&mut self, owner: ParticipantId, id: EncodingId) {
        let Some(publisher) = self.publishers.get(owner) else { return };
        let bound = publisher.latch.ssrc(id).is_some();
        let encoding = self.tracks.get(id.track).and_then(|t| t.encoding(id.index));
        let due = encoding.map_or(Time::NEVER, |e| e.next_due(bound));
        if due != Time::NEVER && self.receivers.get(owner).is_some_and(|r| r.connected) {
            self.schedule.lower(owner, due);
        }
    }

    /// When a participant is to be attended to next.
    pub(crate) fn due(&self, id: ParticipantId) -> Time {
        let Some(receiver) = self.receivers.get(id).filter(|r| r.connected) else { return Time::NEVER };
        let Some(publisher) = self.publishers.get(id) else { return Time::NEVER };
        let twcc = publisher.twcc.as_ref().and_then(|t| t.1.next_due()).unwrap_or(Time::NEVER);
        let mut due = receiver.tick.min(publisher.report_due).min(twcc);
        for &track_id in &publisher.tracks {
            let Some(track) = self.tracks.get(track_id) else { continue };
            for (index, encoding) in track.encodings.iter().enumerate() {
                let name = track.name(track_id, index as u8);
                let bound = name.is_some_and(|n| publisher.latch.ssrc(n).is_some());
                due = due.min(encoding.next_due(bound));
            }
        }
        due
    }
}

/// One publisher, and what we tell and ask it.
struct Asking<'a> {
    now: Time,
    /// Who we are to it.
    me: Ssrc,
    rtt: Option<Duration>,
    publisher: &'a mut Publisher,
    tracks: &'a mut Tracks,
    outbox: &'a mut Outbox,
    counters: &'a mut Counters,
}

impl Asking<'_> {
    fn add(&mut self, write: impl FnMut(&mut &mut [u8]) -> Result<(), TooSmall>) {
        if !self.outbox.add(write) {
            self.counters.leave_unsent(EgressDrop::ReportsFull);
        }
    }

    /// The encodings that have a name and whose packets have come.
    fn encodings(&self) -> impl Iterator<Item = (EncodingId, Ssrc)> + use<'_> {
        let names = self.publisher.tracks.iter().flat_map(|&id| {
            let track = self.tracks.get(id);
            let n = track.map_or(0, |t| t.encodings.len() as u8);
            (0..n).filter_map(move |i| track?.name(id, i))
        });
        names.filter_map(|e| Some((e, self.publisher.latch.ssrc(e)?)))
    }

    /// The encodings, for a walk during which they change.
    fn list(&self) -> ([Option<(EncodingId, Ssrc)>; limits::ENCODINGS_PER_PARTICIPANT], usize) {
        let mut list = [None; limits::ENCODINGS_PER_PARTICIPANT];
        let mut n = 0;
        for (to, e) in list.iter_mut().zip(self.encodings()) {
            *to = Some(e);
            n += 1;
        }
        (list, n)
    }

    /// Reports reception (RFC 3550 §6.4.2); whether there was any lately.
    fn reception(&mut self, cname: &str) -> bool {
        let (list, n) = self.list();
        let empty = ReportBlock {
            ssrc: self.me,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest: 0,
            jitter: 0,
            last_report: 0,
            delay: 0,
        };
        let mut blocks = [empty; limits::ENCODINGS_PER_PARTICIPANT];
        let (mut count, mut heard, mut remb) = (0, false, false);
        for (id, ssrc) in list.into_iter().take(n).flatten() {
            let Some(track) = self.tracks.get_mut(id.track) else { continue };
            remb |= track.spec.feedback.remb && !track.spec.feedback.twcc && track.kind() == MediaKind::Video;
            let Some(encoding) = track.encoding_mut(id.index) else { continue };
            if !encoding.sends(self.now, SILENCE) {
                continue;
            }
            heard = true;
            let Some(r) = encoding.arrival.report(self.now) else { continue };
            if let Some(block) = blocks.get_mut(count) {
                *block = ReportBlock {
                    ssrc,
                    fraction_lost: r.fraction_lost,
                    cumulative_lost: r.cumulative_lost,
                    highest: r.highest,
                    jitter: r.jitter,
                    last_report: r.last_sr,
                    delay: r.delay_since_last_sr,
                };
                count += 1;
            }
        }
        let (me, blocks) = (self.me, &blocks[..count]);
        if heard {
            self.add(|out| {
                ReceiverReport::write(me, blocks, out)?;
                Sdes::write_cname(me, cname.as_bytes(), out)?;
                if remb {
                    let mut ssrcs = [me; limits::ENCODINGS_PER_PARTICIPANT];
                    for (to, block) in ssrcs.iter_mut().zip(blocks) {
                        *to = block.ssrc;
                    }
                    Remb::write(me, UPSTREAM, &ssrcs[..count], out)?;
                }
                Ok(())
            });
        }
        heard
    }

    /// Asks for what is missing (RFC 4585 §6.2.1).
    fn missing(&mut self) {
        let (list, n) = self.list();
        for (id, ssrc) in list.into_iter().take(n).flatten() {
            let (now, me, rtt) = (self.now, self.me, self.rtt);
            let Some(encoding) = self.tracks.get_mut(id.track).and_then(|t| t.encoding_mut(id.index)) else {
                continue;
            };
            let Some(nack) = encoding.nack.as_mut() else { continue };
            if let Some(rtt) = rtt {
                nack.set_rtt(rtt);
            }
            let missing = nack.poll(now);
            if !missing.is_empty() {
                let written =
                    self.outbox.add(|out| Nack::write(me, ssrc, missing.iter().copied(), out).map(|_| ()));
                if written {
                    self.counters.nacks_sent += missing.len() as u64;
                } else {
                    self.counters.leave_unsent(EgressDrop::ReportsFull);
                }
            }
            if nack.take_hopeless() && !encoding.viewers.is_empty() {
                encoding.keys.request(now);
            }
        }
    }

    /// Asks for key frames: PLI (RFC 4585 §6.3.1), or FIR (RFC 5104 §4.3.1) from who understands only that.
    fn keys(&mut self) {
        let (list, n) = self.list();
        for (id, ssrc) in list.into_iter().take(n).flatten() {
            let Some(track) = self.tracks.get_mut(id.track) else { continue };
            let only_fir = track.spec.feedback.fir && !track.spec.feedback.pli;
            let Some(encoding) = track.encoding_mut(id.index) else { continue };
            if !encoding.keys.poll(self.now) {
                continue;
            }
            self.counters.keys_asked += 1;
            let me = self.me;
            if only_fir {
                self.publisher.fir_count = self.publisher.fir_count.wrapping_add(1);
                let entry = FirEntry { media: ssrc, number: self.publisher.fir_count };
                self.add(|out| Fir::write(me, &[entry], out));
            } else {
                self.add(|out| Pli { sender: me, media: ssrc }.write(out));
            }
        }
    }

    /// Says when each packet came, for the publisher's own estimate.
    fn arrivals(&mut self) {
        // Nothing may be bound yet: the numbers are the transport's, and are reported all the same.
        let media = self.encodings().next().map_or(self.me, |e| e.1);
        let (now, me) = (self.now, self.me);
        let Some((_, recorder)) = self.publisher.twcc.as_mut() else { return };
        while let Some(arrivals) = recorder.poll(now) {
            let head = TwccReport { sender: me, media, count: self.publisher.twcc_count };
            let mut came = [(SeqNo(0), Time::ZERO); limits::TWCC_PER_FEEDBACK];
            let mut count = 0;
            for (to, arrival) in came.iter_mut().zip(arrivals.iter()) {
                *to = arrival;
                count += 1;
            }
            let mut from = Some(arrivals.base());
            // One poll may take several messages where arrivals lie far apart.
            while let Some(base) = from {
                let head = TwccReport { count: self.publisher.twcc_count, ..head };
                self.publisher.twcc_count = self.publisher.twcc_count.wrapping_add(1);
                from = twcc(self.outbox, head, base, &came[..count]).filter(|&next| next > base);
            }
        }
    }
}

/// Writes one message of arrivals from `from` on; where the next one begins, if something is left for it.
fn twcc(outbox: &mut Outbox, head: TwccReport, from: SeqNo, arrivals: &[(SeqNo, Time)]) -> Option<SeqNo> {
    let left = arrivals.iter().copied().filter(|a| a.0 >= from);
    let mut next = None;
    outbox.add(|out| {
        next = Some(head.write(from, left.clone(), out.len(), out).ok_or(TooSmall)?);
        Ok(())
    });
    next.filter(|&n| arrivals.iter().any(|a| a.0 >= n))
}
