//! A hundred thousand mutants of each kind of seed: no panic, and nothing that is read is larger than what it was read from.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod lines;
#[allow(unreachable_pub)]
mod mutate;
mod readers;

use mutate::Dice;
use readers::*;
use salon_rtp::Packet;
use salon_rtp::extension::descriptor::DescriptorReader;
use salon_rtp::extension::{LayerSize, LayersAllocation, SpatialLayer};
use salon_rtp::payload::vp8::PictureId;
use salon_rtp::payload::vp9::{Vp9Fields, Vp9GroupPicture, Vp9Layer, Vp9StructureFields};
use salon_rtp::payload::{av1::Av1Payload, red::Red, red::RedBlock};
use salon_rtp::rtcp::*;
use salon_rtp::{Bitrate, NtpTime, Pt, Seq, SeqNo, Ssrc, Time};

const MUTANTS: u32 = 100_000;

/// Mutants of seeds, each changed one to four times, all through a reader; how many it took.
fn mutants(kind: &str, seeds: &[Vec<u8>], mut read: impl FnMut(&[u8]) -> bool) {
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    let mut taken = 0u32;
    for _ in 0..MUTANTS {
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(4) {
            let other = dice.below(seeds.len());
            mutate::bytes(&mut dice, &mut bytes, &seeds[other]);
        }
        bytes.truncate(4_000);
        taken += u32::from(read(&bytes));
    }
    println!("{kind}: {} seeds, {MUTANTS} mutants, {taken} of them are read", seeds.len());
    // A mutator that breaks everything, or nothing, would test nothing.
    assert!(taken > MUTANTS / 50, "{kind}: {taken}");
}

fn seeds(text: &str) -> Vec<Vec<u8>> {
    lines::of(text).map(|l| lines::hex(l.rsplit_once(' ').map_or("", |(_, hex)| hex))).collect()
}

/// The packets of a capture: `u32le length, u64le arrival, bytes` each.
fn flow(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (bytes, after) = after[8..].split_at(u32::from_le_bytes(*len) as usize);
        rest = after;
        all.push(bytes.to_vec());
    }
    all
}

fn payloads(flow: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let payload = |b: &Vec<u8>| Some(Packet::parse(b).ok()?.payload().to_vec()).filter(|p| !p.is_empty());
    // The first bytes are what is read.
    flow.iter()
        .filter_map(payload)
        .map(|mut p| {
            p.truncate(120);
            p
        })
        .collect()
}

#[test]
fn rtp() {
    let mut all = seeds(include_str!("data/rtp_seeds.txt"));
    all.extend(flow(include_bytes!("data/vp8.lp")).into_iter().take(20));
    mutants("rtp", &all, read_rtp);
}

#[test]
fn rtcp() {
    let mut all = seeds(include_str!("data/rtcp_seeds.txt"));
    all.extend(
        lines::of(include_str!("data/rtcp_verdicts.txt")).map(|l| lines::hex(l.rsplit_once('|').unwrap().1)),
    );
    all.extend(reports());
    mutants("rtcp", &all, |b| read_rtcp(b) > 0);
}

/// What no corpus has: extended reports and both kinds of feedback on every packet.
fn reports() -> [Vec<u8>; 3] {
    let mut xr = Vec::new();
    let answer = DlrrEntry { receiver: Ssrc(3), last_reference: 4, delay: 5 };
    Xr::write(Ssrc(1), Some(NtpTime(7)), &[answer; 3], &mut xr).unwrap();
    let arrival = Some(CcfbArrival { ecn: Ecn::Ect1, offset: ArrivalOffset::Ticks(100) });
    let statuses = [arrival, None, arrival];
    let stream = |n: u16| CcfbStream { media: Ssrc(n.into()), begin: Seq(n), statuses: &statuses };
    let mut ccfb = Vec::new();
    Ccfb::write(Ssrc(1), 9, [stream(5), stream(65_535)].into_iter(), 1_200, &mut ccfb).unwrap();
    let arrivals = (0..40).map(|i| (SeqNo(i * i), Time::from_millis(i * (i % 7))));
    let mut twcc = Vec::new();
    TwccReport { sender: Ssrc(1), media: Ssrc(2), count: 3 }
        .write(SeqNo(0), arrivals, 1_200, &mut twcc)
        .unwrap();
    [xr, ccfb, twcc]
}

#[test]
fn dependency_descriptors() {
    let split = |l: &str| lines::hex(l.split('|').nth(1).unwrap());
    let mut all: Vec<_> = lines::of(include_str!("data/descriptors.txt")).map(split).collect();
    let known = all.clone();
    all.extend(seeds(include_str!("data/descriptor_seeds.txt")).into_iter().map(|mut s| {
        s.truncate(255);
        s
    }));
    let mut turn = 0;
    mutants("dependency descriptors", &all, |bytes| {
        // Over one of the structures, then as a stream of its own.
        let mut reader = DescriptorReader::default();
        turn += 1;
        let first = reader.read(SeqNo(0), &known[turn % known.len()]).is_ok();
        let read = read_descriptors(&mut reader, bytes.chunks(255));
        first && read > 0
    });
}

