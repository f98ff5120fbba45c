//! Transport-wide feedback: which packets arrived, and when.

mod report;

pub use report::TwccReport;

use super::feedback;
use crate::extension::TwccSeq;
use crate::{Error, Ssrc};

/// Units of the reference time: 64 ms (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const REFERENCE_MICROS: i64 = 64_000;
/// Units of a delta: 250 µs (§3.1.5).
const DELTA_MICROS: i64 = 250;

/// What happened to one packet, in two bits (§3.1.1): 0 lost, 1 a delta of one byte, 2 of two bytes, 3 reserved.
type Symbol = u8;
const LOST: Symbol = 0;
const SMALL: Symbol = 1;
const LARGE: Symbol = 2;

/// A transport-wide feedback message (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Twcc<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// One of the transport's streams; means nothing more.
    pub media: Ssrc,
    /// Counts the messages; wraps.
    pub count: u8,
    base: u16,
    len: u16,
    reference: i32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> Twcc<'a> {
    /// Checks that the chunks cover the claimed count and that every delta is there; the time that it takes is bounded by
    /// the message's bytes, not by what they claim.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, media, rest) = feedback(body)?;
        let (&[b0, b1, l0, l1, r0, r1, r2, count], rest) =
            rest.split_first_chunk().ok_or(Error::RtcpLength)?;
        let len = u16::from_be_bytes([l0, l1]);
        let (mut left, mut chunk_bytes, mut delta_bytes) = (len, 0, 0);
        while left > 0 {
            let chunk = rest.get(chunk_bytes..).and_then(<[u8]>::first_chunk).ok_or(Error::RtcpLength)?;
            let chunk = Chunk::read(*chunk);
            let n = chunk.len().min(left);
            delta_bytes += chunk.delta_bytes(n)?;
            chunk_bytes += 2;
            left -= n;
        }
        let (chunks, rest) = rest.split_at_checked(chunk_bytes).ok_or(Error::RtcpLength)?;
        let deltas = rest.get(..delta_bytes).ok_or(Error::RtcpLength)?;
        let reference = i32::from_be_bytes([r0, r1, r2, 0]) >> 8;
        Ok(Self { sender, media, count, base: u16::from_be_bytes([b0, b1]), len, reference, chunks, deltas })
    }

    /// The number of the first packet that is reported.
    pub const fn base(&self) -> TwccSeq {
        TwccSeq(self.base)
    }

    /// How many packets the message claims to report: up to 65,535, in a few bytes.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether it reports nothing.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The reference time in units of 64 ms, 24 bits with a sign; it wraps every 12.4 days.
    pub const fn reference(&self) -> i32 {
        self.reference
    }

    /// The chunks and the deltas as they travel, and the symbol of each packet.
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) fn raw(&self) -> (&'a [u8], &'a [u8], impl Iterator<Item = u8> + use<'a>) {
        let chunks = self.chunks.chunks_exact(2).map(|c| Chunk::read([c[0], c[1]]));
        let symbols = chunks.flat_map(|c| (0..c.len()).map(move |at| c.symbol(at)));
        (self.chunks, self.deltas, symbols.take(self.len.into()))
    }

    /// The statuses in order, at most `max` of them: give what your history of sent packets can hold.
    #[inline]
    pub fn statuses(&self, max: usize) -> Statuses<'a> {
        let [chunks, deltas] = [self.chunks, self.deltas];
        Statuses {
            chunks,
            symbols: Symbols { word: 0, mask: 0, shift: 0, left: 0 },
            deltas,
            seq: self.base,
            left: max.min(self.len()),
            arrival: i64::from(self.reference) * REFERENCE_MICROS,
        }
    }
}

/// What is reported of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TwccStatus {
    /// The packet.
    pub seq: TwccSeq,
    /// When it arrived, in microseconds on the reporter's clock (from the zero of its reference time, hence unrelated to
    /// ours, and negative after a wrap); `None` if it has not arrived so far.
    pub arrival: Option<i64>,
}

/// The statuses of a [`Twcc`], read as they are asked for.
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    chunks: &'a [u8],
    symbols: Symbols,
    deltas: &'a [u8],
    seq: u16,
    left: usize,
    arrival: i64,
}

