//! A first look at a STUN message: whose it claims to be, before anybody spends a hash on it.

use crate::DropReason;

/// What a binding request says of itself. Nothing of it is proved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// Our half of USERNAME: the peer.
    pub(crate) ufrag: &'a [u8],
    /// The other half: the peer's own ufrag.
    pub(crate) remote_ufrag: &'a [u8],
    /// The transaction id.
    pub(crate) transaction: [u8; 12],
}

/// For whom a binding request says that it is: the first half of its USERNAME, which is a ufrag of ours. `None` for whatever
/// else a datagram is. Nothing is proved; it tells to which of several transports on one port it must be given.
pub fn addressee(datagram: &[u8]) -> Option<&[u8]> {
    Claim::parse(datagram).ok().map(|claim| claim.ufrag)
}

/// Header, method, class and cookie (RFC 8489 §5).
const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Attribute types (RFC 8489 §18.3; RFC 8445 §16.1).
const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const ALTERNATE_SERVER: u16 = 0x8023;
/// Of libwebrtc (network id and cost, 16 bits each).
const NETWORK_COST: u16 = 0xc057;

/// The length of MESSAGE-INTEGRITY (RFC 8489 §14.5).
const INTEGRITY: usize = 20;

impl<'a> Claim<'a> {
    /// Reads a binding request up to its MESSAGE-INTEGRITY; what follows that is not covered by it, and counts for
    /// nothing (RFC 8489 §14.5).
    pub(crate) fn parse(datagram: &'a [u8]) -> Result<Self, DropReason> {
        let (header, mut rest) = datagram.split_at_checked(HEADER).ok_or(DropReason::StunMalformed)?;
        let length = usize::from(be16(&header[2..4]));
        if header[4..8] != MAGIC_COOKIE || length != rest.len() || !length.is_multiple_of(4) {
            return Err(DropReason::StunMalformed);
        }
        if header[..2] != BINDING_REQUEST {
            return Err(DropReason::StunUnexpected);
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);

        let mut username = None;
        while !rest.is_empty() {
            let (head, after) = rest.split_at_checked(4).ok_or(DropReason::StunMalformed)?;
            let (kind, length) = (be16(&head[..2]), usize::from(be16(&head[2..])));
            let value = after.get(..length).ok_or(DropReason::StunMalformed)?;
            rest = after.get(length.next_multiple_of(4)..).ok_or(DropReason::StunMalformed)?;
            match kind {
                MESSAGE_INTEGRITY if length == INTEGRITY => {
                    let username: &[u8] = username.ok_or(DropReason::StunNoUsername)?;
                    let mut halves = username.splitn(2, |&b| b == b':');
                    let (Some(ufrag), Some(remote_ufrag)) = (halves.next(), halves.next()) else {
                        return Err(DropReason::StunNoUsername);
                    };
                    return Ok(Self { ufrag, remote_ufrag, transaction });
                }
                MESSAGE_INTEGRITY => return Err(DropReason::StunMalformed),
                USERNAME => username = Some(value),
                // Of no use in a request; below the wall each would write a line into somebody's log.
                MAPPED_ADDRESS | UNKNOWN_ATTRIBUTES | ALTERNATE_SERVER => {
                    return Err(DropReason::StunUnexpected);
                }
                NETWORK_COST if length != 4 => return Err(DropReason::StunUnexpected),
                _ => {}
            }
        }
        Err(DropReason::StunNoIntegrity)
    }
}

