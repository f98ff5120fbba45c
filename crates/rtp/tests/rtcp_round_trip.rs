//! What we write, anybody reads: write, then parse, gives the same; and a buffer that is too small stays untouched.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;
mod lines;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use salon_rtp::rtcp::*;
use salon_rtp::{Bitrate, NtpTime, RtpTime, Seq, SeqNo, Ssrc, Time, TooSmall};

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
    #![proptest_config(cases::cases(10_000))]

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
        RtcpPacket::Twcc(t) => {
            // Any round of the numbers will do; times before the reporter's zero cannot be said.
            let base = SeqNo(1 << 20 | u64::from(t.base().0));
            let statuses = (base.0..).zip(t.statuses(usize::MAX));
            let arrivals: Vec<_> = statuses.filter_map(|(n, s)| Some((SeqNo(n), s.arrival?))).collect();
            if arrivals.iter().any(|(_, at)| *at < 0) {
                return false;
            }
            let arrivals = arrivals.iter().map(|&(n, at)| (n, Time::from_micros(at as u64)));
            let report = TwccReport { sender: t.sender, media: t.media, count: t.count };
            let last = arrivals.clone().next_back().map(|(n, _)| n.next());
            // One message holds it, or it is not the same.
            return last.is_some() && report.write(base, arrivals, 1_200, out) == last;
        }
        _ => return false,
    }
    .is_ok()
}

/// Two packets say the same, whatever their form.
fn same_said(read: RtcpPacket<'_>, packet: RtcpPacket<'_>) {
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
        (RtcpPacket::Fir(a), RtcpPacket::Fir(b)) => {
            assert!(a.sender == b.sender && a.entries().eq(b.entries()));
        }
        (RtcpPacket::Remb(a), RtcpPacket::Remb(b)) => {
            assert!((a.sender, a.bitrate) == (b.sender, b.bitrate) && a.ssrcs().eq(b.ssrcs()));
        }
        (RtcpPacket::Xr(a), RtcpPacket::Xr(b)) => {
            let times =
                |x: Xr<'_>| x.blocks().filter(|b| matches!(b, XrBlock::ReceiverReferenceTime(_))).count();
            let answers = |x: Xr<'_>| -> Vec<DlrrEntry> {
                x.blocks()
                    .flat_map(|b| if let XrBlock::Dlrr(d) = b { d.entries().collect() } else { vec![] })
                    .collect()
            };
            assert!(a.sender == b.sender && times(a) == times(b) && answers(a) == answers(b));
        }
        (RtcpPacket::Ccfb(a), RtcpPacket::Ccfb(b)) => {
            let all = |c: Ccfb<'_>| -> Vec<_> {
                let reports = c.reports().filter(|r| !r.is_empty());
                reports.map(|r| (r.media, r.begin, r.statuses().collect::<Vec<_>>())).collect()
            };
            assert!((a.sender, a.timestamp) == (b.sender, b.timestamp) && all(a) == all(b));
        }
        (RtcpPacket::Twcc(a), RtcpPacket::Twcc(b)) => {
            assert!((a.sender, a.media, a.count, a.base()) == (b.sender, b.media, b.count, b.base()));
            // What was lost after the last arrival is left to the next message.
            let (all, rest): (Vec<_>, Vec<_>) =
                (a.statuses(usize::MAX).collect(), b.statuses(usize::MAX).collect());
            assert!(all == rest[..all.len()] && rest[all.len()..].iter().all(|s| s.arrival.is_none()));
        }
        (read, packet) => assert_eq!(format!("{read:?}"), format!("{packet:?}")),
    }
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
            same_said(one(&out), packet);
        }
    }
    println!("{same} packets are the same bytes, {normal} take their normal form");
    assert_eq!((same, normal), (33, 5));
}

