//! The laws of a slot (facts on layers, §7), under random steps.

#![allow(clippy::unwrap_used)]

mod model;

use model::{Shape, Slot, Source, Wire};
use proptest::prelude::*;
use salon_simulcast::SkipReason;

#[derive(Clone, Debug)]
enum Step {
    /// The next picture of a source, with what becomes of each of its packets.
    Picture {
        who: Who,
        parts: usize,
        key: bool,
        fates: u32,
    },
    Padding {
        who: Who,
        fate: u32,
    },
    /// Pictures of two sources whose packets come in turn, so that a switch cuts the first off, or a pause both.
    Both {
        parts: usize,
        key: bool,
        pause: bool,
    },
    Aim {
        source: usize,
        temporal: u8,
    },
    Pause,
    /// A sender restarts, and the ingress tells.
    Restart {
        source: usize,
        salt: u64,
    },
    Gone {
        source: usize,
    },
    Pass {
        ms: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Who {
    /// Whom the slot shows, and whom it waits for; where there is none, the first.
    Shown,
    Awaited,
    Any(usize),
}

/// Cases of each law: enough for the gate; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(250)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() }
}

fn steps(sources: usize, length: usize) -> impl Strategy<Value = Vec<Step>> {
    let source = move || 0..sources;
    let who =
        move || prop_oneof![5 => Just(Who::Shown), 3 => Just(Who::Awaited), 1 => source().prop_map(Who::Any)];
    let step = prop_oneof![
        60 => (who(), 1usize..5, prop::bool::weighted(0.08), any::<u32>())
            .prop_map(|(who, parts, key, fates)| Step::Picture { who, parts, key, fates }),
        4 => (who(), any::<u32>()).prop_map(|(who, fate)| Step::Padding { who, fate }),
        4 => (2usize..5, any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(parts, key, pause)| Step::Both { parts, key, pause }),
        4 => (source(), 0u8..4).prop_map(|(source, temporal)| Step::Aim { source, temporal }),
        1 => Just(Step::Pause),
        1 => (source(), any::<u64>()).prop_map(|(source, salt)| Step::Restart { source, salt }),
        1 => source().prop_map(|source| Step::Gone { source }),
        2 => (1u64..400).prop_map(|ms| Step::Pass { ms }),
    ];
    prop::collection::vec(step, 1..length)
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        4 => Just(Shape::Full), 2 => Just(Shape::Narrow), 1 => Just(Shape::IdOnly), 1 => Just(Shape::Bare)
    ]
}

/// What happens to a packet on its way: four bits.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Comes,
    Lost,
    /// Comes after this many further packets.
    Late(usize),
    Twice,
}

fn fate(bits: u32) -> Fate {
    match bits & 15 {
        11 => Fate::Lost,
        12 | 13 => Fate::Late(1 + (bits >> 4 & 3) as usize),
        14 => Fate::Late(1 + (bits >> 4 & 63) as usize),
        15 => Fate::Twice,
        _ => Fate::Comes,
    }
}

struct Run {
    slot: Slot,
    sources: Vec<Source>,
    /// Packets that come later, with the number of packets to wait for.
    held: Vec<(usize, Wire)>,
    perfect: bool,
    lost: u64,
    late: u64,
}

impl Run {
    fn new(shapes: &[Shape], perfect: bool) -> Self {
        let sources = shapes.iter().enumerate().map(|(i, s)| Source::new(i as u32, *s)).collect();
        Self { slot: Slot::new(), sources, held: Vec::new(), perfect, lost: 0, late: 0 }
    }

    fn deliver(&mut self, wire: Wire, fate: Fate) {
        match if self.perfect { Fate::Comes } else { fate } {
            Fate::Comes => drop(self.slot.push(&wire)),
            Fate::Lost => self.lost += 1,
            Fate::Late(after) => {
                self.late += 1;
                self.held.push((after, wire));
                return;
            }
            Fate::Twice => {
                let first = self.slot.push(&wire);
                let second = self.slot.push(&wire);
                assert!(second.is_err(), "law 1: a duplicate went out");
                if first.is_ok() {
                    assert_eq!(second, Err(SkipReason::Duplicate));
                }
            }
        }
        self.held.iter_mut().for_each(|(n, _)| *n = n.saturating_sub(1));
        while let Some(i) = self.held.iter().position(|(n, _)| *n == 0) {
            let wire = self.held.remove(i).1;
            let _ = self.slot.push(&wire);
        }
    }

