//! A WebRTC client of another family (str0m) on a socket of its own: it publishes by WHIP, plays by WHEP, and counts what it receives.

#![allow(dead_code, unreachable_pub)] // Each test program uses its part.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use tokio::sync::watch;

/// More than anything here takes, on a machine that does ten other things.
pub const GUARD: Duration = Duration::from_secs(60);

/// What a peer has seen so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How often ICE found a path: once, and again after each restart.
    pub paths: usize,
    pub connected: bool,
    /// Frames by section (its place in the offer).
    pub frames: BTreeMap<usize, usize>,
    /// Key frames that were asked of it.
    pub asked: usize,
    /// The codec of the last picture.
    pub codec: Option<Codec>,
    /// Frames whose sender's report had come before them.
    pub reports: usize,
}

/// A client; it ends when it is dropped.
pub struct Peer {
    pub offer: String,
    orders: Option<Sender<Order>>,
    pub seen: watch::Receiver<Seen>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    /// The answer to the offer.
    Accept(String),
    /// New credentials, told by the channel.
    Restart(Sender<(String, String)>),
    /// What its microphone hears from now on.
    Speak(bool),
    /// Ends the media connection, and says so.
    HangUp,
}

/// What a peer is to be.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    pub direction: Direction,
    /// Audio and video sections, in order.
    pub sections: &'a [MediaKind],
    pub codec: Codec,
}

pub const BOTH: &[MediaKind] = &[MediaKind::Audio, MediaKind::Video];

impl Peer {
    /// Sends sound and a picture.
    pub fn publisher(codec: Codec) -> Self {
        Self::new(Spec { direction: Direction::SendOnly, sections: BOTH, codec })
    }

    /// Receives sound and a picture, of any codec.
    pub fn player() -> Self {
        Self::new(Spec { direction: Direction::RecvOnly, sections: BOTH, codec: Codec::Null })
    }

    pub fn new(spec: Spec<'_>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut config = RtcConfig::new().clear_codecs().enable_opus(true, false);
        config = match spec.codec {
            Codec::Vp8 => config.enable_vp8(true),
            Codec::H264 => config.enable_h264(true),
            _ => config.enable_vp8(true).enable_vp9(true).enable_h264(true),
        };
        let mut rtc = config.build(Instant::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
        let mut api = rtc.sdp_api();
        let mids: Vec<(Mid, MediaKind)> = (spec.sections.iter())
            .map(|kind| (api.add_media(*kind, spec.direction, None, None, None), *kind))
            .collect();
        let (offer, pending) = api.apply().unwrap();
        let (orders, todo) = channel();
        let (told, seen) = watch::channel(Seen::default());
        let run = Run {
            rtc,
            socket,
            todo,
            told,
            mids,
            codec: spec.codec,
            pending: Some(pending),
            sends: spec.direction.is_sending(),
            speaks: true,
            key: true,
            count: 0,
            answer: String::new(),
        };
        let thread = std::thread::spawn(move || run.run());
        Self { offer: offer.to_sdp_string(), orders: Some(orders), seen, thread: Some(thread) }
    }

    fn order(&self, order: Order) {
        self.orders.as_ref().unwrap().send(order).unwrap();
    }

    /// Takes the answer.
    pub fn accept(&self, answer: &str) {
        self.order(Order::Accept(answer.to_owned()));
    }

    /// Begins an ICE restart: the new credentials.
    pub fn restart(&self) -> (String, String) {
        let (sender, receiver) = channel();
        self.order(Order::Restart(sender));
        receiver.recv().unwrap()
    }

    /// Falls silent, as an encoder with DTX does, or speaks.
    pub fn speak(&self, on: bool) {
        self.order(Order::Speak(on));
    }

    /// Ends the media connection, without a word over HTTP.
    pub fn hang_up(&self) {
        self.order(Order::HangUp);
    }

    /// Waits until something has been seen.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Seen) -> bool) -> Seen {
        let found = tokio::time::timeout(GUARD, self.seen.wait_for(|seen| holds(seen))).await;
        let found = found.ok().and_then(Result::ok).map(|seen| seen.clone());
        found.unwrap_or_else(|| panic!("never {what}: {:?}", *self.seen.borrow()))
    }

