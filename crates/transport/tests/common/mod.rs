//! A transport and real WebRTC clients (str0m) on one virtual clock and one wire that the test can cut, bend and listen to.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use aws_lc_rs::hmac;
use salon_rtp::{Egress, Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc, Time};
use salon_transport::{
    Config, DropReason, Event, Fingerprint, IceCredentials, Identity, Path, PeerId, PeerSpec, Received,
    Setup, Transport,
};
use str0m::config::DtlsVersion;
use str0m::ice::IceCreds;
use str0m::media::MediaKind;
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Input, Output, Rtc, RtcConfig};

/// One way over the wire.
pub const DELAY: Duration = Duration::from_millis(10);
/// The stream of a client, and the one that we send it.
pub const THEIRS: u32 = 1111;
pub const OURS: u32 = 2222;

pub struct Client {
    pub rtc: Rtc,
    pub peer: PeerId,
    /// Its socket.
    pub inside: SocketAddr,
    /// What the world sees: a NAT stands between, which the test can rebind.
    pub outside: SocketAddr,
    pub due: Instant,
    /// Payloads received, and states.
    pub received: Vec<Vec<u8>>,
    pub connected: bool,
    pub alive: bool,
    next: u64,
}

#[derive(Clone, Debug)]
pub struct Datagram {
    pub to_us: bool,
    pub path: Path,
    pub bytes: Vec<u8>,
}

impl Datagram {
    /// The first byte's protocol.
    pub fn is_dtls(&self) -> bool {
        (20..64).contains(&self.bytes[0])
    }
    pub fn is_stun(&self) -> bool {
        self.bytes[0] < 4
    }
    pub fn is_media(&self) -> bool {
        (128..192).contains(&self.bytes[0])
    }
}

pub type Wire = Box<dyn FnMut(Time, &Datagram) -> bool>;

pub struct World {
    pub base: Instant,
    pub now: Time,
    pub local: SocketAddr,
    pub identity: Identity,
    pub transport: Transport,
    pub clients: Vec<Client>,
    pub events: Vec<(Time, Event)>,
    pub received: Vec<(PeerId, Vec<u8>)>,
    pub drops: Vec<DropReason>,
    /// Everything that we sent.
    pub sent: Vec<(Time, Datagram)>,
    /// Says of each datagram whether it arrives.
    pub wire: Wire,
    flying: BTreeMap<(Time, u64), Datagram>,
    serial: u64,
}

