//! recvmmsg(2).

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::Name;
use super::checked;
use super::control::{self, Control};
use crate::limits::{RECV_LEAST, RECV_MAX, RECV_MESSAGES, RECV_PLACE};
use crate::{Meta, RecvBatch};

/// What recvmmsg(2) reads and writes, kept between calls.
pub(crate) struct RecvScratch {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    /// How many messages the next call asks for.
    ask: usize,
}

// SAFETY: the pointers within point into the same batch; they are written anew before each call, and read by the kernel
// during it only.
unsafe impl Send for RecvScratch {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl Sync for RecvScratch {}

impl RecvScratch {
    pub(crate) fn new() -> Self {
        // SAFETY: all-zero bytes are an `mmsghdr` and an `iovec`: integers and null pointers.
        let (header, iovec) =
            unsafe { (std::mem::zeroed::<libc::mmsghdr>(), std::mem::zeroed::<libc::iovec>()) };
        Self {
            headers: vec![header; RECV_MESSAGES].into(),
            iovecs: vec![iovec; RECV_MESSAGES].into(),
            names: vec![Name::NONE; RECV_MESSAGES].into(),
            controls: vec![Control::NONE; RECV_MESSAGES].into(),
            ask: RECV_MESSAGES,
        }
    }

    /// Prepares places; how many.
    fn prepare(&mut self, bytes: &mut [u8]) -> usize {
        let places = bytes
            .chunks_exact_mut(RECV_PLACE)
            .zip(&mut self.headers)
            .zip(&mut self.iovecs)
            .zip(self.names.iter_mut().zip(&mut self.controls))
            .take(self.ask);
        let mut prepared = 0;
        for (((place, header), iovec), (name, control)) in places {
            iovec.iov_base = place.as_mut_ptr().cast();
            iovec.iov_len = place.len();
            let h = &mut header.msg_hdr;
            h.msg_name = (&raw mut *name).cast();
            h.msg_namelen = Name::LEN;
            h.msg_iov = iovec;
            h.msg_iovlen = 1;
            h.msg_control = (&raw mut *control).cast();
            h.msg_controllen = Control::LEN as _;
            h.msg_flags = 0;
            prepared += 1;
        }
        prepared
    }
}

impl fmt::Debug for RecvScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvScratch").field("ask", &self.ask).finish_non_exhaustive()
    }
}

/// Receives into the batch; `bound` is the socket's address.
pub(super) fn recv(fd: BorrowedFd<'_>, bound: SocketAddr, batch: &mut RecvBatch) -> io::Result<usize> {
    batch.entries.clear();
    batch.left = false;
    let came = loop {
        let asked = batch.scratch.prepare(&mut batch.bytes);
        batch.counters.calls += 1;
        let headers = batch.scratch.headers.as_mut_ptr();
        // SAFETY: the first `asked` headers were just made to point at buffers of the lengths that they say; all of them
        // belong to `batch`, which is borrowed mutably and outlives the call. The timeout may be null.
        let result = unsafe {
            libc::recvmmsg(fd.as_raw_fd(), headers, asked as _, libc::MSG_DONTWAIT as _, std::ptr::null_mut())
        };
        match checked(result) {
            Ok(n) => {
                batch.left = n as usize >= asked;
                break n as usize;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break 0,
            Err(e) => return Err(e),
        }
    };
    batch.scratch.ask = (2 * came).clamp(RECV_LEAST, RECV_MESSAGES);
    let counters = &mut batch.counters;
    for (i, (header, name)) in batch.scratch.headers.iter().zip(&batch.scratch.names).take(came).enumerate() {
        let len = header.msg_len as usize;
        // SAFETY: the kernel filled this header and its control buffer, which belongs to `batch`.
        let told = unsafe { control::read(&header.msg_hdr) };
        let segment = told.segment.unwrap_or(len);
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 || segment.min(len) > RECV_MAX {
            counters.oversized += len.div_ceil(segment.max(1)).max(1) as u64;
            continue;
        }
        let Some(remote) = name.get() else { continue };
        let local = told.local.map_or(bound, |ip| SocketAddr::new(ip, bound.port()));
        let (start, before) = (i * RECV_PLACE, batch.entries.len());
        // One datagram, also an empty one; or a train of equal ones, of which the last may be shorter.
        let mut at = 0;
        loop {
            let end = (at + segment).min(len);
            batch.entries.push((Meta { local, remote }, start + at..start + end));
            at = end;
            if at >= len {
                break;
            }
        }
        let datagrams = (batch.entries.len() - before) as u64;
        counters.datagrams += datagrams;
        if datagrams > 1 {
            counters.trains += 1;
            counters.train_datagrams += datagrams;
        }
    }
    Ok(batch.entries.len())
}