    fn who(&self, who: Who) -> usize {
        let slot = &self.slot.forwarder;
        let id = match who {
            Who::Shown => slot.current(),
            Who::Awaited => slot.target().map(|t| t.source),
            Who::Any(i) => return i,
        };
        id.map_or(0, |id| id.0 as usize)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Picture { who, parts, key, fates } => {
                self.slot.pass_ms(11);
                let source = self.who(who);
                let key = key
                    || (fates & 3 == 0 && self.slot.forwarder.wants_key() == Some(self.sources[source].id));
                for (i, w) in self.sources[source].picture(self.slot.now, parts, key).into_iter().enumerate()
                {
                    self.deliver(w, fate(fates.rotate_right(7 * i as u32)));
                }
            }
            Step::Padding { who, fate: bits } => {
                let source = self.who(who);
                let wire = self.sources[source].padding(self.slot.now);
                self.deliver(wire, fate(bits));
            }
            Step::Both { parts, key, pause } => {
                self.slot.pass_ms(11);
                let (a, b) = (self.who(Who::Shown), self.who(Who::Awaited));
                if a == b {
                    return;
                }
                let first = self.sources[a].delta(self.slot.now, parts);
                let second = self.sources[b].picture(self.slot.now, parts, key);
                for (i, (x, y)) in first.into_iter().zip(second).enumerate() {
                    self.deliver(x, Fate::Comes);
                    self.deliver(y, Fate::Comes);
                    if pause && i == 0 {
                        self.slot.forwarder.aim(None);
                    }
                }
            }
            Step::Aim { source, temporal } => self.slot.aim(&self.sources[source], temporal),
            Step::Pause => {
                self.slot.forwarder.aim(None);
                // Law 16.
                let mut source = self.sources[0].clone();
                for wire in source.key(self.slot.now, 2) {
                    assert_eq!(self.slot.push(&wire), Err(SkipReason::Paused));
                }
            }
            Step::Restart { source, salt } => {
                let source = &mut self.sources[source];
                source.restart(salt);
                // What is still on its way has numbers of before: the ingress drops it.
                self.held.retain(|(_, w)| w.source != source.id);
                self.slot.restarted(source);
            }
            Step::Gone { source } => self.slot.forwarder.source_gone(self.sources[source].id),
            Step::Pass { ms } => self.slot.pass_ms(ms),
        }
    }

    fn go(mut self, steps: &[Step]) -> Self {
        self.slot.aim(&self.sources[0], 3);
        steps.iter().for_each(|s| self.step(s));
        self.slot.check();
        self
    }
}

proptest! {
    #![proptest_config(config())]

    /// Laws 1–4, 7–9, 16, 20, and that a receiver never decodes on a wrong reference, whatever is lost, late or doubled.
    #[test]
    fn nothing_that_a_network_does_breaks_a_stream(
        shapes in prop::collection::vec(shape(), 3), steps in steps(3, 300),
    ) {
        let run = Run::new(&shapes, false).go(&steps);
        run.slot.decode();
        // Law 1: a number is missing only where a packet was lost or late, or a picture was cut off.
        prop_assert!(run.slot.holes() <= run.lost + run.late + run.slot.cuts, "{:#?}", run.slot.where_holes_are());
    }

    /// Laws 1, 5 and 7 where nothing is lost: numbers and ids are dense, and every whole picture decodes.
    #[test]
    fn without_loss_every_forwarded_picture_decodes(
        shapes in prop::collection::vec(shape(), 3), steps in steps(3, 300),
    ) {
        let run = Run::new(&shapes, true).go(&steps);
        prop_assert_eq!(run.slot.holes(), run.slot.cuts);
        let outcome = run.slot.decode();
        prop_assert_eq!(outcome.decoded, outcome.complete);
        prop_assert!(outcome.torn as u64 <= run.slot.cuts + 1, "{:?}", outcome);
        law_7(&run.slot);
    }

    /// Laws 10 and 19: a slot's output depends on nothing but its own input.
    #[test]
    fn the_same_input_gives_the_same_output(
        shapes in prop::collection::vec(shape(), 2), steps in steps(2, 150),
    ) {
        let (a, b) = (Run::new(&shapes, false).go(&steps), Run::new(&shapes, false).go(&steps));
        let out = |r: &Run| r.slot.sent.iter().map(|s| s.forward).collect::<Vec<_>>();
        prop_assert_eq!(out(&a), out(&b));
    }
}

/// Picture ids and TL0PICIDX go on by one from forwarded picture to forwarded (base) picture, over every switch.
fn law_7(slot: &Slot) {
    use salon_rtp::payload::vp8::Vp8Descriptor;
    let (mut id, mut tl0, mut keyidx, mut last) = (None, None, None, None);
    for s in slot.by_index().values() {
        let picture = (s.epoch, s.wire.picture.number);
        let f = *Vp8Descriptor::parse(&s.payload).unwrap().fields();
        let new = last.replace(picture) != Some(picture);
        if let Some(now) = f.picture_id {
            if let Some(before) = id.replace(now.get()) {
                assert_eq!(now.get(), (before + u16::from(new)) & 0x7fff, "{s:?}");
            }
        }
        if let Some(now) = f.key_index {
            if let Some(before) = keyidx.replace(now) {
                assert_eq!(now, (before + u8::from(new && s.wire.picture.key)) & 31, "{s:?}");
            }
        }
        if let Some(now) = f.tl0 {
            let base = new && s.wire.picture.temporal == 0;
            if let Some(before) = tl0.replace(now) {
                assert_eq!(now, before.wrapping_add(u8::from(base)), "{s:?}");
            }
        }
    }
}
