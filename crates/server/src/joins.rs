//! How fast one address may join.

use crate::bucket::Bucket;
use crate::gate::subscriber;
use crate::limits::{JOIN_ADDRESSES, JOINS_PER_SECOND};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A bucket for each address that joined lately.
#[derive(Debug)]
pub(crate) struct Joins(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    at_once: u32,
    of: HashMap<IpAddr, Bucket>,
    /// For all whose address found no place any more.
    others: Bucket,
}

impl Joins {
    pub(crate) fn new(now: Instant, at_once: u32) -> Self {
        let others = Bucket::new(now, JOINS_PER_SECOND, at_once);
        Self(Mutex::new(Buckets { at_once, of: HashMap::new(), others }))
    }

    /// Whether somebody from this address may join now. Loopback may always: a reverse proxy comes from there.
    pub(crate) fn allow(&self, now: Instant, client: Option<IpAddr>) -> bool {
        let Some(address) = client.map(subscriber).filter(|address| !address.is_loopback()) else {
            return true;
        };
        let Buckets { at_once, of, others } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= JOIN_ADDRESSES && !of.contains_key(&address) {
            // A full bucket says nothing that a new one would not.
            of.retain(|_, bucket| !bucket.is_full(now));
            if of.len() >= JOIN_ADDRESSES {
                return others.take(now);
            }
        }
        of.entry(address).or_insert_with(|| Bucket::new(now, JOINS_PER_SECOND, *at_once)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_class_may_join_at_once_and_then_one_a_second() {
        let now = Instant::now();
        let joins = Joins::new(now, 60);
        let school = Some("203.0.113.7".parse().unwrap());
        let allowed = |at: Instant| (0..100).filter(|_| joins.allow(at, school)).count();
        assert_eq!(allowed(now), 60);
        assert_eq!(allowed(now + Duration::from_secs(3)), 3);
        assert!(joins.allow(now, Some("203.0.113.8".parse().unwrap())), "another address is another");
        assert!((0..1_000).all(|_| joins.allow(now, Some("::1".parse().unwrap())) && joins.allow(now, None)));
    }

    #[test]
    fn a_thousand_addresses_of_one_subscriber_are_one_and_the_memory_is_bounded() {
        let now = Instant::now();
        let joins = Joins::new(now, 60);
        let of_one =
            (0..1_000u16).filter(|n| joins.allow(now, Some(format!("2001:db8::{n:x}").parse().unwrap())));
        assert_eq!(of_one.count(), 60);
        for n in 0..3 * u32::try_from(JOIN_ADDRESSES).unwrap() {
            joins.allow(now, Some(IpAddr::V4((0x0a00_0000 + n).into())));
        }
        assert_eq!(joins.0.lock().unwrap().of.len(), JOIN_ADDRESSES);
        // Those who have been quiet make room again.
        assert!(joins.allow(now + Duration::from_secs(120), Some("192.0.2.1".parse().unwrap())));
        assert_eq!(joins.0.lock().unwrap().of.len(), 1);
    }
}
