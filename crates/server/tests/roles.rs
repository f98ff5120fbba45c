//! Keys and roles: who may come in, and what moderators may.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{CHROMIUM, Client, Running, request, start};
use salon_server::{Config, Needed, Role, RoomName};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "the moderator's key";

async fn moderated() -> Running {
    start(Config { moderator_key: Some(KEY.into()), ..Config::default() }).await
}

fn hall() -> RoomName {
    RoomName::parse("hall").unwrap()
}

/// Joins with a key; gives the first answer that is no ping.
async fn with_key(running: &Running, name: &str, key: &str) -> (Client, Value) {
    let mut client = running.socket("hall").await;
    client.send(json!({"type": "join", "name": name, "sdp": CHROMIUM, "key": key})).await;
    let answer = client.next().await.unwrap();
    (client, answer)
}

#[tokio::test]
async fn the_key_makes_a_moderator_and_everybody_sees_it() {
    let running = moderated().await;
    let (_ada, welcome) = with_key(&running, "Ada", KEY).await;
    assert_eq!((&welcome["role"], &welcome["locked"]), (&json!("moderator"), &json!(false)));
    let (mut grace, second) = running.join("hall", "Grace").await;
    assert_eq!((&second["role"], &second["people"][0]["role"]), (&json!("member"), &json!("moderator")));
    let (_, refused) = with_key(&running, "Eve", "the moderator's kex").await;
    assert_eq!((&refused["code"], &refused["re"]), (&json!("bad-key"), &json!("join")));
    grace.is_well().await;
}

#[tokio::test]
async fn where_a_key_is_needed_a_token_opens_for_its_role_and_name() {
    let config = Config { key_needed: Needed::In(vec![hall()]), ..Config::default() };
    let running = start(config).await;
    let mut stranger = running.socket("hall").await;
    stranger.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await;
    assert_eq!(stranger.error().await, "key-needed");
    running.join("elsewhere", "Eve").await;
    let hour = Duration::from_secs(3600);
    let token = running.server.token(Some(&hall()), Role::Member, Some("Grace".into()), hour).unwrap();
    let (_grace, welcome) = with_key(&running, "Not Grace", &token).await;
    assert_eq!((&welcome["name"], &welcome["role"]), (&json!("Grace"), &json!("member")));
    let other = running.server.token(Some(&RoomName::parse("attic").unwrap()), Role::Moderator, None, hour);
    assert_eq!(with_key(&running, "Eve", &other.unwrap()).await.1["text"], "The key is for another room.");
}

#[tokio::test]
async fn a_listener_sends_nothing_and_still_hears_and_writes() {
    let running = start(Config::default()).await;
    let token = running.server.token(None, Role::Listener, None, Duration::from_secs(60)).unwrap();
    let (mut ada, welcome) = with_key(&running, "Ada", &token).await;
    assert_eq!((&welcome["role"], &welcome["tracks"]), (&json!("listener"), &json!({})));
    ada.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    assert_eq!(ada.next_of("answer").await["tracks"], json!({}), "nor later");
    ada.send(json!({"type": "chat", "text": "I am here"})).await;
    assert_eq!(ada.next_of("chat").await["text"], "I am here");
    let (_grace, second) = running.join("hall", "Grace").await;
    assert_eq!(second["people"][0]["sources"], json!([]));
}

#[tokio::test]
async fn a_moderator_removes_mutes_and_ends() {
    let running = moderated().await;
    let (mut ada, _) = with_key(&running, "Ada", KEY).await;
    let (mut grace, two) = running.join("hall", "Grace").await;
    let (mut eve, three) = running.join("hall", "Eve").await;
    ada.send(json!({"type": "hush", "person": two["id"], "source": "microphone"})).await;
    assert_eq!(grace.next_of("hushed").await["source"], "microphone");
    let changed = eve.next_of("changed").await;
    assert_eq!((&changed["person"]["id"], &changed["person"]["muted"]), (&two["id"], &json!(["microphone"])));
    // Whoever was muted may speak again: only they know what their microphone hears.
    grace.send(json!({"type": "mute", "source": "microphone", "muted": false})).await;
    assert_eq!(eve.next_of("changed").await["person"]["muted"], json!([]));
    // Nor does a moderator lift such a mute.
    ada.send(json!({"type": "hush", "person": two["id"], "source": "microphone"})).await;
    assert_eq!(eve.next_of("changed").await["person"]["muted"], json!(["microphone"]));
    ada.send(json!({"type": "hush", "person": two["id"], "source": "microphone", "lift": true})).await;
    assert_eq!(ada.error().await, "not-allowed");
    grace.send(json!({"type": "mute", "source": "microphone", "muted": false})).await;
    assert_eq!(eve.next_of("changed").await["person"]["muted"], json!([]), "her own word is the next");
    ada.send(json!({"type": "hush", "source": "microphone"})).await;
    for client in [&mut grace, &mut eve] {
        client.next_of("hushed").await;
    }
    ada.send(json!({"type": "remove", "person": three["id"]})).await;
    assert_eq!(eve.error().await, "removed");
    let left = grace.next_of("left").await;
    assert_eq!((&left["id"], &left["reason"]), (&three["id"], &json!("removed")));
    ada.send(json!({"type": "end"})).await;
    for client in [&mut ada, &mut grace] {
        assert_eq!(client.error().await, "ended");
    }
}

