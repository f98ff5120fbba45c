//! The wall before the ICE library: the only file that names it.
//!
//! A lite agent answers checks and sends none (RFC 8445 §7.3). The library reads the message, verifies it, notices role
//! conflicts and writes the answer. Which addresses are valid, where media goes and whether a peer lives is decided
//! outside: the library would send to the pair of the highest priority though the peer has moved.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use aws_lc_rs::hmac;
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceCreds, Protocol, Sha1HmacProvider};

use crate::limits::{AGENT_SOURCES, SEEN_CHECKS};
use crate::stun::Claim;
use crate::{DropReason, IceCredentials};

/// The library drops what was not sent to a candidate of its own. Ours are many, and change: it is told that everything
/// comes to this one (RFC 5737 §3, discard port), and the true path is kept outside.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// The first two bytes of a binding error response (RFC 8489 §5): for us, a 487.
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];

/// One generation of a peer's credentials, and who answers for it.
pub(crate) struct Agent {
    agent: IceAgent,
    local: IceCredentials,
    remote: Option<IceCredentials>,
    sources: usize,
    seen: Seen,
    used: bool,
}

/// An authenticated check.
pub(crate) struct Checked {
    /// What goes back to where it came from.
    pub(crate) answer: Vec<u8>,
    /// Whether the source is valid from now on: false where the peer took the wrong role (RFC 8445 §7.3.1.1).
    pub(crate) valid: bool,
    /// Whether the peer chose this path (USE-CANDIDATE, RFC 8445 §7.1.2).
    pub(crate) nominates: bool,
}

impl Agent {
    /// Without `remote`, whoever knows our password may call itself as it likes.
    pub(crate) fn new(local: IceCredentials, remote: Option<IceCredentials>) -> Self {
        let agent = library_agent(&local, remote.as_ref());
        Self { agent, local, remote, sources: 0, seen: Seen::default(), used: false }
    }

    pub(crate) fn local(&self) -> &IceCredentials {
        &self.local
    }

    /// Whether a check with these credentials ever verified.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// Takes a binding request. `new`: whether its source is none of the peer's addresses so far.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        source: SocketAddr,
        new: bool,
        claim: &Claim<'_>,
        datagram: &[u8],
    ) -> Result<Checked, DropReason> {
        if self.seen.elsewhere(claim.transaction, source) {
            return Err(DropReason::StunReplayed);
        }
        let message = StunMessage::parse(datagram).map_err(|_| DropReason::StunMalformed)?;
        if self.remote.is_none() {
            // The library would let the request wait for the peer's credentials; a lite agent has no need of them.
            let ufrag = String::from_utf8_lossy(claim.remote_ufrag).into_owned();
            self.agent.set_remote_credentials(IceCreds { ufrag, pass: String::new() });
        }
        let nominates = message.use_candidate();
        if new && self.sources >= AGENT_SOURCES {
            self.agent = library_agent(&self.local, self.remote.as_ref());
            self.sources = 0;
        }
        let packet = StunPacket { proto: Protocol::Udp, source, destination: LOCAL, message };
        if !self.agent.handle_packet(now, packet) {
            return Err(DropReason::StunBadIntegrity);
        }
        while self.agent.poll_event().is_some() {}
        let answer: Vec<u8> = match self.agent.poll_transmit() {
            Some(transmit) => transmit.contents.into(),
            None => return Err(DropReason::StunUnexpected),
        };
        self.used = true;
        self.sources += usize::from(new);
        self.seen.remember(claim.transaction, source);
        let valid = !answer.starts_with(&BINDING_ERROR);
        Ok(Checked { answer, valid, nominates: nominates && valid })
    }
}

fn library_agent(local: &IceCredentials, remote: Option<&IceCredentials>) -> IceAgent {
    let creds = |c: &IceCredentials| IceCreds { ufrag: c.ufrag.clone(), pass: c.pwd.clone() };
    let mut agent = IceAgent::with_hmac(creds(local), &Hmac);
    agent.set_ice_lite(true);
    // A lite agent never controls a full one (RFC 8445 §6.1.1): in a conflict the peer gives way.
    agent.set_controlling(false);
    agent.set_control_tie_breaker(u64::MAX);
    if let Some(remote) = remote {
        agent.set_remote_credentials(creds(remote));
    }
    if let Ok(candidate) = Candidate::host(LOCAL, "udp") {
        agent.add_local_candidate(candidate);
    }
    agent
}

#[derive(Debug)]
struct Hmac;

impl Sha1HmacProvider for Hmac {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let mut context = hmac::Context::with_key(&key);
        for payload in payloads {
            context.update(payload);
        }
        let mut sum = [0; 20];
        sum.copy_from_slice(context.sign().as_ref());
        sum
    }
}

/// The transactions answered last, with whom they came from.
#[derive(Default)]
struct Seen {
    ring: Vec<([u8; 12], SocketAddr)>,
    next: usize,
}

impl Seen {
    /// Whether the transaction was answered to another address. A check repeats itself from the same one (RFC 8489
    /// §6.2.1); from another one it was overheard.
    fn elsewhere(&self, transaction: [u8; 12], source: SocketAddr) -> bool {
        self.ring.iter().any(|&(t, s)| t == transaction && s != source)
    }

    fn remember(&mut self, transaction: [u8; 12], source: SocketAddr) {
        match self.ring.get_mut(self.next) {
            Some(slot) => *slot = (transaction, source),
            None => self.ring.push((transaction, source)),
        }
        self.next = (self.next + 1) % SEEN_CHECKS;
    }
}
