//! Packets of webrtc-rs from ours and back. Their own reading is the yardstick here, on bytes that it survives.
#![cfg(feature = "webrtc-rs-0_17")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

mod lines;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use salon_rtp::rtcp::*;
use salon_rtp::webrtc_rs::{ConvertError, RtcpBuf, RtpBuf, TheirRtcp};
use salon_rtp::{Bitrate, Packet, SeqNo, Ssrc, Time};
use std::panic::catch_unwind;
use webrtc_util::marshal::Unmarshal;

type Theirs = rtp::packet::Packet;

fn seeds(text: &str) -> Vec<Vec<u8>> {
    lines::of(text).map(|l| lines::hex(l.split_once(' ').map_or("", |(_, hex)| hex))).collect()
}

/// What their own reader makes of bytes: nothing if it fails or panics.
fn read_rtp(bytes: &[u8]) -> Option<Theirs> {
    let bytes = Bytes::copy_from_slice(bytes);
    catch_unwind(|| Theirs::unmarshal(&mut bytes.clone()).ok()).ok()?
}

fn read_rtcp(bytes: &[u8]) -> Option<Vec<TheirRtcp>> {
    let bytes = Bytes::copy_from_slice(bytes);
    catch_unwind(|| rtcp::packet::unmarshal(&mut bytes.clone()).ok()).ok()?
}

/// There and back; whether their own reader agrees, if it can read it.
fn there_and_back(bytes: &[u8]) -> Result<Option<bool>, ConvertError> {
    let ours = Packet::parse(bytes).unwrap();
    let theirs = Theirs::try_from(&ours)?;
    let back = RtpBuf::try_from(&theirs).unwrap();
    let p = back.packet();
    assert_eq!(
        (p.pt(), p.seq(), p.timestamp(), p.ssrc()),
        (ours.pt(), ours.seq(), ours.timestamp(), ours.ssrc())
    );
    assert!(
        p.marker() == ours.marker() && p.csrcs().eq(ours.csrcs()) && p.extensions().eq(ours.extensions())
    );
    assert_eq!(p.payload(), ours.payload());
    Ok(read_rtp(bytes).map(|read| read == theirs))
}

#[test]
fn rtp_of_others_goes_there_and_back() {
    let (mut agreed, mut lost, mut refused) = (0, 0, 0);
    for bytes in seeds(include_str!("data/rtp_seeds.txt")).iter().filter(|b| Packet::parse(b).is_ok()) {
        match there_and_back(bytes) {
            Ok(Some(same)) => {
                assert!(same, "{bytes:02x?}");
                agreed += 1;
            }
            Ok(None) => lost += 1,
            Err(e) => {
                assert!([ConvertError::Padding, ConvertError::Extension].contains(&e), "{e}");
                refused += 1;
            }
        }
    }
    println!("{agreed} packets are read alike, {lost} theirs cannot read, {refused} they cannot say");
    assert_eq!(agreed + lost + refused, 24);
}