#[tokio::test]
async fn at_a_locked_door_one_knocks_and_is_let_in_or_not() {
    let running = moderated().await;
    let (mut ada, _) = with_key(&running, "Ada", KEY).await;
    let (mut grace, two) = running.join("hall", "Grace").await;
    ada.send(json!({"type": "lock", "locked": true})).await;
    assert_eq!(grace.next_of("locked").await["locked"], true);

    let mut eve = running.socket("hall").await;
    eve.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await;
    assert_eq!(eve.next_of("waiting").await["moderators"], 1);
    eve.send(json!({"type": "chat", "text": "let me in"})).await;
    assert_eq!(eve.error().await, "not-joined");
    eve.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await;
    assert_eq!(eve.error().await, "already-joined");
    let knock = ada.next_of("knock").await;
    assert_eq!(knock["name"], "Eve");
    ada.send(json!({"type": "admit", "knock": knock["id"], "admit": false})).await;
    assert_eq!(eve.error().await, "not-admitted");
    ada.next_of("knock-over").await;

    // She tries again, and goes away before anybody answers.
    eve.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await;
    let again = ada.next_of("knock").await;
    drop(eve);
    assert_eq!(ada.next_of("knock-over").await["id"], again["id"]);
    ada.send(json!({"type": "admit", "knock": again["id"], "admit": true})).await;

    let mut alan = running.socket("hall").await;
    alan.send(json!({"type": "join", "name": "Alan", "sdp": CHROMIUM})).await;
    alan.next_of("waiting").await;
    let knock = ada.next_of("knock").await;
    // Another moderator finds him at the door.
    let (_alonzo, third) = with_key(&running, "Alonzo", KEY).await;
    assert_eq!((&third["locked"], &third["knocks"][0]["name"]), (&json!(true), &json!("Alan")));
    ada.send(json!({"type": "admit", "knock": knock["id"], "admit": true})).await;
    alan.next_of("welcome").await;

    // Who comes back was in already.
    let mut back = running.socket("hall").await;
    back.send(json!({"type": "join", "name": "Grace", "sdp": CHROMIUM, "replaces": two["token"]})).await;
    assert_eq!(back.next().await.unwrap()["type"], "welcome");

    // An open door lets in all who wait.
    let mut last = running.socket("hall").await;
    last.send(json!({"type": "join", "name": "Last", "sdp": CHROMIUM})).await;
    last.next_of("waiting").await;
    ada.send(json!({"type": "lock", "locked": false})).await;
    last.next_of("welcome").await;
}

#[tokio::test]
async fn a_room_that_ends_while_somebody_knocks_lets_them_in() {
    let running = moderated().await;
    let (mut ada, _) = with_key(&running, "Ada", KEY).await;
    ada.send(json!({"type": "lock", "locked": true})).await;
    ada.next_of("locked").await;
    let mut eve = running.socket("hall").await;
    eve.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await;
    eve.next_of("waiting").await;
    ada.send(json!({"type": "leave"})).await;
    assert_eq!(eve.next_of("welcome").await["people"], json!([]));
}

/// Each attempt has its named refusal, and disturbs nobody.
#[tokio::test]
async fn what_nobody_may() {
    let running = moderated().await;
    let (mut ada, one) = with_key(&running, "Ada", KEY).await;
    let (mut eve, _) = running.join("hall", "Eve").await;
    let attempts = [
        json!({"type": "remove", "person": one["id"]}),
        json!({"type": "hush", "person": one["id"], "source": "microphone"}),
        json!({"type": "hush", "source": "camera"}),
        json!({"type": "hush", "person": one["id"], "source": "microphone", "lift": true}),
        json!({"type": "lock", "locked": true}),
        json!({"type": "admit", "knock": 1, "admit": true}),
        json!({"type": "end"}),
    ];
    for attempt in attempts {
        eve.send(attempt.clone()).await;
        let error = eve.next_of("error").await;
        assert_eq!((&error["code"], &error["re"]), (&json!("not-allowed"), &attempt["type"]), "{attempt}");
    }
    // A role is what the server says, never what the message says.
    eve.send(json!({"type": "lock", "locked": true, "role": "moderator", "by": one["id"], "key": KEY})).await;
    assert_eq!(eve.error().await, "not-allowed");
    let mut stranger = running.socket("hall").await;
    stranger.send(json!({"type": "end"})).await;
    assert_eq!(stranger.error().await, "not-joined");
    ada.is_well().await;
    // A moderator of one room is none of another.
    let (mut other, _) = running.join("other", "Other").await;
    ada.send(json!({"type": "end"})).await;
    assert_eq!(ada.error().await, "ended");
    other.is_well().await;
}

