//! Random calls and random packets: the room's invariants hold after each, an index is never sealed twice, nobody is sent his own
//! picture or anything at all without a path, and no deadline stays due.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod rig;

use std::time::Duration;

use proptest::prelude::*;
use rig::{Rig, Vp8};
use salon_rtp::rtcp::{Nack, Pli, ReceiverReport, Remb, ReportBlock, SenderInfo};
use salon_rtp::{Bitrate, MediaKind, NtpTime, RtpTime, SeqNo, Ssrc};
use salon_sfu::{Config, Constraint, ParticipantId, SlotId, Source, TrackId, View};

/// Somebody in the room, as the test knows him.
struct Person {
    id: ParticipantId,
    connected: bool,
    microphone: Option<(TrackId, u32, u64)>,
    cameras: Vec<(TrackId, Vec<Vp8>)>,
    slots: Vec<SlotId>,
    /// Packets held back, to come late or twice.
    held: Vec<Vec<u8>>,
}

struct World {
    rig: Rig,
    people: Vec<Person>,
    next_ssrc: u32,
}

type Step = (u8, u16, u16, u32);

impl World {
    fn new() -> Self {
        let rig = Rig::with(Config { participants: 6, ..Config::default() });
        Self { rig, people: Vec::new(), next_ssrc: 100_000 }
    }

    fn ssrc(&mut self) -> u32 {
        self.next_ssrc += 10;
        self.next_ssrc
    }

    fn step(&mut self, (kind, who, what, how): Step) {
        let n = self.people.len();
        let who = usize::from(who) % n.max(1);
        match kind % 32 {
            0 | 1 => self.join(),
            _ if n == 0 => {}
            2 => self.leave(who),
            3 => self.connect(who, what % 2 == 0),
            4..=6 => self.publish(who, what),
            7 => self.unpublish(who, what),
            8..=10 => self.subscribe(who, what),
            11 => self.unsubscribe(who, what),
            12 | 13 => self.constrain(who, what, how),
            14 => self.mute(who, what, how % 2 == 0),
            15..=19 => self.picture(who, what, how),
            20..=23 => self.voice(who, how),
            24 => self.late(who, what),
            25 | 26 => self.report(who, what, how),
            27 => self.noise(who, what, how),
            28 => self.rig.nibble(usize::from(what % 10), how % 7 == 0),
            29 | 30 => self.rig.pass(Duration::from_millis(u64::from(what % 50))),
            _ => self.rig.pass(Duration::from_millis(u64::from(what) / 8)),
        }
        self.rig.check();
    }

    fn join(&mut self) {
        if let Ok(id) = self.rig.room.join(self.rig.now) {
            self.rig.room.connected(self.rig.now, id, true).unwrap();
            let person = Person {
                id,
                connected: true,
                microphone: None,
                cameras: Vec::new(),
                slots: Vec::new(),
                held: Vec::new(),
            };
            self.people.push(person);
        } else {
            assert_eq!(self.people.len(), 6);
        }
    }

    fn leave(&mut self, who: usize) {
        let person = self.people.swap_remove(who);
        self.rig.room.leave(self.rig.now, person.id).unwrap();
        assert!(self.rig.room.leave(self.rig.now, person.id).is_err());
    }

    fn connect(&mut self, who: usize, is: bool) {
        self.people[who].connected = is;
        self.rig.room.connected(self.rig.now, self.people[who].id, is).unwrap();
    }

