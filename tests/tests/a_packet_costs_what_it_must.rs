//! What a packet costs on its way through a room and its cipher: the heap, the visits, the bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_rtp::{Bitrate, Egress, Time};
use salon_sfu::{Config, limits};
use salon_sim::{CameraConfig, Datagram, PictureIds};
use salon_srtp::{Inbound, MasterKey, Outbound, Profile};
use salon_tests::{Guest, Rig, camera};

/// A publisher with sound and picture, and so many viewers of both.
fn room(viewers: usize, idle: usize, picture: CameraConfig) -> (Rig, usize) {
    let mut rig = Rig::with(91, Config { participants: 2_000, ..Config::default() });
    rig.checking = false;
    let always = Time::ZERO..Time::from_millis(600_000);
    let ada = rig.admit(Guest { microphone: true, cameras: vec![picture], ..Guest::default() });
    rig.people[ada].peer.voice.as_mut().unwrap().talk(always);
    for _ in 0..viewers {
        rig.admit(Guest { ears: 1, eyes: 1, ..Guest::default() });
    }
    for _ in 0..idle {
        rig.admit(Guest { ears: 0, ..Guest::default() });
    }
    (rig, ada)
}

/// What a publisher sends in this time, packet by packet, and when.
fn recorded(rig: &mut Rig, ada: usize, time: Duration) -> Vec<(Time, Datagram)> {
    let end = rig.now.plus(time);
    let mut out = Vec::new();
    let mut now = rig.now;
    let mut peer = rig.people[ada].peer.clone();
    while now < end {
        now = now.plus(Duration::from_millis(1));
        peer.poll(now);
        while let Some(datagram) = peer.uplink(now) {
            out.push((now, datagram));
        }
    }
    out
}

#[test]
fn from_cipher_to_cipher_one_to_fifty_allocates_nothing() {
    let (mut rig, ada) = room(50, 0, camera(360, Bitrate::from_kbps(900), 25));
    rig.run(Duration::from_secs(5));
    let packets = recorded(&mut rig, ada, Duration::from_secs(4));
    // What comes is sealed by the publisher's key, and each receiver has a key of its own.
    let key = |n: u8| MasterKey::new(Profile::AeadAes128Gcm, &[n; 16], &[9; 12]).unwrap();
    let (mut theirs, mut ours) = (Outbound::new(&key(0), 64).unwrap(), Inbound::new(&key(0)).unwrap());
    let mut outbound: Vec<_> = (1..=51).map(|n| Outbound::new(&key(n), limits::HISTORY).unwrap()).collect();
    let mut sealed: Vec<(Time, bool, Vec<u8>)> = packets
        .iter()
        .map(|(at, d)| match d {
            Datagram::Rtp(bytes) => (*at, true, reseal(&mut theirs, bytes)),
            Datagram::Rtcp(bytes) => {
                let mut out = vec![0; bytes.len() + 64];
                let n = theirs.seal_rtcp(bytes, &mut out).unwrap();
                out.truncate(n);
                (*at, false, out)
            }
        })
        .collect();
    let half = sealed.len() / 2;
    let ids: Vec<_> = rig.people.iter().map(|p| p.id).collect();
    let Rig { room, .. } = &mut rig;
    let mut sent = 0;
    let mut out = [0; 1_500];
    let mut run = |packets: &mut [(Time, bool, Vec<u8>)], sent: &mut u64| {
        for (now, rtp, bytes) in packets {
            match rtp {
                true => _ = room.handle_rtp(*now, ids[ada], ours.open_rtp(bytes).unwrap()),
                false => _ = room.handle_rtcp(*now, ids[ada], ours.open_rtcp(bytes).unwrap()),
            }
            room.handle_timeout(*now);
            while let Some(mut burst) = room.poll_transmit(*now) {
                let cipher =
                    ids.iter().position(|i| *i == burst.to()).and_then(|i| outbound.get_mut(i)).unwrap();
                while let Some(egress) = burst.next() {
                    match egress {
                        Egress::Rtp(p) => {
                            cipher.seal_rtp(p, &mut out).unwrap();
                            *sent += 1;
                        }
                        Egress::Rtcp(b) => _ = cipher.seal_rtcp(b, &mut out).unwrap(),
                    }
                }
            }
        }
    };
    let (warm, steady) = sealed.split_at_mut(half);
    run(warm, &mut sent);
    sent = 0;
    let info = allocation_counter::measure(|| run(steady, &mut sent));
    println!(
        "show 7: {} packets opened, {sent} sealed for 50 receivers: {} heap allocations",
        steady.len(),
        info.count_total
    );
    assert!(sent > 50 * 200);
    assert_eq!(info.count_total, 0);
}

