//! Which track is in which slot, and which encoding of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rig::{Rig, Vp8};
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::rtcp::{ReceiverReport, Remb, ReportBlock, RtcpPacket};
use salon_rtp::{Bitrate, Codec, MediaKind, Ssrc, Time};
use salon_sfu::{
    EmptyReason, EncodingSpec, Event, ParticipantId, ParticipantReport, SlotId, Source, TrackId, TrackSpec,
    View,
};

/// What each slot of a participant shows.
fn shown(rig: &Rig, id: ParticipantId) -> BTreeMap<SlotId, (Option<TrackId>, Option<EmptyReason>)> {
    let report = rig.room.report(rig.now);
    let slots = &report.participants.iter().find(|p| p.id == id).unwrap().slots;
    slots.iter().map(|s| (s.id, (s.shows, s.empty))).collect()
}

fn tracks(rig: &Rig, id: ParticipantId) -> Vec<Option<TrackId>> {
    shown(rig, id).values().map(|v| v.0).collect()
}

#[test]
fn pictures_follow_pin_then_screen_then_floor() {
    let mut rig = Rig::new();
    let viewer = rig.join();
    let slots: Vec<_> = (0..2).map(|i| rig.slot(viewer, MediaKind::Video, &format!("{i}"))).collect();
    let people: Vec<_> = (0..4).map(|_| rig.join()).collect();
    let cameras: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(i, &p)| rig.camera(p, 3000 + 10 * i as u32, Source::Camera))
        .collect();
    for (i, &p) in people.iter().enumerate() {
        rig.microphone(p, 1000 + i as u32);
    }
    // First come, first shown.
    assert_eq!(tracks(&rig, viewer), [Some(cameras[0]), Some(cameras[1])]);
    // The fourth speaks: it takes one place, the other keeps its own.
    speak(&mut rig, &people, 3, 150);
    assert!(rig.take_events().contains(&Event::Floor(Some(people[3]))));
    let now = tracks(&rig, viewer);
    assert!(now.contains(&Some(cameras[3])) && now.contains(&Some(cameras[0])), "{now:?}");
    assert_eq!(now[0], Some(cameras[0]), "stable");
    // A screen comes before cameras.
    let screen = rig.camera(people[1], 3900, Source::Screen);
    let now = tracks(&rig, viewer);
    assert!(now.contains(&Some(screen)) && now.contains(&Some(cameras[3])), "{now:?}");
    // Pins first; a track is never in two slots; oneself never.
    rig.constrain(viewer, slots[0], View::Track(cameras[2]), 360);
    rig.constrain(viewer, slots[1], View::Track(cameras[2]), 360);
    assert_eq!(tracks(&rig, viewer), [Some(cameras[2]), None]);
    rig.constrain(viewer, slots[1], View::Participant(people[1]), 360);
    assert_eq!(tracks(&rig, viewer)[1], Some(screen));
    let own = rig.camera(viewer, 3990, Source::Camera);
    rig.constrain(viewer, slots[1], View::Track(own), 360);
    assert_eq!(shown(&rig, viewer)[&slots[1]], (None, Some(EmptyReason::NothingToShow)));
    rig.constrain(viewer, slots[1], View::Auto, 360);
    let auto = tracks(&rig, viewer)[1];
    assert_eq!(auto, Some(screen));
    // What was pinned is muted, or its publisher silent.
    rig.room.set_muted(rig.now, people[2], cameras[2], true).unwrap();
    rig.check();
    assert_eq!(shown(&rig, viewer)[&slots[0]], (None, Some(EmptyReason::Muted)));
    rig.room.set_muted(rig.now, people[2], cameras[2], false).unwrap();
    rig.room.connected(rig.now, people[2], false).unwrap();
    rig.check();
    assert_eq!(shown(&rig, viewer)[&slots[0]], (None, Some(EmptyReason::PublisherSilent)));
}

