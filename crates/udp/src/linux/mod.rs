//! Linux: recvmmsg(2), sendmmsg(2), packet info, segmentation offload (udp(7)), ppoll(2), eventfd(2).

mod address;
mod control;
mod recv;
mod send;
mod socket;
mod waker;

pub(crate) use recv::RecvScratch;
pub(crate) use send::SendScratch;
pub(crate) use socket::Socket;
pub(crate) use waker::Waker;

/// Turns a system call's -1 into its error.
fn checked(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}