pub fn credentials(name: &str) -> IceCredentials {
    IceCredentials { ufrag: format!("{name:x<8}"), pwd: format!("{name:y<24}") }
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let base = Instant::now();
        let identity = Identity::generate().unwrap();
        // Not zero, so that nobody mistakes a time for a duration.
        let now = Time::from_millis(1_000_000);
        Self {
            base,
            now,
            local: "192.0.2.1:3478".parse().unwrap(),
            transport: Transport::new(identity.clone(), config, (base, now)),
            identity,
            clients: Vec::new(),
            events: Vec::new(),
            received: Vec::new(),
            drops: Vec::new(),
            sent: Vec::new(),
            wire: Box::new(|_, _| true),
            flying: BTreeMap::new(),
            serial: 0,
        }
    }

    pub fn instant(&self) -> Instant {
        self.base + self.now.since(Time::from_millis(1_000_000))
    }

    fn time(&self, at: Instant) -> Time {
        let nanos = at.saturating_duration_since(self.base).as_nanos();
        Time::from_millis(1_000_000).plus(Duration::from_micros(nanos.div_ceil(1_000) as u64))
    }

    /// A client that speaks `version`; `setup` is *our* role.
    pub fn join(&mut self, setup: Setup, version: DtlsVersion) -> usize {
        self.join_with(setup, version, |spec| spec)
    }

    pub fn join_with(
        &mut self,
        setup: Setup,
        version: DtlsVersion,
        bend: impl FnOnce(PeerSpec) -> PeerSpec,
    ) -> usize {
        let n = self.clients.len();
        let inside: SocketAddr = ([10, 0, (n / 250) as u8, (n % 250) as u8 + 1], 50_000).into();
        let mut rtc = RtcConfig::new().set_rtp_mode(true).set_dtls_version(version).build(self.instant());
        rtc.add_local_candidate(Candidate::host(inside, "udp").unwrap());
        rtc.add_remote_candidate(Candidate::host(self.local, "udp").unwrap());
        let local = credentials(&format!("us{n}"));
        let mut api = rtc.direct_api();
        let theirs = api.local_ice_credentials();
        let fingerprint = api.local_dtls_fingerprint().to_string();
        let fingerprint: Fingerprint = fingerprint.trim_start_matches("sha-256 ").parse().unwrap();
        api.set_ice_controlling(true);
        api.set_remote_ice_credentials(IceCreds { ufrag: local.ufrag.clone(), pass: local.pwd.clone() });
        api.set_remote_fingerprint(format!("sha-256 {}", self.identity.fingerprint()).parse().unwrap());
        api.start_dtls(setup == Setup::Passive).unwrap();
        let mid = "a".into();
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(THEIRS.into(), None, mid, None);
        api.expect_stream_rx(OURS.into(), None, mid, None);
        let spec = bend(PeerSpec {
            local,
            remote: Some(IceCredentials { ufrag: theirs.ufrag, pwd: theirs.pass }),
            remote_fingerprint: fingerprint,
            setup,
        });
        let peer = self.transport.add_peer(self.now, spec).unwrap();
        let due = self.instant();
        self.clients.push(Client {
            rtc,
            peer,
            inside,
            outside: inside,
            due,
            received: Vec::new(),
            connected: false,
            alive: true,
            next: 1,
        });
        n
    }

    /// A datagram on its way to us.
    pub fn fly_in(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        let path = Path { local: self.local, remote: from };
        self.fly(Datagram { to_us: true, path, bytes });
    }

    fn fly(&mut self, datagram: Datagram) {
        if !datagram.to_us {
            self.sent.push((self.now, datagram.clone()));
        }
        if (self.wire)(self.now, &datagram) {
            self.serial += 1;
            self.flying.insert((self.now.plus(DELAY), self.serial), datagram);
        }
    }

    /// Hands us a datagram at once.
    pub fn hand(&mut self, from: SocketAddr, bytes: &[u8]) -> Option<DropReason> {
        let path = Path { local: self.local, remote: from };
        let mut bytes = bytes.to_vec();
        let reason = match self.transport.handle_datagram(self.now, path, &mut bytes) {
            Received::Rtp(peer, p) | Received::Rtcp(peer, p) => {
                self.received.push((peer, p.to_vec()));
                None
            }
            Received::Consumed => None,
            Received::Dropped(reason) => {
                self.drops.push(reason);
                Some(reason)
            }
        };
        self.poll();
        reason
    }

    /// Takes what the transport has to say.
    pub fn poll(&mut self) {
        let mut out = [0; 1500];
        while let Some((path, n)) = self.transport.poll_transmit(self.now, &mut out) {
            self.fly(Datagram { to_us: false, path, bytes: out[..n].to_vec() });
        }
        while let Some(event) = self.transport.poll_event() {
            self.events.push((self.now, event));
        }
        self.transport.check();
    }

    fn poll_client(&mut self, n: usize) {
        while self.clients[n].alive {
            let Ok(output) = self.clients[n].rtc.poll_output() else {
                // It gave up.
                self.clients[n].alive = false;
                return;
            };
            match output {
                Output::Timeout(at) => {
                    self.clients[n].due = at;
                    return;
                }
                Output::Transmit(t) => {
                    let from = self.clients[n].outside;
                    self.fly_in(from, t.contents.to_vec());
                }
                Output::Event(str0m::Event::RtpPacket(p)) => {
                    self.clients[n].received.push(p.payload.to_vec())
                }
                Output::Event(str0m::Event::Connected) => self.clients[n].connected = true,
                Output::Event(_) => {}
            }
        }
    }

    /// Goes to the next moment at which something happens, at most to `until`.
    fn step(&mut self, until: Time) {
        let clients = self.clients.iter().filter(|c| c.alive).map(|c| self.time(c.due)).min();
        let flying = self.flying.keys().next().map(|k| k.0);
        let next = [clients, flying, self.transport.poll_timeout(), Some(until)]
            .into_iter()
            .flatten()
            .min()
            .unwrap();
        self.now = self.now.max(next.min(until));
        while let Some(entry) = self.flying.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let datagram = entry.remove();
            if datagram.to_us {
                self.hand(datagram.path.remote, &datagram.bytes);
            } else if let Some(n) =
                self.clients.iter().position(|c| c.alive && c.outside == datagram.path.remote)
            {
                let c = &self.clients[n];
                let receive = Receive {
                    proto: Protocol::Udp,
                    source: datagram.path.local,
                    destination: c.inside,
                    contents: datagram.bytes.as_slice().try_into().unwrap(),
                };
                let at = self.instant();
                self.clients[n].alive &=
                    self.clients[n].rtc.handle_input(Input::Receive(at, receive)).is_ok();
                self.poll_client(n);
            }
        }
        self.transport.handle_timeout(self.now);
        self.poll();
        let at = self.instant();
        for n in 0..self.clients.len() {
            if self.clients[n].alive && self.time(self.clients[n].due) <= self.now {
                self.clients[n].alive &= self.clients[n].rtc.handle_input(Input::Timeout(at)).is_ok();
                self.poll_client(n);
            }
        }
    }

    pub fn run(&mut self, time: Duration) {
        let until = self.now.plus(time);
        while self.now < until {
            self.step(until);
        }
    }

    /// Until something is so; false where it is not within `time`.
    pub fn run_until(&mut self, time: Duration, mut so: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now.plus(time);
        while !so(self) {
            if self.now >= until {
                return false;
            }
            self.step(until);
        }
        true
    }

    pub fn is_linked(&self, n: usize) -> bool {
        let peer = self.clients[n].peer;
        self.clients[n].connected
            && self.events.iter().any(|(_, e)| matches!(e, Event::Connected { peer: p, .. } if *p == peer))
    }

    /// Runs until a client is connected on both sides.
    pub fn connect(&mut self, n: usize) -> Duration {
        let from = self.now;
        let linked = self.run_until(Duration::from_secs(25), |w| w.is_linked(n));
        assert!(linked, "not connected: {:?} {:?}", self.events, self.transport.counters());
        self.now.since(from)
    }

    /// A client sends one packet.
    pub fn say(&mut self, n: usize, payload: &[u8]) {
        let at = self.instant();
        let c = &mut self.clients[n];
        let seq = c.next;
        c.next += 1;
        let pt = 111.into();
        let mut api = c.rtc.direct_api();
        let stream = api.stream_tx(&THEIRS.into()).unwrap();
        stream.write_rtp(RtpWrite::new(pt, seq.into(), seq as u32 * 960, at, payload));
        c.rtc.handle_input(Input::Timeout(at)).unwrap();
        self.poll_client(n);
    }

    /// A client closes its connection.
    pub fn bye(&mut self, n: usize) {
        self.clients[n].rtc.close().unwrap();
        self.poll_client(n);
    }

    /// We send a client one packet; false without a link.
    pub fn tell(&mut self, n: usize, index: u64, payload: &[u8]) -> bool {
        let mut out = [0; 1500];
        let Some(mut link) = self.transport.link(self.clients[n].peer) else { return false };
        let packet = Outgoing {
            ssrc: Ssrc(OURS),
            index: SeqNo(index),
            header: Header {
                pt: Pt::new(111).unwrap(),
                marker: false,
                timestamp: RtpTime(index as u32 * 960),
                csrc: None,
                extensions: OutExtensions::NONE,
            },
            prefix: Prefix::EMPTY,
            tail: payload,
            padding: 0,
        };
        let path = link.path();
        let n = link.seal(&Egress::Rtp(&packet), &mut out).unwrap();
        self.fly(Datagram { to_us: false, path, bytes: out[..n].to_vec() });
        true
    }

    pub fn happened(&self, so: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, e)| so(e))
    }

    /// Both directions carry sound now.
    pub fn assert_media(&mut self, n: usize, index: u64) {
        self.say(n, format!("up {index}").as_bytes());
        assert!(self.tell(n, index, format!("down {index}").as_bytes()), "no link");
        self.run(3 * DELAY);
        let (up, down) = (format!("up {index}").into_bytes(), format!("down {index}").into_bytes());
        let peer = self.clients[n].peer;
        assert!(
            self.received.iter().any(|(p, b)| *p == peer && b.ends_with(&up)),
            "nothing heard: {:?}",
            self.drops
        );
        assert!(self.clients[n].received.contains(&down), "nothing arrived");
    }
}