#[test]
fn one_person_alone_is_heard_where_that_was_chosen() {
    let mut rig = Rig::new();
    let viewer = rig.join();
    let ears: Vec<_> = (0..2).map(|i| rig.slot(viewer, MediaKind::Audio, &format!("{i}"))).collect();
    let people: Vec<_> = (0..4).map(|_| rig.join()).collect();
    let voices: Vec<_> =
        people.iter().enumerate().map(|(i, &p)| rig.microphone(p, 1000 + i as u32)).collect();
    rig.constrain(viewer, ears[0], View::Participant(people[2]), 180);
    speak(&mut rig, &people, 0, 50);
    assert_eq!(tracks(&rig, viewer)[0], Some(voices[2]), "though another speaks");
    // The other slot hears whoever speaks, and never what the first one has.
    speak(&mut rig, &people, 3, 100);
    assert_eq!(tracks(&rig, viewer), [Some(voices[2]), Some(voices[3])]);
    speak(&mut rig, &people, 2, 100);
    assert!(!tracks(&rig, viewer)[1..].contains(&Some(voices[2])));
    rig.constrain(viewer, ears[1], View::Participant(people[2]), 180);
    assert_eq!(
        shown(&rig, viewer)[&ears[1]],
        (None, Some(EmptyReason::NothingToShow)),
        "one microphone, one slot"
    );
    rig.room.leave(rig.now, people[2]).unwrap();
    rig.check();
    assert_eq!(shown(&rig, viewer)[&ears[0]], (None, Some(EmptyReason::NothingToShow)));
}

#[test]
fn a_slot_to_spare_says_that_somebody_cannot_be_decoded() {
    let mut rig = Rig::new();
    let viewer = rig.join();
    let slots: Vec<_> = (0..2).map(|i| rig.slot(viewer, MediaKind::Video, &format!("{i}"))).collect();
    let (ada, grace) = (rig.join(), rig.join());
    let camera = rig.camera(ada, 3000, Source::Camera);
    assert_eq!(shown(&rig, viewer)[&slots[1]], (None, Some(EmptyReason::NothingToShow)));
    let spec = TrackSpec {
        mid: Some(rig::mid("camera")),
        source: Source::Camera,
        codec: Codec::Vp9(0),
        pt: rig::pt(98),
        rtx_pt: None,
        encodings: vec![EncodingSpec { ssrc: Some(Ssrc(4000)), ..EncodingSpec::default() }],
        extensions: rig::extensions(),
        feedback: rig::ALL_FEEDBACK,
    };
    let foreign = rig.room.publish(rig.now, grace, spec).unwrap();
    rig.check();
    assert_eq!(tracks(&rig, viewer), [Some(camera), None]);
    assert_eq!(shown(&rig, viewer)[&slots[1]], (None, Some(EmptyReason::CodecNotNegotiated)));
    rig.room.unpublish(rig.now, grace, foreign).unwrap();
    assert_eq!(shown(&rig, viewer)[&slots[1]], (None, Some(EmptyReason::NothingToShow)));
}

fn speak(rig: &mut Rig, people: &[ParticipantId], who: usize, packets: u64) {
    let base = rig.now.as_micros() / 20_000;
    for n in 0..packets {
        for (i, &p) in people.iter().enumerate() {
            let packet = rig.voice(base + n, 1000 + i as u32, if i == who { 25 } else { 110 });
            rig.rtp(p, &packet);
        }
        rig.pass(Duration::from_millis(20));
    }
}

#[test]
fn the_old_picture_stays_until_the_new_key() {
    let mut rig = Rig::new();
    let (viewer, ada, grace) = (rig.join(), rig.join(), rig.join());
    let (a, b) = (rig.camera(ada, 3000, Source::Camera), rig.camera(grace, 4000, Source::Camera));
    let slot = rig.slot(viewer, MediaKind::Video, "5");
    rig.constrain(viewer, slot, View::Track(a), 360);
    let (mut one, mut two) = (Vp8::new(3000, 360), Vp8::new(4000, 360));
    two.picture = 9000;
    two.seq = 50_000;
    let mut play = |rig: &mut Rig, keys: (bool, bool)| {
        for p in one.frame(keys.0, 2) {
            rig.rtp(ada, &p);
        }
        for p in two.frame(keys.1, 2) {
            rig.rtp(grace, &p);
        }
        rig.pass(Duration::from_millis(33));
        rig.take()
    };
    play(&mut rig, (true, true));
    let mut all = play(&mut rig, (false, false));
    rig.constrain(viewer, slot, View::Track(b), 360);
    for _ in 0..5 {
        let out = play(&mut rig, (false, false));
        assert!(out.iter().all(|p| p.csrc == Some(ada.csrc())) && out.len() == 2);
        all.extend(out);
    }
    let out = play(&mut rig, (false, true));
    assert_eq!(out.iter().filter(|p| p.csrc == Some(grace.csrc())).count(), 2);
    all.extend(out);
    for _ in 0..5 {
        let out = play(&mut rig, (false, false));
        assert!(out.iter().all(|p| p.csrc == Some(grace.csrc())) && out.len() == 2);
        all.extend(out);
    }
    // One stream to its receiver: dense numbers (one may be left out at the switch), times that rise, pictures in a row.
    for pair in all.windows(2) {
        assert!((1..=2).contains(&pair[1].index.since(pair[0].index)), "{pair:?}");
        assert!(pair[1].timestamp.since(pair[0].timestamp) >= 0);
        let id = |p: &rig::Out| Vp8Descriptor::parse(&p.payload).unwrap().fields().picture_id.unwrap().get();
        assert!(id(&pair[1]).wrapping_sub(id(&pair[0])) & 0x7fff <= 1);
    }
}

