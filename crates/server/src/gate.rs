//! How many connections are open, in all and per address.

use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Counts places; a [`Place`] gives its own back when it is dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    all: usize,
    per_address: usize,
    taken: Mutex<Taken>,
    emptied: Notify,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    per_address: HashMap<IpAddr, usize>,
}

/// A connection's place.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Gate {
    pub(crate) fn new(all: usize, per_address: usize, gauge: Gauge) -> Arc<Self> {
        Arc::new(Self { all, per_address, taken: Mutex::default(), emptied: Notify::new(), gauge })
    }

    /// A place, if there is one for this client. From loopback come reverse proxies: they count in all, but not per address.
    pub(crate) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let address = subscriber(client);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return None;
        }
        let count = taken.per_address.entry(address).or_default();
        if *count >= self.per_address && !address.is_loopback() {
            return None;
        }
        *count += 1;
        taken.all += 1;
        self.gauge.inc();
        Some(Place { gate: self.clone(), address })
    }

    /// Connections now.
    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// Waits until nobody is there.
    pub(crate) async fn empty(&self) {
        loop {
            let notified = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.gate.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        self.gate.gauge.dec();
        if let Some(count) = taken.per_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.per_address.remove(&self.address);
            }
        }
        if taken.all == 0 {
            self.gate.emptied.notify_waiters();
        }
    }
}

/// The address that stands for one subscriber: all of a /64 belongs to one (RFC 6177 §2).
pub(crate) fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_addresses_are_forgotten() {
        let gate = Gate::new(3, 2, Gauge::default());
        let ip: IpAddr = "192.0.2.1".parse().unwrap();
        let places: Vec<_> = (0..2).map(|_| gate.enter(ip).unwrap()).collect();
        assert!(gate.enter(ip).is_none(), "per address");
        let other = gate.enter("192.0.2.2".parse().unwrap()).unwrap();
        assert!(gate.enter("192.0.2.3".parse().unwrap()).is_none(), "in all");
        drop((places, other));
        assert_eq!(gate.count(), 0);
        assert!(gate.taken.lock().unwrap().per_address.is_empty());
    }

    #[test]
    fn a_network_of_one_subscriber_is_one_address_and_loopback_is_many() {
        let gate = Gate::new(10, 1, Gauge::default());
        let _first = gate.enter("2001:db8::1".parse().unwrap()).unwrap();
        assert!(gate.enter("2001:db8::2".parse().unwrap()).is_none());
        let _a = gate.enter("::1".parse().unwrap()).unwrap();
        let _b = gate.enter("::1".parse().unwrap()).unwrap();
    }
}
