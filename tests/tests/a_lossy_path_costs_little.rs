//! Five percent of loss and thirty milliseconds of jitter each way, at a round trip of 80 ms; a link that becomes narrow;
//! whoever asks for what again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use core::time::Duration;
use salon_rtp::rtcp::{Fir, FirEntry, Nack, Pli};
use salon_rtp::{Bitrate, SeqNo, Ssrc, Time};
use salon_sim::{CameraConfig, Datagram, LinkConfig, Rng, Tag};
use salon_tests::{Guest, Rig, camera, lossy, simulcast};
use std::collections::BTreeMap;

/// What a picture's packets are, whoever they belong to.
fn name(tag: &Tag) -> (u32, u8, u8, u32, u16) {
    (tag.source, tag.encoding, tag.epoch, tag.frame, tag.packet)
}

#[test]
fn less_than_a_thousandth_is_missing_after_a_second() {
    let (mut missing, mut total, mut up, mut down) = (0, 0, [0u64; 2], [0u64; 2]);
    for seed in 61..65 {
        // 25 ms and up to 30 ms of jitter each way: 80 ms on average.
        let path = lossy(0.05, Duration::from_millis(25));
        let mut rig = Rig::new(seed);
        rig.checking = false;
        let picture = camera(360, Bitrate::from_kbps(900), 25);
        let ada = rig.admit(Guest { cameras: vec![picture], up: path, down: path, ..Guest::default() });
        let bob =
            rig.admit(Guest { eyes: 1, ears: 0, up: path, down: path, noted: true, ..Guest::default() });
        rig.run(Duration::from_secs(2));
        let (begin, end) = (rig.now, rig.now.plus(Duration::from_secs(30)));
        rig.run(Duration::from_secs(33));
        let mut came: BTreeMap<_, Time> = BTreeMap::new();
        let mut frames: BTreeMap<u32, (u16, Time)> = BTreeMap::new();
        for a in &rig.people[bob].arrivals {
            came.entry(name(&a.tag)).or_insert(a.at);
            frames.insert(a.tag.frame, (a.tag.packets, a.tag.captured));
        }
        // Every frame that the camera made, the ones of which nothing came included.
        let (first, last) = (*frames.keys().next().unwrap(), *frames.keys().last().unwrap());
        for frame in first..=last {
            let Some(&(packets, captured)) = frames.get(&frame) else {
                (missing, total) = (missing + 4, total + 4);
                continue;
            };
            if captured < begin || captured > end {
                continue;
            }
            for packet in 0..packets {
                total += 1;
                let at = came.get(&(rig.people[ada].uploads[0].source, 0, 0, frame, packet));
                missing += u64::from(at.is_none_or(|at| at.since(captured) > Duration::from_secs(1)));
            }
        }
        let counts = rig.people[ada].peer.cameras[0].counts();
        let (lost_up, lost_down) = (rig.people[ada].peer.up.counts(), rig.people[bob].down.counts());
        let size = counts.bytes / counts.packets + 30;
        up[0] += counts.retransmitted * size;
        up[1] += lost_up.lost_bytes;
        down[0] += rig.room.counters().rtx_bytes_out + 24 * rig.room.counters().rtx_out;
        down[1] += lost_down.lost_bytes;
        let report = rig.people[bob].peer.eyes[0].finish();
        assert_eq!(report.broken_law(), None, "seed {seed}: {report:?}");
    }
    let ratio = |a: [u64; 2]| a[0] as f64 / a[1] as f64;
    println!(
        "show 5: 5 % loss, 30 ms jitter each way, 80 ms round trip: {missing} of {total} video packets missing after 1 s \
         ({:.4} %); sent again per byte lost: by the room {:.2}, by the publisher {:.2}",
        missing as f64 * 100.0 / total as f64,
        ratio(down),
        ratio(up)
    );
    assert!(missing * 1_000 < total);
    assert!(ratio(down) <= 1.5 && ratio(up) <= 1.5);
}

/// What became of a minute on a link that carries 200 kbit/s.
struct Narrow {
    /// The share of sound that was lost, in percent: in the whole minute, and after its first six seconds.
    lost: f64,
    lost_later: f64,
    /// Frames seen in the minute after, and in its last five seconds.
    back: usize,
    last: usize,
}

