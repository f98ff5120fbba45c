//! Replay, reordering, roll-over, and floods of what does not authenticate.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::limits::{MAX_STREAMS, REPLAY_WINDOW};
use salon_srtp::{Inbound, MasterKey, OpenError, Outbound, Profile};

fn pair(profile: Profile) -> (Outbound, Inbound) {
    let (key, salt) = ([0x11; 32], [0x22; 14]);
    let master = MasterKey::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()]).unwrap();
    (Outbound::new(&master, 1 << 15).unwrap(), Inbound::new(&master).unwrap())
}

fn sealed(outbound: &mut Outbound, ssrc: u32, index: u64) -> Vec<u8> {
    let header = Header {
        pt: Pt::new(111).unwrap(),
        marker: false,
        timestamp: RtpTime(index as u32),
        csrc: None,
        extensions: OutExtensions::NONE,
    };
    let tail = index.to_be_bytes();
    let packet = Outgoing {
        ssrc: Ssrc(ssrc),
        index: SeqNo(index),
        header,
        prefix: Prefix::EMPTY,
        tail: &tail,
        padding: 0,
    };
    let mut out = vec![0; 64];
    let n = outbound.seal_rtp(&packet, &mut out).unwrap();
    out.truncate(n);
    out
}

/// The index that was sealed, or why not.
fn open(inbound: &mut Inbound, datagram: &[u8]) -> Result<u64, OpenError> {
    let mut copy = datagram.to_vec();
    inbound.open_rtp(&mut copy).map(|p| u64::from_be_bytes(p[12..20].try_into().unwrap()))
}

#[test]
fn a_packet_sent_five_times_opens_once() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let packets: Vec<_> = (100..200).map(|i| sealed(&mut outbound, 1, i)).collect();
        for (i, p) in packets.iter().enumerate() {
            assert_eq!(open(&mut inbound, p), Ok(100 + i as u64));
            for _ in 0..4 {
                assert_eq!(open(&mut inbound, p), Err(OpenError::Replayed));
            }
        }
        for p in &packets {
            assert_eq!(open(&mut inbound, p), Err(OpenError::Replayed));
        }
    }
}

#[test]
fn rtcp_sent_five_times_opens_once_and_late_rtcp_opens_within_the_window() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let packets: Vec<Vec<u8>> = (0..REPLAY_WINDOW + 2)
            .map(|_| {
                let mut out = vec![0; 64];
                let n = outbound.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5], &mut out).unwrap();
                out.truncate(n);
                out
            })
            .collect();
        let newest = REPLAY_WINDOW + 1;
        for (i, expected) in [
            (newest, Ok(8)),
            (newest, Err(OpenError::Replayed)),
            (newest - REPLAY_WINDOW + 1, Ok(8)),
            (newest - REPLAY_WINDOW, Err(OpenError::TooOld)),
            (newest - REPLAY_WINDOW - 1, Err(OpenError::TooOld)),
            (7, Ok(8)),
            (7, Err(OpenError::Replayed)),
            (7, Err(OpenError::Replayed)),
            (7, Err(OpenError::Replayed)),
            (7, Err(OpenError::Replayed)),
        ] {
            assert_eq!(inbound.open_rtcp(&mut packets[i].clone()).map(<[u8]>::len), expected, "{i}");
        }
        assert_eq!(inbound.streams(), (0, 1));
    }
}

#[test]
fn the_windows_edge_is_at_1024() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let n = REPLAY_WINDOW as u64;
        let newest = sealed(&mut outbound, 1, 5_000);
        assert_eq!(open(&mut inbound, &newest), Ok(5_000));
        for (behind, expected) in [
            (n - 1, Ok(5_000 - n + 1)),
            (n, Err(OpenError::TooOld)),
            (n + 1, Err(OpenError::TooOld)),
            (1, Ok(4_999)),
        ] {
            let late = sealed(&mut outbound, 1, 5_000 - behind);
            assert_eq!(open(&mut inbound, &late), expected, "{behind} behind");
        }
    }
}

#[test]
fn the_roll_over_counts_on_though_packets_around_it_are_lost_or_late() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        for round in 1..=3u64 {
            let edge = round << 16;
            if round > 1 {
                // The way round, with gaps of just under half of all numbers.
                for i in [edge - 65_000, edge - 33_000, edge - 1_000] {
                    assert_eq!(open(&mut inbound, &sealed(&mut outbound, 1, i)), Ok(i));
                }
            }
            let before: Vec<_> = (edge - 50..edge).map(|i| sealed(&mut outbound, 1, i)).collect();
            let after: Vec<_> = (edge..edge + 50).map(|i| sealed(&mut outbound, 1, i)).collect();
            // 30 on each side lost; then what lies before the edge comes after what lies beyond it.
            for (i, p) in after.iter().enumerate().skip(30) {
                if i == 30 {
                    assert_eq!(open(&mut inbound, &before[3]), Ok(edge - 47));
                }
                assert_eq!(open(&mut inbound, p), Ok(edge + i as u64));
            }
            for (i, p) in before.iter().enumerate().skip(10).take(10) {
                assert_eq!(open(&mut inbound, p), Ok(edge - 50 + i as u64));
                assert_eq!(open(&mut inbound, p), Err(OpenError::Replayed));
            }
            assert_eq!(open(&mut inbound, &after[0]), Ok(edge));
        }
    }
}

