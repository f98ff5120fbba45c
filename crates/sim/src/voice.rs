//! A microphone.

use crate::clock::ticks;
use crate::outbox::Outbox;
use crate::{Rng, Tag, WallClock};
use core::ops::Range;
use core::time::Duration;
use salon_rtp::extension::{AudioLevel, ExtensionKind, ExtensionMap};
use salon_rtp::rtcp::{Sdes, SenderInfo};
use salon_rtp::{Header, Mid, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc, Time};

/// What a microphone sends.
#[derive(Clone, Debug)]
pub struct VoiceConfig {
    /// Its number in the simulation.
    pub source: u32,
    /// Its stream.
    pub ssrc: Ssrc,
    /// Its payload type.
    pub pt: Pt,
    /// Its media section.
    pub mid: Option<Mid>,
    /// Which id means which extension.
    pub extensions: ExtensionMap,
    /// The participant's clock.
    pub clock: WallClock,
    /// The first sequence number. Near the wrap by default.
    pub first_seq: u16,
    /// The timestamp at the simulation's zero. Near the wrap by default.
    pub first_timestamp: u32,
    /// When somebody talks into it, in order and apart from each other. Nobody does at other times.
    pub talks: Vec<Range<Time>>,
    /// Whether it stops sending in silence, but for a packet each 400 ms (`usedtx=1`).
    pub dtx: bool,
    /// Bytes of an Opus packet with speech. 80 are 32 kbit/s.
    pub bytes: usize,
    /// Level of speech in −dBov; each packet differs from it by up to 6.
    pub loud: u8,
    /// Level of the room when nobody talks.
    pub quiet: u8,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            source: 1,
            ssrc: Ssrc(0x1000_0001),
            pt: Pt::new(111).unwrap_or_else(|| unreachable!()),
            mid: None,
            extensions: ExtensionMap::EMPTY,
            clock: WallClock::RIGHT,
            first_seq: 0xffd0,
            first_timestamp: u32::MAX - 48_000,
            talks: Vec::new(),
            dtx: true,
            bytes: 80,
            loud: 27,
            quiet: 92,
        }
    }
}

/// Ticks of Opus in RTP per second (RFC 7587 §4.1).
const RATE: u32 = 48_000;
/// 20 ms of sound in each packet.
const FRAME: Duration = Duration::from_millis(20);
/// Opus goes on for so long before it calls it silence (200 ms), and then speaks up so often (400 ms).
const HANGOVER: u32 = 10;
const DTX_EVERY: u32 = 20;
/// Sender reports of sound come about every 5 s; the first soon, as libwebrtc's does.
const REPORT_EVERY: Duration = Duration::from_secs(5);
const FIRST_REPORT: Duration = Duration::from_millis(500);

/// A microphone with Opus: 50 packets a second while somebody talks, with their level.
#[derive(Clone, Debug)]
pub struct VoiceSource {
    config: VoiceConfig,
    rng: Rng,
    /// Microseconds of its own clock at which the next frame begins.
    local: u64,
    next_report: Time,
    seq: SeqNo,
    frame: u32,
    /// Frames of silence since somebody talked.
    silent: u32,
    muted: bool,
    packets: u32,
    octets: u32,
}

impl VoiceSource {
    /// A microphone whose levels follow `seed`. Its first packet is due at the simulation's zero.
    pub fn new(seed: u64, config: VoiceConfig) -> Self {
        Self {
            seq: SeqNo(u64::from(config.first_seq)),
            config,
            rng: Rng::new(seed),
            local: 0,
            next_report: Time::ZERO.plus(FIRST_REPORT),
            frame: 0,
            silent: 0,
            muted: false,
            packets: 0,
            octets: 0,
        }
    }

    /// Begins at `at`, not at the simulation's zero.
    pub fn starting(mut self, at: Time) -> Self {
        self.local = self.config.clock.elapsed(at);
        self.next_report = at.plus(FIRST_REPORT);
        self
    }

    /// What it was made of.
    pub fn config(&self) -> &VoiceConfig {
        &self.config
    }

    /// Somebody talks in this time; after the talks that stand already.
    pub fn talk(&mut self, during: Range<Time>) {
        self.config.talks.push(during);
    }

    /// A muted microphone hears nothing, whoever talks.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// When it has something to send.
    pub fn next(&self) -> Time {
        self.next_frame().min(self.next_report)
    }

    /// Whether somebody talks into it at `at`, and it is not muted.
    pub fn is_talking(&self, at: Time) -> bool {
        !self.muted && self.config.talks.iter().any(|t| t.contains(&at))
    }

    /// Sends all that is due.
    pub fn poll(&mut self, now: Time, outbox: &mut Outbox) {
        while self.next_frame() <= now {
            self.packet(self.next_frame(), now, outbox);
            self.local += FRAME.as_micros() as u64;
        }
        if self.next_report <= now {
            self.report(now, outbox);
            self.next_report = now.plus(REPORT_EVERY);
        }
    }

    fn next_frame(&self) -> Time {
        self.config.clock.when(self.local)
    }

