//! Many peers on one port.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Instant;

use salon_rtp::Time;
use slotmap::{SlotMap, new_key_type};

use crate::clock::Clock;
use crate::deadlines::Deadlines;
use crate::event::{Mark, Pending};
use crate::ice::Agent;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::{Counters, Event, GoneReason, IceCredentials, Identity, Link, Path, PeerSpec, Refused, limits};

new_key_type! {
    /// A peer of one transport. Of a peer that is gone it is stale, and never means another.
    pub struct PeerId;
}

/// What a transport is allowed.
///
/// New fields come with a default: write `..Config::default()`.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Peers at one time.
    pub max_peers: usize,
    /// Handshakes under way at one time.
    pub max_handshakes: usize,
    /// Packets that may still be sealed late, per stream: as deep as the cache that feeds retransmissions.
    pub sent_window: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_peers: limits::MAX_PEERS,
            max_handshakes: limits::MAX_HANDSHAKES,
            sent_window: salon_srtp::limits::DEFAULT_SENT_WINDOW,
        }
    }
}

/// ICE-lite, DTLS and SRTP of many peers on one port.
///
/// Everything that happens is brought by a call; what follows is polled: datagrams, events, and the time at which to call
/// again. No poll loops over peers.
pub struct Transport {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) peers: SlotMap<PeerId, Peer>,
    /// By our half of the STUN username: both generations of a peer that restarts.
    pub(crate) by_ufrag: HashMap<Box<[u8]>, PeerId>,
    /// By addresses that a check proved.
    pub(crate) by_path: HashMap<Path, PeerId>,
    pub(crate) deadlines: Deadlines,
    pub(crate) events: VecDeque<Pending>,
    pub(crate) outbox: Outbox,
    pub(crate) scratch: Box<[u8]>,
    pub(crate) counters: Counters,
}

impl Transport {
    /// `origin`: an instant of the caller's clock, with the time that it had. All later times are measured from it; the
    /// clock itself is never read here.
    pub fn new(identity: Identity, config: Config, origin: (Instant, Time)) -> Self {
        Self {
            config,
            identity,
            clock: Clock::new(origin),
            peers: SlotMap::with_key(),
            by_ufrag: HashMap::new(),
            by_path: HashMap::new(),
            deadlines: Deadlines::default(),
            events: VecDeque::new(),
            outbox: Outbox::default(),
            scratch: vec![0; limits::SCRATCH].into_boxed_slice(),
            counters: Counters::default(),
        }
    }

    /// Expects a peer: from now on its checks are answered.
    pub fn add_peer(&mut self, now: Time, spec: PeerSpec) -> Result<PeerId, Refused> {
        if self.peers.len() >= self.config.max_peers {
            return Err(Refused::TooManyPeers);
        }
        self.judge(&spec.local, spec.remote.as_ref())?;
        let ufrag = key(&spec.local.ufrag);
        let peer = Peer::new(now, spec);
        let at = peer.entry;
        let id = self.peers.insert(peer);
        self.by_ufrag.insert(ufrag, id);
        self.deadlines.insert(at, id);
        self.counters.peers = self.peers.len() as u64;
        Ok(id)
    }

    /// Gives a peer new credentials on both sides (RFC 8445 §9). Handshake and SRTP go on; the old credentials are taken
    /// until the first check with the new ones.
    pub fn restart_ice(
        &mut self,
        now: Time,
        peer: PeerId,
        local: IceCredentials,
        remote: IceCredentials,
    ) -> Result<(), Refused> {
        let _ = now;
        if !self.peers.contains_key(peer) {
            return Err(Refused::NoSuchPeer);
        }
        self.judge(&local, Some(&remote))?;
        let Some(known) = self.peers.get_mut(peer) else { return Err(Refused::NoSuchPeer) };
        self.by_ufrag.insert(key(&local.ufrag), peer);
        if let Some(ended) = known.ice.restart(Agent::new(local, Some(remote))) {
            self.by_ufrag.remove(ended.as_bytes());
        }
        Ok(())
    }

    fn judge(&self, local: &IceCredentials, remote: Option<&IceCredentials>) -> Result<(), Refused> {
        if !local.is_valid() || remote.is_some_and(|r| !r.is_valid()) {
            return Err(Refused::BadCredentials);
        }
        if self.by_ufrag.contains_key(local.ufrag.as_bytes()) {
            return Err(Refused::UfragInUse);
        }
        Ok(())
    }

    /// Forgets a peer, and tells it so if it is connected (close_notify). A stale id is no mistake: nothing happens.
    pub fn remove_peer(&mut self, now: Time, peer: PeerId) {
        let Some(mut peer) = self.forget(peer) else { return };
        if let (Some(session), Some(path), true) = (peer.dtls.as_mut(), peer.selected, peer.keys.is_some()) {
            let Self { outbox, scratch, counters, clock, .. } = self;
            session.close(clock.instant(now), scratch, &mut |datagram| {
                counters.unsent += u64::from(!outbox.push(path, datagram.to_vec()));
            });
        }
    }

