//! RTP packets and their header extensions.

use crate::{differential, readers};
use salon_rtp::extension::{Elements, ExtId, ExtensionKind, ExtensionMap, Values};
use salon_rtp::{Header, OutExtensions, Outgoing, Packet, Prefix, SeqNo};

/// Everything that a packet says, and what others say of it.
pub(crate) fn parse(bytes: &[u8]) -> bool {
    differential::rtp(bytes);
    readers::read_rtp(bytes)
}

/// What was read is written with another header, extension and prefix, and read again: nothing but what was changed differs.
pub(crate) fn rewrite(bytes: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(bytes) else { return false };
    let mut extensions = OutExtensions::NONE;
    let mut kept = Vec::new();
    for (id, value) in packet.extensions() {
        if extensions.push(id, value).is_ok() {
            kept.push((id.get(), value));
        } else if extensions.pass(id, value).is_ok() {
            break;
        }
    }
    assert!(extensions.wire_len().is_multiple_of(4));
    let passed: Vec<_> = extensions.iter().skip(kept.len()).collect();
    let (payload, at) = (packet.payload(), usize::from(packet.seq().0) % (Prefix::MAX + 1));
    let (first, tail) = payload.split_at(at.min(payload.len()));
    let outgoing = Outgoing {
        ssrc: packet.ssrc(),
        index: SeqNo(u64::from(packet.seq().0) | 7 << 16),
        header: Header {
            pt: packet.pt(),
            marker: packet.marker(),
            timestamp: packet.timestamp(),
            csrc: packet.csrcs().next(),
            extensions,
        },
        prefix: Prefix::new(first).unwrap(),
        tail,
        padding: packet.padding() as u8,
    };
    let mut out = vec![0xaa; outgoing.header_len() + outgoing.body_len()];
    assert!(outgoing.write_header(&mut out[..outgoing.header_len() - 1]).is_err(), "a byte short");
    let head = outgoing.write_header(&mut out).unwrap();
    let body = outgoing.write_body(&mut out[head..]).unwrap();
    assert_eq!(head + body, out.len());
    let again = Packet::parse(&out).unwrap();
    assert_eq!(
        (again.ssrc(), again.seq(), again.timestamp(), again.marker(), again.pt()),
        (packet.ssrc(), packet.seq(), packet.timestamp(), packet.marker(), packet.pt())
    );
    assert_eq!((again.payload(), again.padding()), (packet.payload(), packet.padding()));
    assert!(again.csrcs().eq(packet.csrcs().take(1)));
    let elements: Vec<_> = again.extensions().map(|(id, v)| (id.get(), v)).collect();
    assert!(again.extension_block().is_none() || again.extensions().all(|_| true));
    assert_eq!(elements, [kept, passed].concat());
    true
}

/// Two bytes of profile (most of them made one of RFC 8285's), then a block's body.
pub(crate) fn extensions(bytes: &[u8]) -> bool {
    let Some((&[p0, p1], body)) = bytes.split_first_chunk() else { return false };
    let profile = match p0 % 8 {
        0..=3 => 0xbede,
        4..=6 => 0x1000 | u16::from(p1 & 0x0f),
        _ => u16::from_be_bytes([p0, p1]),
    };
    let elements: Vec<_> = Elements::new(profile, body).collect();
    let per = if profile == 0xbede { 1 } else { 2 };
    let used: usize = elements.iter().map(|(_, v)| per + v.len()).sum();
    assert!(used <= body.len());
    let mut walk = Elements::new(profile, body);
    walk.by_ref().for_each(drop);
    if walk.is_whole() {
        // What is not an element is padding, and padding is zero.
        let zeros = body.iter().filter(|b| **b == 0).count();
        assert!(body.len() - used <= zeros);
    }
    elements.iter().for_each(|(_, value)| readers::read_values(value));
    both_forms(&elements);
    let mut map = ExtensionMap::EMPTY;
    for (id, &kind) in (1..).zip(ExtensionKind::ALL) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    let values = Values::of(Elements::new(profile, body), &map);
    assert!(values.mid.is_none_or(|m| m.as_str().len() <= 16));
    !elements.is_empty()
}

/// Elements written in the two-byte form, and in the one-byte form where they fit it, are the same elements.
fn both_forms(elements: &[(ExtId, &[u8])]) {
    let mut long = Vec::new();
    elements.iter().for_each(|(id, v)| {
        long.extend([id.get(), v.len() as u8]);
        long.extend_from_slice(v);
    });
    assert!(Elements::new(0x1000, &long).eq(elements.iter().copied()));
    let fits = |(id, v): &&(ExtId, &[u8])| id.get() < 15 && (1..=16).contains(&v.len());
    let mut short = Vec::new();
    elements.iter().filter(fits).for_each(|(id, v)| {
        short.push(id.get() << 4 | (v.len() - 1) as u8);
        short.extend_from_slice(v);
    });
    assert!(Elements::new(0xbede, &short).eq(elements.iter().filter(fits).copied()));
}
