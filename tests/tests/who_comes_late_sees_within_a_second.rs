//! Coming late, falling silent, coming back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_rtp::{Bitrate, MediaKind};
use salon_sfu::EmptyReason;
use salon_sim::LinkConfig;
use salon_tests::{Figures, Guest, Rig, camera, simulcast};

fn far() -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(40), ..LinkConfig::default() }
}

fn publisher() -> Guest {
    Guest {
        microphone: true,
        cameras: vec![camera(360, Bitrate::from_kbps(500), 25)],
        up: far(),
        down: far(),
        ..Guest::default()
    }
}

#[test]
fn a_late_joiner_has_a_key_frame_within_a_second() {
    let mut rig = Rig::new(31);
    let ada = rig.admit(publisher());
    rig.run(Duration::from_secs(10));
    let mut figures = Figures::default();
    for n in 0..20 {
        let late = rig.admit(Guest { eyes: 1, up: far(), down: far(), ..Guest::default() });
        let took = rig.run_while(Duration::from_secs(3), |rig| {
            rig.people[late].peer.eyes[0].decoder().last_decoded().is_none()
        });
        figures.push(took.unwrap().as_secs_f64() * 1_000.0);
        rig.run(Duration::from_millis(137 + 97 * n));
    }
    println!("show 3: late joiner's first frame at 80 ms round trip, in ms: {figures}");
    assert!(figures.worst() <= 1_000.0);
    // All at once cost the publisher no more than one every 200 ms.
    let before = rig.people[ada].peer.cameras[0].counts().key_requests;
    let crowd: Vec<_> =
        (0..30).map(|_| rig.admit(Guest { eyes: 1, up: far(), down: far(), ..Guest::default() })).collect();
    rig.run(Duration::from_secs(1));
    for who in crowd {
        assert!(rig.people[who].peer.eyes[0].decoder().last_decoded().is_some());
    }
    let asked = rig.people[ada].peer.cameras[0].counts().key_requests - before;
    println!("show 3: 30 join at once: {asked} key frames asked");
    assert!(asked <= 2, "{asked}");
}

#[test]
fn a_late_joiner_of_a_simulcast_has_a_key_frame_within_a_second() {
    let mut figures = Figures::default();
    for height in [90, 180, 360, 720] {
        let mut rig = Rig::new(u64::from(height));
        let guest = Guest { cameras: vec![simulcast()], declared: false, ..publisher() };
        rig.admit(guest);
        rig.run(Duration::from_secs(10));
        // Nobody watched: what the publisher sends was switched off.
        let late = rig.admit(Guest { eyes: 1, height, up: far(), down: far(), ..Guest::default() });
        let took = rig.run_while(Duration::from_secs(5), |rig| {
            rig.people[late].peer.eyes[0].decoder().last_decoded().is_none()
        });
        figures.push(took.unwrap().as_secs_f64() * 1_000.0);
        rig.run(Duration::from_secs(6));
        let shown = rig
            .report()
            .participants
            .iter()
            .flat_map(|p| &p.slots)
            .find(|s| s.kind == MediaKind::Video)
            .and_then(|s| s.encoding);
        assert_eq!(
            shown,
            Some(match height {
                90 | 180 => 0,
                360 => 1,
                _ => 2,
            }),
            "{height}"
        );
    }
    println!("show 3: late joiner's first frame of a sleeping simulcast, in ms: {figures}");
    assert!(figures.worst() <= 1_000.0);
}

#[test]
fn the_slots_of_who_falls_silent_are_free_at_once() {
    let mut rig = Rig::new(33);
    let ada = rig.admit(publisher());
    let bob = rig.admit(publisher());
    let eve = rig.admit(Guest { ears: 1, eyes: 1, ..publisher() });
    rig.run(Duration::from_secs(3));
    let slots: Vec<_> = rig.people[eve].slots.iter().map(|s| s.slot).collect();
    let shows = |rig: &Rig, at: usize| rig.slots.get(&slots[at]).copied().unwrap_or_default();
    let owner = |rig: &Rig, at: usize| shows(rig, at).0.and_then(|t| rig.owner(t));
    assert_eq!(owner(&rig, 1), Some(ada));
    rig.connect(ada, false);
    rig.tick();
    // The other one is there at once.
    assert_eq!((owner(&rig, 0), owner(&rig, 1)), (Some(bob), Some(bob)));
    rig.connect(bob, false);
    rig.tick();
    assert_eq!(shows(&rig, 0), (None, Some(EmptyReason::NothingToShow)));
    assert_eq!(shows(&rig, 1), (None, Some(EmptyReason::NothingToShow)));
    // Nothing is queued for who has no path, and nothing of it goes on.
    rig.run(Duration::from_secs(2));
    let sent = rig.ledger.totals;
    rig.run(Duration::from_secs(5));
    assert_eq!(rig.ledger.totals.media, sent.media);
    // Back, it is seen again within a second.
    rig.connect(ada, true);
    let since = rig.now;
    let seen =
        |rig: &mut Rig| rig.people[eve].peer.eyes[0].decoder().last_decoded().is_some_and(|t| t > since);
    let took = rig.run_while(Duration::from_secs(3), |rig| !seen(rig)).unwrap();
    println!("show 3: the picture of who came back is there after {} ms", took.as_millis());
    assert!(took <= Duration::from_secs(1));
    assert_eq!(rig.people[eve].peer.eyes[0].finish().broken_law(), None);
}
