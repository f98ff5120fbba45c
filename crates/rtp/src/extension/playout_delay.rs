//! How long a receiver should hold a picture back.

use core::time::Duration;

/// The limits within which a receiver should choose its delay between capture and display (`playout-delay` of the WebRTC
/// project): 0 for both is "at once", for games and remote desktops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PlayoutDelay {
    min: u16,
    max: u16,
}

impl PlayoutDelay {
    /// The longest delay that can be said: 40.95 s.
    pub const MAX: Duration = Duration::from_millis(40_950);
    /// One unit: 10 ms.
    const UNIT: u128 = 10;

    /// Limits rounded down to 10 ms and clamped to [`MAX`](Self::MAX); `None` if the least is above the greatest.
    pub fn new(min: Duration, max: Duration) -> Option<Self> {
        let units = |d: Duration| (d.min(Self::MAX).as_millis() / Self::UNIT) as u16;
        (min <= max).then(|| Self { min: units(min), max: units(max) })
    }

    /// Reads an element's value: three bytes. `None` too if the least is above the greatest, which says nothing.
    pub const fn parse(value: &[u8]) -> Option<Self> {
        let [a, b, c] = value else { return None };
        let min = (*a as u16) << 4 | (*b as u16) >> 4;
        let max = (*b as u16 & 0x0f) << 8 | *c as u16;
        if min > max { None } else { Some(Self { min, max }) }
    }

    /// The element's value.
    pub const fn write(self) -> [u8; 3] {
        [(self.min >> 4) as u8, (self.min << 4) as u8 | (self.max >> 8) as u8, self.max as u8]
    }

    /// The least delay.
    pub const fn min(self) -> Duration {
        Duration::from_millis(10 * self.min as u64)
    }

    /// The greatest delay.
    pub const fn max(self) -> Duration {
        Duration::from_millis(10 * self.max as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn every_value_is_read_and_written_back(bytes: [u8; 3]) {
            match PlayoutDelay::parse(&bytes) {
                Some(d) => {
                    prop_assert_eq!(d.write(), bytes);
                    prop_assert_eq!(PlayoutDelay::new(d.min(), d.max()), Some(d));
                }
                None => prop_assert!(bytes[0] as u16 * 16 + (bytes[1] >> 4) as u16 > (bytes[1] & 15) as u16 * 256 + bytes[2] as u16),
            }
        }
    }

    #[test]
    fn limits_are_in_units_of_ten_milliseconds() {
        let ms = Duration::from_millis;
        let d = PlayoutDelay::new(ms(109), Duration::MAX).unwrap();
        assert_eq!((d.min(), d.max(), d.write()), (ms(100), PlayoutDelay::MAX, [0, 0xaf, 0xff]));
        assert_eq!(PlayoutDelay::new(ms(2), ms(1)), None);
        assert_eq!(PlayoutDelay::parse(&[0; 2]), None);
    }
}
