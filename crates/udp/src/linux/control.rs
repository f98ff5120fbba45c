//! Control messages: the local address of a datagram, and where a message of several is to be cut.

use std::net::{IpAddr, Ipv6Addr};

use super::address::Family;

/// Room for the control messages of one message, aligned as `cmsghdr` wants it. Packet info takes 40 bytes, the length of
/// segments 24.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control([u8; Control::LEN]);

impl Control {
    /// Bytes of the room.
    pub(super) const LEN: usize = 96;
    /// Every byte zero.
    pub(super) const NONE: Self = Self([0; Self::LEN]);

    /// Writes the source address as packet info behind the first `at` bytes, and says how many there are then. A socket of
    /// IPv6 takes an IPv4 source as a v4-mapped one, whatever the destination.
    pub(super) fn put_source(&mut self, at: usize, family: Family, from: IpAddr) -> usize {
        match (family, from) {
            (Family::V4, IpAddr::V4(ip)) => {
                let spec = libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
                let none = libc::in_addr { s_addr: 0 };
                let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: spec, ipi_addr: none };
                self.put(at, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
            }
            (Family::V6, IpAddr::V4(ip)) => self.put_source(at, family, ip.to_ipv6_mapped().into()),
            (_, IpAddr::V6(ip)) => {
                let addr = libc::in6_addr { s6_addr: ip.octets() };
                let info = libc::in6_pktinfo { ipi6_addr: addr, ipi6_ifindex: 0 };
                self.put(at, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
            }
        }
    }

    /// Writes the length after which the kernel is to cut, as [`put_source`](Self::put_source) does.
    pub(super) fn put_segment(&mut self, at: usize, bytes: usize) -> usize {
        // No run is longer than 16 bits tell.
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.put(at, libc::SOL_UDP, libc::UDP_SEGMENT, bytes)
    }

    /// Writes one message behind the first `at` bytes. `T` is a plain struct of the kernel's.
    fn put<T: Copy>(&mut self, at: usize, level: libc::c_int, kind: libc::c_int, value: T) -> usize {
        let size = size_of::<T>() as libc::c_uint;
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
        let (space, len) = unsafe { (libc::CMSG_SPACE(size) as usize, libc::CMSG_LEN(size)) };
        if !at.is_multiple_of(align_of::<libc::cmsghdr>()) {
            return at;
        }
        let Some(room) = self.0.get_mut(at..at + space) else { return at };
        let header = room.as_mut_ptr().cast::<libc::cmsghdr>();
        // SAFETY: `room` is `space` bytes of ours, which is header and value with their padding, and begins at a multiple of
        // a header's alignment in memory that is aligned for it. All bytes of it are initialised, and stay so.
        unsafe {
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = len as _;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        at + space
    }
}

/// What the control messages that came with a message tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// The local address.
    pub(super) local: Option<IpAddr>,
    /// The length of each datagram but the last, where it is a train.
    pub(super) segment: Option<usize>,
}

/// Reads the control messages.
///
/// # Safety
/// `msg.msg_control` and `msg_controllen` describe readable memory as the kernel left it.
pub(super) unsafe fn read(msg: &libc::msghdr) -> Told {
    let mut told = Told::default();
    // SAFETY: the caller vouches for the memory; the macros stay within `msg_controllen`, and a value is read only where
    // its header says that it is there whole.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(msg);
        while let Some(h) = header.as_ref() {
            match (h.cmsg_level, h.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // The address of ours that the route chose: for unicast the header's destination, for broadcast one
                    // from which an answer may leave (ip(7)).
                    let info: Option<libc::in_pktinfo> = value(h);
                    told.local = info.map(|i| i.ipi_spec_dst.s_addr.to_ne_bytes().into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info: Option<libc::in6_pktinfo> = value(h);
                    told.local = info.map(|i| Ipv6Addr::from(i.ipi6_addr.s6_addr).to_canonical());
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let bytes: Option<libc::c_int> = value(h);
                    told.segment = bytes.and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(msg, header);
        }
    }
    told
}

/// The value of a message, if it is there whole.
///
/// # Safety
/// `header` stands in memory that holds `cmsg_len` bytes from it.
unsafe fn value<T: Copy>(header: &libc::cmsghdr) -> Option<T> {
    // SAFETY: CMSG_LEN only computes.
    let need = unsafe { libc::CMSG_LEN(size_of::<T>() as libc::c_uint) } as usize;
    // Some C libraries declare the length shorter than a `usize`.
    #[allow(clippy::unnecessary_cast)]
    let len = header.cmsg_len as usize;
    if len < need {
        return None;
    }
    // SAFETY: the header says that the value is there whole, and the caller vouches for it.
    Some(unsafe { libc::CMSG_DATA(header).cast::<T>().read_unaligned() })
}
