//! The frames that wait to be decoded, and those that were.

use super::references::RefersTo;
use super::{Decoded, DecoderReport};
use crate::Tag;
use core::time::Duration;
use salon_rtp::payload::vp8::Vp8Fields;
use salon_rtp::{RtpTime, SeqNo, Time};
use std::collections::{BTreeMap, BTreeSet};

/// A frame of which every packet came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Complete {
    pub(super) tag: Tag,
    pub(super) key: bool,
    /// Its tags agree: one frame, all of it.
    pub(super) whole: bool,
    pub(super) timestamp: RtpTime,
    /// When its last packet came.
    pub(super) at: Time,
    /// The number before its first, padding passed over.
    pub(super) before: SeqNo,
    pub(super) last: SeqNo,
    pub(super) fields: Vp8Fields,
}

/// Frames that wait at most (libwebrtc's frame buffer).
const WAITING: usize = 800;
/// Frame ids and numbers that are remembered as decoded.
const REMEMBERED: usize = 1_000;

#[derive(Clone, Debug)]
pub(super) struct Playout {
    wait: Duration,
    waiting: BTreeMap<i64, (RefersTo, Complete)>,
    done: BTreeSet<i64>,
    last: Option<(i64, RtpTime, Time)>,
    truth: Truth,
    decoded: u64,
    corrupt: u64,
    longest_gap: Duration,
}

impl Playout {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            wait,
            waiting: BTreeMap::new(),
            done: BTreeSet::new(),
            last: None,
            truth: Truth::default(),
            decoded: 0,
            corrupt: 0,
            longest_gap: Duration::ZERO,
        }
    }

    pub(super) fn insert(&mut self, id: i64, refers_to: RefersTo, frame: Complete) {
        if let Some((last, timestamp, _)) = self.last {
            if id <= last {
                // A key frame with an older id is believed if its timestamp is newer: the sender began anew.
                if !frame.key || frame.timestamp.since(timestamp) <= 0 {
                    return;
                }
                self.waiting.clear();
                self.done.clear();
                self.last = None;
            }
        }
        if self.waiting.len() == WAITING {
            if !frame.key {
                return;
            }
            self.waiting.clear();
        }
        self.waiting.insert(id, (refers_to, frame));
    }

    /// The next frame that can be decoded: the first of which all is there that it refers to. It passes over what is
    /// missing before it only when it has waited.
    pub(super) fn next(&mut self, now: Time) -> Option<Decoded> {
        let (&id, (_, frame)) = self
            .waiting
            .iter()
            .find(|(_, (refers_to, _))| refers_to.iter().all(|r| self.done.contains(r)))?;
        let frame = *frame;
        let follows = self.last.is_some_and(|(last, ..)| match frame.fields.picture_id {
            Some(_) => id == last + 1,
            None => frame.before.0 as i64 == last,
        });
        if !follows && self.last.is_some() && now < frame.at.plus(self.wait) {
            return None;
        }
        // What lies before it cannot be decoded any more.
        self.waiting = self.waiting.split_off(&(id + 1));
        self.done.insert(id);
        if self.done.len() > REMEMBERED {
            self.done.pop_first();
        }
        // The end of time, when all that is left is decoded, is no time.
        let at = if now == Time::NEVER { frame.at } else { now };
        if let Some((.., before)) = self.last {
            self.longest_gap = self.longest_gap.max(at.since(before));
        }
        self.last = Some((id, frame.timestamp, at));
        self.decoded += 1;
        if !self.truth.holds(&frame) {
            self.corrupt += 1;
        }
        Some(Decoded { tag: frame.tag, at, timestamp: frame.timestamp })
    }

    pub(super) fn last_at(&self) -> Option<Time> {
        self.last.map(|(.., at)| at)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.waiting.len() + self.done.len() + self.truth.frames.len()
    }

    pub(super) fn report(&self, report: &mut DecoderReport) {
        (report.decoded, report.corrupt) = (self.decoded, self.corrupt);
        report.longest_gap = self.longest_gap;
    }
}

/// What the decoder's buffers truly hold.
#[derive(Clone, Debug, Default)]
struct Truth {
    stream: Option<(u32, u8, u8)>,
    frames: BTreeSet<u32>,
}

impl Truth {
    /// Whether the frame's picture comes out right: it is whole, and all that it refers to came out.
    fn holds(&mut self, frame: &Complete) -> bool {
        let Tag { key, references, frame: number, .. } = frame.tag;
        if key && frame.whole {
            (self.stream, self.frames) = (Some(frame.tag.stream()), BTreeSet::from([number]));
            return true;
        }
        let right = frame.whole
            && self.stream == Some(frame.tag.stream())
            && references
                .iter()
                .filter(|&&r| r > 0)
                .all(|&r| number.checked_sub(r.into()).is_some_and(|n| self.frames.contains(&n)));
        if right {
            self.frames.insert(number);
            if self.frames.len() > REMEMBERED {
                self.frames.pop_first();
            }
        }
        right
    }
}
