//! The socket and its options.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::address::{Family, Name};
use super::{Waker, checked, recv, send};
use crate::offload::Segmentation;
use crate::{Flushed, Offload, Options, Ready, RecvBatch, SendBatch};

#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    family: Family,
    bound: SocketAddr,
    waker: Waker,
    segmentation: Segmentation,
}

impl Socket {
    pub(crate) fn bind(addr: SocketAddr, options: Options) -> io::Result<Self> {
        let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
        let family = if addr.is_ipv4() { Family::V4 } else { Family::V6 };
        let domain = if addr.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        // SAFETY: the arguments are plain numbers.
        let fd = checked(unsafe {
            libc::socket(domain, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
        })?;
        // SAFETY: the descriptor was just made, and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        match family {
            Family::V4 => set(fd.as_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?,
            Family::V6 => {
                // The wildcard serves both families; IPv4 then comes with a v4-mapped packet info of IPv6.
                let only = libc::c_int::from(!addr.ip().is_unspecified());
                set(fd.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only)?;
                set(fd.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            }
        }
        if options.reuse_port {
            set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
        }
        match options.offload {
            // Kernels before 5.0 do not know it, and then there are no trains.
            Offload::Auto => drop(set(fd.as_fd(), libc::SOL_UDP, libc::UDP_GRO, 1)),
            Offload::Off => {}
            Offload::Refused => set(fd.as_fd(), libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)?,
        }
        if options.buffers > 0 {
            let bytes = libc::c_int::try_from(options.buffers).unwrap_or(libc::c_int::MAX / 2);
            for (force, ask) in
                [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
            {
                // Only a privileged process may exceed net.core.{r,w}mem_max; for others the second cuts to them. Smaller
                // buffers are no error.
                if set(fd.as_fd(), libc::SOL_SOCKET, force, bytes).is_err() {
                    let _ = set(fd.as_fd(), libc::SOL_SOCKET, ask, bytes);
                }
            }
        }
        let (name, len) = Name::new(family, addr);
        // SAFETY: `name` holds a whole address of `len` bytes.
        checked(unsafe { libc::bind(fd.as_raw_fd(), (&raw const name).cast(), len) })?;
        let socket = UdpSocket::from(fd);
        let bound = socket.local_addr()?;
        let segmentation = Segmentation::new(options.offload);
        Ok(Self { socket, family, bound, waker: Waker::new()?, segmentation })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.bound
    }

    pub(crate) fn recv(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        recv::recv(self.socket.as_fd(), self.bound, batch)
    }

    pub(crate) fn flush(&self, batch: &mut SendBatch) -> Flushed {
        send::flush(self.socket.as_fd(), (self.family, self.local_addr().ip()), &self.segmentation, batch)
    }

    pub(crate) fn wait(&self, timeout: Option<Duration>, writable: bool) -> io::Result<Ready> {
        let interest = if writable { libc::POLLIN | libc::POLLOUT } else { libc::POLLIN };
        let mut fds = [
            libc::pollfd { fd: self.socket.as_raw_fd(), events: interest, revents: 0 },
            libc::pollfd { fd: self.waker.as_raw_fd(), events: libc::POLLIN, revents: 0 },
        ];
        let timeout = timeout.map(|t| libc::timespec {
            tv_sec: libc::time_t::try_from(t.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: t.subsec_nanos() as _,
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `fds` and `timeout` outlive the call; the signal mask may be null.
        let result = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as _, timeout, std::ptr::null()) };
        match checked(result) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(Ready::default()),
            Err(e) => return Err(e),
        }
        let [socket, waker] = fds;
        Ok(Ready {
            // An error is fetched, and so ended, by receiving.
            readable: socket.revents & (libc::POLLIN | libc::POLLERR | libc::POLLHUP) != 0,
            writable: socket.revents & libc::POLLOUT != 0,
            woken: waker.revents != 0 && self.waker.clear(),
        })
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

fn set(fd: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` outlives the call and is `len` bytes long.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), len) };
    checked(result).map(drop)
}
