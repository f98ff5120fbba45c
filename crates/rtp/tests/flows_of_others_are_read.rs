//! Captures of real streams: every packet is read, and what it says hangs together.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use salon_rtp::payload::h264::{H264Payload, NalParts, Sps};
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::{H264Profile, Packet, RtpTime};

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
    // The sender begins small and grows.
    assert_eq!(sizes, [[(494, 370); 4].as_slice(), &[(640, 480); 3]].concat());
}

#[test]
fn pcmu_with_real_jitter() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/flows/pcmu_stereo_jitter.lp");
    let Ok(flow) = std::fs::read(path) else {
        println!("skipped: pcmu_stereo_jitter.lp is not here (690 kB, not kept with the source)");
        return;
    };
    assert!(records(&flow).all(|b| Packet::parse(b).is_ok_and(|p| p.payload().len() == 320)));
}
