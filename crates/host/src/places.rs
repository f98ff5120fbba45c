//! How many may be there at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places that all shards share.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
    max: usize,
}

impl Places {
    pub(crate) fn new(max: usize) -> Self {
        Self { taken: Arc::default(), max }
    }

    /// Takes one; false if there is none.
    pub(crate) fn take(&self) -> bool {
        let one_more = |n| (n < self.max).then_some(n + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    /// Gives one back.
    pub(crate) fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