fn be16(b: &[u8]) -> u16 {
    match *b {
        [hi, lo] => u16::from_be_bytes([hi, lo]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: [u8; 2], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (t, v) in attributes {
            body.extend_from_slice(&t.to_be_bytes());
            body.extend_from_slice(&(v.len() as u16).to_be_bytes());
            body.extend_from_slice(v);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut m = kind.to_vec();
        m.extend_from_slice(&(body.len() as u16).to_be_bytes());
        m.extend_from_slice(&MAGIC_COOKIE);
        m.extend_from_slice(b"transactions");
        m.extend_from_slice(&body);
        m
    }

    fn reason(kind: [u8; 2], attributes: &[(u16, &[u8])]) -> Option<DropReason> {
        Claim::parse(&message(kind, attributes)).err()
    }

    #[test]
    fn a_check_names_its_peer_and_everything_else_has_a_reason() {
        let sum: &[u8] = &[0; 20];
        let m =
            message(BINDING_REQUEST, &[(USERNAME, b"us:them"), (MESSAGE_INTEGRITY, sum), (0x8028, &[0; 4])]);
        let claim = Claim::parse(&m).unwrap();
        assert_eq!((claim.ufrag, claim.remote_ufrag), (&b"us"[..], &b"them"[..]));
        assert_eq!(&claim.transaction, b"transactions");

        let user: (u16, &[u8]) = (USERNAME, b"us:them");
        let mi = (MESSAGE_INTEGRITY, sum);
        assert_eq!(reason([0x01, 0x01], &[user, mi]), Some(DropReason::StunUnexpected), "a response");
        assert_eq!(reason([0x00, 0x11], &[user, mi]), Some(DropReason::StunUnexpected), "an indication");
        assert_eq!(reason([0x00, 0x03], &[user, mi]), Some(DropReason::StunUnexpected), "TURN");
        assert_eq!(reason(BINDING_REQUEST, &[user]), Some(DropReason::StunNoIntegrity));
        assert_eq!(reason(BINDING_REQUEST, &[]), Some(DropReason::StunNoIntegrity));
        assert_eq!(reason(BINDING_REQUEST, &[mi, user]), Some(DropReason::StunNoUsername), "integrity first");
        assert_eq!(reason(BINDING_REQUEST, &[(USERNAME, b"us"), mi]), Some(DropReason::StunNoUsername));
        assert_eq!(
            reason(BINDING_REQUEST, &[user, (MESSAGE_INTEGRITY, &[0; 32])]),
            Some(DropReason::StunMalformed)
        );
        assert_eq!(
            reason(BINDING_REQUEST, &[(MAPPED_ADDRESS, &[0; 8]), user, mi]),
            Some(DropReason::StunUnexpected)
        );
        assert_eq!(
            reason(BINDING_REQUEST, &[(NETWORK_COST, &[0; 8]), user, mi]),
            Some(DropReason::StunUnexpected)
        );
        let mut other_cookie = m.clone();
        other_cookie[4] ^= 1;
        assert_eq!(Claim::parse(&other_cookie).err(), Some(DropReason::StunMalformed));
    }

    /// Recorded by us between two browsers of each kind.
    #[test]
    fn the_checks_of_chromium_and_firefox_are_read() {
        let read = |hex: &str| {
            let digits = hex.as_bytes().chunks(2).map(|d| std::str::from_utf8(d).unwrap());
            digits.map(|d| u8::from_str_radix(d, 16).unwrap()).collect::<Vec<u8>>()
        };
        let chromium = read(
            "000100502112a4422f32727062752f556648337300060009316f62493a796f6a41000000c057000400020000802a0008e43950c591b7c0\
             4600250000002400046e7d1eff00080014b99e49e089165303ff64b89f484e19bf7fa158c880280004fd205152",
        );
        let firefox = read(
            "000100502112a442cda42dde00582b98002a5b120006001138393739366134373a653164623238316100000000250000002400046e7c00\
             ff802a0008f8938dd83168324400080014e8f34cdbb23212bc6c817db2166e5a63da0938c38028000404a22c75",
        );
        let (c, f) = (Claim::parse(&chromium).unwrap(), Claim::parse(&firefox).unwrap());
        assert_eq!((c.ufrag, c.remote_ufrag), (&b"1obI"[..], &b"yojA"[..]));
        assert_eq!(addressee(&chromium), Some(&b"1obI"[..]));
        assert_eq!((f.ufrag, f.remote_ufrag), (&b"89796a47"[..], &b"e1db281a"[..]));
        let answer = read("0101002c2112a442364f51306a6d696648667a5100200008000197ff5e12a443");
        assert!(Claim::parse(&answer).is_err());
        assert_eq!(addressee(&answer), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120), framed in any::<bool>()) {
            if framed && bytes.len() >= HEADER {
                let n = (bytes.len() - HEADER) as u16;
                bytes[..2].copy_from_slice(&BINDING_REQUEST);
                bytes[2..4].copy_from_slice(&n.to_be_bytes());
                bytes[4..8].copy_from_slice(&MAGIC_COOKIE);
            }
            let _ = Claim::parse(&bytes);
        }

        #[test]
        fn every_cut_of_a_check_is_malformed(cut in 0usize..64) {
            let m = message(BINDING_REQUEST, &[(USERNAME, b"us:them!"), (MESSAGE_INTEGRITY, &[7; 20]), (0x8028, &[0; 4])]);
            prop_assert_eq!(Claim::parse(&m[..cut]).err(), Some(DropReason::StunMalformed));
        }
    }
}
