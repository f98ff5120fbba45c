//! sendmmsg(2).

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::{Family, Name};
use super::checked;
use super::control::Control;
use crate::limits::SEND_BATCH;
use crate::send::Entry;
use crate::{Flushed, SendBatch};

/// What sendmmsg(2) reads, kept between calls.
pub(crate) struct SendScratch {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
}

// SAFETY: the pointers within point into the same batch; they are written anew before each flush, and read by the kernel
// during it only.
unsafe impl Send for SendScratch {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl Sync for SendScratch {}

impl SendScratch {
    pub(crate) fn new() -> Self {
        // SAFETY: all-zero bytes are an `mmsghdr` and an `iovec`: integers and null pointers.
        let (header, iovec) =
            unsafe { (std::mem::zeroed::<libc::mmsghdr>(), std::mem::zeroed::<libc::iovec>()) };
        Self {
            headers: vec![header; SEND_BATCH].into(),
            iovecs: vec![iovec; SEND_BATCH].into(),
            names: vec![Name::NONE; SEND_BATCH].into(),
            controls: vec![Control::NONE; SEND_BATCH].into(),
        }
    }

    /// One message per datagram; how many.
    fn prepare(&mut self, family: Family, waiting: &[Entry], bytes: &mut [u8]) -> usize {
        let messages = waiting
            .iter()
            .zip(&mut self.headers)
            .zip(&mut self.iovecs)
            .zip(self.names.iter_mut().zip(&mut self.controls));
        let mut prepared = 0;
        for (((entry, header), iovec), (name, control)) in messages {
            let Some(datagram) = bytes.get_mut(entry.at..entry.at + entry.len) else { break };
            iovec.iov_base = datagram.as_mut_ptr().cast();
            iovec.iov_len = datagram.len();
            let h = &mut header.msg_hdr;
            (*name, h.msg_namelen) = Name::new(family, entry.to);
            h.msg_name = (&raw mut *name).cast();
            h.msg_iov = iovec;
            h.msg_iovlen = 1;
            let info = match entry.from {
                Some(from) if !from.is_unspecified() => control.set_source(family, from),
                _ => 0,
            };
            h.msg_control = if info == 0 { std::ptr::null_mut() } else { (&raw mut *control).cast() };
            h.msg_controllen = info as _;
            h.msg_flags = 0;
            prepared += 1;
        }
        prepared
    }
}

impl fmt::Debug for SendScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendScratch").finish_non_exhaustive()
    }
}

/// Sends what waits in the batch.
pub(super) fn flush(fd: BorrowedFd<'_>, family: Family, batch: &mut SendBatch) -> Flushed {
    let mut prepared = None;
    batch.drive(|done, batch| {
        let prepared = match prepared {
            Some(n) => n,
            None => {
                let (scratch, waiting, bytes) = batch.parts();
                let n = scratch.prepare(family, waiting, bytes);
                *prepared.insert(n)
            }
        };
        // A batch never holds more than there are messages, so what is left is what waits.
        let messages = batch.scratch.headers.get_mut(done..prepared).unwrap_or(&mut []);
        // SAFETY: these headers were prepared in this flush and point into `batch`, which is borrowed mutably for all of
        // it and does not change meanwhile. The kernel writes `msg_len` only.
        let result = unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                messages.as_mut_ptr(),
                messages.len() as _,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        };
        checked(result).map(|n| n as usize)
    })
}
