//! The addresses that one peer has proved.

use salon_rtp::Time;

use crate::Path;
use crate::limits::{ADDRESS_WINDOW, MAX_ADDRESSES};

/// Paths that an authenticated check of the peer came on.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    known: Vec<Address>,
    /// When the last [`MAX_ADDRESSES`] new ones came, as a ring.
    added: Vec<Time>,
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Address {
    path: Path,
    heard: Time,
}

impl Addresses {
    pub(crate) fn knows(&self, path: Path) -> bool {
        self.known.iter().any(|a| a.path == path)
    }

    /// Whether one more new address may come now.
    pub(crate) fn admits(&self, now: Time) -> bool {
        let oldest = self.added.get(self.next);
        oldest.is_none_or(|&added| now.since(added) >= ADDRESS_WINDOW)
    }

    /// When something authenticated came on this path last.
    pub(crate) fn heard(&self, path: Path) -> Option<Time> {
        self.known.iter().find(|a| a.path == path).map(|a| a.heard)
    }

    /// Something authenticated came on a path.
    pub(crate) fn touch(&mut self, now: Time, path: Path) {
        if let Some(a) = self.known.iter_mut().find(|a| a.path == path) {
            a.heard = a.heard.max(now);
        }
    }

    /// Takes a new path. Gives back the one that had to leave for it: the longest unheard, `keep` excepted.
    pub(crate) fn insert(&mut self, now: Time, path: Path, keep: Option<Path>) -> Option<Path> {
        match self.added.get_mut(self.next) {
            Some(slot) => *slot = now,
            None => self.added.push(now),
        }
        self.next = (self.next + 1) % MAX_ADDRESSES;
        let full = self.known.len() >= MAX_ADDRESSES;
        let oldest = (self.known.iter().enumerate())
            .filter(|(_, a)| Some(a.path) != keep)
            .min_by_key(|(_, a)| a.heard);
        let leaves = oldest.filter(|_| full).map(|(at, _)| at).map(|at| self.known.swap_remove(at).path);
        self.known.push(Address { path, heard: now });
        leaves
    }

    pub(crate) fn remove(&mut self, path: Path) {
        self.known.retain(|a| a.path != path);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Path> + '_ {
        self.known.iter().map(|a| a.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    fn path(n: u16) -> Path {
        Path { local: ([10, 0, 0, 1], 1).into(), remote: ([10, 0, 0, 2], n).into() }
    }

    #[test]
    fn sixteen_a_minute_and_one_more_when_the_first_is_a_minute_old() {
        let mut a = Addresses::default();
        for n in 0..16 {
            assert!(a.admits(Time::from_millis(u64::from(n))));
            assert_eq!(a.insert(Time::from_millis(u64::from(n)), path(n), None), None);
        }
        assert!(!a.admits(Time::from_micros(60_000_000 - 1)));
        assert!(a.admits(Time::from_micros(60_000_000)));
        assert_eq!(
            a.insert(Time::from_millis(60_000), path(16), Some(path(0))),
            Some(path(1)),
            "the chosen one stays"
        );
        assert!(!a.admits(Time::from_millis(60_000)));
    }

    proptest! {
        #[test]
        fn never_more_than_sixteen_and_never_without_the_chosen_one(steps in prop::collection::vec((0u64..20_000, 0u16..64), 0..200)) {
            let mut a = Addresses::default();
            let (mut now, mut admitted) = (Time::ZERO, Vec::new());
            for (wait, n) in steps {
                now = now.plus(Duration::from_millis(wait));
                if a.knows(path(n)) {
                    a.touch(now, path(n));
                } else if a.admits(now) {
                    let gone = a.insert(now, path(n), Some(path(0)));
                    prop_assert_ne!(gone, Some(path(0)));
                    admitted.push(now);
                }
                prop_assert!(a.iter().count() <= MAX_ADDRESSES);
                let of_late = admitted.iter().filter(|&&t| now.since(t) < ADDRESS_WINDOW).count();
                prop_assert!(of_late <= MAX_ADDRESSES);
            }
        }
    }
}
