//! Bytes that are written to keep a reader busy, and readers that count what they were given.
#![allow(dead_code, unreachable_pub)]

use salon_rtp::extension::descriptor::{DependencyDescriptor, DescriptorReader};
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap, LayersAllocation, Values};
use salon_rtp::payload::av1::Av1Payload;
use salon_rtp::payload::h264::{H264Payload, NalParts, Sps};
use salon_rtp::payload::h265::H265Payload;
use salon_rtp::payload::opus::OpusPacket;
use salon_rtp::payload::{red::Red, vp8::Vp8Descriptor, vp9::Vp9Descriptor};
use salon_rtp::rtcp::{Compound, RtcpPacket, XrBlock};
use salon_rtp::{Packet, SeqNo};

/// Transport-wide statuses that a reader asks of one message: what it remembers of the packets that it sent.
pub const STATUSES: usize = 1_000;

/// Reads all that stands in the bytes; how many things it was given, `None` where they are refused.
pub type Read = fn(&[u8]) -> Option<usize>;

/// Bytes of one kind.
pub struct Hostile {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub read: Read,
}

/// The maps under which every extension has an id.
pub fn all_extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    for (id, &kind) in (1..).zip(ExtensionKind::ALL) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    map
}

pub fn read_rtp(bytes: &[u8]) -> Option<usize> {
    let packet = Packet::parse(bytes).ok()?;
    let _ = Values::read(&packet, &all_extensions());
    Some(1 + packet.csrcs().count() + packet.extensions().count())
}

pub fn read_rtcp(bytes: &[u8]) -> Option<usize> {
    let mut things = 0;
    for packet in &Compound::parse(bytes).ok()? {
        things += 1 + match packet {
            RtcpPacket::SenderReport(r) => r.blocks.iter().count(),
            RtcpPacket::ReceiverReport(r) => r.blocks.iter().count(),
            RtcpPacket::Sdes(s) => s.chunks().map(|c| 1 + c.items().count()).sum(),
            RtcpPacket::Bye(b) => b.ssrcs().count(),
            RtcpPacket::Nack(n) => n.seqs().count(),
            RtcpPacket::Fir(f) => f.entries().count(),
            RtcpPacket::Remb(r) => r.ssrcs().count(),
            RtcpPacket::Twcc(t) => {
                t.statuses(STATUSES).map(|s| usize::from(s.arrival != Some(1)).max(1)).sum()
            }
            RtcpPacket::Ccfb(c) => c.reports().map(|r| 1 + r.statuses().count()).sum(),
            RtcpPacket::Xr(x) => x.blocks().map(xr).sum(),
            _ => 0,
        };
    }
    Some(things)
}

fn xr(block: XrBlock<'_>) -> usize {
    if let XrBlock::Dlrr(d) = block { 1 + d.entries().count() } else { 1 }
}

/// The value of an extension, as the first descriptor of a stream.
pub fn read_descriptor(value: &[u8]) -> Option<usize> {
    let mut reader = DescriptorReader::default();
    let d = reader.read(SeqNo(1), value).ok()?;
    Some(1 + d.fdiffs().count() + d.chains().len() + d.structure().len())
}

pub fn read_structure(value: &[u8]) -> Option<usize> {
    DependencyDescriptor::attached_structure(value).ok().map(|s| s.len())
}

pub fn read_layers(value: &[u8]) -> Option<usize> {
    LayersAllocation::parse(value).ok().map(|l| l.layers().len() + 1)
}

pub fn read_av1(payload: &[u8]) -> Option<usize> {
    let p = Av1Payload::parse(payload).ok()?;
    let _ = (p.layer(), p.sequence_header());
    Some(p.parts().count())
}

pub fn read_h264(payload: &[u8]) -> Option<usize> {
    let _ = H264Payload::parse(payload).ok()?;
    NalParts::parse(payload).ok().map(Iterator::count)
}

pub fn read_sps(nal: &[u8]) -> Option<usize> {
    Sps::parse(nal).ok().map(|_| 1)
}

pub fn read_h265(payload: &[u8]) -> Option<usize> {
    H265Payload::parse(payload).ok().map(|_| 1)
}

