//! A slot between model encoders and a model decoder: what the laws are checked against.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.

pub mod decoder;
pub mod source;

use std::collections::{BTreeMap, HashMap};

use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
use salon_simulcast::{Facts, Forward, Forwarder, Input, SkipReason, SourceId, Target};

pub use source::{Shape, Source, Wire};

/// The slot's clock.
pub const CONSTANT: u32 = 0x8000_1234;

/// A packet as it left.
#[derive(Clone, Debug)]
pub struct Sent {
    pub forward: Forward,
    pub payload: Vec<u8>,
    /// What it was.
    pub wire: Wire,
    /// Which start of a source it belongs to.
    pub epoch: usize,
}

/// A slot under test. Every push checks what can be checked at once.
pub struct Slot {
    pub forwarder: Forwarder,
    pub sent: Vec<Sent>,
    pub reasons: HashMap<SkipReason, usize>,
    pub epoch: usize,
    /// Starts at which a number had to stay free, because the picture before was cut off.
    pub cuts: u64,
    pub now: Time,
    /// The highest number of each source that came.
    newest: HashMap<SourceId, u64>,
}

impl Slot {
    pub fn new() -> Self {
        Self::starting_at(SeqNo(65_530))
    }

    pub fn starting_at(first: SeqNo) -> Self {
        Self {
            forwarder: Forwarder::new(MediaKind::Video, 90_000, first, CONSTANT),
            sent: Vec::new(),
            reasons: HashMap::new(),
            epoch: 0,
            cuts: 0,
            now: Time::from_millis(1_000),
            newest: HashMap::new(),
        }
    }

    pub fn aim(&mut self, source: &Source, temporal: u8) {
        self.aim_id(source.id, temporal);
    }

    pub fn aim_id(&mut self, source: SourceId, temporal: u8) {
        self.forwarder.aim(Some(Target { source, temporal, codec: Codec::Vp8 }));
    }

    pub fn pass(&mut self, by: core::time::Duration) {
        self.now = self.now.plus(by);
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.pass(core::time::Duration::from_millis(ms));
    }

    /// A sender restarted, and the ingress tells.
    pub fn restarted(&mut self, source: &Source) {
        self.newest.remove(&source.id);
        self.forwarder.source_restarted(source.id);
    }

