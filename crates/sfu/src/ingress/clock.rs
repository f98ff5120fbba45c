//! A publisher's timestamps on the server's clock.
//!
//! A sender report ties an encoding's timestamps to the publisher's wall clock, which may be hours off; the least delay
//! between what reports say and when they come ties that wall clock to the server's, once for all encodings of one
//! participant: what the reports call simultaneous stays so. Until an encoding has had two reports that agree, and
//! whenever they contradict what arrives, its packets' own least delay stands in.

use core::time::Duration;
use salon_rtp::{NtpTime, RtpTime, Time};

/// How fast a least delay is forgotten, in µs per second: more than two clocks part (±100 ppm each way), so that the
/// filter follows a slow clock; more would follow the delay's jitter.
const FORGET_PPM: i64 = 150;
/// A sample this far from the least is no delay: a clock was set, or the sample is wrong.
const JUMP: i64 = 1_000_000;
/// Samples of one mind, this near to each other, make a jump believed…
const AGREE: i64 = 250_000;
/// …as many as this towards "earlier", which no network can cause…
const STRIKES: u8 = 3;
/// …and for at least this long towards "later", which a stalled network causes.
const STALL: Duration = Duration::from_secs(2);
/// How fast the participant's offset moves to a better one: 2 %, so that sound and picture, whose packets are looked at
/// up to 100 ms apart, part by no more than 2 ms meanwhile.
const SLEW_PERCENT: i64 = 2;
/// The most that an encoding's map moves from one timestamp to the next, in µs: what nobody hears or sees (and never
/// more than a quarter of the time between the two, so that time never runs backwards).
const STEP: i64 = 5_000;
/// A map this wrong is set anew at once, in µs.
const SNAP: i64 = 1_000_000;
/// Two reports agree if their timestamps and wall clock advance alike but for this, in µs, and a thousandth.
const REPORT_SLACK: i64 = 50_000;
/// A report may be this much more late than the one before, in µs.
const REPORT_LATE: i64 = 1_000_000;
/// What reports say may differ this much from what arrives, in µs; beyond, they are wrong.
const BELIEF: i64 = 2_000_000;
/// A moment of capture lies at most so long before the arrival, in µs; what says otherwise is replaced by the arrival.
const OLDEST: i64 = 5_000_000;
/// And at most so long after it: the least delay is a little more than this packet's.
const NEWEST: i64 = 1_000_000;

/// The least of a stream of delays that contain an unknown, slowly drifting offset.
#[derive(Clone, Copy, Debug, Default)]
struct LeastDelay {
    least: Option<(i64, Time)>,
    /// A sample far off, when the first like it came, and how many.
    other: Option<(i64, Time, u8)>,
}

impl LeastDelay {
    const NEW: Self = Self { least: None, other: None };

    /// The least delay now.
    fn get(&self, now: Time) -> Option<i64> {
        let (least, at) = self.least?;
        Some(least.saturating_add(micros(now.since(at)).saturating_mul(FORGET_PPM) / 1_000_000))
    }

    /// Takes a sample; whether it is the first of a new offset. `strikes` samples of one mind are a new offset.
    fn push(&mut self, now: Time, sample: i64, strikes: u8) -> bool {
        let Some(least) = self.get(now) else {
            self.least = Some((sample, now));
            return true;
        };
        let off = sample.saturating_sub(least);
        if off.abs() <= JUMP {
            self.other = None;
            self.least = Some((least.min(sample), now));
            return false;
        }
        let (_, since, count) = match self.other {
            Some((other, since, count)) if sample.abs_diff(other) <= AGREE as u64 => {
                (other, since, count.saturating_add(1))
            }
            _ => (sample, now, 1),
        };
        self.other = Some((sample, since, count));
        let believed = count >= strikes && (off < 0 || now.since(since) >= STALL);
        if believed {
            *self = Self { least: Some((sample, now)), other: None };
        }
        believed
    }
}

/// One participant's wall clock against the server's: one offset for all its encodings, so that what its reports say is
/// simultaneous stays so.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublisherClock {
    delay: LeastDelay,
    /// The offset that is used, which follows the least delay smoothly, and since when.
    shown: i64,
    at: Time,
}

