//! sendmmsg(2).

use std::fmt;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::{Family, Name};
use super::checked;
use super::control::Control;
use crate::limits::SEND_BATCH;
use crate::offload::Segmentation;
use crate::send::Message;
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

    /// Writes the messages down as the kernel reads them; how many.
    fn prepare(
        &mut self,
        (family, bound): (Family, IpAddr),
        messages: &[Message],
        bytes: &mut [u8],
    ) -> usize {
        let places = messages
            .iter()
            .zip(&mut self.headers)
            .zip(&mut self.iovecs)
            .zip(self.names.iter_mut().zip(&mut self.controls));
        let mut prepared = 0;
        for (((message, header), iovec), (name, control)) in places {
            let Some(datagrams) = bytes.get_mut(message.at..message.at + message.len) else { break };
            iovec.iov_base = datagrams.as_mut_ptr().cast();
            iovec.iov_len = datagrams.len();
            let h = &mut header.msg_hdr;
            (*name, h.msg_namelen) = Name::new(family, message.to);
            h.msg_name = (&raw mut *name).cast();
            h.msg_iov = iovec;
            h.msg_iovlen = 1;
            let mut told = 0;
            // What is bound to one address sends from it, untold.
            if let Some(from) = message.from.filter(|from| !from.is_unspecified() && *from != bound) {
                told = control.put_source(told, family, from);
            }
            if message.count > 1 {
                told = control.put_segment(told, message.segment);
            }
            h.msg_control = if told == 0 { std::ptr::null_mut() } else { (&raw mut *control).cast() };
            h.msg_controllen = told as _;
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
pub(super) fn flush(
    fd: BorrowedFd<'_>,
    (family, bound): (Family, IpAddr),
    segmentation: &Segmentation,
    batch: &mut SendBatch,
) -> Flushed {
    let mut prepared = 0;
    batch.drive(segmentation, |batch, next, fresh| {
        if fresh {
            let (scratch, messages, bytes) = batch.parts();
            prepared = scratch.prepare((family, bound), messages, bytes);
        }
        let headers = batch.scratch.headers.get_mut(next..prepared).unwrap_or(&mut []);
        // SAFETY: these headers were prepared in this flush, of the messages that it still has, and point into `batch`,
        // which is borrowed mutably for all of it. The kernel writes `msg_len` only.
        let result = unsafe {
            libc::sendmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                headers.len() as _,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        };
        checked(result).map(|n| n as usize)
    })
}
