//! The time that threads were on a processor.

use std::fs;
use std::time::Duration;

/// Threads of this process.
#[derive(Clone, Debug)]
pub struct Threads(Vec<String>);

impl Threads {
    /// Those whose name begins so.
    pub fn named(prefix: &str) -> Self {
        let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten();
        let mut own: Vec<_> = (tasks.map(|t| t.path().display().to_string()))
            .filter(|path| fs::read_to_string(format!("{path}/comm")).is_ok_and(|c| c.starts_with(prefix)))
            .collect();
        own.sort();
        Self(own)
    }

    /// How long each has been on a processor since it began: the scheduler's own account, in nanoseconds. What the
    /// kernel did for it meanwhile counts, the way through the loopback included.
    pub fn time(&self) -> Vec<Duration> {
        self.0.iter().map(|path| read(path)).collect()
    }
}

/// The same of the calling thread.
pub fn own() -> Duration {
    read("/proc/thread-self")
}

fn read(path: &str) -> Duration {
    let text =
        fs::read_to_string(format!("{path}/schedstat")).expect("a kernel that accounts for its threads");
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds first"))
}
