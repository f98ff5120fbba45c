//! What payloads say, codec by codec.

use salon_rtp::Packet;
use salon_rtp::payload::av1::Av1Payload;
use salon_rtp::payload::h264::{H264Payload, NalParts, Sps};
use salon_rtp::payload::h265::H265Payload;
use salon_rtp::payload::opus::OpusPacket;
use salon_rtp::payload::{red::Red, rtx::Rtx, vp8::Vp8Descriptor, vp9::Vp9Descriptor};
use std::collections::BTreeMap;

/// A codec, or what wraps one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Opus,
    Vp8,
    Vp9,
    Av1,
    H264,
    H265,
    Red,
    Rtx,
    Pcmu,
    Pcma,
}

const NAMES: [(&str, Kind); 10] = [
    ("opus", Kind::Opus),
    ("vp8", Kind::Vp8),
    ("vp9", Kind::Vp9),
    ("av1", Kind::Av1),
    ("h264", Kind::H264),
    ("h265", Kind::H265),
    ("red", Kind::Red),
    ("rtx", Kind::Rtx),
    ("pcmu", Kind::Pcmu),
    ("pcma", Kind::Pcma),
];

impl Kind {
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The payload types that RFC 3551 table 4 assigns for good.
    pub(crate) fn assigned(pt: u8) -> Option<Self> {
        match pt {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// Ticks of the stream's clock per second; that of a repair is its original's.
    pub(crate) fn clock(self) -> Option<u32> {
        match self {
            Self::Opus | Self::Red => Some(48_000),
            Self::Vp8 | Self::Vp9 | Self::Av1 | Self::H264 | Self::H265 => Some(90_000),
            Self::Pcmu | Self::Pcma => Some(8_000),
            Self::Rtx => None,
        }
    }
}

/// What the payloads of one stream said so far.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) unreadable: u64,
    keys: u64,
    sets: u64,
    frames: u64,
    ticks: u64,
    silent: u64,
    redundant: u64,
    layers: BTreeMap<(u8, u8), u64>,
    size: Option<(u32, u32)>,
    more: Option<String>,
}

impl Facts {
    /// Reads one payload.
    pub(crate) fn take(&mut self, kind: Kind, packet: &Packet<'_>) {
        let payload = packet.payload();
        let read = match kind {
            Kind::Opus => self.opus(payload),
            Kind::Vp8 => self.vp8(payload),
            Kind::Vp9 => self.vp9(payload),
            Kind::Av1 => self.av1(payload),
            Kind::H264 => self.h264(payload),
            Kind::H265 => self.h265(payload),
            Kind::Red => Red::parse(payload).ok().map(|r| self.redundant += r.redundant().count() as u64),
            Kind::Rtx => Rtx::parse(payload).ok().map(|_| ()),
            Kind::Pcmu | Kind::Pcma => Some(()),
        };
        self.unreadable += u64::from(read.is_none());
    }

    fn opus(&mut self, payload: &[u8]) -> Option<()> {
        let p = OpusPacket::parse(payload).ok()?;
        self.frames += u64::from(p.count());
        self.ticks += u64::from(p.ticks());
        self.silent += u64::from(p.is_silent());
        let toc = p.toc();
        self.more = Some(format!("{:?} {:?} {} channel(s)", toc.mode(), toc.bandwidth(), toc.channels()));
        Some(())
    }

    fn vp8(&mut self, payload: &[u8]) -> Option<()> {
        let d = Vp8Descriptor::parse(payload).ok()?;
        self.frames += u64::from(d.is_frame_start());
        self.keys += u64::from(d.is_key(payload));
        let (w, h) = d.key_size(payload).unzip();
        self.size = w.zip(h).map(|(w, h)| (w.into(), h.into())).or(self.size);
        self.layer(0, d.fields().temporal.map_or(0, |t| t.layer));
        Some(())
    }

