//! Opus in RTP (RFC 7587; the bitstream is RFC 6716).

/// The table-of-contents byte that starts each Opus packet (RFC 6716 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpusToc(u8);

impl OpusToc {
    /// `None` for an empty payload, which Opus forbids (RFC 6716 §3.4 requirement R1).
    pub const fn parse(payload: &[u8]) -> Option<Self> {
        match payload {
            [toc, ..] => Some(Self(*toc)),
            [] => None,
        }
    }

    /// Mode, bandwidth and frame size: 0 to 31 (RFC 6716 table 2).
    pub const fn config(self) -> u8 {
        self.0 >> 3
    }

    /// Two channels.
    pub const fn stereo(self) -> bool {
        self.0 & 4 != 0
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
/// or with none, or longer than 120 ms (RFC 6716 §3.4 R1, R5).
pub fn ticks(payload: &[u8]) -> Option<u32> {
    let toc = OpusToc::parse(payload)?;
    let frames = match toc.code() {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    let ticks = frames * toc.frame_ticks();
    (1..=5760).contains(&ticks).then_some(ticks)
}

/// Whether the payload holds no sound: at most two bytes, which is what the encoder gives when discontinuous
/// transmission has nothing to say (RFC 7587 §3.1.3; RFC 6716 §2.1.9).
pub const fn is_dtx(payload: &[u8]) -> bool {
    payload.len() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!((120..=2880).contains(&OpusToc(b).frame_ticks()));
        }
    }
}
