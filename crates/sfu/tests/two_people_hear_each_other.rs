//! Sound, from joining to leaving.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod rig;

use std::time::Duration;

use rig::{Rig, mid};
use salon_rtp::rtcp::{ReceiverReport, ReportBlock, RtcpPacket};
use salon_rtp::{MediaKind, SeqNo, Ssrc};
use salon_sfu::{DropReason, EmptyReason, Event, Misuse, Verdict};

const FRAME: Duration = Duration::from_millis(20);

#[test]
fn a_voice_arrives_with_name_level_and_line() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    rig.microphone(ada, 1000);
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    let streams = rig.room.streams(slot).unwrap();
    assert_eq!(streams.rtx, None);
    for n in 0..50 {
        let packet = rig.voice(n + 60_000, 1000, 30);
        assert_eq!(rig.rtp(ada, &packet), Verdict::Accepted);
        rig.pass(FRAME);
    }
    let out = rig.take();
    assert_eq!(out.len(), 50);
    for (i, p) in out.iter().enumerate() {
        assert_eq!(p.to, grace);
        assert_eq!(p.ssrc, streams.ssrc);
        assert_eq!(p.pt, 109);
        assert_eq!(p.csrc, Some(ada.csrc()));
        assert_eq!(p.level, Some(30));
        assert_eq!(p.mid, Some(mid("3")));
        assert_eq!(p.index, out[0].index.plus(i as u64));
        assert_eq!(p.timestamp, out[0].timestamp.wrapping_add(i as u32 * 960));
        // MID, audio level: nothing else passes.
        assert_eq!(p.extension_ids, [1, 2]);
    }
    assert!(out[0].index < SeqNo(1 << 15));
}

#[test]
fn the_line_is_named_until_the_first_report() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    rig.microphone(ada, 1000);
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    let ssrc = rig.room.streams(slot).unwrap().ssrc;
    let packet = rig.voice(1, 1000, 30);
    rig.rtp(ada, &packet);
    assert!(rig.take()[0].mid.is_some());
    let block = ReportBlock {
        ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest: 1,
        jitter: 0,
        last_report: 0,
        delay: 0,
    };
    assert_eq!(
        rig.rtcp(grace, |out| ReceiverReport::write(Ssrc(5), &[block], out).unwrap()),
        Verdict::Accepted
    );
    let packet = rig.voice(2, 1000, 30);
    rig.rtp(ada, &packet);
    assert_eq!(rig.take()[0].mid, None);
    let stranger = ReportBlock { ssrc: Ssrc(77), ..block };
    assert_eq!(
        rig.rtcp(grace, |out| ReceiverReport::write(Ssrc(5), &[stranger], out).unwrap()),
        Verdict::Dropped(DropReason::UnknownReport)
    );
}

#[test]
fn sender_reports_lie_on_the_slots_line_and_cease_after_two_seconds() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    rig.microphone(ada, 1000);
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    let ssrc = rig.room.streams(slot).unwrap().ssrc;
    for n in 0..250 {
        let packet = rig.voice(n, 1000, 30);
        rig.rtp(ada, &packet);
        rig.pass(FRAME);
    }
    rig.pass(Duration::from_secs(10));
    let (out, reports) = (rig.take(), rig.take_reports());
    let mut lines = Vec::new();
    for report in reports.iter().filter(|r| r.to == grace) {
        for packet in report.packets() {
            if let RtcpPacket::SenderReport(sr) = packet {
                assert_eq!(sr.info.ssrc, ssrc);
                lines.push((report.at, sr.info.ntp.as_micros(), sr.info.timestamp));
            }
        }
        assert!(report.packets().iter().any(|p| matches!(p, RtcpPacket::Sdes(s)
            if s.chunks().any(|c| c.ssrc == ssrc && c.cname() == Some(rig.room.cname().as_bytes())))));
    }
    // The first at once, then one a second, for at most two seconds after the last packet.
    assert_eq!(lines[0].0, out[0].at);
    assert!((6..=9).contains(&lines.len()), "{lines:?}");
    assert!(lines.last().unwrap().0.since(out.last().unwrap().at) <= Duration::from_secs(2));
    for (_, ntp, rtp) in &lines {
        let micros = ntp - lines[0].1;
        assert_eq!(rtp.since(lines[0].2) as i64, (micros * 48 / 1000) as i64);
    }
    // Media lies on the same line as the reports do.
    let (at, _, rtp) = lines[0];
    assert_eq!(out[0].at, at);
    assert!(out[0].timestamp.since(rtp).abs() < 48);
    // Then nothing is due any more.
    assert_eq!(rig.room.poll_timeout(), None);
}

