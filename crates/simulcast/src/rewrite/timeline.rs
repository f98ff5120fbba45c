//! Timestamps: from a source's media clock to the slot's.

use core::time::Duration;

use salon_rtp::{MediaKind, RtpTime, SeqNo, Time};

use crate::SkipReason;
use crate::limits::{CLOCK_JUMP, MAX_CAPTURE_AGE, SEGMENTS, SLEW_EVERY, SLEW_STEP, SOUND_PATIENCE};

/// How long the least error is remembered: half to one of two windows. Longer rides out more jitter of a publisher that sends no
/// reports; shorter follows a clock sooner.
const WINDOW: Duration = Duration::from_secs(2);

/// Below this a picture's clock is left alone, so that the rounding of reports moves nothing.
const DEAD_BAND: Duration = Duration::from_micros(500);

/// A pause in speech is one longer than the longest Opus packet (120 ms, RFC 6716 §2.1.4).
const PAUSE: Duration = Duration::from_millis(120);

/// From the source's timestamp `from` on, the slot's time is `at` plus what passed since.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    from: RtpTime,
    at: u64,
}

impl Segment {
    fn map(&self, t: RtpTime) -> u64 {
        self.at.saturating_add_signed(i64::from(t.since(self.from)))
    }
}

/// The error of the current offset, least over a sliding window: what jitter adds only ever adds.
#[derive(Clone, Copy, Debug)]
struct Least {
    now: i64,
    before: i64,
    since: Time,
}

impl Least {
    fn new(error: i64, now: Time) -> Self {
        Self { now: error, before: i64::MAX, since: now }
    }

    fn add(&mut self, error: i64, now: Time) -> i64 {
        if now.since(self.since) >= WINDOW {
            *self = Self { now: error, before: self.now, since: now };
        }
        self.now = self.now.min(error);
        self.now.min(self.before)
    }

    fn moved(&mut self, by: i64) {
        self.now = self.now.saturating_sub(by);
        self.before = self.before.saturating_sub(by);
    }
}

/// A packet as the timeline sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) seq: SeqNo,
    pub(crate) timestamp: RtpTime,
    pub(crate) captured: Time,
    pub(crate) arrived: Time,
    pub(crate) marker: bool,
    /// It is the one after the newest: no frame can still come between.
    pub(crate) next: bool,
}

/// The clock of one slot, for its life: time = server clock × rate + constant. Inside, times are extended (64 bits, constant left out), because a
/// slot may be silent for longer than 32 bits last.
#[derive(Debug)]
pub(crate) struct Timeline {
    kind: MediaKind,
    rate: u32,
    constant: u32,
    /// The latest time that went out.
    last: Option<u64>,
    /// The frame of the highest number that went out, and its number.
    newest: RtpTime,
    seq: SeqNo,
    /// Packets below this are from before the source's clock jumped.
    floor: SeqNo,
    /// Oldest first, from `head`.
    segments: [Segment; SEGMENTS],
    head: usize,
    len: usize,
    least: Least,
    moved: Time,
}

impl Timeline {
    pub(crate) fn new(kind: MediaKind, rate: u32, constant: u32) -> Self {
        Self {
            kind,
            rate,
            constant,
            last: None,
            newest: RtpTime(0),
            seq: SeqNo(0),
            floor: SeqNo(0),
            segments: [Segment::default(); SEGMENTS],
            head: 0,
            len: 0,
            least: Least::new(0, Time::ZERO),
            moved: Time::ZERO,
        }
    }

    /// The slot's RTP time at `at`.
    pub(crate) fn clock(&self, at: Time) -> RtpTime {
        self.wire(self.ticks(at.since(Time::ZERO)))
    }

    fn wire(&self, time: u64) -> RtpTime {
        RtpTime(self.constant.wrapping_add(time as u32))
    }

    fn ticks(&self, d: Duration) -> u64 {
        (d.as_micros() * u128::from(self.rate) / 1_000_000) as u64
    }

    fn signed(&self, d: Duration) -> i64 {
        self.ticks(d).min(i64::MAX as u64) as i64
    }

