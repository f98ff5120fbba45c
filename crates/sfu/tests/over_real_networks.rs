//! Whole rooms over links that lose, delay and choke.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod hall;

use std::time::Duration;

use hall::{Hall, narrow};
use salon_rtp::Time;
use salon_sfu::{Constraint, Source, View};
use salon_sim::{LinkConfig, TemporalLayers, WallClock};

#[test]
fn a_twentieth_lost_each_way_is_repaired() {
    for seed in 1..=3 {
        let mut hall = Hall::new(seed);
        // 80 ms round trip in all, 30 ms of jitter, 5 % loss, each way.
        let bad = LinkConfig {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(30),
            loss: 0.05,
            ..LinkConfig::default()
        };
        let ada = hall.join(WallClock::off_by(600), bad, bad);
        hall.camera(ada, 1, TemporalLayers::L1T1, Source::Camera);
        let grace = hall.join(WallClock::RIGHT, bad, bad);
        hall.eye(grace, Duration::from_millis(80));
        hall.run(Duration::from_secs(60));
        let upstream = hall.guests[ada].peer.cameras[0].counts();
        let down = hall.guests[grace].peer.down.counts();
        let g = &mut hall.guests[grace];
        let (media, rtx) = (g.media_bytes, g.rtx_bytes);
        let lost = media as f64 * down.lost as f64 / down.pushed as f64;
        let eye = &mut g.peer.eyes[0];
        let report = eye.finish();
        println!("seed {seed}: {report:?} {:?} upstream {upstream:?} media {media} rtx {rtx}", eye.counts());
        assert_eq!(report.broken_law(), None);
        let missing = report.stream.holes as f64 / (report.stream.packets + report.stream.holes) as f64;
        assert!(missing < 0.001, "seed {seed}: {missing}");
        assert!((rtx as f64) < 1.5 * lost, "seed {seed}: {rtx} for {lost}");
        assert!(report.decoded as f64 > 0.98 * upstream.frames as f64, "seed {seed}");
        hall.room.check().unwrap();
    }
}

#[test]
fn a_link_that_chokes_keeps_its_sound() {
    let mut hall = Hall::new(7);
    let ada = hall.join(WallClock::RIGHT, LinkConfig::default(), LinkConfig::default());
    hall.camera(ada, 3, TemporalLayers::L1T3, Source::Camera);
    let voice = hall.microphone(ada);
    let end = Time::from_millis(1_000_000);
    hall.guests[ada].peer.voice.as_mut().unwrap().talk(hall.now..end);
    let grace = hall.join(WallClock::RIGHT, LinkConfig::default(), LinkConfig::default());
    hall.ear(grace);
    let slot = hall.eye(grace, Duration::from_millis(40));
    let id = hall.guests[grace].id;
    hall.room.constrain(hall.now, id, slot, Constraint { view: View::Auto, height: 720 }).unwrap();
    // Without an estimate of the receiver's: loss alone must do.
    hall.run(Duration::from_secs(15));
    hall.guests[grace].peer.down.configure(narrow(200));
    hall.run(Duration::from_secs(6));
    while hall.guests[grace].peer.ears[0].1.pop().is_some() {}
    hall.run(Duration::from_secs(60));
    let ear = &mut hall.guests[grace].peer.ears[0].1;
    let heard: Vec<_> = std::iter::from_fn(|| ear.pop()).collect();
    let frames: Vec<_> = heard.iter().filter(|h| h.tag.source == voice).map(|h| h.tag.frame).collect();
    let span = frames.last().unwrap() - frames[0] + 1;
    println!("{} of {span} packets of sound", frames.len());
    assert!(span as usize - frames.len() <= span as usize / 100, "{} of {span}", frames.len());
    let report = hall.guests[grace].peer.eyes[0].finish();
    assert_eq!(report.broken_law(), None, "{report:?}");
}

#[test]
fn sound_and_picture_of_one_person_stay_together() {
    let mut hall = Hall::new(11);
    let mut people = Vec::new();
    for hours in [-1, 0, 1] {
        let clock = WallClock { drift_ppm: 60 * hours as i32, ..WallClock::off_by(3_600 * hours) };
        let p = hall.join(clock, LinkConfig::default(), LinkConfig::default());
        let voice = hall.microphone(p);
        let camera = hall.camera(p, 1, TemporalLayers::L1T1, Source::Camera);
        people.push((p, voice, camera));
    }
    let viewer = hall.join(WallClock::RIGHT, LinkConfig::default(), LinkConfig::default());
    hall.ear(viewer);
    hall.eye(viewer, Duration::from_millis(40));
    let mut worst = 0;
    let mut compared = 0;
    for change in 0..100 {
        let (p, ..) = people[change % 3];
        let turn = Duration::from_millis(1_500);
        let now = hall.now;
        hall.guests[p].peer.voice.as_mut().unwrap().talk(now..now.plus(turn - Duration::from_millis(100)));
        hall.run(turn);
        let peer = &mut hall.guests[viewer].peer;
        let (ear, eye) = (&mut peer.ears[0].1, &mut peer.eyes[0]);
        let (sound, picture) = (ear.line(), eye.line());
        let heard: Vec<_> = std::iter::from_fn(|| ear.pop()).collect();
        let seen: Vec<_> = std::iter::from_fn(|| eye.decoder().pop()).collect();
        for s in &seen {
            let Some(&(_, voice, _)) = people.iter().find(|x| x.2 == s.tag.source) else { continue };
            for h in heard.iter().filter(|h| h.tag.source == voice) {
                let (Some(a), Some(b)) = (sound.moment(h.timestamp), picture.moment(s.timestamp)) else {
                    continue;
                };
                let truth = h.tag.captured.as_micros() as i64 - s.tag.captured.as_micros() as i64;
                // Reports begin after some hundred milliseconds of a call; before, arrival must do.
                if change > 6 {
                    compared += 1;
                    worst = worst.max((a - b - truth).abs());
                }
            }
        }
    }
    println!("{compared} pairs, worst {worst} µs");
    assert!(compared > 1_000);
    assert!(worst <= 20_000, "{worst}");
    let peer = &mut hall.guests[viewer].peer;
    assert_eq!(peer.eyes[0].finish().broken_law(), None);
    let stream = peer.ears[0].1.finish();
    assert_eq!((stream.conflicts, stream.backwards, stream.jumps), (0, 0, 0));
}