impl PublisherClock {
    /// Nothing known.
    pub const fn new() -> Self {
        Self { delay: LeastDelay::NEW, shown: 0, at: Time::ZERO }
    }

    /// Server clock less publisher's clock, in µs.
    fn offset(&self, now: Time) -> Option<i64> {
        let goal = self.delay.get(now)?;
        let most = micros(now.since(self.at)).saturating_mul(SLEW_PERCENT) / 100;
        Some(self.shown.saturating_add(goal.saturating_sub(self.shown).clamp(-most, most)))
    }

    fn report(&mut self, now: Time, ntp: i64) {
        let sample = host(now).saturating_sub(ntp);
        let shown = self.offset(now);
        // Reports are rare, and each was checked against its predecessor: two are enough.
        let anew = self.delay.push(now, sample, 2);
        self.shown = shown.filter(|_| !anew).unwrap_or(sample);
        self.at = now;
    }
}

/// What reports say of one encoding: this timestamp was that moment of the publisher's clock.
#[derive(Clone, Copy, Debug)]
struct Line {
    ntp: i64,
    rtp: RtpTime,
    came: Time,
}

impl Line {
    fn at(&self, rtp: RtpTime, rate: u32) -> i64 {
        self.ntp.saturating_add(span(rtp.since(self.rtp).into(), rate))
    }

    /// Whether a later report continues this line.
    fn agrees(&self, later: &Self, rate: u32) -> bool {
        let wall = later.ntp.saturating_sub(self.ntp);
        let media = span(later.rtp.since(self.rtp).into(), rate);
        let here = micros(later.came.since(self.came));
        wall > 0
            && (wall - media).abs() <= REPORT_SLACK + wall / 1000
            && (wall - here).abs() <= REPORT_LATE + here / 1000
    }
}

/// The newest timestamp and what it was mapped to.
#[derive(Clone, Copy, Debug)]
struct Newest {
    rtp: RtpTime,
    /// µs since the first timestamp.
    media: i64,
    captured: i64,
}

/// One encoding's timestamps on the server's clock.
#[derive(Clone, Copy, Debug)]
pub struct CaptureClock {
    rate: u32,
    delay: LeastDelay,
    newest: Option<Newest>,
    line: Option<Line>,
    /// Two reports agreed.
    sure: bool,
    /// A report that contradicts the line.
    other: Option<Line>,
}

impl CaptureClock {
    /// For a media clock of `clock_rate` ticks per second.
    pub const fn new(clock_rate: u32) -> Self {
        let rate = if clock_rate == 0 { 1 } else { clock_rate };
        Self { rate, delay: LeastDelay::NEW, newest: None, line: None, sure: false, other: None }
    }

    /// A sender report of this encoding came (RFC 3550 §6.4.1).
    pub fn sender_report(&mut self, now: Time, ntp: NtpTime, rtp: RtpTime, publisher: &mut PublisherClock) {
        let new = Line { ntp: i64::try_from(ntp.as_micros()).unwrap_or(i64::MAX), rtp, came: now };
        match (self.line, self.other) {
            (None, _) => self.line = Some(new),
            (Some(line), _) if line.agrees(&new, self.rate) => {
                // Half way: a report's two times are read at slightly different moments.
                let predicted = line.at(rtp, self.rate);
                self.line = Some(Line { ntp: predicted + (new.ntp - predicted) / 2, ..new });
                self.agreed(now, new.ntp, publisher);
            }
            (_, Some(other)) if other.agrees(&new, self.rate) => {
                self.line = Some(new);
                self.agreed(now, new.ntp, publisher);
            }
            _ => self.other = Some(new),
        }
    }

    fn agreed(&mut self, now: Time, ntp: i64, publisher: &mut PublisherClock) {
        (self.sure, self.other) = (true, None);
        publisher.report(now, ntp);
    }