    fn publish(&mut self, who: usize, what: u16) {
        let ssrc = self.ssrc();
        let id = self.people[who].id;
        let person = &mut self.people[who];
        match what % 3 {
            0 if person.microphone.is_none() => {
                person.microphone = Some((self.rig.microphone(id, ssrc), ssrc, 0));
            }
            1 if person.cameras.is_empty() => {
                let track = self.rig.camera(id, ssrc, Source::Screen);
                person.cameras.push((track, vec![Vp8::new(ssrc, 720)]));
            }
            2 if person.cameras.iter().all(|c| c.1.len() == 1) => {
                let track = self.rig.simulcast(id, &["l", "h"]);
                let mut layers = vec![Vp8::new(ssrc, 180), Vp8::new(ssrc + 1, 720)];
                for (layer, rid) in layers.iter_mut().zip(["l", "h"]) {
                    (layer.mid, layer.rid) = (Some("camera"), Some(rid));
                }
                person.cameras.push((track, layers));
            }
            _ => {}
        }
    }

    fn unpublish(&mut self, who: usize, what: u16) {
        let person = &mut self.people[who];
        let track = match person.cameras.len() {
            0 => person.microphone.take().map(|m| m.0),
            n => Some(person.cameras.remove(usize::from(what) % n).0),
        };
        if let Some(track) = track {
            self.rig.room.unpublish(self.rig.now, person.id, track).unwrap();
            assert!(self.rig.room.unpublish(self.rig.now, person.id, track).is_err());
        }
    }

    fn subscribe(&mut self, who: usize, what: u16) {
        if self.people[who].slots.len() < 6 {
            let kind = if what % 2 == 0 { MediaKind::Audio } else { MediaKind::Video };
            let slot = self.rig.slot(self.people[who].id, kind, "7");
            self.people[who].slots.push(slot);
        }
    }

    fn unsubscribe(&mut self, who: usize, what: u16) {
        let person = &mut self.people[who];
        if !person.slots.is_empty() {
            let slot = person.slots.remove(usize::from(what) % person.slots.len());
            self.rig.room.unsubscribe(self.rig.now, person.id, slot).unwrap();
        }
    }

    fn constrain(&mut self, who: usize, what: u16, how: u32) {
        let other = &self.people[how as usize % self.people.len()];
        let view = match (what % 3, other.cameras.first()) {
            (1, Some(camera)) => View::Track(camera.0),
            (2, _) => View::Participant(other.id),
            _ => View::Auto,
        };
        let person = &self.people[who];
        if let Some(&slot) = person.slots.get(usize::from(what / 3) % person.slots.len().max(1)) {
            let height = [0, 180, 360, 720][(how >> 8) as usize % 4];
            self.rig.room.constrain(self.rig.now, person.id, slot, Constraint { view, height }).unwrap();
        }
    }

    fn mute(&mut self, who: usize, what: u16, muted: bool) {
        let person = &self.people[who];
        let track = match person.cameras.get(usize::from(what) % 4) {
            Some(camera) => Some(camera.0),
            None => person.microphone.map(|m| m.0),
        };
        if let Some(track) = track {
            self.rig.room.set_muted(self.rig.now, person.id, track, muted).unwrap();
        }
    }

    fn picture(&mut self, who: usize, what: u16, how: u32) {
        let person = &mut self.people[who];
        let n = person.cameras.len();
        let Some((_, layers)) = person.cameras.get_mut(usize::from(what) % n.max(1)) else { return };
        let key = how % 5 == 0;
        if how % 97 == 0 {
            // The source restarts, or loses a great deal.
            for layer in layers.iter_mut() {
                layer.seq = u64::from(how >> 3 & 0xffff);
                layer.ts = how;
            }
        }
        let packets: Vec<_> =
            layers.iter_mut().flat_map(|l| l.frame(key, 1 + (how >> 4) as usize % 4)).collect();
        for (i, packet) in packets.into_iter().enumerate() {
            match how.rotate_right(i as u32) >> 20 & 15 {
                0 => {}
                1 => person.held.push(packet),
                2 => {
                    self.rig.rtp(person.id, &packet);
                    self.rig.rtp(person.id, &packet);
                }
                _ => {
                    self.rig.rtp(person.id, &packet);
                }
            }
        }
    }

