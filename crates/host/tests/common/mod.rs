//! Real WebRTC clients (str0m) over real sockets.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use salon_host::sfu::{Constraint, EncodingSpec, Feedback, SlotPayload, SlotSpec, Source, TrackSpec, View};
use salon_host::transport::{IceCredentials, Setup};
use salon_host::{Handle, HostCounters, HostEvent, HostRoomReport, Join, JoinError, Joined};
use salon_rtp::extension::ExtensionMap;
use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor, Vp8Fields};
use salon_rtp::{Codec, MediaKind, Pt, Ssrc};
use salon_udp::{Options, RecvBatch, SendBatch, Socket};
use str0m::config::DtlsVersion;
use str0m::ice::IceCreds;
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

/// Far beyond what anything takes: what waits longer has failed.
pub const GUARD: Duration = Duration::from_secs(60);
/// The streams of a client.
pub const VOICE: u32 = 1111;
pub const PICTURE: u32 = 2222;

/// What somebody brings.
#[derive(Clone, Copy, Default)]
pub struct Bring {
    pub microphone: bool,
    pub camera: bool,
    pub ear: bool,
    pub eye: bool,
}

pub const TALKS: Bring = Bring { microphone: true, camera: false, ear: true, eye: false };

/// A client that waits for its answer.
pub struct Asking {
    rtc: Rtc,
    socket: Socket,
    events: Receiver<HostEvent>,
    answer: Receiver<Result<Joined, JoinError>>,
    handle: Handle,
}

/// A client.
pub struct Client {
    pub agent: Agent,
    pub socket: Socket,
    pub joined: Joined,
    pub events: Receiver<HostEvent>,
    /// Media and reports that came, as datagrams: how many, and their bytes.
    pub came: (u64, u64),
    received: RecvBatch,
    next: u64,
    frame: u16,
}

/// What speaks for a client, and what it has to say: to us, and to the socket.
pub struct Agent {
    rtc: Rtc,
    pub connected: bool,
    /// Payloads received.
    pub heard: Vec<Vec<u8>>,
    /// Checks are held back: nothing else but media leaves.
    pub hush: bool,
    /// Media and reports that left, as those that came.
    pub left: (u64, u64),
    due: Instant,
    sent: SendBatch,
}

pub fn socket() -> Socket {
    Socket::bind(([127, 0, 0, 1], 0).into(), Options { buffers: 1 << 20, ..Options::default() }).unwrap()
}

/// Asks to join from this socket.
pub fn ask(handle: &Handle, room: &str, label: u64, bring: Bring, socket: Socket) -> Asking {
    let (tell, events) = channel();
    ask_with(handle, room, label, bring, socket, events, move |e| {
        let _ = tell.send(e);
    })
}

/// The same, with a callback of one's own.
pub fn ask_with(
    handle: &Handle,
    room: &str,
    label: u64,
    bring: Bring,
    socket: Socket,
    events: Receiver<HostEvent>,
    tell: impl FnMut(HostEvent) + Send + 'static,
) -> Asking {
    let mut rtc =
        RtcConfig::new().set_rtp_mode(true).set_dtls_version(DtlsVersion::Dtls12).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(socket.local_addr(), "udp").unwrap());
    rtc.add_remote_candidate(Candidate::host(handle.udp(), "udp").unwrap());
    let api = rtc.direct_api();
    let theirs = api.local_ice_credentials();
    let fingerprint = api.local_dtls_fingerprint().to_string();
    let (reply, answer) = channel();
    let mut tracks = Vec::new();
    tracks.extend(bring.microphone.then(|| track(Source::Microphone, Codec::Opus, 111, VOICE)));
    tracks.extend(bring.camera.then(|| track(Source::Camera, Codec::Vp8, 96, PICTURE)));
    let mut slots = Vec::new();
    slots.extend(bring.ear.then(|| slot(MediaKind::Audio, Codec::Opus, 111)));
    slots.extend(bring.eye.then(|| slot(MediaKind::Video, Codec::Vp8, 96)));
    let join = Join {
        label,
        remote: IceCredentials { ufrag: theirs.ufrag, pwd: theirs.pass },
        fingerprint: fingerprint.trim_start_matches("sha-256 ").parse().unwrap(),
        setup: Setup::Passive,
        tracks,
        slots,
        events: Box::new(tell),
    };
    handle.join(room, join, move |r| drop(reply.send(r)));
    Asking { rtc, socket, events, answer, handle: handle.clone() }
}

