//! Everything that reads bytes, and what must hold of whatever it read.
#![allow(dead_code)]

use salon_rtp::extension::descriptor::*;
use salon_rtp::extension::*;
use salon_rtp::payload::av1::Av1Payload;
use salon_rtp::payload::h264::{H264Payload, NalParts, Sps};
use salon_rtp::payload::h265::H265Payload;
use salon_rtp::payload::opus::{self, OpusPacket};
use salon_rtp::payload::{red::Red, rtx::Rtx, vp8::Vp8Descriptor, vp9::Vp9Descriptor};
use salon_rtp::rtcp::{Compound, RtcpPacket, XrBlock};
use salon_rtp::{Demux, Packet, SeqNo};

/// Reads all that an RTP packet says; whether it is one.
pub(crate) fn read_rtp(bytes: &[u8]) -> bool {
    let _ = Demux::of(bytes);
    let Ok(p) = Packet::parse(bytes) else { return false };
    assert_eq!(p.header().len() + p.payload().len() + p.padding(), bytes.len());
    assert!(p.csrcs().count() <= 15);
    let mut map = ExtensionMap::EMPTY;
    for (id, &kind) in (1..).zip(ExtensionKind::ALL) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    let _ = Values::read(&p, &map);
    p.extensions().for_each(|(_, value)| read_values(value));
    read_payload(p.payload());
    true
}

/// Reads all that a payload says to every codec.
pub(crate) fn read_payload(payload: &[u8]) {
    let len = payload.len();
    read_h26x(payload);
    if let Ok(p) = Av1Payload::parse(payload) {
        let parts: Vec<_> = p.parts().collect();
        assert!(
            !parts.is_empty() && parts.len() < len && parts.iter().map(|o| o.data.len()).sum::<usize>() < len
        );
        assert!(p.layer().is_none_or(|l| l.temporal < 8 && l.spatial < 4));
        assert!(p.sequence_header().is_none_or(|s| s.width <= 65_536 && s.height <= 65_536));
    }
    if let Ok(p) = OpusPacket::parse(payload) {
        assert_eq!((p.frames().count(), Some(p.ticks())), (usize::from(p.count()), opus::ticks(payload)));
        assert!(p.frames().map(<[u8]>::len).sum::<usize>() + p.padding() < len);
    }
    if let Ok(r) = Red::parse(payload) {
        let redundant: usize = r.redundant().map(|b| 4 + b.data.len()).sum();
        assert_eq!(redundant + 1 + r.primary().data.len(), len);
    }
    let _ = Rtx::parse(payload);
    if let Ok(d) = Vp8Descriptor::parse(payload) {
        assert!(d.len() <= len.min(Vp8Descriptor::MAX));
        let _ = (d.is_key(payload), d.key_size(payload));
    }
    if let Ok(d) = Vp9Descriptor::parse(payload) {
        assert!(d.len() <= len && d.references().len() <= 3 && d.group(payload).count() <= 255);
        assert_eq!(d.group(payload).count(), d.structure.map_or(0, |s| s.pictures.into()));
        let _ = d.is_key();
    }
}

fn read_h26x(payload: &[u8]) {
    let facts = H264Payload::parse(payload);
    assert_eq!(facts.is_ok(), NalParts::parse(payload).is_ok());
    if let Ok(parts) = NalParts::parse(payload) {
        let total: usize = parts.map(|p| 1 + p.body.len()).sum();
        assert!(total <= payload.len());
    }
    if let Ok(s) = Sps::parse(payload) {
        assert!((1..=1 << 16).contains(&s.width) && (1..=1 << 17).contains(&s.height));
    }
    if let Ok(p) = H265Payload::parse(payload) {
        assert!(p.temporal < 7);
    }
}

/// Reads the values of header extensions.
pub(crate) fn read_values(value: &[u8]) {
    if let Some(t) = CaptureTime::parse(value) {
        let (bytes, len) = t.write();
        assert_eq!(&bytes[..len], value);
    }
    if let Some(d) = PlayoutDelay::parse(value) {
        assert_eq!(d.write(), value);
    }
    if let Ok(a) = LayersAllocation::parse(value) {
        assert!(a.layers().len() <= LayersAllocation::MAX_LAYERS);
        let mut out = Vec::new();
        a.write(&mut out).unwrap();
        assert!(out.len() <= value.len() && LayersAllocation::parse(&out) == Ok(a));
    }
}

/// Reads values as descriptors of one stream, each in pieces of what a patch makes of it; how many are ones.
pub(crate) fn read_descriptors<'a>(
    reader: &mut DescriptorReader,
    values: impl Iterator<Item = &'a [u8]>,
) -> usize {
    let mut read = 0;
    for (seq, value) in (1..).zip(values) {
        let Ok(d) = reader.read(SeqNo(seq), value) else { continue };
        read += 1;
        assert!(
            // A template's stand in the structure, which came in an earlier value: five bits each.
            d.fdiffs().count() <= 8 * DependencyDescriptor::MAX / 5 && d.chains().len() <= Dtis::MAX
        );
        assert!(
            d.structure().len() <= Structure::MAX_TEMPLATES
                && d.layer().spatial < 4
                && d.layer().temporal < 8
        );
        let mut out = [0; 300];
        let same = d.patched(&DescriptorPatch::default(), &mut out).unwrap();
        assert_eq!(&out[..same], value);
        let patch = DescriptorPatch { frame: Some(9), template_id_offset: Some(7), active: Some(1) };
        let len = d.patched(&patch, &mut out).unwrap();
        assert!(len <= value.len() + 5);
        let moved = d.structure().clone().with_offset(7);
        assert_eq!(DependencyDescriptor::parse(&out[..len], Some(&moved)).unwrap().frame, 9);
    }
    read
}

/// Reads all that a datagram of RTCP says; how many packets are in it.
pub(crate) fn read_rtcp(bytes: &[u8]) -> usize {
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
