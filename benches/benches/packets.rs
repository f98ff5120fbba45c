//! What it costs to read RTP and RTCP, and to rewrite a header, beside the crates `rtp`, `rtcp`, `rtp-types` and `rtcp-types`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod settings;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rtcp_types::RtcpPacketParserExt as _;
use salon_benches::samples::{self, EXTENSIONS, Reports};
use salon_rtp::extension::{Elements, Values};
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{OutExtensions, Packet, RtpTime, SeqNo, Ssrc};
use webrtc_util::marshal::{Marshal, Unmarshal};

criterion_group! { name = packets; config = settings::settings(); targets = rtp_read, rtp_rewrite, rtcp_read }
criterion_main!(packets);

/// Header, payload, and every header extension.
fn rtp_read(c: &mut Criterion) {
    let bytes = samples::rtp();
    let map = samples::map();
    let mut group = c.benchmark_group("rtp read");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("salon", |b| b.iter(|| ours(black_box(&bytes))));
    // What a forwarder does: the values by what was negotiated.
    group.bench_function("salon values", |b| {
        b.iter(|| {
            let packet = Packet::parse(black_box(&bytes)).unwrap();
            (packet.seq(), packet.timestamp(), packet.ssrc(), Values::read(&packet, black_box(&map)))
        });
    });
    let shared = Bytes::from(bytes.clone());
    group.bench_function("rtp", |b| {
        b.iter(|| {
            let packet = rtp::packet::Packet::unmarshal(&mut black_box(&shared).clone()).unwrap();
            let header = &packet.header;
            let sum: usize = header.extensions.iter().map(|e| usize::from(e.id) + e.payload.len()).sum();
            (header.sequence_number, header.timestamp, header.ssrc, packet.payload.len(), sum)
        });
    });
    // It gives the block; what stands in it is our walk.
    group.bench_function("rtp-types", |b| {
        b.iter(|| {
            let packet = rtp_types::RtpPacket::parse(black_box(&bytes)).unwrap();
            let (profile, body) = packet.extension().unwrap();
            let sum = walk(Elements::new(profile, body));
            (packet.sequence_number(), packet.timestamp(), packet.ssrc(), packet.payload().len(), sum)
        });
    });
    // All see the same.
    let theirs = rtp::packet::Packet::unmarshal(&mut shared.clone()).unwrap();
    assert_eq!((ours(&bytes).3, theirs.header.extensions.len()), (theirs.payload.len(), EXTENSIONS.len()));
    group.finish();
}

fn ours(bytes: &[u8]) -> (salon_rtp::Seq, RtpTime, Ssrc, usize, usize) {
    let packet = Packet::parse(bytes).unwrap();
    let sum = walk(packet.extensions());
    (packet.seq(), packet.timestamp(), packet.ssrc(), packet.payload().len(), sum)
}

fn walk(elements: Elements<'_>) -> usize {
    elements.map(|(id, value)| usize::from(id.get()) + value.len()).sum()
}

/// A header for one receiver: its payload type, number, time and SSRC, and the five elements.
fn rtp_rewrite(c: &mut Criterion) {
    let bytes = samples::rtp();
    let mut out = [0; 1_500];
    let mut n = 0u64;
    let mut group = c.benchmark_group("rtp rewrite");
    let header = samples::outgoing(samples::elements(), 0, &[]).header_len();
    group.throughput(Throughput::Elements(1));
    let five = samples::elements();
    for (name, elements) in [("salon", five), ("salon bare", OutExtensions::NONE)] {
        group.bench_function(name, |b| {
            let mut outgoing = samples::outgoing(elements, 0, &[]);
            b.iter(|| {
                n += 1;
                (outgoing.index, outgoing.ssrc) = (SeqNo(n), Ssrc(n as u32));
                outgoing.header.timestamp = RtpTime(n as u32);
                black_box(&outgoing).write_header(black_box(&mut out)).unwrap()
            });
        });
    }
    // With the elements gathered for each receiver, as the forwarding core does it.
    group.bench_function("salon gathered", |b| {
        b.iter(|| {
            n += 1;
            let mut elements = OutExtensions::NONE;
            elements.push(samples::id_of(4), black_box(b"1")).unwrap();
            elements.push(samples::id_of(2), &(n as u32).to_be_bytes()[1..]).unwrap();
            samples::outgoing(elements, n, &[]).write_header(black_box(&mut out)).unwrap()
        });
    });
    let theirs = rtp::packet::Packet::unmarshal(&mut Bytes::from(bytes.clone())).unwrap();
    group.bench_function("rtp", |b| {
        b.iter(|| {
            n += 1;
            let mut header = black_box(&theirs.header).clone();
            (header.payload_type, header.sequence_number) = (97, n as u16);
            (header.timestamp, header.ssrc) = (n as u32, n as u32);
            header.marshal_to(black_box(&mut out)).unwrap()
        });
    });
    // Patches of a copy of the header as it came: its elements stay.
    group.bench_function("rtp-types", |b| {
        b.iter(|| {
            n += 1;
            out[..header].copy_from_slice(black_box(&bytes[..header]));
            let mut packet = rtp_types::RtpPacketMut::parse(black_box(&mut out[..header])).unwrap();
            packet.set_payload_type(97).unwrap();
            packet.set_sequence_number(n as u16);
            packet.set_timestamp(n as u32);
            packet.set_ssrc(n as u32);
        });
    });
    group.finish();
}