/// A packet of a kind that we know around a body that may be one: mostly small numbers, so that counts and lengths are right.
fn forged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0u8..4, 2 => any::<u8>()];
    let kinds = vec![
        (200, None),
        (201, None),
        (202, None),
        (203, None),
        (204, None),
        (205, Some(1)),
        (205, Some(11)),
        (206, Some(1)),
        (206, Some(4)),
        (207, Some(0)),
    ];
    let plain = (prop::sample::select(kinds), 0u8..4, vec(byte, 0..120)).prop_map(
        |((kind, format), count, mut body)| {
            body.resize(body.len() / 4 * 4, 0);
            let words = (body.len() / 4) as u16;
            [&[0x80 | format.unwrap_or(count), kind][..], &words.to_be_bytes(), &body].concat()
        },
    );
    let estimate = (any::<[u8; 3]>(), vec(any::<[u8; 4]>(), 0..4)).prop_map(|(number, list)| {
        let words = (4 + list.len()) as u16;
        let head = [0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', list.len() as u8];
        [&[0x8f, 206][..], &words.to_be_bytes(), &head, &number, &list.concat()].concat()
    });
    // Chunks without the reserved symbol, and deltas for as many as they may speak of.
    let chunk = prop_oneof![
        (0u16..3, 0u16..30).prop_map(|(symbol, n)| symbol << 13 | n),
        (0u16..1 << 14).prop_map(|bits| 0x8000 | bits),
        any::<[u8; 7]>().prop_map(|s| s.iter().fold(3, |w: u16, s| w << 2 | u16::from(s % 3))),
    ];
    let deltas = vec(any::<u8>(), 800);
    let twcc = (any::<u16>(), 1u16..60, any::<[u8; 4]>(), vec(chunk, 1..12), deltas).prop_map(
        |(base, count, time, chunks, deltas)| {
            let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2];
            body.extend([base.to_be_bytes(), count.to_be_bytes()].concat());
            body.extend(time);
            body.extend(chunks.iter().flat_map(|c| c.to_be_bytes()));
            body.extend(deltas);
            body.resize(body.len() / 4 * 4, 0);
            [&[0x8f, 205][..], &((body.len() / 4) as u16).to_be_bytes(), &body].concat()
        },
    );
    // A reference time or none, answers, and what their reserved bytes are.
    let xr = (any::<bool>(), any::<[u8; 8]>(), vec(any::<[u8; 12]>(), 0..5), any::<u8>()).prop_map(
        |(timed, time, answers, reserved)| {
            let mut body = vec![0, 0, 0, 1];
            if timed {
                body.extend([&[4, reserved, 0, 2][..], &time].concat());
            }
            body.extend([&[5, reserved, 0, 3 * answers.len() as u8][..], &answers.concat()].concat());
            [&[0x80 | reserved & 0x1f, 207, 0, (body.len() / 4) as u8][..], &body].concat()
        },
    );
    let report = (any::<[u8; 6]>(), vec(any::<[u8; 2]>(), 0..9), any::<[u8; 2]>());
    let ccfb = (vec(report, 0..4), any::<[u8; 4]>()).prop_map(|(reports, time)| {
        let mut body = vec![0, 0, 0, 1];
        for (head, mut statuses, reserved) in reports {
            body.extend([&head[..], &[0, statuses.len() as u8]].concat());
            // Whole words: what fills the last one means nothing.
            statuses.resize(statuses.len().next_multiple_of(2), reserved);
            body.extend(statuses.concat());
        }
        body.extend(time);
        [&[0x8b, 205, 0, (body.len() / 4) as u8][..], &body].concat()
    });
    // Numbers that rise, each with those that follow it: what comes by chance seldom does.
    let nack = vec((1u16..40, any::<u16>()), 1..9).prop_map(|losses| {
        let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2];
        let mut number = 0u16;
        for (step, following) in losses {
            number = number.wrapping_add(step);
            body.extend([number.to_be_bytes(), following.to_be_bytes()].concat());
        }
        [&[0x81, 205, 0, (body.len() / 4) as u8][..], &body].concat()
    });
    prop_oneof![8 => plain, 1 => estimate, 2 => twcc, 1 => xr, 1 => ccfb, 1 => nack]
}

/// Whatever is read is written in a form that reads the same, and that is written as it stands.
#[test]
fn any_packet_takes_its_normal_form() {
    let taken = RefCell::new(BTreeMap::<_, u32>::new());
    let law = |bytes: Vec<u8>| {
        let Ok(compound) = Compound::parse(&bytes) else { return Ok(()) };
        let packet = compound.iter().next().unwrap();
        let (mut normal, mut again) = (Vec::new(), Vec::new());
        if !rewritten(&packet, &mut normal) {
            return Ok(());
        }
        prop_assert!(normal.len() <= bytes.len(), "{:?}", packet);
        let read = one(&normal);
        same_said(read, packet);
        prop_assert!(rewritten(&read, &mut again));
        prop_assert_eq!(again, normal);
        let kind = format!("{packet:?}").split('(').next().unwrap_or_default().to_owned();
        *taken.borrow_mut().entry(kind).or_default() += 1;
        Ok(())
    };
    TestRunner::new(cases::cases(10_000)).run(&forged(), law).unwrap();
    println!("{:?}", taken.borrow());
    // Each kind is among them, and often.
    assert!(taken.borrow().len() == 12 && taken.borrow().values().all(|n| *n > 20), "{taken:?}");
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