    /// Where the line lies at the moment of capture, as far as that can be believed.
    fn line(&self, m: &Moment) -> u64 {
        let captured = m.captured.clamp(m.arrived.minus(MAX_CAPTURE_AGE), m.arrived);
        self.ticks(captured.since(Time::ZERO))
    }

    /// A source begins, or begins anew: its first frame goes where its moment of capture lies on the line, but after all
    /// that went out.
    pub(crate) fn start(&mut self, m: &Moment) -> RtpTime {
        let line = self.line(m);
        let at = self.last.map_or(line, |last| line.max(last.saturating_add(1)));
        (self.head, self.len, self.floor) = (0, 0, m.seq);
        self.push(Segment { from: m.timestamp, at });
        self.least = Least::new(error(line, at), m.arrived);
        self.moved = m.arrived;
        self.went_out(m, at)
    }

    /// The slot's time of a packet of the current source.
    pub(crate) fn map(&mut self, m: &Moment) -> Result<RtpTime, SkipReason> {
        if m.seq < self.floor {
            return Err(SkipReason::TooLate);
        }
        if m.seq < self.seq || m.timestamp == self.newest {
            return self.lookup(m.timestamp);
        }
        let last = self.segment(self.len.wrapping_sub(1));
        let line = self.line(m);
        let here = last.map(m.timestamp);
        // Also where 32 bits wrapped since the offset was last set, in silence or in steadiness: then the error is a
        // multiple of them.
        if error(line, here).unsigned_abs() > self.ticks(CLOCK_JUMP) {
            return Ok(self.start(m));
        }
        if m.timestamp.since(self.newest) < 0 {
            // A picture that is shown before one sent earlier (B pictures): its place is fixed.
            return self.lookup(m.timestamp);
        }
        let least = self.least.add(error(line, here), m.arrived);
        let by = if m.next { self.step(m, least) } else { 0 };
        let at = here.saturating_add_signed(by).max(self.last.map_or(0, |l| l.saturating_add(1)));
        if at != here {
            self.push(Segment { from: m.timestamp, at });
            self.least.moved(error(at, here));
            self.moved = m.arrived;
        }
        Ok(self.went_out(m, at))
    }

    /// By how much to move the offset at this frame, with `least` the error of the last seconds.
    fn step(&self, m: &Moment, least: i64) -> i64 {
        match self.kind {
            MediaKind::Video => {
                let early = m.arrived.since(self.moved) < SLEW_EVERY;
                if early || least.abs() <= self.signed(DEAD_BAND) {
                    return 0;
                }
                let most = self.signed(SLEW_STEP);
                (least / 4).clamp(-most, most)
            }
            MediaKind::Audio => {
                let pause = m.marker || i64::from(m.timestamp.since(self.newest)) > self.signed(PAUSE);
                let patience = if pause { DEAD_BAND } else { SOUND_PATIENCE };
                if least.abs() > self.signed(patience) { least } else { 0 }
            }
        }
    }

    fn went_out(&mut self, m: &Moment, at: u64) -> RtpTime {
        self.last = self.last.max(Some(at));
        (self.newest, self.seq) = (m.timestamp, m.seq);
        self.wire(at)
    }

    /// The time of a frame that is not the newest: by the offset that was in force at its timestamp.
    fn lookup(&self, t: RtpTime) -> Result<RtpTime, SkipReason> {
        let mut newest_first = (0..self.len).rev().map(|i| self.segment(i));
        let segment = newest_first.find(|s| t.since(s.from) >= 0).ok_or(SkipReason::TooLate)?;
        Ok(self.wire(segment.map(t)))
    }

    fn segment(&self, i: usize) -> Segment {
        self.segments.get(self.head.wrapping_add(i) % SEGMENTS).copied().unwrap_or_default()
    }

    fn push(&mut self, s: Segment) {
        if let Some(to) = self.segments.get_mut((self.head + self.len) % SEGMENTS) {
            *to = s;
        }
        if self.len < SEGMENTS {
            self.len += 1;
        } else {
            self.head = (self.head + 1) % SEGMENTS;
        }
    }
}

/// How far `is` lies before `wanted`.
fn error(wanted: u64, is: u64) -> i64 {
    wanted.wrapping_sub(is) as i64
}
