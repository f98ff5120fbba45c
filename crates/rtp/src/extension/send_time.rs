//! When a packet left.

use crate::Time;

/// The moment of sending on the sender's clock: 24 bits, seconds in 6.18 fixed point, wrapping every 64 s
/// (the absolute send time of the WebRTC project, `abs-send-time`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AbsSendTime(u32);

impl AbsSendTime {
    /// The stamp of a moment.
    pub const fn from_time(time: Time) -> Self {
        // It comes round after 64 seconds, so no more of the time than that counts.
        let micros = time.as_micros() % 64_000_000;
        Self(((micros << 18) / 1_000_000) as u32)
    }

    /// Reads an element's value: three bytes.
    pub const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            [a, b, c] => Some(Self(u32::from_be_bytes([0, *a, *b, *c]))),
            _ => None,
        }
    }

    /// The element's value.
    pub const fn write(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// The 24 bits: units of 2⁻¹⁸ s.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Signed distance from `earlier` in microseconds, right while the two are less than 32 s apart.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        // To the top of the word and back, so that the wrap at 24 bits becomes that of an i32.
        let units = ((self.0.wrapping_sub(earlier.0) << 8) as i32 >> 8) as i64;
        (units * 1_000_000) >> 18
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn every_value_is_read_and_written_back(bytes: [u8; 3], micros in 0u64..1 << 50, later in 0u32..31_000_000) {
            prop_assert_eq!(AbsSendTime::parse(&bytes).map(AbsSendTime::write), Some(bytes));
            // Units of 3.8 µs, at each end.
            let [a, b] = [micros, micros + u64::from(later)].map(|m| AbsSendTime::from_time(Time::from_micros(m)));
            prop_assert!((b.micros_since(a) - i64::from(later)).abs() <= 8);
            prop_assert!((a.micros_since(b) + i64::from(later)).abs() <= 8);
        }
    }

    #[test]
    fn distance_crosses_the_wrap_of_64_seconds() {
        let at = |ms| AbsSendTime::from_time(Time::from_millis(ms));
        assert_eq!(at(64_000), at(0));
        assert_eq!(at(1_000).get(), 1 << 18);
        assert_eq!(at(64_250).micros_since(at(63_750)), 500_000);
        assert_eq!(at(63_750).micros_since(at(64_250)), -500_000);
        assert_eq!(AbsSendTime::parse(&at(33_333).write()), Some(at(33_333)));
        assert_eq!(AbsSendTime::parse(&[0; 4]), None);
        let _ = AbsSendTime::from_time(Time::NEVER);
    }
}
