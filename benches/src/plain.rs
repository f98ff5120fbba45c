//! A plain forwarder over str0m: one thread, one socket, one `send_to` per packet.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use salon_transport::IceCredentials;
use str0m::config::DtlsVersion;
use str0m::ice::IceCreds;
use str0m::media::MediaKind;
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::cpu::Threads;
use crate::{Admitted, Forwarded, Forwarder, Guest, Role};

/// The loop, written as kindly to str0m as we could: it finds the peer of a datagram in a table instead of asking each, takes
/// what has come before it sends, so that each peer is polled once for all of it, shares the payload between receivers, and
/// looks at timers only every few milliseconds.
pub struct Plain {
    socket: Option<UdpSocket>,
    address: SocketAddr,
    people: Vec<Peer>,
    counted: Arc<(AtomicU64, AtomicU64)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Peer {
    rtc: Rtc,
    ufrag: String,
    room: usize,
    /// Its place among those of its room, by the order in which they came.
    place: usize,
    /// Of how many places it gets the voice, and the picture.
    hears: usize,
    sees: usize,
    due: Instant,
    alive: bool,
}

/// The streams on which everybody receives the voice, the picture and its repair of whoever came into the room at this place.
fn out(place: usize) -> [u32; 3] {
    let first = 0x5000_0000 + 3 * place as u32;
    [first, first + 1, first + 2]
}

/// Opus as everybody sends it.
const VOICE: u8 = 111;
/// Datagrams taken before what they caused is sent.
const DRAIN: usize = 64;
/// How often timers are looked at.
const TIMERS: Duration = Duration::from_millis(5);

impl Plain {
    /// Bound, and not yet begun.
    pub fn new() -> Self {
        let socket = salon_udp::Socket::bind(([127, 0, 0, 1], 0).into(), salon_udp::Options::default());
        // The port of a socket of ours, so that both have a chance to be bound; then the standard library's own.
        let address = socket.unwrap().local_addr();
        let socket = UdpSocket::bind(address).unwrap();
        Self {
            socket: Some(socket),
            address,
            people: Vec::new(),
            counted: Arc::default(),
            stop: Arc::default(),
            thread: None,
        }
    }
}

impl Default for Plain {
    fn default() -> Self {
        Self::new()
    }
}

impl Forwarder for Plain {
    fn name(&self) -> &'static str {
        "str0m"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn admit(&mut self, guest: Guest) -> Admitted {
        let now = Instant::now();
        let mut rtc = RtcConfig::new()
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_dtls_version(DtlsVersion::Dtls12)
            .build(now);
        rtc.add_local_candidate(Candidate::host(self.address, "udp").unwrap());
        let n = self.people.len();
        let own = IceCredentials { ufrag: format!("us{n:06}"), pwd: format!("{n:a>24}") };
        let mut api = rtc.direct_api();
        api.set_local_ice_credentials(IceCreds { ufrag: own.ufrag.clone(), pass: own.pwd.clone() });
        api.set_remote_ice_credentials(IceCreds { ufrag: guest.ice.ufrag, pass: guest.ice.pwd });
        api.set_ice_controlling(false);
        api.set_remote_fingerprint(format!("sha-256 {}", guest.fingerprint).parse().unwrap());
        api.start_dtls(false).unwrap();
        let fingerprint = api.local_dtls_fingerprint().to_string();
        let Role { voice, picture, hears, sees } = guest.role;
        let place = self.people.iter().filter(|p| p.room == guest.room).count();
        for (name, kind, ssrc) in [("a", MediaKind::Audio, voice), ("v", MediaKind::Video, picture)] {
            if let Some(ssrc) = ssrc {
                api.declare_media(name.into(), kind);
                api.expect_stream_rx(ssrc.0.into(), None, name.into(), None);
            }
        }
        // Who is among those that are heard or seen has one place more to look at: its own.
        let (hears, sees) = (hears, sees + usize::from(picture.is_some() && sees > 0));
        for of in (0..hears.max(sees)).filter(|of| *of != place) {
            let [sound, image, repair] = out(of);
            if of < hears {
                let mid = format!("a{of}").as_str().into();
                api.declare_media(mid, MediaKind::Audio);
                api.declare_stream_tx(sound.into(), None, mid, None);
            }
            if of < sees {
                let mid = format!("v{of}").as_str().into();
                api.declare_media(mid, MediaKind::Video);
                api.declare_stream_tx(image.into(), Some(repair.into()), mid, None);
            }
        }
        let ufrag = own.ufrag.clone();
        self.people.push(Peer { rtc, ufrag, room: guest.room, place, hears, sees, due: now, alive: true });
        Admitted { ice: own, fingerprint: fingerprint.trim_start_matches("sha-256 ").parse().unwrap() }
    }

