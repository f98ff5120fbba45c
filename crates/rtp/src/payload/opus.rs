//! Opus in RTP (RFC 7587; the bitstream is RFC 6716).

use crate::Error;

/// The table-of-contents byte that starts each Opus packet (RFC 6716 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpusToc(u8);

/// Which of Opus's coders made the sound (RFC 6716 table 2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OpusMode {
    /// Linear prediction, for speech.
    Silk,
    /// Both.
    Hybrid,
    /// The transform coder, for music and low delay.
    Celt,
}

/// How much of the spectrum is there (RFC 6716 table 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OpusBandwidth {
    /// Up to 4 kHz.
    Narrow,
    /// Up to 6 kHz.
    Medium,
    /// Up to 8 kHz.
    Wide,
    /// Up to 12 kHz.
    SuperWide,
    /// Up to 20 kHz.
    Full,
}

impl OpusToc {
    /// `None` for an empty payload, which Opus forbids (RFC 6716 §3.4 requirement R1).
    pub const fn parse(payload: &[u8]) -> Option<Self> {
        match payload {
            [toc, ..] => Some(Self(*toc)),
            [] => None,
        }
    }

    /// The byte of a configuration (0 to 31), a number of channels (two or not) and a code (0 to 3); `None` outside.
    pub const fn new(config: u8, stereo: bool, code: u8) -> Option<Self> {
        if config > 31 || code > 3 { None } else { Some(Self(config << 3 | (stereo as u8) << 2 | code)) }
    }

    /// The byte.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Mode, bandwidth and frame size: 0 to 31 (RFC 6716 table 2).
    pub const fn config(self) -> u8 {
        self.0 >> 3
    }

    /// Which coder.
    pub const fn mode(self) -> OpusMode {
        match self.config() {
            0..=11 => OpusMode::Silk,
            12..=15 => OpusMode::Hybrid,
            _ => OpusMode::Celt,
        }
    }

    /// How much of the spectrum.
    pub const fn bandwidth(self) -> OpusBandwidth {
        match self.config() {
            0..=3 | 16..=19 => OpusBandwidth::Narrow,
            4..=7 => OpusBandwidth::Medium,
            8..=11 | 20..=23 => OpusBandwidth::Wide,
            12 | 13 | 24..=27 => OpusBandwidth::SuperWide,
            _ => OpusBandwidth::Full,
        }
    }

    /// Two channels.
    pub const fn stereo(self) -> bool {
        self.0 & 4 != 0
    }

    /// 1 or 2.
    pub const fn channels(self) -> u8 {
        if self.stereo() { 2 } else { 1 }
    }

    /// How frames are packed: 0 one, 1 two of equal size, 2 two, 3 any number (RFC 6716 §3.2).
    pub const fn code(self) -> u8 {
        self.0 & 3
    }

    /// Ticks of 48 kHz in one frame (RFC 6716 table 2): 120 to 2880.
    pub const fn frame_ticks(self) -> u32 {
        match self.config() {
            // SILK: 10, 20, 40, 60 ms.
            c @ 0..=11 => match c & 3 {
                0 => 480,
                1 => 960,
                2 => 1920,
                _ => 2880,
            },
            // Hybrid: 10, 20 ms.
            c @ 12..=15 => 480 << (c & 1),
            // CELT: 2.5, 5, 10, 20 ms.
            c => 120 << (c & 3),
        }
    }
}

/// Ticks of 48 kHz that an Opus payload lasts; `None` for a payload that cannot be Opus: empty, code 3 without its count
/// or with none, or longer than 120 ms (RFC 6716 §3.4 R1, R5). It looks at two bytes only: [`OpusPacket`] checks them all.
pub fn ticks(payload: &[u8]) -> Option<u32> {
    let toc = OpusToc::parse(payload)?;
    let frames = match toc.code() {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    let ticks = frames * toc.frame_ticks();
    (1..=MAX_TICKS).contains(&ticks).then_some(ticks)
}

/// Whether the payload holds no sound: at most two bytes, which is what the encoder gives when discontinuous
/// transmission has nothing to say (RFC 7587 §3.1.3; RFC 6716 §2.1.9).
pub const fn is_dtx(payload: &[u8]) -> bool {
    payload.len() <= 2
}

/// 120 ms (RFC 6716 §3.4 R5).
const MAX_TICKS: u32 = 5_760;
/// Bytes of the longest frame (RFC 6716 §3.4 R2).
const MAX_FRAME: usize = 1_275;

/// An Opus packet whose framing keeps all rules of RFC 6716 §3.4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpusPacket<'a> {
    toc: OpusToc,
    count: u8,
    /// The lengths of all frames but the last, where they differ.
    lengths: Option<&'a [u8]>,
    data: &'a [u8],
    padding: usize,
}

