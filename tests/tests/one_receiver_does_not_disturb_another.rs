//! What one receiver gets is the same bytes, whatever another does; and each packet goes to each viewer or is skipped by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_rtp::rtcp::{Nack, Pli, Remb};
use salon_rtp::{Bitrate, Egress, SeqNo, Ssrc, Time};
use salon_sfu::{EgressDrop, View};
use salon_sim::{Datagram, Rng};
use salon_simulcast::SkipReason;
use salon_tests::{Guest, Rig, simulcast};

/// A publisher's ten seconds, the same each time: what one viewer gets of them, with another in the room or without.
fn what_bob_gets(with_eve: bool) -> Vec<(Time, Vec<u8>)> {
    let mut rig = Rig::new(17);
    rig.obedient = false;
    let ada = rig.admit(Guest {
        microphone: true,
        no_dtx: true,
        cameras: vec![simulcast()],
        declared: false,
        ..Guest::default()
    });
    let bob = rig.admit(Guest { eyes: 1, height: 360, ..Guest::default() });
    rig.run(Duration::from_secs(3));
    let (mut peer, start) = (rig.people[ada].peer.clone(), rig.now);
    let eve = with_eve.then(|| rig.admit(Guest { eyes: 3, height: 720, ..Guest::default() }));
    let (mut rng, mut got) = (Rng::new(18), Vec::new());
    let (from, to) = (rig.people[ada].id, rig.people[bob].id);
    for ms in 1..10_000 {
        rig.now = start.plus(Duration::from_millis(ms));
        let now = rig.now;
        peer.poll(now);
        // Key frames come when they come: nobody's request reaches this publisher.
        if ms % 1_500 == 0 {
            (0..3).for_each(|i| {
                peer.cameras[0].set_active(i, false);
                peer.cameras[0].set_active(i, true);
            });
        }
        while let Some(datagram) = peer.uplink(now) {
            rig.call(|room, now| match &datagram {
                Datagram::Rtp(b) => room.handle_rtp(now, from, b),
                Datagram::Rtcp(b) => room.handle_rtcp(now, from, b),
            });
        }
        if let Some(eve) = eve {
            disturb(&mut rig, &mut rng, eve);
        }
        rig.call(|room, now| room.handle_timeout(now));
        while let Some(mut burst) = rig.room.poll_transmit(now) {
            let bobs = burst.to() == to;
            while let Some(egress) = burst.next() {
                let bytes = match egress {
                    Egress::Rtcp(b) => b.to_vec(),
                    Egress::Rtp(p) => {
                        let head = p.header_len();
                        let mut out = vec![0; head + p.body_len()];
                        p.write_header(&mut out).unwrap();
                        p.write_body(&mut out[head..]).unwrap();
                        out
                    }
                };
                if bobs {
                    got.push((now, bytes));
                }
            }
        }
    }
    got
}

/// Asks for everything, pauses, resumes, vanishes and comes back.
fn disturb(rig: &mut Rig, rng: &mut Rng, eve: usize) {
    let slots: Vec<_> = rig.people[eve].video().copied().collect();
    let (slot, id) = (*rng.pick(&slots).unwrap(), rig.people[eve].id);
    let mut out = Vec::new();
    match rng.below(200) {
        0 => rig.constrain(eve, slot.slot, View::Auto, [0, 180, 720][rng.below(3) as usize]),
        1 => {
            let is = !rig.people[eve].connected;
            rig.connect(eve, is);
        }
        2..20 => {
            let first = rng.below(0xf000);
            let seqs: Vec<_> = (0..50).map(|i| SeqNo(first + 3 * i)).collect();
            Nack::write(Ssrc(1), slot.streams.ssrc, seqs.iter().copied(), &mut out).unwrap();
        }
        20..25 => Pli { sender: Ssrc(1), media: slot.streams.ssrc }.write(&mut out).unwrap(),
        25..27 => Remb::write(Ssrc(1), Bitrate::from_kbps(rng.below(900)), &[], &mut out).unwrap(),
        _ => {}
    }
    if !out.is_empty() && rig.people[eve].connected {
        rig.call(|room, now| room.handle_rtcp(now, id, &out));
    }
}

#[test]
fn what_one_gets_is_the_same_with_and_without_another() {
    let (alone, together) = (what_bob_gets(false), what_bob_gets(true));
    println!("law 10: {} datagrams, the same with another receiver and without", alone.len());
    assert!(alone.len() > 1_000);
    assert!(alone == together, "they differ");
}

#[test]
fn each_packet_goes_to_each_viewer_or_is_skipped_by_one_name() {
    let mut rig = Rig::new(19);
    let ada = rig.admit(Guest {
        microphone: true,
        cameras: vec![simulcast()],
        declared: false,
        ..Guest::default()
    });
    for height in [90, 180, 360, 720, 720] {
        rig.admit(Guest { eyes: 1, height, ..Guest::default() });
    }
    let (mut offered, mut settled) = (0, 0);
    for n in 0..4_000u64 {
        rig.now = rig.now.plus(Duration::from_millis(1));
        let now = rig.now;
        if n % 700 == 699 {
            let slot = rig.people[1].video().next().unwrap().slot;
            rig.constrain(1, slot, View::Auto, [720, 180, 360][n as usize / 700 % 3]);
        }
        for who in 0..rig.people.len() {
            // What the viewers send, at their time; the publisher's packets one by one.
            rig.people[who].peer.poll(now);
            while let Some(datagram) = rig.people[who].peer.uplink(now) {
                if who != ada || !matches!(datagram, Datagram::Rtp(_)) {
                    rig.give(who, &datagram);
                    rig.turn();
                    continue;
                }
                let before = (outcomes(&rig), rig.room.counters().visited);
                rig.give(ada, &datagram);
                // The publisher is visited once, each viewer once.
                offered += rig.room.counters().visited - before.1 - 1;
                rig.pump();
                settled += outcomes(&rig) - before.0;
            }
        }
        rig.turn();
    }
    println!("law 20: {offered} offers of packets to slots, {settled} forwards and skips");
    assert!(offered > 1_000);
    assert_eq!(offered, settled);
}

/// Forwards and skips so far.
fn outcomes(rig: &Rig) -> u64 {
    let c = rig.room.counters();
    let skipped: u64 = SkipReason::ALL.iter().map(|&r| c.skipped(r)).sum();
    let unsent = [EgressDrop::Evicted, EgressDrop::QueueFull].iter().map(|&r| c.unsent(r)).sum::<u64>();
    c.rtp_out + skipped + unsent
}
