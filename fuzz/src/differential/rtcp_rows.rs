//! How others differ on RTCP, and where the cause of it stands.

use super::{RTCP, RTCP_TYPES, Row, Says};
use salon_rtp::Bitrate;
use salon_rtp::rtcp::{Compound, RtcpPacket, Sdes};

const fn webrtc(
    of: &'static [&'static str],
    [ours, theirs]: [Says; 2],
    why: &'static str,
    cause: fn(&[u8]) -> bool,
) -> Row {
    Row { who: RTCP, of, ours, theirs, why, cause }
}

const fn types(
    of: &'static [&'static str],
    [ours, theirs]: [Says; 2],
    why: &'static str,
    cause: fn(&[u8]) -> bool,
) -> Row {
    Row { who: RTCP_TYPES, of, ours, theirs, why, cause }
}

/// Names of blocks, as [`kind`] gives them.
const ALL: &[&str] = &[
    "SR",
    "RR",
    "SDES",
    "BYE",
    "APP",
    "XR",
    "NACK",
    "RRR",
    "CCFB",
    "TWCC",
    "PLI",
    "SLI",
    "FIR",
    "REMB",
    "other feedback",
    "other",
];
const TAKEN: [Says; 2] = [Says::Refuses, Says::Takes];
const REFUSED: [Says; 2] = [Says::Takes, Says::Refuses];
const OTHERWISE: [Says; 2] = [Says::Takes, Says::Otherwise];

