//! RTCP compounds and the two kinds of feedback on every packet.

use crate::{differential, readers};
use salon_rtp::rtcp::{
    Bye, Ccfb, CcfbStream, Compound, Fir, ReceiverReport, Remb, RtcpPacket, Sdes, Twcc, TwccReport, Xr,
    XrBlock,
};
use salon_rtp::{Bitrate, SeqNo, Time};

/// Everything that a compound says; what others say of it; and that what is written again says the same.
pub(crate) fn compound(bytes: &[u8]) -> bool {
    differential::rtcp(bytes);
    let read = readers::read_rtcp(bytes);
    if let Ok(compound) = Compound::parse(bytes) {
        compound.iter().for_each(written_again);
    }
    read > 0
}

/// The packet that was written alone into `out`.
fn alone(out: &[u8]) -> RtcpPacket<'_> {
    let compound = Compound::parse(out).unwrap();
    assert_eq!(compound.iter().count(), 1);
    compound.iter().next().unwrap()
}

fn written_again(packet: RtcpPacket<'_>) {
    let mut out = Vec::new();
    match packet {
        RtcpPacket::SenderReport(r) => {
            r.info.write(&r.blocks.iter().collect::<Vec<_>>(), &mut out).unwrap();
            let RtcpPacket::SenderReport(again) = alone(&out) else { panic!("another kind") };
            assert!(again.info == r.info && again.blocks.iter().eq(r.blocks.iter()));
        }
        RtcpPacket::ReceiverReport(r) => {
            ReceiverReport::write(r.sender, &r.blocks.iter().collect::<Vec<_>>(), &mut out).unwrap();
            let RtcpPacket::ReceiverReport(again) = alone(&out) else { panic!("another kind") };
            assert!(again.sender == r.sender && again.blocks.iter().eq(r.blocks.iter()));
        }
        RtcpPacket::Sdes(s) => {
            let chunks: Vec<_> = s.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).collect();
            let borrowed: Vec<_> = chunks.iter().map(|(of, items)| (*of, &items[..])).collect();
            if Sdes::write(&borrowed, &mut out).is_ok() && !out.is_empty() {
                let RtcpPacket::Sdes(again) = alone(&out) else { panic!("another kind") };
                assert!(again.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).eq(chunks));
            }
        }
        RtcpPacket::Bye(b) => {
            Bye::write_with_reason(&b.ssrcs().collect::<Vec<_>>(), b.reason(), &mut out).unwrap();
            let RtcpPacket::Bye(again) = alone(&out) else { panic!("another kind") };
            assert!(again.ssrcs().eq(b.ssrcs()) && again.reason() == b.reason());
        }
        RtcpPacket::App(_) | RtcpPacket::Pli(_) => {
            match packet {
                RtcpPacket::App(a) => a.write(&mut out).unwrap(),
                RtcpPacket::Pli(p) => p.write(&mut out).unwrap(),
                _ => {}
            }
            assert_eq!(format!("{:?}", alone(&out)), format!("{packet:?}"));
        }
        RtcpPacket::Fir(f) => {
            let entries: Vec<_> = f.entries().collect();
            Fir::write(f.sender, &entries, &mut out).unwrap();
            if !entries.is_empty() {
                let RtcpPacket::Fir(again) = alone(&out) else { panic!("another kind") };
                assert!(again.sender == f.sender && again.entries().eq(entries));
            }
        }
        RtcpPacket::Remb(r) if r.bitrate != Bitrate::MAX => {
            Remb::write(r.sender, r.bitrate, &r.ssrcs().collect::<Vec<_>>(), &mut out).unwrap();
            let RtcpPacket::Remb(again) = alone(&out) else { panic!("another kind") };
            assert!(again.bitrate == r.bitrate && again.ssrcs().eq(r.ssrcs()));
        }
        RtcpPacket::Xr(x) => extended_report(&x),
        RtcpPacket::Twcc(t) => transport_wide(&t),
        RtcpPacket::Ccfb(c) => per_stream(&c),
        _ => {}
    }
}

