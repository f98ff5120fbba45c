//! A socket bound to a wildcard answers from the address that was asked.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use salon_udp::{Options, RecvBatch, SendBatch, Socket};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

/// Asks at each address by a connected socket, which hears answers from that address only.
fn ask_at(socket: &Socket, own: &[IpAddr]) {
    let (mut received, mut batch) = (RecvBatch::new(), SendBatch::new());
    let port = socket.local_addr().port();
    let clients: Vec<_> = own
        .iter()
        .map(|&ip| {
            let any: IpAddr = if ip.is_ipv4() { [127, 0, 0, 1].into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let client = UdpSocket::bind((any, 0)).unwrap();
            client.connect((ip, port)).unwrap();
            client.set_read_timeout(PATIENCE).unwrap();
            client.send(ip.to_string().as_bytes()).unwrap();
            client
        })
        .collect();
    let mut answered = 0;
    while answered < own.len() {
        assert!(socket.wait(PATIENCE, false).unwrap().readable);
        socket.recv(&mut received).unwrap();
        for (meta, datagram) in received.iter_mut() {
            let asked: IpAddr = std::str::from_utf8(datagram).unwrap().parse().unwrap();
            assert_eq!(meta.local, SocketAddr::new(asked, port));
            assert_eq!(meta.remote.is_ipv4(), asked.is_ipv4(), "a mapped address is shown as IPv4");
            let out = batch.slot(Some(meta.local.ip()), meta.remote).unwrap();
            out[..datagram.len()].copy_from_slice(datagram);
            batch.commit(datagram.len());
            answered += 1;
        }
    }
    let flushed = socket.flush(&mut batch);
    assert_eq!((flushed.sent, flushed.blocked, flushed.refused), (own.len(), false, 0));
    for (client, ip) in clients.iter().zip(own) {
        let mut buffer = [0; 64];
        let n = client.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], ip.to_string().as_bytes());
    }
}

fn v4() -> Vec<IpAddr> {
    (1..=5).map(|i| IpAddr::from([127, 0, 0, i])).collect()
}

/// ::1 and the global addresses of this machine, from the table of the kernel.
fn v6() -> Vec<IpAddr> {
    std::fs::read_to_string("/proc/net/if_inet6")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let ip = IpAddr::V6(u128::from_str_radix(line.get(..32)?, 16).ok()?.into());
            // Not those of one link, which need its name.
            UdpSocket::bind((ip, 0)).is_ok().then_some(ip)
        })
        .collect()
}

#[test]
fn over_ipv4() {
    let socket = Socket::bind(([0, 0, 0, 0], 0).into(), Options::default()).unwrap();
    ask_at(&socket, &v4());
}

#[test]
fn over_ipv6() {
    let own = v6();
    let Some(&first) = own.first() else { return println!("skipped over_ipv6: no IPv6 here") };
    println!("{own:?}");
    ask_at(&Socket::bind((Ipv6Addr::UNSPECIFIED, 0).into(), Options::default()).unwrap(), &own);
    ask_at(&Socket::bind((first, 0).into(), Options::default()).unwrap(), &[first]);
}

#[test]
fn over_a_link_local_address() {
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let own = table.lines().find_map(|line| {
        let ip = Ipv6Addr::from(u128::from_str_radix(line.get(..32)?, 16).ok()?);
        let scope = u32::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()?;
        let addr = SocketAddrV6::new(ip, 0, 0, scope);
        (ip.is_unicast_link_local() && UdpSocket::bind(addr).is_ok()).then_some(addr)
    });
    let Some(mut own) = own else { return println!("skipped over_a_link_local_address: there is none here") };
    let socket = Socket::bind((Ipv6Addr::UNSPECIFIED, 0).into(), Options::default()).unwrap();
    let client = UdpSocket::bind(own).unwrap();
    client.set_read_timeout(PATIENCE).unwrap();
    own.set_port(socket.local_addr().port());
    client.connect(own).unwrap();
    client.send(b"question").unwrap();
    let (mut received, mut batch) = (RecvBatch::new(), SendBatch::new());
    assert!(socket.wait(PATIENCE, false).unwrap().readable);
    assert_eq!(socket.recv(&mut received).unwrap(), 1);
    for (meta, _) in received.iter_mut() {
        assert_eq!((meta.local.ip(), meta.remote), ((*own.ip()).into(), client.local_addr().unwrap()));
        batch.slot(Some(meta.local.ip()), meta.remote).unwrap()[..6].copy_from_slice(b"answer");
        batch.commit(6);
    }
    let flushed = socket.flush(&mut batch);
    assert_eq!((flushed.sent, flushed.blocked, flushed.refused), (1, false, 0));
    assert_eq!(client.recv(&mut [0; 9]).unwrap(), 6);
}

#[test]
fn over_both_by_one_socket() {
    let Ok(socket) = Socket::bind((Ipv6Addr::UNSPECIFIED, 0).into(), Options::default()) else {
        return println!("skipped over_both_by_one_socket: no IPv6 here");
    };
    ask_at(&socket, &[v4(), v6()].concat());
}

#[test]
fn the_system_chooses_where_nobody_says() {
    let socket = Socket::bind(([0, 0, 0, 0], 0).into(), Options::default()).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(PATIENCE).unwrap();
    let mut batch = SendBatch::new();
    for from in [None, Some(IpAddr::from([0, 0, 0, 0]))] {
        batch.slot(from, client.local_addr().unwrap()).unwrap()[..2].copy_from_slice(b"hi");
        batch.commit(2);
    }
    assert_eq!(socket.flush(&mut batch).sent, 2);
    for _ in 0..2 {
        let (n, from) = client.recv_from(&mut [0; 9]).unwrap();
        assert_eq!((n, from), (2, ([127, 0, 0, 1], socket.local_addr().port()).into()));
    }
}
