//! The streams of a capture.

use crate::capture::Datagram;
use crate::codecs::{Facts, Kind, accepting};
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{Demux, Packet, Pt, SeqNo, Ssrc};
use std::collections::BTreeMap;
use std::fmt;

/// More streams than this are noise or an attack; the rest is counted only.
const MAX_STREAMS: usize = 10_000;

/// All streams, by where they go and who sends.
pub(crate) struct Streams {
    codecs: BTreeMap<Pt, Kind>,
    streams: BTreeMap<((u16, u16), Ssrc), Stream>,
    /// What else passed, by name.
    other: BTreeMap<&'static str, u64>,
}

impl Streams {
    pub(crate) fn new(codecs: BTreeMap<Pt, Kind>) -> Self {
        Self { codecs, streams: BTreeMap::new(), other: BTreeMap::new() }
    }

    pub(crate) fn take(&mut self, d: &Datagram<'_>) {
        match Demux::of(d.bytes) {
            Demux::Stun => self.count("STUN"),
            Demux::Dtls => self.count("DTLS"),
            Demux::Rtcp => self.take_rtcp(d.bytes),
            Demux::Rtp => self.take_rtp(d),
            Demux::Other => self.count("neither RTP nor what shares its port"),
        }
    }

    fn take_rtp(&mut self, d: &Datagram<'_>) {
        let Ok(packet) = Packet::parse(d.bytes) else { return self.count("malformed RTP") };
        let key = (d.ports, packet.ssrc());
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&key) {
            return self.count("RTP of streams beyond the ten thousandth");
        }
        let kind = self.codecs.get(&packet.pt()).copied().or_else(|| Kind::assigned(packet.pt().get()));
        self.streams.entry(key).or_default().take(kind, d.arrival, &packet);
    }

    fn take_rtcp(&mut self, bytes: &[u8]) {
        let Ok(compound) = Compound::parse(bytes) else { return self.count("malformed or encrypted RTCP") };
        for packet in &compound {
            self.count(match packet {
                RtcpPacket::SenderReport(_) => "sender report",
                RtcpPacket::ReceiverReport(_) => "receiver report",
                RtcpPacket::Sdes(_) => "source description",
                RtcpPacket::Bye(_) => "goodbye",
                RtcpPacket::App(_) => "application packet",
                RtcpPacket::Nack(_) => "NACK",
                RtcpPacket::Pli(_) => "PLI",
                RtcpPacket::Fir(_) => "FIR",
                RtcpPacket::Remb(_) => "REMB",
                RtcpPacket::Twcc(_) => "transport-wide feedback",
                RtcpPacket::Ccfb(_) => "congestion control feedback",
                RtcpPacket::Xr(_) => "extended report",
                _ => "RTCP of an unknown kind",
            });
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.other.entry(what).or_default() += 1;
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (((from, to), ssrc), stream) in &self.streams {
            match (from, to) {
                (0, 0) => write!(f, "ssrc {ssrc}")?,
                _ => write!(f, "ssrc {ssrc} (port {from} to {to})")?,
            }
            writeln!(f, ": {stream}")?;
        }
        for (what, count) in &self.other {
            writeln!(f, "{count} × {what}")?;
        }
        Ok(())
    }
}

/// One stream.
#[derive(Default)]
struct Stream {
    /// Packets by payload type.
    pts: BTreeMap<Pt, u64>,
    packets: u64,
    bytes: u64,
    duplicates: u64,
    late: u64,
    restarts: u64,
    /// The numbers before the last restart: expected and received.
    before: (u64, u64),
    first: Option<SeqNo>,
    highest: SeqNo,
    since: u64,
    /// The last 64 numbers below the highest, as bits.
    seen: u64,
    jitter: Jitter,
    facts: BTreeMap<Option<Kind>, Facts>,
    /// How many payloads each codec's reader accepts, where the codec is not known.
    accepted: BTreeMap<Kind, u64>,
}

impl Stream {
    fn take(&mut self, kind: Option<Kind>, arrival: Option<u64>, packet: &Packet<'_>) {
        *self.pts.entry(packet.pt()).or_default() += 1;
        self.packets += 1;
        self.bytes += packet.as_bytes().len() as u64;
        if !self.count_number(packet) {
            return;
        }
        if let (Some(clock), Some(arrival)) = (kind.and_then(Kind::clock), arrival) {
            self.jitter.take(clock, arrival, packet.timestamp().0);
        }
        // Padding alone says nothing.
        if packet.payload().is_empty() {
            return;
        }
        let facts = self.facts.entry(kind).or_default();
        match kind {
            Some(kind) => facts.take(kind, packet),
            None => accepting(packet.payload()).for_each(|k| *self.accepted.entry(k).or_default() += 1),
        }
    }

