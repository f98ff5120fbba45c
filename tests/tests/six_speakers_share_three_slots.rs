//! Who begins to speak is heard at once, whoever spoke before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_sim::Rng;
use salon_tests::{Figures, Guest, Rig};

const TURNS: usize = 60;

/// Turns of six people, each from when to when; what of each turn's start one more person did not hear.
fn lost(seed: u64, pause: (u64, u64), levels: bool) -> Figures {
    let mut rig = Rig::new(seed);
    rig.checking = false;
    let mut rng = Rng::new(seed);
    let speakers: Vec<_> =
        (0..6).map(|_| rig.admit(Guest { microphone: true, no_dtx: !levels, ..Guest::default() })).collect();
    let ear = rig.admit(Guest { noted: true, ..Guest::default() });
    rig.run(Duration::from_secs(2));
    let mut turns = Vec::new();
    let mut last = 0;
    for _ in 0..TURNS {
        let who = loop {
            let who = *rng.pick(&speakers).unwrap();
            if who != last {
                break who;
            }
        };
        last = who;
        let from = rig.now.plus(Duration::from_millis(rng.between(pause.0, pause.1)));
        let until = from.plus(Duration::from_millis(rng.between(1_500, 3_000)));
        rig.people[who].peer.voice.as_mut().unwrap().talk(from..until);
        turns.push((who, from, until));
        rig.run_until(until);
    }
    rig.run(Duration::from_secs(1));
    let mut figures = Figures::default();
    for (who, from, until) in turns {
        let source = rig.people[who].uploads[0].source;
        // A packet with the talk's first frame, captured at its start, loses nothing.
        let heard = rig.people[ear]
            .arrivals
            .iter()
            .filter(|a| a.tag.source == source && a.tag.captured >= from && a.tag.captured < until);
        let first = heard.map(|a| a.tag.captured).min().expect("somebody was never heard");
        let whole = Duration::from_millis(20);
        figures.push(first.since(from).saturating_sub(whole).as_secs_f64() * 1_000.0);
    }
    figures
}

#[test]
fn the_start_of_a_turn_is_not_lost() {
    let after_pauses = lost(41, (100, 900), true);
    println!("show 4: six speakers, three slots: lost at the start of a turn, in ms: {after_pauses}");
    assert!(after_pauses.median() <= 60.0, "{after_pauses}");
    let at_once = lost(42, (0, 40), true);
    println!("show 4: the same without pauses between turns, in ms: {at_once}");
    assert!(at_once.median() <= 60.0, "{at_once}");
}
