//! Who gets how much: divides a receiver's estimated rate among its video slots.

use salon_rtp::{Bitrate, Time};

use crate::SourceId;

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

/// How a slot ranks among those of its receiver; greater is served first.
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
    /// What it could show, best last, at most [`MAX_STEPS`](crate::limits::MAX_STEPS); only encodings that send now.
    pub steps: &'a [Step],
    /// The index in `steps` of what it shows now.
    pub shown: Option<usize>,
}

/// Chooses a step for each slot, by index into its `steps`: `out[i]` belongs to `demands[i]`, `None` means pause. Slots beyond the shorter of
/// both get nothing.
pub fn allocate(budget: &Budget, demands: &[Demand<'_>], out: &mut [Option<usize>]) {
    let _ = budget;
    out.fill(None);
    for (to, demand) in out.iter_mut().zip(demands) {
        *to = demand.shown;
    }
}

/// Remembers estimates, for [`Budget::steady`].
#[derive(Debug, Default)]
pub struct Estimates {
    now: Option<Bitrate>,
}

impl Estimates {
    /// Nothing estimated yet.
    pub const fn new() -> Self {
        Self { now: None }
    }

    /// A new estimate.
    pub fn push(&mut self, now: Time, estimate: Bitrate) {
        let _ = now;
        self.now = Some(estimate);
    }

    /// The newest estimate.
    pub fn estimate(&self) -> Option<Bitrate> {
        self.now
    }

    /// The least estimate of the last seconds: what climbing may count on.
    pub fn steady(&self, now: Time) -> Option<Bitrate> {
        let _ = now;
        self.now
    }
}
