//! The packets that are missing.

use core::time::Duration;
use salon_rtp::{SeqNo, Time};
use std::collections::BTreeMap;

/// Figures of libwebrtc's `NackRequester`: entries, tries of one, and how far back it looks.
const MAX: usize = 1_000;
const TRIES: u32 = 10;
const AGE: u64 = 10_000;

#[derive(Clone, Debug, Default)]
pub(super) struct NackList {
    newest: Option<SeqNo>,
    missing: BTreeMap<SeqNo, Entry>,
    overflow: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    since: Time,
    sent: Option<Time>,
    tries: u32,
}

impl NackList {
    pub(super) fn len(&self) -> usize {
        self.missing.len()
    }

    /// A packet came, by whichever way; whether it had been missing.
    pub(super) fn arrived(&mut self, now: Time, seq: SeqNo) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(seq);
            return false;
        };
        if seq <= newest {
            return self.missing.remove(&seq).is_some();
        }
        self.newest = Some(seq);
        self.missing = self.missing.split_off(&SeqNo(seq.0.saturating_sub(AGE)));
        if self.missing.len() as u64 + (seq.since(newest) - 1) > MAX as u64 {
            // Too much is gone: only a key frame helps.
            self.missing.clear();
            self.overflow = true;
            return false;
        }
        for n in newest.0 + 1..seq.0 {
            self.missing.insert(SeqNo(n), Entry { since: now, sent: None, tries: 0 });
        }
        false
    }

    /// What to ask for now; how many were given up; whether there is too much.
    pub(super) fn due(&mut self, now: Time, rtt: Duration, reorder: Duration) -> (Vec<SeqNo>, u64, bool) {
        let before = self.missing.len();
        let is_due = |e: &Entry| match e.sent {
            None => now.since(e.since) >= reorder,
            Some(at) => now.since(at) >= rtt,
        };
        self.missing.retain(|_, e| e.tries < TRIES || !is_due(e));
        let abandoned = (before - self.missing.len()) as u64;
        let mut ask = Vec::new();
        for (seq, e) in self.missing.iter_mut().filter(|(_, e)| is_due(e)) {
            (e.sent, e.tries) = (Some(now), e.tries + 1);
            ask.push(*seq);
        }
        (ask, abandoned, core::mem::take(&mut self.overflow))
    }
}
