//! What forwarding costs: no allocation in steady state, and nobody is visited whom a packet doesn't concern.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod rig;

use std::time::Duration;

use rig::{Rig, Vp8};
use salon_rtp::{Egress, MediaKind};
use salon_sfu::{Config, ParticipantId, Source, Verdict};

/// Two publishers' packets, sent out to everybody, without the rig's own bookkeeping. How many left.
fn forward(rig: &mut Rig, packets: &[(ParticipantId, Vec<u8>)], each: Duration) -> usize {
    let mut sent = 0;
    for (from, packet) in packets {
        assert_eq!(rig.room.handle_rtp(rig.now, *from, packet), Verdict::Accepted);
        while let Some(mut burst) = rig.room.poll_transmit(rig.now) {
            while let Some(egress) = burst.next() {
                sent += usize::from(matches!(egress, Egress::Rtp(_)));
            }
        }
        rig.now = rig.now.plus(each);
        if rig.room.poll_timeout().is_some_and(|due| due <= rig.now) {
            rig.room.handle_timeout(rig.now);
        }
    }
    sent
}

/// Sound and picture of one participant, a frame of four packets for two of sound; keys are rare.
fn media(
    rig: &mut Rig,
    camera: &mut Vp8,
    from: ParticipantId,
    voice: &mut u64,
    frames: usize,
) -> Vec<(ParticipantId, Vec<u8>)> {
    let mut packets = Vec::new();
    for i in 0..frames {
        packets.extend(camera.frame(i == 0, 4).into_iter().map(|p| (from, p)));
        for _ in 0..2 {
            *voice += 1;
            packets.push((from, rig.voice(*voice, 1000, 30 + (*voice % 5) as u8)));
        }
    }
    packets
}

#[test]
fn forwarding_allocates_nothing() {
    let mut rig = Rig::new();
    rig.checking = false;
    let ada = rig.join();
    rig.microphone(ada, 1000);
    rig.camera(ada, 3000, Source::Camera);
    for _ in 0..50 {
        let id = rig.join();
        rig.slot(id, MediaKind::Audio, "3");
        rig.slot(id, MediaKind::Video, "5");
    }
    let (mut camera, mut n) = (Vp8::new(3000, 360), 0);
    camera.size = 1100;
    let warm = media(&mut rig, &mut camera, ada, &mut n, 200);
    let steady = media(&mut rig, &mut camera, ada, &mut n, 200);
    let each = Duration::from_millis(6);
    assert_eq!(forward(&mut rig, &warm, each), warm.len() * 50);
    while rig.room.poll_event().is_some() {}
    let mut sent = 0;
    let info = allocation_counter::measure(|| sent = forward(&mut rig, &steady, each));
    assert_eq!(sent, steady.len() * 50);
    assert_eq!(info.count_total, 0, "{info:?}");
    rig.room.check().unwrap();
}

#[test]
fn the_idle_are_not_visited() {
    let mut rig = Rig::with(Config { participants: 2000, ..Config::default() });
    rig.checking = false;
    let ada = rig.join();
    rig.microphone(ada, 1000);
    rig.camera(ada, 3000, Source::Camera);
    for _ in 0..3 {
        let id = rig.join();
        rig.slot(id, MediaKind::Audio, "3");
        rig.slot(id, MediaKind::Video, "5");
    }
    for _ in 0..1000 {
        rig.join();
    }
    let (mut camera, mut n) = (Vp8::new(3000, 360), 0);
    let warm = media(&mut rig, &mut camera, ada, &mut n, 50);
    forward(&mut rig, &warm, Duration::from_millis(6));
    let packets = media(&mut rig, &mut camera, ada, &mut n, 50);
    let before = rig.room.counters().visited;
    forward(&mut rig, &packets, Duration::from_millis(6));
    let visited = rig.room.counters().visited - before;
    // The publisher and three viewers for each packet; and timers, of those four alone: feedback ten times a second,
    // reports every second.
    let concerned = packets.len() as u64 * 4;
    assert!(visited >= concerned, "{visited}");
    assert!(visited <= concerned + 40, "{visited} for {concerned}");
    rig.room.check().unwrap();
}
