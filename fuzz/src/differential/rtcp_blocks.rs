//! RTCP packets, each block of a compound for itself.

use super::{RTCP, RTCP_TYPES, Says, classify, said, their};
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
use salon_rtp::rtcp::{Compound, ReportBlock, ReportBlocks, RtcpPacket};

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
