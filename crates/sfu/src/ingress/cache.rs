//! The bytes of one encoding, once.

use crate::limits::{CACHE_BYTES, CACHE_PACKETS, CACHED_PACKET_BYTES};
use alloc::boxed::Box;
use alloc::vec;
use core::time::Duration;
use salon_rtp::{Bitrate, MediaKind, SeqNo, Time};

/// How much a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheSize {
    /// Bytes, of payloads and passed extensions: what it takes at most.
    pub bytes: usize,
    /// Packets; rounded up to a power of two.
    pub packets: usize,
    /// For how long it keeps a packet of a steady stream, where the bytes suffice. What that needs of them is touched, and no more:
    /// the system gives no memory for the rest.
    pub keep: Duration,
}

impl CacheSize {
    /// For a stream of at most `rate`: 1 s of sound, 2 s of picture, within [`limits`](crate::limits). Less forgets
    /// packets before their last NACK (four round trips); more keeps what no receiver can still use.
    pub fn of(kind: MediaKind, rate: Bitrate) -> Self {
        let (seconds, least, packets) = match kind {
            MediaKind::Audio => (1, 16 << 10, 128),
            MediaKind::Video => (2, 64 << 10, CACHE_PACKETS),
        };
        let keep = Duration::from_secs(seconds);
        let bytes = usize::try_from(rate.bytes_in(keep)).unwrap_or(CACHE_BYTES);
        Self { bytes: bytes.clamp(least, CACHE_BYTES), packets, keep }
    }
}

/// So much of a ring is filled before it begins anew: a large key frame, which comes faster than the stream does.
const EARLIEST: usize = 64 << 10;

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
#[non_exhaustive]
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

/// Where a packet lies.
#[derive(Clone, Copy, Debug)]
struct Place<M> {
    seq: SeqNo,
    meta: M,
    /// In which round of the ring, and where in it.
    round: u64,
    start: u32,
    /// 0: there was none; else its length and one.
    descriptor: u16,
    color_space: u16,
    payload: u16,
}

impl<M> Place<M> {
    fn len(&self) -> usize {
        usize::from(self.descriptor.saturating_sub(1))
            + usize::from(self.color_space.saturating_sub(1))
            + usize::from(self.payload)
    }
}

/// A ring of the last packets of one encoding, found by number. `M` is what was read of each.
///
/// The ring begins anew at its end, or where it has gone on for half as long again as packets are to be kept: so a small stream
/// stays in the first part of it, and what is overwritten is as old as it would be in a ring of that size.
#[derive(Clone, Debug)]
pub struct Cache<M> {
    bytes: Box<[u8]>,
    keep: Duration,
    /// Which round of the ring this is, since when, and where the next packet goes.
    round: u64,
    began: Time,
    next: usize,
    /// By number, modulo its length, which is a power of two.
    index: Box<[Option<Place<M>>]>,
}

impl<M: Copy> Cache<M> {
    /// Takes its memory at once, and never more.
    pub fn new(size: CacheSize) -> Self {
        let bytes = size.bytes.clamp(CACHED_PACKET_BYTES, CACHE_BYTES);
        let packets = size.packets.clamp(1, CACHE_PACKETS).next_power_of_two();
        Self {
            bytes: vec![0; bytes].into(),
            keep: size.keep,
            round: 0,
            began: Time::ZERO,
            next: 0,
            index: vec![None; packets].into(),
        }
    }

