//! The sessions that there are.

use super::Kind;
use super::pace::Pace;
use super::refused::{Reason, Refused};
use super::resource::Resource;
use crate::gate::{Gate, Place};
use crate::limits::{SESSIONS, SESSIONS_PER_ADDRESS};
use crate::name::RoomName;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// All WHIP and WHEP sessions, by the last segment of their URLs: 128 random bits, which are the only key to them.
#[derive(Debug)]
pub(crate) struct Registry {
    gate: Arc<Gate>,
    pace: Mutex<Pace>,
    resources: Mutex<HashMap<String, Arc<Resource>>>,
}

impl Registry {
    pub(crate) fn new(gauge: Gauge) -> Self {
        Self {
            gate: Gate::new(SESSIONS, SESSIONS_PER_ADDRESS, gauge),
            pace: Mutex::new(Pace::new(Instant::now())),
            resources: Mutex::default(),
        }
    }

    /// A place for one more session of this client. Who cannot be told apart counts as loopback does: in all alone.
    pub(crate) fn admit(&self, client: Option<IpAddr>) -> Result<Place, Refused> {
        let client = client.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let place = self.gate.enter(client).ok_or(Reason::TooMany)?;
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.allows(Instant::now(), client) { Ok(place) } else { Err(Reason::TooFast.into()) }
    }

    /// Makes a session reachable.
    pub(crate) fn insert(&self, id: String, resource: Arc<Resource>) {
        self.lock().insert(id, resource);
    }

    /// The session behind a URL.
    pub(crate) fn find(&self, kind: Kind, room: &str, id: &str) -> Result<Arc<Resource>, Refused> {
        let room = RoomName::parse(room).ok_or(Reason::NoSession)?;
        let resource = self.lock().get(id).cloned();
        resource.filter(|one| one.is(kind, &room)).ok_or(Reason::NoSession.into())
    }

    /// Takes a session out: its URL is no more.
    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Resource>>> {
        // Nothing below panics half way through a change.
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
