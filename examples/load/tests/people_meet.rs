//! A few people in a room of a real server: whoever sends is heard and seen by all others.

#![allow(clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{start, until};
use load::{Figures, Fleet, Plan, Timing, run};
use std::time::Duration;

#[test]
fn three_people_hear_and_see_each_other_and_leave() {
    let server = start();
    let plan = Plan { tiles: 2, join_every: Duration::ZERO, ..Plan::new(&server.url) };
    let mut fleet = Fleet::new(plan).unwrap();
    until(&mut fleet, Fleet::all_are_here);
    until(&mut fleet, Fleet::everybody_has_met);
    fleet.leave();
    until(&mut fleet, Fleet::is_empty);
    assert_eq!(fleet.failures().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn who_cannot_come_says_why() {
    let server = start();
    let mut plan = Plan { tiles: 2, join_every: Duration::ZERO, ..Plan::new(&server.url) };
    // No room may be called so.
    plan.room_name = "..".to_owned();
    let mut fleet = Fleet::new(plan).unwrap();
    until(&mut fleet, Fleet::all_are_here);
    assert_eq!(fleet.failures().count(), 3);
    assert!(fleet.failures().all(|why| why.contains("404")), "{:?}", fleet.failures().collect::<Vec<_>>());
}

#[test]
fn a_run_reports_what_came_of_what_was_sent() {
    let server = start();
    let plan = Plan { people: 2, publishers: 1, one_way: true, tiles: 0, ..Plan::new(&server.url) };
    let timing =
        Timing { settle: Duration::from_millis(500), measure: Duration::from_secs(2), ..Timing::default() };
    let mut news = Vec::new();
    let report = run(plan, timing, &Figures::default(), &mut |line| news.push(line.to_owned())).unwrap();
    assert_eq!((report.connected, report.failures.len(), news.len()), (2, 0, 2));
    // On loopback nothing is lost unless the machine is very busy; what is lost is said to be.
    for stream in [report.sound, report.picture] {
        assert!(stream.received > 0 && stream.expected == stream.received + stream.lost, "{stream:?}");
        assert!(stream.delay.count > 0 && stream.delay.p50 <= stream.delay.p99);
    }
    assert!(report.tiles.shown == 1 && report.tiles.frames > 0, "{:?}", report.tiles);
    assert_eq!(report.join.connected.count, 2);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["tiles"]["shown"], 1);
    assert!(report.to_string().contains("speech heard"));
}
