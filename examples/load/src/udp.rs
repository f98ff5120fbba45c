//! A client's socket: each datagram with the moment at which the kernel had it.

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Bytes of receive buffer to ask for: what thirty streams bring in a quarter of a second.
#[cfg(target_os = "linux")]
const BUFFER: usize = 4 << 20;

/// A non-blocking UDP socket.
#[derive(Debug)]
pub(crate) struct Udp {
    socket: UdpSocket,
    local: SocketAddr,
    #[cfg(target_os = "linux")]
    control: Vec<u8>,
}

impl Udp {
    /// Binds a port of the system's choice; events come with `token`.
    pub(crate) fn bind(ip: IpAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut socket = UdpSocket::bind((ip, 0).into())?;
        let local = socket.local_addr()?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        #[cfg(target_os = "linux")]
        {
            use nix::sys::socket::{setsockopt, sockopt};
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            // Beyond the system's limit where we may, up to it otherwise.
            if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
                let _ = setsockopt(&socket, sockopt::RcvBuf, &BUFFER);
            }
        }
        Ok(Self {
            socket,
            local,
            #[cfg(target_os = "linux")]
            control: nix::cmsg_space!(nix::sys::time::TimeSpec),
        })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.socket.send_to(bytes, to)
    }

    /// The next datagram: its length, who sent it, and when the kernel had it. The kernel's stamp leaves out how long we took
    /// to come and fetch it.
    #[cfg(target_os = "linux")]
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, Instant)> {
        use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
        use std::os::fd::AsRawFd as _;
        use std::time::{Duration, SystemTime, UNIX_EPOCH};
        let mut slices = [io::IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut slices,
            Some(&mut self.control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let from = message.address.and_then(|a| match (a.as_sockaddr_in(), a.as_sockaddr_in6()) {
            (Some(v4), _) => Some(SocketAddr::V4((*v4).into())),
            (_, Some(v6)) => Some(SocketAddr::V6((*v6).into())),
            _ => None,
        });
        let mut at = Instant::now();
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmTimestampns(stamp) = control {
                let stamp = UNIX_EPOCH + Duration::from(stamp);
                let ago = SystemTime::now().duration_since(stamp).unwrap_or_default();
                at = at.checked_sub(ago).unwrap_or(at);
            }
        }
        Ok((message.bytes, from.ok_or_else(|| io::Error::other("no address"))?, at))
    }

    /// The next datagram: its length, who sent it, and when it was fetched.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, Instant)> {
        let (n, from) = self.socket.recv_from(buffer)?;
        Ok((n, from, Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::net::Ipv4Addr;

    #[test]
    fn a_datagram_comes_with_its_sender_and_a_moment_between_sending_and_fetching() {
        let mut poll = Poll::new().unwrap();
        let mut here = Udp::bind(Ipv4Addr::LOCALHOST.into(), poll.registry(), Token(0)).unwrap();
        let there = Udp::bind(Ipv4Addr::LOCALHOST.into(), poll.registry(), Token(1)).unwrap();
        let mut buffer = [0; 2_000];
        assert_eq!(here.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let before = Instant::now();
        there.send(b"word", here.local()).unwrap();
        poll.poll(&mut Events::with_capacity(8), None).unwrap();
        let (n, from, at) = here.recv(&mut buffer).unwrap();
        assert_eq!((&buffer[..n], from), (&b"word"[..], there.local()));
        // The two clocks of the machine are read one after the other.
        let slack = std::time::Duration::from_millis(1);
        assert!(at + slack >= before && at <= Instant::now());
    }
}
