//! What has come of one encoding, and what has not.

use crate::verdict::DropReason;
use core::time::Duration;
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
#[non_exhaustive]
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

/// A number further ahead than this is a jump, not a loss: 10 s of a 300 packets/s stream (RFC 3550 A.1's MAX_DROPOUT).
const MAX_AHEAD: i16 = 3000;
/// A number further back than this is a jump, not a late packet: a stream of 500 packets/s that waited 3 s. RFC 3550 A.1
/// allows 100, which a retransmission at such a rate outlives.
const MAX_BACK: i16 = 1500;
/// Packets in order that make a restart believed. One stray packet must not void a stream's history; five cost 100 ms of
/// sound (RFC 3550 A.1 asks for two).
const PROBATION: u8 = 5;
/// A late packet's timestamp lies at most this long before the newest's. One that does not is no late packet.
const LATE_SECONDS: u32 = 10;

/// After a hole, a timestamp that is off by more than this belongs to a source that began anew. No network holds packets back so
/// long.
const STRANGE_SECONDS: u32 = 10;
/// Bits of the window of what came: more than [`MAX_BACK`], a power of two.
const WINDOW: u64 = 2048;
/// A cumulative count has 24 bits with its sign (RFC 3550 §6.4.1).
const CUMULATIVE: i64 = 0x7f_ffff;

/// A run of packets that may be a restart.
#[derive(Clone, Copy, Debug)]
struct Run {
    last: Seq,
    timestamp: RtpTime,
    length: u8,
}

/// The numbering since the stream began or began anew, and what reports need of it (RFC 3550 A.3, A.8).
#[derive(Clone, Copy, Debug)]
struct Numbering {
    /// The cycle count of its first packet.
    roc: u32,
    /// The lowest number of a media packet.
    base: SeqNo,
    /// The highest number, repaired packets included.
    highest: SeqNo,
    /// The highest number of a media packet, and its timestamp.
    media: SeqNo,
    timestamp: RtpTime,
    /// Media packets that came, each once. What came by repair stays lost here: the sender counts its repair stream
    /// apart, and its estimate needs the truth.
    received: u64,
    reported_expected: u64,
    reported_received: u64,
    /// Arrival less timestamp of the newest media packet, in ticks.
    transit: u32,
    /// In sixteenths of a tick.
    jitter: u32,
}

/// Receives one encoding: extends its numbers, drops what came twice, counts what is lost.
#[derive(Clone, Debug)]
pub struct Arrival {
    rate: u32,
    now: Option<Numbering>,
    came: [u64; (WINDOW / 64) as usize],
    run: Option<Run>,
    renew: bool,
    last_sr: Option<(NtpTime, Time)>,
    packets: u64,
    bytes: u64,
    repaired: u64,
}

impl Arrival {
    /// For a media clock of `clock_rate` ticks per second.
    pub const fn new(clock_rate: u32) -> Self {
        Self {
            rate: clock_rate,
            now: None,
            came: [0; (WINDOW / 64) as usize],
            run: None,
            renew: false,
            last_sr: None,
            packets: 0,
            bytes: 0,
            repaired: 0,
        }
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
        let arrived = match origin {
            Origin::Media => self.media(now, seq, timestamp)?,
            Origin::Repair => self.repair(seq)?,
        };
        self.packets += 1;
        self.bytes += bytes as u64;
        Ok(arrived)
    }

    /// Another SSRC took over ([`News::Restarted`](super::News)): the next media packet begins a new numbering.
    pub fn restart(&mut self) {
        self.renew = self.now.is_some();
    }

