//! The addresses of the server that an answer names.

use crate::arrival::Arrival;
use crate::limits::CANDIDATES;
use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a client may send its media, best first: the public addresses if any are configured, else the address by which its
/// HTTP connection came and the machine's own (IPv4 first); loopback only for a client on this machine, which is told the machine's own
/// ones too: a Firefox page without microphone gathers its default-route address alone, and reaches loopback from there never.
pub(crate) fn candidates(
    public: &[IpAddr],
    arrival: Option<Arrival>,
    proxied: bool,
    machine: &[IpAddr],
    port: u16,
) -> Vec<SocketAddr> {
    // A reverse proxy on loopback stands for a client that is elsewhere.
    let beside_us = arrival.is_some_and(|arrival| arrival.is_loopback()) && !proxied;
    let mut found: Vec<IpAddr> = public.iter().map(IpAddr::to_canonical).collect();
    if beside_us {
        found.extend(arrival.and_then(|arrival| arrival.local_ip()));
        found.push(Ipv4Addr::LOCALHOST.into());
        found.push(Ipv6Addr::LOCALHOST.into());
    }
    if public.is_empty() || beside_us {
        let local = arrival.and_then(|arrival| arrival.local_ip());
        let mut own: Vec<IpAddr> = machine.to_vec();
        own.sort_by_key(IpAddr::is_ipv6);
        found.extend(local.into_iter().chain(own).filter(reachable));
    }
    let mut unique: Vec<SocketAddr> = Vec::new();
    for ip in found {
        let address = SocketAddr::new(ip, port);
        if !unique.contains(&address) && unique.len() < CANDIDATES {
            unique.push(address);
        }
    }
    unique
}

/// Whether somebody else could reach this address at all.
fn reachable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || ip.is_multicast())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast())
        }
    }
}

/// Whether a proxy says that it speaks for somebody else (RFC 7239, and the older custom). Only ever narrows what a client is told.
pub(crate) fn is_proxied(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
}

/// The machine's own addresses that others may reach, IPv4 first.
pub fn machine_addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
        .map(|interfaces| interfaces.iter().map(if_addrs::Interface::ip).filter(reachable).collect())
        .unwrap_or_default();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: &str = "192.168.1.20";
    const LAN6: &str = "2001:db8::20";

    fn arrival(local: &str, remote: &str) -> Option<Arrival> {
        Some(Arrival {
            local: Some(SocketAddr::new(ip(local), 80)),
            remote: Some(SocketAddr::new(ip(remote), 5000)),
            tls: false,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn told(public: &[&str], arrival: Option<Arrival>, proxied: bool) -> Vec<String> {
        let public: Vec<IpAddr> = public.iter().map(|text| ip(text)).collect();
        let machine = [ip(LAN6), ip("fe80::1"), ip(LAN), ip("10.0.0.2"), ip("127.0.0.1"), ip("169.254.1.1")];
        candidates(&public, arrival, proxied, &machine, 8080).iter().map(|a| a.ip().to_string()).collect()
    }

    #[test]
    fn a_neighbour_is_told_the_address_that_it_used_first() {
        assert_eq!(told(&[], arrival("10.0.0.2", "10.0.0.9"), false), ["10.0.0.2", LAN, LAN6]);
        assert_eq!(told(&[], arrival("::ffff:10.0.0.2", "::ffff:10.0.0.9"), false), ["10.0.0.2", LAN, LAN6]);
    }

    #[test]
    fn loopback_is_told_to_loopback_only_and_the_own_address_beside_it() {
        assert_eq!(
            told(&[], arrival("127.0.0.1", "127.0.0.1"), false),
            ["127.0.0.1", "::1", LAN, "10.0.0.2", LAN6]
        );
        assert_eq!(told(&[], arrival("::1", "::1"), false), ["::1", "127.0.0.1", LAN, "10.0.0.2", LAN6]);
        assert_eq!(
            told(&[], arrival("127.0.0.1", "127.0.0.1"), true),
            [LAN, "10.0.0.2", LAN6],
            "behind a proxy"
        );
    }

    #[test]
    fn public_addresses_replace_the_others() {
        assert_eq!(told(&["203.0.113.7"], arrival("10.0.0.2", "198.51.100.1"), false), ["203.0.113.7"]);
        assert_eq!(told(&["203.0.113.7"], arrival("127.0.0.1", "127.0.0.1"), true), ["203.0.113.7"]);
    }

    #[test]
    fn nothing_known_about_the_connection() {
        assert_eq!(told(&[], None, false), [LAN, "10.0.0.2", LAN6]);
    }

    #[test]
    fn there_is_a_bound() {
        let machine: Vec<IpAddr> = (0..200).map(|n| Ipv4Addr::new(10, 0, 0, n).into()).collect();
        assert_eq!(candidates(&[], None, false, &machine, 1).len(), CANDIDATES);
    }
}