    /// Keeps a packet; the oldest leave. A packet so late that its place holds a newer one is not kept.
    pub fn push(
        &mut self,
        now: Time,
        seq: SeqNo,
        meta: M,
        passed: Passed<'_>,
        payload: &[u8],
    ) -> Result<(), TooLarge> {
        let count = |b: Option<&[u8]>| b.map_or(0, |b| u16::try_from(b.len()).unwrap_or(u16::MAX - 1) + 1);
        let place = Place {
            seq,
            meta,
            round: 0,
            start: 0,
            descriptor: count(passed.descriptor),
            color_space: count(passed.color_space),
            payload: u16::try_from(payload.len()).map_err(|_| TooLarge)?,
        };
        let len = place.len();
        if len > CACHED_PACKET_BYTES {
            return Err(TooLarge);
        }
        let at = seq.0 as usize & (self.index.len() - 1);
        if self.index[at].as_ref().is_some_and(|held| held.seq > seq) {
            return Ok(());
        }
        if (self.round, self.next) == (0, 0) {
            self.began = now;
        }
        let passed_by = self.next >= EARLIEST && now.since(self.began) >= self.keep * 3 / 2;
        if self.bytes.len() - self.next < len || passed_by {
            // A packet lies in one piece: what remains at the end stays as it was.
            (self.round, self.began, self.next) = (self.round + 1, now, 0);
        }
        let mut start = self.next;
        self.index[at] = Some(Place { round: self.round, start: start as u32, ..place });
        for part in [passed.descriptor, passed.color_space, Some(payload)].into_iter().flatten() {
            self.bytes[start..start + part.len()].copy_from_slice(part);
            start += part.len();
        }
        self.next = start;
        Ok(())
    }