    fn media(&mut self, now: Time, seq: Seq, timestamp: RtpTime) -> Result<Arrived, DropReason> {
        let Some(n) = self.now.as_mut().filter(|_| !self.renew) else {
            return Ok(self.begin(now, seq, timestamp));
        };
        let delta = seq.0.wrapping_sub(n.highest.seq().0) as i16;
        let age = n.timestamp.since(timestamp);
        // A new source on the old SSRC may start at any number, also just behind: its timestamps give it away. (They are
        // comparable with the newest media packet's only, which a repaired packet may have overtaken.)
        let late = age >= 0 && age as u32 <= LATE_SECONDS * self.rate;
        // It may start a little ahead, too, and then looks as if as many had been lost; but not with a timestamp out of all
        // proportion. Without a hole nothing is suspected: some senders' clocks stand still while they are silent.
        let transit = ticks(now, self.rate).wrapping_sub(timestamp.0);
        let strange = (transit.wrapping_sub(n.transit) as i32).unsigned_abs() > STRANGE_SECONDS * self.rate;
        let timely = |seq: SeqNo| if seq > n.media { seq <= n.highest.next() || !strange } else { late };
        let seq_no = seq.extend(n.highest).filter(|&s| (-MAX_BACK..=MAX_AHEAD).contains(&delta) && timely(s));
        let Some(seq_no) = seq_no else { return self.on_probation(now, seq, timestamp) };
        self.run = None;
        let missing = Self::mark(&mut self.came, &mut n.highest, seq_no).ok_or(DropReason::Duplicate)?;
        n.received += 1;
        n.base = n.base.min(seq_no);
        let newest = seq_no == n.highest;
        if seq_no > n.media {
            n.media = seq_no;
            // The packets of one frame are sent in a burst, not at their timestamp: only the first tells of the network.
            if timestamp != n.timestamp {
                let d = (transit.wrapping_sub(n.transit) as i32).unsigned_abs();
                // A timestamp that jumps says nothing of the network either: 5 s and more are left out.
                if d < 5 * self.rate {
                    n.jitter = n.jitter - ((n.jitter + 8) >> 4) + d;
                }
                (n.transit, n.timestamp) = (transit, timestamp);
            }
        }
        Ok(Arrived { seq: seq_no, missing, newest, restarted: false })
    }

    fn repair(&mut self, seq: Seq) -> Result<Arrived, DropReason> {
        let Some(n) = self.now.as_mut().filter(|_| !self.renew) else { return Err(DropReason::RtxUnbound) };
        let delta = seq.0.wrapping_sub(n.highest.seq().0) as i16;
        if !(-MAX_BACK..=MAX_AHEAD).contains(&delta) {
            return Err(DropReason::RtxUseless);
        }
        let seq = seq.extend(n.highest).ok_or(DropReason::RtxUseless)?;
        let missing = Self::mark(&mut self.came, &mut n.highest, seq).ok_or(DropReason::RtxUseless)?;
        self.repaired += 1;
        Ok(Arrived { seq, missing, newest: seq == n.highest, restarted: false })
    }

    /// Notes a number in the window; how many it leaves missing below it if it is the newest. `None` if it came before.
    fn mark(came: &mut [u64], highest: &mut SeqNo, seq: SeqNo) -> Option<u16> {
        let ahead = seq.since(*highest);
        // Clears the places of the numbers between; at most the whole window, whatever the jump.
        for n in highest.0 + 1..=highest.0 + ahead.min(WINDOW) {
            let bit = n % WINDOW;
            came[(bit / 64) as usize] &= !(1 << (bit % 64));
        }
        let bit = seq.0 % WINDOW;
        let word = &mut came[(bit / 64) as usize];
        if *word & 1 << (bit % 64) != 0 {
            return None;
        }
        *word |= 1 << (bit % 64);
        *highest = (*highest).max(seq);
        Some(ahead.saturating_sub(1) as u16)
    }

    /// A packet that does not fit: dropped, unless it is the last of a run in order whose time does not fall.
    fn on_probation(&mut self, now: Time, seq: Seq, timestamp: RtpTime) -> Result<Arrived, DropReason> {
        let length = match self.run {
            Some(r) if r.last.next() == seq && timestamp.since(r.timestamp) >= 0 => r.length + 1,
            _ => 1,
        };
        if length >= PROBATION {
            return Ok(self.begin(now, seq, timestamp));
        }
        self.run = Some(Run { last: seq, timestamp, length });
        Err(DropReason::Probation)
    }

    /// The first packet of a numbering. Its extended number lies more than a cycle above all before it, so that nothing
    /// remembered by number can be mistaken; below the first there is room for packets that come late.
    fn begin(&mut self, now: Time, seq: Seq, timestamp: RtpTime) -> Arrived {
        let restarted = self.now.is_some();
        let roc = self.now.map_or(1, |n| n.highest.roc().saturating_add(2));
        let first = SeqNo(u64::from(roc) << 16 | u64::from(seq.0));
        self.now = Some(Numbering {
            roc,
            base: first,
            highest: first,
            media: first,
            timestamp,
            received: 1,
            reported_expected: 0,
            reported_received: 0,
            transit: ticks(now, self.rate).wrapping_sub(timestamp.0),
            jitter: 0,
        });
        self.came = [0; (WINDOW / 64) as usize];
        let bit = first.0 % WINDOW;
        self.came[(bit / 64) as usize] = 1 << (bit % 64);
        (self.run, self.renew) = (None, false);
        if restarted {
            self.last_sr = None;
        }
        Arrived { seq: first, missing: 0, newest: true, restarted }
    }

