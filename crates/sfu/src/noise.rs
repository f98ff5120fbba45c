//! How loud a voice is above its noise.

use core::time::Duration;
use salon_rtp::Time;

/// What a voice's noise is taken for until it is known, as a volume: −77 dBov. A louder start would miss who joins
/// speaking.
const START: u8 = 50;
/// Noise is never taken for louder than this (−50 dBov), so that who speaks without a pause, or music, stays heard.
const MOST: u8 = 77;
/// The noise rises only if nothing quieter came for this long: longer than people speak without a breath.
const WINDOW: Duration = Duration::from_secs(15);

/// Noise is taken to lie above its least by so much at most: a room's noise swings by a few dB from packet to packet.
const SWING: u8 = 10;

/// Loudness as a number that rises with it: 0 for silence, 127 for full scale (RFC 6464 §3 counts the other way).
pub(crate) fn volume(level: u8) -> u8 {
    127 - level.min(127)
}

/// The volume of a voice's background: falls at once, rises half way to the least of each window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    floor: u8,
    /// Mean volume of what is taken for noise, in sixteenths of dB.
    mean: u16,
    least: u8,
    since: Time,
}

impl Noise {
    pub(crate) const fn new() -> Self {
        Self { floor: START, mean: START as u16 * 16, least: MOST, since: Time::ZERO }
    }

    pub(crate) const fn get(&self) -> u8 {
        self.floor
    }

    /// Where the noise lies as a rule: its least is below, for a microphone without DTX by some dB.
    pub(crate) fn usual(&self) -> u8 {
        let mean = u8::try_from(self.mean / 16).unwrap_or(MOST);
        mean.clamp(self.floor, self.floor.saturating_add(SWING)).min(MOST.max(self.floor))
    }

    /// A packet is taken for noise, not for speech.
    pub(crate) fn quiet(&mut self, volume: u8) {
        if volume > 0 {
            self.mean = self.mean - self.mean / 16 + u16::from(volume);
        }
    }

    /// Digital silence (0) is a gate or a mute and tells nothing of the room's noise.
    pub(crate) fn push(&mut self, now: Time, volume: u8) {
        if volume == 0 {
            return;
        }
        if volume <= self.floor {
            *self = Self { floor: volume, least: MOST, since: now, ..*self };
            return;
        }
        self.least = self.least.min(volume);
        if now.since(self.since) >= WINDOW {
            let floor = self.floor + (self.least - self.floor).div_ceil(2);
            *self = Self { floor, least: MOST, since: now, ..*self };
        }
    }
}

/// Opus payloads up to this size hold no sound: DTX sends one or two bytes (RFC 6716 §3.1), libopus codes digital silence
/// in three.
const SILENCE: usize = 3;
/// A gap this long was DTX: what comes after it is an onset. Comfort noise comes each 400 ms.
const GAP: Duration = Duration::from_millis(200);
/// A sender that has used DTX does so for at least this long: nobody speaks a minute without a breath.
const DTX_FOR: Duration = Duration::from_secs(60);
/// The levels given to speech, to background, and to what cannot be told apart: that one must not be active for the
/// floor ([`speaker`](crate::speaker)), where it would never pause.
const SPEECH: u8 = 30;
const BACKGROUND: u8 = 90;
const UNKNOWN: u8 = 60;

/// A level for publishers that send none, from the size of their packets and their gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Synthetic {
    /// Smallest and largest payload: of the windows before, and of this one.
    low: u16,
    high: u16,
    low_now: u16,
    high_now: u16,
    since: Time,
    last: Option<Time>,
    /// When DTX was last seen: then what is sent is speech.
    dtx: Option<Time>,
}

impl Synthetic {
    pub(crate) const fn new() -> Self {
        Self {
            low: u16::MAX,
            high: 0,
            low_now: u16::MAX,
            high_now: 0,
            since: Time::ZERO,
            last: None,
            dtx: None,
        }
    }

    /// The level of a packet, and whether it is one that cannot be told (constant bitrate).
    pub(crate) fn push(&mut self, now: Time, payload: usize) -> (u8, bool) {
        let gap = self.last.is_some_and(|l| now.since(l) >= GAP);
        if payload <= SILENCE {
            self.dtx = Some(now);
            return (127, false);
        }
        self.last = Some(now);
        let size = u16::try_from(payload).unwrap_or(u16::MAX);
        if now.since(self.since) >= WINDOW {
            if self.high_now > 0 {
                (self.low, self.high) = (self.low_now, self.high_now);
            }
            (self.low_now, self.high_now, self.since) = (u16::MAX, 0, now);
        }
        (self.low_now, self.high_now) = (self.low_now.min(size), self.high_now.max(size));
        let (low, high) = (self.low.min(self.low_now), self.high.max(self.high_now));
        if gap {
            self.dtx = Some(now);
        }
        if self.dtx.is_some_and(|t| now.since(t) < DTX_FOR) {
            return (SPEECH, false);
        }
        if u32::from(high) * 2 < u32::from(low) * 3 {
            return (UNKNOWN, true);
        }
        (if size - low >= (high - low) / 3 { SPEECH } else { BACKGROUND }, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_falls_at_once_and_rises_slowly() {
        let mut n = Noise::new();
        n.push(Time::ZERO, 35);
        assert_eq!(n.get(), 35);
        for t in 0..29_000 / 20 {
            n.push(Time::from_millis(20 * t), 55);
        }
        assert_eq!(n.get(), 45);
        for t in 29_000 / 20..120_000 / 20 {
            n.push(Time::from_millis(20 * t), 120);
        }
        assert!(n.get() <= MOST);
        n.push(Time::from_millis(120_000), 0);
        assert!(n.get() > 45);
    }
}
