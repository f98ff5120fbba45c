//! Captures of real streams: every packet is read, and what it says hangs together.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use salon_rtp::payload::h264::{H264Payload, NalParts, Sps};
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::{H264Profile, Packet, RtpTime, SeqNo};

/// Records of `u32le length, u64le arrival, bytes`.
fn records(flow: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = flow;
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let (bytes, after) = after.get(8..)?.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = after;
        Some(bytes)
    })
}

#[test]
fn vp8_frames_start_where_the_timestamp_changes() {
    let (mut packets, mut keys, mut frames, mut last) = (0, 0, 0, None::<RtpTime>);
    for bytes in records(include_bytes!("data/vp8.lp")) {
        let p = Packet::parse(bytes).unwrap();
        packets += 1;
        if p.payload().is_empty() {
            continue;
        }
        let d = Vp8Descriptor::parse(p.payload()).unwrap();
        let new = last.replace(p.timestamp()) != Some(p.timestamp());
        assert_eq!(d.is_frame_start(), new, "{:?}", d.fields());
        frames += u32::from(new);
        if let Some(size) = d.key_size(p.payload()) {
            assert_eq!(size, (240, 180));
            keys += 1;
        }
        // Chromium's fifteen-bit picture id; the patch that changes nothing changes nothing.
        let (prefix, replaced) = d.patched(&Default::default());
        assert_eq!(prefix.as_slice(), &p.payload()[..replaced]);
    }
    assert_eq!((packets, frames, keys), (104, 101, 3));
    println!("vectors: flows (vp8): {packets} packets of 104 read");
}

#[test]
fn h264_frames_open_where_the_timestamp_changes() {
    let (mut packets, mut keys, mut cut, mut alone, mut last) = (0, 0, 0, false, None::<RtpTime>);
    let mut sizes = Vec::new();
    for bytes in records(include_bytes!("data/h264.lp")) {
        let p = Packet::parse(bytes).unwrap();
        packets += 1;
        if p.payload().is_empty() {
            continue;
        }
        let Ok(facts) = H264Payload::parse(p.payload()) else {
            // The capture has one packet that was cut short: an aggregate whose last unit ends after the packet does.
            cut += 1;
            continue;
        };
        let new = last.replace(p.timestamp()) != Some(p.timestamp());
        // Nothing but the first packet of a frame looks like one, and the first slice where parameter sets came alone.
        assert!(new || !facts.first || alone, "{facts:?}");
        alone = (facts.sps || facts.pps) && !facts.idr;
        keys += u32::from(facts.sps);
        for unit in NalParts::parse(p.payload()).unwrap().filter(|u| u.kind() == 7) {
            let sps = Sps::parse(&[&[unit.header], unit.body].concat()).unwrap();
            assert_eq!((sps.profile(), sps.level()), (Some(H264Profile::ConstrainedBaseline), 30));
            sizes.push((sps.width, sps.height));
        }
    }
    assert_eq!((packets, keys, cut), (298, 7, 1));
    println!(
        "vectors: flows (h264): {packets} packets of 298 read, {cut} of them an aggregate that was cut short"
    );
    // The sender begins small and grows.
    assert_eq!(sizes, [[(494, 370); 4].as_slice(), &[(640, 480); 3]].concat());
}

/// Sound at 8 kHz, 160 samples a packet, over a network that lost 53 of 2,062 packets, and turned some round.
#[test]
fn pcmu_over_a_real_network_keeps_its_clock() {
    let heads: Vec<_> = include_bytes!("data/pcmu_stereo_jitter.heads").chunks_exact(20).collect();
    let (mut first, mut last, mut behind, mut newest) = (None, None, 0, SeqNo(0));
    for record in &heads {
        // Whatever was said: what is read does not depend on it.
        let bytes = [&record[..12], &[0xff; 320]].concat();
        let arrival = u64::from_le_bytes(record[12..].try_into().unwrap());
        let p = Packet::parse(&bytes).unwrap();
        assert_eq!((p.pt().get(), p.ssrc().0, p.payload().len(), p.marker()), (125, 0x49a2_e558, 320, false));
        let (begin, time) = *first.get_or_insert((SeqNo(p.seq().0.into()), p.timestamp()));
        let index = match last {
            None => begin,
            Some(_) => p.seq().extend(newest).unwrap(),
        };
        assert_eq!(u64::from(p.timestamp().0.wrapping_sub(time.0)), 160 * index.since(begin));
        behind += u32::from(last.is_some_and(|l: SeqNo| index < l));
        newest = newest.max(index);
        last = Some(index);
        assert!((30_000..41_400_000).contains(&arrival));
    }
    assert_eq!((heads.len(), newest.since(first.unwrap().0) + 1, behind), (2_009, 2_062, 417));
    println!("vectors: flows (pcmu): {} packets of 2009 read", heads.len());
}