    /// The moment of the server's clock that `timestamp` stands for, of a packet that came just `now`. All packets of
    /// one timestamp get the same moment while none is newer.
    pub fn captured(&mut self, now: Time, timestamp: RtpTime, publisher: &PublisherClock) -> Time {
        let (step, media) = match self.newest {
            None => (0, 0),
            Some(n) => {
                let step = span(timestamp.since(n.rtp).into(), self.rate);
                (step, n.media.saturating_add(step))
            }
        };
        let anew = self.delay.push(now, host(now).saturating_sub(media), STRIKES);
        let last = self.newest.filter(|_| !anew);
        if let Some(n) = last.filter(|_| step <= 0) {
            return sane(now, n.captured.saturating_add(step));
        }
        let arrived = media.saturating_add(self.delay.get(now).unwrap_or(0));
        let reported = self
            .line
            .filter(|_| self.sure)
            .and_then(|l| Some(l.at(timestamp, self.rate).saturating_add(publisher.offset(now)?)))
            .filter(|r| r.abs_diff(arrived) <= BELIEF as u64);
        let goal = reported.unwrap_or(arrived);
        let captured = match last {
            None => goal,
            Some(n) => {
                let expected = n.captured.saturating_add(step);
                let off = goal.saturating_sub(expected);
                if off.abs() > SNAP {
                    goal
                } else {
                    expected + off.clamp(-STEP.min(step / 4), STEP.min(step / 4))
                }
            }
        };
        let captured = sane(now, captured);
        self.newest = Some(Newest { rtp: timestamp, media, captured: host(captured) });
        captured
    }

    /// The source began anew: its timestamps have nothing to do with those before.
    pub fn restart(&mut self) {
        *self = Self::new(self.rate);
    }
}

/// What lies near `now`; else `now` itself: whatever a publisher says, the effect is bounded.
fn sane(now: Time, captured: i64) -> Time {
    let now_micros = host(now);
    let near = now_micros.saturating_sub(OLDEST)..=now_micros.saturating_add(NEWEST);
    match u64::try_from(captured) {
        Ok(t) if near.contains(&captured) && now_micros < i64::MAX => Time::from_micros(t),
        _ => now,
    }
}

fn host(t: Time) -> i64 {
    i64::try_from(t.as_micros()).unwrap_or(i64::MAX)
}

fn micros(d: Duration) -> i64 {
    i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
}

