//! Sender reports: where each slot's media clock stands on the wall clock.

use salon_rtp::rtcp::{Sdes, SenderInfo};
use salon_rtp::{NtpTime, Time};

use super::{Receiver, Slot, Slots};
use crate::{Counters, EgressDrop};

/// Who tells, and by which wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) ntp_at_zero: NtpTime,
    pub(crate) cname: &'a str,
}

impl Teller<'_> {
    /// The wall clock.
    pub(crate) fn ntp(&self, now: Time) -> NtpTime {
        NtpTime::from_micros(self.ntp_at_zero.as_micros().saturating_add(now.as_micros()))
    }

    /// Reports the slots whose first packet has just left.
    pub(crate) fn first_reports(&self, now: Time, to: &mut Receiver, slots: &Slots, counters: &mut Counters) {
        while let Some(id) = to.fresh.pop() {
            if let Some(slot) = slots.get(id) {
                self.report(now, slot, to, counters);
            }
        }
    }

    /// Reports all slots of a receiver that send; whether there was one.
    pub(crate) fn all_reports(
        &self,
        now: Time,
        to: &mut Receiver,
        slots: &Slots,
        counters: &mut Counters,
    ) -> bool {
        let mut any = false;
        for at in 0..to.slots.len() {
            let Some(slot) = to.slots.get(at).and_then(|&id| slots.get(id)) else { continue };
            if slot.reports(now) {
                any = true;
                self.report(now, slot, to, counters);
            }
        }
        any
    }

    fn report(&self, now: Time, slot: &Slot, to: &mut Receiver, counters: &mut Counters) {
        let info = SenderInfo {
            ssrc: slot.streams.ssrc,
            ntp: self.ntp(now),
            timestamp: slot.clock(now),
            // Both counts wrap (RFC 3550 §6.4.1).
            packets: slot.sent.packets as u32,
            octets: slot.sent.octets as u32,
        };
        let written = to.outbox.add(|out| {
            info.write(&[], out)?;
            Sdes::write_cname(info.ssrc, self.cname.as_bytes(), out)
        });
        if !written {
            counters.leave_unsent(EgressDrop::ReportsFull);
        }
    }
}
