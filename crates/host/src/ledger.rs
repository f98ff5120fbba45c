//! Whose the media thread's time is.

use std::time::{Duration, Instant};

use salon_sfu::ParticipantId;

use crate::rooms::{RoomKey, Rooms};
use crate::spent::{Allocated, Meter};

/// Writes down who cost how much of a turn of the loop, and settles it when the turn is over.
///
/// The clock is read once where one's work ends and another's begins: once per datagram that came, once per burst that
/// leaves, twice per system call. What a system call cost is split: of one that received, evenly among its datagrams; of one that
/// sent, among the messages that it took, as the kernel's fee is per message. What is left between is nobody's.
///
/// That clock also runs while others have the processor. So at the turn's end the thread's own processor time is read, and where
/// less of it has passed, everybody's share shrinks by the same factor: the sum of all shares is never above what the thread used.
#[derive(Debug)]
pub(crate) struct Ledger {
    last: Instant,
    /// Of this turn: nanoseconds passed, and whose they were.
    passed: u64,
    lines: Vec<Line>,
    /// Messages in the send batch, by whose they are.
    aboard: Vec<(Owner, u64)>,
    /// The run that the last of them would go on with: its packets' length; `None` once a shorter one has ended it.
    run: Option<usize>,
    /// The thread's processor time when it was last read.
    read: Option<Duration>,
    /// Processor time since the beginning.
    cpu: Duration,
    meter: Option<Meter>,
    /// Asked for since the last line.
    allocated: Allocated,
}

/// Whose something is: a room's, and in it somebody's or nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    pub(crate) room: RoomKey,
    pub(crate) who: Option<ParticipantId>,
}

#[derive(Debug)]
struct Line {
    owner: Owner,
    nanos: u64,
    allocated: Allocated,
}

/// Lines of a turn for which there is room from the start: a turn's datagrams, and as many bursts.
const LINES: usize = 1_024;

impl Ledger {
    /// To be made on the thread whose it is.
    pub(crate) fn new(meter: Option<Meter>) -> Self {
        Self {
            last: Instant::now(),
            passed: 0,
            lines: Vec::with_capacity(LINES),
            aboard: Vec::with_capacity(salon_udp::limits::SEND_BATCH),
            run: None,
            read: thread_time(),
            cpu: Duration::ZERO,
            meter,
            allocated: Allocated::default(),
        }
    }

    /// A turn begins: what was before is nobody's, and no part of it.
    pub(crate) fn begin(&mut self) {
        self.last = Instant::now();
        self.allocated = Allocated::default();
    }

    /// What was done since the last word was somebody's, or nobody's.
    pub(crate) fn lap(&mut self, owner: Option<Owner>) {
        let nanos = self.elapsed();
        self.write(owner, nanos);
    }

    /// So many datagrams have come with one system call; gives each one's share of it for [`heard`](Self::heard).
    pub(crate) fn received(&mut self, datagrams: usize) -> u64 {
        let nanos = self.elapsed();
        self.allocated = Allocated::default();
        nanos.checked_div(datagrams as u64).unwrap_or(0)
    }

    /// One of them has been dealt with.
    pub(crate) fn heard(&mut self, owner: Option<Owner>, share: u64) {
        let nanos = self.elapsed() + share;
        self.write(owner, nanos);
    }

    /// A packet of so many bytes stands in the send batch.
    pub(crate) fn put(&mut self, owner: Owner, bytes: usize) {
        let last = self.aboard.last_mut().filter(|(of, _)| *of == owner);
        match (last, self.run) {
            (None, _) => {
                self.aboard.push((owner, 1));
                self.run = Some(bytes);
            }
            // As the batch makes runs: one length, the last packet may be shorter.
            (Some(_), Some(run)) if run == bytes => {}
            (Some(_), Some(run)) if run > bytes => self.run = None,
            (Some((_, messages)), _) => {
                *messages += 1;
                self.run = Some(bytes);
            }
        }
    }

    /// The batch has been offered to the kernel.
    pub(crate) fn shipped(&mut self) {
        let nanos = self.elapsed();
        self.allocated = Allocated::default();
        let messages: u64 = self.aboard.iter().map(|(_, messages)| messages).sum();
        let mut aboard = core::mem::take(&mut self.aboard);
        for (owner, of) in aboard.drain(..) {
            // Messages are never so many, nor is a call so long, that this overflows.
            self.write(Some(owner), nanos.saturating_mul(of) / messages.max(1));
        }
        self.aboard = aboard;
    }

    /// Counts memory, if that is counted at all; what it says is for [`asked`](Self::asked).
    pub(crate) fn meter(&self) -> Option<Meter> {
        self.meter
    }

    /// Memory that was asked for since the last word.
    pub(crate) fn asked(&mut self, of: Allocated) {
        self.allocated.count += of.count;
        self.allocated.bytes += of.bytes;
    }

    /// The turn is over: everybody gets their share.
    pub(crate) fn settle(&mut self, rooms: &mut Rooms) {
        self.lap(None);
        let passed = core::mem::take(&mut self.passed);
        let now = thread_time();
        let used = match (self.read, now) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            // No such clock here: all that passed counts.
            _ => Duration::from_nanos(passed),
        };
        self.read = now;
        self.cpu += used;
        let used = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        for Line { owner, nanos, allocated } in self.lines.drain(..) {
            let share = if used >= passed {
                nanos
            } else {
                u64::try_from(u128::from(nanos) * u128::from(used) / u128::from(passed)).unwrap_or(0)
            };
            let Some(entry) = rooms.get_mut(owner.room) else { continue };
            let member = owner.who.and_then(|who| entry.members.entries.get_mut(who));
            for spent in [Some(&mut entry.spent), member.map(|m| &mut m.spent)].into_iter().flatten() {
                spent.cpu += Duration::from_nanos(share);
                spent.allocations += allocated.count;
                spent.allocated += allocated.bytes;
            }
        }
    }

    /// Processor time of this thread since the beginning, as of the last [`settle`](Self::settle).
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu
    }

    fn elapsed(&mut self) -> u64 {
        let now = Instant::now();
        let nanos = now.saturating_duration_since(self.last).as_nanos() as u64;
        self.last = now;
        self.passed += nanos;
        nanos
    }

    fn write(&mut self, owner: Option<Owner>, nanos: u64) {
        let allocated = core::mem::take(&mut self.allocated);
        let Some(owner) = owner else { return };
        if let Some(last) = self.lines.last_mut().filter(|last| last.owner == owner) {
            last.nanos += nanos;
            last.allocated.count += allocated.count;
            last.allocated.bytes += allocated.bytes;
        } else {
            self.lines.push(Line { owner, nanos, allocated });
        }
    }
}

/// Runs a call, and says what memory it asked for, if that is counted.
pub(crate) fn metered<T>(meter: Option<Meter>, mut call: impl FnMut() -> T) -> (T, Allocated) {
    let Some(meter) = meter else { return (call(), Allocated::default()) };
    let mut result = None;
    let of = meter(&mut || result = Some(call()));
    // A meter that does not run what it is given counts nothing.
    (result.unwrap_or_else(call), of)
}

/// Processor time of this thread, where the system tells.
fn thread_time() -> Option<Duration> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd"))]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).ok()
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd")))]
    None
}
