//! RTCP packets, each block of a compound for itself.

use super::{RTCP, RTCP_TYPES, Row, Says, classify, said, their};
use ::rtcp::goodbye::Goodbye;
use ::rtcp::packet::Packet as TheirPacket;
use ::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use ::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use ::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use ::rtcp::receiver_report::ReceiverReport;
use ::rtcp::reception_report::ReceptionReport;
use ::rtcp::sender_report::SenderReport;
use ::rtcp::source_description::SourceDescription;
use ::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use ::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtcp_types::{Packet as Typed, prelude::RtcpPacketParser};
use salon_rtp::Bitrate;
use salon_rtp::rtcp::{Compound, ReportBlock, ReportBlocks, RtcpPacket, Sdes};

const fn webrtc(
    of: &'static [&'static str],
    [ours, theirs]: [Says; 2],
    why: &'static str,
    cause: fn(&[u8]) -> bool,
) -> Row {
    Row { who: RTCP, of, ours, theirs, why, cause }
}

const fn types(
    of: &'static [&'static str],
    [ours, theirs]: [Says; 2],
    why: &'static str,
    cause: fn(&[u8]) -> bool,
) -> Row {
    Row { who: RTCP_TYPES, of, ours, theirs, why, cause }
}

/// Names of blocks, as [`kind`] gives them.
const ALL: &[&str] = &[
    "SR",
    "RR",
    "SDES",
    "BYE",
    "APP",
    "XR",
    "NACK",
    "RRR",
    "CCFB",
    "TWCC",
    "PLI",
    "SLI",
    "FIR",
    "REMB",
    "other feedback",
    "other",
];
const TAKEN: [Says; 2] = [Says::Refuses, Says::Takes];
const REFUSED: [Says; 2] = [Says::Takes, Says::Refuses];
const OTHERWISE: [Says; 2] = [Says::Takes, Says::Otherwise];

