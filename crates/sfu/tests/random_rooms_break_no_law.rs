//! Random steps: people come and go, views change, tracks are muted, sources restart, links turn bad and good again; model decoders
//! judge each stream that comes out. `SALON_STEPS` (milliseconds of simulation) and `SALON_SEED` ask for more.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod hall;

use std::time::Duration;

use hall::Hall;
use salon_rtp::Bitrate;
use salon_sfu::{Constraint, Source, View};
use salon_sim::{DecoderReport, LinkConfig, Rng, TemporalLayers, WallClock};

fn env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn link(rng: &mut Rng) -> LinkConfig {
    let chance = |rng: &mut Rng, n: u64| rng.below(n) == 0;
    LinkConfig {
        delay: Duration::from_millis(5 + rng.below(60)),
        jitter: Duration::from_millis(rng.below(30)),
        loss: if chance(rng, 2) { 0.0 } else { rng.below(8) as f64 / 100.0 },
        duplicate: if chance(rng, 3) { 0.02 } else { 0.0 },
        reorder: if chance(rng, 3) { 0.03 } else { 0.0 },
        rate: chance(rng, 5).then(|| Bitrate::from_kbps(200 + rng.below(2_000))),
        ..LinkConfig::default()
    }
}

struct Walk {
    hall: Hall,
    rng: Rng,
    decoded: u64,
    streams: u64,
}

impl Walk {
    fn step(&mut self) {
        let n = self.hall.guests.len() as u64;
        let who = self.rng.below(n.max(1)) as usize;
        match self.rng.below(2_000) {
            0..=3 if n < 6 => self.come(),
            4 | 5 if n > 2 => self.go(who),
            6..=13 if n > 0 => self.view(who),
            14..=16 if n > 0 => self.mute(who),
            17..=20 if n > 0 => {
                let (up, down) = (link(&mut self.rng), link(&mut self.rng));
                let peer = &mut self.hall.guests[who].peer;
                peer.up.configure(up);
                peer.down.configure(down);
            }
            21..=23 if n > 0 => {
                for camera in &mut self.hall.guests[who].peer.cameras {
                    camera.restart();
                }
            }
            24..=40 if n > 0 => {
                let during =
                    self.hall.now..self.hall.now.plus(Duration::from_millis(200 + self.rng.below(4_000)));
                if let Some(voice) = &mut self.hall.guests[who].peer.voice {
                    if !voice.is_talking(self.hall.now) {
                        voice.talk(during);
                    }
                }
            }
            41 if n > 0 => {
                let id = self.hall.guests[who].id;
                self.hall.room.connected(self.hall.now, id, false).unwrap();
                self.hall.room.check().unwrap();
                self.hall.room.connected(self.hall.now, id, true).unwrap();
            }
            _ => {}
        }
        self.hall.step();
    }

    fn come(&mut self) {
        let clock = WallClock {
            drift_ppm: self.rng.below(200) as i32 - 100,
            ..WallClock::off_by(self.rng.below(7_200) as i64 - 3_600)
        };
        let (up, down) = (link(&mut self.rng), link(&mut self.rng));
        let guest = self.hall.join(clock, up, down);
        self.hall.microphone(guest);
        let layers = if self.rng.below(2) == 0 { TemporalLayers::L1T1 } else { TemporalLayers::L1T3 };
        let encodings = if self.rng.below(2) == 0 { 1 } else { 3 };
        self.hall.camera(guest, encodings, layers, Source::Camera);
        if self.rng.below(3) == 0 {
            self.hall.camera(guest, 1, TemporalLayers::L1T1, Source::Screen);
        }
        for _ in 0..1 + self.rng.below(3) {
            self.hall.ear(guest);
        }
        for _ in 0..1 + self.rng.below(3) {
            self.hall.eye(guest, Duration::from_millis(100));
        }
    }

    fn go(&mut self, who: usize) {
        let mut guest = self.hall.leave(who);
        self.judge(&mut guest);
    }

    fn judge(&mut self, guest: &mut hall::Guest) {
        for eye in &mut guest.peer.eyes {
            let media = eye.config().media;
            let sent = self.hall.witnesses.remove(&media).unwrap().finish();
            // A source that restarts less than 3,000 numbers ahead looks like one that lost as many.
            let lawful = |mut report: DecoderReport| {
                report.stream.jumps = 0;
                report.broken_law()
            };
            assert_eq!(lawful(sent), None, "{sent:?}");
            // The first key frame may have been lost on the way, all of it.
            let report = DecoderReport { keyless: 0, ..eye.finish() };
            assert_eq!(lawful(report), None, "{report:?}");
            self.decoded += report.decoded;
            self.streams += 1;
        }
        for (_, ear) in &mut guest.peer.ears {
            let stream = ear.finish();
            assert_eq!((stream.conflicts, stream.backwards, stream.jumps), (0, 0, 0), "{stream:?}");
        }
    }

    fn view(&mut self, who: usize) {
        let others: Vec<_> = self.hall.guests.iter().map(|g| (g.id, g.cameras.clone())).collect();
        let other = &others[self.rng.below(others.len() as u64) as usize];
        let view = match self.rng.below(3) {
            0 => View::Track(other.1[0]),
            1 => View::Participant(other.0),
            _ => View::Auto,
        };
        let g = &self.hall.guests[who];
        let slot = g.eyes[self.rng.below(g.eyes.len() as u64) as usize];
        let height = [0, 90, 180, 360, 720, 1080][self.rng.below(6) as usize];
        self.hall.room.constrain(self.hall.now, g.id, slot, Constraint { view, height }).unwrap();
    }

    fn mute(&mut self, who: usize) {
        let g = &self.hall.guests[who];
        let track = if self.rng.below(2) == 0 { g.microphone.unwrap() } else { g.cameras[0] };
        let muted = self.rng.below(2) == 0;
        self.hall.room.set_muted(self.hall.now, g.id, track, muted).unwrap();
    }
}

#[test]
fn random_rooms_break_no_law() {
    let steps = env("SALON_STEPS").unwrap_or(100_000);
    let seed = env("SALON_SEED").unwrap_or(1);
    println!("SALON_SEED={seed} SALON_STEPS={steps}");
    let mut hall = Hall::new(seed);
    hall.check_every = 20;
    let mut walk = Walk { hall, rng: Rng::new(seed), decoded: 0, streams: 0 };
    for _ in 0..3 {
        walk.come();
    }
    for _ in 0..steps {
        walk.step();
    }
    while !walk.hall.guests.is_empty() {
        walk.go(0);
        walk.hall.room.check().unwrap();
    }
    let counters = walk.hall.room.counters();
    println!("{} frames in {} streams; {counters:?}", walk.decoded, walk.streams);
    assert!(walk.decoded > steps / 100);
}
