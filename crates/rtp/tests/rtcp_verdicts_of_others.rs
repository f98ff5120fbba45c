//! What pion/rtcp's tests say of some bytes, and what we say.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod lines;

use salon_rtp::rtcp::Compound;

/// Tests that feed less than a packet: a header alone, a chunk, a metric. There is nothing for a compound to read.
const FRAGMENTS: &[(&str, &str)] = &[
    // The four letters of a name, from the expectation of an application packet.
    ("TestTApplicationPacketUnmarshal", "NAME"),
    ("TestTApplicationPacketMarshal", "NAME"),
    ("TestUnmarshal", "NAME"),
    // A header whose packet is not there.
    ("TestHeaderUnmarshal", "valid"),
    ("TestHeaderUnmarshal", "also valid"),
    // RFC 8888, which we do not read so far: parts of a packet.
    ("TestCCFeedbackMetricBlockUnmarshalMarshal", "NotReceived"),
    ("TestCCFeedbackMetricBlockUnmarshalMarshal", "ReceivedNoOffset"),
    ("TestCCFeedbackMetricBlockUnmarshalMarshal", "ReceivedOffset"),
    ("TestCCFeedbackMetricBlockUnmarshalMarshal", "ReceivedOverRangeOffset"),
    ("TestCCFeedbackReportBlockUnmarshalMarshal", "ZeroLengthBlock"),
    ("TestCCFeedbackReportBlockUnmarshalMarshal", "ReceivedTwoOFFourBlocks"),
    // Chunks and deltas of transport-wide feedback.
    ("TestTransportLayerCC_RunLengthChunkUnmarshal", "example1"),
    ("TestTransportLayerCC_StatusVectorChunkUnmarshal", "example1"),
    ("TestTransportLayerCC_RecvDeltaUnmarshal", "small delta 63.75ms"),
    ("TestTransportLayerCC_RecvDeltaUnmarshal", "big delta 8191.75ms"),
];

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
    let mut whole = 0;
    for line in lines::of(include_str!("data/rtcp_verdicts.txt")) {
        let [verdict, test, name, place, hex] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        if FRAGMENTS.contains(&(test, name)) {
            continue;
        }
        let ours = Compound::parse(&lines::hex(hex)).is_ok();
        let explained = DISAGREEMENTS.iter().any(|d| (d.0, d.1) == (test, name));
        assert_eq!(ours != explained, verdict == "ok", "{test} {name:?} at {place}: we say {ours}");
        whole += 1;
    }
    assert_eq!(whole, 42);
}
