//! Rooms as clients live them: joining, changing, leaving, coming back.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{CHROMIUM, start, start_with};
use salon_server::Config;
use serde_json::{Value, json};

fn ids(people: &Value) -> Vec<u64> {
    people.as_array().unwrap().iter().map(|person| person["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_offer_brings_an_answer_and_the_others_hear_of_it() {
    let running = start(Config::default()).await;
    let (mut ada, welcome) = running.join("town-hall", "  Ada ").await;
    assert_eq!(welcome["room"], "town-hall");
    assert_eq!(welcome["people"], json!([]));
    assert_eq!(welcome["refused"], json!({}));
    let sdp = welcome["sdp"].as_str().unwrap();
    for line in ["a=ice-lite", "a=fingerprint:sha-256 ", "a=ice-ufrag:", "a=candidate:", "a=setup:passive"] {
        assert!(sdp.contains(line), "{line} not in {sdp}");
    }
    assert_eq!(sdp.matches("\r\nm=").count(), CHROMIUM.matches("\nm=").count());
    let (_grace, second) = running.join("TOWN-HALL", "Grace").await;
    assert_eq!(ids(&second["people"]), [welcome["id"].as_u64().unwrap()]);
    assert_eq!(second["people"][0]["name"], "Ada");
    assert_eq!(second["boot"], welcome["boot"]);
    assert_ne!(second["token"], welcome["token"]);
    let joined = ada.next_of("joined").await;
    assert_eq!((&joined["person"]["id"], &joined["person"]["name"]), (&second["id"], &json!("Grace")));
    let (_elsewhere, third) = running.join("other-room", "Alan").await;
    assert_eq!(third["people"], json!([]));
}

#[tokio::test]
async fn loopback_clients_are_told_loopback_and_the_udp_port() {
    let running = start(Config::default()).await;
    let (_ada, welcome) = running.join("town-hall", "Ada").await;
    let media: Vec<&str> =
        welcome["media"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(media[0].starts_with("127.0.0.1:"), "{media:?}");
    let port = media[0].rsplit_once(':').unwrap().1;
    assert!(welcome["sdp"].as_str().unwrap().contains(&format!(" 127.0.0.1 {port} typ host")));
}

#[tokio::test]
async fn chat_and_hands_and_mutes_go_to_everybody() {
    let running = start(Config::default()).await;
    let (mut ada, one) = running.join("town-hall", "Ada").await;
    let (mut grace, two) = running.join("town-hall", "Grace").await;
    ada.send(json!({"type": "chat", "text": "<b>bonjour</b>", "from": two["id"]})).await;
    for client in [&mut ada, &mut grace] {
        let chat = client.next_of("chat").await;
        assert_eq!(
            (&chat["from"], &chat["text"]),
            (&one["id"], &json!("<b>bonjour</b>")),
            "who says it is not for the message to say"
        );
        assert!(chat["at"].as_u64().unwrap() > 1_700_000_000_000);
    }
    grace.send(json!({"type": "hand", "raised": true})).await;
    for client in [&mut ada, &mut grace] {
        let changed = client.next_of("changed").await;
        assert_eq!((&changed["person"]["id"], &changed["person"]["hand"]), (&two["id"], &json!(true)));
    }
    let source = two["tracks"].as_object().unwrap().values().next().unwrap().clone();
    grace.send(json!({"type": "mute", "source": source, "muted": true})).await;
    assert_eq!(ada.next_of("changed").await["person"]["muted"], json!([source]));
    grace.send(json!({"type": "mute", "source": "screen", "muted": true})).await;
    assert_eq!(grace.error().await, "bad-source");
    grace.send(json!({"type": "view", "slots": {"nowhere": {"want": "auto", "height": 180}}})).await;
    assert_eq!(grace.error().await, "bad-slot");
    grace.send(json!({"type": "join", "name": "Again", "sdp": CHROMIUM})).await;
    assert_eq!(grace.error().await, "already-joined");
}

#[tokio::test]
async fn whoever_leaves_or_vanishes_is_gone_at_once() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let (mut grace, two) = running.join("town-hall", "Grace").await;
    grace.send(json!({"type": "leave"})).await;
    let left = ada.next_of("left").await;
    assert_eq!((&left["id"], &left["reason"]), (&two["id"], &json!("left")));
    assert_eq!(grace.closed().await.0, 1000);
    let (alan, three) = running.join("town-hall", "Alan").await;
    drop(alan);
    assert_eq!(ada.next_of("left").await["id"], three["id"], "a reload leaves no ghost");
    let (_again, four) = running.join("town-hall", "Alan").await;
    assert_eq!(four["people"].as_array().unwrap().len(), 1);
    assert_ne!(four["id"], three["id"]);
}

#[tokio::test]
async fn who_comes_back_replaces_the_one_they_were() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let (mut before, one) = running.join("town-hall", "Grace").await;
    let mut after = running.socket("town-hall").await;
    after.send(json!({"type": "join", "name": "Grace", "sdp": CHROMIUM, "replaces": one["token"]})).await;
    let two = after.next_of("welcome").await;
    assert_eq!(two["people"].as_array().unwrap().len(), 1, "only Ada");
    let left = ada.next_of("left").await;
    assert_eq!((&left["id"], &left["reason"]), (&one["id"], &json!("replaced")));
    assert_eq!(before.error().await, "replaced");
    assert_eq!(before.closed().await, (4000, "replaced".into()));
    let mut stranger = running.socket("town-hall").await;
    stranger.send(json!({"type": "join", "name": "Eve", "sdp": CHROMIUM, "replaces": "0".repeat(32)})).await;
    stranger.next_of("welcome").await;
    ada.is_well().await;
    after.is_well().await;
}

#[tokio::test]
async fn a_full_room_is_full_and_takes_the_next_when_one_has_left() {
    let running = start_with(Config::default(), None, "127.0.0.1:0", |rooms| {
        rooms.room.participants = 2;
        rooms.max_rooms = 1;
    })
    .await;
    let (_ada, _) = running.join("town-hall", "Ada").await;
    let (mut grace, _) = running.join("town-hall", "Grace").await;
    let mut alan = running.socket("town-hall").await;
    alan.send(json!({"type": "join", "name": "Alan", "sdp": CHROMIUM})).await;
    assert_eq!(alan.error().await, "room-full");
    let mut elsewhere = running.socket("other-room").await;
    elsewhere.send(json!({"type": "join", "name": "Alan", "sdp": CHROMIUM})).await;
    assert_eq!(elsewhere.error().await, "too-many-rooms");
    grace.send(json!({"type": "leave"})).await;
    grace.closed().await;
    alan.join("Alan").await;
}

#[tokio::test]
async fn renegotiation_keeps_what_did_not_change() {
    let running = start(Config::default()).await;
    let (mut ada, welcome) = running.join("town-hall", "Ada").await;
    ada.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    let answer = ada.next_of("answer").await;
    let ssrcs = |sdp: &Value| -> Vec<String> {
        sdp.as_str().unwrap().lines().filter(|line| line.starts_with("a=ssrc")).map(str::to_owned).collect()
    };
    assert_eq!(ssrcs(&answer["sdp"]), ssrcs(&welcome["sdp"]));
    let line = |sdp: &Value, key: &str| {
        sdp.as_str().unwrap().lines().find(|line| line.starts_with(key)).unwrap().to_owned()
    };
    for key in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
        assert_eq!(line(&answer["sdp"], key), line(&welcome["sdp"], key));
    }
    let old = CHROMIUM.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap().trim();
    ada.send(json!({"type": "offer", "sdp": CHROMIUM.replace(&format!("a=ice-ufrag:{old}"), "a=ice-ufrag:fresh123")})).await;
    let restarted = ada.next_of("answer").await;
    assert_ne!(line(&restarted["sdp"], "a=ice-ufrag:"), line(&welcome["sdp"], "a=ice-ufrag:"), "ICE restart");
    ada.send(json!({"type": "offer", "sdp": "v=0"})).await;
    assert_eq!(ada.error().await, "bad-sdp");
    ada.is_well().await;
}

