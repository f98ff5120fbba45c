//! The seeds of libwebrtc's fuzzers, whole, cut and with each length field changed, through everything that reads bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

mod lines;

use proptest::prelude::*;
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap, Values};
use salon_rtp::payload::{h264::H264Payload, opus, rtx::Rtx, vp8::Vp8Descriptor, vp9::Vp9Descriptor};
use salon_rtp::rtcp::{Compound, RtcpPacket, XrBlock};
use salon_rtp::{Demux, Packet};

/// Reads all that an RTP packet says; whether it is one.
fn read_rtp(bytes: &[u8]) -> bool {
    let _ = Demux::of(bytes);
    let Ok(p) = Packet::parse(bytes) else { return false };
    assert_eq!(p.header().len() + p.payload().len() + p.padding(), bytes.len());
    assert!(p.csrcs().count() <= 15);
    let mut map = ExtensionMap::EMPTY;
    for (id, &kind) in (1..).zip(ExtensionKind::ALL) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    let _ = Values::read(&p, &map);
    read_payload(p.payload());
    true
}

fn read_payload(payload: &[u8]) {
    let _ = H264Payload::parse(payload);
    let _ = opus::ticks(payload);
    let _ = Rtx::parse(payload);
    if let Ok(d) = Vp8Descriptor::parse(payload) {
        let _ = (d.is_key(payload), d.key_size(payload));
    }
    let _ = Vp9Descriptor::parse(payload).map(|d| d.is_key());
}

/// Reads all that a datagram of RTCP says; how many packets are in it.
fn read_rtcp(bytes: &[u8]) -> usize {
    let Ok(compound) = Compound::parse(bytes) else { return 0 };
    let mut packets = 0;
    for packet in &compound {
        packets += 1;
        match packet {
            RtcpPacket::SenderReport(r) => assert!(r.blocks.iter().count() <= 31),
            RtcpPacket::ReceiverReport(r) => assert!(r.blocks.iter().count() <= 31),
            RtcpPacket::Sdes(s) => {
                for chunk in s.chunks() {
                    assert!(chunk.items().count() <= bytes.len());
                    let _ = chunk.cname();
                }
            }
            RtcpPacket::Bye(b) => {
                let _ = (b.ssrcs().count(), b.reason());
            }
            RtcpPacket::Nack(n) => assert!(n.seqs().count() <= 17 * bytes.len() / 4),
            RtcpPacket::Fir(f) => assert!(f.entries().count() * 8 <= bytes.len()),
            RtcpPacket::Remb(r) => assert!(r.ssrcs().count() * 4 <= bytes.len()),
            RtcpPacket::Twcc(t) => {
                assert_eq!(t.statuses(usize::MAX).count(), t.len());
                assert_eq!(t.statuses(100).count(), t.len().min(100));
            }
            RtcpPacket::App(a) => assert!(a.data.len() < bytes.len()),
            RtcpPacket::Xr(x) => {
                assert!(x.unknown() <= x.blocks().count() && x.blocks().count() * 4 <= bytes.len());
                for block in x.blocks() {
                    if let XrBlock::Dlrr(d) = block {
                        assert!(d.entries().count() * 12 <= bytes.len());
                    }
                }
            }
            RtcpPacket::Ccfb(c) => {
                let statuses: usize = c.reports().map(|r| r.statuses().count()).sum();
                assert!(statuses * 2 + c.reports().count() * 8 <= bytes.len());
            }
            _ => {}
        }
    }
    // A compound that was accepted gives all of its packets.
    let claimed = core::iter::successors(Some(bytes), |b| {
        let words = usize::from(u16::from_be_bytes([b[2], b[3]]));
        b.get(4 + 4 * words..).filter(|b| !b.is_empty())
    });
    assert_eq!(packets, claimed.count());
    packets
}

fn seeds(text: &str) -> Vec<Vec<u8>> {
    lines::of(text).map(|l| lines::hex(l.split_once(' ').map_or("", |(_, hex)| hex))).collect()
}

/// Each byte set to 0, 1, 127, 255 and moved by one, then each prefix.
fn mutations(seed: &[u8], mut read: impl FnMut(&[u8])) {
    for at in 0..seed.len() {
        for value in [0, 1, 127, 255, seed[at].wrapping_add(1), seed[at].wrapping_sub(1)] {
            let mut bytes = seed.to_vec();
            bytes[at] = value;
            read(&bytes);
        }
        read(&seed[..at]);
    }
}

#[test]
fn seeds_of_rtp() {
    let seeds = seeds(include_str!("data/rtp_seeds.txt"));
    // As many as we take today: a change of this number is a change of what we accept.
    assert_eq!((seeds.len(), seeds.iter().filter(|s| read_rtp(s)).count()), (37, 24));
    for seed in &seeds {
        mutations(seed, |b| _ = read_rtp(b));
    }
}

#[test]
fn seeds_of_rtcp() {
    let seeds = seeds(include_str!("data/rtcp_seeds.txt"));
    assert_eq!((seeds.len(), seeds.iter().filter(|s| read_rtcp(s) > 0).count()), (77, 58));
    for seed in &seeds {
        mutations(seed, |b| _ = read_rtcp(b));
    }
}

#[test]
fn verdicts_mutated() {
    for line in lines::of(include_str!("data/rtcp_verdicts.txt")) {
        let (_, hex) = line.rsplit_once('|').unwrap();
        mutations(&lines::hex(hex), |b| _ = read_rtcp(b));
    }
}

proptest! {
    #![proptest_config(cases::cases(1024))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_rtp(&bytes);
        read_rtcp(&bytes);
        read_payload(&bytes);
    }

    /// Random bytes behind a header that makes some reader look at them.
    #[test]
    fn random_bodies(
        body in prop::collection::vec(any::<u8>(), 0..200), first in 0x80u8..=0xff, kind in 199u8..=207,
        profile in prop::sample::select(vec![0xbedeu16, 0x1000]),
    ) {
        let words = (body.len() / 4) as u16;
        let body = &body[..body.len() / 4 * 4];
        let rtcp = [&[first, kind][..], &words.to_be_bytes(), body].concat();
        read_rtcp(&rtcp);
        let rtp = [
            &[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &profile.to_be_bytes(), &(words / 2).to_be_bytes(), body,
        ].concat();
        prop_assert!(read_rtp(&rtp));
    }
}
