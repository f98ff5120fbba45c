//! str0m's way of a packet in memory: what comes to one is written to many, no socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::DtlsVersion;
use str0m::media::MediaKind;
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::Shape;
use crate::memory::Frames;

/// One who publishes, those who receive, and the client that publishes; the clients that receive are gone once connected.
pub struct PlainMemory {
    publisher: Rtc,
    receivers: Vec<Rtc>,
    client: Rtc,
    now: Instant,
    shape: Shape,
    index: u64,
}

const STREAM: u32 = 7;
type Place = ([u8; 4], u16);
const HERE: Place = ([10, 0, 0, 1], 1_000);
const THERE: Place = ([10, 0, 0, 2], 2_000);
/// Time that passes with each frame: short, so that nobody falls silent meanwhile; it spares str0m some of its timers.
const FRAME: Duration = Duration::from_micros(50);

impl PlainMemory {
    /// All are connected.
    pub fn new(viewers: usize, shape: Shape) -> Self {
        let now = Instant::now();
        let (publisher, client, mut latest) = pair(now, true);
        let receivers = (0..viewers).map(|_| {
            let (server, _, at) = pair(now, false);
            latest = latest.max(at);
            server
        });
        let receivers = receivers.collect();
        Self { publisher, receivers, client, now: latest, shape, index: 100 }
    }

    /// The client's next frames, sealed.
    pub fn record(&mut self, frames: usize) -> Frames {
        let bytes = self.shape.bytes / self.shape.packets as usize;
        let payload: Arc<[u8]> = vec![0xa5; bytes].into();
        (0..frames)
            .map(|_| {
                (0..self.shape.packets)
                    .map(|n| {
                        self.index += 1;
                        let number = self.index;
                        let write = RtpWrite::new(
                            96.into(),
                            number.into(),
                            (number / u64::from(self.shape.packets)) as u32 * 3_000,
                            self.now,
                            Arc::clone(&payload),
                        );
                        let mut api = self.client.direct_api();
                        let stream = api.stream_tx(&STREAM.into()).unwrap();
                        stream.write_rtp(write.marker(n + 1 == self.shape.packets));
                        self.client.handle_input(Input::Timeout(self.now)).unwrap();
                        let mut sent = Vec::new();
                        while let Output::Transmit(t) = next(&mut self.client) {
                            if t.contents[0] >> 6 == 2 && !(64..96).contains(&(t.contents[1] & 0x7f)) {
                                sent = t.contents.to_vec();
                            }
                        }
                        assert!(!sent.is_empty());
                        sent
                    })
                    .collect()
            })
            .collect()
    }

    /// Takes frames, and sends them to everybody; how many packets left.
    pub fn forward(&mut self, frames: &mut Frames) -> usize {
        let (mut sent, mut media) = (0, Vec::<RtpPacket>::new());
        for frame in frames {
            self.now += FRAME;
            for packet in frame {
                deliver(&mut self.publisher, self.now, THERE, HERE, packet);
                while let Some(event) = event(&mut self.publisher) {
                    if let Event::RtpPacket(packet) = event {
                        media.push(packet);
                    }
                }
            }
            for rtc in &mut self.receivers {
                for packet in &media {
                    let mut api = rtc.direct_api();
                    let stream = api.stream_tx(&STREAM.into()).unwrap();
                    let write = RtpWrite::new(
                        packet.header.payload_type,
                        packet.seq_no,
                        packet.header.timestamp,
                        packet.timestamp,
                        Arc::clone(&packet.payload),
                    );
                    stream.write_rtp(write.marker(packet.header.marker).nackable(true));
                }
                rtc.handle_input(Input::Timeout(self.now)).unwrap();
                loop {
                    match next(rtc) {
                        Output::Transmit(t) => {
                            sent += usize::from(t.contents[0] >> 6 == 2 && t.contents.len() > 500)
                        }
                        Output::Event(_) => {}
                        Output::Timeout(_) => break,
                    }
                }
            }
            media.clear();
        }
        sent
    }
}

/// A server's side and a client's, connected; the moment at which they are.
fn pair(mut now: Instant, publishes: bool) -> (Rtc, Rtc, Instant) {
    let rtc = |lite: bool| {
        RtcConfig::new()
            .set_ice_lite(lite)
            .set_rtp_mode(true)
            .set_dtls_version(DtlsVersion::Dtls12)
            .build(now)
    };
    let (mut server, mut client) = (rtc(true), rtc(false));
    let candidate = |at: Place| Candidate::host(SocketAddr::from(at), "udp").unwrap();
    server.add_local_candidate(candidate(HERE));
    server.add_remote_candidate(candidate(THERE));
    client.add_local_candidate(candidate(THERE));
    client.add_remote_candidate(candidate(HERE));
    let (mut here, mut there) = (server.direct_api(), client.direct_api());
    let (ours, theirs) = (here.local_ice_credentials(), there.local_ice_credentials());
    here.set_remote_ice_credentials(theirs);
    there.set_remote_ice_credentials(ours);
    here.set_ice_controlling(false);
    there.set_ice_controlling(true);
    here.set_remote_fingerprint(there.local_dtls_fingerprint().clone());
    there.set_remote_fingerprint(here.local_dtls_fingerprint().clone());
    here.start_dtls(false).unwrap();
    there.start_dtls(true).unwrap();
    let mid = "v".into();
    here.declare_media(mid, MediaKind::Video);
    there.declare_media(mid, MediaKind::Video);
    let (sends, receives) = if publishes { (&mut there, &mut here) } else { (&mut here, &mut there) };
    sends.declare_stream_tx(STREAM.into(), Some((STREAM + 1).into()), mid, None);
    receives.expect_stream_rx(STREAM.into(), None, mid, None);
    for _ in 0..2_000 {
        if server.is_connected() && client.is_connected() {
            return (server, client, now);
        }
        now += Duration::from_millis(5);
        turn(&mut client, &mut server, now, (THERE, HERE));
        turn(&mut server, &mut client, now, (HERE, THERE));
    }
    panic!("two in one process do not connect");
}

/// What one has to say to the other now.
fn turn(one: &mut Rtc, other: &mut Rtc, now: Instant, (from, to): (Place, Place)) {
    one.handle_input(Input::Timeout(now)).unwrap();
    loop {
        match next(one) {
            Output::Transmit(t) => deliver(other, now, from, to, &t.contents),
            Output::Event(_) => {}
            Output::Timeout(_) => break,
        }
    }
}

fn deliver(to: &mut Rtc, now: Instant, from: Place, at: Place, datagram: &[u8]) {
    let (source, destination) = (from.into(), at.into());
    let contents = datagram.try_into().unwrap();
    let receive = Receive { proto: Protocol::Udp, source, destination, contents };
    to.handle_input(Input::Receive(now, receive)).unwrap();
}

fn next(rtc: &mut Rtc) -> Output {
    rtc.poll_output().unwrap()
}

/// The next event; what is to be sent beside goes nowhere.
fn event(rtc: &mut Rtc) -> Option<Event> {
    loop {
        match next(rtc) {
            Output::Event(event) => return Some(event),
            Output::Transmit(_) => {}
            Output::Timeout(_) => return None,
        }
    }
}
