//! What a frame refers to, found as libwebrtc finds it (its reference finders for VP8, for picture ids alone, and for
//! sequence numbers alone).

use super::playout::Complete;
use salon_rtp::payload::vp8::Temporal;
use std::collections::{BTreeMap, BTreeSet};

/// The frames that a frame refers to, by their ids.
pub(super) type RefersTo = Vec<i64>;

pub(super) enum Verdict {
    /// It can go on to the decoder.
    Known { id: i64, refers_to: RefersTo },
    /// Something before it is missing still.
    Stashed,
    /// It is of no use any more.
    Dropped,
}

/// Frames that wait for others at most.
const STASH: usize = 100;
/// Pictures that count as "not come so far" at most.
const NOT_YET: i64 = 100;
/// Base pictures that are remembered.
const BASES: i64 = 50;
/// The highest layer that VP8 can name, plus one.
const LAYERS: usize = 4;

#[derive(Clone, Debug, Default)]
pub(super) struct References {
    pictures: Unwrapper<15>,
    bases: Unwrapper<8>,
    last_picture: Option<i64>,
    not_yet: BTreeSet<i64>,
    /// Of each base picture, the last picture of each layer that stands upon it.
    layers: BTreeMap<i64, [Option<i64>; LAYERS]>,
    /// With the TL0PICIDX that each had when it came: extended later, an old one would look new.
    stash: Vec<(Complete, i64)>,
}

impl References {
    pub(super) fn take(&mut self, frame: Complete) -> Verdict {
        let tl0 = frame.fields.tl0.map_or(0, |tl0| self.bases.unwrap(tl0.into()));
        let verdict = self.find(&frame, tl0);
        if matches!(verdict, Verdict::Stashed) {
            if self.stash.len() == STASH {
                self.stash.remove(0);
            }
            self.stash.push((frame, tl0));
        }
        verdict
    }

    /// Tries the frames that wait until none can go on. Always gives none: all that goes on goes through `on`.
    pub(super) fn retry(&mut self, mut on: impl FnMut(i64, RefersTo, Complete)) -> Option<Complete> {
        let mut moved = true;
        while moved {
            moved = false;
            let mut at = 0;
            while at < self.stash.len() {
                let (frame, tl0) = self.stash[at];
                match self.find(&frame, tl0) {
                    Verdict::Stashed => at += 1,
                    Verdict::Dropped => _ = self.stash.remove(at),
                    Verdict::Known { id, refers_to } => {
                        self.stash.remove(at);
                        on(id, refers_to, frame);
                        moved = true;
                    }
                }
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.not_yet.len() + self.layers.len() + self.stash.len()
    }

    /// `tl0`: its TL0PICIDX, extended, if it has one.
    fn find(&mut self, frame: &Complete, tl0: i64) -> Verdict {
        match (frame.fields.picture_id, frame.fields.tl0, frame.fields.temporal) {
            // By sequence numbers: a frame's id is that of its last packet.
            (None, ..) => {
                let refers_to = if frame.key { vec![] } else { vec![frame.before.0 as i64] };
                Verdict::Known { id: frame.last.0 as i64, refers_to }
            }
            // By picture ids: each refers to the one before.
            (Some(id), has_tl0, temporal) => {
                let id = self.pictures.unwrap(id.get());
                let (Some(_), Some(temporal)) = (has_tl0, temporal) else {
                    let refers_to = if frame.key { vec![] } else { vec![id - 1] };
                    return Verdict::Known { id, refers_to };
                };
                self.find_layered(frame.key, id, tl0, temporal)
            }
        }
    }

    fn find_layered(&mut self, key: bool, id: i64, tl0: i64, temporal: Temporal) -> Verdict {
        let layer = usize::from(temporal.layer);
        self.note_gap(id);
        self.layers = self.layers.split_off(&(tl0 - BASES));
        while self.layers.len() > 4 * BASES as usize {
            // Only base pictures that run backwards come here.
            self.layers.pop_last();
        }
        if key {
            if layer != 0 {
                return Verdict::Dropped;
            }
            self.layers.insert(tl0, [None; LAYERS]);
            self.update(tl0, layer, id);
            return Verdict::Known { id, refers_to: vec![] };
        }
        let base = if layer == 0 { tl0 - 1 } else { tl0 };
        let Some(&known) = self.layers.get(&base) else { return Verdict::Stashed };
        if layer == 0 {
            let known = *self.layers.entry(tl0).or_insert(known);
            let Some(last) = known[0].filter(|&l| l < id) else { return Verdict::Dropped };
            self.update(tl0, layer, id);
            return Verdict::Known { id, refers_to: vec![last] };
        }
        if temporal.sync {
            let (Some(to), true) = (known[0], known[layer].is_none_or(|l| l < id)) else {
                return Verdict::Dropped;
            };
            self.update(tl0, layer, id);
            return Verdict::Known { id, refers_to: vec![to] };
        }
        let mut refers_to = vec![];
        for last in known.iter().take(layer + 1) {
            let Some(last) = *last else { return Verdict::Stashed };
            if last >= id {
                return Verdict::Dropped;
            }
            // Any picture between that has not come might be one that it refers to.
            if self.not_yet.range(last + 1..id).next().is_some() {
                return Verdict::Stashed;
            }
            refers_to.push(last);
        }
        self.update(tl0, layer, id);
        Verdict::Known { id, refers_to }
    }

    /// Remembers the pictures between the newest and this one as not come.
    fn note_gap(&mut self, id: i64) {
        let oldest = id - NOT_YET;
        self.not_yet = self.not_yet.split_off(&oldest);
        let last = self.last_picture.unwrap_or(id).max(oldest);
        self.not_yet.extend(last + 1..=id);
        self.last_picture = Some(last.max(id));
    }

    /// The picture is the newest of its layer upon this base picture and those after it.
    fn update(&mut self, tl0: i64, layer: usize, id: i64) {
        let mut at = tl0;
        while let Some(slot) = self.layers.get_mut(&at).and_then(|l| l.get_mut(layer)) {
            if slot.is_some_and(|s| s > id) {
                break;
            }
            *slot = Some(id);
            at += 1;
        }
        self.not_yet.remove(&id);
    }
}

/// Extends numbers of so many bits to the nearest of the last one.
#[derive(Clone, Copy, Debug, Default)]
struct Unwrapper<const BITS: u32> {
    last: Option<i64>,
}

impl<const BITS: u32> Unwrapper<BITS> {
    fn unwrap(&mut self, v: u16) -> i64 {
        let mut v = i64::from(v) & ((1 << BITS) - 1);
        if let Some(last) = self.last {
            let half = 1 << (BITS - 1);
            v = last + (v - last + half).rem_euclid(1 << BITS) - half;
        }
        self.last = Some(v);
        v
    }
}
