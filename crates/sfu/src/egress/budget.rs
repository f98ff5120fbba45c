//! What a receiver's link carries: the place where a bandwidth estimator will stand.
//!
//! In go what the receiver says ([`Budget::remb`]; [`Budget::loss`] and then [`Budget::reported`]) and what
//! is sent to it; out comes the [`allocate::Budget`] by which its picture slots share the link ([`Budget::allocation`]), and the
//! word that it has changed. Sound never waits for it.
//!
//! Until there is an estimator, this holds: nothing speaks for a bound until somebody does. A receiver's own estimate (REMB)
//! measures its pictures alone, and is about one and a third of what it receives of them. So it says nothing while it is above
//! what is sent, nor while no picture is; below that, for as long as we have sent so much, and said again, it is a ceiling, with
//! the sound on top. So is what arrives, when more than a tenth is lost that was not lost before us, and a little less than
//! what is sent, when the round trip has grown by a queue. A ceiling is lifted slowly, and after a rest that grows with each time
//! that lifting it failed.
//!
//! Below the least encoding of each picture it goes only where packets were lost too ([`Budget::sure`]): estimates and round trips
//! also sink on a good link when the receiver's machine is busy, and then a picture that stops helps nobody. A link that is
//! really too narrow soon loses packets, and then pictures pause.
//!
//! Soonest of all tell requests for packets that a link has choked ([`Choke`]); then nothing is sent again of a picture that is being taken
//! off it, so that the sound has what room there is.
//!
//! Pictures that come back after such a pause are on trial for two seconds: an estimate that falls, which a growing queue makes it do before
//! that queue is full, or a few packets lost, end it. So a try costs next to no sound, and can be made again soon.

use core::time::Duration;

use salon_rtp::{Bitrate, Time};
use salon_simulcast::allocate;

use super::choke::{Asked, Choke, Doubt, Missing};

/// A REMB older than this says nothing any more (they come every second or so).
const REMB_SILENT: Duration = Duration::from_secs(5);

/// Loss is counted until it is surely above a tenth (libwebrtc's loss-based control decreases above it), by three standard deviations of
/// chance, or for so long: a link that loses one packet in twenty by nature must not be taken for a choked one.
const LOSS_WINDOW: Duration = Duration::from_secs(5);

/// Pictures that come back after a pause for want of room are on trial for so long, two key frames' time.
const TRIAL: Duration = Duration::from_secs(2);

/// An estimate falls by a tenth within so long: the slowest receivers tell it once in a second.
const FALL: Duration = Duration::from_millis(1_200);

/// After the ceiling was lowered, reports still tell of the time before, and the queue drains.
const SETTLE: Duration = Duration::from_millis(1_500);

/// Packets that one report may tell of: ten seconds of the fastest stream.
const MOST_EXPECTED: u64 = 10_000;

/// Of what a link with a queue carries so much is used, in percent, so that the queue drains.
const DRAIN: u64 = 85;

/// What a ceiling grows by per second, in percent, when nothing speaks against it (libwebrtc's multiplicative increase).
const GROWTH: u64 = 8;

/// How long a ceiling stands still after it was lowered, at first and at most: it doubles each time. Shorter tries a choked link too often,
/// longer leaves a free one unused.
const HOLD: Duration = Duration::from_secs(6);
/// At most, if only the receiver's own estimate spoke against it, which may err; and if packets were lost or queued.
const LONGEST_DOUBT: Duration = Duration::from_secs(16);
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// A low estimate counts when it is still low so much later, if packets are lost as well: the first of a fresh or busy
/// receiver is its ignorance. REMBs come one to five times a second, so this asks for another one.
const CONFIRM: Duration = Duration::from_millis(400);
/// Without any loss it must last so long: the estimators of browsers stumble for up to a second whenever their machine is busy
/// (seen on 2 cores with four of them). A truly narrow link loses packets soon; one with a long queue delays them meanwhile.
const CONFIRM_LOSSLESS: Duration = Duration::from_secs(2);
/// Loss speaks for so long.
const LOSS_FRESH: Duration = Duration::from_secs(2);