    /// Waits until frames came in each of these sections (their places).
    pub async fn receives(&mut self, sections: &[usize]) -> Seen {
        let before = self.seen.borrow().frames.clone();
        let more = |seen: &Seen, at: &usize| {
            let count = |frames: &BTreeMap<usize, usize>| frames.get(at).copied().unwrap_or(0);
            count(&seen.frames) >= count(&before) + 5
        };
        self.until("received", |seen| sections.iter().all(|at| more(seen, at))).await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.orders = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

struct Run {
    rtc: Rtc,
    socket: UdpSocket,
    todo: Receiver<Order>,
    told: watch::Sender<Seen>,
    mids: Vec<(Mid, MediaKind)>,
    codec: Codec,
    pending: Option<SdpPendingOffer>,
    sends: bool,
    speaks: bool,
    key: bool,
    count: u32,
    /// The last answer: a restart changes its credentials alone.
    answer: String,
}

/// A packet of sound every 20 ms, a picture every 60.
const TICK: Duration = Duration::from_millis(20);

impl Run {
    fn run(mut self) {
        let mut next = Instant::now();
        loop {
            loop {
                match self.todo.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(std::sync::mpsc::TryRecvError::Empty) => break,
                    Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
                }
            }
            if Instant::now() >= next {
                next += TICK;
                if self.sends && self.rtc.is_connected() {
                    self.write();
                }
            }
            let due = self.drain().min(next);
            let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(wait)).unwrap();
            let mut bytes = [0; 2000];
            let now = Instant::now();
            match self.socket.recv_from(&mut bytes) {
                Ok((n, source)) => {
                    let destination = self.socket.local_addr().unwrap();
                    let Ok(contents) = bytes[..n].try_into() else { continue };
                    let receive = Receive { proto: Protocol::Udp, source, destination, contents };
                    self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
                }
                Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Accept(answer) => {
                // A fragment: the answer of before with other credentials.
                if answer.starts_with("v=") {
                    self.answer = answer;
                } else {
                    for key in ["a=ice-ufrag:", "a=ice-pwd:"] {
                        let new = answer.lines().find(|line| line.starts_with(key)).unwrap();
                        let lines =
                            self.answer.lines().map(|line| if line.starts_with(key) { new } else { line });
                        self.answer = lines.flat_map(|line| [line, "\r\n"]).collect();
                    }
                }
                let answer = SdpAnswer::from_sdp_string(&self.answer).unwrap();
                self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
            }
            Order::Restart(tell) => {
                let mut api = self.rtc.sdp_api();
                let new = api.ice_restart(true);
                self.pending = api.apply().map(|(_, pending)| pending);
                tell.send((new.ufrag, new.pass)).unwrap();
            }
            Order::Speak(on) => self.speaks = on,
            Order::HangUp => self.rtc.close().unwrap(),
        }
    }

    fn write(&mut self) {
        self.count += 1;
        let (now, n) = (Instant::now(), self.count);
        for (mid, kind) in self.mids.clone() {
            let codec = if kind == MediaKind::Audio { Codec::Opus } else { self.codec };
            let Some(writer) = self.rtc.writer(mid) else { continue };
            let Some(pt) = writer.payload_params().find(|p| p.spec().codec == codec).map(|p| p.pt()) else {
                continue;
            };
            let (rate, data) = match kind {
                MediaKind::Audio if !self.speaks => (Frequency::FORTY_EIGHT_KHZ, vec![0xfc]),
                // Sizes as of speech: they are all that tells of loudness here.
                MediaKind::Audio => (Frequency::FORTY_EIGHT_KHZ, vec![0xfc; 60 + (n as usize * 7) % 60]),
                MediaKind::Video if n % 3 == 0 => {
                    let key = std::mem::take(&mut self.key) || n % 300 == 3;
                    (Frequency::NINETY_KHZ, picture(codec, key, n))
                }
                MediaKind::Video => continue,
            };
            let time = MediaTime::new(u64::from(n) * 20 * u64::from(rate.get()) / 1000, rate);
            let _ = writer.write(pt, now, time, data);
        }
    }

    /// Sends what is to be sent; when to come again.
    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(due) => return due,
                Output::Transmit(one) => drop(self.socket.send_to(&one.contents, one.destination)),
                Output::Event(event) => self.hear(event),
            }
        }
    }

    fn hear(&mut self, event: Event) {
        let mids = &self.mids;
        self.told.send_modify(|seen| match &event {
            Event::Connected => seen.connected = true,
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) => seen.paths += 1,
            Event::KeyframeRequest(_) => seen.asked += 1,
            Event::MediaData(data) => {
                let at = mids.iter().position(|(mid, _)| *mid == data.mid).unwrap();
                *seen.frames.entry(at).or_default() += 1;
                if data.params.spec().codec != Codec::Opus {
                    seen.codec = Some(data.params.spec().codec);
                }
                seen.reports += usize::from(data.last_sender_info.is_some());
            }
            _ => {}
        });
        if matches!(event, Event::KeyframeRequest(_)) {
            self.key = true;
        }
    }
}

/// A frame that a forwarder takes for one: header and size are true, the picture is not.
fn picture(codec: Codec, key: bool, n: u32) -> Vec<u8> {
    let filler = (0..400).map(|i| (i * 31 + n) as u8 | 1);
    match (codec, key) {
        // RFC 6386 §9.1.
        (Codec::Vp8, true) => {
            [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00].into_iter().chain(filler).collect()
        }
        (Codec::Vp8, false) => [0x11, 0x02, 0x00].into_iter().chain(filler).collect(),
        // Annex B: parameter sets and an IDR slice, or a slice (H.264 §7.3.1).
        (Codec::H264, true) => {
            let sps = [0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x68, 0x0a, 0x03, 0xda];
            let pps = [0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80];
            sps.into_iter().chain(pps).chain([0, 0, 0, 1, 0x65, 0x88]).chain(filler).collect()
        }
        (Codec::H264, false) => [0, 0, 0, 1, 0x41, 0x9a].into_iter().chain(filler).collect(),
        _ => panic!("no pictures of {codec:?}"),
    }
}