impl Asking {
    /// Takes the answer.
    pub fn join(self) -> Client {
        let joined = self.answer.recv_timeout(GUARD).unwrap().unwrap();
        let Self { mut rtc, socket, events, handle, .. } = self;
        let mut api = rtc.direct_api();
        api.set_ice_controlling(true);
        let pass = joined.local.pwd.clone();
        api.set_remote_ice_credentials(IceCreds { ufrag: joined.local.ufrag.clone(), pass });
        api.set_remote_fingerprint(format!("sha-256 {}", handle.fingerprint()).parse().unwrap());
        api.start_dtls(true).unwrap();
        let (audio, video) = ("a".into(), "v".into());
        api.declare_media(audio, str0m::media::MediaKind::Audio);
        api.declare_media(video, str0m::media::MediaKind::Video);
        api.declare_stream_tx(VOICE.into(), None, audio, None);
        api.declare_stream_tx(PICTURE.into(), None, video, None);
        for (_, streams) in &joined.slots {
            let mid = if streams.rtx.is_some() { video } else { audio };
            api.expect_stream_rx(streams.ssrc.0.into(), streams.rtx.map(|r| r.0.into()), mid, None);
        }
        for &(slot, streams) in joined.slots.iter().filter(|s| s.1.rtx.is_some()) {
            let _ = streams;
            handle.constrain(joined.member, slot, Constraint { view: View::Auto, height: 720 });
        }
        let agent = Agent {
            rtc,
            connected: false,
            heard: Vec::new(),
            hush: false,
            left: (0, 0),
            due: Instant::now(),
            sent: SendBatch::new(),
        };
        let received = RecvBatch::new();
        Client { agent, socket, joined, events, came: (0, 0), received, next: 1, frame: 0 }
    }
}

impl Client {
    /// Takes what has come, and sends what is due: in one go, so that packets of one length leave as one run.
    pub fn drive(&mut self) {
        while self.socket.recv(&mut self.received).unwrap() > 0 {
            for (meta, datagram) in self.received.iter_mut() {
                count(&mut self.came, datagram);
                let receive = Receive {
                    proto: Protocol::Udp,
                    source: meta.remote,
                    destination: self.socket.local_addr(),
                    contents: (&*datagram).try_into().unwrap(),
                };
                self.agent.take(Input::Receive(Instant::now(), receive));
            }
        }
        let now = Instant::now();
        if self.agent.due <= now {
            self.agent.take(Input::Timeout(now));
        }
        self.agent.poll();
        self.socket.flush(&mut self.agent.sent);
    }

    /// Says something: one packet of sound.
    pub fn say(&mut self, payload: &[u8]) {
        self.write(VOICE, 111, false, payload.to_vec());
        self.drive();
    }

    /// Shows a frame of so many packets of one length.
    pub fn show(&mut self, packets: usize, bytes: usize) {
        self.frame += 1;
        for packet in 0..packets {
            let fields = Vp8Fields {
                start: packet == 0,
                picture_id: Some(PictureId::Long(self.frame)),
                tl0: Some(self.frame as u8),
                temporal: Some(salon_rtp::payload::vp8::Temporal { layer: 0, sync: false }),
                ..Vp8Fields::default()
            };
            let mut payload = Vp8Descriptor::new(fields).as_bytes().to_vec();
            match packet {
                0 if self.frame == 1 => {
                    payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02])
                }
                0 => payload.extend([0x11, 0, 0]),
                _ => {}
            }
            payload.extend([self.frame as u8, packet as u8]);
            payload.resize(bytes, 0x5a);
            self.write(PICTURE, 96, packet + 1 == packets, payload);
        }
        self.drive();
    }

    fn write(&mut self, ssrc: u32, pt: u8, marker: bool, payload: Vec<u8>) {
        let at = Instant::now();
        let mut api = self.agent.rtc.direct_api();
        let stream = api.stream_tx(&ssrc.into()).unwrap();
        let time = if ssrc == VOICE { self.next as u32 * 960 } else { u32::from(self.frame) * 3_000 };
        let write = RtpWrite::new(pt.into(), self.next.into(), time, at, payload.as_slice());
        stream.write_rtp(write.marker(marker));
        self.next += 1;
        self.agent.take(Input::Timeout(at));
    }

    /// What the host has told of it.
    pub fn told(&self) -> Vec<HostEvent> {
        self.events.try_iter().collect()
    }
}

