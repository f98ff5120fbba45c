//! How loud a packet of sound is.

/// The level of the sound in a packet (RFC 6464 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AudioLevel {
    /// Minus decibels of overload: 0 is the loudest, 127 is silence.
    pub level: u8,
    /// Whether the sender believes that it is speech. Senders disagree about it: decide nothing by it alone.
    pub voice: bool,
}

impl AudioLevel {
    /// Digital silence.
    pub const SILENCE: Self = Self { level: 127, voice: false };

    /// `level` in −dBov; above 127 it is taken as 127.
    pub const fn new(level: u8, voice: bool) -> Self {
        Self { level: if level > 127 { 127 } else { level }, voice }
    }

    /// Reads an element's value: one byte, whichever form carries it (RFC 6464 §3). The two-byte form's figure shows a
    /// byte of padding after it, which [`Elements`](super::Elements) skips.
    pub const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            [v] => Some(Self { level: *v & 0x7f, voice: *v & 0x80 != 0 }),
            _ => None,
        }
    }

    /// The element's value.
    pub const fn write(self) -> [u8; 1] {
        [(self.voice as u8) << 7 | self.level & 0x7f]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_and_written_back() {
        for b in 0..=255u8 {
            assert_eq!(AudioLevel::parse(&[b]).unwrap().write(), [b]);
        }
        assert_eq!(AudioLevel::parse(&[]), None);
        assert_eq!(AudioLevel::parse(&[1, 0]), None);
        assert_eq!(AudioLevel::new(200, false), AudioLevel::SILENCE);
    }
}