pub(super) const ROWS: &[Row] = &[
    webrtc(
        ALL,
        TAKEN,
        "Theirs: padding is not taken off, and a count of it that cannot be true is not seen (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(&["APP", "CCFB"], TAKEN, "Theirs: kept as bytes, whatever they are", |b| !padded(b)),
    webrtc(
        &["NACK", "FIR"],
        TAKEN,
        "Theirs: a request for nothing is taken; at least one entry must stand there (RFC 4585 §6.2.1, RFC 5104 §4.3.1.1)",
        |b| b.len() == 12,
    ),
    webrtc(
        &["NACK", "FIR", "REMB"],
        [Says::Refuses, Says::Panics],
        "Theirs: panics where the packet ends within an entry, or before its own fields do",
        |_| true,
    ),
    webrtc(
        &["REMB"],
        REFUSED,
        "Ours: application feedback without REMB's name is unknown, and passed over (RFC 4585 §6.4)",
        |b| b.get(12..16) != Some(b"REMB"),
    ),
    webrtc(
        &["REMB"],
        REFUSED,
        "Ours: a media SSRC other than 0, which means nothing, is passed over (draft-alvestrand-rmcat-remb-03 §2.2)",
        |b| b.get(8..12).is_some_and(|media| media != [0; 4]),
    ),
    webrtc(&["RRR", "SLI"], REFUSED, "Ours: not read, hence not judged", |_| true),
    webrtc(
        &["SDES"],
        REFUSED,
        "Theirs: an item of a kind above 8 ends its chunk, and bytes behind the chunks are an error (RFC 3550 §6.5)",
        |b| unknown_item(b) || !is_normal(b),
    ),
    webrtc(
        &["SDES"],
        OTHERWISE,
        "Theirs: an item of a kind above 8, and what follows it in its chunk, is lost (RFC 3550 §6.5)",
        unknown_item,
    ),
    webrtc(
        &["SDES"],
        TAKEN,
        "Theirs: an item of a kind above 8 ends its chunk, so that its length is not seen (RFC 3550 §6.5)",
        unknown_item,
    ),
    webrtc(
        &["XR"],
        REFUSED,
        "Ours: a block of a kind that is not read, or whose length does not fit its kind, is passed over (RFC 3611 §3)",
        unknown_block,
    ),
    webrtc(&["REMB"], OTHERWISE, "Theirs: a rate of 0, or above 64 bits, is read as another", odd_rate),
    webrtc(
        &["TWCC"],
        OTHERWISE,
        "Theirs: what a vector of statuses holds beyond the count is reported too",
        |b| symbols(b).1,
    ),
    webrtc(
        &["TWCC"],
        REFUSED,
        "Theirs: what a vector of statuses holds beyond the count wants a delta, and the packet ends before it",
        |b| symbols(b).1,
    ),
    webrtc(
        &["TWCC"],
        REFUSED,
        "Theirs: a message that ends with its chunks, since nothing arrived, is too short",
        nothing_arrived,
    ),
    webrtc(&["TWCC"], TAKEN, "Theirs: the reserved status counts as not received", |b| symbols(b).0),
    webrtc(
        ALL,
        REFUSED,
        "Theirs: padding is read as entries, blocks, chunks or a reason, which do not fit (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(
        ALL,
        OTHERWISE,
        "Theirs: padding is read as entries, blocks, chunks or a reason, which fit (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(
        &["NACK", "FIR", "REMB"],
        [Says::Takes, Says::Panics],
        "Theirs: panics where padding is read as a part of an entry (RFC 3550 §6.4.1)",
        padded,
    ),
    types(
        ALL,
        TAKEN,
        "Theirs: padding that is longer than what it could pad is taken (RFC 3550 §6.4.1)",
        padded,
    ),
    types(
        &["NACK", "FIR", "REMB", "TWCC", "CCFB"],
        TAKEN,
        "Theirs: what follows the two SSRCs is read only when asked for",
        |b| b.len() >= 12,
    ),
    types(
        &["RRR", "SLI", "REMB", "other feedback"],
        REFUSED,
        "Ours: not read, hence not judged: even its SSRCs may be missing (RFC 4585 §6.1)",
        |b| b.len() < 12,
    ),
    types(
        &["SDES"],
        TAKEN,
        "Theirs: the count is not looked at, and a chunk needs no end (RFC 3550 §6.5)",
        |b| !padded(b),
    ),
    types(
        &["SDES"],
        REFUSED,
        "Theirs: fill eats the zeros that a following SSRC begins with; fill that is not zero, an empty last item, a private item \
         without prefix, and what follows the chunks are errors",
        |_| true,
    ),
    types(
        &["SDES"],
        OTHERWISE,
        "Theirs: the count is not looked at, and fill eats the zeros that a following SSRC begins with (RFC 3550 §6.5)",
        |b| !is_normal(b) || zeros_follow(b),
    ),
    types(
        &["SDES"],
        OTHERWISE,
        "Theirs: a private item's value is what stands behind its prefix (RFC 3550 §6.5.8)",
        |b| items(b).contains(&8),
    ),
    types(
        &["SDES"],
        [Says::Takes, Says::Panics],
        "Theirs: a private item whose prefix runs past it panics when asked for its value (RFC 3550 §6.5.8)",
        |b| items(b).contains(&8),
    ),
    types(
        &["XR"],
        REFUSED,
        "Ours: a report without a block is one, and a block whose length does not fit its kind is passed over",
        |b| b.len() < 12 || unknown_block(b),
    ),
    types(
        ALL,
        REFUSED,
        "Theirs: padding is read as chunks, blocks or a reason, which do not fit (RFC 3550 §6.4.1)",
        padded,
    ),
];

/// What we read of a block.
fn ours(block: &[u8]) -> Option<RtcpPacket<'_>> {
    Compound::parse(block).ok()?.iter().next()
}

/// Whether the packet says that it is padded.
fn padded(block: &[u8]) -> bool {
    block[0] & 0x20 != 0
}

/// The kinds of a description's items, as far as they can be walked over.
fn items(block: &[u8]) -> Vec<u8> {
    let (mut kinds, mut rest) = (Vec::new(), block.get(8..).unwrap_or(&[]));
    while let [kind, after @ ..] = rest {
        if *kind == 0 {
            // The next chunk, behind its SSRC.
            let to_word = after.len() % 4;
            rest = after.get(to_word + 4..).unwrap_or(&[]);
        } else {
            kinds.push(*kind);
            let len = after.first().map_or(0, |n| 1 + usize::from(*n));
            rest = after.get(len.max(1)..).unwrap_or(&[]);
        }
    }
    kinds
}

