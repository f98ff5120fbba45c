use super::*;
use crate::{Datagram, Tag};
use salon_rtp::extension::{ExtId, ExtensionKind, Values};
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor};
use salon_rtp::rtcp::{Fir, FirEntry, Nack, Pli};
use salon_rtp::{Packet, SeqNo};

fn at(ms: u64) -> Time {
    Time::from_millis(ms)
}

fn media(outbox: &mut Outbox) -> Vec<Vec<u8>> {
    outbox
        .drain()
        .filter_map(|d| match d {
            Datagram::Rtp(bytes) => Some(bytes),
            Datagram::Rtcp(_) => None,
        })
        .collect()
}

fn run(camera: &mut CameraSource, ms: core::ops::Range<u64>) -> Vec<Vec<u8>> {
    let mut outbox = Outbox::default();
    ms.for_each(|t| camera.poll(at(t), &mut outbox));
    media(&mut outbox)
}

fn tag(bytes: &[u8]) -> Tag {
    Tag::of_vp8(Packet::parse(bytes).unwrap().payload()).unwrap()
}

#[test]
fn frames_have_several_packets_and_a_marker_on_the_last() {
    let config = CameraConfig { fps: 30, layers: TemporalLayers::L1T3, ..CameraConfig::default() };
    let mut camera = CameraSource::new(1, CameraConfig { packet_bytes: 300, ..config });
    let packets = run(&mut camera, 0..2_000);
    let mut last: Option<(Tag, u16, u32)> = None;
    for bytes in &packets {
        let p = Packet::parse(bytes).unwrap();
        let (t, d) = (tag(bytes), Vp8Descriptor::parse(p.payload()).unwrap());
        assert_eq!(p.marker(), t.packet + 1 == t.packets);
        assert_eq!(d.is_frame_start(), t.packet == 0);
        assert_eq!(d.is_key(p.payload()), t.packet == 0 && t.key);
        assert_eq!(t.key, t.frame == 0);
        assert_eq!(d.fields().temporal.map(|x| x.layer), Some([0, 2, 1, 2][t.frame as usize % 4]));
        if let Some((before, seq, ts)) = last {
            assert_eq!(p.seq().0, seq.wrapping_add(1));
            let ticks = p.timestamp().0.wrapping_sub(ts);
            assert!(if t.frame == before.frame { ticks == 0 } else { (2_999..=3_001).contains(&ticks) });
        } else {
            assert_eq!(d.key_size(p.payload()), Some((320, 180)));
        }
        last = Some((t, p.seq().0, p.timestamp().0));
    }
    assert_eq!((camera.counts().frames, camera.counts().keys), (60, 1));
    assert!(packets.len() > 120);
    // The numbers began near their wraps.
    assert!(last.is_some_and(|(_, seq, ts)| seq < 0x1000 && ts < 0x8000_0000));
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let bytes = |seed| run(&mut CameraSource::new(seed, CameraConfig::simulcast(1, 100)), 0..1_000);
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn a_key_frame_comes_when_asked_but_not_too_soon() {
    let mut camera = CameraSource::new(1, CameraConfig::default());
    let media = camera.config().encodings[0].ssrc;
    let mut outbox = Outbox::default();
    let (mut pli, mut fir) = (Vec::new(), Vec::new());
    Pli { sender: Ssrc(1), media }.write(&mut pli).unwrap();
    Fir::write(Ssrc(1), &[FirEntry { media, number: 0 }], &mut fir).unwrap();
    run(&mut camera, 0..100);
    camera.handle_rtcp(at(100), &pli, &mut outbox);
    assert!(run(&mut camera, 100..1_000).iter().all(|b| !tag(b).key));
    camera.handle_rtcp(at(1_000), &pli, &mut outbox);
    assert!(tag(&run(&mut camera, 1_000..1_070)[0]).key);
    camera.handle_rtcp(at(2_000), &fir, &mut outbox);
    assert!(run(&mut camera, 1_070..2_070).iter().any(|b| tag(b).key));
    let counts = camera.counts();
    assert_eq!((counts.keys, counts.key_requests, counts.ignored), (3, 3, 1));
}

#[test]
fn a_retransmission_brings_the_same_payload() {
    let mut camera = CameraSource::new(1, CameraConfig::default());
    let packets = run(&mut camera, 0..1_000);
    let wanted = Packet::parse(&packets[7]).unwrap();
    let (mut nack, mut outbox) = (Vec::new(), Outbox::default());
    let missing = [SeqNo(u64::from(wanted.seq().0)), SeqNo(u64::from(wanted.seq().0) + 40_000)];
    Nack::write(Ssrc(1), wanted.ssrc(), missing.into_iter(), &mut nack).unwrap();
    camera.handle_rtcp(at(1_000), &nack, &mut outbox);
    camera.handle_rtcp(at(1_001), &nack, &mut outbox);
    let sent = media(&mut outbox);
    assert_eq!(sent.len(), 1);
    let p = Packet::parse(&sent[0]).unwrap();
    let rtx = Rtx::parse(p.payload()).unwrap();
    assert_eq!((rtx.original, rtx.payload), (wanted.seq(), wanted.payload()));
    assert_eq!((p.timestamp(), p.marker()), (wanted.timestamp(), wanted.marker()));
    assert_eq!((p.pt().get(), Some(p.ssrc())), (97, camera.config().encodings[0].rtx));
    assert_eq!((camera.counts().nacked, camera.counts().retransmitted), (4, 1));
}

#[test]
fn a_simulcast_names_its_encodings_and_pauses_them_apart() {
    let mut config = CameraConfig { mid: Mid::new(b"1").ok(), ..CameraConfig::simulcast(1, 100) };
    for (id, kind) in [(4, ExtensionKind::Mid), (5, ExtensionKind::Rid), (6, ExtensionKind::RepairedRid)] {
        config.extensions.set(kind, ExtId::new(id).unwrap());
    }
    config.identified = 5;
    let map = config.extensions;
    let mut camera = CameraSource::new(1, config);
    let first = run(&mut camera, 0..1_000);
    for (i, rid) in [b"q", b"h", b"f"].iter().enumerate() {
        let mine: Vec<_> = first
            .iter()
            .map(|b| Packet::parse(b).unwrap())
            .filter(|p| p.ssrc().0 == 100 + 2 * i as u32)
            .collect();
        let named = |p: &Packet<'_>| Values::read(p, &map).rid;
        assert!(mine.iter().take(5).all(|p| named(p) == Rid::new(*rid).ok()));
        assert!(mine.iter().skip(5).all(|p| named(p).is_none()));
    }
    camera.set_active(2, false);
    assert!(run(&mut camera, 1_000..2_000).iter().all(|b| tag(b).encoding < 2));
    camera.set_active(2, true);
    let back = run(&mut camera, 2_000..2_500);
    assert!(back.iter().map(|b| tag(b)).find(|t| t.encoding == 2).is_some_and(|t| t.key && t.packet == 0));
}

#[test]
fn a_restart_begins_elsewhere_with_a_key_frame() {
    let mut camera = CameraSource::new(1, CameraConfig::default());
    let before = run(&mut camera, 0..1_000);
    camera.restart();
    let after = run(&mut camera, 1_000..1_100);
    let (old, new) = (Packet::parse(before.last().unwrap()).unwrap(), Packet::parse(&after[0]).unwrap());
    assert_eq!(old.ssrc(), new.ssrc());
    assert!(tag(&after[0]).key && tag(&after[0]).epoch == 1);
    assert_ne!(new.seq().0, old.seq().0.wrapping_add(1));
    assert!(new.timestamp().since(old.timestamp()).unsigned_abs() > 90_000);
}

#[test]
fn padding_and_descriptors_are_as_asked() {
    let config = CameraConfig {
        padding: 0.5,
        picture_ids: PictureIds::Short,
        layer_indices: false,
        key_index: true,
        ..CameraConfig::default()
    };
    let mut camera = CameraSource::new(1, config);
    let packets = run(&mut camera, 0..2_000);
    assert!(camera.counts().padding > 5);
    for bytes in packets {
        let p = Packet::parse(&bytes).unwrap();
        if p.payload().is_empty() {
            assert_eq!((p.padding(), p.marker()), (255, false));
            continue;
        }
        let d = *Vp8Descriptor::parse(p.payload()).unwrap().fields();
        assert!(matches!(d.picture_id, Some(PictureId::Short(_))));
        assert!(d.tl0.is_none() && d.temporal.is_none() && d.key_index == Some(31));
    }
}
