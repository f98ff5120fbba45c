//! One WebRTC client: a peer connection of str0m with its socket, its sources, and its conversation with the server.

use crate::camera::{Camera, LAYERS, Layer};
use crate::ears::Ears;
use crate::media::{Media, Noticed};
use crate::microphone::{Microphone, Silence};
use crate::signal::{Said, Signal};
use crate::tally::Tally;
use crate::turns::Turns;
use mio::Registry;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use str0m::Rtc;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer};
use str0m::rtp::Ssrc;

/// Who a client is and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) run: u32,
    /// Its person's number in the run; a person may have two clients, one to send and one to receive.
    pub(crate) person: u32,
    pub(crate) room: usize,
    pub(crate) name: String,
    pub(crate) audio: bool,
    /// Of its picture, 0 to 3.
    pub(crate) encodings: usize,
    pub(crate) fps: u32,
    pub(crate) silence: Silence,
    pub(crate) audio_slots: usize,
    pub(crate) video_slots: usize,
    /// Where in its first second it begins to send.
    pub(crate) phase: Duration,
}

impl Role {
    pub(crate) fn sends(&self) -> bool {
        self.audio || self.encodings > 0
    }

    pub(crate) fn receives(&self) -> bool {
        self.audio_slots + self.video_slots > 0
    }

    /// The encodings that it sends, from the smallest: the largest ones of all.
    pub(crate) fn layers(&self) -> &'static [Layer] {
        LAYERS.get(LAYERS.len().saturating_sub(self.encodings)..).unwrap_or_default()
    }
}

/// Where a client is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// On the way.
    Joining,
    /// Media flow.
    Connected,
    /// Not, or no longer, served, and why.
    Failed(String),
    /// Gone as it wished.
    Left,
}

/// Requests for key frames of one encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) times: u64,
    /// The shortest time between two.
    pub(crate) closest: Option<Duration>,
    last: Option<Instant>,
}

impl Asked {
    fn again(&mut self, now: Instant) {
        let since = self.last.replace(now).map(|last| now.saturating_duration_since(last));
        self.times += 1;
        self.closest = [self.closest, since].into_iter().flatten().min();
    }
}

/// The moments of an arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) began: Instant,
    pub(crate) answered: Option<Instant>,
    pub(crate) connected: Option<Instant>,
    /// Somebody who sends was there before.
    pub(crate) company: bool,
}

/// The sections of an offer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections {
    pub(crate) microphone: Option<Mid>,
    pub(crate) camera: Option<Mid>,
    pub(crate) audio_slots: Vec<Mid>,
    pub(crate) video_slots: Vec<Mid>,
}

/// The client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(crate) arrival: Arrival,
    pub(crate) media: Media,
    pub(crate) camera: Option<Camera>,
    microphone: Option<Microphone>,
    signal: Signal,
    sections: Sections,
    pending: Option<Box<SdpPendingOffer>>,
    /// Key frames asked of it, by rid.
    pub(crate) keys_asked: BTreeMap<String, Asked>,
    said: Vec<Said>,
    leaving: bool,
}

/// Adds what a role sends and receives to a peer connection: the sections and the offer.
pub(crate) fn offer(rtc: &mut Rtc, role: &Role) -> Option<(Sections, String, SdpPendingOffer)> {
    let mut api = rtc.sdp_api();
    let mut sections = Sections::default();
    if role.audio {
        sections.microphone = Some(api.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None));
    }
    if role.encodings > 0 {
        let simulcast = (role.encodings > 1).then(|| Simulcast {
            send: role.layers().iter().map(|layer| SimulcastLayer::new(layer.rid)).collect(),
            recv: Vec::new(),
        });
        sections.camera = Some(api.add_media(MediaKind::Video, Direction::SendOnly, None, None, simulcast));
    }
    let mut slots =
        |kind, n| (0..n).map(|_| api.add_media(kind, Direction::RecvOnly, None, None, None)).collect();
    sections.audio_slots = slots(MediaKind::Audio, role.audio_slots);
    sections.video_slots = slots(MediaKind::Video, role.video_slots);
    let (offer, pending) = api.apply()?;
    Some((sections, offer.to_sdp_string(), pending))
}

impl Client {
    pub(crate) fn new(
        role: Role,
        media: Media,
        signal: Signal,
        sections: Sections,
        pending: SdpPendingOffer,
        now: Instant,
    ) -> Self {
        Self {
            role,
            state: State::Joining,
            arrival: Arrival { began: now, answered: None, connected: None, company: false },
            media,
            camera: None,
            microphone: None,
            signal,
            sections,
            pending: Some(Box::new(pending)),
            keys_asked: BTreeMap::new(),
            said: Vec::new(),
            leaving: false,
        }
    }

    /// When it wants to be ticked.
    pub(crate) fn due(&self) -> Option<Instant> {
        let sources =
            [self.microphone.as_ref().map(Microphone::next), self.camera.as_ref().map(Camera::next)];
        let own = [Some(self.media.due()).filter(|_| self.is_up()), self.signal.due()];
        sources.into_iter().chain(own).flatten().min()
    }

    fn is_up(&self) -> bool {
        matches!(self.state, State::Joining | State::Connected)
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Instant, registry: &Registry, turns: &mut Turns, tally: &mut Tally) {
        if self.signal.due().is_some_and(|due| due <= now) {
            self.converse(now, registry);
        }
        if self.is_up() && self.media.due() <= now {
            self.media.timeout(now, tally);
        }
        self.send(now, turns, tally);
        self.notice(now);
    }

    /// The stream of its conversation is ready.
    pub(crate) fn converse(&mut self, now: Instant, registry: &Registry) {
        let mut said = std::mem::take(&mut self.said);
        self.signal.drive(now, registry, &mut said);
        said.drain(..).for_each(|word| self.hear(word, now));
        self.said = said;
    }