    fn packet(&mut self, captured: Time, now: Time, outbox: &mut Outbox) {
        let talking = self.is_talking(captured);
        let onset = talking && self.silent > HANGOVER;
        self.silent = if talking { 0 } else { self.silent.saturating_add(1) };
        let asleep = self.config.dtx && self.silent > HANGOVER;
        let jitter = self.rng.below(13) as u8;
        if asleep && (self.silent - HANGOVER - 1) % DTX_EVERY != 0 {
            return;
        }
        let level = match (self.muted, talking) {
            (true, _) => 127,
            (false, true) => (self.config.loud + jitter).saturating_sub(6),
            (false, false) => (self.config.quiet + jitter).saturating_sub(6),
        };
        let tag = Tag {
            source: self.config.source,
            encoding: 0,
            epoch: 0,
            frame: self.frame,
            packet: 0,
            packets: 1,
            layer: 0,
            key: true,
            references: [0; 3],
            captured,
        };
        self.frame += 1;
        // Fullband, 20 ms, one channel: configuration 31 (RFC 6716 table 2).
        let mut payload = vec![31 << 3];
        if !asleep {
            payload.extend(tag.write());
            payload.resize(self.config.bytes.max(payload.len()), 0x5a);
        }
        let mut extensions = OutExtensions::NONE;
        let map = self.config.extensions;
        if let Some(id) = map.id(ExtensionKind::AudioLevel) {
            let _full = extensions.push(id, &AudioLevel::new(level, talking).write());
        }
        if let (Some(id), Some(mid)) = (map.id(ExtensionKind::Mid), self.config.mid) {
            let _full = extensions.push(id, mid.as_str().as_bytes());
        }
        outbox.rtp(
            now,
            Outgoing {
                ssrc: self.config.ssrc,
                index: self.seq,
                header: Header {
                    pt: self.config.pt,
                    marker: onset,
                    timestamp: RtpTime(self.config.first_timestamp).wrapping_add(ticks(self.local, RATE)),
                    csrc: None,
                    extensions,
                },
                prefix: Prefix::EMPTY,
                tail: &payload,
                padding: 0,
            },
        );
        self.seq = self.seq.next();
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
    }

    fn report(&mut self, now: Time, outbox: &mut Outbox) {
        let mut out = Vec::new();
        let info = SenderInfo {
            ssrc: self.config.ssrc,
            ntp: self.config.clock.ntp(now),
            timestamp: RtpTime(self.config.first_timestamp).wrapping_add(self.config.clock.ticks(now, RATE)),
            packets: self.packets,
            octets: self.octets,
        };
        let name = format!("sim-{}", self.config.source);
        if info.write(&[], &mut out).is_ok()
            && Sdes::write_cname(self.config.ssrc, name.as_bytes(), &mut out).is_ok()
        {
            outbox.rtcp(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Datagram;
    use salon_rtp::Packet;
    use salon_rtp::extension::{ExtId, Values};
    use salon_rtp::payload::opus;
    use salon_rtp::rtcp::{Compound, RtcpPacket};

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn config() -> VoiceConfig {
        let mut extensions = ExtensionMap::EMPTY;
        if let Some(id) = ExtId::new(1) {
            extensions.set(ExtensionKind::AudioLevel, id);
        }
        VoiceConfig { extensions, talks: vec![at(1_000)..at(3_000)], ..VoiceConfig::default() }
    }

    fn run(mut voice: VoiceSource, ms: u64) -> Vec<Datagram> {
        let mut outbox = Outbox::default();
        for t in 0..ms {
            voice.poll(at(t), &mut outbox);
        }
        outbox.drain().collect()
    }

    #[test]
    fn fifty_packets_a_second_while_talking_and_few_in_silence() {
        let out = run(VoiceSource::new(1, config()), 10_000);
        let (mut talk, mut quiet, mut last) = (0, 0, None::<(u16, u32)>);
        for datagram in &out {
            let Datagram::Rtp(bytes) = datagram else { continue };
            let p = Packet::parse(bytes).unwrap();
            let values = Values::read(&p, &config().extensions);
            let level = values.audio_level.unwrap();
            if level.voice {
                assert!((21..=33).contains(&level.level));
                talk += 1;
                assert_eq!(opus::ticks(p.payload()), Some(960));
                let tag = Tag::of_opus(p.payload()).unwrap();
                assert!((at(1_000)..at(3_000)).contains(&tag.captured));
            } else {
                quiet += 1;
            }
            if let Some((seq, ts)) = last {
                assert_eq!(p.seq().0, seq.wrapping_add(1));
                let step = p.timestamp().0.wrapping_sub(ts);
                assert!(step % 960 == 0 && (960..=20 * 960).contains(&step), "{step}");
            }
            last = Some((p.seq().0, p.timestamp().0));
        }
        // Ten packets of hangover, then one each 400 ms.
        assert_eq!(talk, 100);
        assert!((10..60).contains(&quiet), "{quiet}");
    }

    #[test]
    fn reports_lie_on_the_line_of_the_packets() {
        let clock = WallClock { drift_ppm: -50, ..WallClock::off_by(-3_600) };
        let out = run(VoiceSource::new(1, VoiceConfig { clock, ..config() }), 12_000);
        let mut reports = 0;
        for datagram in &out {
            let Datagram::Rtcp(bytes) = datagram else { continue };
            let compound = Compound::parse(bytes).unwrap();
            let Some(RtcpPacket::SenderReport(r)) = compound.iter().next() else { panic!() };
            let elapsed = r.info.ntp.as_micros() - clock.at_zero;
            let ticks = r.info.timestamp.since(RtpTime(config().first_timestamp));
            assert!((elapsed as i64 * 48 / 1_000 - i64::from(ticks)).abs() <= 1);
            reports += 1;
        }
        assert_eq!(reports, 3);
    }

    #[test]
    fn a_muted_microphone_is_digital_silence() {
        let mut voice = VoiceSource::new(1, config());
        voice.set_muted(true);
        let out = run(voice, 10_000);
        assert!(out.len() < 50);
        for datagram in &out {
            if let Datagram::Rtp(bytes) = datagram {
                let p = Packet::parse(bytes).unwrap();
                assert_eq!(Values::read(&p, &config().extensions).audio_level, Some(AudioLevel::SILENCE));
            }
        }
    }
}
