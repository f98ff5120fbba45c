//! Sealing and opening are each other's inverse, for every profile, length and shape of packet.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use salon_rtp::extension::ExtId;
use salon_rtp::{Header, OutExtensions, Outgoing, Packet, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::{BadKey, Inbound, MasterKey, OpenError, Outbound, Profile, SealError};

fn master(profile: Profile) -> MasterKey {
    MasterKey::new(profile, &[0x5a; 32][..profile.key_len()], &[0xc3; 14][..profile.salt_len()]).unwrap()
}

fn pair(profile: Profile) -> (Outbound, Inbound) {
    let master = master(profile);
    (Outbound::new(&master, 2048).unwrap(), Inbound::new(&master).unwrap())
}

fn packet<'a>(index: u64, prefix: &[u8], tail: &'a [u8], padding: u8) -> Outgoing<'a> {
    Outgoing {
        ssrc: Ssrc(0xfeed),
        index: SeqNo(index),
        header: Header {
            pt: Pt::new(96).unwrap(),
            marker: true,
            timestamp: RtpTime(77),
            csrc: None,
            extensions: OutExtensions::NONE,
        },
        prefix: Prefix::new(prefix).unwrap(),
        tail,
        padding,
    }
}

proptest! {
    #[test]
    fn rtp_comes_back_as_it_was(
        profile in prop::sample::select(Profile::ALL),
        index in 0u64..1 << 16,
        (ssrc, csrc) in (any::<u32>(), prop::option::of(any::<u32>())),
        extension in prop::option::of((1u8..=14, prop::collection::vec(any::<u8>(), 0..30))),
        prefix in prop::collection::vec(any::<u8>(), 0..=Prefix::MAX),
        tail in prop::collection::vec(any::<u8>(), 0..1200),
        padding in prop_oneof![Just(0), any::<u8>()],
    ) {
        let mut extensions = OutExtensions::NONE;
        if let Some((id, value)) = &extension {
            extensions.push(ExtId::new(*id).unwrap(), value).unwrap();
        }
        let mut p = packet(index, &prefix, &tail, padding);
        p.ssrc = Ssrc(ssrc);
        p.header.csrc = csrc.map(Ssrc);
        p.header.extensions = extensions;
        let mut plain = vec![0; p.header_len() + p.body_len()];
        let h = p.write_header(&mut plain).unwrap();
        p.write_body(&mut plain[h..]).unwrap();

        let (mut outbound, mut inbound) = pair(profile);
        let mut out = vec![0xee; 2048];
        let n = outbound.seal_rtp(&p, &mut out).unwrap();
        prop_assert_eq!(n, plain.len() + profile.rtp_overhead());
        prop_assert!(out[n..].iter().all(|&b| b == 0xee), "nothing is written beyond the packet");
        prop_assert_eq!(&out[..h], &plain[..h]);
        if p.body_len() >= 16 {
            prop_assert_ne!(&out[h..plain.len()], &plain[h..]);
        }
        let opened = inbound.open_rtp(&mut out[..n]).unwrap();
        prop_assert_eq!(opened, &plain[..]);
        let view = Packet::parse(opened).unwrap();
        prop_assert_eq!(view.payload(), [&prefix[..], &tail[..]].concat());
    }

    #[test]
    fn rtcp_comes_back_as_it_was(
        profile in prop::sample::select(Profile::ALL),
        body in prop::collection::vec(any::<u8>(), 7..600),
        times in 1usize..5,
    ) {
        let compound = [&[0x81][..], &body].concat();
        let (mut outbound, mut inbound) = pair(profile);
        for _ in 0..times {
            let mut out = vec![0xee; 700];
            let n = outbound.seal_rtcp(&compound, &mut out).unwrap();
            prop_assert_eq!(n, compound.len() + profile.rtcp_overhead());
            prop_assert!(out[n..].iter().all(|&b| b == 0xee));
            prop_assert_eq!(inbound.open_rtcp(&mut out[..n]).unwrap(), &compound[..]);
        }
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed_and_leaves_no_trace(
        profile in prop::sample::select(Profile::ALL),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        rtcp in any::<bool>(),
    ) {
        let (mut outbound, mut inbound) = pair(profile);
        let mut out = [0; 200];
        let n = if rtcp {
            outbound.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5, 1, 2, 3, 4], &mut out).unwrap()
        } else {
            outbound.seal_rtp(&packet(7, &[1], &[2; 40], 0), &mut out).unwrap()
        };
        let mut changed = out;
        changed[at.index(n)] ^= 1 << bit;
        if rtcp {
            prop_assert!(inbound.open_rtcp(&mut changed[..n]).is_err());
            prop_assert!(inbound.open_rtcp(&mut out[..n]).is_ok());
        } else {
            prop_assert!(inbound.open_rtp(&mut changed[..n]).is_err());
            prop_assert_eq!(inbound.streams(), (0, 0));
            prop_assert!(inbound.open_rtp(&mut out[..n]).is_ok());
        }
    }
}

