//! What a receiver makes of VP8: the checks of libwebrtc on the ids of a descriptor, in our own words.
//!
//! Given everything that arrived in the end, in the order of its numbers: which pictures are complete, and which of these
//! it decodes. It knows only what a receiver sees; afterwards the true references tell whether it was right.

use std::collections::{BTreeMap, HashMap, HashSet};

use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor};

use super::Sent;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    pub complete: usize,
    pub decoded: usize,
    /// Pictures of which some packets went out and the last or another did not.
    pub torn: usize,
}

struct Frame<'a> {
    first: u64,
    last: u64,
    sent: &'a Sent,
}

#[derive(Default)]
struct Receiver {
    /// Extended picture ids: all complete, and whether each was decoded.
    ids: BTreeMap<i64, bool>,
    newest_id: Option<i64>,
    /// TL0PICIDX of the newest base picture, and the newest picture of each layer since.
    tl0: Option<u8>,
    layers: [Option<i64>; 4],
    /// For streams without layers: the number after the last decoded picture's, and whether the chain holds.
    next: Option<u64>,
}

pub fn decode<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> Outcome {
    let (frames, torn) = assemble(sent);
    let mut receiver = Receiver { ids: BTreeMap::new(), ..Receiver::default() };
    let mut decoded: HashSet<(usize, u64)> = HashSet::new();
    let mut outcome = Outcome { complete: frames.len(), torn, ..Outcome::default() };
    for f in &frames {
        let d = Vp8Descriptor::parse(&f.sent.payload).unwrap();
        let picture = &f.sent.wire.picture;
        // A receiver reads the P bit, not our mind.
        let key = d.is_key(&f.sent.payload);
        assert_eq!(key, picture.key);
        if receiver.accepts(&d, key, f) {
            let epoch = f.sent.epoch;
            let refs = picture.refs.iter().all(|r| decoded.contains(&(epoch, *r)));
            assert!(refs, "decoded on a wrong reference: {:?}", f.sent);
            decoded.insert((epoch, picture.number));
            outcome.decoded += 1;
        }
    }
    outcome
}

/// Complete pictures: every number from the packet that starts one to the marker, all of one time.
fn assemble<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> (Vec<Frame<'a>>, usize) {
    let mut frames: Vec<Frame<'a>> = Vec::new();
    let mut open: Option<Frame<'a>> = None;
    let mut seen: HashMap<(usize, u64), bool> = HashMap::new();
    for s in sent {
        let n = s.forward.index.0;
        let starts = Vp8Descriptor::parse(&s.payload).unwrap().is_frame_start();
        let of = (s.epoch, s.wire.picture.number);
        seen.entry(of).or_insert(false);
        open = match open.take() {
            _ if starts => Some(Frame { first: n, last: n, sent: s }),
            Some(f) if f.last + 1 == n && f.sent.forward.timestamp == s.forward.timestamp => {
                Some(Frame { last: n, ..f })
            }
            _ => None,
        };
        if s.forward.marker
            && let Some(f) = open.take()
        {
            assert_eq!((f.sent.epoch, f.sent.wire.picture.number), of, "two pictures were joined");
            seen.insert(of, true);
            frames.push(f);
        }
    }
    (frames, seen.values().filter(|whole| !**whole).count())
}

impl Receiver {
    fn accepts(&mut self, d: &Vp8Descriptor, key: bool, f: &Frame<'_>) -> bool {
        let fields = d.fields();
        match (fields.picture_id, fields.tl0, fields.temporal) {
            (Some(id), Some(tl0), Some(t)) => {
                // We write one width only; otherwise the wrap of the narrower looks like a step back.
                assert!(matches!(id, PictureId::Long(_)), "a short picture id went out");
                self.next = None;
                self.by_layers(id.get(), tl0, t.layer, t.sync, key)
            }
            _ => {
                // Picture ids alone tell nothing: then the numbers must be without a gap.
                *self = Self { next: self.next, ..Self::default() };
                let go = key || self.next == Some(f.first);
                self.next = go.then_some(f.last + 1);
                go
            }
        }
    }

    fn by_layers(&mut self, id: u16, tl0: u8, layer: u8, sync: bool, key: bool) -> bool {
        let id = match self.newest_id {
            None => i64::from(id),
            Some(n) => n + ((i64::from(id) - n) << 49 >> 49),
        };
        if self.newest_id.is_some_and(|n| id <= n) {
            return false; // Old: dropped.
        }
        self.newest_id = Some(id);
        self.ids.insert(id, false);
        let go = self.layered(id, tl0, layer, sync, key);
        self.ids.insert(id, go);
        go
    }

    fn layered(&mut self, id: i64, tl0: u8, layer: u8, sync: bool, key: bool) -> bool {
        let l = usize::from(layer);
        if key {
            if layer > 0 {
                return false;
            }
            (self.tl0, self.layers) = (Some(tl0), [Some(id), None, None, None]);
            return true;
        }
        if layer == 0 {
            let follows = self.tl0.is_some_and(|t| t.wrapping_add(1) == tl0);
            if !follows {
                return false;
            }
            let go = self.layers[0].is_some_and(|b| self.ids[&b]);
            (self.tl0, self.layers[0]) = (Some(tl0), Some(id));
            return go;
        }
        if self.tl0 != Some(tl0) {
            return false;
        }
        let needed = if sync { &self.layers[..1] } else { &self.layers[..=l] };
        let mut go = true;
        for reference in needed {
            let Some(r) = *reference else { return false };
            go &= self.ids[&r];
            // A picture that is missing between could have been the reference.
            go &= sync || self.ids.range(r..=id).count() as i64 == id - r + 1;
        }
        self.layers[l] = Some(id);
        go
    }
}
