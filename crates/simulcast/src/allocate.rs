//! Who gets how much: divides a receiver's estimated rate among its video slots.
//!
//! Pure: what was before is an input ([`Demand::shown`], [`Budget::steady`]), so that the same input gives the same answer.
//!
//! 1. Sound is subtracted first.
//! 2. The slot of the highest rank takes the best step that leaves a base step to each other slot; up to
//!    [`STAGE_HEIGHT`] lines, if it is pinned or has the floor, it takes it even if it does not. What it gets so depends on nothing but the
//!    budget, and more budget never gives it less.
//! 3. The others get their base steps, by rank.
//! 4. The others climb, by rank, each as far as it can.
//!
//! What stays idle is less than every step that this order admits. A step that costs more than what is shown must fit
//! into the least of the recent estimates, less [`HEADROOM`]; what is shown is kept as long as it fits into the estimate
//! of now. So noise of the estimate moves nothing, a fall acts at once, and a rise after seconds.

use core::cmp::Reverse;
use core::time::Duration;

use salon_rtp::{Bitrate, Time};

use crate::SourceId;
use crate::limits::MAX_STEPS;

/// What is left of the least recent estimate when something climbs, in percent: it lets the queue drain that the climb
/// may cause. More would waste, less would stand still at the edge of congestion.
pub const HEADROOM: u64 = 10;

/// To how many lines the slot of the highest rank climbs before others have their base step. Below this a face on the stage is blurred; above it
/// thumbnails that stand still disturb more.
pub const STAGE_HEIGHT: u16 = 360;

/// A picture of this many eighths of the tile's lines is enough for it: what is gained by the next larger encoding would be
/// thrown away by scaling, at twice the rate and more.
const ENOUGH_EIGHTHS: u32 = 7;

/// Whether a picture of so many lines is enough for a tile of so many: an eighth less is.
pub fn is_enough(lines: u16, tile: u16) -> bool {
    u32::from(lines) * 8 >= u32::from(tile) * ENOUGH_EIGHTHS
}

/// What is known of the path to a receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// The estimate now: what is shown already is kept against it.
    pub estimate: Bitrate,
    /// The least estimate of the last seconds ([`Estimates::steady`]): climbing is decided against it.
    pub steady: Bitrate,
    /// What sound takes; it never competes and is subtracted first.
    pub audio: Bitrate,
}

/// How a slot ranks among those of its receiver; greater is served first, and among equals the earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rank {
    /// Ordered by how recently its participant spoke: greater is more recent.
    Recent(u32),
    /// It shows who has the floor.
    Floor,
    /// The viewer chose it.
    Pinned,
}

/// One encoding that a slot could show, or one temporal layer more of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The encoding.
    pub source: SourceId,
    /// The highest temporal layer sent; `u8::MAX` for all.
    pub temporal: u8,
    /// Lines of its picture; 0 if unknown.
    pub height: u16,
    /// What it costs, measured.
    pub rate: Bitrate,
}

/// One video slot and what it could show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Demand<'a> {
    /// Its place among the slots of its receiver.
    pub rank: Rank,
    /// Lines of its tile; 0 asks for nothing.
    pub height: u16,
    /// What it could show, base first and best last, only encodings that send now. Those beyond
    /// [`MAX_STEPS`] are not looked at.
    pub steps: &'a [Step],
    /// The index in `steps` of what it shows now.
    pub shown: Option<usize>,
}

impl<'a> Demand<'a> {
    /// Whether the budget is why [`allocate`] chose this step, or none, and not the one that it chooses on a link without bounds.
    pub fn is_limited(&self, chosen: Option<usize>) -> bool {
        chosen < self.best(|_| true)
    }

    /// The steps that its tile has a use for: up to the first encoding that is tall enough, with all its temporal layers.
    /// All, if none is.
    fn useful(&self) -> &'a [Step] {
        let steps = self.steps.get(..MAX_STEPS).unwrap_or(self.steps);
        if self.height == 0 {
            return &[];
        }
        let Some(tall) = steps.iter().find(|s| is_enough(s.height, self.height)) else { return steps };
        let end = steps.iter().rposition(|s| s.source == tall.source).map_or(steps.len(), |i| i + 1);
        steps.get(..end).unwrap_or(steps)
    }

    fn base_rate(&self) -> Bitrate {
        self.useful().first().map_or(Bitrate::ZERO, |s| s.rate)
    }

    /// Whether the step costs more than what is shown.
    fn climbs(&self, step: &Step) -> bool {
        self.shown.and_then(|i| self.steps.get(i)).is_none_or(|shown| step.rate > shown.rate)
    }

    /// The best useful step that `fits`.
    fn best(&self, fits: impl Fn(&Step) -> bool) -> Option<usize> {
        self.useful().iter().rposition(fits)
    }
}

/// What may be spent on steps that climb, and on others.
struct Limits {
    climb: Bitrate,
    keep: Bitrate,
}

impl Limits {
    fn of(&self, demand: &Demand<'_>, step: &Step) -> Bitrate {
        if demand.climbs(step) { self.climb } else { self.keep }
    }
}