#[test]
fn a_packet_of_one_round_ago_does_not_open_again_in_the_next() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let old = sealed(&mut outbound, 1, 10);
        assert_eq!(open(&mut inbound, &old), Ok(10));
        for i in [20_000, 40_000, 60_000, 65_536 + 5] {
            assert_eq!(open(&mut inbound, &sealed(&mut outbound, 1, i)), Ok(i));
        }
        assert_eq!(open(&mut inbound, &old), Err(OpenError::BadTag));
        assert_eq!(open(&mut inbound, &sealed(&mut outbound, 1, 65_546)), Ok(65_546));
    }
}

#[test]
fn a_stream_begins_in_round_zero_and_nothing_lies_before_it() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let later = sealed(&mut outbound, 1, 0x1_0005);
    assert_eq!(open(&mut inbound, &later), Err(OpenError::BadTag));
    assert_eq!(inbound.streams(), (0, 0));
    let first = sealed(&mut outbound, 2, 3);
    assert_eq!(open(&mut inbound, &first), Ok(3));
    let before = sealed(&mut outbound, 2, 0xfffe);
    assert_eq!(open(&mut inbound, &before), Err(OpenError::TooOld));
}

#[test]
fn a_million_forged_streams_leave_no_state_and_cost_no_good_packet() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let forged = if profile == Profile::AeadAes128Gcm { 1_000_000 } else { 50_000 };
        let mut datagram = sealed(&mut outbound, 1, 0);
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        for i in 0..forged {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Half of them on the stream that exists, with numbers that nothing has yet.
            let ssrc = if i % 2 == 0 { 1 } else { random as u32 | 2 };
            datagram[2..4].copy_from_slice(&(random as u16).to_be_bytes());
            datagram[8..12].copy_from_slice(&ssrc.to_be_bytes());
            let error = inbound.open_rtp(&mut datagram).unwrap_err();
            assert!(matches!(error, OpenError::BadTag | OpenError::TooOld | OpenError::Replayed));
            if i % 1_000 == 0 {
                let index = 1 + i / 1_000;
                assert_eq!(open(&mut inbound, &sealed(&mut outbound, 1, index)), Ok(index));
            }
        }
        assert_eq!(inbound.streams(), (1, 0));
    }
}

#[test]
fn a_peer_that_invents_streams_costs_itself_the_oldest_only() {
    let profile = Profile::AeadAes128Gcm;
    let (mut outbound, mut inbound) = pair(profile);
    let mut newest: Option<Vec<u8>> = None;
    for round in 0..20u32 {
        // The sealer refuses more than 1,024 streams, so the peer of this test takes a new one for each thousand.
        let (mut inventive, _) = pair(profile);
        for s in 0..1_000 {
            let ssrc = 10 + round * 1_000 + s;
            assert_eq!(open(&mut inbound, &sealed(&mut inventive, ssrc, 1)), Ok(1));
            if s % 100 == 0 {
                let index = u64::from(round * 1_000 + s);
                if let Some(good) = &newest {
                    assert_eq!(open(&mut inbound, good), Err(OpenError::Replayed), "it is still remembered");
                }
                let good = sealed(&mut outbound, 1, index);
                assert_eq!(open(&mut inbound, &good), Ok(index));
                newest = Some(good);
            }
        }
        assert!(inbound.streams().0 <= MAX_STREAMS);
    }
    assert_eq!(inbound.streams(), (MAX_STREAMS, 0));
}

proptest! {
    #[test]
    fn whatever_the_order_each_packet_opens_at_most_once_and_within_the_window_exactly_once(
        profile in prop::sample::select(Profile::ALL),
        start in 0u64..1 << 16,
        steps in prop::collection::vec((-1_500i64..1_600, 0u32..3), 1..200),
    ) {
        let (mut outbound, mut inbound) = pair(profile);
        let mut opened = HashSet::new();
        let mut sent = std::collections::HashMap::new();
        let mut top = [None::<u64>; 3];
        let mut at = [start; 3];
        for (step, s) in steps {
            let highest = &mut top[s as usize];
            let index = at[s as usize].saturating_add_signed(step);
            at[s as usize] = highest.unwrap_or(index).max(index);
            if highest.is_none() && index >> 16 != 0 {
                continue; // a stream begins in round zero
            }
            let packet = sent.entry((s, index)).or_insert_with(|| sealed(&mut outbound, s, index));
            let expected = match *highest {
                Some(h) if index + REPLAY_WINDOW as u64 <= h => Err(OpenError::TooOld),
                _ if !opened.insert((s, index)) => Err(OpenError::Replayed),
                _ => Ok(index),
            };
            prop_assert_eq!(open(&mut inbound, packet), expected);
            *highest = (*highest).max(Some(index));
        }
    }
}
