//! When a picture or a sound was captured.

use crate::NtpTime;

/// The moment of capture on the clock of who captured it, the same through mixers and forwarders (the absolute capture time
/// of the WebRTC project, `abs-capture-time`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CaptureTime {
    /// The moment on the capturer's wall clock.
    pub time: NtpTime,
    /// How far that clock is ahead of the sender's, as the sender estimates it; absent where both are the same machine or
    /// the sender says nothing.
    pub clock_offset: Option<ClockOffset>,
}

impl CaptureTime {
    /// The longest value.
    pub const MAX: usize = 16;

    /// Reads an element's value: eight bytes, or sixteen with the offset.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (&time, rest) = value.split_first_chunk()?;
        let clock_offset = match rest {
            [] => None,
            _ => Some(ClockOffset(i64::from_be_bytes(rest.try_into().ok()?))),
        };
        Some(Self { time: NtpTime(u64::from_be_bytes(time)), clock_offset })
    }

    /// The element's value, and how many of these bytes it is: 8 or 16.
    pub fn write(self) -> ([u8; Self::MAX], usize) {
        let mut out = [0; Self::MAX];
        let (time, offset) = out.split_at_mut(8);
        time.copy_from_slice(&self.time.0.to_be_bytes());
        let Some(o) = self.clock_offset else { return (out, 8) };
        offset.copy_from_slice(&o.0.to_be_bytes());
        (out, Self::MAX)
    }
}

/// A signed distance between clocks, in units of 2⁻³² s.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClockOffset(pub i64);

impl ClockOffset {
    /// `micros` microseconds; what 32 bits of seconds cannot hold is clamped.
    pub const fn from_micros(micros: i64) -> Self {
        let units = ((micros as i128) << 32) / 1_000_000;
        Self(if units > i64::MAX as i128 {
            i64::MAX
        } else if units < i64::MIN as i128 {
            i64::MIN
        } else {
            units as i64
        })
    }

    /// Microseconds, rounded to the nearest.
    pub const fn as_micros(self) -> i64 {
        ((self.0 as i128 * 1_000_000 + (1 << 31)) >> 32) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn written_is_read_back(time: u64, offset: Option<i64>) {
            let t = CaptureTime { time: NtpTime(time), clock_offset: offset.map(ClockOffset) };
            let (bytes, len) = t.write();
            prop_assert_eq!(CaptureTime::parse(&bytes[..len]), Some(t));
            for n in (0..=len + 1).filter(|n| ![8, 16].contains(n)) {
                prop_assert_eq!(CaptureTime::parse(&[0; 17][..n]), None);
            }
        }

        #[test]
        fn microseconds_survive(micros in -2_000_000_000_000_000i64..2_000_000_000_000_000) {
            prop_assert_eq!(ClockOffset::from_micros(micros).as_micros(), micros);
        }
    }

    #[test]
    fn what_does_not_fit_is_clamped() {
        assert_eq!(ClockOffset::from_micros(i64::MAX), ClockOffset(i64::MAX));
        assert_eq!(ClockOffset::from_micros(i64::MIN), ClockOffset(i64::MIN));
    }
}
