//! The sample messages of RFC 5769, as they come to a port of ours.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Instant;

use salon_rtp::Time;
use salon_transport::{
    Config, DropReason, Fingerprint, IceCredentials, Identity, Path, PeerSpec, Received, Setup, Transport,
};

/// What becomes of a datagram where somebody has the ufrag of the samples (RFC 5769 §2.1) and this password.
fn given(bytes: &[u8], pwd: &str) -> (Option<DropReason>, Vec<Vec<u8>>) {
    let mut transport =
        Transport::new(Identity::generate().unwrap(), Config::default(), (Instant::now(), Time::ZERO));
    let spec = PeerSpec {
        local: IceCredentials { ufrag: "evtj".to_owned(), pwd: pwd.to_owned() },
        remote: None,
        remote_fingerprint: Fingerprint([7; 32]),
        setup: Setup::Passive,
    };
    transport.add_peer(Time::ZERO, spec).unwrap();
    let path = Path { local: "192.0.2.9:3478".parse().unwrap(), remote: "192.0.2.1:32853".parse().unwrap() };
    let mut datagram = bytes.to_vec();
    let dropped = match transport.handle_datagram(Time::ZERO, path, &mut datagram) {
        Received::Consumed => None,
        Received::Dropped(reason) => Some(reason),
        other => panic!("{other:?}"),
    };
    let mut out = [0; 1_500];
    let mut answers = Vec::new();
    while let Some((to, len)) = transport.poll_transmit(Time::ZERO, &mut out) {
        assert_eq!(to.remote, path.remote);
        answers.push(out[..len].to_vec());
    }
    (dropped, answers)
}

#[test]
fn the_vectors_of_rfc_5769_are_answered_or_dropped_as_their_passwords_say() {
    let (pwd, other) = ("VOkJxbRl1RmTxUk/WvJxBt", "VOkJxbRl1RmTxUk/WvJxBu");
    let mut seen = 0;
    for line in include_str!("data/stun_rfc5769.txt").lines().filter(|l| !l.starts_with('#')) {
        let (name, hex) = line.split_once('|').unwrap();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        let (dropped, answers) = given(&bytes, pwd);
        match name {
            "2.1 request" => {
                // Its MESSAGE-INTEGRITY is right with the password of the sample, and with no other.
                assert_eq!(dropped, None, "{name}");
                assert_eq!(given(&bytes, other), (Some(DropReason::StunBadIntegrity), Vec::new()));
                // Answered once: the transaction is the one that was asked.
                assert_eq!(answers.len(), 1, "{name}");
                assert_eq!((answers[0][0], &answers[0][4..20]), (0x01, &bytes[4..20]));
            }
            // Two responses: we never ask, being lite (RFC 8445 §2.5).
            "2.2 IPv4 response" | "2.3 IPv6 response" => {
                assert_eq!((dropped, answers.len()), (Some(DropReason::StunUnexpected), 0), "{name}");
            }
            // A name without a colon is nobody's here: long-term credentials are of TURN (RFC 8489 §9.2).
            "2.4 request with long-term credentials" => {
                assert_eq!((dropped, answers.len()), (Some(DropReason::StunNoUsername), 0), "{name}");
            }
            _ => panic!("{name}"),
        }
        println!("ok  {name}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    println!("vectors: rfc (stun): 4 of 4");
}
