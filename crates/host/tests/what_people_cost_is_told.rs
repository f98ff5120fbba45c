//! What each participant and each room has cost: packets and bytes to the last one, the processor's time never above what was used.
#![allow(missing_docs)]

mod common;

use std::time::{Duration, Instant};

use common::{Bring, Client, ask, connect, counters, report, socket, until};
use salon_host::{Allocated, Host, HostConfig, PeerReport, Spent};

fn meter(call: &mut dyn FnMut()) -> Allocated {
    let counted = allocation_counter::measure(call);
    Allocated { count: counted.count_total, bytes: counted.bytes_total }
}

/// One who shows and says something, and two who see and hear it.
fn three(handle: &salon_host::Handle, room: &str) -> Vec<Client> {
    let shows = Bring { camera: true, microphone: true, ..Bring::default() };
    let sees = Bring { eye: true, ear: true, ..Bring::default() };
    let mut clients: Vec<Client> =
        [shows, sees, sees].iter().zip(0..).map(|(b, n)| ask(handle, room, n, *b, socket()).join()).collect();
    connect(&mut clients);
    clients
}

fn spent(peers: &[PeerReport], label: usize) -> Spent {
    peers.iter().find(|p| p.label == label as u64).map(|p| p.spent).unwrap_or_default()
}

#[test]
fn packets_and_bytes_are_exact_and_no_more_time_is_shared_out_than_was_used() {
    let began = Instant::now();
    let mut config = HostConfig::new(([127, 0, 0, 1], 0).into());
    config.shards = 2;
    config.meter = Some(meter);
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    let (mut hall, mut attic) = (three(&handle, "hall"), three(&handle, "attic"));
    for _ in 0..100 {
        for clients in [&mut hall, &mut attic] {
            clients[0].show(7, 900);
            clients[0].say(&[1; 80]);
            clients.iter_mut().for_each(Client::drive);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // Reports still come and go: at some moment nothing is on its way.
    until(&mut hall, |clients| {
        let reports = report(&handle, Some("hall"));
        let Some(of) = reports.first() else { return false };
        clients.iter().enumerate().all(|(n, client)| {
            let spent = spent(&of.peers, n);
            let ways = ((spent.packets_in, spent.bytes_in), (spent.packets_out, spent.bytes_out));
            ways == (client.agent.left, client.came)
        })
    });
    let received = hall[1].came;
    assert!(received.0 >= 700 && received.1 >= 700 * 900, "{received:?}");

    let counted = counters(&handle);
    let mut rooms = Duration::ZERO;
    for report in report(&handle, None) {
        let mut sum = Spent::default();
        for peer in &report.peers {
            assert!(peer.spent.cpu > Duration::ZERO && peer.spent.allocations > 0, "{peer:?}");
            sum.add(&peer.spent);
        }
        assert!(sum.cpu <= report.spent.cpu && sum.allocations <= report.spent.allocations);
        assert_eq!((sum.packets_in, sum.bytes_in), (report.spent.packets_in, report.spent.bytes_in));
        assert_eq!((sum.packets_out, sum.bytes_out), (report.spent.packets_out, report.spent.bytes_out));
    }
    for room in &counted.dearest {
        assert_eq!(room.participants, 3);
        rooms += room.spent.cpu;
    }
    assert_eq!((counted.dearest.len(), counted.spent.cpu), (2, rooms));
    assert_eq!(counted.cpu, counted.shards.iter().map(|shard| shard.cpu).sum::<Duration>());
    assert!(rooms <= counted.cpu, "{rooms:?} of {:?}", counted.cpu);
    assert!(counted.cpu <= began.elapsed() * 2, "two threads use no more");
    println!("rooms {rooms:?} of {:?}", counted.cpu);
    let before = counters(&handle);
    assert_eq!(before.spent.packets_in, before.rooms.rtp_in + before.rooms.rtcp_in);
    assert_eq!(before.spent.packets_out, before.rooms.rtp_out + before.rooms.rtx_out + before.rooms.rtcp_out);

    // What a room cost stays in the sum when everybody has left.
    for client in hall.iter().chain(&attic) {
        handle.leave(client.joined.member);
    }
    let after = counters(&handle);
    assert!(after.dearest.is_empty());
    assert!(after.spent.packets_out >= before.spent.packets_out && after.spent.cpu >= before.spent.cpu);
}