#[test]
fn every_length_from_nothing_to_forty_ends_as_a_named_error() {
    for &profile in Profile::ALL {
        let (_, mut inbound) = pair(profile);
        for len in 0..=40 {
            for fill in [0x00, 0x80, 0x90, 0x8f, 0x9f, 0xbf, 0xff] {
                let rtp = inbound.open_rtp(&mut vec![fill; len]).unwrap_err();
                let rtcp = inbound.open_rtcp(&mut vec![fill; len]).unwrap_err();
                assert!(len >= 12 || rtp == OpenError::TooShort);
                assert!(len >= 8 || rtcp == OpenError::TooShort);
                if fill == 0x80 {
                    let short = |least| if len < least { OpenError::TooShort } else { OpenError::BadTag };
                    assert_eq!(rtp, short(12 + profile.rtp_overhead()));
                    assert_eq!(rtcp, short(8 + profile.rtcp_overhead()));
                }
            }
        }
        assert_eq!(inbound.streams(), (0, 0));
    }
}

#[test]
fn every_payload_from_nothing_to_forty_travels() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let tail = [0xab; 40];
        for len in 0..=40 {
            let mut out = [0; 100];
            let n = outbound.seal_rtp(&packet(len as u64, &[], &tail[..len], 0), &mut out).unwrap();
            assert_eq!(inbound.open_rtp(&mut out[..n]).unwrap()[12..], tail[..len]);
        }
    }
}

#[test]
fn rtcp_without_the_e_bit_is_refused_by_name() {
    for &profile in Profile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let mut out = [0; 64];
        let n = outbound.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5], &mut out).unwrap();
        let word = if profile == Profile::Aes128CmHmacSha1_80 { n - 14 } else { n - 4 };
        assert_eq!(out[word..word + 4], [0x80, 0, 0, 0]);
        out[word] = 0;
        assert_eq!(inbound.open_rtcp(&mut out[..n]), Err(OpenError::NotEncrypted));
    }
}

#[test]
fn what_is_no_rtcp_is_not_sealed() {
    let (mut outbound, _) = pair(Profile::AeadAes128Gcm);
    for compound in [&[][..], &[0x80; 7], &[0x40; 8], &[0xc0; 8]] {
        assert_eq!(outbound.seal_rtcp(compound, &mut [0; 64]), Err(SealError::Malformed));
    }
}

#[test]
fn exported_keys_are_split_as_rfc_5764_orders_them() {
    for &profile in Profile::ALL {
        let material: Vec<u8> = (0..profile.keying_material_len() as u8).collect();
        let (key, salt) = (profile.key_len(), profile.salt_len());
        let (client, server) = MasterKey::from_keying_material(profile, &material).unwrap();
        let other_client =
            MasterKey::new(profile, &material[..key], &material[2 * key..2 * key + salt]).unwrap();
        let other_server =
            MasterKey::new(profile, &material[key..2 * key], &material[2 * key + salt..]).unwrap();
        let mut out = [0; 100];
        for (sealer, opener) in [(&client, &other_client), (&server, &other_server)] {
            let mut outbound = Outbound::new(sealer, 64).unwrap();
            let n = outbound.seal_rtp(&packet(1, &[], &[1, 2, 3], 0), &mut out).unwrap();
            assert!(Inbound::new(opener).unwrap().open_rtp(&mut out[..n]).is_ok());
        }
        let n = Outbound::new(&client, 64).unwrap().seal_rtp(&packet(1, &[], &[], 0), &mut out).unwrap();
        assert_eq!(Inbound::new(&server).unwrap().open_rtp(&mut out[..n]), Err(OpenError::BadTag));
        assert!(MasterKey::from_keying_material(profile, &material[1..]).is_err());
        assert!(material.len() <= Profile::MAX_KEYING_MATERIAL);
        assert!(matches!(MasterKey::new(profile, &[0; 15], &[0; 12]), Err(BadKey)));
    }
}

#[test]
fn no_key_is_shown() {
    for &profile in Profile::ALL {
        let key = master(profile);
        let (outbound, inbound) = pair(profile);
        for text in [format!("{key:?}"), format!("{outbound:?}"), format!("{inbound:?}")] {
            assert!(text.contains(&format!("{profile:?}")) && text.len() < 100, "{text}");
            assert!(!text.contains("90") && !text.contains("5a") && !text.contains("195"), "{text}");
        }
    }
}
