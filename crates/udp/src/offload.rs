//! Several datagrams as one: whether the kernel is asked for it, and what it says.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::limits::RUNS_REST;

/// Whether several datagrams are handed to the kernel, and taken from it, as one (UDP_SEGMENT and UDP_GRO of Linux;
/// elsewhere they never are).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Offload {
    /// Where the kernel does it.
    #[default]
    Auto,
    /// Never: a message per datagram.
    Off,
    /// It is asked for, and the kernel made to refuse: for tests of what happens then. IPv4 only; checksums are off, which
    /// is what makes it refuse.
    Refused,
}

/// Whether runs may leave as one. A refusal holds for a while (see [`RUNS_REST`]).
#[derive(Debug)]
pub(crate) struct Segmentation {
    /// Datagrams that are to leave before runs are tried again; [`NEVER`] for ever.
    rest: AtomicU32,
}

const NEVER: u32 = u32::MAX;

impl Segmentation {
    pub(crate) fn new(offload: Offload) -> Self {
        let rest = if offload == Offload::Off { NEVER } else { 0 };
        Self { rest: AtomicU32::new(rest) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.rest.load(Ordering::Relaxed) == 0
    }

    /// The kernel does not take runs.
    pub(crate) fn refuse(&self) {
        self.rest.store(RUNS_REST, Ordering::Relaxed);
    }

    /// So many datagrams left.
    pub(crate) fn spend(&self, datagrams: usize) {
        let rest = self.rest.load(Ordering::Relaxed);
        if rest != 0 && rest != NEVER {
            let datagrams = u32::try_from(datagrams).unwrap_or(RUNS_REST);
            self.rest.store(rest.saturating_sub(datagrams), Ordering::Relaxed);
        }
    }
}

/// Whether an error may mean that a run is not wanted as such: EIO where the device or a transform (IPsec) cannot make
/// checksums of the parts, EINVAL where the kernel, or the socket's options, do not know of runs. Both also say other
/// things.
pub(crate) fn blames_runs(e: &io::Error) -> bool {
    #[cfg(target_os = "linux")]
    return matches!(e.raw_os_error(), Some(libc::EIO | libc::EINVAL));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = e;
        false
    }
}

/// Whether an error means that the path takes no datagram of that length.
pub(crate) fn is_too_long(e: &io::Error) -> bool {
    #[cfg(target_os = "linux")]
    return e.raw_os_error() == Some(libc::EMSGSIZE);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = e;
        false
    }
}
