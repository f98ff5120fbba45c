//! A room, the people in it, and the clock.

use crate::person::{Guest, Person, Subscription, Upload};
use crate::{Ledger, shape};
use core::time::Duration;
use salon_rtp::{Codec, Egress, MediaKind, Mid, Ssrc, Time};
use salon_sfu::{
    Config, Constraint, EgressDrop, EmptyReason, EncodingSpec, Event, Feedback, ParticipantId, Room,
    RoomReport, SlotId, SlotPayload, SlotSpec, Source, TrackId, TrackSpec, Verdict, View,
};
use salon_sim::{
    CameraConfig, CameraSource, Datagram, ReceiverConfig, VideoReceiver, VoiceConfig, VoiceListener,
    VoiceSource,
};
use salon_simulcast::SkipReason;
use salon_srtp::{MasterKey, Outbound, Profile};
use std::collections::BTreeMap;

/// A room that is driven as `host` drives it: what has come is given, then timeouts, events, and all that is ready; every
/// millisecond or, if nothing came, when the room says.
pub struct Rig {
    /// The room.
    pub room: Room,
    /// The simulation's time.
    pub now: Time,
    /// What all chance here follows.
    pub seed: u64,
    /// Everybody who ever came, in that order.
    pub people: Vec<Person>,
    /// The laws at the door.
    pub ledger: Ledger,
    /// What each slot was last said to show.
    pub slots: BTreeMap<SlotId, (Option<TrackId>, Option<EmptyReason>)>,
    /// When that was said.
    pub said: BTreeMap<SlotId, Time>,
    /// Who was last said to have the floor, and how often that changed.
    pub floor: (Option<ParticipantId>, u64),
    /// Which encodings of each track were last said to be wanted.
    pub wanted: BTreeMap<TrackId, u8>,
    /// Whether publishers switch off what nobody watches.
    pub obedient: bool,
    /// Whether the room's invariants are checked after each call.
    pub checking: bool,
    /// The kernel takes no more: bursts stay half-read.
    pub blocked: bool,
    /// Calls that changed, or could have changed, the room.
    pub steps: u64,
    /// Packets that the room took, and that it dropped by name.
    pub verdicts: (u64, u64),
    /// Bytes of the heap that the room holds.
    pub heap: i64,
    /// The most that it ever held.
    pub heap_most: i64,
    /// Packets to be sealed are sealed in earnest, by somebody's key each.
    pub ciphers: Option<Vec<Outbound>>,
    /// Packets that were sealed.
    pub sealed: u64,
    touched: bool,
}

/// The deepest that a batch holds back replays: as `host` sets it, the room's own history.
const SENT_WINDOW: usize = salon_sfu::limits::HISTORY;