/// A publisher of three rids and a viewer.
struct Simulcast {
    rig: Rig,
    ada: ParticipantId,
    viewer: ParticipantId,
    track: TrackId,
    slot: SlotId,
    layers: Vec<Vp8>,
    /// Which of them are sent.
    on: [bool; 3],
    frames: u64,
}

impl Simulcast {
    fn new() -> Self {
        let mut rig = Rig::new();
        let (ada, viewer) = (rig.join(), rig.join());
        let track = rig.simulcast(ada, &["l", "m", "h"]);
        let slot = rig.slot(viewer, MediaKind::Video, "5");
        let mut layers: Vec<_> =
            [(7000, 180), (7001, 360), (7002, 720)].into_iter().map(|(s, h)| Vp8::new(s, h)).collect();
        for (layer, (rid, size)) in layers.iter_mut().zip([("l", 400), ("m", 1000), ("h", 1100)]) {
            layer.mid = Some("camera");
            layer.rid = Some(rid);
            layer.size = size;
        }
        Self { rig, ada, viewer, track, slot, layers, on: [true; 3], frames: 0 }
    }

    /// Plays for a time at 30 frames a second; a publisher that answers requests for key frames and switches what is not wanted
    /// off. Bytes that the viewer got, and the heights of its key frames.
    fn play(&mut self, time: Duration) -> (usize, Vec<u16>) {
        let end = self.rig.now.plus(time);
        while self.rig.now < end {
            let reports = self.rig.take_reports();
            let mut asked = [self.frames == 0; 3];
            for packet in reports.iter().filter(|r| r.to == self.ada).flat_map(|r| r.packets()) {
                if let RtcpPacket::Pli(pli) = packet {
                    asked[(pli.media.0 - 7000) as usize] = true;
                }
            }
            for i in 0..3 {
                let packets = self.layers[i].frame(asked[i], [1, 2, 6][i]);
                if self.on[i] {
                    for p in packets {
                        self.rig.rtp(self.ada, &p);
                    }
                }
            }
            self.frames += 1;
            self.rig.pass(Duration::from_millis(33));
        }
        let out = self.rig.take();
        let media: Vec<_> = out.iter().filter(|p| p.pt == 120).collect();
        let keys = media
            .iter()
            .filter_map(|p| Vp8Descriptor::parse(&p.payload).unwrap().key_size(&p.payload).map(|s| s.1))
            .collect();
        // With header and extension, as a receiver counts them.
        (media.iter().map(|p| p.payload.len() + 24).sum(), keys)
    }

    /// The viewer estimates its link so.
    fn estimate(&mut self, kbps: u64) {
        let remb = Bitrate::from_kbps(kbps);
        self.rig.rtcp(self.viewer, |out| Remb::write(Ssrc(1), remb, &[], out).unwrap());
    }

    /// Plays while the viewer says the same each second. Bytes of the last second, and the height of the last key frame.
    fn hear(&mut self, kbps: u64, seconds: u64) -> (usize, Option<u16>) {
        let (mut bytes, mut height) = (0, None);
        for _ in 0..seconds {
            self.estimate(kbps);
            let (b, keys) = self.play(Duration::from_secs(1));
            (bytes, height) = (b, keys.last().copied().or(height));
        }
        (bytes, height)
    }

    fn viewer_report(&self) -> ParticipantReport {
        self.rig.room.report_participant(self.rig.now, self.viewer).unwrap()
    }

