//! Which shard a datagram is for.

use std::collections::HashMap;

use salon_rtp::{Demux, Time};
use salon_transport::limits::{GONE_AFTER, SILENT_AFTER};
use salon_transport::{Path, Transport, addressee};

use crate::{entropy, limits};

/// Sends each datagram to the shard whose peer it is from.
///
/// The kernel chooses among the sockets of a port by a hash of both addresses: what comes on one path comes to one socket
/// for ever, and that may be any shard's. So that shard is the one that decides about the path. A check names its shard
/// by the first character of its ufrag; from then on the path is known, because the shard that took the check gives
/// word with the parcel that it sends back.
///
/// To let the kernel choose rightly a program in it would have to know paths (a filter of the kernel's sees a datagram, and only
/// a check tells in it where it belongs): a map to be kept in step, and a privilege to be asked for. To hand on what comes
/// costs a fraction of what is done with it (see `benches`), and what comes is a fraction of what leaves.
#[derive(Debug)]
pub(crate) struct Steer {
    own: usize,
    shards: usize,
    /// Paths of other shards' peers, in two generations: what was not heard of for one falls off with the other, and
    /// nobody walks over them.
    young: HashMap<Path, Place>,
    old: HashMap<Path, Place>,
    turned: Time,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    shard: usize,
    heard: Time,
}

/// Where a datagram belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Here, or nowhere.
    Here,
    /// To another shard, whose peer is known on this path.
    Known(usize),
    /// To another shard: a check that names it, from a path of nobody's yet.
    New(usize),
    /// Nowhere: a check for one shard's peer from a path that is beyond doubt that of a peer here.
    Taken,
    /// Nowhere for now: the same, where the path is that of another shard's peer, as far as is known here. That shard is asked: its
    /// peer may have left, and then the next check goes through.
    Asked(usize),
}

impl Steer {
    pub(crate) fn new(own: usize, shards: usize) -> Self {
        Self { own, shards, young: HashMap::new(), old: HashMap::new(), turned: Time::ZERO }
    }

    /// Where a datagram belongs; `transport` is this shard's.
    pub(crate) fn way(&self, now: Time, path: Path, datagram: &[u8], transport: &Transport) -> Way {
        if self.shards == 1 {
            return Way::Here;
        }
        let place = self.get(path);
        if Demux::of(datagram) != Demux::Stun {
            return place.map_or(Way::Here, |p| Way::Known(p.shard));
        }
        let named = addressee(datagram).and_then(|ufrag| ufrag.first()).and_then(|&c| entropy::shard_of(c));
        // What names nobody is dropped here, by name.
        let Some(shard) = named.filter(|&s| s < self.shards) else { return Way::Here };
        // Who proves a path takes it over, but not from somebody who was heard there of late: else a peer that forges
        // another's address could cut it off. Within a transport it holds; this is the same between transports.
        let held = place.filter(|p| now.since(p.heard) < SILENT_AFTER);
        match held {
            Some(place) if place.shard != shard => Way::Asked(place.shard),
            _ if shard == self.own => Way::Here,
            Some(_) => Way::Known(shard),
            None if transport.holds(now, path) => Way::Taken,
            None => Way::New(shard),
        }
    }

    /// Another shard heard its peer on a path; `proved`: by a check.
    pub(crate) fn heard(&mut self, now: Time, path: Path, shard: usize, proved: bool) {
        if now.since(self.turned) >= GONE_AFTER {
            self.turned = now;
            self.old = std::mem::take(&mut self.young);
        }
        if let Some(place) = self.young.get_mut(&path) {
            if place.shard == shard || proved {
                *place = Place { shard, heard: now };
            }
            return;
        }
        let before = self.old.remove(&path);
        if (proved || before.is_some_and(|p| p.shard == shard)) && self.young.len() < limits::PATHS {
            self.young.insert(path, Place { shard, heard: now });
        }
    }

    /// Another shard has nobody on a path any more.
    pub(crate) fn gone(&mut self, path: Path, shard: usize) {
        for places in [&mut self.young, &mut self.old] {
            if places.get(&path).is_some_and(|place| place.shard == shard) {
                places.remove(&path);
            }
        }
    }

    /// This shard heard its own peer on a path, by a check: whosever it was before.
    pub(crate) fn is_ours(&mut self, path: Path) {
        if !(self.young.is_empty() && self.old.is_empty()) {
            self.young.remove(&path);
            self.old.remove(&path);
        }
    }