    /// The way out to a peer: only once its handshake is done and it has chosen a path.
    pub fn link(&mut self, peer: PeerId) -> Option<Link<'_>> {
        let peer = self.peers.get_mut(peer)?;
        Some(Link { path: peer.selected?, outbound: &mut peer.keys.as_mut()?.outbound })
    }

    /// The path that a peer has chosen.
    pub fn path(&self, peer: PeerId) -> Option<Path> {
        self.peers.get(peer)?.selected
    }

    /// When a peer's last authenticated packet came, or when it was added if none has.
    pub fn last_heard(&self, peer: PeerId) -> Option<Time> {
        Some(self.peers.get(peer)?.liveness.heard())
    }

    /// Whether a path is somebody's beyond doubt: its peer was heard there of late. Nobody else can prove it meanwhile; where
    /// several transports share a port, none of the others should take a check that comes on it.
    pub fn holds(&self, now: Time, path: Path) -> bool {
        let peer = self.by_path.get(&path).and_then(|&id| self.peers.get(id));
        peer.is_some_and(|peer| peer.holds(now, path))
    }

    /// Whether a path is somebody's at all, however long nothing was heard there.
    pub fn knows(&self, path: Path) -> bool {
        self.by_path.contains_key(&path)
    }

    /// Our newest credentials towards a peer.
    pub fn local_credentials(&self, peer: PeerId) -> Option<&IceCredentials> {
        Some(self.peers.get(peer)?.ice.current.local())
    }

    /// The next datagram to send (an answer to a check, a part of a handshake), written to the front of `out`, which
    /// should hold [`DTLS_MTU`](limits::DTLS_MTU) bytes: one that does not fit is lost.
    pub fn poll_transmit(&mut self, now: Time, out: &mut [u8]) -> Option<(Path, usize)> {
        let _ = now;
        while let Some((path, datagram)) = self.outbox.pop() {
            if let Some(to) = out.get_mut(..datagram.len()) {
                to.copy_from_slice(&datagram);
                return Some((path, datagram.len()));
            }
            self.counters.unsent += 1;
        }
        None
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(pending) = self.events.pop_front() {
            let told = match pending {
                Pending::Gone(peer, reason) => Some(Event::Gone { peer, reason }),
                Pending::Look(id, mark) => self.peers.get_mut(id).and_then(|peer| peer.tell(id, mark)),
            };
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest. It may find nothing to do then.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first()
    }

    /// Does what is due: lost flights are sent again, the silent and the gone are noticed.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(id) = self.deadlines.pop(now) {
            self.counters.visits += 1;
            self.visit(now, id);
            if let Some(peer) = self.peers.get_mut(id) {
                let due = peer.due();
                peer.entry = if due > now { due } else { now.plus(limits::LEAST_WAIT) };
                self.deadlines.insert(peer.entry, id);
            }
        }
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Peers now.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Takes a peer out of every table.
    pub(crate) fn forget(&mut self, id: PeerId) -> Option<Peer> {
        let peer = self.peers.remove(id)?;
        self.deadlines.remove(peer.entry, id);
        for ufrag in peer.ice.ufrags() {
            self.by_ufrag.remove(ufrag.as_bytes());
        }
        for path in peer.addresses.iter() {
            self.by_path.remove(&path);
        }
        self.counters.handshakes -= u64::from(peer.is_shaking());
        self.counters.peers = self.peers.len() as u64;
        Some(peer)
    }

    /// Ends a peer, and says so.
    pub(crate) fn end(&mut self, id: PeerId, reason: GoneReason) {
        if self.forget(id).is_some() {
            self.events.push_back(Pending::Gone(id, reason));
        }
    }

    /// Moves a peer's entry forward, if it is due before it. One that is due later stays where it is, and is moved when
    /// its time comes: a packet costs no move.
    pub(crate) fn reschedule(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        let due = peer.due();
        if due < peer.entry {
            self.deadlines.remove(peer.entry, id);
            peer.entry = due;
            self.deadlines.insert(due, id);
        }
    }

    pub(crate) fn mark(&mut self, id: PeerId, mark: Mark) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.marks.set(id, mark, &mut self.events);
        }
    }

    /// Whether the tables agree with each other, for tests: one entry per peer among the deadlines, no name and no
    /// address of anybody who is gone.
    #[doc(hidden)]
    pub fn check(&self) {
        let names: usize = self.peers.values().map(|p| p.ice.ufrags().count()).sum();
        let paths: usize = self.peers.values().map(|p| p.addresses.iter().count()).sum();
        assert_eq!(self.by_ufrag.len(), names, "names");
        assert_eq!(self.by_path.len(), paths, "addresses");
        assert_eq!(self.deadlines.len(), self.peers.len(), "deadlines");
        let shaking = self.peers.values().filter(|p| p.is_shaking()).count();
        assert_eq!(self.counters.handshakes, shaking as u64, "handshakes");
        for (id, peer) in &self.peers {
            assert!(
                peer.ice.ufrags().all(|u| self.by_ufrag.get(u.as_bytes()) == Some(&id)),
                "a name of {id:?}"
            );
            assert!(peer.addresses.iter().all(|a| self.by_path.get(&a) == Some(&id)), "an address of {id:?}");
            assert!(peer.selected.is_none_or(|s| peer.addresses.knows(s)), "the path of {id:?}");
            assert!(peer.entry <= peer.due() || peer.dtls_due.is_some(), "the deadline of {id:?}");
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("peers", &self.peers.len()).finish_non_exhaustive()
    }
}

fn key(ufrag: &str) -> Box<[u8]> {
    ufrag.as_bytes().into()
}