    fn voice(&mut self, who: usize, how: u32) {
        let person = &mut self.people[who];
        let Some((_, ssrc, n)) = &mut person.microphone else { return };
        for _ in 0..1 + how % 5 {
            *n += 1;
            let packet = self.rig.voice(*n, *ssrc, (how >> 3 & 127) as u8);
            self.rig.rtp(person.id, &packet);
        }
    }

    fn late(&mut self, who: usize, what: u16) {
        let person = &mut self.people[who];
        if !person.held.is_empty() {
            let packet = person.held.remove(usize::from(what) % person.held.len());
            self.rig.rtp(person.id, &packet);
        }
    }

    fn report(&mut self, who: usize, what: u16, how: u32) {
        let person = &self.people[who];
        let slot = person.slots.get(usize::from(what) % person.slots.len().max(1));
        let media = slot.and_then(|&s| self.rig.room.streams(s)).map_or(Ssrc(how), |s| s.ssrc);
        let newest = self.rig.out.iter().rev().find(|p| p.ssrc == media).map_or(SeqNo(0), |p| p.index);
        let id = person.id;
        let publisher = person.cameras.first().map_or(Ssrc(1), |c| Ssrc(c.1[0].ssrc));
        self.rig.rtcp(id, |out| match what % 5 {
            0 => Pli { sender: Ssrc(1), media }.write(out).unwrap(),
            1 => {
                let from = newest.0.saturating_sub(u64::from(how % 30));
                Nack::write(Ssrc(1), media, (from..from + 20).map(SeqNo), out).unwrap();
            }
            2 => Remb::write(Ssrc(1), Bitrate::from_bps(u64::from(how)), &[], out).unwrap(),
            3 => {
                let block = ReportBlock {
                    ssrc: media,
                    fraction_lost: how as u8,
                    cumulative_lost: (how >> 8) as i32 & 0xffff,
                    highest: newest.0 as u32,
                    jitter: how,
                    last_report: how,
                    delay: how >> 16,
                };
                ReceiverReport::write(Ssrc(1), &[block], out).unwrap();
            }
            _ => SenderInfo {
                ssrc: publisher,
                ntp: NtpTime(u64::from(how) << 29),
                timestamp: RtpTime(how),
                packets: 0,
                octets: 0,
            }
            .write(&[], out)
            .unwrap(),
        });
    }

    fn noise(&mut self, who: usize, what: u16, how: u32) {
        let bytes: Vec<u8> =
            (0..what % 64).map(|i| how.rotate_left(u32::from(i) * 7) as u8 ^ i as u8).collect();
        let mut packet = bytes.clone();
        if let Some(first) = packet.first_mut() {
            *first = 0x80 | *first & 0x3f;
        }
        self.rig.rtp(self.people[who].id, &packet);
        self.rig.room.handle_rtcp(self.rig.now, self.people[who].id, &packet);
        self.rig.room.handle_rtcp(self.rig.now, self.people[who].id, &bytes);
    }

    /// Nothing was sent to where it does not belong.
    fn audit(&mut self) {
        for p in self.rig.take() {
            assert_ne!(p.csrc, Some(p.to.csrc()), "somebody gets himself");
        }
        self.rig.take_events();
    }
}

/// A gate's worth of cases; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|v| v.parse().ok()).unwrap_or(200);
    ProptestConfig { cases, max_shrink_iters: 50_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_comes_the_room_holds(steps in prop::collection::vec(any::<Step>(), 1..400)) {
        let mut world = World::new();
        for _ in 0..3 {
            world.join();
        }
        for (i, step) in steps.into_iter().enumerate() {
            world.step(step);
            if i % 20 == 0 {
                world.audit();
            }
        }
        world.audit();
        // Everybody leaves, and nothing stays behind.
        while !world.people.is_empty() {
            world.leave(0);
            world.rig.check();
        }
        world.rig.pass(Duration::from_secs(40));
        prop_assert_eq!(world.rig.room.poll_timeout(), None);
        prop_assert!(world.rig.room.poll_transmit(world.rig.now).is_none());
    }
}
