//! Reading and writing take no memory from the heap, whatever the bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod lines;
mod readers;

use readers::read_values;
use salon_rtp::extension::descriptor::{DependencyDescriptor, DescriptorPatch, DescriptorReader};
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap, LayersAllocation, Values};
use salon_rtp::payload::opus::OpusPacket;
use salon_rtp::payload::{
    av1::Av1Payload, h264::H264Payload, h265::H265Payload, red::Red, vp8::Vp8Descriptor, vp9::Vp9Descriptor,
};
use salon_rtp::rtcp::{Compound, Nack, RtcpPacket, TwccReport};
use salon_rtp::{Packet, SeqNo, Ssrc, Time};

fn seeds(text: &str, separator: char) -> Vec<Vec<u8>> {
    lines::of(text).map(|l| lines::hex(l.rsplit_once(separator).unwrap().1)).collect()
}

fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}

#[test]
fn rtp_and_payloads() {
    let seeds = seeds(include_str!("data/rtp_seeds.txt"), ' ');
    let mut map = ExtensionMap::EMPTY;
    for (id, &kind) in (1..).zip(ExtensionKind::ALL) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    let (mut packets, mut elements) = (0, 0);
    let count = allocations(|| {
        for p in seeds.iter().filter_map(|s| Packet::parse(s).ok()) {
            packets += 1;
            elements += p.extensions().count();
            let values = Values::read(&p, &map);
            let _ = values.layers.map(LayersAllocation::parse);
            let payload = p.payload();
            let _ = (H264Payload::parse(payload), H265Payload::parse(payload), Vp8Descriptor::parse(payload));
            let _ = Vp9Descriptor::parse(payload).map(|d| d.group(payload).count());
            let _ = Av1Payload::parse(payload).map(|p| (p.parts().count(), p.sequence_header()));
            let _ = OpusPacket::parse(payload).map(|p| p.frames().count());
            let _ = Red::parse(payload).map(|r| r.redundant().count());
        }
    });
    assert_eq!((count, packets), (0, 24));
    assert!(elements > 10, "{elements}");
    // The readers of the other tests do allocate: the counter counts.
    assert!(allocations(|| read_values(&[0])) > 0);
}

#[test]
fn descriptors() {
    let values: Vec<_> = lines::of(include_str!("data/descriptors.txt"))
        .map(|l| lines::hex(l.split('|').nth(1).unwrap()))
        .collect();
    let mut read = 0;
    let count = allocations(|| {
        let (mut reader, mut out) = (DescriptorReader::default(), [0; 256]);
        for (seq, value) in (0..).zip(&values) {
            let Ok(d) = reader.read(SeqNo(seq), value) else { continue };
            read += d.fdiffs().count() + d.chains().len();
            d.patched(&DescriptorPatch { frame: Some(1), active: Some(1), ..Default::default() }, &mut out)
                .unwrap();
        }
        let _ = DependencyDescriptor::attached_structure(&values[0]);
    });
    assert_eq!(count, 0);
    assert!(read > 10, "{read}");
}

#[test]
fn rtcp() {
    let mut seeds = seeds(include_str!("data/rtcp_seeds.txt"), ' ');
    seeds.extend(
        lines::of(include_str!("data/rtcp_verdicts.txt")).map(|l| lines::hex(l.rsplit_once('|').unwrap().1)),
    );
    let (mut packets, mut parts) = (0, 0);
    let mut buffer = [0; 1_200];
    let count = allocations(|| {
        for packet in seeds.iter().filter_map(|s| Compound::parse(s).ok()).flat_map(|c| c.iter()) {
            packets += 1;
            parts += match packet {
                RtcpPacket::Twcc(t) => t.statuses(usize::MAX).count(),
                RtcpPacket::Nack(n) => n.seqs().count(),
                RtcpPacket::Sdes(s) => s.chunks().map(|c| c.items().count()).sum(),
                RtcpPacket::Ccfb(c) => c.reports().map(|r| r.len()).sum(),
                RtcpPacket::Xr(x) => x.blocks().count(),
                _ => 0,
            };
        }
        let missing = (0..500).map(|n| SeqNo(3 * n));
        Nack::write(Ssrc(1), Ssrc(2), missing, &mut &mut buffer[..]).unwrap();
        let arrivals = (0..500).map(|n| (SeqNo(3 * n), Time::from_millis(n)));
        let report = TwccReport { sender: Ssrc(1), media: Ssrc(2), count: 0 };
        assert!(report.write(SeqNo(0), arrivals, 1_200, &mut &mut buffer[..]).is_some());
    });
    assert_eq!(count, 0);
    assert_eq!((packets, parts), (74, 45));
}
