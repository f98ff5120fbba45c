//! A room to which anything happens, at random: people come and go, networks lose and repeat, sources restart, slots switch.
//!
//! Each scenario is a pure function of its seed. What is checked: at the door, the laws of [`Ledger`](crate::Ledger); after
//! each call, the room's invariants; at each receiver, the laws of its model decoder; at the end, when networks have healed
//! and nobody acts, that everybody sees what the room says it shows, that nobody asks for key frames any more, and that
//! who leaves leaves nothing on the heap.

use crate::{Guest, Rig, shape};
use core::time::Duration;
use salon_rtp::rtcp::{Fir, FirEntry, Nack, Pli, Remb};
use salon_rtp::{Bitrate, MediaKind, SeqNo, Ssrc};
use salon_sfu::{DropReason, SlotId, Source, View};
use salon_sim::{Bursts, CameraConfig, Datagram, LinkConfig, PictureIds, Rng, TemporalLayers, WallClock};

/// What scenarios came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Calls of rooms.
    pub steps: u64,
    /// Scenarios.
    pub scenarios: u64,
    /// Media packets that left.
    pub media: u64,
    /// Repair packets that left.
    pub repair: u64,
    /// Frames that came out whole at a receiver.
    pub decoded: u64,
    /// Changes of encoding or source that a receiver saw.
    pub switches: u64,
    /// Key frames asked for.
    pub keys: u64,
    /// Packets that were dropped by name.
    pub dropped: u64,
    /// The most bytes of the heap that a room held.
    pub heap: i64,
    /// What left, in one number.
    pub trace: u64,
}

impl Outcome {
    /// Adds another.
    pub fn add(&mut self, o: &Self) {
        self.steps += o.steps;
        self.scenarios += o.scenarios;
        self.media += o.media;
        self.repair += o.repair;
        self.decoded += o.decoded;
        self.switches += o.switches;
        self.keys += o.keys;
        self.dropped += o.dropped;
        self.heap = self.heap.max(o.heap);
        self.trace = self.trace.rotate_left(1) ^ o.trace;
    }
}

/// Plays scenarios until there were so many steps; `told` hears of each. A law that is broken ends the run with its seed.
pub fn play(steps: u64, seed: u64, mut told: impl FnMut(u64, &Outcome)) -> Outcome {
    let mut sum = Outcome::default();
    let mut rng = Rng::new(seed);
    while sum.steps < steps {
        let seed = if sum.scenarios == 0 { seed } else { rng.next_u64() >> 16 };
        let one = scenario(seed);
        sum.add(&one);
        told(seed, &sum);
    }
    sum
}

/// Plays one scenario: a few thousand steps to some ten thousands.
pub fn scenario(seed: u64) -> Outcome {
    let mut play = Play::new(seed);
    for _ in 0..play.rng.between(1, 3) {
        play.come();
    }
    let length = Duration::from_millis(play.rng.between(4_000, 30_000));
    let end = play.rig.now.plus(length);
    while play.rig.now < end {
        let pause = play.rng.between(1, 300);
        play.rig.run(Duration::from_millis(pause));
        play.rig.blocked = false;
        for _ in 0..play.rng.between(1, 2) {
            play.act();
        }
    }
    play.heal();
    play.finish()
}

/// Bytes that a room may hold for each of the ten at most who are in it: caches of four encodings, histories of nine slots.
const HEAP_PER_PERSON: i64 = 4 << 20;

/// People at most.
const PEOPLE: usize = 7;