/// Ticks in µs.
fn span(ticks: i64, rate: u32) -> i64 {
    ticks * 1_000_000 / i64::from(rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// A publisher whose clock is `off` µs ahead of the server's and runs `ppm` too fast.
    #[derive(Clone, Copy)]
    struct Publisher {
        off: i64,
        ppm: i64,
    }

    const START: i64 = 4_000_000_000;

    impl Publisher {
        fn ntp(&self, at: i64) -> NtpTime {
            let wall = 3_900_000_000_000_000 + at + self.off + (at - START) * self.ppm / 1_000_000;
            NtpTime::from_micros(wall as u64)
        }

        fn rtp(&self, at: i64, rate: u32, first: u32) -> RtpTime {
            let media = at + (at - START) * self.ppm / 1_000_000;
            RtpTime(((i128::from(media) * i128::from(rate) / 1_000_000) as u32).wrapping_add(first))
        }
    }

    fn random(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as f64 / f64::from(1u32 << 31)
    }

    enum Event {
        Media { stream: usize, rtp: RtpTime, taken: i64 },
        Report { stream: usize, rtp: RtpTime, ntp: NtpTime },
    }

    const RATES: [u32; 2] = [48_000, 90_000];

    /// Sound each 20 ms and pictures each 33 ms that leave 10 and 60 ms after they are taken; jitter of `jitter` µs; a
    /// report each 5 s and each 1 s. Calls `see(stream, taken, captured, at)` for each timestamp.
    fn conversation(
        p: Publisher,
        seconds: i64,
        jitter: f64,
        mut seed: u64,
        mut see: impl FnMut(usize, i64, i64, i64),
    ) {
        let mut wire: Vec<(i64, Event)> = Vec::new();
        for (stream, (every, held, report)) in
            [(20_000, 10_000, 5_000_000), (33_333, 60_000, 1_000_000)].into_iter().enumerate()
        {
            let first = (random(&mut seed) * 4e9) as u32;
            let rtp = |at| p.rtp(at, RATES[stream], first);
            for n in 0..seconds * 1_000_000 / every {
                let taken = START + n * every;
                let comes = taken + held + 40_000 + (random(&mut seed) * jitter) as i64;
                wire.push((comes, Event::Media { stream, rtp: rtp(taken), taken }));
            }
            for n in 0..seconds * 1_000_000 / report {
                let sent = START + 500_000 + n * report;
                let comes = sent + 40_000 + (random(&mut seed) * jitter) as i64;
                wire.push((comes, Event::Report { stream, rtp: rtp(sent), ntp: p.ntp(sent) }));
            }
        }
        wire.sort_by_key(|w| w.0);
        let mut publisher = PublisherClock::new();
        let mut clocks = RATES.map(CaptureClock::new);
        for (at, event) in wire {
            let now = Time::from_micros(at as u64);
            match event {
                Event::Media { stream, rtp, taken } => {
                    let captured = clocks[stream].captured(now, rtp, &publisher);
                    see(stream, taken, captured.as_micros() as i64, at);
                }
                Event::Report { stream, rtp, ntp } => {
                    clocks[stream].sender_report(now, ntp, rtp, &mut publisher)
                }
            }
        }
    }

    /// Each case is two minutes of a conversation; `PROPTEST_CASES` asks for more than a gate's worth.
    fn cases() -> u32 {
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]
        /// After two reports, sound and picture of one participant keep their distance within 5 ms
        /// whatever the clocks, and neither map jumps by more than 5 ms.
        #[test]
        fn skew_stays_within_five_milliseconds_after_two_reports(
            off in -3_600_000_000i64..3_600_000_000, ppm in -100i64..=100, jitter in 0f64..40_000.0, seed: u64,
        ) {
            let mut last = [None::<(i64, i64)>; 2];
            let mut worst = 0;
            let mut error = Ok(());
            conversation(Publisher { off, ppm }, 120, jitter, seed, |stream, taken, captured, at| {
                let delay = captured - taken;
                // (And 25 µs: a tick of 90 kHz is 11.)
                if let Some((t, c)) = last[stream] {
                    if taken > t && ((captured - c) - (taken - t)).abs() > 5_000 + 25 {
                        error = Err(TestCaseError::fail(std::format!("jump {} at {}", (captured - c) - (taken - t), at - START)));
                    }
                }
                if last[stream].is_none_or(|l| taken > l.0) { last[stream] = Some((taken, captured)); }
                // The second report of the sound comes at 5.5 s; 0.6 s to get there, 5 ms at a time.
                if let ([Some(a), Some(v)], true) = (last, at > START + 6_200_000) {
                    worst = worst.max(((a.1 - a.0) - (v.1 - v.0)).abs());
                    if !(0..100_000).contains(&delay) {
                        error = Err(TestCaseError::fail(std::format!("delay {delay}")));
                    }
                }
            });
            error?;
            prop_assert!(worst <= 5_000, "{}", worst);
        }

        #[test]
        fn any_reports_and_timestamps_have_a_bounded_effect(
            steps in prop::collection::vec((any::<u64>(), any::<u32>(), any::<u64>(), 0u8..4), 0..200), rate: u32,
        ) {
            let (mut clock, mut publisher, mut now) = (CaptureClock::new(rate), PublisherClock::new(), 0u64);
            for (wait, rtp, ntp, what) in steps {
                now = if what == 3 { wait } else { now.saturating_add(wait % 100_000) };
                let at = Time::from_micros(now);
                if what == 0 {
                    clock.sender_report(at, NtpTime(ntp), RtpTime(rtp), &mut publisher);
                }
                let captured = clock.captured(at, RtpTime(rtp), &publisher);
                prop_assert!(at.since(captured) <= Duration::from_secs(5));
                prop_assert!(captured.since(at) <= Duration::from_secs(1));
            }
        }
    }

    #[test]
    fn one_timestamp_is_one_moment() {
        let (mut c, p) = (CaptureClock::new(90_000), PublisherClock::new());
        let first = c.captured(Time::from_millis(100), RtpTime(0), &p);
        assert_eq!(c.captured(Time::from_millis(109), RtpTime(0), &p), first);
        let second = c.captured(Time::from_millis(131), RtpTime(3000), &p);
        assert_eq!(c.captured(Time::from_millis(140), RtpTime(3000), &p), second);
        // A late packet of the frame before.
        assert_eq!(second.since(c.captured(Time::from_millis(141), RtpTime(0), &p)).as_micros(), 33_333);
    }

    // MS#301: a packet's arrival taken for its capture.
    #[test]
    fn bug_20_a_late_frame_is_not_taken_for_a_late_capture() {
        let (mut c, p) = (CaptureClock::new(90_000), PublisherClock::new());
        for n in 0..100u64 {
            let late = if n == 70 { 200_000 } else { 0 };
            let captured =
                c.captured(Time::from_micros(1_000_000 + n * 33_333 + late), RtpTime(3000 * n as u32), &p);
            assert!(captured.as_micros().abs_diff(1_000_000 + n * 33_333) < 1_000);
        }
    }

    // MS#357, #985; survive.md 20: a clock set by an hour in mid call.
    #[test]
    fn a_wall_clock_that_is_set_moves_nothing() {
        let (mut c, mut p) = (CaptureClock::new(48_000), PublisherClock::new());
        let mut set = 0i64;
        for n in 0..6_000u64 {
            let at = 1_000_000 + n * 20_000;
            if n == 3_000 {
                set = -3_600_000_000;
            }
            if n % 250 == 0 {
                let ntp = NtpTime::from_micros((3_900_000_000_000_000 + at as i64 + set) as u64);
                c.sender_report(Time::from_micros(at + 30_000), ntp, RtpTime((n * 960) as u32), &mut p);
            }
            let captured = c.captured(Time::from_micros(at + 30_000), RtpTime((n * 960) as u32), &p);
            assert!(captured.as_micros().abs_diff(at + 30_000) < 10_000, "{n}");
        }
        assert!(c.sure);
    }

    #[test]
    fn one_report_that_lies_moves_nothing() {
        let (mut c, mut p) = (CaptureClock::new(90_000), PublisherClock::new());
        for n in 0..3_000u64 {
            let at = 1_000_000 + n * 33_333;
            let now = Time::from_micros(at + 30_000);
            if n % 30 == 0 {
                let lie = if n == 900 { 700_000 } else { 0 };
                let ntp = NtpTime::from_micros(3_900_000_000_000_000 + at + lie);
                c.sender_report(now, ntp, RtpTime((n * 3000) as u32), &mut p);
            }
            let captured = c.captured(now, RtpTime((n * 3000) as u32), &p);
            assert!(captured.as_micros().abs_diff(at + 30_000) < 10_000, "{n}");
        }
    }

    #[test]
    fn timestamps_that_jump_without_a_restart_are_followed_in_bounded_time() {
        for jump in [0x8000_1234u32, 0x4000_0000, 90_000 * 30, 0u32.wrapping_sub(90_000 * 30)] {
            let (mut c, p) = (CaptureClock::new(90_000), PublisherClock::new());
            for n in 0..400u64 {
                let at = 1_000_000 + n * 33_333;
                let rtp = (n * 3000) as u32;
                let rtp = if n >= 100 { rtp.wrapping_add(jump) } else { rtp };
                let captured = c.captured(Time::from_micros(at), RtpTime(rtp), &p);
                if !(100..170).contains(&n) {
                    assert!(
                        captured.as_micros().abs_diff(at) < 10_000,
                        "{jump} {n} {}",
                        captured.as_micros() as i64 - at as i64
                    );
                }
            }
        }
    }

    #[test]
    fn a_stall_of_the_network_is_no_new_offset() {
        let (mut c, p) = (CaptureClock::new(48_000), PublisherClock::new());
        for n in 0..1_000u64 {
            let at = 1_000_000 + n * 20_000;
            let comes = if (300..380).contains(&n) { 1_000_000 + 380 * 20_000 + n } else { at };
            let captured = c.captured(Time::from_micros(comes), RtpTime((n * 960) as u32), &p);
            assert!(captured.as_micros().abs_diff(at) < 5_000, "{n}");
        }
    }
}
