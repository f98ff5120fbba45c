//! What we write, anybody reads: write, then parse, gives the same; and a buffer that is too small stays untouched.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

use proptest::collection::vec;
use proptest::prelude::*;
use salon_rtp::rtcp::*;
use salon_rtp::{Bitrate, NtpTime, RtpTime, Seq, SeqNo, Ssrc, TooSmall};

fn ssrc() -> impl Strategy<Value = Ssrc> {
    any::<u32>().prop_map(Ssrc)
}

fn block() -> impl Strategy<Value = ReportBlock> {
    (ssrc(), any::<u8>(), -0x80_0000i32..0x80_0000, any::<[u32; 4]>()).prop_map(
        |(ssrc, fraction_lost, cumulative_lost, [highest, jitter, last_report, delay])| ReportBlock {
            ssrc,
            fraction_lost,
            cumulative_lost,
            highest,
            jitter,
            last_report,
            delay,
        },
    )
}

/// Writes into a buffer that grows, and into every one that is too small.
fn written(write: impl Fn(&mut &mut [u8]) -> Result<(), TooSmall>) -> Vec<u8> {
    let mut buffer = vec![0xaa; 4_000];
    let mut free = &mut buffer[..];
    write(&mut free).unwrap();
    let left = free.len();
    let len = buffer.len() - left;
    buffer.truncate(len);
    assert_eq!(len % 4, 0);
    for short in [0, 3, len.saturating_sub(4), len.saturating_sub(1)] {
        if short < len {
            assert_eq!(write(&mut &mut vec![0; short][..]), Err(TooSmall));
        }
    }
    buffer
}

fn one(bytes: &[u8]) -> RtcpPacket<'_> {
    let compound = Compound::parse(bytes).unwrap();
    assert_eq!(compound.iter().count(), 1);
    compound.iter().next().unwrap()
}

