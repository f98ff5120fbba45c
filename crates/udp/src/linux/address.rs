//! Socket addresses as the kernel reads and writes them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Which addresses a socket speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6, and IPv4 as v4-mapped addresses (RFC 4291 §2.5.5.2).
    V6,
}

/// Room for either kind of socket address.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Name {
    /// Bytes of the room.
    pub(super) const LEN: libc::socklen_t = size_of::<Self>() as libc::socklen_t;

    /// No address; every byte zero.
    pub(super) const NONE: Self = Self {
        v6: libc::sockaddr_in6 {
            sin6_family: libc::AF_UNSPEC as libc::sa_family_t,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        },
    };

    /// An address as a socket of this family wants it, and its length. An IPv6 address stays one for an IPv4 socket,
    /// and the kernel refuses it by name.
    pub(super) fn new(family: Family, addr: SocketAddr) -> (Self, libc::socklen_t) {
        match (family, addr) {
            (Family::V4, SocketAddr::V4(a)) => {
                (Self::v4(a), size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            (Family::V6, SocketAddr::V4(a)) => {
                Self::v6(SocketAddrV6::new(a.ip().to_ipv6_mapped(), a.port(), 0, 0))
            }
            (_, SocketAddr::V6(a)) => Self::v6(a),
        }
    }

    fn v4(a: SocketAddrV4) -> Self {
        let mut name = Self::NONE;
        name.v4 = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: a.port().to_be(),
            // The octets in the order in which they travel, whatever the machine's.
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(a.ip().octets()) },
            sin_zero: [0; 8],
        };
        name
    }

    fn v6(a: SocketAddrV6) -> (Self, libc::socklen_t) {
        let v6 = libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as libc::sa_family_t,
            sin6_port: a.port().to_be(),
            sin6_flowinfo: a.flowinfo(),
            sin6_addr: libc::in6_addr { s6_addr: a.ip().octets() },
            sin6_scope_id: a.scope_id(),
        };
        (Self { v6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
    }

    /// The address that the kernel wrote, v4-mapped ones as IPv4. `None`: of another family.
    pub(super) fn get(&self) -> Option<SocketAddr> {
        // SAFETY: every byte of a `Name` is initialised (it starts as `NONE`, and only whole addresses are written, by
        // us or by the kernel), and both variants are plain integers that begin with the family.
        match libc::c_int::from(unsafe { self.v4.sin_family }) {
            libc::AF_INET => {
                // SAFETY: as above.
                let v4 = unsafe { self.v4 };
                let ip: IpAddr = v4.sin_addr.s_addr.to_ne_bytes().into();
                Some(SocketAddr::new(ip, u16::from_be(v4.sin_port)))
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let v6 = unsafe { self.v6 };
                let (ip, port) = (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port));
                // The flow label differs from packet to packet and is no part of who somebody is.
                Some(match ip.to_ipv4_mapped() {
                    Some(v4) => SocketAddr::new(v4.into(), port),
                    None => SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into(),
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_and_mapped_ones_as_ipv4() {
        for text in ["127.0.0.2:5", "192.0.2.255:65535", "[::1]:7", "[fe80::1%3]:9"] {
            let addr: SocketAddr = text.parse().unwrap();
            for family in [Family::V4, Family::V6] {
                let (name, len) = Name::new(family, addr);
                assert_eq!(name.get(), Some(addr));
                assert!(len <= Name::LEN);
            }
        }
        assert_eq!(Name::NONE.get(), None);
    }
}