/// A link that carries 200 kbit/s for a minute, and ten megabits before and after.
fn narrow(what: &str, seed: u64, cameras: Vec<CameraConfig>) -> Narrow {
    let mut rig = Rig::new(seed);
    rig.checking = false;
    let wide = LinkConfig { rate: Some(Bitrate::from_kbps(10_000)), ..LinkConfig::default() };
    let ada = rig.admit(Guest { microphone: true, cameras, declared: false, ..Guest::default() });
    let bob = rig.admit(Guest { eyes: 1, remb: true, down: wide, noted: true, ..Guest::default() });
    let always = Time::ZERO..Time::from_millis(600_000);
    rig.people[ada].peer.voice.as_mut().unwrap().talk(always);
    // Not always at the same place between two frames, packets and reports.
    rig.run(Duration::from_millis(15_000 + (seed - 71) * 137));
    let narrow = rig.now;
    rig.people[bob].set_down(LinkConfig { rate: Some(Bitrate::from_kbps(200)), ..wide });
    rig.run(Duration::from_secs(60));
    let again = rig.now;
    rig.people[bob].set_down(wide);
    rig.run(Duration::from_secs(60));
    let heard = |from: Time, until: Time| {
        let tags = rig.people[bob].arrivals.iter().map(|a| a.tag);
        let n = tags.filter(|t| t.source == 0 && t.captured >= from && t.captured < until).count() as u64;
        let sent = until.since(from).as_millis() as u64 / 20;
        (sent.saturating_sub(n), sent)
    };
    // At the fall what is on its way is lost, the sound with it, until the room knows: the queue before the bottleneck fills, and
    // what tells of that has to wait in it.
    let settled = narrow.plus(Duration::from_secs(6));
    let (first, _) = heard(narrow, settled);
    let (lost, sent) = heard(settled, again);
    let frames = |from: Time, until: Time| {
        let pictures = rig.people[bob].arrivals.iter().filter(|a| a.tag.source != 0);
        let mut frames: Vec<_> = pictures
            .filter(|a| a.at >= from && a.at < until)
            .map(|a| (a.tag.encoding, a.tag.frame))
            .collect();
        frames.dedup();
        frames
    };
    let back = frames(again, rig.now);
    let took = rig.people[bob].arrivals.iter().find(|a| a.tag.source != 0 && a.at >= again);
    println!(
        "show 5: {what}, seed {seed}: 200 kbit/s for 60 s: {first} packets of sound lost in the first 6 s, \
             then {lost} of {sent} ({:.2} %), {} frames seen meanwhile; \
             afterwards the picture is back after {} ms, {} frames in 60 s, best encoding {:?}",
        lost as f64 * 100.0 / sent as f64,
        frames(narrow, again).len(),
        took.map_or(-1, |a| a.at.since(again).as_millis() as i64),
        back.len(),
        back.iter().map(|f| f.0).max()
    );
    let last = frames(rig.now.minus(Duration::from_secs(5)), rig.now).len();
    assert_eq!(rig.people[bob].peer.eyes[0].finish().broken_law(), None);
    let percent = |lost: u64, of: u64| lost as f64 * 100.0 / of as f64;
    let whole = percent(first + lost, 3_000);
    Narrow { lost: whole, lost_later: percent(lost, sent), back: back.len(), last }
}

#[test]
fn a_picture_comes_back_when_its_link_does() {
    for (what, cameras) in
        [("one encoding", vec![camera(360, Bitrate::from_kbps(600), 25)]), ("a simulcast", vec![simulcast()])]
    {
        let Narrow { back, last, .. } = narrow(what, 71, cameras);
        assert!(back > 900, "{what}: the picture does not come back: {back} frames");
        assert!(last > 100, "{what}: the picture does not stay: {last} frames");
    }
}

#[test]
fn a_narrow_link_keeps_its_sound() {
    for (what, cameras) in
        [("one encoding", vec![camera(360, Bitrate::from_kbps(600), 25)]), ("a simulcast", vec![simulcast()])]
    {
        let all: Vec<_> = (71..83).map(|seed| narrow(what, seed, cameras.clone())).collect();
        let (whole, later): (Vec<_>, Vec<_>) = all.iter().map(|n| (n.lost, n.lost_later)).unzip();
        let mean = whole.iter().sum::<f64>() / whole.len() as f64;
        println!(
            "show 5: {what}: sound lost in a minute at 200 kbit/s, percent: {mean:.2} on average, each {whole:.2?}; \
             after the first six seconds {later:.2?}"
        );
        assert!(mean <= 1.0, "{what}: {whole:.2?} %");
        assert!(whole.iter().all(|lost| *lost <= 1.2), "{what}: {whole:.2?} %");
        assert!(later.iter().all(|lost| *lost <= 1.0), "{what}: {later:.2?} %");
    }
}