/// A check made by hand: a binding request to whom `ours` belongs.
pub struct Check<'a> {
    pub ours: &'a IceCredentials,
    pub theirs: &'a str,
    pub transaction: u64,
    pub nominates: bool,
    pub controlled: bool,
    pub priority: u32,
}

impl<'a> Check<'a> {
    pub fn new(ours: &'a IceCredentials, theirs: &'a str, transaction: u64) -> Self {
        Self { ours, theirs, transaction, nominates: false, controlled: false, priority: 0x6e00_1eff }
    }

    pub fn nominating(mut self) -> Self {
        self.nominates = true;
        self
    }

    /// Signed with `pwd`.
    pub fn signed(&self, pwd: &str) -> Vec<u8> {
        let user = format!("{}:{}", self.ours.ufrag, self.theirs);
        let mut body = attribute(0x0006, user.as_bytes());
        body.extend(attribute(0x0024, &self.priority.to_be_bytes()));
        body.extend(attribute(if self.controlled { 0x8029 } else { 0x802a }, &7u64.to_be_bytes()));
        if self.nominates {
            body.extend(attribute(0x0025, &[]));
        }
        finish([0x00, 0x01], self.transaction, body, pwd)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.signed(&self.ours.pwd)
    }
}

pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut a = kind.to_be_bytes().to_vec();
    a.extend((value.len() as u16).to_be_bytes());
    a.extend(value);
    a.resize(a.len().next_multiple_of(4), 0);
    a
}

/// Header, attributes, MESSAGE-INTEGRITY (RFC 8489 §14.5).
pub fn finish(kind: [u8; 2], transaction: u64, body: Vec<u8>, pwd: &str) -> Vec<u8> {
    let mut m = kind.to_vec();
    m.extend((body.len() as u16 + 24).to_be_bytes());
    m.extend([0x21, 0x12, 0xa4, 0x42]);
    m.extend([0, 0, 0, 9]);
    m.extend(transaction.to_be_bytes());
    m.extend(body);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes());
    let sum = hmac::sign(&key, &m);
    m.extend(attribute(0x0008, sum.as_ref()));
    m
}
