//! Source description.

use super::{HEADER, kind, open, ssrc};
use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// The item that names a participant (RFC 3550 §6.5.1).
const CNAME: u8 = 1;

/// Descriptions of streams (RFC 3550 §6.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sdes<'a> {
    count: u8,
    chunks: &'a [u8],
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let mut rest = body;
        for _ in 0..count {
            (_, rest) = Chunk::split(rest)?;
        }
        Ok(Self { count, chunks: body })
    }

    /// One chunk per stream, at most 31.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut rest = self.chunks;
        (0..self.count).map_while(move |_| {
            let (chunk, after) = Chunk::split(rest).ok()?;
            rest = after;
            Some(chunk)
        })
    }

    /// Writes descriptions, a stream each with its items; more than 31 become several packets, none nothing. [`TooSmall`] too
    /// for an item of more than 255 bytes, and for kind 0, which would end its chunk.
    pub fn write(chunks: &[(Ssrc, &[SdesItem<'_>])], out: &mut impl BufMut) -> Result<(), TooSmall> {
        let sayable = |i: &SdesItem<'_>| i.kind != 0 && i.value.len() < 256;
        if !chunks.iter().all(|(_, items)| items.iter().all(sayable)) {
            return Err(TooSmall);
        }
        for some in chunks.chunks(31) {
            // At least one zero ends a chunk's items, and as many as reach the next word (RFC 3550 §6.5).
            let text = |items: &[SdesItem<'_>]| items.iter().map(|i| 2 + i.value.len()).sum::<usize>();
            let size = |items: &[SdesItem<'_>]| (text(items) + 1).next_multiple_of(4);
            let len = some.iter().map(|(_, items)| 4 + size(items)).sum::<usize>();
            open(out, some.len() as u8, kind::SDES, HEADER + len, false)?;
            for (of, items) in some {
                out.put_u32(of.0);
                for i in *items {
                    out.put_slice(&[i.kind, i.value.len() as u8]);
                    out.put_slice(i.value);
                }
                out.put_bytes(0, size(items) - text(items));
            }
        }
        Ok(())
    }

    /// Writes one chunk with a CNAME of at most 255 bytes.
    pub fn write_cname(of: Ssrc, cname: &[u8], out: &mut impl BufMut) -> Result<(), TooSmall> {
        Self::write(&[(of, &[SdesItem { kind: CNAME, value: cname }])], out)
    }
}

/// What is said of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk<'a> {
    /// The stream.
    pub ssrc: Ssrc,
    items: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The items end at a zero; the chunk ends at the word's end after it.
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let (of, body) = ssrc(bytes)?;
        let mut at = 0;
        loop {
            match body.get(at) {
                None => return Err(Error::RtcpLength),
                Some(0) => break,
                Some(_) => at += 2 + usize::from(*body.get(at + 1).ok_or(Error::RtcpLength)?),
            }
        }
        let items = body.get(..at).ok_or(Error::RtcpLength)?;
        let after = body.get((at + 1).next_multiple_of(4)..).ok_or(Error::RtcpLength)?;
        Ok((Self { ssrc: of, items }, after))
    }

    /// The items, in order.
    pub fn items(&self) -> impl Iterator<Item = SdesItem<'a>> + use<'a> {
        let mut rest = self.items;
        core::iter::from_fn(move || {
            let (&[kind, len], after) = rest.split_first_chunk()?;
            let (value, after) = after.split_at_checked(usize::from(len))?;
            rest = after;
            Some(SdesItem { kind, value })
        })
    }

    /// The stream's canonical name.
    pub fn cname(&self) -> Option<&'a [u8]> {
        self.items().find(|i| i.kind == CNAME).map(|i| i.value)
    }
}

/// One item of a [`Chunk`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SdesItem<'a> {
    /// 1 CNAME, 2 NAME … (RFC 3550 §12.2), 12 RtpStreamId, 15 MID.
    pub kind: u8,
    /// Its text.
    pub value: &'a [u8],
}
