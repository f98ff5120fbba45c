//! What pion/rtcp's tests say of some bytes, and what we say.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod lines;

use salon_rtp::Ssrc;
use salon_rtp::rtcp::{App, ArrivalOffset, CcfbArrival, Compound, Ecn, RtcpPacket};

/// Tests that feed less than a packet: the part is put into the smallest packet that holds it, and what it says is compared
/// with what their test expects of it.
fn fragment(test: &str, name: &str, part: &[u8]) -> Option<bool> {
    Some(match (test, name) {
        // The data of an application packet, which stands as its letters in the expectation.
        (_, "NAME") => {
            let app = App { subtype: 31, sender: Ssrc(0x4baae1ab), name: *b"NAME", data: part };
            let mut out = Vec::new();
            app.write(&mut out).unwrap();
            matches!(one(&out), RtcpPacket::App(a) if a == app)
        }
        // A header whose packet is not there: zeros, the last of which counts four bytes of padding where the header has it.
        ("TestHeaderUnmarshal", _) => {
            let mut packet = part.to_vec();
            packet.resize(4 + 4 * usize::from(part[3]), 0);
            *packet.last_mut().unwrap() = if part[0] & 0x20 != 0 { 4 } else { 0 };
            match one(&packet) {
                RtcpPacket::ReceiverReport(r) => name == "valid" && r.blocks.iter().count() == 1,
                RtcpPacket::App(a) => name == "also valid" && a.subtype == 1 && a.data.len() == 16,
                _ => false,
            }
        }
        ("TestCCFeedbackMetricBlockUnmarshalMarshal", _) => {
            let report = [&[0, 0, 0, 1, 0, 2, 0, 1][..], part, &[0, 0]].concat();
            let arrival = |offset| Some(CcfbArrival { ecn: Ecn::NotEct, offset });
            let expected = match name {
                "NotReceived" => None,
                "ReceivedNoOffset" => arrival(ArrivalOffset::Ticks(0)),
                "ReceivedOffset" => arrival(ArrivalOffset::Ticks(8189)),
                _ => arrival(ArrivalOffset::Beyond),
            };
            statuses(&report) == [(1, 2, vec![expected])]
        }
        ("TestCCFeedbackReportBlockUnmarshalMarshal", "ZeroLengthBlock") => {
            statuses(part) == [(0, 0, vec![])]
        }
        ("TestCCFeedbackReportBlockUnmarshalMarshal", _) => {
            let arrival = |t| Some(CcfbArrival { ecn: Ecn::NotEct, offset: ArrivalOffset::Ticks(t) });
            statuses(part) == [(1, 2, vec![arrival(8189), arrival(8188), None, None])]
        }
        // 221 times "lost".
        ("TestTransportLayerCC_RunLengthChunkUnmarshal", _) => arrivals(221, part, &[]) == [None; 221],
        // A vector of fourteen bits: 0 1 1 1 1 1 0 0 0 1 1 1 0 0.
        ("TestTransportLayerCC_StatusVectorChunkUnmarshal", _) => {
            let bits = [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0].map(|b| (b == 1).then_some(0));
            arrivals(14, part, &[0; 8]) == bits
        }
        ("TestTransportLayerCC_RecvDeltaUnmarshal", "small delta 63.75ms") => {
            arrivals(1, &[0x20, 1], part) == [Some(63_750)]
        }
        ("TestTransportLayerCC_RecvDeltaUnmarshal", _) => arrivals(1, &[0x40, 1], part) == [Some(8_191_750)],
        _ => return None,
    })
}

fn one(bytes: &[u8]) -> RtcpPacket<'_> {
    let compound = Compound::parse(bytes).unwrap();
    assert_eq!(compound.iter().count(), 1);
    compound.iter().next().unwrap()
}

/// What congestion control feedback of one report says: stream, first number, statuses.
fn statuses(report: &[u8]) -> Vec<(u32, u16, Vec<Option<CcfbArrival>>)> {
    let words = (2 + report.len() / 4) as u8;
    let packet = [&[0x8b, 205, 0, words, 0, 0, 0, 9][..], report, &[0; 4]].concat();
    let RtcpPacket::Ccfb(c) = one(&packet) else { panic!() };
    c.reports().map(|r| (r.media.0, r.begin.0, r.statuses().map(|s| s.1).collect())).collect()
}

/// What transport-wide feedback of one chunk says about its packets.
fn arrivals(count: u16, chunk: &[u8], deltas: &[u8]) -> Vec<Option<i64>> {
    let mut packet = [&[0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0][..], &count.to_be_bytes()].concat();
    packet.extend([&[0; 4], chunk, deltas].concat());
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet[3] = (packet.len() / 4 - 1) as u8;
    let RtcpPacket::Twcc(t) = one(&packet) else { panic!() };
    t.statuses(usize::MAX).map(|s| s.arrival).collect()
}

/// Where we say otherwise, each with its reason.
const DISAGREEMENTS: &[(&str, &str, &str)] = &[
    // The length field claims 13 words where three stand. Their reader of one packet ignores that field (their reader of
    // a datagram does not); ours cuts the datagram by it, as RFC 3550 §A.2 has it.
    ("TestGoodbyeUnmarshal", "valid", "length field past the end"),
    ("TestGoodbyeUnmarshal", "short reason", "length field past the end"),
    // The same: 5 words claimed, one there.
    ("TestSourceDescriptionUnmarshal", "no chunks", "length field past the end"),
    // The length field claims 8 words, which end in the middle of the report block that the count announces.
    ("TestSenderReportUnmarshal", "valid", "length field too short for its count"),
    // Symbol 3, which the draft reserves (§3.1.1); they read it as "received, without a delta". libwebrtc refuses it too.
    ("TestTransportLayerCC_Unmarshal", "example2", "reserved symbol"),
    // The padding bit with a count of 0, which says nothing that can be true (RFC 3550 §6.4.1).
    ("TestTransportLayerCC_Unmarshal", "example3", "padding of no bytes"),
    // Three bytes of padding where two follow the deltas: taken off, they leave three of four deltas.
    ("TestTransportLayerCC_Unmarshal", "example5", "padding takes a delta"),
];

#[test]
fn every_verdict_is_ours_or_explained() {
    let (mut whole, mut parts, mut explained) = (0, 0, 0);
    for line in lines::of(include_str!("data/rtcp_verdicts.txt")) {
        let [verdict, test, name, place, hex] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let bytes = lines::hex(hex);
        if let Some(agrees) = fragment(test, name, &bytes) {
            assert!(verdict == "ok" && agrees, "{test} {name:?} at {place}: {hex}");
            println!("ok (part of a packet)  {place}  {test} {name}");
            parts += 1;
            continue;
        }
        let ours = Compound::parse(&bytes);
        let why = DISAGREEMENTS.iter().find(|d| (d.0, d.1) == (test, name)).map(|d| d.2);
        assert_eq!(
            ours.is_ok() != why.is_some(),
            verdict == "ok",
            "{test} {name:?} at {place}: we say {ours:?}"
        );
        println!("{}  {place}  {test} {name}", why.map_or(verdict, |_| "we say otherwise"));
        explained += usize::from(why.is_some());
        whole += 1;
    }
    assert_eq!((whole, explained, parts), (42, DISAGREEMENTS.len(), 18));
    println!(
        "vectors: rtcp_verdicts: {} of 60: {whole} packets, in {explained} of which we say otherwise; {parts} parts of packets",
        whole + parts
    );
}