proptest! {
    #![proptest_config(cases::cases(10_000))]

    #[test]
    fn any_rtp_packet(
        elements in vec((1u8..15, vec(any::<u8>(), 1..=16)), 0..4), long in vec((1u8..=255, vec(any::<u8>(), 0..40)), 0..4),
        (form, csrcs) in (0u8..4, vec(any::<u32>(), 0..16)), head: [u8; 11], payload in vec(any::<u8>(), 0..40),
    ) {
        let mut body = Vec::new();
        let profile = match form {
            0 => None,
            1 => {
                elements.iter().for_each(|(id, v)| { body.push(id << 4 | (v.len() - 1) as u8); body.extend(v) });
                Some(0xbedeu16)
            }
            2 => {
                long.iter().for_each(|(id, v)| { body.extend([*id, v.len() as u8]); body.extend(v) });
                Some(0x1000)
            }
            _ => {
                body.extend(&payload);
                Some(0x1234)
            }
        };
        body.resize(body.len().next_multiple_of(4), 0);
        let mut bytes = vec![0x80 | u8::from(profile.is_some()) << 4 | csrcs.len() as u8];
        bytes.extend(head);
        csrcs.iter().for_each(|c| bytes.extend(c.to_be_bytes()));
        if let Some(p) = profile {
            bytes.extend(p.to_be_bytes());
            bytes.extend(((body.len() / 4) as u16).to_be_bytes());
            bytes.extend(body);
        }
        bytes.extend(&payload);
        prop_assert_eq!(there_and_back(&bytes), Ok(Some(true)));
        let back = RtpBuf::try_from(&Theirs::try_from(&Packet::parse(&bytes).unwrap()).unwrap()).unwrap();
        prop_assert_eq!(back.into_bytes(), bytes);
    }

    #[test]
    fn any_reports_and_requests(
        (words, lost, list) in (any::<[u32; 6]>(), -0x80_0000i32..0x80_0000, vec(any::<u32>(), 1..20)),
        cname in vec(any::<u8>(), 1..40), reason in vec(any::<u8>(), 0..40), bps in 1u64..1 << 18, exponent in 0u32..46,
        numbers in vec(1u64..40, 1..40), gaps in vec((0u64..30, 0u64..100_000), 1..40),
    ) {
        let ssrcs: Vec<_> = list.iter().map(|&s| Ssrc(s)).collect();
        let [a, b, highest, jitter, last_report, delay] = words;
        let block = ReportBlock { ssrc: Ssrc(a), fraction_lost: b as u8, cumulative_lost: lost, highest, jitter, last_report, delay };
        let mut at = 0;
        let missing: Vec<_> = numbers.iter().map(|n| { at += n; SeqNo(at) }).collect();
        let (mut seq, mut time) = (0, 0);
        let arrivals: Vec<_> = gaps.iter().map(|(g, d)| {
            (seq, time) = (seq + g + 1, time + d);
            (SeqNo(seq), Time::from_micros(time))
        }).collect();
        let mut out = Vec::new();
        let info = SenderInfo {
            ssrc: Ssrc(a), ntp: salon_rtp::NtpTime(u64::from(b) << 20), timestamp: salon_rtp::RtpTime(highest), packets: jitter,
            octets: delay,
        };
        info.write(&[block; 3], &mut out).unwrap();
        ReceiverReport::write(Ssrc(b), &[block], &mut out).unwrap();
        let items = [SdesItem { kind: 1, value: &cname }, SdesItem { kind: 7, value: &reason }];
        Sdes::write(&[(Ssrc(a), &items), (Ssrc(b), &items[..1])], &mut out).unwrap();
        Nack::write(Ssrc(a), Ssrc(b), missing.iter().copied(), &mut out).unwrap();
        Pli { sender: Ssrc(a), media: Ssrc(b) }.write(&mut out).unwrap();
        let entries: Vec<_> = ssrcs.iter().map(|&media| FirEntry { media, number: b as u8 }).collect();
        Fir::write(Ssrc(a), &entries, &mut out).unwrap();
        Remb::write(Ssrc(a), Bitrate::from_bps(bps << exponent), &ssrcs, &mut out).unwrap();
        let report = TwccReport { sender: Ssrc(a), media: Ssrc(b), count: b as u8 };
        prop_assert!(report.write(SeqNo(0), arrivals.iter().copied(), 1_200, &mut out).is_some());
        Bye::write_with_reason(&ssrcs, &reason, &mut out).unwrap();

        let ours = Compound::parse(&out).unwrap();
        let theirs: Vec<TheirRtcp> = ours.iter().map(|p| TheirRtcp::try_from(p).unwrap()).collect();
        // Ours and back are the same bytes but for padding, which the feedback may end with.
        let back = RtcpBuf::try_from(&theirs[..]).unwrap();
        prop_assert_eq!(said(&back.compound()), said(&ours));
        prop_assert_eq!(back.into_bytes().len(), out.len());
        // They read the bytes as we say it. (Their reader of padded feedback keeps the padding out of its deltas too.)
        let read = read_rtcp(&out).unwrap();
        for (r, t) in read.iter().zip(&theirs) {
            prop_assert_eq!(format!("{r:?}"), format!("{t:?}"));
        }
        prop_assert_eq!(read.len(), theirs.len());
    }
}

/// A bitrate of nothing, which asks to pause (draft-alvestrand-rmcat-remb §2.2): their reader forgets that a mantissa of
/// 0 has no leading one, and makes 2^23 of it. So the law above begins at 1, and what is converted says 0.
#[test]
fn a_bitrate_of_nothing_is_nothing_though_their_reader_makes_8_mbit_of_it() {
    use rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate as TheirRemb;
    let mut out = Vec::new();
    Remb::write(Ssrc(1), Bitrate::from_bps(0), &[Ssrc(2)], &mut out).unwrap();
    let ours = Compound::parse(&out).unwrap();
    let theirs = TheirRtcp::try_from(ours.iter().next().unwrap()).unwrap();
    let bitrate = |p: &TheirRtcp| p.as_any().downcast_ref::<TheirRemb>().unwrap().bitrate;
    assert_eq!(bitrate(&theirs), 0.0);
    assert_eq!(bitrate(&read_rtcp(&out).unwrap()[0]), 8_388_608.0);
    assert_eq!(RtcpBuf::try_from(&theirs).unwrap().into_bytes(), out);
}

fn said(c: &Compound<'_>) -> Vec<String> {
    c.iter().map(|p| format!("{p:?}")).collect()
}

