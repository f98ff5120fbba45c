//! A camera.

mod encoder;
mod stream;

use crate::outbox::Outbox;
use crate::{Rng, WallClock};
use core::time::Duration;
use salon_rtp::extension::ExtensionMap;
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{Bitrate, Mid, Pt, Rid, Ssrc, Time};
use stream::Stream;

/// How frames depend on each other in time, in the patterns of libwebrtc (one cycle in brackets).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TemporalLayers {
    /// Every frame refers to the one before it.
    L1T1,
    /// Two layers [0 1 0 1].
    L1T2,
    /// Three layers [0 2 1 2 0 2 1 2].
    L1T3,
}

/// How wide the picture id is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureIds {
    /// There is none.
    Absent,
    /// Seven bits.
    Short,
    /// Fifteen bits.
    Long,
}

/// One encoding of a camera.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodingConfig {
    /// Its stream.
    pub ssrc: Ssrc,
    /// Its repair stream.
    pub rtx: Option<Ssrc>,
    /// Its name in a simulcast.
    pub rid: Option<Rid>,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// What it takes on average, key frames not counted.
    pub rate: Bitrate,
}

/// What a camera sends.
#[derive(Clone, Debug)]
pub struct CameraConfig {
    /// Its number in the simulation.
    pub source: u32,
    /// Its payload type.
    pub pt: Pt,
    /// The payload type of its repair streams.
    pub rtx_pt: Option<Pt>,
    /// Its media section.
    pub mid: Option<Mid>,
    /// Which id means which extension.
    pub extensions: ExtensionMap,
    /// The participant's clock.
    pub clock: WallClock,
    /// The encodings, from the smallest.
    pub encodings: Vec<EncodingConfig>,
    /// How frames depend on each other.
    pub layers: TemporalLayers,
    /// The picture id's width.
    pub picture_ids: PictureIds,
    /// Whether TL0PICIDX and TID are there.
    pub layer_indices: bool,
    /// Whether KEYIDX is there.
    pub key_index: bool,
    /// Frames per second.
    pub fps: u32,
    /// How many times the size of another frame a key frame has.
    pub key_factor: u32,
    /// Bytes of payload in one packet at most.
    pub packet_bytes: usize,
    /// Probability that a packet of nothing but padding follows a frame in its own stream.
    pub padding: f64,
    /// How many first packets of each encoding say their MID and RID.
    pub identified: u32,
    /// Packets kept for retransmission, per encoding.
    pub history: usize,
    /// The first encoding's first sequence number; the others' lie 1,000 apart. Near the wrap by default.
    pub first_seq: u16,
    /// The first encoding's timestamp at the simulation's zero. Near the wrap by default.
    pub first_timestamp: u32,
    /// The first encoding's first picture id. Near the wrap by default.
    pub first_picture_id: u16,
}

impl Default for CameraConfig {
    /// One encoding of 320×180 at 15 frames a second without temporal layers, as Chromium describes it.
    fn default() -> Self {
        Self {
            source: 2,
            pt: Pt::new(96).unwrap_or_else(|| unreachable!()),
            rtx_pt: Pt::new(97),
            mid: None,
            extensions: ExtensionMap::EMPTY,
            clock: WallClock::RIGHT,
            encodings: vec![EncodingConfig {
                ssrc: Ssrc(0x2000_0001),
                rtx: Some(Ssrc(0x2000_0002)),
                rid: None,
                width: 320,
                height: 180,
                rate: Bitrate::from_kbps(200),
            }],
            layers: TemporalLayers::L1T1,
            picture_ids: PictureIds::Long,
            layer_indices: true,
            key_index: false,
            fps: 15,
            key_factor: 4,
            packet_bytes: 1_000,
            padding: 0.0,
            identified: u32::MAX,
            history: 600,
            first_seq: 0xff80,
            first_timestamp: u32::MAX - 90_000,
            first_picture_id: 0x7ff0,
        }
    }
}

impl CameraConfig {
    /// A simulcast of 320×180, 640×360 and 1280×720 with rids `q`, `h`, `f`, the streams numbered from `ssrc` on.
    pub fn simulcast(source: u32, ssrc: u32) -> Self {
        let sizes: [(&[u8], u16, u64); 3] = [(b"q", 180, 150), (b"h", 360, 500), (b"f", 720, 1_700)];
        let encodings = (0..).zip(sizes).map(|(i, (rid, height, kbps))| EncodingConfig {
            ssrc: Ssrc(ssrc + 2 * i),
            rtx: Some(Ssrc(ssrc + 2 * i + 1)),
            rid: Rid::new(rid).ok(),
            width: height / 9 * 16,
            height,
            rate: Bitrate::from_kbps(kbps),
        });
        Self { source, encodings: encodings.collect(), ..Self::default() }
    }
}

/// What a camera has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CameraCounts {
    /// Frames captured and sent, in all encodings.
    pub frames: u64,
    /// Key frames among them.
    pub keys: u64,
    /// Packets with media.
    pub packets: u64,
    /// Their payload's bytes.
    pub bytes: u64,
    /// Packets of nothing but padding.
    pub padding: u64,
    /// Requests for a key frame that came: PLI and FIR.
    pub key_requests: u64,
    /// Of those, the ones that came too soon after the last key frame.
    pub ignored: u64,
    /// Packets that were asked for again.
    pub nacked: u64,
    /// Of those, the ones that the history still held and that were sent again.
    pub retransmitted: u64,
}