    /// Whether a number is new. A jump of more than 3,000 forward or 1,500 back is a restart (the limits of RFC 3550 §A.1 are
    /// 3,000 and 100; captures of switched streams reorder more).
    fn count_number(&mut self, packet: &Packet<'_>) -> bool {
        // Far from zero, so that late packets of the beginning have a number.
        let start = SeqNo(1 << 20 | u64::from(packet.seq().0));
        let Some(seq) = self.first.map_or(Some(start), |_| packet.seq().extend(self.highest)) else {
            return false;
        };
        let (ahead, behind) = (seq.since(self.highest), self.highest.since(seq));
        if self.first.is_none() || ahead > 3_000 || behind > 1_500 {
            self.restarts += u64::from(self.first.is_some());
            self.before = (self.expected(), self.before.1 + self.since);
            (self.first, self.highest, self.since, self.seen) = (Some(start), start, 1, 1);
            return true;
        }
        if ahead > 0 {
            self.seen = self.seen.checked_shl(ahead as u32).unwrap_or(0) | 1;
            self.highest = seq;
        } else {
            let bit = 1u64.checked_shl(behind as u32).unwrap_or(0);
            if bit != 0 && self.seen & bit != 0 {
                self.duplicates += 1;
                return false;
            }
            self.seen |= bit;
            self.late += 1;
            self.first = self.first.map(|f| f.min(seq));
        }
        self.since += 1;
        true
    }

    /// Packets that the numbers speak of.
    fn expected(&self) -> u64 {
        self.before.0 + self.first.map_or(0, |f| self.highest.since(f) + 1)
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.before.1 + self.since)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pts: Vec<_> = self.pts.iter().map(|(pt, n)| format!("{pt} ({n})")).collect();
        write!(f, "payload type {}, {} packets, {} bytes", pts.join(" "), self.packets, self.bytes)?;
        let share = 100.0 * self.lost() as f64 / self.expected().max(1) as f64;
        write!(f, ", {} lost ({share:.2} %)", self.lost())?;
        for (n, what) in [(self.late, "late"), (self.duplicates, "twice"), (self.restarts, "restarts")] {
            if n > 0 {
                write!(f, ", {n} {what}")?;
            }
        }
        match self.jitter.millis() {
            Some(ms) => write!(f, ", jitter {ms:.2} ms")?,
            None => write!(f, ", jitter unknown")?,
        }
        for (kind, facts) in &self.facts {
            match kind {
                Some(kind) => {
                    let lines = [vec![kind.name().into()], facts.lines()].concat();
                    write!(f, "\n  {}", lines.join(", "))?;
                }
                None => {
                    let readers: Vec<_> =
                        self.accepted.iter().map(|(k, n)| format!("{} {n}", k.name())).collect();
                    write!(
                        f,
                        "\n  codec not told; readers that accept its payloads: {}",
                        readers.join(", ")
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Interarrival jitter (RFC 3550 §A.8), in ticks.
#[derive(Default)]
struct Jitter {
    last: Option<(u32, u64, u32)>,
    ticks: f64,
    clock: u32,
}

impl Jitter {
    fn take(&mut self, clock: u32, arrival: u64, timestamp: u32) {
        if let Some((c, a, t)) = self.last.replace((clock, arrival, timestamp)).filter(|l| l.0 == clock) {
            let arrived = (arrival as f64 - a as f64) * f64::from(c) / 1e6;
            let sent = f64::from(timestamp.wrapping_sub(t) as i32);
            self.ticks += ((arrived - sent).abs() - self.ticks) / 16.0;
            self.clock = clock;
        }
    }

    fn millis(&self) -> Option<f64> {
        (self.clock > 0).then(|| 1_000.0 * self.ticks / f64::from(self.clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(numbers: &[u16]) -> Stream {
        let mut s = Stream::default();
        for n in numbers {
            let [a, b] = n.to_be_bytes();
            let bytes = [0x80, 96, a, b, 0, 0, 0, 0, 0, 0, 0, 1, 7];
            s.take(None, None, &Packet::parse(&bytes).unwrap());
        }
        s
    }

    #[test]
    fn loss_counts_across_the_wrap_and_restarts() {
        let s = stream(&[65_533, 65_534, 1, 0, 3]);
        assert_eq!((s.expected(), s.lost(), s.late, s.duplicates), (7, 2, 1, 0));
        let s = stream(&[5, 6, 6, 8, 40_000, 40_001, 40_003]);
        assert_eq!((s.lost(), s.duplicates, s.restarts), (2, 1, 1));
        let s = stream(&[5, 4, 3]);
        assert_eq!((s.expected(), s.lost(), s.late), (3, 0, 2));
    }

    #[test]
    fn jitter_of_an_even_stream_is_none() {
        let mut j = Jitter::default();
        (0..100u32).for_each(|i| j.take(90_000, u64::from(i) * 20_000, i.wrapping_mul(1_800)));
        assert_eq!(j.millis(), Some(0.0));
        // Every other packet 8 ms late: each differs by 8 ms from the one before.
        (100..400u32).for_each(|i| {
            j.take(90_000, u64::from(i) * 20_000 + u64::from(i % 2) * 8_000, i.wrapping_mul(1_800))
        });
        assert!((j.millis().unwrap() - 8.0).abs() < 0.01);
    }
}
