//! What is remembered per stream.

use salon_rtp::Ssrc;

use crate::limits::MAX_STREAMS;

/// One `T` per SSRC, at most [`MAX_STREAMS`]. Found by bisection: no hash, so that neither randomness is needed nor an
/// inventive peer can make the search long.
pub(crate) struct Streams<T> {
    /// Sorted by SSRC; the number is a place in `states`.
    order: Vec<(Ssrc, usize)>,
    states: Vec<T>,
}

impl<T> Streams<T> {
    pub(crate) fn new() -> Self {
        Self { order: Vec::new(), states: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.states.len() >= MAX_STREAMS
    }

    pub(crate) fn get(&self, ssrc: Ssrc) -> Option<&T> {
        let at = self.search(ssrc).ok()?;
        self.states.get(self.order.get(at)?.1)
    }

    pub(crate) fn get_mut(&mut self, ssrc: Ssrc) -> Option<&mut T> {
        let at = self.search(ssrc).ok()?;
        self.states.get_mut(self.order.get(at)?.1)
    }

    /// Remembers `state` for a new stream; `false` if the stream is known, or there is no room.
    pub(crate) fn insert(&mut self, ssrc: Ssrc, state: T) -> bool {
        match self.search(ssrc) {
            Err(at) if !self.is_full() => {
                self.order.insert(at, (ssrc, self.states.len()));
                self.states.push(state);
                true
            }
            _ => false,
        }
    }

    /// Forgets the stream with the smallest key. It visits every stream, which an authenticated packet of a new SSRC
    /// beyond [`MAX_STREAMS`] may cost.
    pub(crate) fn remove_min_by_key(&mut self, key: impl Fn(&T) -> u64) {
        let Some(place) = (0..self.states.len()).min_by_key(|&i| self.states.get(i).map(&key)) else {
            return;
        };
        self.states.swap_remove(place);
        let moved = self.states.len();
        self.order.retain_mut(|(_, at)| {
            let keep = *at != place;
            if *at == moved {
                *at = place;
            }
            keep
        });
    }

    fn search(&self, ssrc: Ssrc) -> Result<usize, usize> {
        self.order.binary_search_by_key(&ssrc, |&(s, _)| s)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_that_forgets_the_smallest(steps in prop::collection::vec((0u32..40, any::<bool>()), 1..200)) {
            let (mut streams, mut map) = (Streams::new(), BTreeMap::new());
            for (i, (ssrc, remove)) in steps.into_iter().enumerate() {
                if remove {
                    streams.remove_min_by_key(|&v| v);
                    if let Some((&s, _)) = map.iter().min_by_key(|&(_, &v)| v) {
                        map.remove(&s);
                    }
                } else {
                    let value = (i as u64 * 7_919) % 1_000;
                    let inserted = streams.insert(Ssrc(ssrc), value);
                    prop_assert_eq!(inserted, !map.contains_key(&ssrc));
                    map.entry(ssrc).or_insert(value);
                }
                prop_assert_eq!(streams.len(), map.len());
                for s in 0..40 {
                    prop_assert_eq!(streams.get(Ssrc(s)), map.get(&s));
                    prop_assert_eq!(streams.get_mut(Ssrc(s)).copied(), map.get(&s).copied());
                }
            }
        }
    }

    #[test]
    fn it_is_bounded() {
        let mut streams = Streams::new();
        assert!((0..MAX_STREAMS as u32).all(|s| streams.insert(Ssrc(s), 0)));
        assert!(!streams.insert(Ssrc(u32::MAX), 0));
        assert_eq!(streams.len(), MAX_STREAMS);
    }
}