    /// A sender report of this stream came.
    pub fn sender_report(&mut self, now: Time, ntp: NtpTime) {
        self.last_sr = Some((ntp, now));
    }

    /// What to report, and the start of the next interval. `None` before the first packet.
    pub fn report(&mut self, now: Time) -> Option<Reception> {
        let n = self.now.as_mut()?;
        let expected = n.media.since(n.base) + 1;
        let interval = expected.saturating_sub(n.reported_expected);
        let lost = interval.saturating_sub(n.received.saturating_sub(n.reported_received));
        let fraction_lost = (lost << 8).checked_div(interval).unwrap_or(0).min(255) as u8;
        (n.reported_expected, n.reported_received) = (expected, n.received);
        let cumulative = expected as i64 - n.received as i64;
        let (last_sr, delay_since_last_sr) = match self.last_sr {
            None => (0, 0),
            Some((ntp, came)) => {
                let delay = u64::try_from(now.since(came).as_micros()).unwrap_or(u64::MAX);
                (ntp.middle(), u32::try_from(delay.saturating_mul(1 << 16) / 1_000_000).unwrap_or(u32::MAX))
            }
        };
        Some(Reception {
            fraction_lost,
            cumulative_lost: cumulative.clamp(-CUMULATIVE - 1, CUMULATIVE) as i32,
            highest: (n.media.0.wrapping_sub(u64::from(n.roc) << 16)) as u32,
            jitter: n.jitter >> 4,
            last_sr,
            delay_since_last_sr,
        })
    }

    /// The highest number so far.
    pub fn highest(&self) -> Option<SeqNo> {
        self.now.map(|n| n.highest)
    }

    /// Packets taken, repaired ones included.
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Bytes taken, repaired ones included.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Packets that came by repair.
    pub const fn repaired(&self) -> u64 {
        self.repaired
    }

    /// Packets that did not come by themselves since the numbering began.
    pub fn lost(&self) -> u64 {
        self.now.map_or(0, |n| (n.media.since(n.base) + 1).saturating_sub(n.received))
    }

    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> Duration {
        let ticks = self.now.map_or(0, |n| n.jitter >> 4);
        Duration::from_micros((u64::from(ticks) * 1_000_000).checked_div(u64::from(self.rate)).unwrap_or(0))
    }
}