    /// Which encoding the viewer is sent, and whether its link limits it.
    fn sent(&self) -> (Option<u8>, bool) {
        let slot = &self.viewer_report().slots[0];
        (slot.encoding, slot.bandwidth_limited)
    }

    /// The same, as soon as the tile is so high.
    fn resized(&mut self, height: u16) -> (Option<u8>, bool) {
        self.rig.height(self.viewer, self.slot, height);
        self.sent()
    }

    fn wanted(&mut self) -> Vec<u8> {
        let events = self.rig.take_events();
        let track = self.track;
        events
            .into_iter()
            .filter_map(|e| match e {
                Event::Encodings { track: t, wanted, .. } if t == track => Some(wanted),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn the_tile_decides_the_encoding() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 180);
    let (_, keys) = show.play(Duration::from_secs(3));
    assert_eq!(keys.last(), Some(&180));
    show.rig.height(show.viewer, show.slot, 720);
    let (_, keys) = show.play(Duration::from_secs(3));
    assert_eq!(keys.last(), Some(&720), "{keys:?}");
    show.rig.height(show.viewer, show.slot, 300);
    let (_, keys) = show.play(Duration::from_secs(3));
    assert_eq!(keys.last(), Some(&360));
    // And no key frame without a need.
    let (_, keys) = show.play(Duration::from_secs(5));
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn encodings_that_nobody_watches_are_switched_off_and_on() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 180);
    show.play(Duration::from_secs(6));
    assert_eq!(show.wanted(), [0b001]);
    show.on = [true, false, false];
    show.play(Duration::from_secs(6));
    assert!(show.wanted().is_empty());
    // A larger tile asks for what is off; until it comes, what is there goes on.
    show.rig.height(show.viewer, show.slot, 720);
    let (bytes, _) = show.play(Duration::from_millis(300));
    assert!(bytes > 0);
    assert_eq!(show.wanted().last(), Some(&0b101));
    show.on = [true, false, true];
    let (_, keys) = show.play(Duration::from_secs(3));
    assert_eq!(keys.last(), Some(&720), "{keys:?}");
    show.play(Duration::from_secs(5));
    assert_eq!(show.wanted().last(), Some(&0b100));
    // Nobody watches at all.
    show.rig.height(show.viewer, show.slot, 0);
    show.play(Duration::from_secs(5));
    assert_eq!(show.wanted().last(), Some(&0));
}

#[test]
fn an_encoding_that_ceases_is_left_for_one_that_comes() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 720);
    let (_, keys) = show.play(Duration::from_secs(3));
    assert_eq!(keys.last(), Some(&720));
    show.on = [true, true, false];
    let (_, keys) = show.play(Duration::from_secs(4));
    assert_eq!(keys.last(), Some(&360), "{keys:?}");
    let (bytes, _) = show.play(Duration::from_secs(1));
    assert!(bytes > 50_000);
}

#[test]
fn what_comes_is_shown_though_something_better_was_hoped_for() {
    let mut show = Simulcast::new();
    show.on = [true, false, false];
    show.rig.height(show.viewer, show.slot, 720);
    let (bytes, keys) = show.play(Duration::from_millis(300));
    assert!(bytes > 0 && keys == [180], "{keys:?}");
    show.on = [true, true, false];
    let (_, keys) = show.play(Duration::from_secs(1));
    assert_eq!(keys.last(), Some(&360), "{keys:?}");
}

/// The viewer reports that four of a hundred packets were lost.
fn report_loss(show: &mut Simulcast) {
    let ssrc = show.rig.room.streams(show.slot).unwrap().ssrc;
    for (cumulative_lost, highest) in [(0, 1_000), (4, 1_100)] {
        let block = ReportBlock {
            ssrc,
            fraction_lost: 10,
            cumulative_lost,
            highest,
            jitter: 0,
            last_report: 0,
            delay: 0,
        };
        show.rig.rtcp(show.viewer, |out| ReceiverReport::write(Ssrc(1), &[block], out).unwrap());
    }
}

