//! Opening what may not be ours.

use salon_rtp::{Header, OutExtensions, Outgoing, Packet, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::{Inbound, MasterKey, OpenError, Outbound, Profile, limits};

/// A profile, what to do, where to break it, and bytes: as they are they open nothing; sealed they open once; broken they do not.
pub(crate) fn open(bytes: &[u8]) -> bool {
    let Some((&[profile, what, at], rest)) = bytes.split_first_chunk() else { return false };
    let profile = Profile::ALL[usize::from(profile) % 3];
    let material = vec![0x5a; profile.keying_material_len()];
    let (key, _) = MasterKey::from_keying_material(profile, &material).unwrap();
    let mut inbound = Inbound::new(&key).unwrap();
    stranger(&mut inbound, rest);
    let mut outbound = Outbound::new(&key, limits::MIN_SENT_WINDOW).unwrap();
    let mut sealed = vec![0; rest.len() + 100];
    let control = what & 1 == 1;
    let plain = if control { control_of(rest) } else { rest.to_vec() };
    let len = if control {
        outbound.seal_rtcp(&plain, &mut sealed).unwrap()
    } else {
        outbound.seal_rtp(&packet(&plain), &mut sealed).unwrap()
    };
    sealed.truncate(len);
    let mut broken = sealed.clone();
    let index = usize::from(at) * 7 % len;
    broken[index] ^= 1 << (what >> 5);
    let streams = inbound.streams();
    let same = if control { inbound.open_rtcp(&mut broken) } else { inbound.open_rtp(&mut broken) };
    assert!(same.is_err(), "a changed bit at {index} of {len} was not seen");
    assert_eq!(inbound.streams(), streams, "what does not authenticate changes nothing");
    for turn in 0..2 {
        let mut copy = sealed.clone();
        let opened = if control { inbound.open_rtcp(&mut copy) } else { inbound.open_rtp(&mut copy) };
        match turn {
            0 if control => assert_eq!(opened.unwrap(), plain),
            0 => assert_eq!(Packet::parse(opened.unwrap()).unwrap().payload(), plain),
            _ => assert_eq!(opened, Err(OpenError::Replayed)),
        }
    }
    true
}

fn stranger(inbound: &mut Inbound, bytes: &[u8]) {
    let before = inbound.streams();
    assert!(inbound.open_rtp(&mut bytes.to_vec()).is_err());
    assert!(inbound.open_rtcp(&mut bytes.to_vec()).is_err());
    assert_eq!(inbound.streams(), before, "what does not authenticate changes nothing");
}

/// A packet of RTCP with these bytes in it.
fn control_of(bytes: &[u8]) -> Vec<u8> {
    let body = &bytes[..bytes.len() & !3];
    [&[0x80, 204, 0, (1 + body.len() / 4) as u8, 0, 0, 0, 42], body].concat()
}

fn packet(tail: &[u8]) -> Outgoing<'_> {
    Outgoing {
        ssrc: Ssrc(42),
        index: SeqNo(30_000),
        header: Header {
            pt: Pt::new(96).unwrap(),
            marker: true,
            timestamp: RtpTime(1),
            csrc: None,
            extensions: OutExtensions::NONE,
        },
        prefix: Prefix::EMPTY,
        tail,
        padding: 0,
    }
}
