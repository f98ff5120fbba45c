//! eventfd(2).

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::checked;

/// Shared by the socket and all who wake it.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<File>);

impl Waker {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: the arguments are plain numbers.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the descriptor was just made, and nobody else has it.
        Ok(Self(Arc::new(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))))
    }

    pub(crate) fn wake(&self) {
        // It fails only where 2^64 - 2 calls wait already, and then the waiter wakes all the same.
        let _ = (&*self.0).write(&1u64.to_ne_bytes());
    }

    /// Takes the count back to zero; whether it was above.
    pub(super) fn clear(&self) -> bool {
        (&*self.0).read(&mut [0; 8]).is_ok()
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