/// Chooses a step for each slot, by index into its `steps`: `out[i]` belongs to `demands[i]`, `None` means pause. Demands
/// beyond the end of `out` get nothing. Quadratic in the number of demands, which are the slots of one receiver.
pub fn allocate(budget: &Budget, demands: &[Demand<'_>], out: &mut [Option<usize>]) {
    out.fill(None);
    let limits = Limits {
        climb: budget.steady.min(budget.estimate).percent(100 - HEADROOM).minus(budget.audio),
        keep: budget.estimate.minus(budget.audio),
    };
    let demands = demands.get(..out.len()).unwrap_or(demands);
    let Some(top) = next_rank(demands, None) else { return };
    let mut spent = Bitrate::ZERO;
    if let Some((demand, to)) = demands.get(top).zip(out.get_mut(top)) {
        *to = top_step(&limits, demands, top);
        spent = rate(demand, *to);
    }
    for climb in [false, true] {
        let mut at = top;
        while let Some(next) = next_rank(demands, Some(at)) {
            at = next;
            let Some((demand, to)) = demands.get(at).zip(out.get_mut(at)) else { break };
            let others = spent.minus(rate(demand, *to));
            let fits = |s: &Step| others.plus(s.rate) <= limits.of(demand, s);
            *to = if climb {
                demand.best(fits)
            } else {
                demand.useful().first().filter(|s| fits(s)).map(|_| 0)
            };
            spent = others.plus(rate(demand, *to));
        }
    }
}

fn rate(demand: &Demand<'_>, step: Option<usize>) -> Bitrate {
    step.and_then(|i| demand.steps.get(i)).map_or(Bitrate::ZERO, |s| s.rate)
}

/// Step 2 of the order above.
fn top_step(limits: &Limits, demands: &[Demand<'_>], top: usize) -> Option<usize> {
    let demand = demands.get(top)?;
    let others = demands.iter().enumerate().filter(|(i, _)| *i != top);
    let bases = others.fold(Bitrate::ZERO, |sum, (_, d)| sum.plus(d.base_rate()));
    let base = demand.useful().first()?;
    let first = |s: &Step| {
        let staged = demand.rank >= Rank::Floor && (1..=STAGE_HEIGHT).contains(&s.height);
        staged || s == base
    };
    demand.best(|s| {
        let limit = limits.of(demand, s);
        s.rate.plus(bases) <= limit || (first(s) && s.rate <= limit)
    })
}

/// The demand that follows the one at `after` by rank, or the first of all.
fn next_rank(demands: &[Demand<'_>], after: Option<usize>) -> Option<usize> {
    let key = |i: usize| demands.get(i).map(|d| (d.rank, Reverse(i)));
    let bound = after.and_then(key);
    (0..demands.len()).filter(|&i| bound.is_none() || key(i) < bound).max_by_key(|&i| key(i))
}

/// Half of the longest time over which [`Estimates`] takes the least: climbing waits 2.5 to 5 seconds. Longer is calmer, shorter
/// shows a better picture sooner after a dip.
const HALF: Duration = Duration::from_millis(2_500);

/// Remembers estimates, for [`Budget::steady`].
#[derive(Debug, Default)]
pub struct Estimates {
    newest: Option<Bitrate>,
    /// The least of this half, and of the one before.
    now: Option<Bitrate>,
    before: Option<Bitrate>,
    since: Time,
}

impl Estimates {
    /// Nothing estimated yet.
    pub const fn new() -> Self {
        Self { newest: None, now: None, before: None, since: Time::ZERO }
    }

    /// A new estimate.
    pub fn push(&mut self, now: Time, estimate: Bitrate) {
        self.turn(now);
        self.newest = Some(estimate);
        self.now = Some(self.now.map_or(estimate, |least| least.min(estimate)));
    }

    /// The newest estimate.
    pub fn estimate(&self) -> Option<Bitrate> {
        self.newest
    }

    /// The least estimate of the last 2.5 to 5 seconds: what climbing may count on.
    pub fn steady(&mut self, now: Time) -> Option<Bitrate> {
        self.turn(now);
        self.now.into_iter().chain(self.before).min().or(self.newest)
    }

    fn turn(&mut self, now: Time) {
        let passed = now.since(self.since);
        if passed >= HALF {
            // An estimate holds until the next: the newest is the first of the new half too.
            self.before = if passed < HALF * 2 { self.now } else { self.newest };
            (self.now, self.since) = (self.newest, now);
        }
    }
}

/// Which of a track's encodings somebody watches or waits for, one bit each (bit 0 the first, at most eight): the others need
/// not be sent at all. The union over receivers, never the least of them.
pub fn watched(encodings: &[SourceId], targets: impl IntoIterator<Item = SourceId>) -> u8 {
    targets.into_iter().fold(0, |mask, target| {
        let bits = encodings.iter().take(8).enumerate().filter(|(_, e)| **e == target);
        bits.fold(mask, |mask, (i, _)| mask | 1 << i)
    })
}