#[test]
fn reception_is_reported_to_the_publisher() {
    let mut rig = Rig::new();
    let ada = rig.join();
    rig.microphone(ada, 1000);
    for n in 0..200 {
        if n % 10 != 9 {
            let packet = rig.voice(n, 1000, 30);
            rig.rtp(ada, &packet);
        }
        rig.pass(FRAME);
    }
    let reports = rig.take_reports();
    let blocks: Vec<_> = (reports.iter().flat_map(|r| r.packets()))
        .filter_map(|p| match p {
            RtcpPacket::ReceiverReport(rr) => rr.blocks.iter().next(),
            _ => None,
        })
        .collect();
    assert!(blocks.len() >= 4);
    let last = blocks.last().unwrap();
    assert_eq!(last.ssrc, Ssrc(1000));
    assert!((20..30).contains(&last.fraction_lost), "{}", last.fraction_lost);
    let twcc = reports.iter().flat_map(|r| r.packets()).filter(|p| matches!(p, RtcpPacket::Twcc(_))).count();
    assert!(twcc >= 20, "{twcc}");
}

#[test]
fn a_muted_voice_costs_nothing_and_leaves_its_slot() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    let track = rig.microphone(ada, 1000);
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    assert!(rig.take_events().contains(&Event::Slot {
        participant: grace,
        slot,
        shows: Some(track),
        empty: None
    }));
    rig.room.set_muted(rig.now, ada, track, true).unwrap();
    assert!(rig.take_events().contains(&Event::Slot {
        participant: grace,
        slot,
        shows: None,
        empty: Some(EmptyReason::NothingToShow)
    }));
    for n in 0..500 {
        let packet = rig.voice(n, 1000, 30);
        rig.rtp(ada, &packet);
        rig.pass(FRAME);
    }
    assert!(rig.take().is_empty());
}

#[test]
fn who_has_no_path_is_sent_nothing_and_heard_by_nobody() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    rig.microphone(ada, 1000);
    rig.microphone(grace, 2000);
    rig.slot(ada, MediaKind::Audio, "3");
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    let packet = rig.voice(1, 1000, 30);
    rig.rtp(ada, &packet);
    rig.room.connected(rig.now, grace, false).unwrap();
    rig.check();
    let packet = rig.voice(2, 1000, 30);
    rig.rtp(ada, &packet);
    rig.pass(Duration::from_secs(1));
    assert!(rig.take().is_empty());
    let packet = rig.voice(1, 2000, 30);
    assert_eq!(rig.rtp(grace, &packet), Verdict::Dropped(DropReason::UnknownParticipant));
    rig.room.connected(rig.now, grace, true).unwrap();
    let packet = rig.voice(3, 1000, 30);
    rig.rtp(ada, &packet);
    let out = rig.take();
    assert_eq!(out.len(), 1);
    assert_eq!(Some(out[0].ssrc), rig.room.streams(slot).map(|s| s.ssrc));
}

#[test]
fn leaving_leaves_nothing_behind() {
    let mut rig = Rig::new();
    let (ada, grace) = (rig.join(), rig.join());
    let track = rig.microphone(ada, 1000);
    let slot = rig.slot(grace, MediaKind::Audio, "3");
    let packet = rig.voice(1, 1000, 30);
    rig.rtp(ada, &packet);
    rig.room.leave(rig.now, ada).unwrap();
    rig.check();
    rig.drain();
    assert_eq!(rig.room.publisher(track), None);
    assert_eq!(rig.room.leave(rig.now, ada), Err(Misuse::UnknownParticipant));
    assert_eq!(rig.room.set_muted(rig.now, ada, track, true), Err(Misuse::UnknownParticipant));
    rig.room.leave(rig.now, grace).unwrap();
    rig.check();
    rig.pass(Duration::from_secs(20));
    assert_eq!(rig.room.streams(slot), None);
    assert_eq!(rig.room.poll_timeout(), None);
    assert!(rig.room.report(rig.now).participants.is_empty());
}

