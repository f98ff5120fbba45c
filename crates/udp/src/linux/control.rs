//! Control messages: the local address of a datagram.

use std::net::{IpAddr, Ipv6Addr};

use super::address::Family;

/// Room for the control messages of one datagram, aligned as `cmsghdr` wants it. Packet info takes 40 bytes; the rest is
/// for what segmentation adds.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control([u8; Control::LEN]);

impl Control {
    /// Bytes of the room.
    pub(super) const LEN: usize = 96;
    /// Every byte zero.
    pub(super) const NONE: Self = Self([0; Self::LEN]);

    /// Writes the source address as packet info, and says how many bytes that takes. A socket of IPv6 takes an IPv4
    /// source as a v4-mapped one, whatever the destination.
    pub(super) fn set_source(&mut self, family: Family, from: IpAddr) -> usize {
        match (family, from) {
            (Family::V4, IpAddr::V4(ip)) => {
                let spec = libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
                let none = libc::in_addr { s_addr: 0 };
                let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: spec, ipi_addr: none };
                self.write(libc::IPPROTO_IP, libc::IP_PKTINFO, info)
            }
            (Family::V6, IpAddr::V4(ip)) => self.set_source(family, ip.to_ipv6_mapped().into()),
            (_, IpAddr::V6(ip)) => {
                let addr = libc::in6_addr { s6_addr: ip.octets() };
                let info = libc::in6_pktinfo { ipi6_addr: addr, ipi6_ifindex: 0 };
                self.write(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
            }
        }
    }

    /// Writes one message at the front. `T` is a plain struct of the kernel's.
    fn write<T: Copy>(&mut self, level: libc::c_int, kind: libc::c_int, value: T) -> usize {
        let size = size_of::<T>() as libc::c_uint;
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
        let (space, len) = unsafe { (libc::CMSG_SPACE(size) as usize, libc::CMSG_LEN(size)) };
        if space > Self::LEN {
            return 0;
        }
        // SAFETY: all-zero bytes are a `msghdr`: integers and null pointers.
        let mut msg: libc::msghdr = unsafe { std::mem::zeroed() };
        msg.msg_control = self.0.as_mut_ptr().cast();
        msg.msg_controllen = Self::LEN as _;
        // SAFETY: `msg` describes our own room, which is aligned for `cmsghdr` and larger than one, so that the first
        // header is not null and lies in it; header and value end before `space` ≤ LEN bytes.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&msg);
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = len as _;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        space
    }
}

/// The local address among the control messages that came with a datagram.
///
/// # Safety
/// `msg.msg_control` and `msg_controllen` describe readable memory as the kernel left it.
pub(super) unsafe fn local_address(msg: &libc::msghdr) -> Option<IpAddr> {
    // SAFETY: the caller vouches for the memory; the macros stay within `msg_controllen`, and a value is read only where
    // its header says that it is there whole.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(msg);
        while let Some(h) = header.as_ref() {
            match (h.cmsg_level, h.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info: libc::in_pktinfo = value(h)?;
                    // The address of ours that the route chose: for unicast the header's destination, for broadcast one
                    // from which an answer may leave (ip(7)).
                    return Some(info.ipi_spec_dst.s_addr.to_ne_bytes().into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info: libc::in6_pktinfo = value(h)?;
                    return Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical());
                }
                _ => header = libc::CMSG_NXTHDR(msg, header),
            }
        }
        None
    }
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
