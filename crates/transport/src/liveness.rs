//! Whether a peer is still there.

use salon_rtp::Time;

use crate::GoneReason;
use crate::limits::{CONNECT_WITHIN, GONE_AFTER, SILENT_AFTER};

/// When a peer was heard last, judged by packets that only it can have made. The ICE library's own notion takes 15 s, and
/// knows nothing of media.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Liveness {
    added: Time,
    heard: Time,
    connected: bool,
    silent: bool,
}

/// What a timer found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Silent,
    Gone(GoneReason),
}

impl Liveness {
    pub(crate) fn new(now: Time) -> Self {
        Self { added: now, heard: now, connected: false, silent: false }
    }

    pub(crate) fn connect(&mut self, now: Time) {
        self.connected = true;
        self.heard = self.heard.max(now);
    }

    pub(crate) fn heard(&self) -> Time {
        self.heard
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// An authenticated packet came. Whether the peer was silent.
    pub(crate) fn hear(&mut self, now: Time) -> bool {
        self.heard = self.heard.max(now);
        core::mem::take(&mut self.silent)
    }

    /// When [`check`](Self::check) is to be called next.
    pub(crate) fn due(&self) -> Time {
        match (self.connected, self.silent) {
            (false, _) => self.added.plus(CONNECT_WITHIN),
            (true, false) => self.heard.plus(SILENT_AFTER),
            (true, true) => self.heard.plus(GONE_AFTER),
        }
    }

    pub(crate) fn check(&mut self, now: Time) -> Option<Change> {
        if now < self.due() {
            return None;
        }
        if !self.connected {
            return Some(Change::Gone(GoneReason::NeverConnected));
        }
        if now >= self.heard.plus(GONE_AFTER) {
            return Some(Change::Gone(GoneReason::Silence));
        }
        self.silent = true;
        Some(Change::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    #[test]
    fn silent_after_eight_seconds_gone_after_thirty_to_the_microsecond() {
        let at = Time::from_micros;
        let mut l = Liveness::new(at(0));
        l.connect(at(S));
        assert_eq!(l.due(), at(9 * S));
        assert_eq!(l.check(at(9 * S - 1)), None);
        assert_eq!(l.check(at(9 * S)), Some(Change::Silent));
        assert_eq!(l.check(at(31 * S - 1)), None);
        assert!(l.hear(at(31 * S - 1)));
        assert!(!l.hear(at(31 * S - 1)));
        assert_eq!(l.check(at(39 * S - 1)), Some(Change::Silent));
        assert_eq!(l.due(), at(61 * S - 1));
        assert_eq!(l.check(at(61 * S - 1)), Some(Change::Gone(GoneReason::Silence)));
    }

    #[test]
    fn who_never_connects_is_gone_after_thirty_seconds_whatever_it_says() {
        let mut l = Liveness::new(Time::ZERO);
        assert!(!l.hear(Time::from_micros(29 * S)));
        assert_eq!(l.check(Time::from_micros(30 * S - 1)), None);
        assert_eq!(l.check(Time::from_micros(30 * S)), Some(Change::Gone(GoneReason::NeverConnected)));
    }
}