fn unknown_item(block: &[u8]) -> bool {
    items(block).iter().any(|k| *k > 8)
}

/// Whether a description is what we would write of it.
fn is_normal(block: &[u8]) -> bool {
    let Some(RtcpPacket::Sdes(s)) = ours(block) else { return false };
    let chunks: Vec<_> = s.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).collect();
    let borrowed: Vec<_> = chunks.iter().map(|(of, items)| (*of, &items[..])).collect();
    let mut out = Vec::new();
    Sdes::write(&borrowed, &mut out).is_ok() && out == block
}

/// Whether a chunk but the first begins with a zero.
fn zeros_follow(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Sdes(s)) if s.chunks().skip(1).any(|c| c.ssrc.0 >> 24 == 0))
}

fn nothing_arrived(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Twcc(t)) if t.statuses(usize::MAX).all(|s| s.arrival.is_none()))
}

fn unknown_block(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Xr(x)) if x.unknown() > 0)
}

fn odd_rate(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Remb(r)) if r.bitrate == Bitrate::ZERO || r.bitrate == Bitrate::MAX)
}

/// Of transport-wide feedback: whether a status is of the reserved kind, and whether one that arrived stands beyond the count.
fn symbols(block: &[u8]) -> (bool, bool) {
    let Some((head, chunks)) = block.split_at_checked(20) else { return (false, false) };
    let (mut left, mut reserved, mut beyond) =
        (usize::from(u16::from_be_bytes([head[14], head[15]])), false, false);
    for pair in chunks.chunks_exact(2) {
        if left == 0 {
            break;
        }
        let word = u16::from_be_bytes([pair[0], pair[1]]);
        let symbols: Vec<u16> = match word >> 14 {
            0 | 1 => vec![word >> 13 & 3; usize::from(word & 0x1fff).min(left)],
            2 => (0..14).rev().map(|i| word >> i & 1).collect(),
            _ => (0..7).rev().map(|i| word >> (2 * i) & 3).collect(),
        };
        reserved |= symbols.contains(&3);
        beyond |= symbols.iter().skip(left).any(|s| matches!(s, 1 | 2));
        left -= symbols.len().min(left);
    }
    (reserved, beyond)
}

/// Compares what they make of each block of a compound; which rows apply.
pub fn rtcp(bytes: &[u8]) -> Vec<usize> {
    let mut rows = Vec::new();
    let mut rest = bytes;
    // As many as a datagram of some sense has.
    for _ in 0..40 {
        let Some((block, after)) = split(rest) else { break };
        rows.extend(one(block));
        rest = after;
    }
    rows
}

/// By the length field, whatever else stands there.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let &[_, _, high, low] = bytes.first_chunk()?;
    bytes.split_at_checked(4 + 4 * usize::from(u16::from_be_bytes([high, low])))
}

fn one(block: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let compound = Compound::parse(block);
    let ours = compound.as_ref().ok().and_then(|c| c.iter().next());
    let says = if ours.is_some() { Says::Takes } else { Says::Refuses };
    let of = kind(block);
    let theirs = their(|| ::rtcp::packet::unmarshal(&mut &*block));
    let theirs = said(theirs, |theirs| match (&ours, &theirs[..]) {
        (Some(ours), [theirs]) => same(ours, &**theirs),
        (None, _) => true,
        _ => false,
    });
    let types = their(|| Typed::parse(block));
    let types = said(types, |theirs| ours.as_ref().is_none_or(|ours| same_types(ours, &theirs)));
    [classify(RTCP, of, says, theirs, block), classify(RTCP_TYPES, of, says, types, block)]
        .into_iter()
        .flatten()
}

