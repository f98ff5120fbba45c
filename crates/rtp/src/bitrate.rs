//! Rates.

use core::time::Duration;

/// A rate in bits per second. Arithmetic saturates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Bitrate(u64);

impl Bitrate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// No bound.
    pub const MAX: Self = Self(u64::MAX);

    /// `bps` bits per second.
    pub const fn from_bps(bps: u64) -> Self {
        Self(bps)
    }

    /// `kbps` kilobits (1,000 bits) per second.
    pub const fn from_kbps(kbps: u64) -> Self {
        Self(kbps.saturating_mul(1_000))
    }

    /// Bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// The rate at which `bytes` pass in `over`; zero if no time passes.
    pub fn of(bytes: u64, over: Duration) -> Self {
        let micros = over.as_micros();
        if micros == 0 {
            return Self::ZERO;
        }
        Self(u64::try_from(u128::from(bytes) * 8_000_000 / micros).unwrap_or(u64::MAX))
    }

    /// Whole bytes that pass in `time` at this rate.
    pub fn bytes_in(self, time: Duration) -> u64 {
        u64::try_from(u128::from(self.0) * time.as_micros() / 8_000_000).unwrap_or(u64::MAX)
    }

    /// The sum.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least zero.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This rate times `percent` / 100.
    pub const fn percent(self, percent: u64) -> Self {
        Self((self.0 as u128 * percent as u128 / 100) as u64)
    }
}
