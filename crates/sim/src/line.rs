//! The line that sender reports draw: which moment of the sender's wall clock a timestamp is.

use core::time::Duration;
use salon_rtp::rtcp::SenderInfo;
use salon_rtp::{NtpTime, RtpTime};

/// Reads a stream's sender reports, and how far they lie from one line.
#[derive(Clone, Copy, Debug)]
pub struct SenderLine {
    rate: u32,
    last: Option<SenderInfo>,
    reports: u64,
    backwards: u64,
    worst: Duration,
}

impl SenderLine {
    /// The line of a stream whose clock ticks `rate` times a second.
    pub const fn new(rate: u32) -> Self {
        Self { rate, last: None, reports: 0, backwards: 0, worst: Duration::ZERO }
    }

    /// Takes a report.
    pub fn take(&mut self, info: &SenderInfo) {
        if let (Some(last), Some(expected)) = (self.last, self.moment(info.timestamp)) {
            let off = (info.ntp.as_micros() as i64).wrapping_sub(expected).unsigned_abs();
            self.worst = self.worst.max(Duration::from_micros(off));
            self.backwards += u64::from(info.ntp.0 < last.ntp.0);
        }
        self.last = Some(*info);
        self.reports += 1;
    }

    /// Microseconds of the NTP era at a timestamp, by the last report; `None` before the first.
    pub fn moment(&self, timestamp: RtpTime) -> Option<i64> {
        let last = self.last?;
        let ticks = i64::from(timestamp.since(last.timestamp));
        Some(last.ntp.as_micros() as i64 + ticks * 1_000_000 / i64::from(self.rate))
    }

    /// The same as an NTP time.
    pub fn ntp(&self, timestamp: RtpTime) -> Option<NtpTime> {
        self.moment(timestamp).map(|m| NtpTime::from_micros(m as u64))
    }

    /// Reports that came.
    pub const fn reports(&self) -> u64 {
        self.reports
    }

    /// Reports whose wall clock lay before that of the report before.
    pub const fn backwards(&self) -> u64 {
        self.backwards
    }

    /// How far a report lay from the line through the one before, at the most.
    pub const fn worst(&self) -> Duration {
        self.worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salon_rtp::Ssrc;

    #[test]
    fn a_report_beside_the_line_is_seen() {
        let info = |ms: u64, ticks: u32| SenderInfo {
            ssrc: Ssrc(1),
            ntp: NtpTime::from_micros(4_000_000_000_000_000 + ms * 1_000),
            timestamp: RtpTime(ticks.wrapping_sub(1_000)),
            packets: 0,
            octets: 0,
        };
        let mut line = SenderLine::new(90_000);
        assert_eq!(line.moment(RtpTime(0)), None);
        line.take(&info(0, 0));
        line.take(&info(1_000, 90_000));
        assert_eq!((line.worst(), line.reports()), (Duration::ZERO, 2));
        assert_eq!(line.moment(RtpTime(89_000 + 45_000)), Some(4_000_000_001_500_000));
        line.take(&info(2_000, 180_900));
        assert_eq!(line.worst(), Duration::from_millis(10));
        line.take(&info(1_000, 90_900));
        assert_eq!(line.backwards(), 1);
    }
}