/// Names a block by its type and format.
fn kind(block: &[u8]) -> &'static str {
    match (block[1], block[0] & 0x1f) {
        (200, _) => "SR",
        (201, _) => "RR",
        (202, _) => "SDES",
        (203, _) => "BYE",
        (204, _) => "APP",
        (207, _) => "XR",
        (205, 1) => "NACK",
        (205, 5) => "RRR",
        (205, 11) => "CCFB",
        (205, 15) => "TWCC",
        (206, 1) => "PLI",
        (206, 2) => "SLI",
        (206, 4) => "FIR",
        (206, 15) => "REMB",
        (205 | 206, _) => "other feedback",
        _ => "other",
    }
}

fn same(ours: &RtcpPacket<'_>, theirs: &(dyn TheirPacket + Send + Sync)) -> bool {
    let any = theirs.as_any();
    macro_rules! as_a {
        ($kind:ty, $body:expr) => {
            any.downcast_ref::<$kind>().is_some_and($body)
        };
    }
    match ours {
        RtcpPacket::SenderReport(o) => as_a!(SenderReport, |t| {
            (t.ssrc, t.ntp_time, t.rtp_time, t.packet_count, t.octet_count)
                == (o.info.ssrc.0, o.info.ntp.0, o.info.timestamp.0, o.info.packets, o.info.octets)
                && reports(&o.blocks, &t.reports)
        }),
        RtcpPacket::ReceiverReport(o) => {
            as_a!(ReceiverReport, |t| t.ssrc == o.sender.0 && reports(&o.blocks, &t.reports))
        }
        RtcpPacket::Sdes(o) => as_a!(SourceDescription, |t| {
            let ours = o
                .chunks()
                .map(|c| (c.ssrc.0, c.items().map(|i| (i.kind, i.value.to_vec())).collect::<Vec<_>>()));
            let theirs = t.chunks.iter().map(|c| {
                let items = c.items.iter().map(|i| (i.sdes_type as u8, i.text.to_vec()));
                (c.source, items.collect::<Vec<_>>())
            });
            ours.eq(theirs)
        }),
        RtcpPacket::Bye(o) => as_a!(Goodbye, |t| {
            t.sources.iter().copied().eq(o.ssrcs().map(|s| s.0)) && t.reason == o.reason()
        }),
        RtcpPacket::Nack(o) => as_a!(TransportLayerNack, |t| {
            let seqs = t.nacks.iter().flat_map(|n| {
                let bits = (0..16).filter(|i| n.lost_packets >> i & 1 == 1);
                core::iter::once(n.packet_id).chain(bits.map(|i| n.packet_id.wrapping_add(i + 1)))
            });
            (t.sender_ssrc, t.media_ssrc) == (o.sender.0, o.media.0) && seqs.eq(o.seqs().map(|s| s.0))
        }),
        RtcpPacket::Pli(o) => {
            as_a!(PictureLossIndication, |t| (t.sender_ssrc, t.media_ssrc) == (o.sender.0, o.media.0))
        }
        RtcpPacket::Fir(o) => as_a!(FullIntraRequest, |t| {
            t.sender_ssrc == o.sender.0
                && t.fir
                    .iter()
                    .map(|e| (e.ssrc, e.sequence_number))
                    .eq(o.entries().map(|e| (e.media.0, e.number)))
        }),
        RtcpPacket::Remb(o) => as_a!(ReceiverEstimatedMaximumBitrate, |t| {
            t.sender_ssrc == o.sender.0
                && t.ssrcs.iter().copied().eq(o.ssrcs().map(|s| s.0))
                && t.bitrate as u64 == o.bitrate.as_bps()
        }),
        RtcpPacket::Twcc(o) => as_a!(TransportLayerCc, |t| {
            let received = o.statuses(usize::MAX).filter(|s| s.arrival.is_some()).count();
            (t.sender_ssrc, t.media_ssrc, t.fb_pkt_count) == (o.sender.0, o.media.0, o.count)
                && (t.base_sequence_number, usize::from(t.packet_status_count)) == (o.base().0, o.len())
                && t.reference_time == o.reference() as u32 & 0xff_ffff
                && t.recv_deltas.len() == received
        }),
        // Theirs keep these as bytes, or forget what stands in them.
        _ => true,
    }
}

