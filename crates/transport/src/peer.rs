//! What is known of one peer.

use salon_rtp::Time;
use salon_srtp::{Inbound, Outbound, Profile};

use crate::addresses::Addresses;
use crate::dtls::{Session, Setup};
use crate::event::{Event, Mark, Marks};
use crate::ice::Agent;
use crate::liveness::Liveness;
use crate::{Fingerprint, IceCredentials, Path, PeerId};

/// What a new peer is, as the signalling told.
#[derive(Clone, Debug)]
pub struct PeerSpec {
    /// Ours, which the answer carries: fresh random numbers of the operating system.
    pub local: IceCredentials,
    /// The peer's. Its password is of no use to a lite agent, its ufrag is checked. `None` if not yet known.
    pub remote: Option<IceCredentials>,
    /// Of the certificate that the peer must show.
    pub remote_fingerprint: Fingerprint,
    /// Our role in the handshake.
    pub setup: Setup,
}

pub(crate) struct Peer {
    pub(crate) ice: Generations,
    pub(crate) addresses: Addresses,
    /// Where media goes: the source of the newest USE-CANDIDATE.
    pub(crate) selected: Option<Path>,
    pub(crate) setup: Setup,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) dtls: Option<Session>,
    /// Where DTLS came from last: its answers go there until a path is chosen.
    pub(crate) dtls_from: Option<Path>,
    pub(crate) dtls_due: Option<Time>,
    pub(crate) keys: Option<Ciphers>,
    pub(crate) liveness: Liveness,
    pub(crate) marks: Marks,
    /// What was told last: the peer is connected; it is silent.
    pub(crate) told_connected: bool,
    pub(crate) told_silent: bool,
    /// Where its entry stands among the deadlines.
    pub(crate) entry: Time,
}

/// The SRTP state of both directions.
pub(crate) struct Ciphers {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
}

impl Ciphers {
    pub(crate) fn profile(&self) -> Profile {
        self.outbound.profile()
    }
}

impl Peer {
    pub(crate) fn new(now: Time, spec: PeerSpec) -> Self {
        let liveness = Liveness::new(now);
        Self {
            ice: Generations { current: Agent::new(spec.local, spec.remote), old: None },
            addresses: Addresses::default(),
            selected: None,
            setup: spec.setup,
            fingerprint: spec.remote_fingerprint,
            dtls: None,
            dtls_from: None,
            dtls_due: None,
            keys: None,
            liveness,
            marks: Marks::default(),
            told_connected: false,
            told_silent: false,
            entry: liveness.due(),
        }
    }

    /// When a timer must look at it.
    pub(crate) fn due(&self) -> Time {
        self.dtls_due.unwrap_or(Time::NEVER).min(self.liveness.due())
    }

    /// Whether a handshake is under way.
    pub(crate) fn is_shaking(&self) -> bool {
        self.dtls.is_some() && self.keys.is_none()
    }

    /// How things stand with what was marked; nothing, if that was told already.
    pub(crate) fn tell(&mut self, id: PeerId, mark: Mark) -> Option<Event> {
        self.marks.clear(mark);
        match mark {
            Mark::Connected => {
                let (path, profile) = (self.selected?, self.keys.as_ref()?.profile());
                self.told_connected = true;
                Some(Event::Connected { peer: id, profile, path })
            }
            Mark::Path => Some(Event::PathChanged { peer: id, path: self.selected? }),
            Mark::Liveness => {
                let silent = self.liveness.is_silent();
                let told = core::mem::replace(&mut self.told_silent, silent);
                match (told, silent) {
                    (false, true) => Some(Event::Silent { peer: id }),
                    (true, false) => Some(Event::Back { peer: id }),
                    _ => None,
                }
            }
        }
    }

    /// Whether media can go out.
    pub(crate) fn is_linked(&self) -> bool {
        self.keys.is_some() && self.selected.is_some()
    }
}

/// The credentials in force, and during a restart those before: a peer goes on with the old ones until it has the answer
/// (RFC 8445 §9).
pub(crate) struct Generations {
    pub(crate) current: Agent,
    pub(crate) old: Option<Agent>,
}

impl Generations {
    /// Whose ufrag this is.
    pub(crate) fn of(&mut self, ufrag: &[u8]) -> Option<&mut Agent> {
        let old = self.old.as_mut();
        [Some(&mut self.current), old].into_iter().flatten().find(|a| a.local().ufrag.as_bytes() == ufrag)
    }

    /// Takes new credentials. Gives back the ufrag that is no longer valid: of a restart that the peer never followed.
    pub(crate) fn restart(&mut self, agent: Agent) -> Option<String> {
        let before = core::mem::replace(&mut self.current, agent);
        match &self.old {
            Some(_) if !before.is_used() => Some(before.local().ufrag.clone()),
            _ => self.old.replace(before).map(|a| a.local().ufrag.clone()),
        }
    }

    /// After a check with this ufrag: gives back the older ufrag, which ends with it.
    pub(crate) fn settle(&mut self, ufrag: &[u8]) -> Option<String> {
        let current = self.current.local().ufrag.as_bytes() == ufrag;
        self.old.take_if(|_| current).map(|a| a.local().ufrag.clone())
    }

    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        [Some(&self.current), self.old.as_ref()].into_iter().flatten().map(|a| a.local().ufrag.as_str())
    }
}