impl<'a> OpusPacket<'a> {
    /// Reads a payload. [`Error::TooShort`] for an empty one (R1), [`Error::Value`] for no frame or more than 120 ms (R5) and
    /// for a frame above 1,275 bytes (R2), [`Error::Descriptor`] where lengths do not fit the payload (R3, R4, R6, R7).
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        let toc = OpusToc::parse(payload).ok_or(Error::TooShort)?;
        let body = payload.get(1..).unwrap_or(&[]);
        let mut out = Self { toc, count: 1, lengths: None, data: body, padding: 0 };
        match toc.code() {
            0 => {}
            1 => out.count = 2,
            2 => {
                out.count = 2;
                out.split_lengths(body)?;
            }
            _ => out.read_count(body)?,
        }
        out.check()?;
        Ok(out)
    }

    /// Code 3: a count with two flags, how much padding there is, lengths (RFC 6716 §3.2.5).
    fn read_count(&mut self, body: &'a [u8]) -> Result<(), Error> {
        let (&head, mut body) = body.split_first().ok_or(Error::Descriptor)?;
        self.count = head & 0x3f;
        if head & 0x40 != 0 {
            // 255 stands for 254 bytes and another byte of the number.
            loop {
                let (&more, rest) = body.split_first().ok_or(Error::Descriptor)?;
                body = rest;
                self.padding += usize::from(more.min(254));
                if more < 255 {
                    break;
                }
            }
            let kept = body.len().checked_sub(self.padding).ok_or(Error::Descriptor)?;
            body = body.get(..kept).unwrap_or(&[]);
        }
        self.data = body;
        if head & 0x80 != 0 { self.split_lengths(body) } else { Ok(()) }
    }

    /// Takes the lengths of all frames but the last off the front.
    fn split_lengths(&mut self, body: &'a [u8]) -> Result<(), Error> {
        let mut rest = body;
        for _ in 1..self.count {
            (_, rest) = split_length(rest).ok_or(Error::Descriptor)?;
        }
        self.lengths = body.get(..body.len() - rest.len());
        self.data = rest;
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        if self.count == 0 || self.ticks() > MAX_TICKS {
            return Err(Error::Value);
        }
        if self.lengths.is_none() && self.data.len() % usize::from(self.count) != 0 {
            return Err(Error::Descriptor);
        }
        let (mut frames, mut longest) = (0, 0);
        for frame in self.frames() {
            (frames, longest) = (frames + 1, longest.max(frame.len()));
        }
        match longest {
            _ if frames != self.count => Err(Error::Descriptor),
            0..=MAX_FRAME => Ok(()),
            _ => Err(Error::Value),
        }
    }

    /// The first byte.
    pub const fn toc(&self) -> OpusToc {
        self.toc
    }

    /// How many frames: 1 to 48.
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// Ticks of 48 kHz that it lasts: 120 to 5760.
    pub const fn ticks(&self) -> u32 {
        self.count as u32 * self.toc.frame_ticks()
    }

    /// Bytes of Opus's own padding.
    pub const fn padding(&self) -> usize {
        self.padding
    }

    /// The frames, in order. One of no bytes stands for a lost or untransmitted frame (RFC 6716 §3.4 after R7).
    pub fn frames(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Self { lengths, data, count, .. } = *self;
        let (mut lengths_left, mut left) = (lengths, data);
        let equal = data.len() / usize::from(count.max(1));
        (0..count).map_while(move |i| {
            let len = match &mut lengths_left {
                Some(_) if i + 1 == count => left.len(),
                Some(lengths) => {
                    let (len, rest) = split_length(lengths)?;
                    *lengths = rest;
                    len
                }
                None => equal,
            };
            let (frame, rest) = left.split_at_checked(len)?;
            left = rest;
            Some(frame)
        })
    }

    /// Whether no frame holds sound: each has at most one byte.
    pub fn is_silent(&self) -> bool {
        self.frames().all(|f| f.len() <= 1)
    }
}

