//! WHIP and WHEP against a real server: whoever sends is heard and seen by all who receive.

#![allow(clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{start, until};
use load::{Fleet, Plan, Target};
use std::time::Duration;

#[test]
fn two_who_send_by_whip_are_heard_and_seen_by_three_who_receive_by_whep_and_all_sessions_end() {
    let server = start();
    let target = Target::Sessions {
        whip: Some(format!("{}whip/{{room}}?name={{name}}", server.url)),
        whep: Some(format!("{}whep/{{room}}", server.url)),
        token: None,
    };
    let plan = Plan {
        target,
        people: 5,
        publishers: 2,
        one_way: true,
        tiles: 1,
        join_every: Duration::ZERO,
        ..Plan::new(&server.url)
    };
    let mut fleet = Fleet::new(plan).unwrap();
    until(&mut fleet, Fleet::all_are_here);
    until(&mut fleet, Fleet::everybody_has_met);
    fleet.leave();
    until(&mut fleet, Fleet::is_empty);
    assert_eq!(fleet.failures().collect::<Vec<_>>(), [""; 0]);
}
