//! What we write, anybody reads: write, then parse, gives the same; and a buffer that is too small stays untouched.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;
mod lines;

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
    fn descriptions_and_reasons(
        list in vec((ssrc(), vec((1u8..=255, vec(any::<u8>(), 0..=255)), 0..4)), 0..40), reason in vec(any::<u8>(), 0..=255),
    ) {
        let items: Vec<Vec<_>> = list.iter()
            .map(|(_, items)| items.iter().map(|(kind, value)| SdesItem { kind: *kind, value }).collect()).collect();
        let chunks: Vec<_> = list.iter().zip(&items).map(|((of, _), items)| (*of, &items[..])).collect();
        let mut bytes = Vec::new();
        Sdes::write(&chunks, &mut bytes).unwrap();
        let read: Vec<_> = Compound::parse(&bytes).iter().flat_map(|c| c.iter()).flat_map(|p| match p {
            RtcpPacket::Sdes(s) => s.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).collect::<Vec<_>>(),
            _ => panic!(),
        }).collect();
        prop_assert_eq!(read, chunks.iter().map(|(of, items)| (*of, items.to_vec())).collect::<Vec<_>>());
        let few: Vec<_> = list.iter().take(31).map(|(of, _)| *of).collect();
        let bytes = written(|out| Bye::write_with_reason(&few, &reason, out));
        let RtcpPacket::Bye(b) = one(&bytes) else { panic!() };
        prop_assert_eq!((b.ssrcs().collect::<Vec<_>>(), b.reason()), (few, &reason[..]));
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

/// Writes anew what was read, where there is a writer for all of it.
fn rewritten(packet: &RtcpPacket<'_>, out: &mut Vec<u8>) -> bool {
    match packet {
        RtcpPacket::SenderReport(r) => r.info.write(&r.blocks.iter().collect::<Vec<_>>(), out),
        RtcpPacket::ReceiverReport(r) => {
            ReceiverReport::write(r.sender, &r.blocks.iter().collect::<Vec<_>>(), out)
        }
        RtcpPacket::Sdes(s) => {
            let items: Vec<_> = s.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).collect();
            if items.is_empty() {
                return false;
            }
            Sdes::write(&items.iter().map(|(of, items)| (*of, &items[..])).collect::<Vec<_>>(), out)
        }
        RtcpPacket::Bye(b) => Bye::write_with_reason(&b.ssrcs().collect::<Vec<_>>(), b.reason(), out),
        RtcpPacket::App(a) => a.write(out),
        RtcpPacket::Pli(p) => p.write(out),
        RtcpPacket::Fir(f) => Fir::write(f.sender, &f.entries().collect::<Vec<_>>(), out),
        RtcpPacket::Remb(r) if r.bitrate != Bitrate::MAX => {
            Remb::write(r.sender, r.bitrate, &r.ssrcs().collect::<Vec<_>>(), out)
        }
        RtcpPacket::Ccfb(c) => {
            let reports: Vec<_> = c
                .reports()
                .filter(|r| !r.is_empty())
                .map(|r| (r.media, r.begin, r.statuses().map(|s| s.1).collect::<Vec<_>>()))
                .collect();
            let streams = reports.iter().map(|(media, begin, s)| CcfbStream {
                media: *media,
                begin: *begin,
                statuses: s,
            });
            return Ccfb::write(c.sender, c.timestamp, streams, 4_000, out).is_ok_and(|n| n > 0);
        }
        RtcpPacket::Xr(x) => {
            let (mut time, mut answers) = (None, Vec::new());
            for block in x.blocks() {
                match block {
                    XrBlock::ReceiverReferenceTime(t) if time.is_none() && answers.is_empty() => {
                        time = Some(t)
                    }
                    XrBlock::Dlrr(d) if answers.is_empty() => answers.extend(d.entries()),
                    _ => return false,
                }
            }
            if time.is_none() && answers.is_empty() {
                return false;
            }
            Xr::write(x.sender, time, &answers, out)
        }
        RtcpPacket::Nack(n) => {
            // A request names ascending numbers: as the first extends them, if they do ascend.
            let mut last = SeqNo(1 << 20);
            let numbers: Vec<_> = n
                .seqs()
                .map_while(|s| {
                    let next = s.extend(last).filter(|next| *next > last || *next < SeqNo(1 << 20));
                    last = next?;
                    next
                })
                .collect();
            if numbers.len() < n.seqs().count() || !numbers.is_sorted() {
                return false;
            }
            return Nack::write(n.sender, n.media, numbers.into_iter(), out).is_ok();
        }
        _ => return false,
    }
    .is_ok()
}

/// What others wrote and we read, we write as they did, or in a form that reads the same and is not longer: without padding,
/// profile extensions, reserved bits, more than one zero word after descriptions, and with numbers packed as densely as can be.
#[test]
fn what_is_read_is_written_back() {
    let seeds =
        lines::of(include_str!("data/rtcp_seeds.txt")).map(|l| lines::hex(l.split_once(' ').unwrap().1));
    let verdicts =
        lines::of(include_str!("data/rtcp_verdicts.txt")).map(|l| lines::hex(l.rsplit_once('|').unwrap().1));
    let (mut same, mut normal) = (0, 0);
    for bytes in seeds.chain(verdicts) {
        let Ok(compound) = Compound::parse(&bytes) else { continue };
        let mut rest = &bytes[..];
        for packet in compound.iter() {
            let (source, after) = rest.split_at(4 + 4 * usize::from(u16::from_be_bytes([rest[2], rest[3]])));
            rest = after;
            let mut out = Vec::new();
            if !rewritten(&packet, &mut out) {
                continue;
            }
            if out == source {
                same += 1;
                continue;
            }
            normal += 1;
            assert!(out.len() <= source.len(), "{packet:?}");
            let (read, again) = (one(&out), format!("{packet:?}"));
            match (read, packet) {
                (RtcpPacket::SenderReport(a), RtcpPacket::SenderReport(b)) => {
                    assert!(a.info == b.info && a.blocks.iter().eq(b.blocks.iter()));
                }
                (RtcpPacket::ReceiverReport(a), RtcpPacket::ReceiverReport(b)) => {
                    assert!(a.sender == b.sender && a.blocks.iter().eq(b.blocks.iter()));
                }
                (RtcpPacket::Nack(a), RtcpPacket::Nack(b)) => {
                    assert!((a.sender, a.media) == (b.sender, b.media) && a.seqs().eq(b.seqs()));
                }
                (RtcpPacket::Sdes(a), RtcpPacket::Sdes(b)) => {
                    assert!(a.chunks().map(|c| c.ssrc).eq(b.chunks().map(|c| c.ssrc)));
                    assert!(a.chunks().flat_map(|c| c.items()).eq(b.chunks().flat_map(|c| c.items())));
                }
                (read, _) => assert_eq!(format!("{read:?}"), again),
            }
        }
    }
    println!("{same} packets are the same bytes, {normal} take their normal form");
    assert_eq!((same, normal), (31, 5));
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
