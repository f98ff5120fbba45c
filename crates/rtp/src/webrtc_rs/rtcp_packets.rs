//! RTCP packets.

mod feedback;

use super::ConvertError;
use crate::rtcp::{
    App, Bye, Compound, DlrrEntry, Fir, FirEntry, Pli, ReceiverReport, Remb, ReportBlock, ReportBlocks,
    RtcpPacket, Sdes, SdesItem, SenderInfo, SenderReport, Xr, XrBlock,
};
use crate::{Bitrate, NtpTime, RtpTime, Ssrc};
use ::rtcp::extended_report as xr;
use ::rtcp::goodbye::Goodbye;
use ::rtcp::payload_feedbacks::full_intra_request as fir;
use ::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use ::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use ::rtcp::raw_packet::RawPacket;
use ::rtcp::receiver_report::ReceiverReport as TheirReceiverReport;
use ::rtcp::reception_report::ReceptionReport;
use ::rtcp::sender_report::SenderReport as TheirSenderReport;
use ::rtcp::source_description as sdes;
use ::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use ::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// An RTCP packet of theirs, of any kind.
pub type TheirRtcp = Box<dyn ::rtcp::packet::Packet + Send + Sync>;

/// The bytes of a compound RTCP packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RtcpBuf(Vec<u8>);

impl RtcpBuf {
    /// The packets.
    pub fn compound(&self) -> Compound<'_> {
        Compound::trusted(&self.0)
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl TryFrom<&[TheirRtcp]> for RtcpBuf {
    type Error = ConvertError;

    /// One after the other; none at all is [`Error::TooShort`](crate::Error::TooShort).
    fn try_from(theirs: &[TheirRtcp]) -> Result<Self, ConvertError> {
        let mut out = Vec::new();
        for packet in theirs {
            write(&**packet, &mut out)?;
        }
        Compound::parse(&out)?;
        Ok(Self(out))
    }
}

impl TryFrom<&TheirRtcp> for RtcpBuf {
    type Error = ConvertError;

    fn try_from(theirs: &TheirRtcp) -> Result<Self, ConvertError> {
        Self::try_from(core::slice::from_ref(theirs))
    }
}

/// Writes one of their packets. Those that ours do not read (slice loss, rapid resynchronisation) are none of a kind.
fn write(packet: &(dyn ::rtcp::packet::Packet + Send + Sync), out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let any = packet.as_any();
    macro_rules! try_kinds {
        ($($kind:ty => $write:expr),+ $(,)?) => {
            $(if let Some(p) = any.downcast_ref::<$kind>() {
                return $write(p, out);
            })+
        };
    }
    try_kinds! {
        TheirSenderReport => write_sender_report,
        TheirReceiverReport => write_receiver_report,
        sdes::SourceDescription => write_descriptions,
        Goodbye => write_goodbye,
        PictureLossIndication => |p: &PictureLossIndication, out: &mut Vec<u8>| {
            let pli = Pli { sender: Ssrc(p.sender_ssrc), media: Ssrc(p.media_ssrc) };
            Ok(pli.write(out)?)
        },
        fir::FullIntraRequest => write_intra_request,
        ReceiverEstimatedMaximumBitrate => write_estimate,
        TransportLayerNack => feedback::write_nack,
        TransportLayerCc => feedback::write_twcc,
        xr::ExtendedReport => write_extended_report,
        RawPacket => write_raw,
    }
    Err(ConvertError::Kind)
}

impl TryFrom<RtcpPacket<'_>> for TheirRtcp {
    type Error = ConvertError;

    /// What theirs have no type for (application packets, RFC 8888, what ours do not read either) becomes a `RawPacket`.
    fn try_from(ours: RtcpPacket<'_>) -> Result<Self, ConvertError> {
        Ok(match ours {
            RtcpPacket::SenderReport(r) => Box::new(sender_report(&r)),
            RtcpPacket::ReceiverReport(r) => Box::new(TheirReceiverReport {
                ssrc: r.sender.0,
                reports: reports(&r.blocks),
                profile_extensions: Bytes::copy_from_slice(r.blocks.extension()),
            }),
            RtcpPacket::Sdes(s) => Box::new(descriptions(&s)?),
            RtcpPacket::Bye(b) => Box::new(Goodbye {
                sources: b.ssrcs().map(|s| s.0).collect(),
                reason: Bytes::copy_from_slice(b.reason()),
            }),
            RtcpPacket::Pli(p) => {
                Box::new(PictureLossIndication { sender_ssrc: p.sender.0, media_ssrc: p.media.0 })
            }
            RtcpPacket::Fir(f) => Box::new(intra_request(&f)),
            RtcpPacket::Remb(r) => Box::new(estimate(&r)?),
            RtcpPacket::Nack(n) => Box::new(feedback::nack(&n)),
            RtcpPacket::Twcc(t) => Box::new(feedback::twcc(&t)),
            RtcpPacket::Xr(x) => Box::new(extended_report(&x)?),
            RtcpPacket::App(a) => Box::new(raw_application(&a)?),
            RtcpPacket::Ccfb(c) => {
                let body = [&c.sender.0.to_be_bytes()[..], c.raw(), &c.timestamp.to_be_bytes()].concat();
                Box::new(raw(205, 11, &body)?)
            }
            RtcpPacket::Unknown { packet_type, count, body } => Box::new(raw(packet_type, count, body)?),
        })
    }
}