pub(super) const ROWS: &[Row] = &[
    webrtc(
        ALL,
        TAKEN,
        "Theirs: padding is not taken off, and a count of it that cannot be true is not seen (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(&["APP", "CCFB"], TAKEN, "Theirs: kept as bytes, whatever they are", |b| !padded(b)),
    webrtc(
        &["NACK", "FIR"],
        TAKEN,
        "Theirs: a request for nothing is taken; at least one entry must stand there (RFC 4585 §6.2.1, RFC 5104 §4.3.1.1)",
        |b| b.len() == 12,
    ),
    webrtc(
        &["NACK", "FIR", "REMB"],
        [Says::Refuses, Says::Panics],
        "Theirs: panics where the packet ends within an entry, or before its own fields do",
        |_| true,
    ),
    webrtc(
        &["REMB"],
        REFUSED,
        "Ours: application feedback without REMB's name is unknown, and passed over (RFC 4585 §6.4)",
        |b| b.get(12..16) != Some(b"REMB"),
    ),
    webrtc(
        &["REMB"],
        REFUSED,
        "Ours: a media SSRC other than 0, which means nothing, is passed over (draft-alvestrand-rmcat-remb-03 §2.2)",
        |b| b.get(8..12).is_some_and(|media| media != [0; 4]),
    ),
    webrtc(&["RRR", "SLI"], REFUSED, "Ours: not read, hence not judged", |_| true),
    webrtc(
        &["SDES"],
        REFUSED,
        "Theirs: an item of a kind above 8 ends its chunk, and bytes behind the chunks are an error (RFC 3550 §6.5)",
        |b| unknown_item(b) || !is_normal(b),
    ),
    webrtc(
        &["SDES"],
        OTHERWISE,
        "Theirs: an item of a kind above 8, and what follows it in its chunk, is lost (RFC 3550 §6.5)",
        unknown_item,
    ),
    webrtc(
        &["SDES"],
        TAKEN,
        "Theirs: an item of a kind above 8 ends its chunk, so that its length is not seen (RFC 3550 §6.5)",
        unknown_item,
    ),
    webrtc(
        &["XR"],
        REFUSED,
        "Ours: a block of a kind that is not read, or whose length does not fit its kind, is passed over (RFC 3611 §3)",
        unknown_block,
    ),
    webrtc(&["REMB"], OTHERWISE, "Theirs: a rate of 0, or above 64 bits, is read as another", odd_rate),
    webrtc(
        &["TWCC"],
        OTHERWISE,
        "Theirs: what a vector of statuses holds beyond the count is reported too",
        |b| symbols(b).beyond,
    ),
    webrtc(
        &["TWCC"],
        REFUSED,
        "Theirs: what a vector of statuses holds beyond the count wants a delta, and the packet ends before it",
        |b| symbols(b).beyond,
    ),
    webrtc(
        &["TWCC"],
        REFUSED,
        "Theirs: a message that ends with its chunks, since nothing arrived, is too short",
        nothing_arrived,
    ),
    webrtc(&["TWCC"], TAKEN, "Theirs: the reserved status counts as not received", |b| symbols(b).reserved),
    webrtc(
        &["TWCC"],
        TAKEN,
        "Theirs: a last delta of two bytes, of which the packet holds one, is read as one of one byte",
        |b| symbols(b).cut,
    ),
    webrtc(
        &["TWCC"],
        [Says::Takes, Says::Panics],
        "Theirs: panics where a vector of statuses goes on beyond the 65,535th",
        |b| symbols(b).overflows,
    ),
    webrtc(
        &["TWCC"],
        [Says::Refuses, Says::Panics],
        "Theirs: the same, before they look at what we refuse",
        |b| symbols(b).overflows,
    ),
    webrtc(
        ALL,
        REFUSED,
        "Theirs: padding is read as entries, blocks, chunks or a reason, which do not fit (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(
        ALL,
        OTHERWISE,
        "Theirs: padding is read as entries, blocks, chunks or a reason, which fit (RFC 3550 §6.4.1)",
        padded,
    ),
    webrtc(
        &["NACK", "FIR", "REMB"],
        [Says::Takes, Says::Panics],
        "Theirs: panics where padding is read as a part of an entry (RFC 3550 §6.4.1)",
        padded,
    ),
    types(
        ALL,
        TAKEN,
        "Theirs: padding that is longer than what it could pad is taken (RFC 3550 §6.4.1)",
        padded,
    ),
    types(
        &["NACK", "FIR", "REMB", "TWCC", "CCFB"],
        TAKEN,
        "Theirs: what follows the two SSRCs is read only when asked for",
        |b| b.len() >= 12,
    ),
    types(
        &["RRR", "SLI", "REMB", "other feedback"],
        REFUSED,
        "Ours: not read, hence not judged: even its SSRCs may be missing (RFC 4585 §6.1)",
        |b| b.len() < 12,
    ),
    types(
        &["SDES"],
        TAKEN,
        "Theirs: the count is not looked at, and a chunk needs no end (RFC 3550 §6.5)",
        |b| !padded(b),
    ),
    types(
        &["SDES"],
        REFUSED,
        "Theirs: fill eats the zeros that a following SSRC begins with; fill that is not zero, an empty last item, a private item \
         without prefix, and what follows the chunks are errors",
        |_| true,
    ),
    types(
        &["SDES"],
        OTHERWISE,
        "Theirs: the count is not looked at, and fill eats the zeros that a following SSRC begins with (RFC 3550 §6.5)",
        |b| !is_normal(b) || zeros_follow(b),
    ),
    types(
        &["SDES"],
        OTHERWISE,
        "Theirs: a private item's value is what stands behind its prefix (RFC 3550 §6.5.8)",
        |b| items(b).contains(&8),
    ),
    types(
        &["SDES"],
        [Says::Takes, Says::Panics],
        "Theirs: a private item whose prefix runs past it panics when asked for its value (RFC 3550 §6.5.8), also where eaten zeros, or bytes behind the chunks, make one",
        |b| items(b).contains(&8) || (zeros_follow(b) || !is_normal(b)) && b.contains(&8),
    ),
    types(
        &["XR"],
        REFUSED,
        "Ours: a report without a block is one, and a block whose length does not fit its kind is passed over",
        |b| b.len() < 12 || unknown_block(b),
    ),
    types(
        ALL,
        REFUSED,
        "Theirs: padding is read as chunks, blocks or a reason, which do not fit (RFC 3550 §6.4.1)",
        padded,
    ),
];

/// What we read of a block.
fn ours(block: &[u8]) -> Option<RtcpPacket<'_>> {
    Compound::parse(block).ok()?.iter().next()
}

