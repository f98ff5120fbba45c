//! The only clock of a process's media.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use salon_rtp::Time;

/// A monotonic clock whose zero is the Unix epoch as the system clock stood at start: intervals never jump, and sender
/// reports still tell a wall clock that other programs understand.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    at_start: Time,
}

impl Clock {
    /// Reads both system clocks once.
    pub fn start() -> Self {
        // A system clock before 1970 has no meaning that anybody relies on; zero will do.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { started: Instant::now(), at_start: Time::ZERO.plus(unix) }
    }

    /// This moment.
    pub fn now(&self) -> Time {
        self.at_start.plus(self.started.elapsed())
    }

    /// The instant of the clock's start, with the time it had.
    pub fn origin(&self) -> (Instant, Time) {
        (self.started, self.at_start)
    }
}