    fn get(&self, path: Path) -> Option<Place> {
        self.young.get(&path).or_else(|| self.old.get(&path)).copied()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::time::Instant;

    use proptest::prelude::*;
    use salon_transport::{Config, Identity};

    use super::*;

    fn transport() -> Transport {
        Transport::new(Identity::generate().unwrap(), Config::default(), (Instant::now(), Time::ZERO))
    }

    fn path(n: u16) -> Path {
        Path { local: ([192, 0, 2, 1], 1).into(), remote: ([192, 0, 2, 2], n).into() }
    }

    /// A check for a peer of this shard; nobody looks at the sum.
    fn check(shard: usize) -> Vec<u8> {
        let ufrag = entropy::ice_credentials(shard).unwrap().ufrag;
        let name = format!("{ufrag}:them");
        let padded = name.len().next_multiple_of(4);
        let mut m = vec![0, 1, 0, (4 + padded + 24) as u8, 0x21, 0x12, 0xa4, 0x42];
        m.extend([7; 12]);
        m.extend([0, 6, 0, name.len() as u8]);
        m.extend(name.bytes());
        m.resize(20 + 4 + padded, 0);
        m.extend([0, 8, 0, 20]);
        m.extend([0; 20]);
        m
    }

    const MEDIA: [u8; 12] = [0x80; 12];

    #[test]
    fn a_check_names_its_shard_and_media_follows_once_the_check_was_good() {
        let (mut steer, transport) = (Steer::new(0, 4), transport());
        let now = Time::from_millis(100_000);
        for shard in 1..4 {
            let p = path(shard as u16);
            assert_eq!(steer.way(now, p, &MEDIA, &transport), Way::Here, "of nobody's");
            assert_eq!(steer.way(now, p, &check(shard), &transport), Way::New(shard));
            steer.heard(now, p, shard, false);
            assert_eq!(steer.way(now, p, &MEDIA, &transport), Way::Here, "media proves nothing");
            steer.heard(now, p, shard, true);
            assert_eq!(steer.way(now, p, &MEDIA, &transport), Way::Known(shard));
            assert_eq!(steer.way(now, p, &check(shard), &transport), Way::Known(shard));
        }
        assert_eq!(steer.way(now, path(9), &check(0), &transport), Way::Here);
        assert_eq!(steer.way(now, path(9), &check(4), &transport), Way::Here, "there is no such shard");
        assert_eq!(steer.way(now, path(9), &[0, 1, 0, 0], &transport), Way::Here, "it names nobody");
    }

    #[test]
    fn nobody_takes_a_path_on_which_another_was_heard_of_late() {
        let (mut steer, transport) = (Steer::new(0, 4), transport());
        let now = Time::from_millis(100_000);
        steer.heard(now, path(1), 1, true);
        let soon = now.plus(Duration::from_secs(7));
        assert_eq!(steer.way(soon, path(1), &check(2), &transport), Way::Asked(1));
        assert_eq!(steer.way(soon, path(1), &check(0), &transport), Way::Asked(1));
        steer.heard(soon, path(1), 1, false);
        let later = now.plus(Duration::from_secs(14));
        assert_eq!(
            steer.way(later, path(1), &check(2), &transport),
            Way::Asked(1),
            "media was heard meanwhile"
        );
        let late = now.plus(Duration::from_secs(16));
        assert_eq!(steer.way(late, path(1), &check(2), &transport), Way::New(2));
        assert_eq!(steer.way(late, path(1), &check(0), &transport), Way::Here);
        steer.heard(late, path(1), 2, true);
        assert_eq!(steer.way(late, path(1), &MEDIA, &transport), Way::Known(2));
        steer.is_ours(path(1));
        assert_eq!(steer.way(late, path(1), &MEDIA, &transport), Way::Here);
    }

    #[test]
    fn a_path_is_free_as_soon_as_its_shard_says_so() {
        let (mut steer, transport) = (Steer::new(0, 4), transport());
        let now = Time::from_millis(100_000);
        steer.heard(now, path(1), 1, true);
        steer.gone(path(1), 3);
        assert_eq!(steer.way(now, path(1), &check(2), &transport), Way::Asked(1), "it was not theirs");
        steer.gone(path(1), 1);
        assert_eq!(steer.way(now, path(1), &check(2), &transport), Way::New(2));
        // The older generation forgets, too.
        steer.heard(now, path(1), 1, true);
        steer.heard(now.plus(GONE_AFTER), path(2), 1, true);
        steer.gone(path(1), 1);
        assert_eq!(steer.way(now, path(1), &check(2), &transport), Way::New(2));
    }

    #[test]
    fn one_shard_asks_nothing() {
        let (steer, transport) = (Steer::new(0, 1), transport());
        assert_eq!(steer.way(Time::ZERO, path(1), &check(3), &transport), Way::Here);
    }

    proptest! {
        /// What is heard stays; what is not heard any more is forgotten after two generations at the latest.
        #[test]
        fn paths_live_as_long_as_they_are_heard(steps in prop::collection::vec((0u64..8_000, 0u16..20), 1..300)) {
            let (mut steer, transport) = (Steer::new(0, 2), transport());
            let mut now = Time::from_millis(100_000);
            let mut heard = HashMap::new();
            for (wait, n) in steps {
                now = now.plus(Duration::from_millis(wait));
                steer.heard(now, path(n), 1, true);
                heard.insert(n, now);
                for (&n, &at) in &heard {
                    if now.since(at) < GONE_AFTER {
                        prop_assert_eq!(steer.way(now, path(n), &MEDIA, &transport), Way::Known(1));
                    }
                }
                let alive = heard.values().filter(|&&at| now.since(at) <= 2 * GONE_AFTER + Duration::from_secs(8)).count();
                prop_assert!(steer.young.len() + steer.old.len() <= alive);
            }
        }
    }
}