#[test]
fn layers_allocations_and_other_values() {
    let layer = |stream, spatial, sized: bool| SpatialLayer {
        stream,
        spatial,
        temporal_layers: 3,
        rates: [100, 200, 300, 0].map(Bitrate::from_kbps),
        size: sized.then_some(LayerSize { width: 320, height: 180, fps: 30 }),
    };
    let mut all = vec![vec![0; 8], vec![7; 16], vec![0, 0x10, 0x20]];
    for layers in [
        vec![layer(0, 0, true)],
        vec![layer(0, 0, false), layer(1, 0, false)],
        vec![layer(0, 0, true), layer(2, 1, true)],
    ] {
        let mut out = Vec::new();
        LayersAllocation::new(0, 3, &layers).unwrap().write(&mut out).unwrap();
        all.push(out);
    }
    mutants("layers allocations", &all, |b| {
        read_values(b);
        LayersAllocation::parse(b).is_ok()
    });
}

#[test]
fn vp8() {
    let all = payloads(&flow(include_bytes!("data/vp8.lp")));
    mutants("vp8", &all, |b| {
        read_payload(b);
        salon_rtp::payload::vp8::Vp8Descriptor::parse(b).is_ok()
    });
}

#[test]
fn vp9() {
    let layer = Some(Vp9Layer { temporal: 1, switch_up: true, spatial: 1, inter_layer: true });
    let picture = |t, r: &[u8]| Vp9GroupPicture::new(t, false, r).unwrap();
    let group = [picture(0, &[1]), picture(2, &[1, 2, 3]), picture(1, &[])];
    let structure = Vp9StructureFields { spatial_layers: 2, sizes: &[(320, 180), (640, 360)], group: &group };
    let id = Some(PictureId::Long(300));
    let base = Vp9Fields { picture_id: id, start: true, layer, ..Vp9Fields::default() };
    let flexible = Vp9Fields { flexible: true, inter_picture: true, references: &[1, 9, 90], ..base };
    let written = [base, Vp9Fields { structure: Some(structure), ..base }, flexible].map(|f| {
        let mut out = Vec::new();
        f.write(&mut out).unwrap();
        out.extend([9; 20]);
        out
    });
    mutants("vp9", &written, |b| {
        read_payload(b);
        salon_rtp::payload::vp9::Vp9Descriptor::parse(b).is_ok()
    });
}

#[test]
fn av1() {
    let sequence = [0x08, 0x00, 0x00, 0x00, 0x42, 0x62, 0x7f, 0xb3, 0x80];
    let frame = [0x34, 0x20, 1, 2, 3, 4, 5, 6, 7];
    let sets: [&[&[u8]]; 3] = [&[&sequence, &frame], &[&frame], &[&frame, &frame, &sequence, &frame, &frame]];
    let written = sets.map(|elements| {
        let mut out = Vec::new();
        Av1Payload::write(true, false, true, elements, &mut out).unwrap();
        out
    });
    mutants("av1", &written, |b| {
        read_payload(b);
        Av1Payload::parse(b).is_ok()
    });
}

#[test]
fn h264() {
    let all = payloads(&flow(include_bytes!("data/h264.lp")));
    mutants("h264", &all, |b| {
        read_payload(b);
        salon_rtp::payload::h264::H264Payload::parse(b).is_ok()
    });
}

#[test]
fn h265() {
    let all = [
        vec![33 << 1, 1, 0x42, 1, 1],
        vec![48 << 1, 1, 0, 3, 32 << 1, 1, 9, 0, 2, 33 << 1, 1, 0, 4, 19 << 1, 1, 0x80, 7],
        vec![49 << 1, 1, 0x80 | 19, 1, 2, 3],
        vec![2 << 1, 3, 0x80, 1, 2],
    ];
    mutants("h265", &all, |b| {
        read_payload(b);
        salon_rtp::payload::h265::H265Payload::parse(b).is_ok()
    });
}

#[test]
fn opus_and_redundant_audio() {
    let pt = Pt::new(111).unwrap();
    let sound = [0xfcu8, 1, 2, 3, 4, 5, 6, 7, 8];
    let mut red = Vec::new();
    let block = |offset| RedBlock { pt, offset, data: &sound };
    Red::write(&[block(1_920), block(960)], pt, &sound, &mut red).unwrap();
    let all = [
        red,
        sound.to_vec(),
        vec![0xfd, 1, 2, 3, 4],
        vec![0xfe, 2, 1, 2, 3],
        vec![0xfb, 0xc3, 2, 1, 1, 7, 7, 8, 0, 0],
        vec![0xfb, 0x04, 1, 2, 3, 4],
    ];
    mutants("opus and red", &all, |b| {
        read_payload(b);
        salon_rtp::payload::opus::OpusPacket::parse(b).is_ok()
    });
}