impl Rig {
    /// An empty room.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Config { participants: 2_000, ..Config::default() })
    }

    /// An empty room of this kind.
    pub fn with(seed: u64, config: Config) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            room: Room::new(config, bytes),
            now: Time::from_millis(1),
            seed,
            people: Vec::new(),
            ledger: Ledger::default(),
            slots: BTreeMap::new(),
            said: BTreeMap::new(),
            floor: (None, 0),
            wanted: BTreeMap::new(),
            obedient: true,
            checking: true,
            blocked: false,
            steps: 0,
            verdicts: (0, 0),
            heap: 0,
            heap_most: 0,
            ciphers: None,
            sealed: 0,
            touched: false,
        }
    }

    /// Calls the room: counts the call, what it leaves on the heap, and looks whether all invariants hold.
    pub fn call<T>(&mut self, f: impl FnOnce(&mut Room, Time) -> T) -> T {
        self.steps += 1;
        self.touched = true;
        let mut out = None;
        let info = allocation_counter::measure(|| out = Some(f(&mut self.room, self.now)));
        self.heap += info.bytes_current;
        self.heap_most = self.heap_most.max(self.heap);
        if self.checking
            && let Err(broken) = self.room.check()
        {
            self.fail(broken);
        }
        out.unwrap()
    }

    /// Ends the run and says how to repeat it.
    pub fn fail(&self, why: &str) -> ! {
        let c = self.room.counters();
        let unsent = EgressDrop::ALL.iter().map(|&r| (r.name(), c.unsent(r))).filter(|r| r.1 > 0);
        let unsent: Vec<_> = unsent.collect();
        let skipped = SkipReason::ALL.iter().map(|&r| (r.name(), c.skipped(r))).filter(|r| r.1 > 0);
        let skipped: Vec<_> = skipped.collect();
        panic!(
            "seed {}: {why} (at {:?}, step {}; unsent {unsent:?}, skipped {skipped:?})",
            self.seed, self.now, self.steps
        )
    }

    /// Somebody comes, with all sources and slots. Who it is.
    pub fn admit(&mut self, guest: Guest) -> usize {
        let who = self.enter(guest);
        self.connect(who, true);
        who
    }

    /// Somebody comes, and has no path yet.
    pub fn enter(&mut self, guest: Guest) -> usize {
        let id = self.call(|room, now| room.join(now)).unwrap();
        let who = self.people.len();
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(who as u64);
        self.people.push(Person::new(id, seed, guest.clone()));
        if let Some(ciphers) = &mut self.ciphers {
            let mut key = [7; 16];
            key[..8].copy_from_slice(&(who as u64).to_be_bytes());
            let master = MasterKey::new(Profile::AeadAes128Gcm, &key, &[3; 12]).unwrap();
            ciphers.push(Outbound::new(&master, SENT_WINDOW).unwrap());
        }
        if guest.microphone {
            self.publish_voice(who);
        }
        for camera in guest.cameras {
            self.publish_camera(who, camera, Source::Camera);
        }
        for _ in 0..guest.ears {
            self.subscribe(who, MediaKind::Audio);
        }
        for _ in 0..guest.eyes {
            let slot = self.subscribe(who, MediaKind::Video);
            self.constrain(who, slot, View::Auto, guest.height);
        }
        who
    }

    /// A path stands, or does not any more.
    pub fn connect(&mut self, who: usize, is: bool) {
        let id = self.people[who].id;
        self.people[who].connected = is;
        self.call(|room, now| room.connected(now, id, is)).unwrap();
    }

    /// Somebody leaves.
    pub fn leave(&mut self, who: usize) {
        let person = &mut self.people[who];
        (person.here, person.connected) = (false, false);
        let id = person.id;
        for slot in core::mem::take(&mut person.slots) {
            self.slots.remove(&slot.slot);
        }
        self.people[who].uploads.clear();
        self.call(|room, now| room.leave(now, id)).unwrap();
    }

    /// Somebody begins to publish a microphone.
    pub fn publish_voice(&mut self, who: usize) {
        let person = &mut self.people[who];
        let name = person.next_name;
        person.next_name += 1;
        let mid = Mid::new(name.to_string().as_bytes()).unwrap();
        let config = VoiceConfig {
            source: who as u32 * 100 + name,
            ssrc: Ssrc(0x1000_0000 + who as u32 * 0x1_0000 + name * 0x10),
            mid: Some(mid),
            extensions: shape::extensions(),
            clock: person.guest.clock,
            dtx: !person.guest.no_dtx,
            ..VoiceConfig::default()
        };
        let spec = TrackSpec {
            mid: Some(mid),
            source: Source::Microphone,
            codec: Codec::Opus,
            pt: config.pt,
            rtx_pt: None,
            encodings: vec![EncodingSpec {
                ssrc: person.guest.declared.then_some(config.ssrc),
                ..EncodingSpec::default()
            }],
            extensions: shape::extensions(),
            feedback: Feedback { twcc: true, ..Feedback::default() },
        };
        let (id, source) = (person.id, config.source);
        person.peer.voice = Some(VoiceSource::new(u64::from(source), config).starting(self.now));
        let track = self.call(|room, now| room.publish(now, id, spec)).unwrap();
        self.people[who].uploads.insert(0, Upload { track, source, video: false, muted: false });
    }

    /// Somebody begins to publish a picture. Its place among the cameras.
    pub fn publish_camera(&mut self, who: usize, mut config: CameraConfig, as_source: Source) -> usize {
        let person = &mut self.people[who];
        let name = person.next_name;
        person.next_name += 1;
        let mid = Mid::new(name.to_string().as_bytes()).unwrap();
        let first = 0x1000_0000 + who as u32 * 0x1_0000 + name * 0x10;
        (config.source, config.mid) = (who as u32 * 100 + name, Some(mid));
        (config.extensions, config.clock) = (shape::extensions(), person.guest.clock);
        for (i, e) in (0..).zip(&mut config.encodings) {
            e.ssrc = Ssrc(first + 2 * i);
            e.rtx = e.rtx.map(|_| Ssrc(first + 2 * i + 1));
        }
        let declared = person.guest.declared && config.encodings.len() == 1;
        let encodings = config.encodings.iter().map(|e| EncodingSpec {
            rid: e.rid,
            ssrc: declared.then_some(e.ssrc),
            rtx_ssrc: e.rtx.filter(|_| declared),
        });
        let spec = TrackSpec {
            mid: Some(mid),
            source: as_source,
            codec: Codec::Vp8,
            pt: config.pt,
            rtx_pt: config.rtx_pt,
            encodings: encodings.collect(),
            extensions: shape::extensions(),
            feedback: Feedback { nack: true, pli: true, fir: true, twcc: true, remb: true },
        };
        let (id, source) = (person.id, config.source);
        let seed = self.seed ^ u64::from(source);
        person.peer.cameras.push(CameraSource::new(seed, config).starting(self.now));
        let track = self.call(|room, now| room.publish(now, id, spec)).unwrap();
        self.people[who].uploads.push(Upload { track, source, video: true, muted: false });
        self.people[who].peer.cameras.len() - 1
    }

    /// Somebody ends a camera, by its place.
    pub fn unpublish_camera(&mut self, who: usize, place: usize) {
        let person = &mut self.people[who];
        person.peer.cameras.remove(place);
        let at = person.uploads.iter().enumerate().filter(|(_, u)| u.video).nth(place).unwrap().0;
        let (id, track) = (person.id, person.uploads.remove(at).track);
        self.call(|room, now| room.unpublish(now, id, track)).unwrap();
    }

    /// Somebody negotiates a receive stream.
    pub fn subscribe(&mut self, who: usize, kind: MediaKind) -> SlotId {
        let video = kind == MediaKind::Video;
        let person = &mut self.people[who];
        let name = person.next_name;
        person.next_name += 1;
        let payload = if video {
            SlotPayload {
                codec: Codec::Vp8,
                pt: shape::pt(120),
                rtx_pt: person.guest.rtx.then_some(shape::pt(124)),
            }
        } else {
            SlotPayload { codec: Codec::Opus, pt: shape::pt(109), rtx_pt: None }
        };
        let spec = SlotSpec {
            mid: Mid::new(name.to_string().as_bytes()).ok(),
            kind,
            payloads: vec![payload],
            extensions: shape::extensions(),
            feedback: Feedback { nack: video, pli: video, fir: video, twcc: false, remb: true },
        };
        let id = person.id;
        let slot = self.call(|room, now| room.subscribe(now, id, spec)).unwrap();
        let streams = self.room.streams(slot).unwrap();
        self.ledger.open(who, streams, video);
        let person = &mut self.people[who];
        person.slots.push(Subscription { slot, streams, video });
        if video {
            let own = Ssrc(0x9000_0000 + who as u32 * 0x100 + name);
            let config = ReceiverConfig::new(own, streams.ssrc, streams.rtx);
            person.peer.eyes.push(VideoReceiver::new(config));
        } else {
            person.peer.ears.push((streams.ssrc, VoiceListener::default()));
        }
        slot
    }

    /// Somebody gives a receive stream up.
    pub fn unsubscribe(&mut self, who: usize, slot: SlotId) {
        let person = &mut self.people[who];
        let at = person.slots.iter().position(|s| s.slot == slot).unwrap();
        let gone = person.slots.remove(at);
        person.peer.eyes.retain(|e| e.config().media != gone.streams.ssrc);
        person.peer.ears.retain(|(ssrc, _)| *ssrc != gone.streams.ssrc);
        self.slots.remove(&slot);
        let id = person.id;
        self.call(|room, now| room.unsubscribe(now, id, slot)).unwrap();
    }

    /// Somebody says what a slot is to show. What was due has left before.
    pub fn constrain(&mut self, who: usize, slot: SlotId, view: View, height: u16) {
        let id = self.people[who].id;
        self.call(|room, now| room.constrain(now, id, slot, Constraint { view, height })).unwrap();
        if let Some(streams) = self.room.streams(slot) {
            self.ledger.pause(streams, height == 0);
        }
    }

    /// Somebody mutes a source, by its place among the uploads, or lifts that.
    pub fn mute(&mut self, who: usize, place: usize, muted: bool) {
        let person = &mut self.people[who];
        let upload = &mut person.uploads[place];
        upload.muted = muted;
        let (id, track, video) = (person.id, upload.track, upload.video);
        if video {
            let at = person.uploads[..place].iter().filter(|u| u.video).count();
            person.peer.cameras[at].set_enabled(!muted);
        } else if let Some(voice) = &mut person.peer.voice {
            voice.set_muted(muted);
        }
        self.call(|room, now| room.set_muted(now, id, track, muted)).unwrap();
    }

    /// Time passes, a millisecond after the other.
    pub fn run(&mut self, time: Duration) {
        for _ in 0..time.as_millis() {
            self.tick();
        }
    }

    /// Time passes until then.
    pub fn run_until(&mut self, then: Time) {
        self.run(then.since(self.now));
    }

    /// Time passes until something holds; how long that took, unless it took longer than that.
    pub fn run_while(
        &mut self,
        most: Duration,
        mut not_yet: impl FnMut(&mut Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        while not_yet(self) {
            if self.now.since(start) >= most {
                return None;
            }
            self.tick();
        }
        Some(self.now.since(start))
    }

    /// A millisecond.
    pub fn tick(&mut self) {
        self.now = self.now.plus(Duration::from_millis(1));
        let now = self.now;
        for who in 0..self.people.len() {
            let person = &mut self.people[who];
            if !person.here {
                continue;
            }
            person.poll(now);
            while let Some(datagram) = self.people[who].peer.uplink(now) {
                // Without a path nothing arrives.
                if self.people[who].connected {
                    self.give(who, &datagram);
                }
            }
        }
        self.turn();
    }

    /// A datagram of somebody's reaches the room.
    pub fn give(&mut self, who: usize, datagram: &Datagram) -> Verdict {
        self.ledger.came(datagram);
        let id = self.people[who].id;
        let verdict = self.call(|room, now| match datagram {
            Datagram::Rtp(bytes) => room.handle_rtp(now, id, bytes),
            Datagram::Rtcp(bytes) => room.handle_rtcp(now, id, bytes),
        });
        match verdict {
            Verdict::Accepted => self.verdicts.0 += 1,
            Verdict::Dropped(_) => self.verdicts.1 += 1,
        }
        verdict
    }

    /// A room's turn, if something touched it or is due.
    pub fn turn(&mut self) {
        let due = self.room.poll_timeout().is_some_and(|due| due <= self.now);
        if !due && !self.touched {
            return;
        }
        self.call(|room, now| room.handle_timeout(now));
        self.listen();
        self.pump();
        self.touched = self.blocked;
        if let Some(law) = &self.ledger.broken {
            self.fail(law);
        }
    }

    /// Hears what changed.
    fn listen(&mut self) {
        while let Some(event) = self.call(|room, _| room.poll_event()) {
            match event {
                Event::Slot { slot, shows, empty, .. } => {
                    self.slots.insert(slot, (shows, empty));
                    self.said.insert(slot, self.now);
                }
                Event::Floor(floor) => self.floor = (floor, self.floor.1 + 1),
                Event::Speaking { .. } => {}
                Event::Encodings { participant, track, wanted } => {
                    self.wanted.insert(track, wanted);
                    let person = self.people.iter_mut().find(|p| p.id == participant && p.here);
                    if let (Some(person), true) = (person, self.obedient) {
                        obey(person, track, wanted);
                    }
                }
            }
        }
    }

    /// Sends all that is ready, as long as the kernel takes it.
    pub fn pump(&mut self) {
        let Self { room, people, ledger, now, heap, heap_most, ciphers, sealed, blocked, .. } = self;
        let mut left = if *blocked { 3 } else { usize::MAX };
        let mut count = |info: allocation_counter::AllocationInfo| {
            *heap += info.bytes_current;
            *heap_most = (*heap_most).max(*heap);
        };
        while let Some(mut burst) = room.poll_transmit(*now) {
            let to = people.iter().position(|p| p.here && p.id == burst.to());
            let Some(to) = to.filter(|&t| people[t].connected) else {
                burst.discard();
                continue;
            };
            loop {
                if left == 0 {
                    ledger.blocked = Some(*now);
                    return;
                }
                let mut next = None;
                count(allocation_counter::measure(|| next = burst.next()));
                let Some(egress) = next else { break };
                left -= 1;
                let datagram = match &egress {
                    Egress::Rtp(packet) => {
                        if let Some(ciphers) = ciphers {
                            let mut out = [0; 2_000];
                            let n = ciphers[to].seal_rtp(packet, &mut out);
                            assert!(n.is_ok(), "{n:?}: {packet:?}");
                            *sealed += 1;
                        }
                        Datagram::Rtp(ledger.leaves(*now, to, packet))
                    }
                    Egress::Rtcp(bytes) => {
                        ledger.reports(*now, to, bytes);
                        Datagram::Rtcp(bytes.to_vec())
                    }
                };
                people[to].send(*now, datagram);
            }
        }
    }

    /// Everything worth seeing.
    pub fn report(&self) -> RoomReport {
        self.room.report(self.now)
    }

    /// The person whose track this is.
    pub fn owner(&self, track: TrackId) -> Option<usize> {
        self.people.iter().position(|p| p.uploads.iter().any(|u| u.track == track))
    }
}

/// A browser switches off what its server does not want.
fn obey(person: &mut Person, track: TrackId, wanted: u8) {
    let place = person.uploads.iter().filter(|u| u.video).position(|u| u.track == track);
    let Some(camera) = place.and_then(|p| person.peer.cameras.get_mut(p)) else { return };
    for i in 0..camera.config().encodings.len() {
        camera.set_active(i, wanted & 1 << i != 0);
    }
}