proptest! {
    #![proptest_config(cases::cases(1024))]

    #[test]
    fn reports(
        (of, ntp, ts, packets, octets) in (ssrc(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>()),
        blocks in vec(block(), 0..70),
    ) {
        let info = SenderInfo { ssrc: of, ntp: NtpTime(ntp), timestamp: RtpTime(ts), packets, octets };
        let bytes = written(|out| info.write(&blocks, out));
        let mut read = Vec::new();
        for (i, p) in Compound::parse(&bytes).unwrap().iter().enumerate() {
            match p {
                RtcpPacket::SenderReport(r) if i == 0 => {
                    prop_assert_eq!(r.info, info);
                    read.extend(r.blocks.iter());
                }
                RtcpPacket::ReceiverReport(r) => {
                    prop_assert_eq!(r.sender, of);
                    read.extend(r.blocks.iter());
                }
                _ => prop_assert!(false),
            }
        }
        prop_assert_eq!(&read, &blocks);
        let bytes = written(|out| ReceiverReport::write(of, &blocks, out));
        let read: Vec<_> = Compound::parse(&bytes).unwrap().iter().flat_map(|p| match p {
            RtcpPacket::ReceiverReport(r) => r.blocks.iter().collect::<Vec<_>>(),
            _ => panic!(),
        }).collect();
        prop_assert_eq!(read, blocks);
    }

    #[test]
    fn names(of in ssrc(), cname in vec(any::<u8>(), 0..=255)) {
        let bytes = written(|out| Sdes::write_cname(of, &cname, out));
        let RtcpPacket::Sdes(s) = one(&bytes) else { panic!() };
        let chunks: Vec<_> = s.chunks().collect();
        prop_assert_eq!((chunks.len(), chunks[0].ssrc, chunks[0].cname()), (1, of, Some(&cname[..])));
    }

    #[test]
    fn good_byes(list in vec(ssrc(), 1..70)) {
        let bytes = written(|out| Bye::write(&list, out));
        let read: Vec<_> = Compound::parse(&bytes).unwrap().iter().flat_map(|p| match p {
            RtcpPacket::Bye(b) => b.ssrcs().collect::<Vec<_>>(),
            _ => panic!(),
        }).collect();
        prop_assert_eq!(read, list);
    }

    #[test]
    fn requests_for_pictures(sender in ssrc(), media in ssrc(), list in vec((ssrc(), any::<u8>()), 1..40)) {
        let pli = Pli { sender, media };
        let bytes = written(|out| pli.write(out));
        prop_assert!(matches!(one(&bytes), RtcpPacket::Pli(p) if p == pli));
        let entries: Vec<_> = list.iter().map(|&(media, number)| FirEntry { media, number }).collect();
        let bytes = written(|out| Fir::write(sender, &entries, out));
        let RtcpPacket::Fir(f) = one(&bytes) else { panic!() };
        prop_assert_eq!((f.sender, f.entries().collect::<Vec<_>>()), (sender, entries));
    }

    #[test]
    fn estimates(sender in ssrc(), bps in prop_oneof![any::<u64>(), 0u64..10_000_000], list in vec(ssrc(), 0..=255)) {
        let bytes = written(|out| Remb::write(sender, Bitrate::from_bps(bps), &list, out));
        let RtcpPacket::Remb(r) = one(&bytes) else { panic!() };
        prop_assert_eq!((r.sender, r.ssrcs().collect::<Vec<_>>()), (sender, list));
        // Eighteen bits of it, rounded down.
        prop_assert!(r.bitrate.as_bps() <= bps && bps - r.bitrate.as_bps() <= bps >> 17);
    }

    #[test]
    fn applications_data(
        sender in ssrc(), subtype in 0u8..32, name in any::<[u8; 4]>(), data in vec(any::<u8>(), 0..60),
    ) {
        let app = App { subtype, sender, name, data: &data };
        let bytes = written(|out| app.write(out));
        let RtcpPacket::App(read) = one(&bytes) else { panic!() };
        prop_assert_eq!(read, app);
    }

    #[test]
    fn extended_reports(
        sender in ssrc(), reference in prop::option::of(any::<u64>()), list in vec(any::<[u32; 3]>(), 0..40),
    ) {
        let answers: Vec<_> = list.iter().map(|&[receiver, last_reference, delay]| {
            DlrrEntry { receiver: Ssrc(receiver), last_reference, delay }
        }).collect();
        let bytes = written(|out| Xr::write(sender, reference.map(NtpTime), &answers, out));
        if reference.is_none() && answers.is_empty() {
            prop_assert!(bytes.is_empty());
            return Ok(());
        }
        let RtcpPacket::Xr(xr) = one(&bytes) else { panic!() };
        prop_assert_eq!((xr.sender, xr.unknown()), (sender, 0));
        let (mut times, mut read) = (Vec::new(), Vec::new());
        for block in xr.blocks() {
            match block {
                XrBlock::ReceiverReferenceTime(t) => times.push(t.0),
                XrBlock::Dlrr(d) => read.extend(d.entries()),
                _ => prop_assert!(false),
            }
        }
        prop_assert_eq!((times, read), (reference.into_iter().collect(), answers));
    }

    #[test]
    fn missing_packets(start in 0u64..1 << 40, gaps in vec(prop_oneof![5 => 0u64..3, 1 => 0u64..100], 1..300), room in 0usize..600) {
        let mut at = start;
        let missing: Vec<_> = gaps.iter().map(|g| { at += g; at += 1; SeqNo(at) }).collect();
        let mut buffer = vec![0; room];
        let mut free = &mut buffer[..];
        let n = Nack::write(Ssrc(1), Ssrc(2), missing.iter().copied(), &mut free);
        let len = room - free.len();
        match n {
            Err(TooSmall) => prop_assert!(room < 16 && len == 0),
            Ok(n) => {
                let RtcpPacket::Nack(nack) = one(&buffer[..len]) else { panic!() };
                prop_assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
                let seqs: Vec<Seq> = nack.seqs().collect();
                prop_assert_eq!(seqs, missing[..n].iter().map(|m| m.seq()).collect::<Vec<_>>());
                // It ends only where there is no room for another item.
                prop_assert!(n == missing.len() || room - len < 4);
            }
        }
    }
}

#[test]
fn nothing_to_say_is_nothing_written() {
    let mut out = Vec::new();
    assert_eq!(Nack::write(Ssrc(1), Ssrc(2), [].into_iter(), &mut out), Ok(0));
    Bye::write(&[], &mut out).unwrap();
    Fir::write(Ssrc(1), &[], &mut out).unwrap();
    assert!(out.is_empty());
    // But an empty receiver report says that we are there.
    ReceiverReport::write(Ssrc(1), &[], &mut out).unwrap();
    assert_eq!(out.len(), 8);
    assert_eq!(Sdes::write_cname(Ssrc(1), &[b'a'; 256], &mut out), Err(TooSmall));
    assert_eq!(Remb::write(Ssrc(1), Bitrate::ZERO, &[Ssrc(0); 256], &mut out), Err(TooSmall));
}

#[test]
fn an_estimate_beyond_64_bits_is_the_greatest() {
    let mut out = Vec::new();
    Remb::write(Ssrc(1), Bitrate::MAX, &[], &mut out).unwrap();
    // Exponent 63 over a full mantissa.
    out[17] = 0xff;
    let RtcpPacket::Remb(r) = one(&out) else { panic!() };
    assert_eq!(r.bitrate, Bitrate::MAX);
}
