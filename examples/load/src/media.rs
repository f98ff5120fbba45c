//! A peer connection and its socket: datagrams in and out, packets in and out.

use crate::ears::Ears;
use crate::piece::Piece;
use crate::tally::Tally;
use crate::udp::Udp;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};

/// What a peer connection noticed that its owner must know.
#[derive(Debug)]
pub(crate) enum Noticed {
    Connected,
    /// A key frame is wanted, of one encoding or of the only one.
    KeyWanted(Option<String>),
    Gone(String),
}

/// The media of one client.
#[derive(Debug)]
pub(crate) struct Media {
    rtc: Rtc,
    udp: Udp,
    due: Instant,
    run: u32,
    opus: Option<Pt>,
    vp8: Option<Pt>,
    pub(crate) ears: Ears,
    pub(crate) noticed: Vec<Noticed>,
    /// Where its datagrams went.
    pub(crate) servers: BTreeSet<SocketAddr>,
    /// Packets of speech that it sent in the measured time.
    pub(crate) speech_sent: u64,
    /// A payload in the making, reused.
    pub(crate) scratch: Vec<u8>,
}

impl Media {
    pub(crate) fn new(rtc: Rtc, udp: Udp, run: u32, ears: Ears, now: Instant) -> Self {
        Self {
            rtc,
            udp,
            due: now,
            run,
            opus: None,
            vp8: None,
            ears,
            noticed: Vec::new(),
            servers: BTreeSet::new(),
            speech_sent: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// The port of its socket.
    pub(crate) fn port(&self) -> u16 {
        self.udp.local().port()
    }

    /// Takes the answer.
    pub(crate) fn accept(
        &mut self,
        pending: SdpPendingOffer,
        answer: SdpAnswer,
        now: Instant,
    ) -> Result<(), RtcError> {
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        let of =
            |codec| self.rtc.codec_config().params().iter().find(|p| p.spec().codec == codec).map(|p| p.pt());
        (self.opus, self.vp8) = (of(Codec::Opus), of(Codec::Vp8));
        self.due = now;
        Ok(())
    }

    /// The stream that a section sends.
    pub(crate) fn stream(&mut self, mid: Mid, rid: Option<Rid>) -> Option<Ssrc> {
        self.rtc.media(mid).filter(|media| media.direction().is_sending())?;
        self.rtc.direct_api().stream_tx_by_mid(mid, rid).map(|stream| stream.ssrc())
    }

    /// Forgets the stream to send of a section that only receives.
    pub(crate) fn drop_stream(&mut self, mid: Mid) {
        let mut api = self.rtc.direct_api();
        if let Some(ssrc) = api.stream_tx_by_mid(mid, None).map(|stream| stream.ssrc()) {
            api.remove_stream_tx(ssrc);
        }
    }

    /// Sends one packet at once.
    pub(crate) fn send(&mut self, piece: Piece<'_>, tally: &mut Tally) {
        let now = Instant::now();
        let sound = piece.level.is_some();
        let Some(pt) = (if sound { self.opus } else { self.vp8 }) else { return };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx(&piece.ssrc) else { return };
        let mut values = ExtensionValues::default();
        if let Some((level, voice)) = piece.level {
            // str0m counts in dB, which are negative.
            values.audio_level = Some(-i8::try_from(level.min(127)).unwrap_or(127));
            values.voice_activity = Some(voice);
        }
        let write = RtpWrite::new(pt, piece.seq.into(), piece.timestamp, now, piece.payload);
        stream.write_rtp(write.marker(piece.marker).ext_vals(values).nackable(!sound));
        tally.sends();
        self.input(Input::Timeout(now), now, tally);
    }

    /// The peer connection's clock.
    pub(crate) fn timeout(&mut self, now: Instant, tally: &mut Tally) {
        self.input(Input::Timeout(now), now, tally);
    }

    /// Takes up to `most` datagrams from the socket, and says whether there may be more.
    pub(crate) fn receive(&mut self, most: usize, buffer: &mut [u8], tally: &mut Tally) -> bool {
        for _ in 0..most {
            let (n, source, came) = match self.udp.recv(buffer) {
                Ok(received) => received,
                // On a connection refused for a moment, and the like, the next one may come.
                Err(error) if error.kind() != ErrorKind::WouldBlock => continue,
                Err(_) => return false,
            };
            tally.comes();
            let Some(Ok(contents)) = buffer.get(..n).map(TryInto::try_into) else { continue };
            let destination = self.udp.local();
            let receive = Receive { proto: Protocol::Udp, source, destination, contents };
            self.input(Input::Receive(Instant::now(), receive), came, tally);
        }
        true
    }

    fn input(&mut self, input: Input<'_>, came: Instant, tally: &mut Tally) {
        if let Err(error) = self.rtc.handle_input(input) {
            self.noticed.push(Noticed::Gone(error.to_string()));
            self.rtc.disconnect();
        }
        self.drain(came, tally);
    }

    /// Takes all that the peer connection has to say after one input, which came at `came`.
    fn drain(&mut self, came: Instant, tally: &mut Tally) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.due = due;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    if !self.servers.contains(&transmit.destination) {
                        self.servers.insert(transmit.destination);
                    }
                    if let Err(error) = self.udp.send(&transmit.contents, transmit.destination) {
                        tally.refused += 1;
                        tally.refusal = Some(error.to_string());
                    }
                }
                Ok(Output::Event(event)) => self.event(event, came, tally),
                Err(error) => {
                    self.noticed.push(Noticed::Gone(error.to_string()));
                    self.rtc.disconnect();
                }
            }
        }
    }

    fn event(&mut self, event: Event, came: Instant, tally: &mut Tally) {
        match event {
            Event::RtpPacket(packet) => self.packet(&packet, came, tally),
            Event::Connected => self.noticed.push(Noticed::Connected),
            Event::KeyframeRequest(request) => {
                self.noticed.push(Noticed::KeyWanted(request.rid.map(|rid| rid.to_string())));
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.noticed.push(Noticed::Gone("the server answers no more on its media port".to_owned()));
            }
            Event::Closed => {
                self.noticed.push(Noticed::Gone("the server closed the media connection".to_owned()))
            }
            _ => {}
        }
    }

    fn packet(&mut self, packet: &RtpPacket, came: Instant, tally: &mut Tally) {
        let ssrc = packet.header.ssrc;
        if !self.ears.knows(ssrc)
            && let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc)
        {
            self.ears.meet(ssrc, &stream.mid().to_string());
        }
        if self.ears.packet(packet, came, self.run, tally)
            && let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc)
        {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }
}

/// The kind of a slot by its place among others.
pub(crate) fn kinds<'a>(
    audio: &'a [Mid],
    video: &'a [Mid],
) -> impl Iterator<Item = (String, MediaKind)> + 'a {
    let of = |kind| move |mid: &Mid| (mid.to_string(), kind);
    audio.iter().map(of(MediaKind::Audio)).chain(video.iter().map(of(MediaKind::Video)))
}