struct Play {
    rig: Rig,
    rng: Rng,
    /// Links neither lose nor reorder here, so that every frame must come out.
    clean: bool,
    /// Somebody sends nonsense here.
    hostile: bool,
    /// The shape of the descriptors in this room: a slot cannot go from one to another.
    shape: CameraConfig,
    decoded: u64,
    switches: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5a10);
        let mut rig = Rig::new(seed);
        rig.obedient = rng.chance(0.8);
        let clean = rng.chance(0.3);
        let hostile = !clean && rng.chance(0.5);
        let long = CameraConfig::default();
        let shape = match rng.below(5) {
            0 => CameraConfig { picture_ids: PictureIds::Short, ..long },
            1 => CameraConfig { picture_ids: PictureIds::Absent, layer_indices: false, ..long },
            2 => CameraConfig { layer_indices: false, ..long },
            3 => CameraConfig { key_index: true, ..long },
            _ => long,
        };
        Self { rig, rng, clean, hostile, shape, decoded: 0, switches: 0 }
    }

    fn link(&mut self) -> LinkConfig {
        let rng = &mut self.rng;
        let delay = Duration::from_millis(rng.between(1, 80));
        let plain = LinkConfig { delay, ..LinkConfig::default() };
        if self.clean {
            return LinkConfig { jitter: Duration::from_millis(rng.below(15)), ..plain };
        }
        let sometimes = |rng: &mut Rng, most: f64| {
            if rng.chance(0.5) { rng.below(1_000) as f64 / 1_000.0 * most } else { 0.0 }
        };
        LinkConfig {
            jitter: Duration::from_millis(rng.below(40)),
            in_order: rng.chance(0.6),
            loss: sometimes(rng, 0.1),
            bursts: rng.chance(0.1).then_some(Bursts { enter: 0.01, leave: 0.2 }),
            duplicate: sometimes(rng, 0.05),
            reorder: sometimes(rng, 0.05),
            rate: rng.chance(0.1).then(|| Bitrate::from_kbps(rng.between(100, 2_000))),
            ..plain
        }
    }

    fn camera(&mut self) -> CameraConfig {
        let rng = &mut self.rng;
        let fps = *rng.pick(&[5, 15, 25, 30]).unwrap_or(&15);
        let height = *rng.pick(&[180, 360, 720]).unwrap_or(&180);
        let (mut fps, mut least) = (fps, 300);
        let plain = if rng.chance(0.4) {
            // A key frame of a few packets, not of hundreds: what arrives at once must fit a receiver's queue.
            (fps, least) = (fps.max(15), 900);
            shape::simulcast()
        } else {
            shape::camera(height, Bitrate::from_kbps(rng.between(40, 500)), fps)
        };
        let mut config = CameraConfig {
            fps,
            picture_ids: self.shape.picture_ids,
            layer_indices: self.shape.layer_indices,
            key_index: self.shape.key_index,
            layers: match (self.shape.layer_indices, rng.below(3)) {
                (true, 1) => TemporalLayers::L1T2,
                (true, 2) => TemporalLayers::L1T3,
                _ => TemporalLayers::L1T1,
            },
            packet_bytes: rng.between(least, 1_150) as usize,
            padding: if rng.chance(0.3) { 0.2 } else { 0.0 },
            first_seq: rng.next_u64() as u16,
            first_timestamp: rng.next_u64() as u32,
            first_picture_id: rng.next_u64() as u16,
            ..plain
        };
        if rng.chance(0.1) {
            config.encodings.iter_mut().for_each(|e| e.rtx = None);
            config.rtx_pt = None;
        }
        config
    }

    fn here(&self) -> Vec<usize> {
        (0..self.rig.people.len()).filter(|&i| self.rig.people[i].here).collect()
    }

    /// Somebody comes.
    fn come(&mut self) {
        let clock = WallClock {
            drift_ppm: self.rng.between(0, 300) as i32 - 150,
            ..WallClock::off_by(self.rng.between(0, 7_200) as i64 - 3_600)
        };
        let cameras = if self.rng.chance(0.8) { vec![self.camera()] } else { vec![] };
        let guest = Guest {
            clock,
            up: self.link(),
            down: self.link(),
            microphone: self.rng.chance(0.9),
            no_dtx: self.rng.chance(0.2),
            cameras,
            declared: self.rng.chance(0.5),
            ears: self.rng.between(0, 3) as usize,
            eyes: self.rng.between(0, 4) as usize,
            height: *self.rng.pick(&[90, 180, 360, 720]).unwrap_or(&180),
            rtx: self.rng.chance(0.9),
            remb: self.rng.chance(0.5),
            noted: false,
        };
        if self.rng.chance(0.3) {
            let who = self.rig.enter(guest);
            let wait = self.rng.below(300);
            self.rig.run(Duration::from_millis(wait));
            self.rig.connect(who, true);
        } else {
            self.rig.admit(guest);
        }
    }

    /// Something happens.
    fn act(&mut self) {
        let here = self.here();
        let Some(&who) = self.rng.pick(&here) else { return self.come() };
        let now = self.rig.now;
        match self.rng.below(100) {
            0..5 if here.len() < PEOPLE => self.come(),
            5..8 => self.go(who),
            8..13 if !self.clean => {
                let is = !self.rig.people[who].connected;
                self.rig.connect(who, is);
            }
            13..35 => self.talk(who),
            35..55 => self.look(who),
            55..62 => self.link_changes(who),
            62..68 => self.restart(who),
            68..76 => self.mute(who),
            76..80 => self.slots(who),
            80..84 => self.tracks(who),
            84..88 => self.rig.blocked = !self.clean,
            88..94 if self.hostile => self.nonsense(who),
            94..99 if self.hostile => self.demands(who),
            // A wake-up that nobody needed does no harm.
            _ => self.rig.call(|room, _| room.handle_timeout(now)),
        }
        self.rig.turn();
    }

    fn go(&mut self, who: usize) {
        self.judge(who, None);
        self.rig.leave(who);
    }

    fn talk(&mut self, who: usize) {
        let (now, long) = (self.rig.now, Duration::from_millis(self.rng.between(100, 3_000)));
        if let Some(voice) = &mut self.rig.people[who].peer.voice
            && !voice.is_talking(now)
        {
            voice.talk(now..now.plus(long));
        }
    }

    /// A viewer changes what it looks at.
    fn look(&mut self, who: usize) {
        let slots: Vec<_> = self.rig.people[who].slots.iter().map(|s| s.slot).collect();
        let Some(&slot) = self.rng.pick(&slots) else { return };
        let here = self.here();
        let other = &self.rig.people[*self.rng.pick(&here).unwrap_or(&who)];
        let view = match self.rng.below(4) {
            0 => self.rng.pick(&other.uploads).map_or(View::Auto, |u| View::Track(u.track)),
            1 => View::Participant(other.id),
            _ => View::Auto,
        };
        let height = *self.rng.pick(&[0, 90, 180, 360, 720]).unwrap_or(&0);
        // What is due leaves before, so that nothing of a paused slot may.
        self.rig.blocked = false;
        self.rig.pump();
        self.rig.constrain(who, slot, view, height);
    }

    fn link_changes(&mut self, who: usize) {
        let link = self.link();
        if self.rng.chance(0.5) {
            self.rig.people[who].set_down(link);
        } else {
            self.rig.people[who].set_up(link);
        }
    }

    fn restart(&mut self, who: usize) {
        let n = self.rig.people[who].peer.cameras.len() as u64;
        let at = self.rng.below(n) as usize;
        if let Some(camera) = self.rig.people[who].peer.cameras.get_mut(at) {
            camera.restart();
        }
    }

    fn mute(&mut self, who: usize) {
        let n = self.rig.people[who].uploads.len() as u64;
        let at = self.rng.below(n) as usize;
        if let Some(upload) = self.rig.people[who].uploads.get(at) {
            let muted = !upload.muted;
            self.rig.mute(who, at, muted);
        }
    }

    fn slots(&mut self, who: usize) {
        let person = &self.rig.people[who];
        let slots: Vec<_> = person.slots.iter().map(|s| s.slot).collect();
        if slots.len() < 8 && self.rng.chance(0.6) {
            let kind = if self.rng.chance(0.3) { MediaKind::Audio } else { MediaKind::Video };
            self.rig.subscribe(who, kind);
        } else if let Some(&slot) = self.rng.pick(&slots) {
            self.judge(who, self.rig.room.streams(slot).map(|s| s.ssrc));
            self.rig.unsubscribe(who, slot);
        }
    }

    fn tracks(&mut self, who: usize) {
        let n = self.rig.people[who].peer.cameras.len();
        if n > 0 && self.rng.chance(0.5) {
            let at = self.rng.below(n as u64) as usize;
            self.rig.unpublish_camera(who, at);
        } else if n < 2 {
            let camera = self.camera();
            let source = if self.rng.chance(0.3) { Source::Screen } else { Source::Camera };
            self.rig.publish_camera(who, camera, source);
        }
    }

    /// Bytes that mean nothing, or that lie about number, time or length.
    fn nonsense(&mut self, who: usize) {
        for _ in 0..self.rng.between(1, 30) {
            let mut bytes: Vec<u8> = (0..self.rng.below(200)).map(|_| self.rng.next_u64() as u8).collect();
            if self.rng.chance(0.5) && bytes.len() > 12 {
                bytes[0] = 0x80 | bytes[0] & 0x3f;
            }
            let datagram = if self.rng.chance(0.7) { Datagram::Rtp(bytes) } else { Datagram::Rtcp(bytes) };
            if self.rig.people[who].connected {
                self.rig.give(who, &datagram);
            }
        }
    }

    /// Feedback that asks for everything, lies, or is about other people's streams.
    fn demands(&mut self, who: usize) {
        let here = self.here();
        let other = *self.rng.pick(&here).unwrap_or(&who);
        let whose = if self.rng.chance(0.8) { who } else { other };
        for _ in 0..self.rng.between(1, 10) {
            let slots = &self.rig.people[whose].slots;
            let Some(streams) = self.rng.pick(slots).map(|s| s.streams) else { return };
            let media = if self.rng.chance(0.9) { streams.ssrc } else { streams.rtx.unwrap_or(streams.ssrc) };
            let (from, step) = (self.rng.next_u64() & 0xffff, self.rng.between(1, 40));
            let seqs: Vec<_> = (0..self.rng.below(60)).map(|i| SeqNo(from + i * step)).collect();
            let mut out = Vec::new();
            let written = match self.rng.below(4) {
                0 | 1 => Nack::write(Ssrc(7), media, seqs.iter().copied(), &mut out).map(|_| ()),
                2 => Pli { sender: Ssrc(7), media }.write(&mut out),
                _ => Fir::write(Ssrc(7), &[FirEntry { media, number: from as u8 }], &mut out),
            };
            let remb = Bitrate::from_kbps(self.rng.between(0, 4_000));
            let written = written.and_then(|()| match self.rng.below(8) {
                0 => Remb::write(Ssrc(7), remb, &[media], &mut out),
                _ => Ok(()),
            });
            if written.is_ok() && !out.is_empty() && self.rig.people[who].connected {
                self.rig.give(who, &Datagram::Rtcp(out));
            }
        }
    }

    /// Networks heal and nobody acts any more: everything must come to rest.
    fn heal(&mut self) {
        self.rig.blocked = false;
        for who in self.here() {
            let link = LinkConfig { delay: Duration::from_millis(20), ..LinkConfig::default() };
            self.rig.people[who].set_down(link);
            self.rig.people[who].set_up(link);
            if !self.rig.people[who].connected {
                self.rig.connect(who, true);
            }
        }
        self.rig.run(Duration::from_secs(12));
        self.all_flows();
        let (keys, shown) = (self.rig.ledger.totals.keys, self.shown());
        self.rig.run(Duration::from_secs(2));
        let asked = self.rig.ledger.totals.keys - keys;
        // A slot that climbs asks for what it climbs to.
        let same = shown == self.shown();
        self.rig.run(Duration::from_secs(1));
        if asked > 0 && same && shown == self.shown() && !self.waits() {
            let plis: Vec<_> = (self.rig.people.iter().enumerate().filter(|(_, p)| p.here))
                .flat_map(|(i, p)| {
                    p.peer.eyes.iter().map(move |e| (i, e.config().media, e.counts(), e.missing()))
                })
                .collect();
            self.rig.fail(&format!("law 12: {asked} key frames asked for though all is quiet: {plis:?}"));
        }
        self.all_flows();
    }

    /// What every slot shows.
    fn shown(&self) -> Vec<(SlotId, Option<u8>)> {
        self.rig.report().participants.iter().flat_map(|p| &p.slots).map(|s| (s.id, s.encoding)).collect()
    }

    /// Whether a slot waits for somebody who sends nothing.
    fn waits(&self) -> bool {
        let waiting = |p: &crate::Person| {
            p.slots
                .iter()
                .any(|s| self.rig.slots.get(&s.slot).is_some_and(|s| s.1.is_some() && s.0.is_some()))
        };
        self.rig.people.iter().filter(|p| p.here).any(waiting)
    }

    /// Everybody sees what the room says it shows, and nothing else.
    fn all_flows(&mut self) {
        let now = self.rig.now;
        for who in self.here() {
            let person = &self.rig.people[who];
            let videos: Vec<_> = person.video().copied().collect();
            for (place, slot) in videos.iter().enumerate() {
                let Some(&(shows, empty)) = self.rig.slots.get(&slot.slot) else { continue };
                let Some(track) = shows.filter(|_| empty.is_none()) else { continue };
                // A moment ago it may have waited for a key frame, or for its receiver's link.
                if self.rig.said.get(&slot.slot).is_some_and(|&at| now.since(at) < Duration::from_secs(3)) {
                    continue;
                }
                let Some(owner) = self.rig.owner(track) else {
                    self.rig.fail("a slot shows what nobody publishes");
                };
                let upload = self.rig.people[owner].uploads.iter().find(|u| u.track == track);
                if upload.is_none_or(|u| u.muted) {
                    self.rig.fail("a slot shows what is muted");
                }
                let last = self.rig.people[who].peer.eyes[place].decoder().last_decoded();
                if last.is_none_or(|l| now.since(l) > Duration::from_millis(1_200)) {
                    let report = self.rig.report();
                    let tracks = report.participants.iter().flat_map(|p| &p.tracks);
                    let track = tracks.into_iter().find(|t| t.id == track);
                    let slot = report.participants.iter().flat_map(|p| &p.slots).find(|s| s.id == slot.slot);
                    let eye = &mut self.rig.people[who].peer.eyes[place];
                    let (counts, seen) = (eye.counts(), eye.decoder().report());
                    let cameras = &self.rig.people[owner].peer.cameras;
                    let on: Vec<_> = cameras.iter().map(|c| [0, 1, 2].map(|i| c.is_active(i))).collect();
                    self.rig.fail(&format!(
                        "{who} should see {owner} in its slot {place}, but its last frame came {last:?}; {slot:?} {track:?} {counts:?} {seen:?} cameras {on:?}"
                    ));
                }
            }
        }
    }

    /// Whether all that somebody received was lawful, or all of one stream: it is looked at no more.
    fn judge(&mut self, who: usize, only: Option<Ssrc>) {
        let (clean, person) = (self.clean, &mut self.rig.people[who]);
        let mut broken = None;
        let mut sums = (0, 0);
        for eye in person.peer.eyes.iter_mut().filter(|e| only.is_none_or(|o| o == e.config().media)) {
            let mut report = eye.decoder().finish();
            if !clean {
                // The network may have lost the first key frame; what left is checked at the door.
                report.keyless = report.keyless.saturating_sub(1);
                // libwebrtc forgets after a hundred pictures that one is missing, and then decodes what waited for it: where so
                // much is lost, that is no forwarder's doing (law 5 speaks of no loss).
                report.corrupt = 0;
            }
            // Nor does a jump tell anything here: a source that restarts a little ahead looks like one that lost much.
            report.stream.jumps = 0;
            sums = (sums.0 + report.decoded, sums.1 + report.switches);
            let law = report.broken_law();
            if law.is_some() || clean && report.undecodable > 0 {
                broken.get_or_insert(format!(
                    "{:?} {}: {report:?}",
                    eye.config().media,
                    law.unwrap_or("law 5: undecodable")
                ));
            }
            if eye.line().worst() > Duration::from_millis(1) {
                broken.get_or_insert(format!("a sender report {:?} beside the line", eye.line().worst()));
            }
        }
        for (_, ear) in person.peer.ears.iter_mut().filter(|e| only.is_none_or(|o| o == e.0)) {
            let check = ear.finish();
            if check.conflicts + check.backwards > 0 {
                broken.get_or_insert(format!("sound: {check:?}"));
            }
            if ear.line().worst() > Duration::from_millis(1) {
                broken.get_or_insert(format!("a sender report {:?} beside the line", ear.line().worst()));
            }
        }
        let feedback = person.peer.feedback.counts();
        if feedback.unreadable + feedback.never_sent > 0 && !self.hostile {
            broken.get_or_insert(format!("{feedback:?}"));
        }
        if let Some(broken) = broken {
            self.rig.fail(&format!("{who}: {broken}"));
        }
        self.decoded += sums.0;
        self.switches += sums.1;
    }

    fn finish(mut self) -> Outcome {
        for who in self.here() {
            self.judge(who, None);
            self.rig.leave(who);
        }
        self.rig.turn();
        while self.rig.call(|room, _| room.poll_event()).is_some() {}
        // Law 20: every packet was taken, or dropped for one reason that has a name.
        let counters = self.rig.room.counters();
        let dropped: u64 = DropReason::ALL.iter().map(|&r| counters.dropped(r)).sum();
        let given = counters.rtp_in + counters.rtcp_in;
        if (self.rig.verdicts.0 + dropped, self.rig.verdicts.1) != (given, dropped) {
            self.rig.fail("law 20: a packet without a verdict, or with two");
        }
        if self.rig.heap_most > HEAP_PER_PERSON * PEOPLE as i64 {
            self.rig.fail(&format!("law 18: {} bytes of heap", self.rig.heap_most));
        }
        // Nobody is there any more: what is left are empty tables.
        if self.rig.heap > 256 << 10 {
            self.rig.fail(&format!("{} bytes of heap after everybody left", self.rig.heap));
        }
        let totals = self.rig.ledger.totals;
        Outcome {
            steps: self.rig.steps,
            scenarios: 1,
            media: totals.media,
            repair: totals.repair,
            decoded: self.decoded,
            switches: self.switches,
            keys: totals.keys,
            dropped,
            heap: self.rig.heap_most,
            trace: self.rig.ledger.trace,
        }
    }
}