/// Ours are written with one reference time and one list of answers.
fn extended_report(x: &Xr<'_>) {
    let time =
        x.blocks().find_map(|b| if let XrBlock::ReceiverReferenceTime(t) = b { Some(t) } else { None });
    let answers: Vec<_> = (x.blocks())
        .find_map(|b| if let XrBlock::Dlrr(d) = b { Some(d.entries().collect()) } else { None })
        .unwrap_or_default();
    let mut out = Vec::new();
    Xr::write(x.sender, time, &answers, &mut out).unwrap();
    if out.is_empty() {
        assert!(time.is_none() && answers.is_empty());
        return;
    }
    let RtcpPacket::Xr(again) = alone(&out) else { panic!("another kind") };
    for block in again.blocks() {
        match block {
            XrBlock::ReceiverReferenceTime(t) => assert_eq!(Some(t), time),
            XrBlock::Dlrr(d) => assert!(d.entries().eq(answers.iter().copied())),
            _ => panic!("a block that nobody wrote"),
        }
    }
}

/// The time after which the reference time repeats: 24 bits of 64 ms.
const WRAP: i64 = 64_000 << 24;

/// What is reported again says the same of the same packets, as far as the message goes.
fn transport_wide(t: &Twcc<'_>) {
    let base = SeqNo(u64::from(t.base().0) + (1 << 16));
    let said: Vec<_> = t.statuses(2_000).map(|s| s.arrival).collect();
    let arrivals = (0..).zip(&said).filter_map(|(i, a)| {
        // Twice the wrap lies above every negative sum of deltas.
        Some((base.plus(i), Time::from_micros(u64::try_from((*a)? + 2 * WRAP).ok()?)))
    });
    let mut out = Vec::new();
    let report = TwccReport { sender: t.sender, media: t.media, count: t.count };
    let Some(next) = report.write(base, arrivals.clone(), 1_200, &mut out) else {
        assert!(out.is_empty() && arrivals.count() == 0, "nothing written though something arrived");
        return;
    };
    let RtcpPacket::Twcc(again) = alone(&out) else { panic!("another kind") };
    assert!(out.len() <= 1_200 && again.base() == t.base() && again.len() as u64 == next.since(base));
    for (status, said) in again.statuses(usize::MAX).zip(&said) {
        let apart = |a: i64, b: i64| (a - b).rem_euclid(WRAP);
        assert_eq!(status.arrival.is_some(), said.is_some());
        assert!(status.arrival.zip(*said).is_none_or(|(a, b)| apart(a, b) == 0), "{status:?} {said:?}");
    }
}

fn per_stream(c: &Ccfb<'_>) {
    let reports: Vec<_> = (c.reports().filter(|r| !r.is_empty()))
        .map(|r| (r.media, r.begin, r.statuses().map(|s| s.1).collect::<Vec<_>>()))
        .collect();
    let streams =
        reports.iter().map(|(media, begin, s)| CcfbStream { media: *media, begin: *begin, statuses: s });
    let mut out = Vec::new();
    let count = Ccfb::write(c.sender, c.timestamp, streams, usize::MAX, &mut out).unwrap();
    assert_eq!(count, reports.iter().map(|r| r.2.len()).sum::<usize>());
    if count > 0 {
        let RtcpPacket::Ccfb(again) = alone(&out) else { panic!("another kind") };
        assert!(again.sender == c.sender && again.timestamp == c.timestamp);
        let same = again.reports().map(|r| (r.media, r.begin, r.statuses().map(|s| s.1).collect::<Vec<_>>()));
        assert!(same.eq(reports));
    }
}

/// A body behind the header of transport-wide feedback, of RFC 8888's, or of a NACK: by its first byte.
pub(crate) fn feedback(bytes: &[u8]) -> bool {
    let Some((&kind, body)) = bytes.split_first() else { return false };
    let body = &body[..body.len().min(8_000) & !3];
    let format = [15, 11, 1][usize::from(kind) % 3];
    let words = (body.len() / 4) as u16;
    let packet = [&[0x80 | format, 205], &words.to_be_bytes()[..], body].concat();
    if let Ok(compound) = Compound::parse(&packet) {
        compound.iter().for_each(written_again);
    }
    readers::read_rtcp(&packet) > 0
}
