//! From master key to datagram, for which the RFCs have no example: the packets that libsrtp's own test program expects
//! (cisco/libsrtp `test/srtp_driver.c`, BSD-3-Clause).
#![allow(clippy::unwrap_used)]

use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::{Inbound, MasterKey, Outbound, Profile};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn agrees(master: &MasterKey, rtp: &str, rtcp: &str) {
    let packet = Outgoing {
        ssrc: Ssrc(0xcafe_babe),
        index: SeqNo(0x1234),
        header: Header {
            pt: Pt::new(15).unwrap(),
            marker: false,
            timestamp: RtpTime(0xdeca_fbad),
            csrc: None,
            extensions: OutExtensions::NONE,
        },
        prefix: Prefix::EMPTY,
        tail: &[0xab; 16],
        padding: 0,
    };
    let compound = [&hex("81c8000bcafebabe")[..], &[0xab; 16]].concat();
    let (mut rtp, mut rtcp) = (hex(rtp), hex(rtcp));
    let mut outbound = Outbound::new(master, 64).unwrap();
    let mut inbound = Inbound::new(master).unwrap();
    let mut out = [0; 64];
    let n = outbound.seal_rtp(&packet, &mut out).unwrap();
    assert_eq!(out[..n], rtp);
    assert_eq!(inbound.open_rtp(&mut rtp).unwrap()[12..], [0xab; 16]);
    // Its first RTCP index is 1.
    outbound.seal_rtcp(&compound, &mut out).unwrap();
    let n = outbound.seal_rtcp(&compound, &mut out).unwrap();
    assert_eq!(out[..n], rtcp);
    assert_eq!(inbound.open_rtcp(&mut rtcp).unwrap(), compound);
}

#[test]
fn aes_cm_128_hmac_sha1_80() {
    let (key, salt) = (hex("e1f97a0d3e018be0d64fa32c06de4139"), hex("0ec675ad498afeebb6960b3aabe6"));
    agrees(
        &MasterKey::new(Profile::Aes128CmHmacSha1_80, &key, &salt).unwrap(),
        "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
        "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
    );
}

#[test]
fn aead_aes_128_gcm() {
    let (key, salt) = (hex("000102030405060708090a0b0c0d0e0f"), hex("a0a1a2a3a4a5a6a7a8a9aaab"));
    agrees(
        &MasterKey::new(Profile::AeadAes128Gcm, &key, &salt).unwrap(),
        "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
        "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001",
    );
}
