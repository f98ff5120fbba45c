//! Congestion control feedback: which packets of which stream arrived, when, and how the network marked them.

use super::{HEADER, fmt, kind, open, ssrc};
use crate::{Error, Seq, Ssrc, Time, TooSmall};
use bytes::BufMut;

/// A congestion control feedback packet (RFC 8888 §3.1): one report per stream, all before one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ccfb<'a> {
    /// Who reports.
    pub sender: Ssrc,
    /// The moment of the report on the reporter's wall clock: the middle 32 bits of NTP time, as in its sender reports.
    pub timestamp: u32,
    reports: &'a [u8],
}

/// Header, sender and timestamp.
const FRAME: usize = HEADER + 8;
/// SSRC, first number and count of a report.
const HEAD: usize = 8;
/// A report must not cover more than a quarter of the sequence space (RFC 8888 §3.1).
const MAX_PACKETS: usize = 16_384;

impl<'a> Ccfb<'a> {
    /// Whole reports only. `num_reports` counts the packets of a report, as libwebrtc and pion have it; the RFC's text, which
    /// calls the range up to `begin_seq` + `num_reports` inclusive, would make it one more.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let (sender, rest) = ssrc(body)?;
        let (reports, &timestamp) = rest.split_last_chunk().ok_or(Error::RtcpLength)?;
        let mut left = reports;
        while !left.is_empty() {
            (_, left) = CcfbReport::split(left)?;
        }
        Ok(Self { sender, timestamp: u32::from_be_bytes(timestamp), reports })
    }

    /// The reports, in order; at most one for each eight bytes.
    pub fn reports(&self) -> impl Iterator<Item = CcfbReport<'a>> + use<'a> {
        let mut rest = self.reports;
        core::iter::from_fn(move || {
            let (report, after) = CcfbReport::split(rest).ok()?;
            rest = after;
            Some(report)
        })
    }

    /// The reports as they travel.
    #[cfg(feature = "webrtc-rs-0_17")]
    pub(crate) const fn raw(&self) -> &'a [u8] {
        self.reports
    }

    /// Writes one message of at most `max` bytes (nor more than there is room) and says how many statuses are in it, counted
    /// over the streams in their order: what is missing at the end belongs into the next message. Streams without a status
    /// take no room. [`TooSmall`], and nothing written, if not one status fits; nothing is written for none.
    pub fn write<'s>(
        sender: Ssrc,
        timestamp: u32,
        streams: impl Iterator<Item = CcfbStream<'s>> + Clone,
        max: usize,
        out: &mut impl BufMut,
    ) -> Result<usize, TooSmall> {
        // The length field of 16 bits counts words, one less.
        let max = max.min(out.remaining_mut()).min(4 << 16) & !3;
        let fitting = Fitting { streams: streams.clone(), free: max.saturating_sub(FRAME) };
        let (mut len, mut count) = (FRAME, 0);
        for (_, statuses) in fitting.clone() {
            len += HEAD + 2 * statuses.len().next_multiple_of(2);
            count += statuses.len();
        }
        if count == 0 {
            let nothing = streams.clone().all(|s| s.statuses.is_empty());
            return if nothing { Ok(0) } else { Err(TooSmall) };
        }
        open(out, fmt::CCFB, kind::TRANSPORT_FEEDBACK, len, false)?;
        out.put_u32(sender.0);
        for (stream, statuses) in fitting {
            out.put_u32(stream.media.0);
            out.put_u16(stream.begin.0);
            out.put_u16(statuses.len() as u16);
            for status in statuses {
                out.put_u16(status.map_or(0, CcfbArrival::word));
            }
            if statuses.len() % 2 == 1 {
                out.put_u16(0);
            }
        }
        out.put_u32(timestamp);
        Ok(count)
    }
}

/// One stream to report on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CcfbStream<'a> {
    /// The stream.
    pub media: Ssrc,
    /// The number of the first packet.
    pub begin: Seq,
    /// What happened to it and to those that follow it, without a gap; `None` for what has not arrived. Those beyond 16,384
    /// are not reported.
    pub statuses: &'a [Option<CcfbArrival>],
}

/// What of each stream fits, stream by stream, until one is cut short.
#[derive(Clone)]
struct Fitting<I> {
    streams: I,
    free: usize,
}

impl<'s, I: Iterator<Item = CcfbStream<'s>>> Iterator for Fitting<I> {
    type Item = (CcfbStream<'s>, &'s [Option<CcfbArrival>]);

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.streams.by_ref().find(|s| !s.statuses.is_empty())?;
        // Two bytes each, whole words: `free` is a multiple of four.
        let room = self.free.checked_sub(HEAD)? / 2;
        let n = stream.statuses.len().min(room).min(MAX_PACKETS);
        let statuses = stream.statuses.get(..n).filter(|s| !s.is_empty())?;
        let cut = n < stream.statuses.len();
        self.free = if cut { 0 } else { self.free - HEAD - 2 * n.next_multiple_of(2) };
        Some((stream, statuses))
    }
}

