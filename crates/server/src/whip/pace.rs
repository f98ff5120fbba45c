//! How fast sessions may begin.

use crate::bucket::Bucket;
use crate::gate::subscriber;
use crate::limits::{
    ADDRESSES, ALL_SESSIONS_AT_ONCE, ALL_SESSIONS_PER_SECOND, SESSIONS_PER_ADDRESS, SESSIONS_PER_SECOND,
};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// One bucket for all, and one for each address but loopback, from which reverse proxies come.
#[derive(Debug)]
pub(crate) struct Pace {
    all: Bucket,
    addresses: HashMap<IpAddr, Bucket>,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        let all = Bucket::new(now, ALL_SESSIONS_PER_SECOND, ALL_SESSIONS_AT_ONCE);
        Self { all, addresses: HashMap::new() }
    }

    /// Whether one more may begin now.
    pub(crate) fn allows(&mut self, now: Instant, client: IpAddr) -> bool {
        let address = subscriber(client);
        if address.is_loopback() {
            return self.all.take(now);
        }
        if self.addresses.len() >= ADDRESSES && !self.addresses.contains_key(&address) {
            self.addresses.retain(|_, bucket| !bucket.is_full(now));
            if self.addresses.len() >= ADDRESSES {
                self.addresses.clear();
            }
        }
        let at_once = u32::try_from(SESSIONS_PER_ADDRESS).unwrap_or(u32::MAX);
        let own = self.addresses.entry(address);
        // Who is refused for their own pace takes nothing from the others.
        own.or_insert_with(|| Bucket::new(now, SESSIONS_PER_SECOND, at_once)).take(now) && self.all.take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn one_address_that_hurries_slows_no_other_down() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let (hasty, calm) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let passed = (0..10_000).filter(|_| pace.allows(now, hasty)).count();
        assert_eq!(passed, SESSIONS_PER_ADDRESS);
        assert!(pace.allows(now, calm));
    }

    #[test]
    fn all_together_have_a_bound_and_so_has_what_is_remembered() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let addresses = (0..3 * ADDRESSES as u32).map(|n| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + n)));
        let passed = addresses.filter(|&address| pace.allows(now, address)).count();
        assert_eq!(passed, ALL_SESSIONS_AT_ONCE as usize);
        assert!(pace.addresses.len() <= ADDRESSES);
        assert!(!pace.allows(now, Ipv4Addr::LOCALHOST.into()));
    }
}