#[test]
fn rtcp_of_others_goes_there_and_back() {
    let verdicts =
        lines::of(include_str!("data/rtcp_verdicts.txt")).map(|l| lines::hex(l.rsplit_once('|').unwrap().1));
    let (mut packets, mut refused) = (0, 0);
    for bytes in verdicts.chain(seeds(include_str!("data/rtcp_seeds.txt"))) {
        let Ok(ours) = Compound::parse(&bytes) else { continue };
        for packet in ours.iter() {
            match TheirRtcp::try_from(packet) {
                Ok(theirs) => {
                    let back = RtcpBuf::try_from(&theirs).unwrap();
                    assert_eq!(said(&back.compound()), [format!("{packet:?}")]);
                    packets += 1;
                }
                Err(e) => {
                    assert!([ConvertError::Kind, ConvertError::Number].contains(&e), "{packet:?}: {e}");
                    refused += 1;
                }
            }
        }
    }
    println!("{packets} packets went there and back, {refused} they cannot say");
    assert!(packets > 70 && refused < 10, "{packets} {refused}");
}

#[test]
fn what_one_side_cannot_say_is_said_to_be_so() {
    let plain = Theirs::try_from(&Packet::parse(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap()).unwrap();
    let changed = |change: &dyn Fn(&mut Theirs)| {
        let mut p = plain.clone();
        change(&mut p);
        RtpBuf::try_from(&p).unwrap_err()
    };
    assert_eq!(changed(&|p| p.header.version = 1), ConvertError::Version);
    assert_eq!(changed(&|p| p.header.padding = true), ConvertError::Padding);
    assert_eq!(changed(&|p| p.header.payload_type = 128), ConvertError::Number);
    assert_eq!(changed(&|p| p.header.csrc = vec![0; 16]), ConvertError::Count);
    let element = |id, n: usize| rtp::header::Extension { id, payload: vec![0; n].into() };
    for (profile, elements) in [
        (0xbede, vec![element(15, 1)]),
        (0xbede, vec![element(1, 0)]),
        (0xbede, vec![element(1, 17)]),
        (0x1000, vec![element(0, 1)]),
        (0x1000, vec![element(1, 256)]),
        (0x1234, vec![element(0, 3)]),
        (0x1234, vec![element(0, 4), element(0, 4)]),
    ] {
        let change = |p: &mut Theirs| {
            (p.header.extension, p.header.extension_profile, p.header.extensions) =
                (true, profile, elements.clone());
        };
        assert_eq!(changed(&change), ConvertError::Extension, "{profile:x} {elements:?}");
    }
    assert_eq!(changed(&|p| p.header.extensions = vec![element(1, 1)]), ConvertError::Extension);
    // A block that ends early for them and for us; application bits in the longer form.
    for block in
        [[0xbe, 0xde, 0, 1, 0xf0, 1, 2, 3], [0xbe, 0xde, 0, 1, 0x14, 1, 2, 3], [0x10, 0x01, 0, 1, 0, 0, 0, 0]]
    {
        let bytes = [&[0x90, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &block].concat();
        let error = Theirs::try_from(&Packet::parse(&bytes).unwrap()).unwrap_err();
        assert_eq!(error, ConvertError::Extension, "{block:02x?}");
    }

    let boxed = |p: TheirRtcp| RtcpBuf::try_from(&p).unwrap_err();
    let sli = rtcp::payload_feedbacks::slice_loss_indication::SliceLossIndication::default();
    assert_eq!(boxed(Box::new(sli)), ConvertError::Kind);
    let remb = |bitrate| {
        rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate {
            sender_ssrc: 1,
            bitrate,
            ssrcs: vec![],
        }
    };
    for bitrate in [-1.0, 0.5, f32::NAN, f32::INFINITY, 262_145.0, 2e24] {
        assert_eq!(boxed(Box::new(remb(bitrate))), ConvertError::Number, "{bitrate}");
    }
    let bye = rtcp::goodbye::Goodbye { sources: vec![0; 32], reason: Bytes::new() };
    assert_eq!(boxed(Box::new(bye)), ConvertError::Count);
    let half = rtcp::raw_packet::RawPacket(Bytes::from_static(&[0x80, 204]));
    assert_eq!(boxed(Box::new(half)), ConvertError::Malformed(salon_rtp::Error::TooShort));
    assert_eq!(RtcpBuf::try_from(&[][..]), Err(ConvertError::Malformed(salon_rtp::Error::TooShort)));
    let item = [SdesItem { kind: 15, value: b"0" }];
    let mut mid = Vec::new();
    Sdes::write(&[(Ssrc(1), &item)], &mut mid).unwrap();
    let packet = Compound::parse(&mid).unwrap().iter().next().unwrap();
    assert_eq!(TheirRtcp::try_from(packet).unwrap_err(), ConvertError::Kind);
}
