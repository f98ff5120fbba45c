//! A panic on the media thread ends the room that it happened in, and nothing else.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::sync::mpsc::channel;

use common::{Client, TALKS, ask, ask_with, connect, counters, report, socket, until};
use salon_host::{Host, HostConfig, HostEvent};

#[test]
fn others_on_the_same_shard_and_on_others_go_on() {
    // The hook would print a backtrace for what is meant to happen here.
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("a fault of ours") {
            eprintln!("{info}");
        }
    }));
    let mut config = HostConfig::new("127.0.0.1:0".parse().unwrap());
    config.shards = 2;
    let host = Host::start(config).unwrap();
    let handle = host.handle();
    // Six people in three rooms; the fourth room will be on the shard of one of them.
    let mut all: Vec<Client> = ["hall", "attic", "cellar"]
        .into_iter()
        .flat_map(|room| [(room, 0), (room, 1)])
        .map(|(room, label)| ask(&handle, room, label, TALKS, socket()).join())
        .collect();
    connect(&mut all);

    // Their own callback panics as soon as somebody is connected, on the media thread, in the midst of the room's events.
    let (tell, told) = channel();
    let mut bad = Vec::new();
    for label in 0..2 {
        let tell = tell.clone();
        let events = channel().1;
        let client = ask_with(&handle, "haunted", label, TALKS, socket(), events, move |event| {
            let _ = tell.send((label, event));
            if event == HostEvent::Connected {
                panic!("a fault of ours");
            }
        });
        bad.push(client.join());
    }
    let shard = report(&handle, Some("haunted")).remove(0).shard;
    assert!(report(&handle, None).iter().any(|r| r.shard == shard && r.name != "haunted"));
    let mut ended = [false; 2];
    until(&mut bad, |_| {
        for (label, event) in told.try_iter() {
            ended[label as usize] |= event == HostEvent::RoomFailed;
        }
        ended == [true; 2]
    });
    assert!(report(&handle, Some("haunted")).is_empty());

    for n in 0..20u8 {
        for (who, client) in (0..).zip(all.iter_mut()) {
            client.say(&[who, n, 3, 4]);
        }
        until(&mut all, |all| all.iter().all(|c| c.agent.heard.len() > usize::from(n)));
    }
    for (i, client) in all.iter().enumerate() {
        assert!(client.agent.heard.iter().all(|p| usize::from(p[0]) == i ^ 1));
        assert!(!client.told().contains(&HostEvent::RoomFailed));
    }
    let c = counters(&handle);
    assert_eq!((c.failed_rooms, c.rooms_now, c.participants_now), (1, 3, 6));
    // And the name is free again.
    let again = ask(&handle, "haunted", 9, TALKS, socket()).join();
    connect(&mut [again]);
}