    fn vp9(&mut self, payload: &[u8]) -> Option<()> {
        let d = Vp9Descriptor::parse(payload).ok()?;
        self.frames += u64::from(d.is_picture_start());
        self.keys += u64::from(d.is_key());
        if let Some(s) = d.structure {
            let largest = (0..s.spatial_layers).filter_map(|l| s.size(l)).next_back();
            self.size = largest.map(|(w, h)| (w.into(), h.into())).or(self.size);
            self.more = Some(format!("{} spatial layer(s), group of {}", s.spatial_layers, s.pictures));
        }
        let (s, t) = d.layer.map_or((0, 0), |l| (l.spatial, l.temporal));
        self.layer(s, t);
        Some(())
    }

    fn av1(&mut self, payload: &[u8]) -> Option<()> {
        let p = Av1Payload::parse(payload).ok()?;
        self.keys += u64::from(p.is_key());
        if let Some(s) = p.sequence_header() {
            self.sets += 1;
            self.size = Some((s.width, s.height));
            self.more = Some(format!("profile {} level index {}", s.profile, s.level));
        }
        let layer = p.layer().unwrap_or_default();
        self.layer(layer.spatial, layer.temporal);
        Some(())
    }

    fn h264(&mut self, payload: &[u8]) -> Option<()> {
        let facts = H264Payload::parse(payload).ok()?;
        self.keys += u64::from(facts.idr && facts.first);
        for part in NalParts::parse(payload).ok()?.filter(|p| p.kind() == 7 && p.start) {
            self.sets += 1;
            let nal = [&[part.header], part.body].concat();
            if let Ok(s) = Sps::parse(&nal) {
                self.size = Some((s.width, s.height));
                let profile = s.profile().map_or("unknown profile".into(), |p| format!("{p:?}"));
                self.more = Some(format!("{profile} level {}.{}", s.level() / 10, s.level() % 10));
            }
        }
        Some(())
    }

    fn h265(&mut self, payload: &[u8]) -> Option<()> {
        let facts = H265Payload::parse(payload).ok()?;
        self.keys += u64::from(facts.irap && facts.first);
        self.sets += u64::from(facts.sps);
        self.layer(0, facts.temporal);
        Some(())
    }

    fn layer(&mut self, spatial: u8, temporal: u8) {
        *self.layers.entry((spatial, temporal)).or_default() += 1;
    }

    /// In words.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut count = |n: u64, what: &str| {
            if n > 0 {
                out.push(format!("{n} {what}"));
            }
        };
        count(self.unreadable, "unreadable");
        count(self.frames, "frames");
        count(self.keys, "key frames");
        count(self.sets, "parameter sets");
        count(self.ticks / 48, "ms of sound");
        count(self.silent, "silent");
        count(self.redundant, "redundant blocks");
        out.extend(self.size.map(|(w, h)| format!("{w} × {h}")));
        out.extend(self.more.clone());
        if self.layers.len() > 1 {
            let layers: Vec<_> = self.layers.iter().map(|((s, t), n)| format!("S{s}T{t} {n}")).collect();
            out.push(format!("layers {}", layers.join(" ")));
        }
        out
    }
}

/// The codecs whose readers accept a payload, for streams that nobody told the codec of.
pub(crate) fn accepting(payload: &[u8]) -> impl Iterator<Item = Kind> + '_ {
    NAMES.iter().map(|(_, kind)| *kind).filter(|kind| match kind {
        Kind::Opus => OpusPacket::parse(payload).is_ok(),
        Kind::Vp8 => Vp8Descriptor::parse(payload).is_ok(),
        Kind::Vp9 => Vp9Descriptor::parse(payload).is_ok(),
        Kind::Av1 => Av1Payload::parse(payload).is_ok(),
        Kind::H264 => H264Payload::parse(payload).is_ok(),
        Kind::H265 => H265Payload::parse(payload).is_ok(),
        Kind::Red => Red::parse(payload).is_ok(),
        // Any two bytes are a sequence number; any bytes are samples.
        Kind::Rtx | Kind::Pcmu | Kind::Pcma => false,
    })
}
