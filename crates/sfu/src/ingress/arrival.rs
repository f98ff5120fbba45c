//! What has come of one encoding, and what has not.

use crate::verdict::DropReason;
use salon_rtp::{NtpTime, RtpTime, Seq, SeqNo, Time};

/// How a packet came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// As first sent.
    Media,
    /// From a repair packet.
    Repair,
}

/// A packet that is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// Its extended number. Its low 16 bits are those that travelled; it only grows, also over a restart.
    pub seq: SeqNo,
    /// Numbers that it leaves missing before it: those from `seq − missing` to `seq − 1`. Zero for a late packet.
    pub missing: u16,
    /// It is the newest so far.
    pub newest: bool,
    /// The source began anew with it: whatever is remembered of the numbers before is void.
    pub restarted: bool,
}

/// What a reception report says of a stream (RFC 3550 §6.4.1), but for its SSRC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reception {
    /// Lost since the last report, in 1/256 of what was expected.
    pub fraction_lost: u8,
    /// Lost in all; 24 bits, signed (duplicates are not counted here, so it falls only by late packets).
    pub cumulative_lost: i32,
    /// The highest number, extended by the cycles since the first.
    pub highest: u32,
    /// Interarrival jitter, in ticks of the media clock.
    pub jitter: u32,
    /// The middle of the last sender report's NTP time; 0 for none.
    pub last_sr: u32,
    /// Since that report came, in 1/65536 s; 0 for none.
    pub delay_since_last_sr: u32,
}

/// Receives one encoding: extends its numbers, drops what came twice, counts what is lost.
#[derive(Clone, Debug)]
pub struct Arrival {
    rate: u32,
}

impl Arrival {
    /// For a media clock of `clock_rate` ticks per second.
    pub const fn new(clock_rate: u32) -> Self {
        Self { rate: clock_rate }
    }

    /// A packet of `bytes` bytes came.
    pub fn push(
        &mut self,
        now: Time,
        seq: Seq,
        timestamp: RtpTime,
        bytes: usize,
        origin: Origin,
    ) -> Result<Arrived, DropReason> {
        let _ = (now, seq, timestamp, bytes, origin, self.rate);
        Err(DropReason::RtxUseless)
    }

    /// Another SSRC took over ([`News::Restarted`](super::News)): the next packet begins a new numbering.
    pub fn restart(&mut self) {}

    /// A sender report of this stream came.
    pub fn sender_report(&mut self, now: Time, ntp: NtpTime) {
        let _ = (now, ntp);
    }

    /// What to report, and the start of the next interval. `None` before the first packet.
    pub fn report(&mut self, now: Time) -> Option<Reception> {
        let _ = now;
        None
    }

    /// The highest number so far.
    pub const fn highest(&self) -> Option<SeqNo> {
        None
    }

    /// Packets taken, repaired ones included.
    pub const fn packets(&self) -> u64 {
        0
    }

    /// Bytes taken, repaired ones included.
    pub const fn bytes(&self) -> u64 {
        0
    }

    /// Packets that came by repair.
    pub const fn repaired(&self) -> u64 {
        0
    }
}