/// Counts a datagram if it is of media or a report (RFC 7983 §7).
fn count(sum: &mut (u64, u64), datagram: &[u8]) {
    if datagram.first().is_some_and(|b| (128..192).contains(b)) {
        *sum = (sum.0 + 1, sum.1 + datagram.len() as u64);
    }
}

impl Agent {
    /// Something came, or it is time.
    fn take(&mut self, input: Input<'_>) {
        // What it cannot use is lost, as on any network.
        let _ = self.rtc.handle_input(input);
        self.poll();
    }

    fn poll(&mut self) {
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Timeout(at) => {
                    self.due = at;
                    return;
                }
                Output::Transmit(t) => {
                    if self.hush && t.contents[0] < 4 {
                        continue;
                    }
                    // What finds no room is lost, too.
                    if let Some(slot) = self.sent.slot(None, t.destination) {
                        slot[..t.contents.len()].copy_from_slice(&t.contents);
                        self.sent.commit(t.contents.len());
                        count(&mut self.left, &t.contents);
                    }
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(p)) => self.heard.push(p.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }
}

/// Drives all until something is so.
pub fn until(clients: &mut [Client], mut so: impl FnMut(&[Client]) -> bool) {
    let end = Instant::now() + GUARD;
    while !so(clients) {
        assert!(Instant::now() < end, "waited in vain");
        clients.iter_mut().for_each(Client::drive);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Until the host says of all that they are connected, and so do they.
pub fn connect(clients: &mut [Client]) {
    let mut said = vec![false; clients.len()];
    until(clients, |all| {
        for (client, said) in all.iter().zip(&mut said) {
            *said |= client.told().contains(&HostEvent::Connected);
        }
        said.iter().all(|s| *s) && all.iter().all(|c| c.agent.connected)
    });
}

pub fn counters(handle: &Handle) -> HostCounters {
    let (tell, told) = channel();
    handle.counters(move |c| drop(tell.send(c)));
    told.recv_timeout(GUARD).unwrap()
}

pub fn report(handle: &Handle, room: Option<&str>) -> Vec<HostRoomReport> {
    let (tell, told) = channel();
    handle.report(room, move |r| drop(tell.send(r)));
    told.recv_timeout(GUARD).unwrap()
}

/// On which shard's socket datagrams from this one land. Nobody else may send meanwhile.
pub fn lands_on(handle: &Handle, socket: &Socket) -> usize {
    let came = |c: &HostCounters| c.shards.iter().map(|s| s.datagrams_in).collect::<Vec<_>>();
    let before = came(&counters(handle));
    let mut batch = SendBatch::new();
    batch.slot(None, handle.udp()).unwrap()[0] = 0xff;
    batch.commit(1);
    socket.flush(&mut batch);
    let end = Instant::now() + GUARD;
    loop {
        let after = came(&counters(handle));
        if let Some(shard) = before.iter().zip(&after).position(|(b, a)| a > b) {
            return shard;
        }
        assert!(Instant::now() < end, "lost on the loopback");
    }
}

/// A socket whose datagrams land on this shard's.
pub fn socket_to(handle: &Handle, shard: usize) -> Socket {
    // Each port has the same chance: that none of so many fits has none.
    let mut tried = Vec::new();
    for _ in 0..200 {
        let socket = socket();
        if lands_on(handle, &socket) == shard {
            return socket;
        }
        tried.push(socket);
    }
    panic!("the kernel gives shard {shard} nothing");
}

fn pt(n: u8) -> Pt {
    Pt::new(n).unwrap()
}

/// A track of one encoding.
pub fn track(source: Source, codec: Codec, n: u8, ssrc: u32) -> TrackSpec {
    TrackSpec {
        mid: None,
        source,
        codec,
        pt: pt(n),
        rtx_pt: None,
        encodings: vec![EncodingSpec { ssrc: Some(Ssrc(ssrc)), ..EncodingSpec::default() }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback::default(),
    }
}

/// A slot for one codec; for a picture with the payload type of its repair, which is the next one.
pub fn slot(kind: MediaKind, codec: Codec, n: u8) -> SlotSpec {
    let rtx_pt = (kind == MediaKind::Video).then(|| pt(n + 1));
    SlotSpec {
        mid: None,
        kind,
        payloads: vec![SlotPayload { codec, pt: pt(n), rtx_pt }],
        extensions: ExtensionMap::EMPTY,
        feedback: Feedback { nack: true, pli: true, ..Feedback::default() },
    }
}
