//! Datagrams of strangers, and of those who know a peer's password, on the shared port.

use aws_lc_rs::hmac;
use salon_rtp::{Demux, Time};
use salon_transport::{
    Config, DropReason, Fingerprint, IceCredentials, Identity, Path, PeerSpec, Received, Setup, Transport,
};
use std::sync::LazyLock;
use std::time::Instant;

const UFRAG: &str = "salonpeer";
const PWD: &str = "0123456789abcdef012345";

static IDENTITY: LazyLock<(Identity, Instant)> =
    LazyLock::new(|| (Identity::generate().unwrap(), Instant::now()));

/// Bit 0 of the first byte: the message is signed with the peer's password. Bit 1: it comes again from elsewhere.
pub(crate) fn datagram(bytes: &[u8]) -> bool {
    let Some((&how, datagram)) = bytes.split_first() else { return false };
    let (identity, origin) = &*IDENTITY;
    let mut transport = Transport::new(identity.clone(), Config::default(), (*origin, Time::ZERO));
    let local = IceCredentials { ufrag: UFRAG.to_owned(), pwd: PWD.to_owned() };
    let spec =
        PeerSpec { local, remote: None, remote_fingerprint: Fingerprint([7; 32]), setup: Setup::Passive };
    transport.add_peer(Time::ZERO, spec).unwrap();
    let signed = if how & 1 == 1 { sign(datagram) } else { datagram.to_vec() };
    let mut known = give(&mut transport, 10, 5_000, &signed);
    if how & 2 != 0 {
        known |= give(&mut transport, 20, 5_001, &signed);
    }
    let due = transport.poll_timeout().unwrap();
    transport.handle_timeout(due);
    drain(&mut transport, due);
    transport.check();
    known
}

/// Whether it meant something to us. What is dropped is not answered.
fn give(transport: &mut Transport, millis: u64, port: u16, bytes: &[u8]) -> bool {
    let now = Time::from_millis(millis);
    let path = Path { local: ([192, 0, 2, 1], 3478).into(), remote: ([203, 0, 113, 9], port).into() };
    let kind = Demux::of(bytes);
    let mut bytes = bytes.to_vec();
    let dropped = match transport.handle_datagram(now, path, &mut bytes) {
        Received::Rtp(..) | Received::Rtcp(..) => panic!("media without keys"),
        Received::Consumed => {
            assert!(matches!(kind, Demux::Stun | Demux::Dtls));
            false
        }
        Received::Dropped(reason) => {
            assert_eq!(kind == Demux::Other, reason == DropReason::UnknownProtocol);
            true
        }
    };
    let answers = drain(transport, now);
    assert!(!(dropped && answers > 0), "a stranger was answered");
    transport.check();
    !dropped
}

fn drain(transport: &mut Transport, now: Time) -> usize {
    let (mut out, mut sent) = ([0; 1_500], 0);
    while let Some((_, len)) = transport.poll_transmit(now, &mut out) {
        assert!(len > 0 && len <= out.len());
        sent += 1;
        assert!(sent < 100, "no end of datagrams");
    }
    while transport.poll_event().is_some() {}
    sent
}

/// The message with its length put right and MESSAGE-INTEGRITY behind it (RFC 8489 §14.5).
fn sign(message: &[u8]) -> Vec<u8> {
    let mut out = message[..message.len().min(1_200) & !3].to_vec();
    if out.len() < 20 {
        return out;
    }
    let length = (out.len() - 20 + 24) as u16;
    out[2..4].copy_from_slice(&length.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, PWD.as_bytes());
    let tag = hmac::sign(&key, &out);
    out.extend([0, 8, 0, 20]);
    out.extend_from_slice(tag.as_ref());
    out
}
