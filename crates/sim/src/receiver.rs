//! Who looks at one stream of video.

mod nack;

use crate::line::SenderLine;
use crate::outbox::Outbox;
use crate::{DecoderReport, Vp8Decoder};
use core::time::Duration;
use nack::NackList;
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::rtcp::{Compound, Nack, Pli, ReceiverReport, Remb, ReportBlock, RtcpPacket};
use salon_rtp::{Bitrate, Packet, RtpTime, SeqNo, Ssrc, Time};

/// How a receiver behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiverConfig {
    /// Its own name in RTCP.
    pub own: Ssrc,
    /// The stream.
    pub media: Ssrc,
    /// Its repair stream.
    pub rtx: Option<Ssrc>,
    /// What it believes the round trip to be: how long it waits before it asks again.
    pub rtt: Duration,
    /// How long it waits for a late packet before it asks at all. libwebrtc does not wait until it has seen reordering.
    pub reorder: Duration,
    /// How long a complete frame waits for what is missing before it.
    pub wait: Duration,
    /// What it reports as its estimate, once a second.
    pub remb: Option<Bitrate>,
}

impl ReceiverConfig {
    /// A browser behind a round trip of 100 ms that sees this stream.
    pub const fn new(own: Ssrc, media: Ssrc, rtx: Option<Ssrc>) -> Self {
        Self {
            own,
            media,
            rtx,
            rtt: Duration::from_millis(100),
            reorder: Duration::ZERO,
            wait: Duration::from_millis(300),
            remb: None,
        }
    }
}

/// What a receiver has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReceiverCounts {
    /// Media packets, padding included.
    pub packets: u64,
    /// Packets of the repair stream.
    pub rtx: u64,
    /// Of those, the ones with nothing in them.
    pub probes: u64,
    /// Of those, the ones that brought what was missing.
    pub recovered: u64,
    /// Requests for packets.
    pub nacks: u64,
    /// Packets that were asked for, repetitions included.
    pub nacked: u64,
    /// Packets that were asked for in vain until it gave up.
    pub abandoned: u64,
    /// Requests for key frames.
    pub plis: u64,
    /// Sender reports that came.
    pub sender_reports: u64,
    /// Packets of no stream that it knows, or that it cannot read.
    pub strangers: u64,
}

/// Without a first key frame it asks after so long, and so often (libwebrtc: `max_wait_for_keyframe`).
const WAIT_FOR_KEY: Duration = Duration::from_millis(200);
/// Without a frame it asks after so long (libwebrtc: `max_wait_for_frame`).
const WAIT_FOR_FRAME: Duration = Duration::from_secs(3);
/// A stream without packets for so long is not waited for.
const INACTIVE: Duration = Duration::from_secs(5);
/// Receiver reports of video.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Receives one stream of VP8 as a browser does: asks for missing packets and for key frames, reports once a second.
#[derive(Clone, Debug)]
pub struct VideoReceiver {
    config: ReceiverConfig,
    decoder: Vp8Decoder,
    nack: NackList,
    counts: ReceiverCounts,
    first_packet: Option<Time>,
    last_packet: Option<Time>,
    last_pli: Option<Time>,
    next_report: Time,
    reception: Reception,
    line: SenderLine,
}

impl VideoReceiver {
    /// A receiver that has seen nothing.
    pub fn new(config: ReceiverConfig) -> Self {
        Self {
            config,
            decoder: Vp8Decoder::new(config.wait),
            nack: NackList::default(),
            counts: ReceiverCounts::default(),
            first_packet: None,
            last_packet: None,
            last_pli: None,
            next_report: Time::ZERO.plus(REPORT_EVERY),
            reception: Reception::default(),
            line: SenderLine::new(90_000),
        }
    }

    /// What it was made of.
    pub fn config(&self) -> &ReceiverConfig {
        &self.config
    }

    /// Reports another estimate from now on.
    pub fn set_remb(&mut self, remb: Option<Bitrate>) {
        self.config.remb = remb;
    }

    /// What it has done.
    pub fn counts(&self) -> ReceiverCounts {
        self.counts
    }

    /// Its decoder.
    pub fn decoder(&mut self) -> &mut Vp8Decoder {
        &mut self.decoder
    }

    /// The line that the stream's sender reports draw.
    pub fn line(&self) -> SenderLine {
        self.line
    }

    /// Packets of which it knows that they are missing.
    pub fn missing(&self) -> usize {
        self.nack.len()
    }

    /// Whether a packet is of its stream or its repair stream.
    pub fn is_mine(&self, packet: &Packet<'_>) -> bool {
        packet.ssrc() == self.config.media || Some(packet.ssrc()) == self.config.rtx
    }

    /// Takes an RTP packet.
    pub fn handle_rtp(&mut self, now: Time, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else {
            self.counts.strangers += 1;
            return;
        };
        if packet.ssrc() == self.config.media {
            self.counts.packets += 1;
            self.first_packet.get_or_insert(now);
            self.last_packet = Some(now);
            let index = self.reception.packet(now, &packet);
            self.nack.arrived(now, index);
            self.decoder.push(now, &packet);
        } else if Some(packet.ssrc()) == self.config.rtx {
            self.counts.rtx += 1;
            let Ok(rtx) = Rtx::parse(packet.payload()) else {
                self.counts.probes += 1;
                return;
            };
            let index = self.reception.highest.and_then(|h| rtx.original.extend(h));
            if index.is_some_and(|i| self.nack.arrived(now, i)) {
                self.counts.recovered += 1;
            }
            self.decoder.repair(now, rtx.original, &packet, rtx.payload);
        } else {
            self.counts.strangers += 1;
        }
    }

