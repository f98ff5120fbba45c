use super::*;
use crate::{CameraConfig, CameraSource, Datagram, Link, LinkConfig, Outbox, PictureIds, TemporalLayers};
use salon_rtp::payload::vp8::{PictureId, Vp8Patch};
use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, Ssrc};

/// A packet as a forwarder holds it, to be tampered with.
#[derive(Clone)]
struct Sent {
    at: Time,
    seq: SeqNo,
    timestamp: RtpTime,
    marker: bool,
    payload: Vec<u8>,
}

impl Sent {
    fn tag(&self) -> Tag {
        Tag::of_vp8(&self.payload).unwrap()
    }

    fn patch(&mut self, change: impl FnOnce(&Vp8Fields) -> Vp8Patch) {
        let d = Vp8Descriptor::parse(&self.payload).unwrap();
        let (prefix, replaced) = d.patched(&change(d.fields()));
        self.payload.splice(..replaced, prefix.as_slice().iter().copied());
    }
}

/// What a camera sends in so many seconds.
fn sent(config: CameraConfig, seconds: u64) -> Vec<Sent> {
    let mut camera = CameraSource::new(1, config);
    let mut outbox = Outbox::default();
    let mut out = Vec::new();
    for ms in 0..seconds * 1_000 {
        let at = Time::from_millis(ms);
        camera.poll(at, &mut outbox);
        for datagram in outbox.drain() {
            let Datagram::Rtp(bytes) = datagram else { continue };
            let p = Packet::parse(&bytes).unwrap();
            // From here on an extended number, so that tests can count.
            let seq = SeqNo(0xff80 + out.len() as u64);
            assert_eq!(seq.seq(), p.seq());
            out.push(Sent {
                at,
                seq,
                timestamp: p.timestamp(),
                marker: p.marker(),
                payload: p.payload().to_vec(),
            });
        }
    }
    out
}

fn decode(packets: &[Sent]) -> DecoderReport {
    let mut decoder = Vp8Decoder::default();
    for s in packets {
        let header = Header {
            pt: Pt::new(96).unwrap(),
            marker: s.marker,
            timestamp: s.timestamp,
            csrc: None,
            extensions: OutExtensions::NONE,
        };
        let out = Outgoing {
            ssrc: Ssrc(1),
            index: s.seq,
            header,
            prefix: Prefix::EMPTY,
            tail: &s.payload,
            padding: 0,
        };
        let mut bytes = vec![0; 2_000];
        let n = out.write_header(&mut bytes).unwrap();
        let n = n + out.write_body(&mut bytes[n..]).unwrap();
        decoder.push(s.at, &Packet::parse(&bytes[..n]).unwrap());
    }
    decoder.finish()
}

fn config(layers: TemporalLayers) -> CameraConfig {
    CameraConfig { layers, fps: 30, packet_bytes: 400, ..CameraConfig::default() }
}

/// Numbers what is left densely.
fn renumber(packets: &mut [Sent]) {
    for (i, p) in packets.iter_mut().enumerate() {
        p.seq = SeqNo(0xff80 + i as u64);
    }
}

#[test]
fn whatever_a_camera_sends_is_decoded_over_all_wraps() {
    for layers in [TemporalLayers::L1T1, TemporalLayers::L1T2, TemporalLayers::L1T3] {
        let packets = sent(config(layers), 30);
        let report = decode(&packets);
        assert_eq!(report.broken_law(), None, "{layers:?} {report:?}");
        assert_eq!((report.complete, report.decoded, report.undecodable), (900, 900, 0), "{layers:?}");
        assert_eq!((report.switches, report.stream.holes, report.stream.duplicates), (1, 0, 0));
        assert!(report.longest_gap <= Duration::from_millis(34));
    }
}

#[test]
fn what_comes_out_of_order_is_decoded_all_the_same() {
    let mut packets = sent(config(TemporalLayers::L1T3), 10);
    for pair in packets.chunks_exact_mut(2) {
        pair.swap(0, 1);
    }
    let report = decode(&packets);
    assert_eq!((report.broken_law(), report.undecodable), (None, 0));
}

#[test]
fn without_ids_frames_follow_their_numbers_and_padding_does_not_break_them() {
    let plain = CameraConfig {
        picture_ids: PictureIds::Absent,
        layer_indices: false,
        padding: 0.3,
        ..CameraConfig::default()
    };
    let mut camera = CameraSource::new(1, plain);
    let (mut outbox, mut decoder) = (Outbox::default(), Vp8Decoder::default());
    for ms in 0..10_000 {
        let now = Time::from_millis(ms);
        camera.poll(now, &mut outbox);
        for datagram in outbox.drain() {
            if let Datagram::Rtp(bytes) = datagram {
                decoder.push(now, &Packet::parse(&bytes).unwrap());
            }
        }
    }
    let report = decoder.finish();
    assert_eq!((report.broken_law(), report.decoded), (None, 150));
    assert!(report.padding > 20);
    // A lost packet ends it until the next key frame.
    let mut packets = sent(CameraConfig { padding: 0.0, ..camera.config().clone() }, 10);
    packets.remove(100);
    assert!(decode(&packets).decoded < 100);
}