impl Iterator for Statuses<'_> {
    type Item = TwccStatus;

    #[inline]
    fn next(&mut self) -> Option<TwccStatus> {
        self.left = self.left.checked_sub(1)?;
        while self.symbols.left == 0 {
            let (&chunk, rest) = self.chunks.split_first_chunk()?;
            (self.symbols, self.chunks) = (Chunk::read(chunk).symbols(), rest);
        }
        let delta = match self.symbols.next() {
            SMALL => {
                let (&d, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                Some(i64::from(d))
            }
            LARGE => {
                let (&d, rest) = self.deltas.split_first_chunk()?;
                self.deltas = rest;
                Some(i64::from(i16::from_be_bytes(d)))
            }
            _ => None,
        };
        let seq = TwccSeq(self.seq);
        self.seq = self.seq.wrapping_add(1);
        let arrival = delta.map(|d| {
            // At most 65,535 deltas of ± 8.2 s upon ± 2²³ × 64 ms: far from 64 bits.
            self.arrival += d * DELTA_MICROS;
            self.arrival
        });
        Some(TwccStatus { seq, arrival })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// A packet status chunk (§3.1.2 to §3.1.4).
#[derive(Clone, Copy, Debug)]
enum Chunk {
    /// The same symbol, 0 to 8191 times.
    Run { symbol: Symbol, len: u16 },
    /// Fourteen symbols of one bit.
    Bits(u16),
    /// Seven symbols of two bits.
    Pairs(u16),
}

impl Chunk {
    #[inline]
    fn read(bytes: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(bytes);
        match word >> 14 {
            0 | 1 => Self::Run { symbol: (word >> 13 & 3) as u8, len: word & 0x1fff },
            2 => Self::Bits(word & 0x3fff),
            _ => Self::Pairs(word & 0x3fff),
        }
    }

    const fn len(self) -> u16 {
        match self {
            Self::Run { len, .. } => len,
            Self::Bits(_) => 14,
            Self::Pairs(_) => 7,
        }
    }

    /// The symbol at a place below [`len`](Self::len).
    #[cfg(feature = "webrtc-rs-0_17")]
    const fn symbol(self, at: u16) -> Symbol {
        match self {
            Self::Run { symbol, .. } => symbol,
            Self::Bits(bits) => (bits << at >> 13 & 1) as u8,
            Self::Pairs(bits) => (bits << (2 * at) >> 12 & 3) as u8,
        }
    }

    /// All of them, one after the other.
    const fn symbols(self) -> Symbols {
        match self {
            Self::Run { symbol, len } => {
                Symbols { word: (symbol as u16) << 14, mask: 3, shift: 0, left: len }
            }
            Self::Bits(bits) => Symbols { word: bits << 1, mask: 1, shift: 1, left: 14 },
            Self::Pairs(bits) => Symbols { word: bits << 2, mask: 3, shift: 2, left: 7 },
        }
    }

    /// Bytes of the deltas of the first `n` symbols, at most [`len`](Self::len); an error for the reserved symbol.
    const fn delta_bytes(self, n: u16) -> Result<usize, Error> {
        match self {
            Self::Run { symbol: LOST, .. } => Ok(0),
            Self::Run { symbol: SMALL, .. } => Ok(n as usize),
            Self::Run { symbol: LARGE, .. } => Ok(2 * n as usize),
            Self::Run { .. } => Err(Error::Value),
            // The first symbol stands highest.
            Self::Bits(bits) => Ok((bits >> (14 - n)).count_ones() as usize),
            Self::Pairs(bits) => {
                let bits = bits >> (14 - 2 * n);
                let (large, small) = (bits >> 1 & 0x1555, bits & 0x1555);
                if large & small != 0 {
                    return Err(Error::Value);
                }
                Ok((small.count_ones() + 2 * large.count_ones()) as usize)
            }
        }
    }
}

/// What is left of a chunk. The next symbol stands in the two highest bits under the mask.
#[derive(Clone, Copy, Debug)]
struct Symbols {
    word: u16,
    mask: u8,
    shift: u8,
    left: u16,
}

impl Symbols {
    /// The next one; the caller has seen that there is one.
    #[inline]
    const fn next(&mut self) -> Symbol {
        let symbol = (self.word >> 14) as u8 & self.mask;
        self.word <<= self.shift;
        self.left -= 1;
        symbol
    }
}
