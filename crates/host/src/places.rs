//! How many may be there at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places that all shards share.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
    max: usize,
}

/// One of them. Dropped, it is given back, whatever happened.
#[derive(Debug)]
pub(crate) struct Place {
    taken: Arc<AtomicUsize>,
}

impl Places {
    pub(crate) fn new(max: usize) -> Self {
        Self { taken: Arc::default(), max }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        let one_more = |n| (n < self.max).then_some(n + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place { taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_and_who_goes_leaves_one() {
        let places = Places::new(2);
        let (one, two) = (places.take(), places.clone().take());
        assert!(one.is_some() && two.is_some() && places.take().is_none());
        drop(one);
        let three = places.take();
        assert!(three.is_some() && places.take().is_none());
    }
}
