//! RTP packets.

use super::{RTP, RTP_TYPES, Row, Says, classify, said, their};
use ::rtp::packet::Packet as Theirs;
use rtp_types::RtpPacket;
use salon_rtp::Packet;
use webrtc_util::marshal::Unmarshal;

const fn row(ours: Says, theirs: Says, why: &'static str, cause: fn(&[u8]) -> bool) -> Row {
    Row { who: RTP, of: &["RTP"], ours, theirs, why, cause }
}

pub(super) const ROWS: &[Row] = &[
    row(Says::Refuses, Says::Takes, "Theirs: the version is not looked at (RFC 3550 §5.1)", |b| {
        b[0] >> 6 != 2
    }),
    row(
        Says::Refuses,
        Says::Takes,
        "Theirs: a padding count of 0, which cannot be true, is taken (RFC 3550 §5.1)",
        |b| b[0] & 0x20 != 0 && b.last() == Some(&0),
    ),
    row(
        Says::Refuses,
        Says::Takes,
        "Theirs: an element that ends the block early moves the payload's beginning, and padding with it",
        |b| !whole(b),
    ),
    row(
        Says::Takes,
        Says::Refuses,
        "Theirs: an element that runs past the block moves the payload's beginning, and padding does not fit any more",
        |b| !whole(b),
    ),
    row(
        Says::Takes,
        Says::Panics,
        "Theirs: an element that runs past the packet panics (RFC 8285 §4.2); ours ends the walk",
        |b| !whole(b),
    ),
    row(Says::Refuses, Says::Panics, "Theirs: the same, before they look at what we refuse", |b| !whole(b)),
    row(
        Says::Takes,
        Says::Otherwise,
        "Theirs: id 15, and elements that run past the block, move the payload; an element with id 0 is kept (RFC 8285 §4.2)",
        |b| !whole(b),
    ),
    row(
        Says::Takes,
        Says::Otherwise,
        "Theirs: the two-byte form with application bits is taken for another extension (RFC 8285 §4.3)",
        |b| block(b).is_some_and(|(profile, _)| profile & 0xfff0 == 0x1000 && profile != 0x1000),
    ),
];

/// Compares what they make of a packet; which rows apply.
pub fn rtp(bytes: &[u8]) -> Vec<usize> {
    let ours = Packet::parse(bytes);
    let says = if ours.is_ok() { Says::Takes } else { Says::Refuses };
    let theirs = their(|| Theirs::unmarshal(&mut &*bytes));
    let theirs = said(theirs, |theirs| ours.is_err() || same(ours.as_ref().unwrap(), &theirs));
    let types = their(|| RtpPacket::parse(bytes).map_err(|_| ()));
    let types = said(types, |theirs| ours.is_err() || same_types(ours.as_ref().unwrap(), &theirs));
    let rows = [classify(RTP, "RTP", says, theirs, bytes), classify(RTP_TYPES, "RTP", says, types, bytes)];
    rows.into_iter().flatten().collect()
}

fn same(ours: &Packet<'_>, theirs: &Theirs) -> bool {
    let h = &theirs.header;
    // What every packet has, all read alike.
    assert_eq!(
        (h.version, h.marker, h.payload_type, h.sequence_number, h.timestamp, h.ssrc),
        (2, ours.marker(), ours.pt().get(), ours.seq().0, ours.timestamp().0, ours.ssrc().0)
    );
    assert!(h.csrc.iter().copied().eq(ours.csrcs().map(|c| c.0)));
    assert_eq!(h.extension, ours.extension_block().is_some());
    let elements = match ours.extension_block() {
        Some((0xbede | 0x1000, _)) => ours.extensions().map(|(id, v)| (id.get(), v.to_vec())).collect(),
        Some((_, body)) => vec![(0, body.to_vec())],
        None => Vec::new(),
    };
    let app_bits = ours.extension_block().is_some_and(|(p, _)| (0x1001..=0x100f).contains(&p));
    !app_bits
        && theirs.payload == ours.payload()
        && h.extensions.iter().map(|e| (e.id, e.payload.to_vec())).eq(elements)
}

fn same_types(ours: &Packet<'_>, theirs: &RtpPacket<'_>) -> bool {
    (theirs.marker_bit(), theirs.payload_type(), theirs.sequence_number(), theirs.timestamp(), theirs.ssrc())
        == (ours.marker(), ours.pt().get(), ours.seq().0, ours.timestamp().0, ours.ssrc().0)
        && theirs.csrc().eq(ours.csrcs().map(|c| c.0))
        && theirs.extension() == ours.extension_block()
        && theirs.payload() == ours.payload()
}

/// The extension block, whatever the version and the padding are.
fn block(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut copy = bytes.to_vec();
    *copy.first_mut()? = copy[0] & 0x1f | 0x80;
    let (profile, body) = Packet::parse(&copy).ok()?.extension_block()?;
    Some((profile, body.to_vec()))
}

/// Whether every element of the extension block stands whole in it.
fn whole(bytes: &[u8]) -> bool {
    block(bytes).is_none_or(|(profile, body)| {
        let mut walk = salon_rtp::extension::Elements::new(profile, &body);
        walk.by_ref().for_each(drop);
        walk.is_whole()
    })
}