pub fn read_opus(payload: &[u8]) -> Option<usize> {
    OpusPacket::parse(payload).ok().map(|p| p.frames().count())
}

pub fn read_red(payload: &[u8]) -> Option<usize> {
    Red::parse(payload).ok().map(|r| 1 + r.redundant().count())
}

pub fn read_vp8(payload: &[u8]) -> Option<usize> {
    let d = Vp8Descriptor::parse(payload).ok()?;
    let _ = (d.is_key(payload), d.key_size(payload));
    Some(1)
}

pub fn read_vp9(payload: &[u8]) -> Option<usize> {
    Vp9Descriptor::parse(payload).ok().map(|d| 1 + d.references().len() + d.group(payload).count())
}

/// Every reader.
pub const READERS: [(&str, Read); 13] = [
    ("rtp", read_rtp),
    ("rtcp", read_rtcp),
    ("descriptor", read_descriptor),
    ("structure", read_structure),
    ("layers", read_layers),
    ("av1", read_av1),
    ("h264", read_h264),
    ("sps", read_sps),
    ("h265", read_h265),
    ("opus", read_opus),
    ("red", read_red),
    ("vp8", read_vp8),
    ("vp9", read_vp9),
];

/// As many as fit of one piece.
fn repeated(piece: &[u8], size: usize) -> Vec<u8> {
    piece.repeat((size / piece.len()).max(1))
}

/// An RTCP packet of this kind and count around a body, whose length is brought to whole words by zeros.
pub fn rtcp(count: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let words = u16::try_from(body.len().div_ceil(4)).unwrap();
    let mut out = [&[0x80 | count, kind][..], &words.to_be_bytes(), body].concat();
    out.resize(4 + 4 * usize::from(words), 0);
    out
}

/// A feedback packet of this format: two SSRCs and what follows them.
fn feedback(format: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    rtcp(format, kind, &[&[0, 0, 0, 1, 0, 0, 0, 2], body].concat())
}

/// Transport-wide feedback that claims so many packets.
fn twcc(claims: u16, chunks_and_deltas: &[u8]) -> Vec<u8> {
    let [hi, lo] = claims.to_be_bytes();
    feedback(15, 205, &[&[0, 0, hi, lo, 0, 0, 0, 1], chunks_and_deltas].concat())
}