/// What is reported of one stream (RFC 8888 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CcfbReport<'a> {
    /// The stream.
    pub media: Ssrc,
    /// The number of the first packet that is reported.
    pub begin: Seq,
    metrics: &'a [u8],
}

impl<'a> CcfbReport<'a> {
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let (media, rest) = ssrc(bytes)?;
        let (&[b0, b1, n0, n1], rest) = rest.split_first_chunk().ok_or(Error::RtcpLength)?;
        let count = usize::from(u16::from_be_bytes([n0, n1]));
        if count > MAX_PACKETS {
            return Err(Error::Value);
        }
        let (metrics, rest) = rest.split_at_checked(2 * count).ok_or(Error::RtcpLength)?;
        // An odd count is followed by two bytes of nothing.
        let rest = rest.get(2 * (count % 2)..).ok_or(Error::RtcpLength)?;
        Ok((Self { media, begin: Seq(u16::from_be_bytes([b0, b1])), metrics }, rest))
    }

    /// How many packets it speaks of: 0 to 16,384.
    pub const fn len(&self) -> usize {
        self.metrics.len() / 2
    }

    /// Whether it speaks of none.
    pub const fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    /// The packets' numbers and what happened to them, in order; `None` for those that had not arrived.
    pub fn statuses(&self) -> impl ExactSizeIterator<Item = (Seq, Option<CcfbArrival>)> + 'a {
        let begin = self.begin.0;
        self.metrics.chunks_exact(2).enumerate().map(move |(i, m)| {
            // At most 16,384 of them: the number fits.
            let seq = Seq(begin.wrapping_add(i as u16));
            (seq, CcfbArrival::from_word(u16::from_be_bytes([m[0], m[1]])))
        })
    }
}

/// How a packet arrived.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CcfbArrival {
    /// How the network marked it.
    pub ecn: Ecn,
    /// How long before the report.
    pub offset: ArrivalOffset,
}

impl CcfbArrival {
    /// R, two bits of ECN, thirteen of offset. Without R the rest means nothing (RFC 8888 §3.1).
    fn from_word(word: u16) -> Option<Self> {
        let offset = match word & 0x1fff {
            0x1fff => ArrivalOffset::Unavailable,
            0x1ffe => ArrivalOffset::Beyond,
            ticks => ArrivalOffset::Ticks(ticks),
        };
        (word & 0x8000 != 0).then_some(Self { ecn: Ecn::from_bits(word >> 13), offset })
    }

    fn word(self) -> u16 {
        let offset = match self.offset {
            ArrivalOffset::Ticks(ticks) => ticks.min(ArrivalOffset::BEYOND),
            ArrivalOffset::Beyond => ArrivalOffset::BEYOND,
            ArrivalOffset::Unavailable => 0x1fff,
        };
        0x8000 | (self.ecn as u16) << 13 | offset
    }
}

/// How long before the report a packet arrived (RFC 8888 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrivalOffset {
    /// In 1/1024 s: 0 to 8189. More is written as [`Beyond`](Self::Beyond).
    Ticks(u16),
    /// More than 8189/1024 s.
    Beyond,
    /// It is not known, or it arrived after the report's moment.
    Unavailable,
}

impl ArrivalOffset {
    /// From where the offset says only that it is larger.
    const BEYOND: u16 = 0x1ffe;

    /// The offset of an arrival before a report, both on the same clock, rounded down.
    pub const fn of(report: Time, arrival: Time) -> Self {
        if arrival.as_micros() > report.as_micros() {
            return Self::Unavailable;
        }
        let ticks = (report.as_micros() - arrival.as_micros()) as u128 * 1_024 / 1_000_000;
        if ticks < Self::BEYOND as u128 { Self::Ticks(ticks as u16) } else { Self::Beyond }
    }
}

/// Explicit congestion notification of a packet's IP header (RFC 3168 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Ecn {
    /// The sender does not take part, or the receiver cannot see it.
    #[default]
    NotEct = 0,
    /// ECT(1).
    Ect1 = 1,
    /// ECT(0).
    Ect0 = 2,
    /// Congestion experienced.
    Ce = 3,
}

