//! Negative acknowledgement.

use super::{HEADER, feedback, fmt, kind, open};
use crate::{Error, Seq, SeqNo, Ssrc, TooSmall};
use bytes::BufMut;

/// Packets that are missing (RFC 4585 §6.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender: Ssrc,
    /// Of which stream.
    pub media: Ssrc,
    items: &'a [u8],
}

/// Bytes before the items.
const HEAD: usize = HEADER + 8;

impl<'a> Nack<'a> {
    /// At least one item, and whole ones.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, media, items) = feedback(body)?;
        if items.is_empty() || items.len() % 4 != 0 {
            return Err(Error::RtcpLength);
        }
        Ok(Self { sender, media, items })
    }

    /// The missing numbers, in the order of the message: up to 17 for each four bytes of it, repeated if the message
    /// repeats them. Who answers bounds the number himself.
    pub fn seqs(&self) -> impl Iterator<Item = Seq> + 'a {
        self.items.chunks_exact(4).flat_map(|i| {
            let pid = u16::from_be_bytes([i[0], i[1]]);
            let blp = u16::from_be_bytes([i[2], i[3]]);
            // Bit n of the mask stands for PID + n + 1.
            let masked = (0..16).filter(move |n| blp >> n & 1 == 1).map(move |n| n + 1);
            core::iter::once(0).chain(masked).map(move |n| Seq(pid.wrapping_add(n)))
        })
    }

    /// The items as they travel: a number and a mask over the sixteen that follow it.
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (u16, u16)> + 'a {
        let pair = |i: &[u8]| (u16::from_be_bytes([i[0], i[1]]), u16::from_be_bytes([i[2], i[3]]));
        self.items.chunks_exact(4).map(pair)
    }

    /// Writes a request for ascending numbers and says how many of them are in it: as many as fit. [`TooSmall`] if not
    /// even one fits; nothing is written for none.
    pub fn write(
        sender: Ssrc,
        media: Ssrc,
        missing: impl Iterator<Item = SeqNo> + Clone,
        out: &mut impl BufMut,
    ) -> Result<usize, TooSmall> {
        let room = out.remaining_mut().saturating_sub(HEAD) / 4;
        // The length field of 16 bits counts words: never more than it can say.
        let room = room.min(usize::from(u16::MAX) - HEAD / 4);
        let count = Items { missing: missing.clone() }.take(room).count();
        if count == 0 {
            return if missing.clone().next().is_none() { Ok(0) } else { Err(TooSmall) };
        }
        open(out, fmt::NACK, kind::TRANSPORT_FEEDBACK, HEAD + 4 * count, false)?;
        out.put_u32(sender.0);
        out.put_u32(media.0);
        let mut written = 0;
        for item in (Items { missing }).take(count) {
            out.put_u16(item.first.seq().0);
            out.put_u16(item.mask);
            written += item.numbers;
        }
        Ok(written)
    }
}

/// A number, a mask over the sixteen that follow it, and how many were named.
struct Item {
    first: SeqNo,
    mask: u16,
    numbers: usize,
}

/// Packs ascending numbers.
struct Items<I> {
    missing: I,
}

impl<I: Iterator<Item = SeqNo> + Clone> Iterator for Items<I> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let first = self.missing.next()?;
        let mut item = Item { first, mask: 0, numbers: 1 };
        loop {
            let mut ahead = self.missing.clone();
            match ahead.next() {
                Some(n) if n > first && n.since(first) <= 16 => {
                    item.mask |= 1 << (n.since(first) - 1);
                    item.numbers += 1;
                    self.missing = ahead;
                }
                _ => return Some(item),
            }
        }
    }
}