/// A packet of the simulation, sealed as a browser does.
fn reseal(cipher: &mut Outbound, bytes: &[u8]) -> Vec<u8> {
    use salon_rtp::{Header, OutExtensions, Outgoing, Packet, Prefix, SeqNo};
    let p = Packet::parse(bytes).unwrap();
    let mut extensions = OutExtensions::NONE;
    for (id, value) in p.extensions() {
        extensions.push(id, value).unwrap();
    }
    let index = SeqNo(u64::from(p.seq().0));
    let header = Header { pt: p.pt(), marker: p.marker(), timestamp: p.timestamp(), csrc: None, extensions };
    let packet =
        Outgoing { ssrc: p.ssrc(), index, header, prefix: Prefix::EMPTY, tail: p.payload(), padding: 0 };
    let mut out = vec![0; bytes.len() + 64];
    let n = cipher.seal_rtp(&packet, &mut out).unwrap();
    out.truncate(n);
    out
}

#[test]
fn a_thousand_idle_people_are_not_visited() {
    let mut visits = Vec::new();
    for idle in [0, 1_000] {
        let (mut rig, ada) = room(5, idle, camera(360, Bitrate::from_kbps(900), 25));
        rig.run(Duration::from_secs(2));
        let packets = recorded(&mut rig, ada, Duration::from_secs(4));
        let before = (rig.room.counters().visited, rig.room.counters().rtp_in);
        for (at, d) in &packets {
            rig.now = *at;
            rig.give(ada, d);
            rig.turn();
        }
        let counters = rig.room.counters();
        visits.push((counters.visited - before.0, counters.rtp_in - before.1));
    }
    let [(few, n), (many, _)] = visits[..] else { panic!() };
    println!(
        "show 7: {n} packets to 5 viewers visit {few} participants in a room of 6, {many} with 1,000 idle ones in it"
    );
    assert_eq!(few, many);
    // Publisher and viewers for each packet; reports besides.
    assert!(few <= n * 6 + n / 2, "{few} for {n}");
}

#[test]
fn a_packet_grows_by_sixteen_bytes_at_most() {
    let mut most = (0, 0);
    for (picture_ids, declared) in [
        (PictureIds::Long, true),
        (PictureIds::Short, true),
        (PictureIds::Absent, true),
        (PictureIds::Short, false),
    ] {
        // As large as browsers send at most: 1,200 bytes of RTP, header and all.
        let plain = camera(720, Bitrate::from_kbps(1_500), 25);
        let layer_indices = picture_ids != PictureIds::Absent;
        let picture = CameraConfig { picture_ids, layer_indices, packet_bytes: 1_160, ..plain };
        let (mut rig, _) = room(3, 0, CameraConfig { identified: 0, ..picture });
        for who in 1..=3 {
            rig.people[who].set_down(salon_tests::lossy(0.05, Duration::from_millis(20)));
        }
        let _ = declared;
        rig.run(Duration::from_secs(5));
        let totals = rig.ledger.totals;
        assert!(totals.media > 1_000 && totals.repair > 20, "{totals:?}");
        most = (most.0.max(totals.growth), most.1.max(totals.largest));
        assert_eq!(rig.room.counters().oversized, 0);
    }
    println!("show 8: a packet grew by {} bytes at most, the largest datagram had {} bytes", most.0, most.1);
    assert!(most.0 <= 16 && most.1 <= limits::DATAGRAM);
}