#[test]
fn with_few_slots_whoever_speaks_is_heard() {
    let mut rig = Rig::new();
    let listener = rig.join();
    let slots: Vec<_> = (0..3).map(|i| rig.slot(listener, MediaKind::Audio, &format!("{i}"))).collect();
    let people: Vec<_> = (0..6).map(|_| rig.join()).collect();
    for (i, &p) in people.iter().enumerate() {
        rig.microphone(p, 1000 + i as u32);
    }
    let mut n = 0;
    for turn in 0..12 {
        let speaker = turn % 6;
        let mut heard = 0;
        for _ in 0..50 {
            for (i, &p) in people.iter().enumerate() {
                let packet = rig.voice(n, 1000 + i as u32, if i == speaker { 28 } else { 120 });
                rig.rtp(p, &packet);
            }
            n += 1;
            rig.pass(FRAME);
            heard += rig.take().iter().filter(|p| p.csrc == Some(people[speaker].csrc())).count();
        }
        // At most 60 ms are lost at the start of a turn.
        assert!(heard >= 47, "turn {turn}: {heard}");
    }
    assert_eq!(slots.len(), 3);
}

#[test]
fn a_burst_thrown_away_after_its_end_takes_nobody_elses_turn() {
    let mut rig = Rig::new();
    let ada = rig.join();
    rig.microphone(ada, 1000);
    for _ in 0..2 {
        let id = rig.join();
        rig.slot(id, MediaKind::Audio, "3");
    }
    for n in 0..2 {
        let packet = rig.voice(n, 1000, 30);
        rig.rtp(ada, &packet);
    }
    rig.nibble(100, true);
    rig.check();
    assert_eq!(rig.take().iter().filter(|p| p.csrc == Some(ada.csrc())).count(), 4);
}

#[test]
fn a_burst_dropped_half_read_comes_first_again() {
    let mut rig = Rig::new();
    let ada = rig.join();
    rig.microphone(ada, 1000);
    for _ in 0..3 {
        let id = rig.join();
        rig.slot(id, MediaKind::Audio, "3");
    }
    for n in 0..4 {
        let packet = rig.voice(n, 1000, 30);
        rig.rtp(ada, &packet);
    }
    let first = rig.room.poll_transmit(rig.now).unwrap().to();
    rig.nibble(2, false);
    assert_eq!(rig.room.poll_transmit(rig.now).unwrap().to(), first);
    assert_eq!(rig.take().len(), 12);
}

#[test]
fn the_arrival_of_a_dropped_packet_is_told_too() {
    let mut rig = Rig::new();
    let ada = rig.join();
    rig.microphone(ada, 1000);
    let packet = rig.voice(1, 1000, 30);
    rig.rtp(ada, &packet);
    rig.pass(Duration::from_secs(30));
    rig.take_reports();
    let mut stranger = rig.voice(2, 555, 30);
    stranger[1] = 5;
    assert!(matches!(rig.rtp(ada, &stranger), Verdict::Dropped(_)));
    rig.pass(Duration::from_secs(1));
    let reports = rig.take_reports();
    assert!(reports.iter().flat_map(|r| r.packets()).any(|p| matches!(p, RtcpPacket::Twcc(_))));
}

#[test]
fn packets_that_nobody_knows_make_no_clock_run_in_circles() {
    let mut rig = Rig::new();
    let ada = rig.join();
    rig.microphone(ada, 1000);
    for n in 0..100 {
        let mut packet = rig.voice(n, 77, 30);
        packet[1] = 5;
        rig.rtp(ada, &packet);
        rig.pass(FRAME);
    }
    let before = rig.room.counters().visited;
    rig.pass(Duration::from_secs(10));
    assert!(rig.room.counters().visited - before < 5);
    assert_eq!(rig.room.poll_timeout(), None);
}