/// The ceiling never falls below this: a picture of 150 lines and sound. Lower would not come back.
const FLOOR: Bitrate = Bitrate::from_kbps(60);

/// A ceiling that has grown beyond this bounds nothing.
const BOUNDLESS: Bitrate = Bitrate::from_kbps(30_000);

/// The sending rate is remembered for so many …
const PARTS: usize = 6;
/// … times this long: a REMB may speak of what was sent three seconds ago.
const PART: Duration = Duration::from_millis(500);

/// The budget of one receiver.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// What may be sent; `None` while nothing speaks for a bound.
    ceiling: Option<Bitrate>,
    /// When the ceiling was last looked at, and from when on it may grow.
    touched: Time,
    hold_until: Time,
    hold: Duration,
    /// Until when reports tell of the time before the ceiling was lowered.
    settled: Time,
    /// The newest REMB: of pictures alone.
    remb: Option<(Time, Bitrate)>,
    /// The highest REMB of late.
    peak: (Time, Bitrate),
    /// Since when REMBs have been below what is sent.
    low_since: Option<Time>,
    /// Since when round trips have told of a queue.
    queue_since: Option<Time>,
    /// When its link last lost a share of packets that matters; [`Time::ZERO`] if never.
    lossy: Time,
    /// The sound that was sent when it was last looked at.
    sound: Bitrate,
    /// The pictures that were sent, newest first, in steps of [`PART`].
    sent: [Bitrate; PARTS],
    sampled: Time,
    /// What receiver reports said since the last decision: expected, and lost by its link.
    expected: u64,
    lost: u64,
    decided: Time,
    /// What its requests for packets say.
    choke: Choke,
    /// Until when what was on its way at a choke is lost.
    choked: Time,
    /// Whether pictures wait for room on the link, and until when those that come back are on trial.
    starved: bool,
    trial: Time,
    /// Until when an estimate that fell may be a link that has become narrow.
    suspect: Time,
    /// What was meant to be sent.
    allocated: Bitrate,
    /// When a report last came.
    heard: Time,
    /// Packets were lost under this ceiling, or when it was set.
    sure: bool,
    /// For [`allocate::Budget::steady`].
    estimates: allocate::Estimates,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { hold: HOLD, ..Self::default() }
    }

    /// What pictures and sound may take together; `None` while nothing speaks for a bound.
    pub(crate) const fn ceiling(&self) -> Option<Bitrate> {
        self.ceiling
    }

    /// Whether pictures may pause for the ceiling: not by the word of an estimator alone.
    pub(crate) const fn sure(&self) -> bool {
        self.sure
    }

    /// What the receiver itself said last (REMB), of pictures alone; `None` while it has said nothing.
    pub(crate) fn estimate(&self) -> Option<Bitrate> {
        self.remb.map(|(_, estimate)| estimate)
    }

    /// The receiver says what its link carries in pictures, while so much of them and of sound is sent to it. Whether the
    /// ceiling changed.
    pub(crate) fn remb(&mut self, now: Time, estimate: Bitrate, pictures: Bitrate, sound: Bitrate) -> bool {
        self.sample(now, pictures, sound);
        // An estimate that rises lags behind what comes: libwebrtc lets it grow by 8 % a second, however much more that is. One that
        // has met the link's limit does not rise.
        let before = self.remb.replace((now, estimate)).map(|(_, before)| before);
        let rises = before.is_some_and(|before| estimate > before);
        // After a pause an estimate is old, and lower than what comes; but only a queue that grows makes it fall, and it says so before
        // the queue is full, in small steps maybe.
        let (at, peak) = self.peak;
        if estimate >= peak || now.since(at) > FALL {
            self.peak = (now, estimate.max(before.unwrap_or_default()));
        }
        let falls = estimate < self.peak.1.percent(90);
        if falls && now < self.trial && estimate.plus(sound) < self.allocated {
            // It cost next to no sound: the next try need not wait for long.
            self.choked = now.plus(SETTLE);
            return self.lower(now, estimate.plus(sound), LONGEST_DOUBT);
        }
        if falls && now >= self.suspect && estimate < pictures {
            self.suspect = now.plus(TRIAL);
            self.choke.restart(now);
        }
        // What it received may be what was sent a while ago: only what has been sent all along is too much. Without any
        // picture it has nothing to measure, and its estimate falls by itself: were that heard, it would never come back.
        // It does not count what IP, UDP and the cipher add, which is a tenth of small packets.
        let steadily = self.sent.iter().copied().min().unwrap_or(Bitrate::ZERO);
        if estimate >= steadily.percent(90) {
            self.low_since = None;
            return self.grow(now);
        }
        let since = *self.low_since.get_or_insert(now);
        let patience = self.patience(now);
        if rises && patience == CONFIRM_LOSSLESS {
            return false;
        }
        // Where packets are lost, a queue is full, and has to drain.
        let to = estimate.plus(sound).percent(if patience == CONFIRM { DRAIN } else { 100 });
        now.since(since) >= patience && self.lower(now, to, LONGEST_DOUBT)
    }

    /// How long a sign that may be mistaken must last to be believed.
    fn patience(&self, now: Time) -> Duration {
        let lossy = self.lossy > Time::ZERO && now.since(self.lossy) < LOSS_FRESH;
        if lossy { CONFIRM } else { CONFIRM_LOSSLESS }
    }

    /// A reception report: packets expected since the last, and of those the ones that its own link lost.
    pub(crate) fn loss(&mut self, expected: u64, lost: u64) {
        // Numbers that cannot be are somebody's mistake, or worse: no more than is plausible in one interval counts.
        let expected = expected.min(MOST_EXPECTED);
        self.expected += expected;
        self.lost += lost.min(expected);
    }

    /// Whether few losses are enough: pictures that came back are on trial, or an estimate has fallen, which by itself is believed later;
    /// together with loss it is at once.
    fn is_watched(&self, now: Time) -> bool {
        now < self.trial.max(self.suspect)
    }

    /// Since when what was sent tells of the link as it is: before a trial there was less on it.
    pub(crate) fn watched(&self, now: Time) -> Time {
        if self.is_watched(now) { self.trial.max(self.suspect).minus(TRIAL) } else { Time::ZERO }
    }

    /// Packets of a stream were asked for, for the first time, while `sent` is sent in all. Whether the ceiling changed.
    pub(crate) fn missed(&mut self, now: Time, asked: &mut Asked, missing: &Missing, sent: Bitrate) -> bool {
        self.choke.request(now, asked, missing);
        // An estimate that has fallen is on its way to what the link carries: it is measured over a while.
        let fallen = self.remb.filter(|_| now < self.suspect).map(|(_, estimate)| estimate.plus(self.sound));
        let doubt = match fallen {
            Some(estimate) if estimate.percent(200) < sent => Doubt::Great,
            _ if self.is_watched(now) => Doubt::Some,
            _ => Doubt::None,
        };
        if now < self.settled || !self.choke.is_choked(doubt) {
            return false;
        }
        let arriving = self.arriving(sent, self.choke.arriving());
        let to = fallen.map_or(arriving, |estimate| arriving.min(estimate.percent(DRAIN)));
        self.choke.restart(now);
        self.lossy = now;
        self.choked = now.plus(SETTLE);
        self.lower(now, to, LONGEST_HOLD)
    }

    /// Whether requests have just told that the link has choked: what was on its way is lost still.
    pub(crate) fn chokes(&self, now: Time) -> bool {
        now < self.choked
    }

    /// The reports of one compound have been counted, while so much is sent, and their round trip tells of a `queue` or not.
    /// Whether the ceiling changed.
    pub(crate) fn reported(&mut self, now: Time, pictures: Bitrate, sound: Bitrate, queue: bool) -> bool {
        self.sample(now, pictures, sound);
        let sent = pictures.plus(sound);
        self.heard = now;
        if !queue {
            self.queue_since = None;
        }
        if now < self.settled {
            (self.expected, self.lost, self.decided) = (0, 0, now);
            return false;
        }
        if self.lost > 0 && self.lost * 50 >= self.expected {
            self.lossy = now;
        }
        let queue = queue && {
            let since = *self.queue_since.get_or_insert(now);
            // With loss there are two signs, and one report of both is enough.
            self.lossy == now || now.since(since) >= self.patience(now)
        };
        // Lost above a tenth, squared, against the square of three deviations: (L − n/10)² > 9 · n · 0.1 · 0.9.
        let above = (self.lost * 10).saturating_sub(self.expected);
        let surely = above * above > 81 * self.expected;
        if surely || queue {
            let arrives = 100 - (self.lost * 100).checked_div(self.expected).unwrap_or(0);
            (self.expected, self.lost, self.decided) = (0, 0, now);
            // Where packets are lost, what arrives is what fits; where a queue grows, a little less than what is sent.
            let percent = if surely { arrives } else { arrives.min(DRAIN) };
            return self.lower(now, self.arriving(sent, percent), LONGEST_HOLD);
        }
        if now.since(self.decided) >= LOSS_WINDOW {
            (self.expected, self.lost, self.decided) = (0, 0, now);
        }
        self.confirm(now) | self.grow(now)
    }

    /// Time passed. Where nothing is heard of the receiver, nothing speaks against growing: who is sent nothing reports
    /// nothing (mediasoup#316).
    pub(crate) fn pass(&mut self, now: Time) {
        let heard = self.remb.map_or(Time::ZERO, |r| r.0).max(self.heard);
        if now.since(heard) >= REMB_SILENT {
            self.grow(now);
        }
    }

    /// What the picture slots may share.
    pub(crate) fn allocation(&mut self, now: Time, audio: Bitrate) -> allocate::Budget {
        let Some(ceiling) = self.ceiling else {
            return allocate::Budget { estimate: Bitrate::MAX, steady: Bitrate::MAX, audio };
        };
        self.estimates.push(now, ceiling);
        let steady = self.estimates.steady(now).unwrap_or(ceiling);
        allocate::Budget { estimate: ceiling, steady, audio }
    }

    /// What is to be sent from now on, by the last division: key frames and repair not counted; and whether a picture waits for room.
    pub(crate) fn allocated(&mut self, now: Time, sum: Bitrate, starved: bool) {
        self.allocated = sum;
        if core::mem::replace(&mut self.starved, starved) && !starved {
            self.trial = now.plus(TRIAL);
            // What was missed before says nothing of it.
            self.choke.restart(now);
        }
    }

    /// The share of what is sent that arrives, in percent, of what was meant to be sent if that is less: so that less will be sent.
    fn arriving(&self, sent: Bitrate, percent: u64) -> Bitrate {
        let meant = if self.allocated == Bitrate::ZERO { sent } else { self.allocated };
        sent.min(meant).percent(percent)
    }

    /// Loss speaks for the ceiling that stands. Whether that is news.
    fn confirm(&mut self, now: Time) -> bool {
        let lossy = self.lossy > Time::ZERO && now.since(self.lossy) < LOSS_FRESH;
        let news = lossy && self.ceiling.is_some() && !self.sure;
        self.sure |= news;
        news
    }

    fn lower(&mut self, now: Time, to: Bitrate, longest: Duration) -> bool {
        let to = to.max(FLOOR);
        if self.ceiling.is_some_and(|c| c <= to) {
            // Lower already; but this is no time to grow.
            self.hold_until = self.hold_until.max(now.plus(HOLD));
            return self.confirm(now);
        }
        if self.ceiling.is_some() && now >= self.hold_until {
            // It had been lifted, in vain.
            self.hold = (self.hold * 2).min(longest.max(self.hold));
        }
        self.ceiling = Some(to);
        self.confirm(now);
        self.settled = now.plus(SETTLE);
        self.touched = now;
        self.hold_until = now.plus(self.hold);
        true
    }

    fn grow(&mut self, now: Time) -> bool {
        let Some(ceiling) = self.ceiling else { return false };
        let passed = now.since(self.touched.max(self.hold_until));
        if self.queue_since.is_some() || now < self.hold_until || passed < Duration::from_millis(100) {
            return false;
        }
        self.touched = now;
        let percent = 100 + (GROWTH * passed.as_millis().min(2_000) as u64).div_ceil(1_000);
        let grown = ceiling.percent(percent).plus(Bitrate::from_kbps(1));
        // A fresh estimate close above what is sent is the link's; one well above it is only the receiver's ignorance.
        let near = self
            .remb
            .filter(|(at, r)| now.since(*at) < REMB_SILENT && *r < self.sent[0].percent(110))
            .map(|r| r.1.plus(self.sound));
        let grown = near.filter(|&r| r < grown).map_or(grown, |r| r.max(ceiling));
        self.ceiling = (grown < BOUNDLESS).then_some(grown);
        if self.ceiling.is_none() {
            self.hold = HOLD;
            self.sure = false;
        }
        true
    }

    fn sample(&mut self, now: Time, sent: Bitrate, sound: Bitrate) {
        self.sound = sound;
        if now.since(self.sampled) >= PART {
            let parts = (now.since(self.sampled).as_millis() / PART.as_millis()).min(PARTS as u128) as usize;
            self.sent.rotate_right(parts);
            for part in self.sent.iter_mut().take(parts) {
                *part = sent;
            }
            self.sampled = now;
        } else if let Some(first) = self.sent.first_mut() {
            *first = (*first).min(sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Bitrate = Bitrate::from_kbps(80);

    /// `seconds` of REMBs, one each second, while `pictures` are sent.
    fn hear(budget: &mut Budget, from: u64, seconds: u64, remb: u64, pictures: u64) {
        for s in from..from + seconds {
            let now = Time::from_millis(10_000 + s * 1_000);
            budget.remb(now, Bitrate::from_kbps(remb), Bitrate::from_kbps(pictures), SOUND);
        }
    }

    #[test]
    fn pictures_that_were_paused_come_back_though_the_receiver_measures_nothing() {
        let mut budget = Budget::new();
        hear(&mut budget, 0, 6, 300, 900);
        assert_eq!(budget.ceiling(), Some(Bitrate::from_kbps(380)), "the sound comes on top");
        // All pictures pause: the estimate decays towards nothing, and must not be believed.
        hear(&mut budget, 6, 60, 5, 0);
        assert!(budget.ceiling().is_none_or(|c| c > Bitrate::from_kbps(800)), "{:?}", budget.ceiling());
    }

    #[test]
    fn one_low_estimate_of_a_busy_receiver_lowers_nothing() {
        let mut budget = Budget::new();
        hear(&mut budget, 0, 5, 700, 450);
        hear(&mut budget, 5, 1, 217, 450);
        hear(&mut budget, 6, 5, 600, 450);
        assert_eq!(budget.ceiling(), None);
    }

    #[test]
    fn an_estimate_that_rises_is_no_ceiling() {
        let mut budget = Budget::new();
        // From 200 kbit/s to 900 it takes libwebrtc twenty seconds, on the widest link.
        for s in 0..20 {
            let estimate = Bitrate::from_bps((200_000.0 * 1.08f64.powi(s)) as u64);
            let now = Time::from_millis(10_000 + s as u64 * 1_000);
            budget.remb(now, estimate, Bitrate::from_kbps(900), SOUND);
            assert_eq!(budget.ceiling(), None, "{s}");
        }
        // Where it stops to rise it has met something.
        hear(&mut budget, 30, 5, 700, 900);
        assert_eq!(budget.ceiling(), Some(Bitrate::from_kbps(780)));
    }

    #[test]
    fn a_narrow_link_is_believed_within_two_reports_where_packets_are_lost_and_tried_again_later() {
        for lossy in [true, false] {
            let mut budget = Budget::new();
            hear(&mut budget, 0, 5, 1_300, 1_000);
            if lossy {
                budget.loss(100, 4);
                budget.reported(Time::from_millis(14_500), Bitrate::from_kbps(1_000), SOUND, false);
            }
            hear(&mut budget, 5, 2, 150, 1_000);
            // What loses packets has a queue that must drain.
            let ceiling = Bitrate::from_kbps(230).percent(if lossy { DRAIN } else { 100 });
            assert_eq!(budget.ceiling(), lossy.then_some(ceiling));
            hear(&mut budget, 7, 1, 150, 1_000);
            assert_eq!(budget.ceiling(), Some(ceiling), "a long queue shows later");
            hear(&mut budget, 8, 3, 150, 140);
            assert!(budget.ceiling().is_some_and(|c| c >= ceiling));
        }
    }
}