#[test]
fn a_low_estimate_lowers_the_picture_loss_with_it_pauses_it_and_a_better_one_brings_it_back() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 720);
    show.play(Duration::from_secs(6));
    let viewer = show.viewer;
    // Above what is sent: nothing changes.
    assert_eq!(show.hear(2_500, 4).1, None);
    // 720 costs 1,580 kbit/s here, 360 480, 180 96.
    let (bytes, height) = show.hear(700, 6);
    assert_eq!(height, Some(360));
    assert!(bytes * 8 < 700_000);
    let (bytes, height) = show.hear(200, 6);
    assert_eq!(height, Some(180));
    assert!(bytes * 8 < 200_000);
    // An estimator may be wrong: without any loss the least picture goes on, whatever it says.
    let (bytes, _) = show.hear(70, 6);
    assert!(bytes > 0);
    report_loss(&mut show);
    let (bytes, _) = show.hear(70, 2);
    assert_eq!(bytes, 0);
    assert_eq!(shown(&show.rig, viewer)[&show.slot], (Some(show.track), Some(EmptyReason::NoBandwidth)));
    assert_eq!(show.sent(), (None, true));
    // The link is back: the receiver's estimate follows what it gets, a third above.
    let mut best = 0;
    for _ in 0..120 {
        let (bytes, keys) = show.play(Duration::from_secs(1));
        best = best.max(keys.last().copied().unwrap_or(0));
        show.estimate((bytes as u64 * 8 * 135 / 100_000).max(100));
    }
    assert_eq!(best, 720);
}

#[test]
fn a_link_limits_who_gets_less_than_the_tile_asks_for_and_nobody_else() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 720);
    show.play(Duration::from_secs(6));
    assert_eq!(show.sent(), (Some(2), false));
    show.hear(700, 6);
    assert_eq!(show.sent(), (Some(1), true));
    assert_eq!(show.resized(360), (Some(1), false), "it gets what it asks for");
    assert_eq!(show.resized(0), (None, false), "nobody looks");
    assert_eq!(show.resized(180), (None, false), "its key frame has not come");
    show.play(Duration::from_secs(1));
    assert_eq!(show.resized(360), (Some(0), false), "there is room: it is on its way");
    assert_eq!(show.resized(720), (Some(0), true));
    show.on = [true, true, false];
    show.hear(700, 3);
    assert_eq!(show.sent(), (Some(1), false), "what does not come, no link keeps away");
    // An estimate that follows what little is sent.
    show.on = [true; 3];
    show.rig.height(show.viewer, show.slot, 200);
    show.hear(70, 9);
    assert_eq!(show.viewer_report().budget, Some(Bitrate::from_kbps(70)));
    assert_eq!(show.sent(), (Some(0), false), "an eighth less is enough");
    assert_eq!(show.resized(360), (Some(0), true));
    show.rig.room.unpublish(show.rig.now, show.ada, show.track).unwrap();
    assert_eq!(show.sent(), (None, false), "there is nothing to be kept from");
}

#[test]
fn loss_that_is_the_links_own_lowers_the_picture_and_loss_upstream_does_not() {
    for upstream in [true, false] {
        let mut show = Simulcast::new();
        show.rig.height(show.viewer, show.slot, 720);
        show.play(Duration::from_secs(4));
        let ssrc = show.rig.room.streams(show.slot).unwrap().ssrc;
        let (mut lost, mut highest) = (0, 0);
        let mut heights = Vec::new();
        for _ in 0..12 {
            // A fifth of the packets of the largest encoding is lost on its way to us, or on its way from us.
            let end = show.rig.now.plus(Duration::from_secs(1));
            let mut sent = Vec::new();
            while show.rig.now < end {
                let mut all = Vec::new();
                for i in 0..3 {
                    all.extend(show.layers[i].frame(false, [1, 2, 6][i]).into_iter().map(|p| (i, p)));
                }
                for (n, (i, p)) in all.into_iter().enumerate() {
                    if !(upstream && i == 2 && n % 5 == 4) {
                        show.rig.rtp(show.ada, &p);
                    }
                }
                show.rig.pass(Duration::from_millis(33));
                sent.extend(show.rig.take().into_iter().filter(|p| p.pt == 120));
            }
            if let (Some(first), Some(last)) = (sent.first(), sent.last()) {
                let span = last.index.since(first.index) as i32;
                lost += if upstream { span + 1 - sent.len() as i32 } else { span / 5 };
                highest = last.index.0 as u32;
                heights.push(sent.len());
            }
            let block = ReportBlock {
                ssrc,
                fraction_lost: 51,
                cumulative_lost: lost,
                highest,
                jitter: 0,
                last_report: 0,
                delay: 0,
            };
            show.rig.rtcp(show.viewer, |out| ReceiverReport::write(Ssrc(1), &[block], out).unwrap());
        }
        let ceiling = show.viewer_report().budget;
        assert_eq!(ceiling.is_none(), upstream, "{ceiling:?} {heights:?}");
    }
}