/// Whether the packet says that it is padded.
fn padded(block: &[u8]) -> bool {
    block[0] & 0x20 != 0
}

/// The kinds of a description's items, as far as they can be walked over.
fn items(block: &[u8]) -> Vec<u8> {
    let (mut kinds, mut rest) = (Vec::new(), block.get(8..).unwrap_or(&[]));
    while let [kind, after @ ..] = rest {
        if *kind == 0 {
            // The next chunk, behind its SSRC.
            let to_word = after.len() % 4;
            rest = after.get(to_word + 4..).unwrap_or(&[]);
        } else {
            kinds.push(*kind);
            let len = after.first().map_or(0, |n| 1 + usize::from(*n));
            rest = after.get(len.max(1)..).unwrap_or(&[]);
        }
    }
    kinds
}

fn unknown_item(block: &[u8]) -> bool {
    items(block).iter().any(|k| *k > 8)
}

/// Whether a description is what we would write of it.
fn is_normal(block: &[u8]) -> bool {
    let Some(RtcpPacket::Sdes(s)) = ours(block) else { return false };
    let chunks: Vec<_> = s.chunks().map(|c| (c.ssrc, c.items().collect::<Vec<_>>())).collect();
    let borrowed: Vec<_> = chunks.iter().map(|(of, items)| (*of, &items[..])).collect();
    let mut out = Vec::new();
    Sdes::write(&borrowed, &mut out).is_ok() && out == block
}

/// Whether a chunk but the first begins with a zero.
fn zeros_follow(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Sdes(s)) if s.chunks().skip(1).any(|c| c.ssrc.0 >> 24 == 0))
}

fn nothing_arrived(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Twcc(t)) if t.statuses(usize::MAX).all(|s| s.arrival.is_none()))
}

fn unknown_block(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Xr(x)) if x.unknown() > 0)
}

fn odd_rate(block: &[u8]) -> bool {
    matches!(ours(block), Some(RtcpPacket::Remb(r)) if r.bitrate == Bitrate::ZERO || r.bitrate == Bitrate::MAX)
}

/// What the statuses of transport-wide feedback are like.
#[derive(Default)]
struct Symbols {
    /// One is of the reserved kind.
    reserved: bool,
    /// One that arrived stands beyond the count.
    beyond: bool,
    /// The last delta has two bytes, and one of them is missing.
    cut: bool,
    /// A vector's last place is beyond what sixteen bits count.
    overflows: bool,
}

fn symbols(block: &[u8]) -> Symbols {
    let mut out = Symbols::default();
    let Some((head, chunks)) = block.split_at_checked(20) else { return out };
    let count = usize::from(u16::from_be_bytes([head[14], head[15]]));
    let mut left = count;
    let (mut arrived, mut deltas) = (Vec::new(), chunks.len());
    for pair in chunks.chunks_exact(2) {
        if left == 0 {
            break;
        }
        let word = u16::from_be_bytes([pair[0], pair[1]]);
        let symbols: Vec<u16> = match word >> 14 {
            0 | 1 => vec![word >> 13 & 3; usize::from(word & 0x1fff).min(left)],
            2 => (0..14).rev().map(|i| word >> i & 1).collect(),
            _ => (0..7).rev().map(|i| word >> (2 * i) & 3).collect(),
        };
        // A run may be of no packets.
        out.reserved |= symbols.contains(&3) || word >> 13 == 3;
        out.overflows |= count - left + symbols.len() > 0xffff;
        out.beyond |= symbols.iter().skip(left).any(|s| matches!(s, 1 | 2));
        left -= symbols.len().min(left);
        arrived.extend(symbols.into_iter().filter(|s| matches!(s, 1 | 2)));
        deltas -= 2;
    }
    // The symbol is the delta's length; theirs read those beyond the count too.
    let bytes: usize = arrived.iter().map(|s| usize::from(*s)).sum();
    out.cut = arrived.last() == Some(&2) && bytes == deltas + 1;
    out
}
