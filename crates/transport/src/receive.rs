//! What comes in: each kind of datagram, from whom it is, and what it may change.

use core::time::Duration;

use salon_rtp::{Demux, Time};
use salon_srtp::{Inbound, Outbound};

use crate::dtls::{Keys, Session, Setup, Step};
use crate::event::Mark;
use crate::limits::{FOLLOW_CHECK_AFTER, FOLLOW_MEDIA_AFTER, MAX_DTLS_DATAGRAM, SILENT_AFTER};
use crate::liveness::Change;
use crate::peer::{Ciphers, Peer};
use crate::stun::Claim;
use crate::{DropReason, GoneReason, Path, PeerId, Transport};

/// What became of a datagram.
// Exhaustive: whoever owns the socket must miss no kind.
#[derive(Debug)]
pub enum Received<'a> {
    /// RTP of a peer, in plain text.
    Rtp(PeerId, &'a [u8]),
    /// A compound RTCP packet of a peer, in plain text.
    Rtcp(PeerId, &'a [u8]),
    /// A check or a part of a handshake: poll for datagrams, events and the next timeout.
    Consumed,
    /// Nobody's, or nobody's yet. Nothing changed, and nothing is sent back.
    Dropped(DropReason),
}

impl Transport {
    /// Takes a datagram: `path.local` is where it came in, `path.remote` where it says it came from.
    pub fn handle_datagram<'a>(&mut self, now: Time, path: Path, datagram: &'a mut [u8]) -> Received<'a> {
        let received = match Demux::of(datagram) {
            Demux::Stun => self.receive_stun(now, path, datagram).map(|()| Received::Consumed),
            Demux::Dtls => self.receive_dtls(now, path, datagram).map(|()| Received::Consumed),
            Demux::Rtp => self.receive_rtp(now, path, datagram),
            Demux::Rtcp => self.receive_rtcp(now, path, datagram),
            Demux::Other => Err(DropReason::UnknownProtocol),
        };
        received.unwrap_or_else(|reason| {
            self.counters.count(reason);
            Received::Dropped(reason)
        })
    }

    fn receive_rtp<'a>(
        &mut self,
        now: Time,
        path: Path,
        datagram: &'a mut [u8],
    ) -> Result<Received<'a>, DropReason> {
        let (id, keys) = self.opener(path)?;
        let packet = keys.open_rtp(datagram)?;
        self.media_came(now, id, path);
        Ok(Received::Rtp(id, packet))
    }

    fn receive_rtcp<'a>(
        &mut self,
        now: Time,
        path: Path,
        datagram: &'a mut [u8],
    ) -> Result<Received<'a>, DropReason> {
        let (id, keys) = self.opener(path)?;
        let packet = keys.open_rtcp(datagram)?;
        self.media_came(now, id, path);
        Ok(Received::Rtcp(id, packet))
    }

    /// Who may have sent media on this path. Only a path that a check has proved: anybody can send bytes to a port.
    fn opener(&mut self, path: Path) -> Result<(PeerId, &mut Inbound), DropReason> {
        let &id = self.by_path.get(&path).ok_or(DropReason::SrtpForeign)?;
        let peer = self.peers.get_mut(id).ok_or(DropReason::SrtpForeign)?;
        let keys = peer.keys.as_mut().ok_or(DropReason::SrtpNoKeys)?;
        Ok((id, &mut keys.inbound))
    }

    /// A peer's media opened.
    fn media_came(&mut self, now: Time, id: PeerId, path: Path) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.addresses.touch(now, path);
        let follow = peer.leaves(now, path, FOLLOW_MEDIA_AFTER);
        self.heard(now, id);
        if follow {
            self.nominate(now, id, path);
            self.reschedule(id);
        }
    }

    fn receive_stun(&mut self, now: Time, path: Path, datagram: &[u8]) -> Result<(), DropReason> {
        let claim = Claim::parse(datagram)?;
        let &id = self.by_ufrag.get(claim.ufrag).ok_or(DropReason::StunUnknownUser)?;
        let owner = self.by_path.get(&path).copied().filter(|&owner| owner != id);
        if owner.and_then(|o| self.peers.get(o)).is_some_and(|o| o.holds(now, path)) {
            return Err(DropReason::StunAddressTaken);
        }
        let peer = self.peers.get_mut(id).ok_or(DropReason::StunUnknownUser)?;
        let new = !peer.addresses.knows(path);
        if new && !peer.addresses.admits(now) {
            return Err(DropReason::StunTooManyAddresses);
        }
        let agent = peer.ice.of(claim.ufrag).ok_or(DropReason::StunUnknownUser)?;
        let checked = agent.check(self.clock.instant(now), path.remote, new, &claim, datagram)?;

        // From here on the sender is known to have our password.
        self.counters.checks += 1;
        if let Some(ended) = peer.ice.settle(claim.ufrag) {
            self.by_ufrag.remove(ended.as_bytes());
        }
        let follow = peer.selected.is_some() && peer.leaves(now, path, FOLLOW_CHECK_AFTER);
        if checked.valid {
            self.validate(now, id, path);
        }
        self.heard(now, id);
        self.counters.unsent += u64::from(!self.outbox.push(path, checked.answer));
        if checked.nominates || (checked.valid && follow) {
            self.nominate(now, id, path);
        }
        self.reschedule(id);
        Ok(())
    }

    /// A check proved that the peer is reached on a path.
    fn validate(&mut self, now: Time, id: PeerId, path: Path) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if peer.addresses.knows(path) {
            peer.addresses.touch(now, path);
            return;
        }
        if let Some(left) = peer.addresses.insert(now, path, peer.selected) {
            self.by_path.remove(&left);
        }
        let before = self.by_path.insert(path, id);
        if let Some(before) = before.and_then(|b| self.peers.get_mut(b)) {
            before.addresses.remove(path);
            before.selected.take_if(|s| *s == path);
        }
    }

    /// The peer chose a path. The newest choice counts, whatever its priority: a browser that has moved says so in no
    /// other way (RFC 8445 §8.1.1 lets the controlling side choose as it likes). It also chooses by what it does (see
    /// `Peer::leaves`).
    fn nominate(&mut self, now: Time, id: PeerId, path: Path) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if peer.selected.replace(path) != Some(path) {
            let mark = if peer.told_connected { Mark::Path } else { Mark::Connected };
            if peer.is_linked() {
                self.link_up(now, id, mark);
            }
        }
        let waits = self.peers.get(id).is_some_and(|p| p.setup == Setup::Active && p.dtls.is_none());
        if waits && self.begin(now, id).is_ok() {
            self.shake(now, id, None);
        }
    }

    /// Keys and path are there.
    fn link_up(&mut self, now: Time, id: PeerId, mark: Mark) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.liveness.connect(now);
        self.mark(id, mark);
    }

    /// Something came that only the peer can have made.
    fn heard(&mut self, now: Time, id: PeerId) {
        let back = self.peers.get_mut(id).is_some_and(|peer| peer.liveness.hear(now));
        if back {
            self.mark(id, Mark::Liveness);
            self.reschedule(id);
        }
    }

    fn receive_dtls(&mut self, now: Time, path: Path, datagram: &[u8]) -> Result<(), DropReason> {
        let &id = self.by_path.get(&path).ok_or(DropReason::DtlsForeign)?;
        let peer = self.peers.get_mut(id).ok_or(DropReason::DtlsForeign)?;
        if datagram.len() > MAX_DTLS_DATAGRAM {
            return Err(DropReason::DtlsOversized);
        }
        match (&peer.dtls, peer.setup) {
            (Some(_), _) => {}
            (None, Setup::Passive) => self.begin(now, id)?,
            (None, Setup::Active) => return Err(DropReason::DtlsEarly),
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.dtls_from = Some(path);
        }
        self.shake(now, id, Some(datagram));
        self.reschedule(id);
        Ok(())
    }

    /// Makes a peer's DTLS connection.
    fn begin(&mut self, now: Time, id: PeerId) -> Result<(), DropReason> {
        if self.counters.handshakes >= self.config.max_handshakes as u64 {
            return Err(DropReason::DtlsTooMany);
        }
        let Some(peer) = self.peers.get_mut(id) else { return Ok(()) };
        let context = self.identity.context();
        peer.dtls = Some(Session::new(context, peer.setup, peer.fingerprint, self.clock.instant(now)));
        self.counters.handshakes += 1;
        self.counters.handshakes_begun += 1;
        Ok(())
    }

    /// Brings a handshake forward: by a datagram, or by time alone.
    fn shake(&mut self, now: Time, id: PeerId, datagram: Option<&[u8]>) {
        let Self { peers, scratch, outbox, counters, clock, .. } = self;
        let Some(peer) = peers.get_mut(id) else { return };
        let Some(session) = peer.dtls.as_mut() else { return };
        let to = peer.selected.or(peer.dtls_from);
        let mut send = |d: &[u8]| {
            let sent = to.is_some_and(|to| outbox.push(to, d.to_vec()));
            counters.unsent += u64::from(!sent);
        };
        let instant = clock.instant(now);
        let step = match datagram {
            Some(datagram) => session.receive(instant, datagram, scratch, &mut send),
            None => session.tick(instant, scratch, &mut send),
        };
        match step {
            Step::Wait(due) => peer.dtls_due = due.map(|d| clock.time(d)),
            Step::Done(keys, due) => {
                peer.dtls_due = due.map(|d| clock.time(d));
                self.install(now, id, &keys);
            }
            Step::Over(reason) => self.end(id, reason),
        }
    }

    /// The handshake is done, and the peer is the one that was announced.
    fn install(&mut self, now: Time, id: PeerId, keys: &Keys) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if peer.keys.is_some() {
            return;
        }
        let ciphers = Inbound::new(&keys.theirs).and_then(|inbound| {
            Ok(Ciphers { inbound, outbound: Outbound::new(&keys.ours, self.config.sent_window)? })
        });
        let Ok(ciphers) = ciphers else { return self.end(id, GoneReason::HandshakeFailed) };
        peer.keys = Some(ciphers);
        let linked = peer.is_linked();
        self.counters.handshakes -= 1;
        self.counters.connected += 1;
        if linked {
            self.link_up(now, id, Mark::Connected);
        }
    }

    /// A peer's time has come.
    pub(crate) fn visit(&mut self, now: Time, id: PeerId) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        match peer.liveness.check(now) {
            Some(Change::Gone(reason)) => return self.end(id, reason),
            Some(Change::Silent) => self.mark(id, Mark::Liveness),
            None => {}
        }
        if self.peers.get(id).and_then(|p| p.dtls_due).is_some_and(|due| due <= now) {
            self.shake(now, id, None);
        }
    }
}

impl Peer {
    /// Whether a path is this peer's beyond doubt: it was heard there of late. Nobody who forges its address can take it.
    pub(crate) fn holds(&self, now: Time, path: Path) -> bool {
        self.addresses.heard(path).is_some_and(|heard| now.since(heard) < SILENT_AFTER)
    }

    /// Whether what came on `path` means that the peer has left the path it chose, of which nothing was heard for `quiet`.
    /// Firefox nominates once, all its pairs at about the same time, and never again: its later checks bear no
    /// USE-CANDIDATE, so that after a NAT has moved it only what it sends says where it is.
    fn leaves(&self, now: Time, path: Path, quiet: Duration) -> bool {
        let Some(selected) = self.selected else { return true };
        selected != path && self.addresses.heard(selected).is_none_or(|heard| now.since(heard) >= quiet)
    }
}