#[test]
fn a_screen_of_one_frame_in_five_seconds_is_not_given_up() {
    let mut rig = Rig::new();
    let (ada, viewer) = (rig.join(), rig.join());
    let screen = rig.camera(ada, 3000, Source::Screen);
    let slot = rig.slot(viewer, MediaKind::Video, "5");
    rig.height(viewer, slot, 720);
    let mut share = Vp8::new(3000, 1080);
    for p in share.frame(true, 5) {
        rig.rtp(ada, &p);
    }
    rig.pass(Duration::from_secs(1));
    rig.take_reports();
    let mut asked = 0;
    for _ in 0..6 {
        rig.pass(Duration::from_secs(5));
        for p in share.frame(false, 2) {
            rig.rtp(ada, &p);
        }
        let reports = rig.take_reports();
        asked += reports.iter().flat_map(|r| r.packets()).filter(|p| matches!(p, RtcpPacket::Pli(_))).count();
    }
    assert_eq!(rig.take().len(), 5 + 6 * 2);
    assert_eq!(asked, 0);
    assert_eq!(shown(&rig, viewer)[&slot], (Some(screen), None));
    assert!(rig.now > Time::ZERO);
}

#[test]
fn who_is_sent_nothing_is_looked_at_again() {
    let mut show = Simulcast::new();
    show.rig.height(show.viewer, show.slot, 180);
    show.play(Duration::from_secs(4));
    for _ in 0..8 {
        show.estimate(20);
        show.play(Duration::from_millis(500));
    }
    report_loss(&mut show);
    assert_eq!(show.play(Duration::from_secs(1)).0, 0);
    // No picture, no sound: nothing is reported any more. The picture comes back all the same.
    let mut back = None;
    for second in 0..60 {
        if show.play(Duration::from_secs(1)).0 > 0 {
            back = Some(second);
            break;
        }
    }
    assert!(back.is_some_and(|s| (3..40).contains(&s)), "{back:?}");
    // Its least encoding was never switched off.
    assert!(show.wanted().iter().all(|w| w & 1 == 1));
}

#[test]
fn more_tiles_than_compete_are_all_shown() {
    let mut rig = Rig::new();
    rig.checking = false;
    let viewer = rig.join();
    for i in 0..60 {
        rig.slot(viewer, MediaKind::Video, &format!("v{i}"));
    }
    let mut cameras = Vec::new();
    for i in 0..60 {
        let id = rig.join();
        rig.camera(id, 3000 + 10 * i, Source::Camera);
        cameras.push((id, Vp8::new(3000 + 10 * i, 180)));
    }
    for n in 0..3 {
        for (id, camera) in &mut cameras {
            for p in camera.frame(n == 0, 1) {
                rig.rtp(*id, &p);
            }
        }
        rig.pass(Duration::from_millis(33));
    }
    let seen: BTreeSet<_> = rig.take().iter().map(|p| p.csrc.unwrap().0).collect();
    assert_eq!(seen.len(), 60);
    rig.room.check().unwrap();
}

#[test]
fn what_went_on_until_the_next_came_stops_when_that_is_gone() {
    let mut rig = Rig::new();
    let (viewer, ada, grace) = (rig.join(), rig.join(), rig.join());
    let (a, b) = (rig.camera(ada, 3000, Source::Camera), rig.camera(grace, 4000, Source::Camera));
    let slot = rig.slot(viewer, MediaKind::Video, "5");
    rig.constrain(viewer, slot, View::Track(a), 360);
    let mut camera = Vp8::new(3000, 360);
    for p in camera.frame(true, 2) {
        rig.rtp(ada, &p);
    }
    rig.constrain(viewer, slot, View::Track(b), 360);
    rig.room.unpublish(rig.now, grace, b).unwrap();
    rig.check();
    assert_eq!(rig.take().len(), 2);
    for p in camera.frame(false, 2) {
        rig.rtp(ada, &p);
    }
    assert!(rig.take().is_empty());
    assert_eq!(shown(&rig, viewer)[&slot], (None, Some(EmptyReason::NothingToShow)));
}