    /// The packet of a number, if it is still held.
    #[inline]
    pub fn get(&self, seq: SeqNo) -> Option<Cached<'_, M>> {
        let place = self.index[seq.0 as usize & (self.index.len() - 1)].as_ref()?;
        let start = place.start as usize;
        let held = match self.round - place.round {
            0 => true,
            // Of the round before, what this one has not come to yet.
            1 => start >= self.next,
            _ => false,
        };
        if place.seq != seq || !held {
            return None;
        }
        let mut rest = self.bytes.get(start..start + place.len())?;
        let mut part = |count: u16| {
            let (part, after) = rest.split_at_checked(usize::from(count.checked_sub(1)?))?;
            rest = after;
            Some(part)
        };
        let passed = Passed { descriptor: part(place.descriptor), color_space: part(place.color_space) };
        Some(Cached { meta: place.meta, passed, payload: rest })
    }

    /// Forgets all: the source began anew.
    pub fn clear(&mut self) {
        self.index.fill(None);
    }

    /// Bytes of memory that it takes, for life.
    pub fn memory(&self) -> usize {
        self.bytes.len() + size_of_val::<[_]>(&self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[test]
    fn sizes_follow_rate_and_history() {
        let video = CacheSize::of(MediaKind::Video, Bitrate::from_kbps(2_500));
        assert_eq!(video, CacheSize { bytes: 625_000, packets: CACHE_PACKETS, keep: Duration::from_secs(2) });
        assert_eq!(CacheSize::of(MediaKind::Video, Bitrate::MAX).bytes, CACHE_BYTES);
        assert_eq!(CacheSize::of(MediaKind::Audio, Bitrate::from_kbps(40)).bytes, 16 << 10);
    }

    #[test]
    fn a_late_packet_does_not_drive_out_a_newer_one() {
        let mut c = Cache::new(CacheSize { bytes: 1 << 16, packets: 8, keep: Duration::ZERO });
        c.push(Time::ZERO, SeqNo(108), 1, Passed::default(), b"new").unwrap();
        c.push(Time::ZERO, SeqNo(100), 2, Passed::default(), b"old").unwrap();
        assert_eq!(c.get(SeqNo(108)).unwrap().payload, b"new");
        assert_eq!(c.get(SeqNo(100)), None);
    }

    #[test]
    fn too_large_is_an_error_and_changes_nothing() {
        let mut c = Cache::new(CacheSize { bytes: 1 << 16, packets: 8, keep: Duration::ZERO });
        c.push(Time::ZERO, SeqNo(1), (), Passed::default(), b"kept").unwrap();
        assert_eq!(c.push(Time::ZERO, SeqNo(9), (), Passed::default(), &[0; 70_000]), Err(TooLarge));
        let passed = Passed { descriptor: Some(&[0; 2000]), color_space: None };
        assert_eq!(c.push(Time::ZERO, SeqNo(9), (), passed, &[0; 49]), Err(TooLarge));
        assert_eq!(c.get(SeqNo(1)).unwrap().payload, b"kept");
    }

    type Pushed = (u32, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

    proptest! {
        // MS#923, #975: a cache that grew with jumping numbers; survive.md 18.
        #[test]
        fn get_returns_what_was_pushed_or_nothing_and_memory_is_constant(
            bytes in 0usize..5_000,
            packets in 0usize..64,
            pushes in prop::collection::vec(
                (prop_oneof![0u64..80, any::<u64>()], 0usize..1500, prop::option::of(0usize..300), prop::option::of(0usize..40)),
                1..120,
            ),
        ) {
            let mut c = Cache::new(CacheSize { bytes, packets, keep: Duration::from_millis(20) });
            let memory = c.memory();
            let mut pushed: BTreeMap<u64, Pushed> = BTreeMap::new();
            let mut fill = 0u8;
            for (i, (seq, len, d, cs)) in (0u32..).zip(pushes) {
                if pushed.contains_key(&seq) { continue; }
                let mut made = |n: usize| { fill = fill.wrapping_add(1); std::vec![fill; n] };
                let (payload, d, cs) = (made(len), d.map(&mut made), cs.map(&mut made));
                let passed = Passed { descriptor: d.as_deref(), color_space: cs.as_deref() };
                c.push(Time::from_millis(i.into()), SeqNo(seq), i, passed, &payload).unwrap();
                pushed.insert(seq, (i, payload, d, cs));
                for (&seq, (meta, payload, d, cs)) in &pushed {
                    if let Some(got) = c.get(SeqNo(seq)) {
                        prop_assert_eq!(got.meta, *meta);
                        prop_assert_eq!(got.payload, &payload[..]);
                        prop_assert_eq!(got.passed.descriptor, d.as_deref());
                        prop_assert_eq!(got.passed.color_space, cs.as_deref());
                    }
                }
                prop_assert_eq!(c.memory(), memory);
            }
        }

        #[test]
        fn a_small_stream_is_kept_as_long_and_stays_in_a_small_part(
            every in 5u64..60, sizes in prop::collection::vec(200usize..600, 400..1_000),
        ) {
            let keep = Duration::from_secs(2);
            let mut c = Cache::new(CacheSize { bytes: 1 << 20, packets: CACHE_PACKETS, keep });
            let mut highest = 0;
            for (i, &len) in (0u64..).zip(&sizes) {
                let now = Time::from_millis(i * every);
                c.push(now, SeqNo(i), (), Passed::default(), &std::vec![0; len]).unwrap();
                highest = highest.max(c.next);
                let held = (2_000 / every).min(CACHE_PACKETS as u64 - 1);
                for back in [0, 1, held / 2, held] {
                    if let Some(seq) = i.checked_sub(back) {
                        prop_assert!(c.get(SeqNo(seq)).is_some(), "{back} of {held} back");
                    }
                }
            }
            // Three seconds of 400 bytes on average, or what a ring begins with.
            let most = (3_000 / every + 1) as usize * 600;
            prop_assert!(highest <= most.max(EARLIEST) + 600, "{highest}");
        }

        #[test]
        fn history_is_as_long_as_promised(sizes in prop::collection::vec(0usize..1400, 1..300)) {
            let mut c = Cache::new(CacheSize { bytes: 64 << 10, packets: 256, keep: Duration::from_secs(2) });
            for (i, &len) in sizes.iter().enumerate() {
                c.push(Time::ZERO, SeqNo(i as u64), (), Passed::default(), &std::vec![0; len]).unwrap();
            }
            // One packet's worth may be lost to the gap at the end of the ring.
            let mut held = 0;
            for (i, &len) in sizes.iter().enumerate().rev().take(256) {
                held += len;
                if held > (64 << 10) - 1400 { break; }
                prop_assert!(c.get(SeqNo(i as u64)).is_some());
            }
            c.clear();
            prop_assert!(c.get(SeqNo(sizes.len() as u64 - 1)).is_none());
        }
    }
}