/// libwebrtc's encoder ignores requests for so long after a key frame.
const KEY_INTERVAL: Duration = Duration::from_millis(300);
/// Sender reports of video come about every second.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// The first soon, as libwebrtc's does.
const FIRST_REPORT: Duration = Duration::from_millis(300);

/// A camera with VP8: frames of several packets in one encoding or more, key frames when asked, retransmissions.
#[derive(Clone, Debug)]
pub struct CameraSource {
    config: CameraConfig,
    rng: Rng,
    streams: Vec<Stream>,
    enabled: bool,
    /// Frames captured since the simulation's zero, on the participant's clock.
    captured: u64,
    next_report: Time,
    counts: CameraCounts,
}

impl CameraSource {
    /// A camera whose frame sizes follow `seed`. Its first frame, a key frame, is due at the simulation's zero.
    pub fn new(seed: u64, config: CameraConfig) -> Self {
        let streams = (0..config.encodings.len()).map(|i| Stream::new(&config, i)).collect();
        Self {
            config,
            rng: Rng::new(seed),
            streams,
            enabled: true,
            captured: 0,
            next_report: Time::ZERO.plus(FIRST_REPORT),
            counts: CameraCounts::default(),
        }
    }

    /// Begins at `at`, not at the simulation's zero.
    pub fn starting(mut self, at: Time) -> Self {
        let elapsed = self.config.clock.elapsed(at);
        self.captured = (elapsed * u64::from(self.config.fps)).div_ceil(1_000_000);
        self.next_report = at.plus(FIRST_REPORT);
        self
    }

    /// What it was made of.
    pub fn config(&self) -> &CameraConfig {
        &self.config
    }

    /// What it has done.
    pub fn counts(&self) -> CameraCounts {
        self.counts
    }

    /// When it has something to send.
    pub fn next(&self) -> Time {
        self.next_frame().min(self.next_report)
    }

    /// Switches the whole camera off or on again; its clocks run on. It comes back with key frames.
    pub fn set_enabled(&mut self, enabled: bool) {
        if enabled && !self.enabled {
            self.streams.iter_mut().for_each(Stream::want_key);
        }
        self.enabled = enabled;
    }

    /// Switches one encoding off or on again; it comes back with a key frame.
    pub fn set_active(&mut self, encoding: usize, active: bool) {
        if let Some(stream) = self.streams.get_mut(encoding) {
            stream.set_active(active);
        }
    }

    /// Whether an encoding is on.
    pub fn is_active(&self, encoding: usize) -> bool {
        self.enabled && self.streams.get(encoding).is_some_and(Stream::is_active)
    }

    /// Starts anew: same streams, but sequence numbers, timestamps and picture ids begin elsewhere, as after a
    /// `replaceTrack` in some stacks or a restarted encoder behind the same SSRC.
    pub fn restart(&mut self) {
        for stream in &mut self.streams {
            stream.restart(&mut self.rng);
        }
    }

    /// Sends all that is due.
    pub fn poll(&mut self, now: Time, outbox: &mut Outbox) {
        while self.next_frame() <= now {
            let local = self.local_of(self.captured);
            let captured = self.next_frame();
            if self.enabled {
                for stream in &mut self.streams {
                    stream.frame(&self.config, &mut self.rng, captured, local, now, outbox, &mut self.counts);
                }
            }
            self.captured += 1;
        }
        if self.next_report <= now {
            self.report(now, outbox);
            self.next_report = now.plus(REPORT_EVERY);
        }
    }

    /// Takes what its receiver reports: requests for key frames and for packets.
    pub fn handle_rtcp(&mut self, now: Time, bytes: &[u8], outbox: &mut Outbox) {
        let Ok(compound) = Compound::parse(bytes) else { return };
        for packet in &compound {
            match packet {
                RtcpPacket::Pli(p) => self.key_request(now, p.media),
                RtcpPacket::Fir(f) => f.entries().for_each(|e| self.key_request(now, e.media)),
                RtcpPacket::Nack(n) => {
                    let Self { streams, config, counts, .. } = self;
                    if let Some(stream) = streams.iter_mut().find(|s| s.is(n.media)) {
                        n.seqs().for_each(|seq| stream.retransmit(config, seq, now, outbox, counts));
                    }
                }
                _ => {}
            }
        }
    }

    fn key_request(&mut self, now: Time, media: Ssrc) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.is(media)) else { return };
        self.counts.key_requests += 1;
        if stream.last_key().is_some_and(|t| now.since(t) < KEY_INTERVAL) {
            self.counts.ignored += 1;
        } else {
            stream.want_key();
        }
    }

    /// The participant's clock at a frame, in microseconds.
    fn local_of(&self, frame: u64) -> u64 {
        frame * 1_000_000 / u64::from(self.config.fps.max(1))
    }

    fn next_frame(&self) -> Time {
        self.config.clock.when(self.local_of(self.captured))
    }

    fn report(&mut self, now: Time, outbox: &mut Outbox) {
        for stream in self.streams.iter().filter(|s| self.enabled && s.is_active()) {
            outbox.rtcp(stream.report(&self.config, now));
        }
    }
}

#[cfg(test)]
mod tests;