    fn start(&mut self) {
        let socket = self.socket.take().expect("not begun");
        let (people, address) = (std::mem::take(&mut self.people), self.address);
        let (counted, stop) = (Arc::clone(&self.counted), Arc::clone(&self.stop));
        let work = move || Loop::new(socket, address, people, counted).run(&stop);
        self.thread = Some(std::thread::Builder::new().name("plain-str0m".into()).spawn(work).unwrap());
    }

    fn forwarded(&self) -> Forwarded {
        let (came, left) = (self.counted.0.load(Ordering::Relaxed), self.counted.1.load(Ordering::Relaxed));
        Forwarded { came, left, messages: left }
    }

    fn threads(&self) -> Threads {
        Threads::named("plain-str0m")
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Loop {
    socket: UdpSocket,
    address: SocketAddr,
    people: Vec<Peer>,
    by_address: HashMap<SocketAddr, usize>,
    /// Packets of this round, with the room that they are for, and the place of whom they are.
    media: Vec<(usize, usize, RtpPacket)>,
    counted: Arc<(AtomicU64, AtomicU64)>,
}

impl Loop {
    fn new(
        socket: UdpSocket,
        address: SocketAddr,
        people: Vec<Peer>,
        counted: Arc<(AtomicU64, AtomicU64)>,
    ) -> Self {
        socket.set_read_timeout(Some(TIMERS)).unwrap();
        Self { socket, address, people, by_address: HashMap::new(), media: Vec::new(), counted }
    }

    fn run(mut self, stop: &AtomicBool) {
        let mut buffer = vec![0; 2_000];
        let mut timers = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            // The first may be waited for, the others only if they are there.
            let first = self.socket.recv_from(&mut buffer);
            self.socket.set_nonblocking(true).unwrap();
            let mut came = first;
            for _ in 0..DRAIN {
                let Ok((n, from)) = came else { break };
                self.take(from, &buffer[..n]);
                came = self.socket.recv_from(&mut buffer);
            }
            self.socket.set_nonblocking(false).unwrap();
            self.forward();
            if timers.elapsed() >= TIMERS {
                timers = Instant::now();
                for n in 0..self.people.len() {
                    if self.people[n].alive && self.people[n].due <= timers {
                        self.people[n].alive =
                            self.people[n].rtc.handle_input(Input::Timeout(timers)).is_ok();
                        self.poll(n);
                    }
                }
            }
        }
    }

    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        let n = match self.by_address.get(&from) {
            Some(&n) => n,
            None => {
                // A check names us: it stands in the message as text.
                let names = |p: &Peer| datagram.windows(p.ufrag.len()).any(|w| w == p.ufrag.as_bytes());
                let Some(n) = self.people.iter().position(names) else { return };
                self.by_address.insert(from, n);
                n
            }
        };
        let Ok(contents) = datagram.try_into() else { return };
        let receive = Receive { proto: Protocol::Udp, source: from, destination: self.address, contents };
        let peer = &mut self.people[n];
        peer.alive &= peer.rtc.handle_input(Input::Receive(Instant::now(), receive)).is_ok();
        self.poll(n);
    }

    /// What a peer has to say and to send.
    fn poll(&mut self, n: usize) {
        let peer = &mut self.people[n];
        while peer.alive {
            match peer.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    peer.due = due;
                    return;
                }
                Ok(Output::Transmit(t)) => {
                    if self.socket.send_to(&t.contents, t.destination).is_ok() && t.contents[0] >> 6 == 2 {
                        self.counted.1.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(Output::Event(Event::RtpPacket(packet))) => {
                    self.counted.0.fetch_add(1, Ordering::Relaxed);
                    self.media.push((peer.room, peer.place, packet));
                }
                Ok(Output::Event(_)) => {}
                Err(_) => peer.alive = false,
            }
        }
    }

    /// Gives what came to all who receive in its room.
    fn forward(&mut self) {
        if self.media.is_empty() {
            return;
        }
        let media = std::mem::take(&mut self.media);
        let now = Instant::now();
        for n in 0..self.people.len() {
            let peer = &mut self.people[n];
            if peer.hears + peer.sees == 0 || !peer.alive {
                continue;
            }
            let mut any = false;
            for (_, of, packet) in media.iter().filter(|m| m.0 == peer.room && m.1 != peer.place) {
                let [sound, image, _] = out(*of);
                let voice = *packet.header.payload_type == VOICE;
                let mut api = peer.rtc.direct_api();
                let Some(stream) = api.stream_tx(&if voice { sound } else { image }.into()) else { continue };
                let write = RtpWrite::new(
                    packet.header.payload_type,
                    packet.seq_no,
                    packet.header.timestamp,
                    packet.timestamp,
                    Arc::clone(&packet.payload),
                );
                stream.write_rtp(write.marker(packet.header.marker).nackable(!voice));
                any = true;
            }
            if any {
                peer.alive = peer.rtc.handle_input(Input::Timeout(now)).is_ok();
                self.poll(n);
            }
        }
        self.media = media;
        self.media.clear();
    }
}