#[test]
fn whatever_is_asked_for_again_no_index_is_sealed_twice() {
    let mut rig = Rig::new(81);
    rig.ciphers = Some(Vec::new());
    rig.checking = false;
    let mut rng = Rng::new(81);
    let path = lossy(0.05, Duration::from_millis(20));
    let person = || Guest {
        microphone: true,
        cameras: vec![camera(360, Bitrate::from_kbps(500), 25)],
        eyes: 3,
        up: path,
        down: path,
        ..Guest::default()
    };
    let everybody: Vec<_> = (0..4).map(|_| rig.admit(person())).collect();
    // Whoever takes no RTX gets nothing twice at all.
    let plain = rig.admit(Guest { rtx: false, ..person() });
    for ms in 0..30_000u64 {
        rig.tick();
        if ms % 7 != 0 {
            continue;
        }
        let who = *rng.pick(&everybody).unwrap_or(&plain);
        let slots = rig.people[if rng.chance(0.2) { plain } else { who }].slots.clone();
        let streams = rng.pick(&slots).unwrap().streams;
        let media = if rng.chance(0.1) { streams.rtx.unwrap_or(streams.ssrc) } else { streams.ssrc };
        let from = rng.next_u64() as u16;
        let near = rng.below(100);
        let mut seqs: Vec<_> =
            (0..rng.below(120)).map(|i| SeqNo(0x1_0000 + u64::from(from) + i * (1 + near / 30))).collect();
        seqs.sort_unstable();
        let mut out = Vec::new();
        let wrote = Nack::write(Ssrc(5), media, seqs.iter().copied(), &mut out);
        assert!(wrote.is_ok());
        if rng.chance(0.3) {
            Pli { sender: Ssrc(5), media }.write(&mut out).unwrap();
        }
        if rng.chance(0.1) {
            Fir::write(Ssrc(5), &[FirEntry { media, number: ms as u8 }], &mut out).unwrap();
        }
        if !out.is_empty() {
            rig.give(who, &Datagram::Rtcp(out));
        }
    }
    let totals = rig.ledger.totals;
    println!(
        "show 5: {} packets sealed under hostile NACKs, {} of them repair; no (SSRC, index) twice",
        rig.sealed, totals.repair
    );
    assert!(totals.repair > 1_000 && rig.sealed == totals.media + totals.repair);
}

#[test]
fn an_estimate_that_lags_pauses_nothing_on_a_wide_link() {
    for (what, cameras) in
        [("one encoding", vec![camera(360, Bitrate::from_kbps(600), 25)]), ("a simulcast", vec![simulcast()])]
    {
        let mut rig = Rig::new(91);
        rig.checking = false;
        // What has heard nothing but a voice for a while believes in as little, and grows by 8 % a second.
        let cid = rig.admit(Guest { microphone: true, ..Guest::default() });
        rig.people[cid].peer.voice.as_mut().unwrap().talk(Time::ZERO..Time::from_millis(600_000));
        let bob = rig.admit(Guest { eyes: 1, remb: true, noted: true, ..Guest::default() });
        rig.run(Duration::from_secs(8));
        let ada = rig.admit(Guest { cameras, declared: false, ..Guest::default() });
        rig.run(Duration::from_secs(60));
        let frames = rig.people[bob].peer.eyes[0].finish().decoded;
        let pictures = rig.people[bob].arrivals.iter().rfind(|a| a.tag.source != 0);
        let best = pictures.map(|a| a.tag.encoding);
        println!(
            "show 5: {what} on a wide link with REMB: {frames} frames in 60 s, at last encoding {best:?}"
        );
        assert!(frames > 1_425, "{what}: {frames}");
        assert_eq!(usize::from(best.unwrap()) + 1, rig.people[ada].peer.cameras[0].config().encodings.len());
    }
}