    pub fn push_all<'a>(&mut self, wires: impl IntoIterator<Item = &'a Wire>) -> usize {
        wires.into_iter().filter(|w| self.push(w).is_ok()).count()
    }

    pub fn push(&mut self, wire: &Wire) -> Result<Forward, SkipReason> {
        let newest = self.newest.entry(wire.source).or_insert(0);
        let input = wire.input(self.now, wire.seq > *newest);
        *newest = wire.seq.max(*newest);
        let (wanted, current) = (self.forwarder.wants_key(), self.forwarder.current());
        let result = self.forwarder.push(&input);
        match result {
            Err(reason) => {
                *self.reasons.entry(reason).or_default() += 1;
                // A refused packet of another encoding changes nothing that shows.
                if current != Some(wire.source) {
                    assert_eq!(self.forwarder.wants_key(), wanted);
                }
            }
            Ok(forward) => self.went_out(wire, &input, forward, wanted, current),
        }
        result
    }

    fn went_out(
        &mut self,
        wire: &Wire,
        input: &Input,
        forward: Forward,
        wanted: Option<SourceId>,
        current: Option<SourceId>,
    ) {
        assert!(!wire.padding, "padding went out");
        assert_eq!(self.forwarder.current(), Some(wire.source));
        if current != Some(wire.source) {
            // Law 3: what starts is a key frame, from its first packet; and who asked for it stops asking.
            assert_eq!(wanted, Some(wire.source));
            assert!(input.facts.key && wire.picture.key && wire.part == 0, "started on {wire:?}");
            assert_eq!(self.forwarder.wants_key(), None);
            let before = self.sent.iter().max_by_key(|s| s.forward.index);
            self.cuts += u64::from(before.is_some_and(|s| !s.forward.marker));
            self.epoch += 1;
        }
        assert_eq!(forward.marker, wire.marker);
        let (prefix, replaced) = forward.patch.get();
        let payload = [prefix.as_slice(), &wire.payload[replaced..]].concat();
        law_9(&wire.payload, &payload, replaced);
        self.sent.push(Sent { forward, payload, wire: wire.clone(), epoch: self.epoch });
    }

    /// What went out, by number.
    pub fn by_index(&self) -> BTreeMap<u64, &Sent> {
        self.sent.iter().map(|s| (s.forward.index.0, s)).collect()
    }

    /// Numbers between the first and the last that went out which did not.
    pub fn holes(&self) -> u64 {
        let sent = self.by_index();
        match (sent.first_key_value(), sent.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last - first + 1 - sent.len() as u64,
            _ => 0,
        }
    }

    /// Where the holes are, for a failing test to print.
    pub fn where_holes_are(&self) -> Vec<String> {
        let sent: Vec<_> = self.by_index().into_values().collect();
        let pairs = sent.windows(2).filter(|w| w[0].forward.index.next() != w[1].forward.index);
        let tell =
            |s: &Sent| format!("{} {} {}.{}", s.forward.index.0, s.wire.seq, s.epoch, s.wire.picture.number);
        pairs.map(|w| format!("{} -> {}", tell(w[0]), tell(w[1]))).collect()
    }

    /// The laws that need everything that went out: 1, 2, 4, 7 and 8.
    pub fn check(&self) {
        let sent = self.by_index();
        assert_eq!(sent.len(), self.sent.len(), "law 1: a number was given twice");
        let mut last: Option<&Sent> = None;
        for s in sent.values() {
            if let Some(l) = last {
                law_2_and_8(l, s);
                assert!(s.epoch >= l.epoch, "law 4: encodings mixed");
                assert!(s.epoch > l.epoch || s.wire.seq > l.wire.seq, "order of a source changed");
            }
            last = Some(s);
        }
        // Law 4 in the order of sending too.
        assert!(
            self.sent.windows(2).all(|w| w[0].epoch <= w[1].epoch),
            "law 4: an old encoding after the new"
        );
    }

    /// Decodes what went out: how many pictures were complete, and how many of them a receiver can show.
    pub fn decode(&self) -> decoder::Outcome {
        decoder::decode(self.by_index().into_values())
    }
}

fn law_2_and_8(before: &Sent, after: &Sent) {
    let same = before.epoch == after.epoch && before.wire.picture.number == after.wire.picture.number;
    let step = after.forward.timestamp.since(before.forward.timestamp);
    if same {
        assert_eq!(step, 0, "law 2: two times in one picture");
        assert!(!before.forward.marker, "law 8: a marker inside a picture");
    } else {
        assert!(step > 0, "law 2: time went back by {step}: {:?} {:?}", before.wire, after.wire);
    }
}

/// Nothing but picture id, TL0PICIDX and KEYIDX changes, and none appears or vanishes.
fn law_9(before: &[u8], after: &[u8], replaced: usize) {
    let (a, b) = (Vp8Descriptor::parse(before).unwrap(), Vp8Descriptor::parse(after).unwrap());
    assert!(replaced <= a.len());
    assert_eq!(&before[a.len()..], &after[b.len()..], "law 9: the payload changed");
    let (x, y) = (a.fields(), b.fields());
    assert_eq!(
        (x.discardable, x.start, x.partition, x.temporal, x.picture_id.is_some(), x.tl0.is_some()),
        (y.discardable, y.start, y.partition, y.temporal, y.picture_id.is_some(), y.tl0.is_some()),
    );
    assert_eq!(x.key_index.is_some(), y.key_index.is_some());
    assert!(b.len() <= a.len() + 1);
}

/// An audio packet of 20 ms.
pub fn sound(source: u32, seq: u64, timestamp: u32, now: Time) -> Input {
    Input {
        source: SourceId(source),
        seq: SeqNo(seq),
        timestamp: RtpTime(timestamp),
        captured: now,
        marker: false,
        facts: Facts::read(Codec::Opus, false, &[0xfc, 1]),
        arrived: now,
        newest: true,
        padding_only: false,
    }
}

pub fn sound_slot() -> Forwarder {
    Forwarder::new(MediaKind::Audio, 48_000, SeqNo(1), CONSTANT)
}

pub fn voice(source: u32) -> Option<Target> {
    Some(Target { source: SourceId(source), temporal: u8::MAX, codec: Codec::Opus })
}