    /// Datagrams are there: takes up to `most`, and says whether there may be more.
    pub(crate) fn receive(&mut self, most: usize, buffer: &mut [u8], tally: &mut Tally) -> bool {
        let more = self.media.receive(most, buffer, tally);
        self.notice(Instant::now());
        more
    }

    /// Says goodbye, by the protocol alone: where the media connection closed first, the server would take it for lost.
    pub(crate) fn leave(&mut self, now: Instant, registry: &Registry) {
        (self.microphone, self.camera) = (None, None);
        if !self.is_up() {
            return;
        }
        self.leaving = true;
        let mut said = std::mem::take(&mut self.said);
        self.signal.leave(registry, &mut said);
        said.drain(..).for_each(|word| self.hear(word, now));
        self.said = said;
    }

    fn hear(&mut self, word: Said, now: Instant) {
        match word {
            Said::Answer { sdp, company } => {
                self.arrival.answered = Some(now);
                self.arrival.company = company;
                if let Err(why) = self.accept(&sdp, now) {
                    self.fail(why);
                }
            }
            Said::Slots(slots) => {
                slots.iter().for_each(|(mid, filled)| self.media.ears.filled(mid, *filled, now));
            }
            Said::Wanted(sections) => {
                let Some(camera) = self.camera.as_mut() else { return };
                let own = self.sections.camera.map(|mid| mid.to_string());
                sections
                    .iter()
                    .filter(|(mid, _)| own.as_ref() == Some(mid))
                    .for_each(|(_, r)| camera.only(r));
            }
            Said::Failed(why) if !self.leaving => self.fail(why),
            Said::Failed(_) | Said::Left => {
                self.state = State::Left;
                (self.microphone, self.camera) = (None, None);
            }
        }
    }

    fn fail(&mut self, why: String) {
        // Who leaves has not failed, whatever ends first.
        if self.is_up() && !self.leaving {
            self.state = State::Failed(why);
            (self.microphone, self.camera) = (None, None);
        }
    }

    fn accept(&mut self, sdp: &str, now: Instant) -> Result<(), String> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| format!("the answer: {error}"))?;
        let pending = self.pending.take().ok_or("a second answer")?;
        self.media.accept(*pending, answer, now).map_err(|error| format!("the answer: {error}"))?;
        // str0m makes a stream to send for each section, whatever its direction; each costs time with every packet.
        for mid in self.sections.audio_slots.iter().chain(&self.sections.video_slots) {
            self.media.drop_stream(*mid);
        }
        let role = &self.role;
        let start = now + role.phase;
        if let Some(mid) = self.sections.microphone {
            let ssrc = self.media.stream(mid, None).ok_or("the server takes no sound")?;
            self.microphone = Some(Microphone::new(ssrc, role.run, role.person, role.silence, start));
        }
        if let Some(mid) = self.sections.camera {
            let rid = |layer: &Layer| (role.encodings > 1).then(|| layer.rid.into());
            let streams: Option<Vec<(Layer, Ssrc)>> = role
                .layers()
                .iter()
                .map(|layer| Some((*layer, self.media.stream(mid, rid(layer))?)))
                .collect();
            let streams = streams.ok_or("the server takes no picture in these encodings")?;
            self.camera = Some(Camera::new(role.run, role.person, role.fps, &streams, start));
        }
        Ok(())
    }

    /// Sends what is due, once there is a connection; what was due before is skipped.
    fn send(&mut self, now: Instant, turns: &mut Turns, tally: &mut Tally) {
        let Self { media, microphone, camera, role, state, .. } = self;
        let connected = *state == State::Connected;
        let start = tally.start();
        let micros = || start.elapsed().as_micros() as u64;
        let mut scratch = std::mem::take(&mut media.scratch);
        while let Some(m) = microphone.as_mut().filter(|m| m.next() <= now) {
            if connected {
                tally.lateness.record(now.saturating_duration_since(m.next()));
            }
            let talks = turns.talks(role.person, m.next());
            let sent = micros();
            let Some(piece) = m.packet(talks, sent, &mut scratch).filter(|_| connected) else { continue };
            if talks && tally.counts(sent) {
                media.speech_sent += 1;
                if let Some(speech) = tally.speech.get_mut(role.room) {
                    *speech += 1;
                }
            }
            media.send(piece, tally);
        }
        while let Some(c) = camera.as_mut().filter(|c| c.next() <= now) {
            if !connected {
                c.skip();
                continue;
            }
            tally.lateness.record(now.saturating_duration_since(c.next()));
            c.frame(now, &mut scratch, micros, |piece| media.send(piece, tally));
        }
        media.scratch = scratch;
    }

    /// Takes what the peer connection noticed.
    fn notice(&mut self, now: Instant) {
        while let Some(noticed) = self.media.noticed.pop() {
            match noticed {
                Noticed::Connected => {
                    self.arrival.connected.get_or_insert(now);
                    if self.state == State::Joining {
                        self.state = State::Connected;
                    }
                }
                Noticed::KeyWanted(rid) => {
                    let layers = self.role.layers();
                    let name =
                        rid.clone().or_else(|| layers.first().map(|l| l.rid.to_owned())).unwrap_or_default();
                    self.keys_asked.entry(name).or_default().again(now);
                    if let Some(camera) = self.camera.as_mut() {
                        camera.key(rid.as_deref(), now);
                    }
                }
                Noticed::Gone(why) => self.fail(why),
            }
        }
    }
}

impl Client {
    /// What it receives.
    pub(crate) fn ears(&self) -> &Ears {
        &self.media.ears
    }
}
