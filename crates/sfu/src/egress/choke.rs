//! Whether a receiver's requests for packets tell of a link that has choked.
//!
//! Reports come once a second and estimates later still; a request comes as soon as anything arrives behind what is missing. Of a link that
//! carries a third of what is sent, they name two packets before each that arrives. Each request also says what was *not* missing: the
//! numbers between two requests. So the share that arrives is known of the very packets that were asked for, however long they queued.

use core::time::Duration;

use salon_rtp::{SeqNo, Time};

/// For so long what was missing counts; then half of it, and so on, so that nothing falls between two stretches of time.
const BRIEF: Duration = Duration::from_millis(500);

/// So many packets missing, if they are more than a third of what should have come: the link has choked. Fewer, and a burst of loss would be
/// taken for it …
const MISSING: u64 = 20;
/// … but few are enough where more is missing than comes, and not in one piece: a burst is one gap, a full queue takes one packet now and
/// then. By chance at one in twenty: one time in two million.
const MISSING_MOST: u64 = 8;
const GAPS: u64 = 3;

/// While the link is in doubt anyway: so few, if they are more than a tenth. Each moment longer costs sound; a link that loses one packet in
/// twenty by nature fails this now and then, and is tried again.
const MISSING_IN_DOUBT: u64 = 3;
/// … and in great doubt two of them.
const MISSING_IN_GREAT_DOUBT: u64 = 2;

/// How much else speaks against the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Doubt {
    /// Nothing.
    None,
    /// Pictures have just come back, or the receiver's estimate has fallen.
    Some,
    /// That estimate has fallen to less than half of what is sent.
    Great,
}

/// What a request tells of packets that were not asked for before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Missing {
    packets: u64,
    gaps: u64,
    range: Option<(SeqNo, SeqNo)>,
}

impl Missing {
    /// This packet too; they are named in rising order.
    pub(crate) fn add(&mut self, index: SeqNo) {
        let (first, last) = self.range.unwrap_or((index, index));
        self.packets += 1;
        self.gaps += u64::from(self.packets == 1 || index != last.next());
        self.range = Some((first.min(index), last.max(index)));
    }
}

/// Up to where a stream's packets have been asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    at: Time,
    highest: Option<SeqNo>,
}

impl Asked {
    /// How many packets are judged by what is missing: those since the last request, if that is not long ago.
    fn judged(&mut self, now: Time, first: SeqNo, last: SeqNo) -> u64 {
        let known = self.highest.filter(|_| now.since(self.at) < BRIEF);
        *self = Self { at: now, highest: known.max(Some(last)) };
        match known {
            Some(highest) => last.since(highest),
            None => last.since(first) + 1,
        }
    }
}

/// What was missing of late, of all streams of a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choke {
    since: Time,
    packets: u64,
    gaps: u64,
    judged: u64,
}

impl Choke {
    /// What was missing before says nothing any more.
    pub(crate) fn restart(&mut self, now: Time) {
        *self = Self { since: now, ..Self::default() };
    }

    /// Counts a request for packets of the stream that was asked for so far.
    pub(crate) fn request(&mut self, now: Time, asked: &mut Asked, missing: &Missing) {
        let passed = now.since(self.since).as_millis() / BRIEF.as_millis();
        if passed > 0 {
            let halved = |n: u64| n.checked_shr(passed.min(64) as u32).unwrap_or(0);
            let (packets, gaps, judged) = (halved(self.packets), halved(self.gaps), halved(self.judged));
            *self = Self { since: now, packets, gaps, judged };
        }
        let Some((first, last)) = missing.range else { return };
        self.packets += missing.packets;
        self.gaps += missing.gaps;
        self.judged += asked.judged(now, first, last);
    }

    /// Whether the link has choked; in doubt less tells so.
    pub(crate) const fn is_choked(&self, doubt: Doubt) -> bool {
        let Self { packets, gaps, judged, .. } = *self;
        match doubt {
            Doubt::None => {
                packets >= MISSING && packets * 3 > judged
                    || packets >= MISSING_MOST && gaps >= GAPS && packets * 2 > judged
            }
            Doubt::Some => packets >= MISSING_IN_DOUBT && packets * 10 > judged,
            Doubt::Great => packets >= MISSING_IN_GREAT_DOUBT && packets * 10 > judged,
        }
    }

    /// What arrives, in percent.
    pub(crate) fn arriving(&self) -> u64 {
        100 - (self.packets * 100).checked_div(self.judged).unwrap_or(0).min(90)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests as they come of 70 packets a second of which `lost` says which are lost: each as soon as something arrives behind it.
    fn hear(packets: u64, lost: impl Fn(u64) -> bool) -> (Choke, Option<u64>) {
        let (mut choke, mut asked, mut missing) = (Choke::default(), Asked::default(), Missing::default());
        let mut choked = None;
        for n in 0..packets {
            let now = Time::from_millis(1_000 + n * 1_000 / 70);
            if lost(n) {
                missing.add(SeqNo(70_000 + n));
            } else if missing.packets > 0 {
                choke.request(now, &mut asked, &core::mem::take(&mut missing));
                choked = choked.or(choke.is_choked(Doubt::None).then_some(n));
            }
        }
        (choke, choked)
    }

    #[test]
    fn a_link_that_carries_a_third_is_known_after_a_dozen_packets() {
        let (choke, choked) = hear(70, |n| n % 3 != 0);
        assert_eq!(choked, Some(12));
        assert!((30..40).contains(&choke.arriving()), "{choke:?}");
    }

    #[test]
    fn one_that_carries_half_is_known_within_a_second() {
        let (_, choked) = hear(70, |n| n % 2 != 0);
        assert!(choked.is_some_and(|n| n < 60), "{choked:?}");
    }

    #[test]
    fn neither_a_burst_of_loss_nor_one_in_ten_is_taken_for_it() {
        assert_eq!(hear(700, |n| n % 350 < 19).1, None, "bursts");
        assert_eq!(hear(700, |n| n % 35 < 7).1, None, "bursts, one in five");
        assert_eq!(hear(7_000, |n| n % 10 == 3).1, None, "one in ten");
        assert_eq!(hear(7_000, |n| n % 100 < 6 || n % 10 == 3).1, None, "both");
    }

    #[test]
    fn in_doubt_three_of_less_than_thirty_are_enough() {
        assert!(hear(30, |n| n % 8 == 3).0.is_choked(Doubt::Some));
        assert!(!hear(300, |n| n % 20 == 3).0.is_choked(Doubt::Some));
    }
}