#[test]
fn seven_bits_of_picture_id_freeze_where_they_wrap() {
    let short =
        CameraConfig { picture_ids: PictureIds::Short, first_picture_id: 28, ..config(TemporalLayers::L1T1) };
    let report = decode(&sent(short, 10));
    assert_eq!((report.complete, report.decoded), (300, 100));
}

#[test]
fn loss_without_repair_never_shows_a_broken_picture() {
    for layers in [TemporalLayers::L1T1, TemporalLayers::L1T2, TemporalLayers::L1T3] {
        for seed in 0..5 {
            let mut camera = CameraSource::new(seed, config(layers));
            let loss = LinkConfig { loss: 0.005, duplicate: 0.01, reorder: 0.05, ..LinkConfig::default() };
            let mut link = Link::new(seed, loss);
            let (mut outbox, mut decoder) = (Outbox::default(), Vp8Decoder::new(Duration::from_millis(50)));
            for ms in 0..20_000 {
                let now = Time::from_millis(ms);
                if ms % 2_000 == 0 {
                    camera.set_active(0, false);
                    camera.set_active(0, true);
                }
                camera.poll(now, &mut outbox);
                outbox.drain().for_each(|d| link.push(now, d));
                while let Some(d) = link.pop(now) {
                    if let Datagram::Rtp(bytes) = d {
                        decoder.push(now, &Packet::parse(&bytes).unwrap());
                    }
                }
                decoder.poll(now);
            }
            let report = decoder.finish();
            assert_eq!(report.broken_law(), None, "{layers:?} {seed} {report:?}");
            assert!(report.stream.holes > 0 && report.stream.duplicates > 0);
            assert!(report.decoded > 100 && report.decoded < report.complete, "{report:?}");
        }
    }
}

#[test]
fn layers_left_out_with_compact_ids_decode_and_with_gaps_do_not() {
    let all = sent(config(TemporalLayers::L1T3), 10);
    let upper_gone = |compact: bool| {
        // Layer 1 frames 2 and 6 of 8 stay; layer 2 goes. Layer 1's second frame is no sync frame.
        let mut packets: Vec<_> = all.iter().filter(|p| p.tag().layer < 2).cloned().collect();
        renumber(&mut packets);
        let mut id = 0x7ff0;
        let mut last = None;
        for p in &mut packets {
            if compact && last.replace(p.tag().frame).is_some_and(|f| f != p.tag().frame) {
                id = (id + 1) & 0x7fff;
            }
            if compact {
                p.patch(|_| Vp8Patch { picture_id: Some(PictureId::Long(id)), ..Vp8Patch::default() });
            }
        }
        decode(&packets)
    };
    let good = upper_gone(true);
    assert_eq!((good.broken_law(), good.complete, good.undecodable), (None, 150, 0), "{good:?}");
    let bad = upper_gone(false);
    assert_eq!(bad.broken_law(), Some("picture_id_breaks"));
    assert!(bad.undecodable > 30, "{bad:?}");
}

#[test]
fn each_broken_law_is_named() {
    let good = sent(config(TemporalLayers::L1T1), 5);
    let middle = good.len() / 2;
    let end = good.iter().position(|p| p.seq > good[middle].seq && p.marker).unwrap();
    let broken = |change: &dyn Fn(&mut Vec<Sent>)| {
        let mut packets = good.clone();
        change(&mut packets);
        decode(&packets)
    };
    let law = |change: &dyn Fn(&mut Vec<Sent>)| broken(change).broken_law();
    assert_eq!(law(&|_| ()), None);
    assert_eq!(law(&|p| p[end].marker = false), Some("marker_errors"));
    assert_eq!(law(&|p| p[end - 1].marker = true), Some("marker_errors"));
    assert_eq!(law(&|p| p[end].timestamp = p[end].timestamp.wrapping_add(1)), Some("timestamp_errors"));
    assert_eq!(law(&|p| p[end].timestamp = p[0].timestamp), Some("backwards"));
    // A packet dropped within a frame and its number given to the next.
    let torn = broken(&|p| {
        p.remove(end - 1);
        renumber(p);
    });
    assert!(torn.torn > 0 && torn.corrupt > 0, "{torn:?}");
    // Another's frames from the middle on, without a key frame.
    let keyless = broken(&|p| {
        for s in &mut p[end + 1..] {
            let mut tag = s.tag();
            tag.source = 99;
            let at = s.payload.windows(4).position(|w| w == b"\xa5tag").unwrap();
            s.payload.splice(at..at + Tag::LEN, tag.write());
        }
    });
    assert!(keyless.keyless == 1 && keyless.switches == 2 && keyless.corrupt > 0, "{keyless:?}");
    // A frame left out, its numbers compacted, and its ids too: the picture breaks though libwebrtc is content.
    let gone = broken(&|p| {
        let frame = p[end].tag().frame;
        p.retain(|s| s.tag().frame != frame);
        renumber(p);
        for s in p.iter_mut().filter(|s| s.tag().frame > frame) {
            s.patch(|f| Vp8Patch {
                picture_id: f.picture_id.map(|id| PictureId::Long(id.get().wrapping_sub(1) & 0x7fff)),
                tl0: f.tl0.map(|v| v.wrapping_sub(1)),
                key_index: None,
            });
        }
    });
    assert_eq!(gone.broken_law(), Some("corrupt"));
    assert_eq!((gone.picture_id_breaks, gone.undecodable), (0, 0));
    // A descriptor that loses a field on the way.
    assert_eq!(law(&|p| _ = p[end + 1].payload.splice(..6, [0x90, 0x80, 0x80, 0x01])), Some("shape_changes"));
    // The same number for two packets.
    assert_eq!(law(&|p| p[end].seq = p[end - 1].seq), Some("conflicts"));
    let twice = broken(&|p| p.insert(end, p[end].clone()));
    assert_eq!((twice.broken_law(), twice.stream.duplicates), (None, 1));
}

