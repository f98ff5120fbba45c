//! Connections that end while their people stay, and a server that takes its leave.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;
mod peer;

use common::{CHROMIUM, Client, Running, start};
use peer::Peer;
use salon_server::Config;
use serde_json::{Value, json};
use std::time::Duration;
use str0m::format::Codec;

/// Somebody of the room protocol with real media, which `offer` begins; connected unless it cannot be. The `welcome` too.
async fn sends(running: &Running, peer: &Peer, offer: &str) -> (Client, Value) {
    let mut client = running.socket("town-hall").await;
    let mids: Vec<&str> = offer.lines().filter_map(|line| line.strip_prefix("a=mid:")).collect();
    let sources = json!({mids[0]: "microphone", mids[1]: "camera"});
    client.send(json!({"type": "join", "name": "Grace", "sdp": offer, "sources": sources})).await;
    let welcome = client.next_of("welcome").await;
    peer.accept(welcome["sdp"].as_str().unwrap());
    (client, welcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_the_media_has_left_and_may_come_back() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    for socket_is_lost in [false, true] {
        let mut peer = Peer::publisher(Codec::Vp8);
        let (mut grace, welcome) = sends(&running, &peer, &peer.offer).await;
        ada.next_of("joined").await;
        peer.until("connected", |seen| seen.connected).await;
        grace.next_of("media").await;
        if socket_is_lost {
            drop(grace);
            let changed = ada.next_of("changed").await;
            assert_eq!(changed["person"]["away"], true, "the seat is kept while the media live");
            peer.hang_up();
        } else {
            peer.hang_up();
            assert_eq!(grace.error().await, "media-closed");
        }
        let left = ada.next_of("left").await;
        assert_eq!((&left["id"], &left["reason"]), (&welcome["id"], &json!("left")));
        let mut again = running.socket("town-hall").await;
        again.send(json!({"type": "resume", "token": welcome["token"]})).await;
        assert_eq!(again.error().await, "not-here");
        again.join("Grace").await;
        ada.next_of("joined").await;
        again.send(json!({"type": "leave"})).await;
        ada.next_of("left").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn media_that_cannot_be_set_up_are_told_as_that() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let peer = Peer::publisher(Codec::Vp8);
    // Of another certificate than the one that it will show.
    let (before, print) = peer.offer.split_once("a=fingerprint:sha-256 ").unwrap();
    let first = if print.starts_with('0') { "1" } else { "0" };
    let offer = format!("{before}a=fingerprint:sha-256 {first}{}", &print[1..]);
    let (mut grace, _) = sends(&running, &peer, &offer).await;
    assert_eq!(grace.error().await, "media-failed");
    assert_eq!(ada.next_of("left").await["reason"], "lost");
}

#[tokio::test]
async fn another_connection_takes_over_and_the_others_notice_nothing() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let (mut before, one) = running.join("town-hall", "Grace").await;
    ada.next_of("joined").await;
    let mut after = running.socket("town-hall").await;
    after.send(json!({"type": "resume", "token": one["token"]})).await;
    let resumed = after.next_of("resumed").await;
    assert_eq!(
        (&resumed["id"], &resumed["boot"], &resumed["media"]),
        (&one["id"], &one["boot"], &one["media"])
    );
    assert_eq!(resumed["people"][0]["name"], "Ada");
    assert_eq!(resumed["people"].as_array().unwrap().len(), 1);
    assert_eq!(before.error().await, "replaced");
    // What is said and done by it is hers.
    after.send(json!({"type": "chat", "text": "me again"})).await;
    let next = ada.next().await.unwrap();
    assert_eq!(
        (&next["type"], &next["from"]),
        (&json!("chat"), &one["id"]),
        "neither left nor joined: {next}"
    );
    after.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    after.next_of("answer").await;
    after.send(json!({"type": "leave"})).await;
    assert_eq!(ada.next_of("left").await["id"], one["id"]);
}

#[tokio::test]
async fn a_token_that_nobody_has_takes_over_nobody() {
    let running = start(Config::default()).await;
    let (mut ada, one) = running.join("town-hall", "Ada").await;
    let mut other = running.socket("other-room").await;
    other.send(json!({"type": "resume", "token": one["token"]})).await;
    assert_eq!(other.error().await, "not-here", "a token is of its room");
    let mut stranger = running.socket("town-hall").await;
    for token in [json!(""), json!("0".repeat(32))] {
        stranger.send(json!({"type": "resume", "token": token})).await;
        assert_eq!(stranger.error().await, "not-here");
    }
    stranger.send(json!({"type": "resume"})).await;
    assert_eq!(stranger.error().await, "bad-message");
    stranger.join("Eve").await;
    stranger.send(json!({"type": "resume", "token": one["token"]})).await;
    assert_eq!(stranger.error().await, "already-joined");
    ada.is_well().await;
}

#[tokio::test]
async fn a_server_that_drains_lets_nobody_in_and_waits_for_those_who_are_there() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let mut late = running.socket("town-hall").await;
    let server = running.server.clone();
    let drained = tokio::spawn(async move {
        server.drain(Duration::from_secs(600)).await;
        server.shutdown();
    });
    assert_eq!(ada.next_of("drain").await["seconds"], 600);
    late.send(json!({"type": "join", "name": "Late", "sdp": CHROMIUM})).await;
    assert_eq!(late.error().await, "draining");
    ada.is_well().await;
    assert!(!drained.is_finished());
    ada.send(json!({"type": "leave"})).await;
    // Nobody is there any more: no need to wait for ten minutes.
    drained.await.unwrap();
    assert_eq!(late.closed().await, (1001, "shutdown".into()));
}

#[tokio::test]
async fn a_server_that_drains_waits_as_long_as_it_said_and_no_longer() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let time = Duration::from_secs(1);
    let began = std::time::Instant::now();
    running.server.drain(time).await;
    assert!(began.elapsed() >= time);
    // It is for its owner to stop it now.
    ada.is_well().await;
    running.server.shutdown();
    assert_eq!(ada.closed().await, (1001, "shutdown".into()));
}