/// The moment in ticks of a media clock; wraps as timestamps do.
fn ticks(now: Time, rate: u32) -> u32 {
    (u128::from(now.as_micros()) * u128::from(rate) / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const VIDEO: u32 = 90_000;

    /// One packet per 10 ms, each with its own timestamp.
    fn send(a: &mut Arrival, at: u64, seq: u16) -> Result<Arrived, DropReason> {
        let timestamp = RtpTime((at as u32).wrapping_mul(900));
        a.push(Time::from_millis(10 * at), Seq(seq), timestamp, 100, Origin::Media)
    }

    fn repair(a: &mut Arrival, seq: u16) -> Result<Arrived, DropReason> {
        a.push(Time::ZERO, Seq(seq), RtpTime(0), 100, Origin::Repair)
    }

    #[test]
    fn numbers_extend_over_the_wrap_and_late_packets_fit_in() {
        let mut a = Arrival::new(VIDEO);
        assert_eq!(send(&mut a, 10, 0xfffe).unwrap().seq, SeqNo(0x1_fffe));
        let b = send(&mut a, 13, 1).unwrap();
        assert_eq!((b.seq, b.missing, b.newest), (SeqNo(0x2_0001), 2, true));
        let b = send(&mut a, 12, 0).unwrap();
        assert_eq!((b.seq, b.missing, b.newest), (SeqNo(0x2_0000), 0, false));
        assert_eq!(send(&mut a, 12, 0), Err(DropReason::Duplicate));
        assert_eq!(a.report(Time::ZERO).unwrap().cumulative_lost, 1);
        // Before the first: late too.
        assert_eq!(send(&mut a, 9, 0xfffd).unwrap().seq, SeqNo(0x1_fffd));
        assert_eq!(a.report(Time::ZERO).unwrap().cumulative_lost, 1);
    }

    // MS#906: what comes twice goes out once.
    #[test]
    fn bug_57_a_duplicate_is_dropped_however_it_comes() {
        let mut a = Arrival::new(VIDEO);
        send(&mut a, 0, 5).unwrap();
        send(&mut a, 2, 7).unwrap();
        assert_eq!(repair(&mut a, 5), Err(DropReason::RtxUseless));
        assert!(repair(&mut a, 6).is_ok());
        assert_eq!(repair(&mut a, 6), Err(DropReason::RtxUseless));
        assert_eq!(send(&mut a, 1, 6), Err(DropReason::Duplicate));
        assert_eq!((a.packets(), a.repaired(), a.bytes()), (3, 1, 300));
    }

    // LK#4760: a jump of half the number space cost a loop per missing number, and then old repairs came through.
    #[test]
    fn bug_13_a_jump_is_not_a_loss_and_old_repairs_do_not_outlive_a_restart() {
        let mut a = Arrival::new(VIDEO);
        send(&mut a, 0, 100).unwrap();
        for i in 0..4 {
            assert_eq!(send(&mut a, 1 + i, 30_000 + i as u16), Err(DropReason::Probation));
        }
        let b = send(&mut a, 5, 30_004).unwrap();
        assert_eq!((b.missing, b.restarted, b.seq.seq()), (0, true, Seq(30_004)));
        assert!(b.seq.0 > 0x1_0000 + 100 + 0x1_0000);
        assert_eq!(repair(&mut a, 99), Err(DropReason::RtxUseless));
    }

    // LK#2891, #2951: a very old packet was taken for a new cycle.
    #[test]
    fn bug_14_a_very_old_packet_is_dropped() {
        let mut a = Arrival::new(VIDEO);
        for i in 0..5000u16 {
            send(&mut a, u64::from(i), i).unwrap();
        }
        assert_eq!(send(&mut a, 3000, 3000), Err(DropReason::Probation));
        assert_eq!(send(&mut a, 5000, 5000).unwrap().missing, 0);
        assert_eq!(a.highest(), Some(SeqNo(0x1_0000 + 5000)));
    }

    // JA#3444: another source with the same SSRC, wherever its numbers and timestamps begin.
    #[test]
    fn bug_15_a_new_source_on_the_old_ssrc_is_believed_after_five_packets() {
        for (seq, timestamp) in
            [(40_000u16, 7u32), (95, 4_000_000_000), (50, 900_000_000), (20_000, 100 * 900)]
        {
            let mut a = Arrival::new(VIDEO);
            for i in 0..100u16 {
                send(&mut a, u64::from(i), i).unwrap();
            }
            let restarted = (0..20u16).position(|i| {
                let t = RtpTime(timestamp.wrapping_add(900 * u32::from(i)));
                a.push(Time::from_millis(2000), Seq(seq + i), t, 1, Origin::Media).is_ok_and(|b| b.restarted)
            });
            assert_eq!(restarted, Some(4), "{seq} {timestamp}");
        }
    }

    // LK#4161: a run whose time falls is no source.
    #[test]
    fn a_source_that_begins_anew_a_little_ahead_is_not_taken_for_a_loss() {
        let mut a = Arrival::new(VIDEO);
        for i in 0..10 {
            send(&mut a, i, 100 + i as u16).unwrap();
        }
        let mut push = |at: u64, seq: u16, timestamp: u32| {
            a.push(Time::from_millis(10 * at), Seq(seq), RtpTime(timestamp), 100, Origin::Media)
        };
        for i in 10..14 {
            let timestamp = 0x7000_0000 + 900 * i as u32;
            assert_eq!(push(i, 500 + i as u16, timestamp), Err(DropReason::Probation));
        }
        assert!(push(14, 514, 0x7000_0000 + 900 * 14).unwrap().restarted);
        // Without a hole, a clock that stood still while its sender was silent is believed.
        assert!(!push(3_000, 515, 0x7000_0000 + 900 * 15).unwrap().restarted);
    }

    #[test]
    fn a_run_whose_timestamps_fall_does_not_restart() {
        let mut a = Arrival::new(VIDEO);
        send(&mut a, 0, 0).unwrap();
        for i in 0..50u16 {
            let t = RtpTime(1_000_000 - 900 * u32::from(i));
            assert_eq!(a.push(Time::ZERO, Seq(20_000 + i), t, 1, Origin::Media), Err(DropReason::Probation));
        }
    }

    #[test]
    fn another_ssrc_starts_a_numbering_of_its_own() {
        let mut a = Arrival::new(VIDEO);
        send(&mut a, 0, 9).unwrap();
        a.restart();
        assert_eq!(repair(&mut a, 10), Err(DropReason::RtxUnbound));
        let b = send(&mut a, 1, 10).unwrap();
        assert!(b.restarted && b.seq > SeqNo(0x2_0009));
        assert_eq!(a.report(Time::ZERO).unwrap().cumulative_lost, 0);
    }

    #[test]
    fn what_was_repaired_is_reported_lost_once_and_not_as_jitter() {
        let mut a = Arrival::new(VIDEO);
        for i in (0..100u64).filter(|i| i % 4 != 3) {
            send(&mut a, i, i as u16).unwrap();
        }
        send(&mut a, 100, 100).unwrap();
        for i in (0..100u16).filter(|i| i % 4 == 3) {
            assert!(repair(&mut a, i).is_ok());
        }
        let r = a.report(Time::from_millis(1000)).unwrap();
        assert_eq!((r.cumulative_lost, r.jitter, r.highest), (25, 0, 100));
        assert_eq!(r.fraction_lost, (25 * 256 / 101) as u8);
        let r = a.report(Time::from_millis(1000)).unwrap();
        assert_eq!((r.cumulative_lost, r.fraction_lost), (25, 0));
    }

    #[test]
    fn jitter_follows_rfc_3550_and_dlsr_counts_from_the_report() {
        let mut a = Arrival::new(VIDEO);
        for i in 0..400u64 {
            // Alternately 0 and 8 ms late: |D| = 720 ticks each time.
            let at = Time::from_micros(20_000 * i + 8_000 * (i % 2));
            a.push(at, Seq(i as u16), RtpTime(1800 * i as u32), 1, Origin::Media).unwrap();
        }
        a.sender_report(Time::from_millis(8000), NtpTime(0x1234_5678_9abc_def0));
        let r = a.report(Time::from_millis(8500)).unwrap();
        assert!((700..=720).contains(&r.jitter), "{}", r.jitter);
        assert_eq!((r.last_sr, r.delay_since_last_sr), (0x5678_9abc, 32_768));
    }

    proptest! {
        #[test]
        fn each_number_is_taken_once_and_extended_truly(
            start: u16,
            steps in prop::collection::vec((0u64..4, 0u64..200, 0u8..8), 1..400),
        ) {
            let mut a = Arrival::new(VIDEO);
            let (mut top, mut taken) = (1u64 << 20 | u64::from(start), BTreeSet::new());
            let offset = {
                let b = send(&mut a, top, top as u16).unwrap();
                taken.insert(b.seq.0);
                b.seq.0 as i64 - top as i64
            };
            for (ahead, back, kind) in steps {
                top += ahead * if kind == 0 { 500 } else { 1 };
                let n = if kind < 3 { top - back } else { top };
                let (r, true_no) = if kind == 7 {
                    (repair(&mut a, n as u16), (n as i64 + offset) as u64)
                } else {
                    (send(&mut a, n, n as u16), (n as i64 + offset) as u64)
                };
                match r {
                    Ok(b) => {
                        prop_assert_eq!(b.seq.0, true_no);
                        prop_assert!(taken.insert(true_no));
                        prop_assert_eq!(b.newest, taken.last() == Some(&true_no));
                    }
                    Err(_) => prop_assert!(taken.contains(&true_no)),
                }
            }
            let r = a.report(Time::ZERO).unwrap();
            prop_assert!(r.cumulative_lost >= 0);
        }

        #[test]
        fn any_numbers_and_times_leave_the_extended_number_growing(
            packets in prop::collection::vec((any::<u16>(), any::<u32>(), any::<u64>(), 0u8..16), 0..300),
        ) {
            let (mut a, mut seen, mut high) = (Arrival::new(VIDEO), BTreeSet::new(), SeqNo(0));
            for (seq, t, now, kind) in packets {
                if kind == 0 { a.restart(); }
                let origin = if kind == 1 { Origin::Repair } else { Origin::Media };
                let now = Time::from_micros(now);
                if let Ok(b) = a.push(now, Seq((seq % 512) << (kind % 8)), RtpTime(t), 1, origin) {
                    prop_assert!(seen.insert(b.seq));
                    prop_assert!(b.newest == (b.seq > high));
                    high = high.max(b.seq);
                }
                a.report(now);
            }
        }
    }
}