#[test]
fn a_key_frame_with_an_older_id_is_believed_if_its_time_is_newer() {
    // Without TL0PICIDX: with it, libwebrtc would go on to drop those that meet the base pictures of before.
    let config = CameraConfig { layer_indices: false, ..config(TemporalLayers::L1T1) };
    let mut packets = sent(config.clone(), 4);
    let second: Vec<_> = sent(config, 4)
        .into_iter()
        .map(|s| Sent {
            at: s.at.plus(Duration::from_secs(4)),
            seq: s.seq.plus(packets.len() as u64),
            timestamp: s.timestamp.wrapping_add(4 * 90_000),
            ..s
        })
        .collect();
    packets.extend(second);
    let report = decode(&packets);
    assert_eq!((report.complete, report.decoded, report.corrupt), (240, 240, 0), "{report:?}");
}

#[test]
fn any_packets_leave_it_bounded_and_alive() {
    let mut rng = crate::Rng::new(1);
    let valid = sent(config(TemporalLayers::L1T3), 2);
    let mut decoder = Vp8Decoder::new(Duration::from_millis(20));
    let (mut seq, mut timestamp) = (0u16, 0u32);
    for i in 0..60_000 {
        // Mostly the next number, sometimes any; payloads that are valid, flipped or nonsense.
        seq = if rng.chance(0.01) { rng.next_u64() as u16 } else { seq.wrapping_add(rng.below(3) as u16) };
        timestamp = if rng.chance(0.01) {
            rng.next_u64() as u32
        } else {
            timestamp.wrapping_add(rng.below(2) as u32)
        };
        let mut payload = rng.pick(&valid).map(|s| s.payload.clone()).unwrap_or_default();
        if rng.chance(0.3) {
            let at = rng.below(payload.len() as u64) as usize;
            payload[at] ^= 1 << rng.below(8);
        }
        payload.truncate(if rng.chance(0.1) { rng.below(30) as usize } else { payload.len() });
        let marker = rng.chance(0.4);
        decoder.take(Time::from_millis(i), Seq(seq), RtpTime(timestamp), marker, &payload, rng.chance(0.1));
        // The window, what waits for references, what waits for its turn, what is remembered, what nobody fetched.
        assert!(decoder.size() <= 1_500 + 500 + 2_900 + KEPT);
    }
    let report = decoder.finish();
    assert!(report.broken_law().is_some() && report.decoded > 0);
}

/// A browser's own stream: what libwebrtc sent, its receiver's model takes. (Its packets carry no tag of ours.)
#[test]
fn a_captured_stream_is_understood() {
    let mut rest = &include_bytes!("../../../rtp/tests/data/vp8.lp")[..];
    let mut references = References::default();
    let (mut frames, mut known, mut first) = (0, 0, true);
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (bytes, after) = after[8..].split_at(u32::from_le_bytes(*len) as usize);
        rest = after;
        let p = Packet::parse(bytes).unwrap();
        let Ok(d) = Vp8Descriptor::parse(p.payload()) else { continue };
        let start = core::mem::replace(&mut first, p.marker());
        assert_eq!(start, d.is_frame_start());
        if !start {
            continue;
        }
        let seq = SeqNo(0x1_0000 + u64::from(p.seq().0));
        let tag = sent(config(TemporalLayers::L1T1), 1)[0].tag();
        let key = d.is_key(p.payload());
        let frame = Complete {
            tag,
            key,
            whole: true,
            timestamp: p.timestamp(),
            at: Time::ZERO,
            before: SeqNo(seq.0 - 1),
            last: seq,
            fields: *d.fields(),
        };
        frames += 1;
        match references.take(frame) {
            Verdict::Known { refers_to, .. } => {
                assert_eq!(refers_to.is_empty(), key);
                known += 1;
            }
            Verdict::Stashed | Verdict::Dropped => panic!("{frame:?}"),
        }
    }
    assert_eq!((frames, known), (101, 101));
}
