//! What a publisher is told.

use crate::Outbox;
use salon_rtp::rtcp::{Compound, ReportBlock, RtcpPacket};
use salon_rtp::{Bitrate, SeqNo, Time};
use std::collections::VecDeque;

/// Packets whose fate is remembered: more than a report can reach back.
const HISTORY: usize = 10_000;

/// Reads the reports about what one participant sent on its transport.
#[derive(Clone, Debug, Default)]
pub struct FeedbackLog {
    /// Of each transport-wide number: whether it was reported to have arrived. The newest is at the back.
    sent: VecDeque<bool>,
    newest: SeqNo,
    last_arrival: Option<i64>,
    counts: FeedbackCounts,
    remb: Option<Bitrate>,
    block: Option<ReportBlock>,
}

/// What was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FeedbackCounts {
    /// Transport-wide feedback messages.
    pub messages: u64,
    /// Packets that were reported to have arrived, each once.
    pub arrived: u64,
    /// Statuses of packets that never were sent: nobody may report them.
    pub never_sent: u64,
    /// Arrivals of packets that had been reported before.
    pub repeated: u64,
    /// Estimates by REMB.
    pub rembs: u64,
    /// Report blocks.
    pub blocks: u64,
    /// Compounds that could not be read.
    pub unreadable: u64,
}

impl FeedbackLog {
    /// Notes what has been sent so far.
    pub fn sent(&mut self, outbox: &Outbox) {
        let next = outbox.next_twcc().0;
        if self.newest == SeqNo(0) {
            // Nothing has been sent: the next is the first.
            self.newest = SeqNo(0x1_0000 + u64::from(next));
            return;
        }
        while self.newest.seq().0 != next {
            self.newest = self.newest.next();
            self.sent.push_back(false);
            if self.sent.len() > HISTORY {
                self.sent.pop_front();
            }
        }
    }

    /// Reads a compound RTCP packet.
    pub fn handle_rtcp(&mut self, _now: Time, bytes: &[u8]) {
        let Ok(compound) = Compound::parse(bytes) else {
            self.counts.unreadable += 1;
            return;
        };
        for packet in &compound {
            match packet {
                RtcpPacket::Twcc(t) => {
                    self.counts.messages += 1;
                    for status in t.statuses(HISTORY) {
                        self.status(status.seq.0, status.arrival);
                    }
                }
                RtcpPacket::Remb(r) => {
                    self.counts.rembs += 1;
                    self.remb = Some(r.bitrate);
                }
                RtcpPacket::ReceiverReport(r) => {
                    for block in r.blocks.iter() {
                        self.counts.blocks += 1;
                        self.block = Some(block);
                    }
                }
                _ => {}
            }
        }
    }

    /// What was reported so far.
    pub fn counts(&self) -> FeedbackCounts {
        self.counts
    }

    /// The last estimate by REMB.
    pub fn remb(&self) -> Option<Bitrate> {
        self.remb
    }

    /// The last report block.
    pub fn last_block(&self) -> Option<ReportBlock> {
        self.block
    }

    /// When the last packet that was reported arrived, in microseconds of the reporter's clock.
    pub fn last_arrival(&self) -> Option<i64> {
        self.last_arrival
    }

    fn status(&mut self, seq: u16, arrival: Option<i64>) {
        // How many numbers before the next one to be sent: 1 is the newest.
        let back = usize::from(self.newest.seq().0.wrapping_sub(seq));
        let slot = self.sent.len().checked_sub(back).filter(|_| back > 0);
        match (slot.and_then(|at| self.sent.get_mut(at)), arrival) {
            (None, _) => self.counts.never_sent += 1,
            (Some(_), None) => {}
            (Some(true), Some(_)) => self.counts.repeated += 1,
            (Some(told), Some(arrival)) => {
                *told = true;
                self.counts.arrived += 1;
                self.last_arrival = Some(arrival);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CameraConfig, CameraSource, Datagram};
    use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap, Values};
    use salon_rtp::rtcp::TwccReport;
    use salon_rtp::{Packet, Ssrc};

    #[test]
    fn every_packet_that_was_sent_is_reported_once() {
        let mut map = ExtensionMap::EMPTY;
        map.set(ExtensionKind::Twcc, ExtId::new(3).unwrap());
        map.set(ExtensionKind::AbsSendTime, ExtId::new(2).unwrap());
        let mut camera = CameraSource::new(1, CameraConfig::default());
        let (mut outbox, mut log) = (Outbox::new(map, 0xfff0), FeedbackLog::default());
        log.sent(&outbox);
        let (mut arrivals, mut base) = (Vec::new(), SeqNo(0x1_fff0));
        for ms in 0..3_000 {
            let now = Time::from_millis(ms);
            camera.poll(now, &mut outbox);
            log.sent(&outbox);
            for datagram in outbox.drain() {
                if let Datagram::Rtp(bytes) = datagram {
                    let values = Values::read(&Packet::parse(&bytes).unwrap(), &map);
                    assert!(values.send_time.is_some());
                    let seq = salon_rtp::Seq(values.twcc.unwrap().0).extend(base).unwrap();
                    arrivals.push((seq, now));
                }
            }
            if ms % 100 == 99 {
                let report = TwccReport { sender: Ssrc(1), media: Ssrc(2), count: 0 };
                let mut out = Vec::new();
                base = report
                    .write(base, arrivals.drain(..).as_slice().iter().copied(), 1_200, &mut out)
                    .unwrap();
                log.handle_rtcp(now, &out);
            }
        }
        let counts = log.counts();
        assert_eq!((counts.messages, counts.never_sent, counts.repeated), (30, 0, 0), "{counts:?}");
        assert_eq!(counts.arrived, camera.counts().packets);
        assert!(log.last_arrival() > Some(2_900_000));
    }
}