/// A length of one byte up to 251, of two above (RFC 6716 §3.2.1).
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [a, ref rest @ ..] if a < 252 => Some((a.into(), rest)),
        [a, b, ref rest @ ..] => Some((usize::from(b) * 4 + usize::from(a), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn durations_as_table_2_has_them() {
        assert_eq!(ticks(&[0x78]), Some(960)); // hybrid, 20 ms
        assert_eq!(ticks(&[0xfc, 1]), Some(960)); // CELT fullband, 20 ms, stereo
        assert_eq!(ticks(&[0x03, 0x0c]), Some(5760)); // SILK 10 ms × 12
        assert_eq!(ticks(&[0x1b, 3]), None); // 180 ms
        assert_eq!(ticks(&[0x19]), Some(5760)); // 60 ms × 2
        assert_eq!(ticks(&[0x83]), None);
        assert_eq!(ticks(&[0x83, 0x40]), None);
        assert_eq!(ticks(&[]), None);
        assert!(is_dtx(&[0x78]));
    }

    #[test]
    fn every_toc_has_a_frame_length() {
        for b in 0..=255 {
            let toc = OpusToc(b);
            assert!((120..=2880).contains(&toc.frame_ticks()));
            assert_eq!(OpusToc::new(toc.config(), toc.stereo(), toc.code()), Some(toc));
        }
        assert_eq!(OpusToc::new(32, false, 0), None);
        let toc = OpusToc(0x78);
        assert_eq!((toc.mode(), toc.bandwidth(), toc.channels()), (OpusMode::Hybrid, OpusBandwidth::Full, 1));
    }

    /// A packet of frames under a code, as RFC 6716 §3.2 lays it out; `None` where the code cannot hold them.
    fn packed(config: u8, code: u8, frames: &[Vec<u8>], padding: usize) -> Option<Vec<u8>> {
        let same = frames.iter().all(|f| f.len() == frames[0].len());
        let fits = match code {
            0 => frames.len() == 1,
            1 => frames.len() == 2 && same,
            2 => frames.len() == 2,
            _ => true,
        };
        let mut out = std::vec![OpusToc::new(config, true, code)?.get()];
        let vbr = code == 2 || code == 3 && !same;
        if code == 3 {
            out.push(u8::from(vbr) << 7 | u8::from(padding > 0) << 6 | frames.len() as u8);
            if padding > 0 {
                // The bytes that say the number are not counted.
                out.extend(std::vec![255; padding / 254]);
                out.push((padding % 254) as u8);
            }
        }
        if vbr {
            for f in &frames[..frames.len() - 1] {
                match f.len() {
                    n @ 0..=251 => out.push(n as u8),
                    n => out.extend([252 + (n % 4) as u8, ((n - 252) / 4) as u8]),
                }
            }
        }
        out.extend(frames.concat());
        out.extend(std::vec![0; if code == 3 { padding } else { 0 }]);
        fits.then_some(out)
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn frames_are_found_under_every_code(
            frames in prop_oneof![
                vec(vec(any::<u8>(), 0..300), 1..4), vec(Just(std::vec![7; 9]), 1..9), vec(vec(any::<u8>(), 1275), 1..3),
            ],
            // CELT, 2.5 ms: any number fits 120 ms.
            config in 28u8..=28, code in 0u8..4, padding in prop_oneof![0usize..4, 250usize..520],
        ) {
            let Some(bytes) = packed(config, code, &frames, padding) else { return Ok(()) };
            let p = OpusPacket::parse(&bytes).unwrap();
            prop_assert_eq!((usize::from(p.count()), p.padding()), (frames.len(), if code == 3 { padding } else { 0 }));
            prop_assert_eq!(p.frames().collect::<Vec<_>>(), frames.iter().map(|f| &f[..]).collect::<Vec<_>>());
            prop_assert_eq!(Some(p.ticks()), ticks(&bytes));
            prop_assert_eq!(p.is_silent(), frames.iter().all(|f| f.len() < 2));
        }

        #[test]
        fn any_packet(bytes in vec(any::<u8>(), 0..80)) {
            match OpusPacket::parse(&bytes) {
                Ok(p) => {
                    prop_assert_eq!(Some(p.ticks()), ticks(&bytes));
                    let total: usize = p.frames().map(<[u8]>::len).sum();
                    prop_assert!(total + p.padding() < bytes.len() && p.frames().count() == usize::from(p.count()));
                }
                Err(e) => prop_assert!([Error::TooShort, Error::Value, Error::Descriptor].contains(&e)),
            }
        }
    }

    #[test]
    fn broken_framing_is_refused() {
        for (bytes, error) in [
            (&[][..], Error::TooShort),
            (&[0xf9, 1, 2, 3], Error::Descriptor),
            (&[0xfa, 252], Error::Descriptor),
            (&[0xfa, 3, 1, 2], Error::Descriptor),
            (&[0xfb], Error::Descriptor),
            (&[0xfb, 0], Error::Value),
            (&[0xfb, 0x42, 9, 1, 2], Error::Descriptor),
            (&[0xfb, 2, 1, 2, 3], Error::Descriptor),
            (&[0x1b, 3, 1, 2, 3], Error::Value),
            (&[0xf8; 1277], Error::Value),
        ] {
            assert_eq!(OpusPacket::parse(bytes), Err(error), "{bytes:?}");
        }
    }
}