#[tokio::test]
async fn the_administrator_makes_tokens_and_nobody_else_does() {
    let running = start(Config { admin_token: Some("s3cret".into()), ..Config::default() }).await;
    let post = async |path: &str, token: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
        let answer = request(running.address, "POST", path, &headers, body).await;
        (answer.status, answer.body)
    };
    let (status, body) =
        post("/api/rooms/hall/tokens", "s3cret", r#"{"role": "moderator", "seconds": 60}"#).await;
    assert_eq!(status, 200, "{body}");
    let token: Value = serde_json::from_str(&body).unwrap();
    let (_ada, welcome) = with_key(&running, "Ada", token["token"].as_str().unwrap()).await;
    assert_eq!(welcome["role"], "moderator");
    for (path, token, body, expected) in [
        ("/api/rooms/hall/tokens", "guess", r#"{"role": "moderator", "seconds": 60}"#, 401),
        ("/api/rooms/.git/tokens", "s3cret", r#"{"role": "moderator", "seconds": 60}"#, 404),
        ("/api/rooms/*/tokens", "s3cret", r#"{"role": "member", "seconds": 60}"#, 200),
        ("/api/rooms/hall/tokens", "s3cret", r#"{"role": "king", "seconds": 60}"#, 422),
        ("/api/rooms/hall/tokens", "s3cret", r#"{"role": "member", "seconds": 0}"#, 400),
        ("/api/rooms/hall/tokens", "s3cret", r#"{"role": "member", "seconds": 18446744073709551615}"#, 400),
        ("/api/rooms/hall/tokens", "s3cret", r#"{"role": "member", "seconds": 60, "name": "a\nb"}"#, 400),
        ("/api/rooms/hall/tokens", "s3cret", "{", 400),
    ] {
        assert_eq!(post(path, token, body).await.0, expected, "{path} {token} {body}");
    }
}

/// RFC 9725 §4.7: the same keys open the same doors to clients without a page.
#[tokio::test]
async fn whip_and_whep_need_the_same_keys() {
    let config = Config {
        moderator_key: Some(KEY.into()),
        key_needed: Needed::In(vec![RoomName::parse("council").unwrap()]),
        ..Config::default()
    };
    let running = start(config).await;
    let token = |room: &str, role, seconds| {
        let room = RoomName::parse(room).unwrap();
        running.server.token(Some(&room), role, Some("Ada".into()), Duration::from_secs(seconds)).unwrap()
    };
    let post = async |path: &str, key: &str| {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("Content-Type", "application/sdp")];
        if !key.is_empty() {
            headers.push(("Authorization", &bearer));
        }
        let offer = match path.starts_with("/whip") {
            true => CHROMIUM.to_owned(),
            false => CHROMIUM.replace("a=sendonly", "a=recvonly"),
        };
        let answer = request(running.address, "POST", path, &headers, &offer).await;
        if answer.status == 401 {
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        answer.status
    };
    let (member, listener) = (token("council", Role::Member, 60), token("council", Role::Listener, 60));
    let elsewhere = token("attic", Role::Moderator, 60);
    for (path, key, expected) in [
        ("/whip/council", "", 401),
        ("/whip/council", "guess", 401),
        ("/whip/council", elsewhere.as_str(), 401),
        ("/whip/council", member.as_str(), 201),
        ("/whip/council", listener.as_str(), 403),
        ("/whep/council", "", 401),
        ("/whep/council", listener.as_str(), 201),
        ("/whip/council", KEY, 201),
        ("/whip/attic", "", 201),
        ("/whip/attic", "guess", 401),
    ] {
        assert_eq!(post(path, key).await, expected, "{path} {key}");
    }
    // The name is the token's, also where the query gives another.
    assert_eq!(post("/whip/attic?name=Eve", &elsewhere).await, 201);
    let (mut ada, welcome) = running.join("attic", "Grace").await;
    let names: Vec<&str> =
        welcome["people"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["WHIP", "Ada"]);
    assert_eq!(welcome["people"][1]["role"], "moderator");
    // A locked room has no ear for those who cannot knock.
    let mut moderator = running.socket("attic").await;
    moderator.send(json!({"type": "join", "name": "Mod", "sdp": CHROMIUM, "key": KEY})).await;
    moderator.next_of("welcome").await;
    moderator.send(json!({"type": "lock", "locked": true})).await;
    ada.next_of("locked").await;
    assert_eq!(post("/whip/attic", "").await, 403);
    assert_eq!(post("/whep/attic", KEY).await, 201);
    // And who publishes so can be removed.
    moderator.send(json!({"type": "remove", "person": welcome["people"][0]["id"]})).await;
    assert_eq!(ada.next_of("left").await["id"], welcome["people"][0]["id"]);
}