    /// Takes a compound RTCP packet: sender reports of its stream.
    pub fn handle_rtcp(&mut self, now: Time, bytes: &[u8]) {
        let Ok(compound) = Compound::parse(bytes) else { return };
        for packet in &compound {
            if let RtcpPacket::SenderReport(r) = packet {
                if r.info.ssrc == self.config.media {
                    self.counts.sender_reports += 1;
                    self.line.take(&r.info);
                    self.reception.last_report = Some((r.info.ntp.middle(), now));
                }
            }
        }
    }

    /// Sends what is due: to be called every few milliseconds.
    pub fn poll(&mut self, now: Time, outbox: &mut Outbox) {
        self.decoder.poll(now);
        let mut out = Vec::new();
        let (ask, abandoned, overflow) = self.nack.due(now, self.config.rtt, self.config.reorder);
        self.counts.abandoned += abandoned;
        let asked = Nack::write(self.config.own, self.config.media, ask.iter().copied(), &mut out);
        if let Ok(n @ 1..) = asked {
            self.counts.nacks += 1;
            self.counts.nacked += n as u64;
        }
        if overflow || self.wants_key(now) {
            self.last_pli = Some(now);
            self.counts.plis += 1;
            let _fits = Pli { sender: self.config.own, media: self.config.media }.write(&mut out);
        }
        if self.next_report <= now {
            self.next_report = now.plus(REPORT_EVERY);
            let block = self.reception.block(now, self.config.media);
            let _fits = ReceiverReport::write(self.config.own, block.as_slice(), &mut out);
            if let Some(remb) = self.config.remb {
                let _fits = Remb::write(self.config.own, remb, &[self.config.media], &mut out);
            }
        }
        outbox.rtcp(out);
    }

    /// Takes it that nothing comes any more.
    pub fn finish(&mut self) -> DecoderReport {
        self.decoder.finish()
    }

    /// Without a key frame so far, or long without a frame though packets come.
    fn wants_key(&self, now: Time) -> bool {
        let (Some(first), Some(last)) = (self.first_packet, self.last_packet) else { return false };
        if now.since(last) > INACTIVE {
            return false;
        }
        let (since, wait) = match self.decoder.last_decoded() {
            None => (first, WAIT_FOR_KEY),
            Some(t) => (t, WAIT_FOR_FRAME),
        };
        let since = self.last_pli.map_or(since, |t| t.max(since));
        now.since(since) >= wait
    }
}

/// What a receiver report tells of a stream (RFC 3550 §A.3, §A.8).
#[derive(Clone, Debug, Default)]
struct Reception {
    base: SeqNo,
    highest: Option<SeqNo>,
    received: u64,
    before: (u64, u64),
    transit: Option<i64>,
    /// In sixteenths of a tick, as §A.8 keeps it.
    jitter: u32,
    last_timestamp: Option<RtpTime>,
    last_report: Option<(u32, Time)>,
}

impl Reception {
    fn packet(&mut self, now: Time, packet: &Packet<'_>) -> SeqNo {
        let first = SeqNo(0x1_0000 | u64::from(packet.seq().0));
        if self.highest.is_none() {
            self.base = first;
        }
        let index = packet.seq().extend(self.highest.unwrap_or(first)).unwrap_or(first);
        self.highest = self.highest.max(Some(index));
        self.received += 1;
        let arrived = (now.as_micros() * 9 / 100) as i64;
        let transit = arrived - i64::from(packet.timestamp().0);
        if let (Some(before), true) = (self.transit, self.last_timestamp != Some(packet.timestamp())) {
            // The difference of 32-bit clocks, whichever wrapped.
            let d = ((transit - before) as i32).unsigned_abs();
            self.jitter = self.jitter.wrapping_add(d).wrapping_sub((self.jitter + 8) >> 4);
        }
        (self.transit, self.last_timestamp) = (Some(transit), Some(packet.timestamp()));
        index
    }

    /// A block about the time since the last one; none if nothing came so far.
    fn block(&mut self, now: Time, ssrc: Ssrc) -> Option<ReportBlock> {
        let highest = self.highest?;
        let expected = highest.since(self.base) + 1;
        let (expected_now, received_now) = (expected - self.before.0, self.received - self.before.1);
        self.before = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        Some(ReportBlock {
            ssrc,
            fraction_lost: (lost_now * 256).checked_div(expected_now).unwrap_or(0).min(255) as u8,
            cumulative_lost: (expected as i64 - self.received as i64) as i32,
            highest: (highest.0 - 0x1_0000) as u32,
            jitter: self.jitter >> 4,
            last_report: self.last_report.map_or(0, |(ntp, _)| ntp),
            delay: self
                .last_report
                .map_or(0, |(_, at)| (now.since(at).as_micros() * 65_536 / 1_000_000) as u32),
        })
    }
}

#[cfg(test)]
mod tests;
