//! The nonce law: under one key no (SSRC, index) is sealed twice, whatever is asked for.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::limits::{DEFAULT_SENT_WINDOW, MAX_SENT_WINDOW, MAX_STREAMS, MIN_SENT_WINDOW};
use salon_srtp::{MasterKey, Outbound, Profile, SealError};

fn outbound(profile: Profile, window: usize) -> Outbound {
    let (key, salt) = ([0x33; 32], [0x44; 14]);
    let master = MasterKey::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()]).unwrap();
    Outbound::new(&master, window).unwrap()
}

fn packet(ssrc: u32, index: u64) -> Outgoing<'static> {
    let header = Header {
        pt: Pt::new(96).unwrap(),
        marker: false,
        timestamp: RtpTime(0),
        csrc: None,
        extensions: OutExtensions::NONE,
    };
    let (ssrc, index) = (Ssrc(ssrc), SeqNo(index));
    Outgoing { ssrc, index, header, prefix: Prefix::EMPTY, tail: b"same tail", padding: 0 }
}

fn seal(outbound: &mut Outbound, ssrc: u32, index: u64) -> Result<usize, SealError> {
    outbound.seal_rtp(&packet(ssrc, index), &mut [0; 64])
}

proptest! {
    #[test]
    fn random_indexes_are_sealed_once_and_within_the_window_always(
        profile in prop::sample::select(Profile::ALL),
        window in 0usize..400,
        start in 0u64..1 << 47,
        steps in prop::collection::vec((prop_oneof![6 => -70i64..70, 1 => -3000i64..3000], 0u32..2), 1..400),
    ) {
        let mut outbound = outbound(profile, window);
        let size = window.max(MIN_SENT_WINDOW).next_power_of_two() as u64;
        let mut sealed = HashSet::new();
        let (mut top, mut at) = ([None::<u64>; 2], start);
        for (step, ssrc) in steps {
            at = at.saturating_add_signed(step);
            let expected = match top[ssrc as usize] {
                Some(h) if at + size <= h => Err(SealError::IndexTooOld),
                _ if sealed.contains(&(ssrc, at)) => Err(SealError::IndexReused),
                _ => Ok(12 + 9 + profile.rtp_overhead()),
            };
            prop_assert_eq!(seal(&mut outbound, ssrc, at), expected);
            if expected.is_ok() {
                prop_assert!(sealed.insert((ssrc, at)));
                top[ssrc as usize] = top[ssrc as usize].max(Some(at));
            }
        }
    }
}

#[test]
fn no_two_packets_share_a_keystream() {
    for &profile in Profile::ALL {
        let mut outbound = outbound(profile, DEFAULT_SENT_WINDOW);
        let mut bodies = HashSet::new();
        for ssrc in 0..20 {
            for index in (0..200).chain(65_500..65_600).chain(131_000..131_100) {
                let mut out = [0; 64];
                outbound.seal_rtp(&packet(ssrc, index), &mut out).unwrap();
                assert!(bodies.insert(out[12..21].to_vec()), "{ssrc} {index}");
            }
        }
    }
}

#[test]
fn what_lies_before_the_window_counts_as_sent() {
    let mut outbound = outbound(Profile::AeadAes128Gcm, DEFAULT_SENT_WINDOW);
    let n = DEFAULT_SENT_WINDOW as u64;
    assert_eq!(seal(&mut outbound, 1, 10_000), Ok(37));
    assert_eq!(seal(&mut outbound, 1, 10_000 - n + 1), Ok(37));
    assert_eq!(seal(&mut outbound, 1, 10_000 - n), Err(SealError::IndexTooOld));
    assert_eq!(seal(&mut outbound, 1, 10_000 - n - 1), Err(SealError::IndexTooOld));
    assert_eq!(seal(&mut outbound, 1, 10_000), Err(SealError::IndexReused));
}

#[test]
fn the_window_is_never_deeper_than_a_receiver_can_tell_apart() {
    let mut outbound = outbound(Profile::AeadAes128Gcm, usize::MAX);
    assert_eq!(seal(&mut outbound, 1, 100_000), Ok(37));
    assert_eq!(seal(&mut outbound, 1, 100_000 - MAX_SENT_WINDOW as u64 + 1), Ok(37));
    assert_eq!(seal(&mut outbound, 1, 100_000 - MAX_SENT_WINDOW as u64), Err(SealError::IndexTooOld));
}

#[test]
fn a_new_stream_is_refused_rather_than_an_old_one_forgotten() {
    let mut outbound = outbound(Profile::AeadAes128Gcm, 64);
    for ssrc in 0..MAX_STREAMS as u32 {
        assert_eq!(seal(&mut outbound, ssrc, 7), Ok(37));
    }
    for ssrc in MAX_STREAMS as u32..MAX_STREAMS as u32 + 100 {
        assert_eq!(seal(&mut outbound, ssrc, 7), Err(SealError::TooManyStreams));
    }
    for ssrc in 0..MAX_STREAMS as u32 {
        assert_eq!(seal(&mut outbound, ssrc, 7), Err(SealError::IndexReused));
        assert_eq!(seal(&mut outbound, ssrc, 8), Ok(37));
    }
    assert_eq!(outbound.streams(), MAX_STREAMS);
}

#[test]
fn a_buffer_that_is_too_small_spends_nothing() {
    for &profile in Profile::ALL {
        let mut outbound = outbound(profile, 64);
        let n = 12 + 9 + profile.rtp_overhead();
        for room in 0..n {
            assert_eq!(outbound.seal_rtp(&packet(1, 5), &mut vec![0; room]), Err(SealError::TooSmall));
        }
        assert_eq!(outbound.streams(), 0);
        assert_eq!(outbound.seal_rtp(&packet(1, 5), &mut vec![0; n]), Ok(n));
        let compound = [0x80, 201, 0, 1, 0, 0, 0, 5];
        let n = compound.len() + profile.rtcp_overhead();
        for room in 0..n {
            assert_eq!(outbound.seal_rtcp(&compound, &mut vec![0; room]), Err(SealError::TooSmall));
        }
        let mut out = vec![0; n];
        assert_eq!(outbound.seal_rtcp(&compound, &mut out), Ok(n));
        let word = if profile == Profile::Aes128CmHmacSha1_80 { n - 14 } else { n - 4 };
        assert_eq!(out[word..word + 4], [0x80, 0, 0, 0], "the first index is still free");
    }
}

#[test]
fn the_last_index_is_two_to_the_48_minus_one() {
    let mut outbound = outbound(Profile::AeadAes256Gcm, 64);
    assert_eq!(seal(&mut outbound, 1, (1 << 48) - 1), Ok(37));
    assert_eq!(seal(&mut outbound, 1, 1 << 48), Err(SealError::Exhausted));
    assert_eq!(seal(&mut outbound, 1, u64::MAX), Err(SealError::Exhausted));
    assert_eq!(seal(&mut outbound, 1, (1 << 48) - 1), Err(SealError::IndexReused));
}