/// The packets of a datagram, each checked and given; and the same with all that stands in them.
fn rtcp_read(c: &mut Criterion) {
    let one = Reports::default;
    let inputs = [
        ("SR+SDES+RR+NACK+PLI+TWCC", Reports::six()),
        ("SR+SDES+NACK+PLI", one().sr().sdes().nack().pli().0),
        ("RR", one().rr(1).0),
        ("TWCC", one().twcc().0),
    ];
    let mut group = c.benchmark_group("rtcp read");
    for (name, bytes) in &inputs {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let id = |who| criterion::BenchmarkId::new(who, name);
        group.bench_function(id("salon"), |b| b.iter(|| given(black_box(bytes))));
        group.bench_function(id("salon whole"), |b| b.iter(|| read(black_box(bytes))));
        let shared = Bytes::from(bytes.clone());
        group.bench_function(id("rtcp"), |b| {
            b.iter(|| rtcp::packet::unmarshal(&mut black_box(&shared).clone()).unwrap());
        });
        group.bench_function(id("rtcp-types"), |b| b.iter(|| typed(black_box(bytes))));
        assert_eq!(rtcp::packet::unmarshal(&mut shared.clone()).unwrap().len(), given(bytes).0);
        assert_eq!(typed(bytes).0, given(bytes).0);
    }
    group.finish();
}

/// How many packets, and a sum over their senders.
fn given(bytes: &[u8]) -> (usize, u32) {
    let mut sum = (0, 0u32);
    for packet in &Compound::parse(bytes).unwrap() {
        let of = match packet {
            RtcpPacket::SenderReport(r) => r.info.ssrc.0,
            RtcpPacket::ReceiverReport(r) => r.sender.0,
            RtcpPacket::Sdes(_) => 0,
            RtcpPacket::Nack(n) => n.sender.0,
            RtcpPacket::Pli(p) => p.sender.0,
            RtcpPacket::Twcc(t) => t.sender.0,
            _ => panic!("not in the samples"),
        };
        sum = (sum.0 + 1, sum.1.wrapping_add(of));
    }
    sum
}

/// The same by `rtcp-types`, whose feedback has its inside checked when it is asked for.
fn typed(bytes: &[u8]) -> (usize, u32) {
    use rtcp_types::{Compound, Nack, Packet, Pli, Twcc};
    let mut sum = (0, 0u32);
    for packet in Compound::parse(bytes).unwrap() {
        let of = match packet.unwrap() {
            Packet::Sr(r) => r.ssrc(),
            Packet::Rr(r) => r.ssrc(),
            Packet::Sdes(_) => 0,
            Packet::TransportFeedback(f) if f.count() == 1 => {
                black_box(f.parse_fci::<Nack<'_>>().unwrap());
                f.sender_ssrc()
            }
            Packet::TransportFeedback(f) => {
                black_box(f.parse_fci::<Twcc<'_>>().unwrap());
                f.sender_ssrc()
            }
            Packet::PayloadFeedback(f) => {
                black_box(f.parse_fci::<Pli<'_>>().unwrap());
                f.sender_ssrc()
            }
            _ => panic!("not in the samples"),
        };
        sum = (sum.0 + 1, sum.1.wrapping_add(of));
    }
    sum
}

/// All that stands in the packets.
fn read(bytes: &[u8]) -> u64 {
    let mut sum = 0u64;
    for packet in &Compound::parse(bytes).unwrap() {
        sum += match packet {
            RtcpPacket::SenderReport(r) => {
                r.info.ntp.0 ^ r.blocks.iter().map(|b| u64::from(b.jitter)).sum::<u64>()
            }
            RtcpPacket::ReceiverReport(r) => r.blocks.iter().map(|b| u64::from(b.jitter)).sum(),
            RtcpPacket::Sdes(s) => s.chunks().flat_map(|c| c.items()).map(|i| i.value.len() as u64).sum(),
            RtcpPacket::Nack(n) => n.seqs().map(|s| u64::from(s.0)).sum(),
            RtcpPacket::Twcc(t) => t.statuses(1_000).filter_map(|s| s.arrival).sum::<i64>() as u64,
            _ => 0,
        };
    }
    sum
}