#[test]
fn twelve_hundred_bytes_without_any_extension_fit_too() {
    use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Descriptor, Vp8Fields};
    use salon_rtp::rtcp::Nack;
    use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, RtpTime, SeqNo, Ssrc};
    let (mut rig, ada) = room(1, 0, camera(720, Bitrate::from_kbps(1_500), 25));
    let (ssrc, pt) = {
        let config = rig.people[ada].peer.cameras[0].config();
        (config.encodings[0].ssrc, config.pt)
    };
    // From here on the packets are made by hand: the shortest header, the longest payload, an id that must be widened.
    rig.people[ada].peer.cameras.clear();
    rig.people[ada].uploads.truncate(1);
    let mut largest = [0, 0];
    for n in 0..40u16 {
        let fields = Vp8Fields {
            discardable: false,
            start: true,
            partition: 0,
            picture_id: Some(PictureId::Short(n as u8 & 0x7f)),
            tl0: Some(n as u8),
            temporal: Some(Temporal { layer: 0, sync: false }),
            key_index: None,
        };
        let mut payload = Vp8Descriptor::new(fields).as_bytes().to_vec();
        payload.extend(if n == 0 { [0x10, 0, 0, 0x9d, 0x01, 0x2a] } else { [0x11, 0, 0, 0, 0, 0] });
        payload.resize(1_200 - 12, 0x5a);
        let header = Header {
            pt,
            marker: true,
            timestamp: RtpTime(u32::from(n) * 3_600),
            csrc: None,
            extensions: OutExtensions::NONE,
        };
        let index = SeqNo(u64::from(n) + 100);
        let packet = Outgoing { ssrc, index, header, prefix: Prefix::EMPTY, tail: &payload, padding: 0 };
        let mut bytes = vec![0; 1_200];
        let head = packet.write_header(&mut bytes).unwrap();
        packet.write_body(&mut bytes[head..]).unwrap();
        let id = rig.people[ada].id;
        let now = rig.now;
        rig.call(|room, now| room.handle_rtp(now, id, &bytes));
        let viewer = rig.people[1].id;
        let media = rig.people[1].video().next().unwrap().streams.ssrc;
        let mut left = Vec::new();
        for (round, largest) in largest.iter_mut().enumerate() {
            while let Some(mut burst) = rig.room.poll_transmit(now) {
                while let Some(egress) = burst.next() {
                    if let Egress::Rtp(p) = egress {
                        let size = p.header_len() + p.body_len() + 16;
                        *largest = (*largest).max(size);
                        left.push(p.index);
                    }
                }
            }
            // And again by repair, which has two bytes more.
            let mut out = Vec::new();
            if let (0, Some(last)) = (round, left.last()) {
                Nack::write(Ssrc(1), media, [*last].into_iter(), &mut out).unwrap();
                rig.call(|room, now| room.handle_rtcp(now, viewer, &out));
            }
        }
        rig.now = rig.now.plus(Duration::from_millis(40));
    }
    println!(
        "show 8: 1,200 bytes with the shortest header leave as {}, by repair as {}",
        largest[0], largest[1]
    );
    assert!(largest[0] > 1_216 && largest[1] > largest[0]);
    assert!(largest.iter().all(|&l| l <= limits::DATAGRAM), "{largest:?}");
    assert_eq!(rig.room.counters().oversized, 0);
}

#[test]
fn what_leaves_larger_than_a_datagram_may_be_is_counted() {
    let picture = CameraConfig { packet_bytes: 1_240, ..camera(720, Bitrate::from_kbps(1_500), 25) };
    let (mut rig, _) = room(1, 0, picture);
    rig.run(Duration::from_secs(3));
    let oversized = rig.room.counters().oversized;
    println!(
        "show 8: {oversized} larger than {} bytes were counted, of {}",
        limits::DATAGRAM,
        rig.ledger.totals.media
    );
    assert!(oversized > 100 && rig.ledger.totals.largest > limits::DATAGRAM);
}