fn reports(ours: &ReportBlocks<'_>, theirs: &[ReceptionReport]) -> bool {
    let flat = |b: ReportBlock| {
        let lost = b.cumulative_lost as u32 & 0xff_ffff;
        (b.ssrc.0, b.fraction_lost, lost, b.highest, b.jitter, b.last_report, b.delay)
    };
    let their = |r: &ReceptionReport| {
        let lost = (r.fraction_lost, r.total_lost, r.last_sequence_number);
        (r.ssrc, lost.0, lost.1, lost.2, r.jitter, r.last_sender_report, r.delay)
    };
    theirs.iter().map(their).eq(ours.iter().map(flat))
}

fn same_types(ours: &RtcpPacket<'_>, theirs: &Typed<'_>) -> bool {
    fn blocks<'a>(
        ours: &ReportBlocks<'_>,
        theirs: impl Iterator<Item = rtcp_types::ReportBlock<'a>>,
    ) -> bool {
        let flat = |b: ReportBlock| {
            let lost = b.cumulative_lost as u32 & 0xff_ffff;
            (b.ssrc.0, b.fraction_lost, lost, b.highest, b.jitter, b.last_report, b.delay)
        };
        let their = |r: rtcp_types::ReportBlock<'_>| {
            let numbers =
                (r.extended_sequence_number(), r.interarrival_jitter(), r.last_sender_report_timestamp());
            let delay = r.delay_since_last_sender_report_timestamp();
            (r.ssrc(), r.fraction_lost(), r.cumulative_lost(), numbers.0, numbers.1, numbers.2, delay)
        };
        theirs.map(their).eq(ours.iter().map(flat))
    }
    match (ours, theirs) {
        (RtcpPacket::SenderReport(o), Typed::Sr(t)) => {
            (t.ssrc(), t.ntp_timestamp(), t.rtp_timestamp(), t.packet_count(), t.octet_count())
                == (o.info.ssrc.0, o.info.ntp.0, o.info.timestamp.0, o.info.packets, o.info.octets)
                && blocks(&o.blocks, t.report_blocks())
        }
        (RtcpPacket::ReceiverReport(o), Typed::Rr(t)) => {
            t.ssrc() == o.sender.0 && blocks(&o.blocks, t.report_blocks())
        }
        (RtcpPacket::Sdes(o), Typed::Sdes(t)) => {
            let ours = o
                .chunks()
                .map(|c| (c.ssrc.0, c.items().map(|i| (i.kind, i.value.to_vec())).collect::<Vec<_>>()));
            let theirs = t
                .chunks()
                .map(|c| (c.ssrc(), c.items().map(|i| (i.type_(), i.value().to_vec())).collect::<Vec<_>>()));
            ours.eq(theirs)
        }
        (RtcpPacket::Bye(o), Typed::Bye(t)) => {
            t.ssrcs().eq(o.ssrcs().map(|s| s.0)) && t.reason().unwrap_or(&[]) == o.reason()
        }
        (RtcpPacket::App(_), Typed::App(_)) | (RtcpPacket::Xr(_), Typed::Xr(_)) => true,
        (RtcpPacket::Unknown { .. }, _) => true,
        (_, Typed::TransportFeedback(t)) => feedback(ours, t.sender_ssrc(), t.media_ssrc()),
        (_, Typed::PayloadFeedback(t)) => feedback(ours, t.sender_ssrc(), t.media_ssrc()),
        _ => false,
    }
}

/// Theirs read a message's own part only when asked for it.
fn feedback(ours: &RtcpPacket<'_>, sender: u32, media: u32) -> bool {
    match ours {
        RtcpPacket::Nack(o) => (o.sender.0, o.media.0) == (sender, media),
        RtcpPacket::Pli(o) => (o.sender.0, o.media.0) == (sender, media),
        RtcpPacket::Twcc(o) => (o.sender.0, o.media.0) == (sender, media),
        RtcpPacket::Fir(o) => o.sender.0 == sender,
        RtcpPacket::Remb(o) => o.sender.0 == sender,
        RtcpPacket::Ccfb(o) => o.sender.0 == sender,
        _ => false,
    }
}