impl Ecn {
    /// The codepoint of the lowest two bits.
    pub const fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::NotEct,
            1 => Self::Ect1,
            2 => Self::Ect0,
            _ => Self::Ce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Compound, RtcpPacket};
    use proptest::prelude::*;
    use std::vec::Vec;

    type Read = Vec<(Ssrc, Seq, Vec<Option<CcfbArrival>>)>;

    fn read(bytes: &[u8]) -> Read {
        let compound = Compound::parse(bytes).unwrap();
        let Some(RtcpPacket::Ccfb(c)) = compound.iter().next() else { panic!() };
        assert_eq!((c.sender, c.timestamp), (Ssrc(1), 0x0102_0304));
        c.reports()
            .map(|r| {
                let statuses: Vec<_> = r.statuses().collect();
                assert_eq!((statuses.len(), r.is_empty()), (r.len(), statuses.is_empty()));
                for (i, (seq, _)) in statuses.iter().enumerate() {
                    assert_eq!(*seq, Seq(r.begin.0.wrapping_add(i as u16)));
                }
                (r.media, r.begin, statuses.into_iter().map(|s| s.1).collect())
            })
            .collect()
    }

    fn arrival() -> impl Strategy<Value = Option<CcfbArrival>> {
        let offset = prop_oneof![
            8 => (0u16..0x1ffe).prop_map(ArrivalOffset::Ticks),
            1 => Just(ArrivalOffset::Beyond),
            1 => Just(ArrivalOffset::Unavailable),
        ];
        let arrival =
            (0u16..4, offset).prop_map(|(e, offset)| CcfbArrival { ecn: Ecn::from_bits(e), offset });
        prop::option::of(arrival)
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_fits_is_read_back_and_the_rest_is_said(
            streams in prop::collection::vec(
                (any::<u32>(), any::<u16>(), prop::collection::vec(arrival(), 0..40)), 0..6),
            max in 0usize..400, room in 0usize..400,
        ) {
            let list: Vec<_> = streams.iter()
                .map(|(s, b, v)| CcfbStream { media: Ssrc(*s), begin: Seq(*b), statuses: v }).collect();
            let mut buffer = std::vec![0xaa; room];
            let mut free = &mut buffer[..];
            let written = Ccfb::write(Ssrc(1), 0x0102_0304, list.iter().copied(), max, &mut free);
            let len = room - free.len();
            let all: usize = list.iter().map(|s| s.statuses.len()).sum();
            let Ok(count) = written else {
                prop_assert!(len == 0 && all > 0 && max.min(room) < FRAME + HEAD + 4);
                return Ok(());
            };
            prop_assert!(len <= max.min(room) && len % 4 == 0 && count <= all);
            if count == 0 {
                prop_assert_eq!((all, len), (0, 0));
                return Ok(());
            }
            let (mut left, mut expected) = (count, Read::new());
            for s in list.iter().filter(|s| !s.statuses.is_empty()) {
                let n = left.min(s.statuses.len());
                left -= n;
                if n > 0 {
                    expected.push((s.media, s.begin, s.statuses[..n].to_vec()));
                }
            }
            prop_assert_eq!(read(&buffer[..len]), expected);
            // It ends only where not even one more status of a new report would fit.
            prop_assert!(count == all || max.min(room) - len < HEAD + 4);
        }
    }

    #[test]
    fn offsets_are_in_1024ths_of_a_second() {
        let at = Time::from_millis;
        assert_eq!(ArrivalOffset::of(at(2_000), at(1_500)), ArrivalOffset::Ticks(512));
        assert_eq!(ArrivalOffset::of(at(9_000), at(1_000)), ArrivalOffset::Beyond);
        // 8190/1024 s are 7,998,046.875 µs.
        let micros = Time::from_micros;
        assert_eq!(ArrivalOffset::of(micros(7_998_046), Time::ZERO), ArrivalOffset::Ticks(8189));
        assert_eq!(ArrivalOffset::of(micros(7_998_047), Time::ZERO), ArrivalOffset::Beyond);
        assert_eq!(ArrivalOffset::of(at(1), at(2)), ArrivalOffset::Unavailable);
        assert_eq!(ArrivalOffset::of(Time::NEVER, Time::ZERO), ArrivalOffset::Beyond);
    }

    #[test]
    fn a_report_over_more_than_a_quarter_of_the_numbers_is_refused() {
        let message = |count: u16, bytes: usize| {
            let words = (FRAME + HEAD + bytes) / 4 - 1;
            let mut m = std::vec![0x8b, 205];
            m.extend((words as u16).to_be_bytes());
            m.extend([0, 0, 0, 1, 0, 0, 0, 2, 0, 9]);
            m.extend(count.to_be_bytes());
            m.resize(m.len() + bytes, 0);
            m.extend([1, 2, 3, 4]);
            m
        };
        assert_eq!(read(&message(16_384, 32_768))[0].2.len(), 16_384);
        assert_eq!(Compound::parse(&message(16_385, 32_772)).unwrap_err(), Error::Value);
        assert_eq!(Compound::parse(&message(3, 4)).unwrap_err(), Error::RtcpLength);
        // An odd count and its two bytes of nothing.
        assert_eq!(read(&message(3, 8))[0].2, [None; 3]);
    }
}