fn sender_report(r: &SenderReport<'_>) -> TheirSenderReport {
    TheirSenderReport {
        ssrc: r.info.ssrc.0,
        ntp_time: r.info.ntp.0,
        rtp_time: r.info.timestamp.0,
        packet_count: r.info.packets,
        octet_count: r.info.octets,
        reports: reports(&r.blocks),
        profile_extensions: Bytes::copy_from_slice(r.blocks.extension()),
    }
}

fn reports(blocks: &ReportBlocks<'_>) -> Vec<ReceptionReport> {
    let report = |b: ReportBlock| ReceptionReport {
        ssrc: b.ssrc.0,
        fraction_lost: b.fraction_lost,
        // They keep the 24 bits as they travel, without their sign.
        total_lost: b.cumulative_lost as u32 & 0xff_ffff,
        last_sequence_number: b.highest,
        jitter: b.jitter,
        last_sender_report: b.last_report,
        delay: b.delay,
    };
    blocks.iter().map(report).collect()
}

fn blocks(reports: &[ReceptionReport]) -> Result<Vec<ReportBlock>, ConvertError> {
    if reports.len() > 31 {
        return Err(ConvertError::Count);
    }
    let block = |r: &ReceptionReport| {
        Ok(ReportBlock {
            ssrc: Ssrc(r.ssrc),
            fraction_lost: r.fraction_lost,
            cumulative_lost: if r.total_lost >> 24 == 0 {
                (r.total_lost << 8) as i32 >> 8
            } else {
                return Err(ConvertError::Number);
            },
            highest: r.last_sequence_number,
            jitter: r.jitter,
            last_report: r.last_sender_report,
            delay: r.delay,
        })
    };
    reports.iter().map(block).collect()
}

fn write_sender_report(r: &TheirSenderReport, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let info = SenderInfo {
        ssrc: Ssrc(r.ssrc),
        ntp: NtpTime(r.ntp_time),
        timestamp: RtpTime(r.rtp_time),
        packets: r.packet_count,
        octets: r.octet_count,
    };
    let at = out.len();
    info.write(&blocks(&r.reports)?, out)?;
    append_extension(at, &r.profile_extensions, out)
}

fn write_receiver_report(r: &TheirReceiverReport, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let at = out.len();
    ReceiverReport::write(Ssrc(r.ssrc), &blocks(&r.reports)?, out)?;
    append_extension(at, &r.profile_extensions, out)
}

