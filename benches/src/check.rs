//! A connectivity check made by hand.

use aws_lc_rs::hmac;
use salon_transport::IceCredentials;

/// A binding request with USE-CANDIDATE to whom `to` belongs, from `from` (RFC 8445 §7.2.2, RFC 8489 §14.5).
pub(crate) fn check(to: &IceCredentials, from: &IceCredentials, transaction: u64) -> Vec<u8> {
    let mut body = attribute(0x0006, format!("{}:{}", to.ufrag, from.ufrag).as_bytes());
    body.extend(attribute(0x0024, &0x6e00_1eff_u32.to_be_bytes()));
    body.extend(attribute(0x802a, &7_u64.to_be_bytes()));
    body.extend(attribute(0x0025, &[]));
    let mut message = vec![0, 1];
    message.extend((body.len() as u16 + 24).to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 9]);
    message.extend(transaction.to_be_bytes());
    message.extend(body);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, to.pwd.as_bytes());
    let sum = hmac::sign(&key, &message);
    message.extend(attribute(0x0008, sum.as_ref()));
    message
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend((value.len() as u16).to_be_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
