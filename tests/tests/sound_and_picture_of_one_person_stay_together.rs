//! Publishers' clocks are hours apart and drift; the floor changes a hundred times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_rtp::{Bitrate, Time};
use salon_sim::{LinkConfig, Rng, WallClock};
use salon_tests::{Figures, Guest, Rig, camera};
use std::collections::BTreeMap;

#[test]
fn the_skew_is_within_twenty_milliseconds_over_a_hundred_speakers() {
    let mut rig = Rig::new(51);
    rig.checking = false;
    let mut rng = Rng::new(51);
    let clocks = [(-3_600, -120), (3_600, 150), (-1_234, 80), (2_345, -60), (17, 200)];
    let speakers: Vec<_> = clocks
        .iter()
        .map(|&(off, drift_ppm)| {
            let link = LinkConfig {
                delay: Duration::from_millis(rng.between(10, 60)),
                jitter: Duration::from_millis(rng.between(0, 25)),
                ..LinkConfig::default()
            };
            rig.admit(Guest {
                clock: WallClock { drift_ppm, ..WallClock::off_by(off) },
                microphone: true,
                cameras: vec![camera(180, Bitrate::from_kbps(120), 15)],
                up: link,
                down: link,
                ears: 0,
                ..Guest::default()
            })
        })
        .collect();
    // One sees whoever has the floor, and hears three.
    let eye = rig.admit(Guest { ears: 3, eyes: 1, height: 180, ..Guest::default() });
    rig.run(Duration::from_secs(3));
    let mut skews = Figures::default();
    let mut sound: BTreeMap<u32, (Time, f64)> = BTreeMap::new();
    let (mut last, mut worst) = (usize::MAX, (0.0f64, 0));
    let mut turn = 0;
    while rig.floor.1 < 105 {
        turn += 1;
        assert!(turn < 300, "the floor does not change: {:?}", rig.floor);
        let who = loop {
            let who = *rng.pick(&speakers).unwrap();
            if who != last {
                break who;
            }
        };
        last = who;
        let from = rig.now.plus(Duration::from_millis(rng.between(100, 600)));
        let until = from.plus(Duration::from_millis(rng.between(1_800, 2_800)));
        rig.people[who].peer.voice.as_mut().unwrap().talk(from..until);
        while rig.now < until {
            rig.tick();
            let peer = &mut rig.people[eye].peer;
            for (_, ear) in &mut peer.ears {
                while let Some(heard) = ear.pop() {
                    // The moment of capture by the reports of the slot, and by the simulation's own clock.
                    if let Some(moment) = ear.line().moment(heard.timestamp) {
                        let off = moment as f64 - heard.tag.captured.as_micros() as f64;
                        sound.insert(heard.tag.source / 100, (heard.tag.captured, off));
                    }
                }
            }
            let line = peer.eyes[0].line();
            while let Some(seen) = peer.eyes[0].decoder().pop() {
                let Some(moment) = line.moment(seen.timestamp) else { continue };
                let off = moment as f64 - seen.tag.captured.as_micros() as f64;
                let Some(&(at, heard)) = sound.get(&(seen.tag.source / 100)) else { continue };
                let apart = seen.tag.captured.since(at).max(at.since(seen.tag.captured));
                if apart < Duration::from_millis(100) {
                    let skew = (off - heard) / 1_000.0;
                    skews.push(skew.abs());
                    if skew.abs() > worst.0 {
                        worst = (skew.abs(), rig.floor.1);
                    }
                }
            }
        }
    }
    println!(
        "show 4: {} changes of the floor, clocks up to an hour off and 200 ppm apart: skew of sound and picture in ms: {skews}",
        rig.floor.1
    );
    assert!(skews.len() > 1_000);
    assert!(skews.worst() <= 20.0, "{skews}, worst after change {}", worst.1);
    assert_eq!(rig.people[eye].peer.eyes[0].finish().broken_law(), None);
}