/// Appends a profile's extension to the packet that was written from `at` on: whole words (RFC 3550 §6.4.3).
fn append_extension(at: usize, extension: &[u8], out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if extension.len() % 4 != 0 {
        return Err(ConvertError::Count);
    }
    out.extend_from_slice(extension);
    let words = u16::try_from((out.len() - at) / 4 - 1).map_err(|_| ConvertError::Count)?;
    if let Some(length) = out.get_mut(at + 2..at + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
    Ok(())
}

fn descriptions(s: &Sdes<'_>) -> Result<sdes::SourceDescription, ConvertError> {
    let mut chunks = Vec::new();
    for chunk in s.chunks() {
        let mut items = Vec::new();
        for item in chunk.items() {
            let sdes_type = match item.kind {
                1..=8 => sdes::SdesType::from(item.kind),
                _ => return Err(ConvertError::Kind),
            };
            items.push(sdes::SourceDescriptionItem { sdes_type, text: Bytes::copy_from_slice(item.value) });
        }
        chunks.push(sdes::SourceDescriptionChunk { source: chunk.ssrc.0, items });
    }
    Ok(sdes::SourceDescription { chunks })
}

fn write_descriptions(s: &sdes::SourceDescription, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if s.chunks.len() > 31 {
        return Err(ConvertError::Count);
    }
    let mut items = Vec::new();
    for chunk in &s.chunks {
        let item = |i: &'_ sdes::SourceDescriptionItem| i.sdes_type != sdes::SdesType::SdesEnd;
        if !chunk.items.iter().all(item) {
            return Err(ConvertError::Kind);
        }
        let ours = chunk.items.iter().map(|i| SdesItem { kind: i.sdes_type as u8, value: &i.text });
        items.push((Ssrc(chunk.source), ours.collect::<Vec<_>>()));
    }
    let chunks: Vec<_> = items.iter().map(|(of, items)| (*of, &items[..])).collect();
    if chunks.is_empty() {
        // An empty packet is one all the same.
        out.extend([0x80, 202, 0, 0]);
    }
    Ok(Sdes::write(&chunks, out)?)
}

fn write_goodbye(b: &Goodbye, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let ssrcs: Vec<_> = b.sources.iter().map(|&s| Ssrc(s)).collect();
    Ok(Bye::write_with_reason(&ssrcs, &b.reason, out)?)
}

fn intra_request(f: &Fir<'_>) -> fir::FullIntraRequest {
    let entry = |e: FirEntry| fir::FirEntry { ssrc: e.media.0, sequence_number: e.number };
    fir::FullIntraRequest { sender_ssrc: f.sender.0, media_ssrc: 0, fir: f.entries().map(entry).collect() }
}

fn write_intra_request(f: &fir::FullIntraRequest, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if f.fir.is_empty() {
        return Err(ConvertError::Count);
    }
    let entry = |e: &fir::FirEntry| FirEntry { media: Ssrc(e.ssrc), number: e.sequence_number };
    let entries: Vec<_> = f.fir.iter().map(entry).collect();
    Ok(Fir::write(Ssrc(f.sender_ssrc), &entries, out)?)
}

fn estimate(r: &Remb<'_>) -> Result<ReceiverEstimatedMaximumBitrate, ConvertError> {
    let bitrate = r.bitrate.as_bps() as f32;
    // Eighteen bits fit the twenty-four of theirs; what we clamped does not.
    if bitrate as u64 != r.bitrate.as_bps() || r.bitrate == Bitrate::MAX {
        return Err(ConvertError::Number);
    }
    Ok(ReceiverEstimatedMaximumBitrate {
        sender_ssrc: r.sender.0,
        bitrate,
        ssrcs: r.ssrcs().map(|s| s.0).collect(),
    })
}

fn write_estimate(r: &ReceiverEstimatedMaximumBitrate, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let bps = r.bitrate as u64;
    // It travels with eighteen bits: what has more would be rounded.
    let bits = 64 - bps.leading_zeros().saturating_add(bps.trailing_zeros()).min(64);
    if bps as f32 != r.bitrate || bps == u64::MAX || bits > 18 {
        return Err(ConvertError::Number);
    }
    let ssrcs: Vec<_> = r.ssrcs.iter().map(|&s| Ssrc(s)).collect();
    Ok(Remb::write(Ssrc(r.sender_ssrc), Bitrate::from_bps(bps), &ssrcs, out)?)
}

fn extended_report(x: &Xr<'_>) -> Result<xr::ExtendedReport, ConvertError> {
    let mut reports: Vec<TheirRtcp> = Vec::new();
    for block in x.blocks() {
        reports.push(match block {
            XrBlock::ReceiverReferenceTime(t) => {
                Box::new(xr::ReceiverReferenceTimeReportBlock { ntp_timestamp: t.0 })
            }
            XrBlock::Dlrr(d) => {
                let entry = |e: DlrrEntry| xr::DLRRReport {
                    ssrc: e.receiver.0,
                    last_rr: e.last_reference,
                    dlrr: e.delay,
                };
                Box::new(xr::DLRRReportBlock { reports: d.entries().map(entry).collect() })
            }
            // Theirs forget which kind an unknown block was of.
            XrBlock::Unknown { .. } => return Err(ConvertError::Kind),
        });
    }
    Ok(xr::ExtendedReport { sender_ssrc: x.sender.0, reports })
}

/// Block by block, for theirs may stand in any order and number.
fn write_extended_report(x: &xr::ExtendedReport, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let mut body = x.sender_ssrc.to_be_bytes().to_vec();
    for block in &x.reports {
        let any = block.as_any();
        if let Some(t) = any.downcast_ref::<xr::ReceiverReferenceTimeReportBlock>() {
            body.extend([4, 0, 0, 2]);
            body.extend(t.ntp_timestamp.to_be_bytes());
        } else if let Some(d) = any.downcast_ref::<xr::DLRRReportBlock>() {
            let words = u16::try_from(3 * d.reports.len()).map_err(|_| ConvertError::Count)?;
            body.extend([5, 0]);
            body.extend(words.to_be_bytes());
            for r in &d.reports {
                [r.ssrc, r.last_rr, r.dlrr].iter().for_each(|w| body.extend(w.to_be_bytes()));
            }
        } else {
            return Err(ConvertError::Kind);
        }
    }
    out.extend_from_slice(&raw(207, 0, &body)?.0);
    Ok(())
}

fn raw_application(a: &App<'_>) -> Result<RawPacket, ConvertError> {
    let mut out = Vec::new();
    a.write(&mut out)?;
    Ok(RawPacket(out.into()))
}

/// A packet of a body; one that ends in mid word, as padding leaves it, gets its padding again.
fn raw(packet_type: u8, count: u8, body: &[u8]) -> Result<RawPacket, ConvertError> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let words = u16::try_from((body.len() + padding) / 4).map_err(|_| ConvertError::Count)?;
    let mut out = alloc::vec![0x80 | u8::from(padding > 0) << 5 | count, packet_type];
    out.extend(words.to_be_bytes());
    out.extend_from_slice(body);
    out.resize(out.len() + padding, 0);
    if let Some(last) = out.last_mut().filter(|_| padding > 0) {
        *last = padding as u8;
    }
    Ok(RawPacket(out.into()))
}

/// One whole packet.
fn write_raw(p: &RawPacket, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if Compound::parse(&p.0)?.iter().count() != 1 {
        return Err(ConvertError::Count);
    }
    out.extend_from_slice(&p.0);
    Ok(())
}