#[tokio::test]
async fn the_administrator_sees_who_is_in_which_room() {
    let running = start(Config { admin_token: Some("s3cret".into()), ..Config::default() }).await;
    let (_ada, welcome) = running.join("town-hall", "Ada").await;
    let authorization = [("Authorization", "Bearer s3cret")];
    let (_, body) = running.get("/api/rooms", &authorization).await;
    let rooms: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(rooms[0]["name"], "town-hall");
    let (_, body) = running.get("/api/rooms/town-hall", &authorization).await;
    let room: Value = serde_json::from_str(&body).unwrap();
    let ada = &room["participants"][0];
    assert_eq!((&ada["id"], &ada["name"], &ada["connected"]), (&welcome["id"], &json!("Ada"), &json!(false)));
    assert_eq!(ada["tracks"].as_array().unwrap().len(), welcome["tracks"].as_object().unwrap().len());
}

#[tokio::test]
async fn a_source_that_stops_and_comes_back_is_told_to_everybody() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let (mut grace, welcome) = running.join("town-hall", "Grace").await;
    assert_eq!(ada.next_of("joined").await["person"]["sources"], json!(["microphone", "camera"]));
    let (before, video) = CHROMIUM.split_once("\nm=video").unwrap();
    let stopped = format!(
        "{before}\nm=video{}",
        video.replacen("a=sendonly", "a=inactive", 1).replacen("a=sendrecv", "a=inactive", 1)
    );
    assert_ne!(stopped, CHROMIUM);
    let (camera, _) =
        welcome["tracks"].as_object().unwrap().iter().find(|(_, source)| *source == "camera").unwrap();
    grace.send(json!({"type": "mute", "source": "camera", "muted": true})).await;
    assert_eq!(ada.next_of("changed").await["person"]["muted"], json!(["camera"]));
    grace.send(json!({"type": "offer", "sdp": stopped})).await;
    assert_eq!(grace.next_of("answer").await["tracks"], json!({"0": "microphone"}));
    let changed = ada.next_of("changed").await;
    assert_eq!(
        (&changed["person"]["sources"], &changed["person"]["muted"]),
        (&json!(["microphone"]), &json!([]))
    );
    // The same section again, as a screen this time.
    grace.send(json!({"type": "offer", "sdp": CHROMIUM, "sources": {camera: "screen"}})).await;
    assert_eq!(grace.next_of("answer").await["tracks"][camera], "screen");
    assert_eq!(ada.next_of("changed").await["person"]["sources"], json!(["microphone", "screen"]));
    // A picture is no microphone.
    grace.send(json!({"type": "offer", "sdp": CHROMIUM, "sources": {camera: "microphone"}})).await;
    assert_eq!(grace.error().await, "bad-source");
    grace.is_well().await;
}

#[tokio::test]
async fn somebody_without_media_yet_hears_so_of_their_connection() {
    let running = start(Config::default()).await;
    let mut ada = running.socket("town-hall").await;
    ada.send(json!({"type": "connection"})).await;
    assert_eq!(ada.error().await, "not-joined");
    ada.join("Ada").await;
    ada.send(json!({"type": "connection"})).await;
    let told = ada.next_of("connection").await;
    assert_eq!(
        (&told["connected"], &told["remote"], &told["rtt_ms"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    assert_eq!((&told["loss_up"], &told["loss_down"]), (&json!(0.0), &Value::Null));
    assert!(told["unheard_ms"].is_u64());
}