/// RTP whose header is an extension of this profile all over.
fn extended(profile: [u8; 2], body: &[u8]) -> Vec<u8> {
    let body = &body[..body.len() / 4 * 4];
    let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
    [&[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &profile, &words, body].concat()
}

/// Reports and requests of about so many bytes: at most some sixty thousand, as RTCP's length fields have it.
pub fn compounds(size: usize) -> Vec<Hostile> {
    let all = |name, bytes| Hostile { name, bytes, read: read_rtcp };
    let room = size - 24;
    let descriptions =
        |chunk: &[u8], count: u8| repeated(&rtcp(count, 202, &chunk.repeat(count.into())), size);
    vec![
        all("goodbyes of nobody", repeated(&rtcp(0, 203, &[]), size)),
        all("empty receiver reports", repeated(&rtcp(0, 201, &[0, 0, 0, 1]), size)),
        all("padding only", repeated(&[0xa0, 203, 0, 1, 0, 0, 0, 4], size)),
        all("reports with 31 blocks", repeated(&rtcp(31, 201, &[1; 4 + 24 * 31]), size)),
        all("descriptions of nothing", descriptions(&[0, 0, 0, 1, 0, 0, 0, 0], 31)),
        all("empty items", rtcp(1, 202, &[&[0, 0, 0, 1][..], &[1, 0].repeat(room / 2), &[0, 0]].concat())),
        all("goodbyes of 31", repeated(&rtcp(31, 203, &[1; 4 * 31]), size)),
        all("applications' packets", repeated(&rtcp(0, 204, &[1; 8]), size)),
        all("full NACK items", feedback(1, 205, &[0xff; 4].repeat(room / 4))),
        all("NACKs of one item", repeated(&feedback(1, 205, &[0xff; 4]), size)),
        all("FIR entries", feedback(4, 206, &[1, 2, 3, 4, 5, 0, 0, 0].repeat(room / 8))),
        all("estimates", repeated(&feedback(15, 206, b"REMB\x00\x0a\xbc\xde"), size)),
        all(
            "empty extended blocks",
            rtcp(0, 207, &[&[0, 0, 0, 1][..], &[9, 0, 0, 0].repeat(room / 4)].concat()),
        ),
        all("answers in extended reports", {
            rtcp(
                0,
                207,
                &[&[0, 0, 0, 1][..], &[5, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9].repeat(room / 16)]
                    .concat(),
            )
        }),
        all("RFC 8888 reports of nothing", {
            let reports = [0, 0, 0, 2, 0, 5, 0, 0].repeat(room / 8);
            rtcp(11, 205, &[&[0, 0, 0, 1], &reports[..], &[0, 0, 0, 9]].concat())
        }),
        all("RFC 8888 statuses", {
            let report = [&[0, 0, 0, 2, 0, 5, 0, 64][..], &[0x80, 0x01].repeat(64)].concat();
            repeated(&rtcp(11, 205, &[&[0, 0, 0, 1], &report[..], &[0, 0, 0, 9]].concat()), size)
        }),
        all("TWCC, runs of nobody", twcc(1, &[[0, 0].repeat(room / 2), vec![0, 1]].concat())),
        all("TWCC, all lost one by one", {
            let chunks = room.min(9_000) / 2;
            twcc(14 * chunks as u16, &[0x80, 0].repeat(chunks))
        }),
        all("TWCC, all arrived one by one", {
            let chunks = room.min(64_000) / 16;
            twcc(14 * chunks as u16, &[[0xbf, 0xff].repeat(chunks), vec![1; 14 * chunks]].concat())
        }),
        all("TWCC, reports of 8,191 lost in a run", repeated(&twcc(8_191, &[0x1f, 0xff]), size)),
    ]
}

/// RTP packets of about so many bytes that are extension all over.
pub fn extensions(size: usize) -> Vec<Hostile> {
    let all = |name, bytes| Hostile { name, bytes, read: read_rtp };
    let one: Vec<u8> = (0..size / 2).flat_map(|n| [((n % 14 + 1) as u8) << 4, 7]).collect();
    let two: Vec<u8> = (0..size / 2).flat_map(|n| [(n % 255 + 1) as u8, 0]).collect();
    // The kind that is sought last.
    let last = [ExtensionKind::ALL.len() as u8, 0].repeat(size / 2);
    // A malformed value of each kind that has a form.
    let mid = [4, 16].into_iter().chain([0xff; 16]).collect::<Vec<_>>().repeat(size / 18 + 1);
    vec![
        all("elements of one byte", extended([0xbe, 0xde], &one)),
        all("elements of no byte", extended([0x10, 0], &two)),
        all("elements of the last kind", extended([0x10, 0], &last)),
        all("names that are none", extended([0x10, 0], &mid[..size])),
        all("padding between elements", extended([0xbe, 0xde], &vec![0; size])),
        all("15 CSRCs", [&[0x8f, 96, 0, 1][..], &[1; 8], &[2; 60]].concat()),
    ]
}

/// The smallest packet that carries this value.
fn carrying(value: &[u8]) -> Vec<u8> {
    let mut body = [&[1, value.len() as u8][..], value].concat();
    body.resize(body.len().next_multiple_of(4), 0);
    extended([0x10, 0], &body)
}

fn read_carried(packet: &[u8]) -> Option<usize> {
    read_descriptor(Packet::parse(packet).ok()?.extensions().next()?.1)
}

fn read_carried_layers(packet: &[u8]) -> Option<usize> {
    read_layers(Packet::parse(packet).ok()?.extensions().next()?.1)
}

/// Values of extensions, at most 255 bytes, as they come: in packets that hold nothing else.
pub fn values() -> Vec<Hostile> {
    let of = |name, bits: String| {
        let mut bytes = vec![0xc0, 0, 1];
        bytes.extend(packed(&bits));
        Hostile { name, bytes: carrying(&bytes), read: read_carried }
    };
    // Structure flag and four others, template_id_offset, targets less one.
    let head = |targets: usize| format!("10000{:06b}{:05b}", 0, targets - 1);
    let layers = |n: usize| "00".repeat(n - 1) + "11";
    // No frame differences, no chains (their count in as many bits as targets allow), no resolutions.
    let tail = |n: usize, chains: &str| "0".repeat(n) + chains + "0";
    let many = 1_990 / 5;
    vec![
        of("a structure of one template", head(1) + &layers(1) + "00" + &tail(1, "0")),
        of("64 templates", head(1) + &layers(64) + &"00".repeat(64) + &tail(64, "0")),
        of(
            "30 templates for 31 targets",
            head(31) + &layers(30) + &"01".repeat(30 * 31) + &tail(30, "00000"),
        ),
        of(
            "differences without end",
            head(1) + &layers(1) + "00" + &"10001".repeat(many - 4) + &tail(1, "0"),
        ),
        of("31 chains of 6 templates", {
            let protected = "11110".repeat(31);
            head(31)
                + &layers(6)
                + &"10".repeat(6 * 31)
                + &"0".repeat(6)
                + "11110"
                + &protected
                + &"0001".repeat(6 * 31)
                + "0"
        }),
        Hostile {
            name: "layers of every stream",
            // Four streams with one mask of four layers, four temporal layers each, rates of one byte.
            bytes: carrying(&[&[0x3f, 0xff, 0xff, 0xff, 0xff][..], &[1; 64]].concat()),
            read: read_carried_layers,
        },
    ]
}

/// Bits as bytes, zeros behind them.
fn packed(bits: &str) -> Vec<u8> {
    bits.as_bytes()
        .chunks(8)
        .map(|c| (0..8).fold(0, |b, i| b << 1 | u8::from(c.get(i) == Some(&b'1'))))
        .collect()
}

/// Payloads of about so many bytes.
pub fn payloads(size: usize) -> Vec<Hostile> {
    let of = |name, read, head: &[u8], piece: &[u8], tail: &[u8]| Hostile {
        name,
        bytes: [head, &repeated(piece, size - head.len() - tail.len()), tail].concat(),
        read,
    };
    vec![
        of("H.264, units of a byte together", read_h264, &[24], &[0, 1, 0x65], &[]),
        of("H.264, parameter sets together", read_h264, &[24], &[0, 6, 0x67, 66, 0, 30, 0xf8, 0x7a], &[]),
        of("H.264, a set of escapes", read_sps, &[0x67, 66, 0, 30], &[0, 0, 3], &[0x80]),
        of("H.264, a set of small numbers", read_sps, &[0x67, 66, 0, 30, 0xab, 0xff], &[0xff], &[0xff]),
        of("H.265, units of a header together", read_h265, &[48 << 1, 1], &[0, 2, 0x26, 1], &[]),
        of("AV1, units of a byte", read_av1, &[0], &[1, 0x30], &[]),
        of("AV1, empty units", read_av1, &[0], &[0], &[]),
        of("AV1, lengths that are long", read_av1, &[0], &[0x81, 0x80, 0x80, 0x80, 0, 0x30], &[]),
        of("RED, blocks of nothing", read_red, &[], &[0x80 | 96, 0, 0, 0], &[96]),
        Hostile {
            name: "Opus, 48 frames of nothing",
            // 2.5 ms each, their lengths one by one (RFC 6716 §3.2.5).
            bytes: [&[16 << 3 | 3, 0x80 | 48][..], &[0; 47]].concat(),
            read: read_opus,
        },
        Hostile {
            name: "Opus, padding without end",
            bytes: [&[16 << 3 | 3, 0x41][..], &vec![255; size / 255], &[0], &vec![0; size / 255 * 254]]
                .concat(),
            read: read_opus,
        },
        Hostile {
            name: "VP9, a group of 255 pictures",
            bytes: [&[0x02 | 0x08, 0x08, 255][..], &[0x0c, 1, 2, 3].repeat(255)].concat(),
            read: read_vp9,
        },
        Hostile {
            name: "VP8, all fields",
            bytes: vec![0x90, 0xf0, 0x81, 2, 3, 0x45, 0x10, 0, 0],
            read: read_vp8,
        },
    ]
}

/// All of them.
pub fn all(size: usize) -> Vec<Hostile> {
    [compounds(size), extensions(size), values(), payloads(size)].into_iter().flatten().collect()
}
