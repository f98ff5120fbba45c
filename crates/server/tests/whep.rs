//! WHEP (draft-ietf-wish-whep, answer mode): what a player is shown, with real WebRTC clients. What WHEP has in common with WHIP is in `whip.rs`.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;
mod peer;

use common::{Answer, CHROMIUM, Running, request, start};
use peer::{GUARD, Peer, Spec};
use salon_server::Config;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use str0m::format::Codec;
use str0m::media::MediaKind::{Audio, Video};
use str0m::media::{Direction, MediaKind};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");

async fn post(running: &Running, endpoint: &str, body: &str) -> Answer {
    let answer = request(running.address, "POST", endpoint, &[SDP], body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

/// Somebody who sends, connected.
async fn publisher(running: &Running, name: &str, codec: Codec) -> (Peer, String) {
    let mut peer = Peer::publisher(codec);
    let answer = post(running, &format!("/whip/town-hall?name={name}"), &peer.offer).await;
    peer.accept(&answer.body);
    peer.until("connected", |seen| seen.connected).await;
    (peer, answer.header("location").unwrap().to_owned())
}

async fn player(running: &Running, query: &str, sections: &[MediaKind]) -> (Peer, Answer) {
    let peer = Peer::new(Spec { direction: Direction::RecvOnly, sections, codec: Codec::Null });
    let answer = post(running, &format!("/whep/town-hall{query}"), &peer.offer).await;
    peer.accept(&answer.body);
    (peer, answer)
}

/// The administrator's view of the room.
async fn room(running: &Running) -> Value {
    let token = format!("Bearer {}", running.server.admin_token());
    let (_, body) = running.get("/api/rooms/town-hall", &[("Authorization", &token)]).await;
    serde_json::from_str(&body).unwrap_or_default()
}

/// What the slots of the last player show: kind, and whose.
async fn shown(running: &Running) -> Vec<(String, Option<String>)> {
    let room = room(running).await;
    let people = room["participants"].as_array().unwrap();
    let name = |id: &Value| {
        people.iter().find(|one| one["id"] == *id).map(|one| one["name"].as_str().unwrap().to_owned())
    };
    let player = people.iter().rfind(|one| one["name"] == "WHEP").unwrap();
    let slots = player["slots"].as_array().unwrap();
    slots.iter().map(|slot| (slot["kind"].as_str().unwrap().to_owned(), name(&slot["person"]))).collect()
}

/// Waits until that is so.
async fn until_shown(running: &Running, expected: &[(&str, Option<&str>)]) {
    let expected: Vec<_> =
        expected.iter().map(|(kind, who)| ((*kind).to_owned(), who.map(str::to_owned))).collect();
    let waiting = async {
        while shown(running).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(GUARD, waiting).await.is_err() {
        panic!("never {expected:?}: {:?}", shown(running).await);
    }
}

fn values<'a>(sdp: &'a str, key: &str) -> Vec<&'a str> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=")?.strip_prefix(key)?.strip_prefix(':')).collect()
}

/// The stream of each section, as `a=msid` names it.
fn streams(sdp: &str) -> Vec<&str> {
    values(sdp, "msid").iter().map(|value| value.split(' ').next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_alone_is_shown_where_that_was_asked_for() {
    let running = start(Config::default()).await;
    let (_ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (_grace, _) = publisher(&running, "Grace", Codec::Vp8).await;
    let (_alan, _) = publisher(&running, "Alan", Codec::Vp8).await;
    let (mut player, answer) = player(&running, "?participant=Grace", peer::BOTH).await;
    player.receives(&[0, 1]).await;
    until_shown(&running, &[("audio", Some("Grace")), ("video", Some("Grace"))]).await;
    // Lip sync: one stream, one canonical name (draft §4.5.2).
    assert_eq!(streams(&answer.body).iter().collect::<BTreeSet<_>>().len(), 1, "{}", answer.body);
    let names: BTreeSet<&str> = values(&answer.body, "ssrc")
        .iter()
        .filter_map(|value| value.split_once(" cname:"))
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_mutes_who_publishes_and_lifts_it_again() {
    let running = start(Config { moderator_key: Some("the-key".into()), ..Config::default() }).await;
    let mut grace = running.socket("town-hall").await;
    let join = json!({"type": "join", "name": "Grace", "sdp": CHROMIUM, "key": "the-key"});
    grace.send(join).await;
    grace.next_of("welcome").await;
    let (_ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let ada = grace.next_of("joined").await["person"].clone();
    assert_eq!(ada["via"], "whip");
    let (mut player, _) = player(&running, "?participant=Ada", peer::BOTH).await;
    player.receives(&[0, 1]).await;
    for source in ["microphone", "camera"] {
        let hush = |lift: bool| json!({"type": "hush", "person": ada["id"], "source": source, "lift": lift});
        let seen = |of: &'static str| {
            (of, (!source.starts_with(if of == "audio" { 'm' } else { 'c' })).then_some("Ada"))
        };
        grace.send(hush(false)).await;
        assert_eq!(grace.next_of("changed").await["person"]["muted"], json!([source]));
        until_shown(&running, &[seen("audio"), seen("video")]).await;
        grace.send(hush(true)).await;
        assert_eq!(grace.next_of("changed").await["person"]["muted"], json!([]));
        until_shown(&running, &[("audio", Some("Ada")), ("video", Some("Ada"))]).await;
        player.receives(&[0, 1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_waits_for_the_one_who_is_not_there_and_is_shown_nobody_else() {
    let running = start(Config::default()).await;
    let (_ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (mut player, _) = player(&running, "?participant=Grace", peer::BOTH).await;
    player.until("connected", |seen| seen.connected).await;
    until_shown(&running, &[("audio", None), ("video", None)]).await;
    let (_grace, url) = publisher(&running, "Grace", Codec::Vp8).await;
    player.receives(&[0, 1]).await;
    until_shown(&running, &[("audio", Some("Grace")), ("video", Some("Grace"))]).await;
    // Gone and come again: the same player needs to ask nothing.
    assert_eq!(request(running.address, "DELETE", &url, &[], "").await.status, 200);
    until_shown(&running, &[("audio", None), ("video", None)]).await;
    let (_grace, _) = publisher(&running, "Grace", Codec::H264).await;
    player.until("a picture in another codec", |seen| seen.codec == Some(Codec::H264)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_with_one_name_the_one_who_came_last_is_meant() {
    let running = start(Config::default()).await;
    let (_first, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (_player, _) = player(&running, "?participant=Ada", peer::BOTH).await;
    until_shown(&running, &[("audio", Some("Ada")), ("video", Some("Ada"))]).await;
    let (_second, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let id = |room: &Value, name: &str| {
        let people = room["participants"].as_array().unwrap();
        people.iter().filter(|one| one["name"] == name).filter_map(|one| one["id"].as_u64()).max().unwrap()
    };
    let both = async {
        loop {
            let room = room(&running).await;
            let people = room["participants"].as_array().unwrap();
            let player = people.iter().find(|one| one["name"] == "WHEP").unwrap();
            if player["slots"].as_array().unwrap().iter().all(|slot| slot["person"] == id(&room, "Ada")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(GUARD, both).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_slots_as_sections_and_the_first_of_each_kind_are_one_stream() {
    let running = start(Config::default()).await;
    let sections = [Audio, Video, Video, Audio, Video];
    let (_ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (_grace, _) = publisher(&running, "Grace", Codec::Vp8).await;
    let (mut player, answer) = player(&running, "", &sections).await;
    let found: Vec<&str> =
        answer.body.lines().filter_map(|line| line.strip_prefix("m=")?.split(' ').next()).collect();
    assert_eq!(found, ["audio", "video", "video", "audio", "video"]);
    let streams = streams(&answer.body);
    assert_eq!(streams[0], streams[1]);
    assert_eq!(streams.iter().collect::<BTreeSet<_>>().len(), 4, "{streams:?}");
    player.receives(&[0, 1, 2, 3]).await;
    let mut all = shown(&running).await;
    all.sort();
    let expected =
        [("audio", "Ada"), ("audio", "Grace"), ("video", ""), ("video", "Ada"), ("video", "Grace")];
    let expected =
        expected.map(|(kind, who)| (kind.to_owned(), Some(who.to_owned()).filter(|who| !who.is_empty())));
    assert_eq!(all, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_codec_that_is_shown_comes_first_in_the_answer() {
    let running = start(Config::default()).await;
    let first = |answer: &Answer| {
        let line = answer.body.lines().find(|line| line.starts_with("m=video")).unwrap();
        let pt = line.split(' ').nth(3).unwrap().to_owned();
        let map = values(&answer.body, "rtpmap")
            .into_iter()
            .find_map(|map| map.strip_prefix(&format!("{pt} ")))
            .unwrap();
        map.split('/').next().unwrap().to_owned()
    };
    let offer = CHROMIUM.replace("a=sendonly", "a=recvonly");
    let ask = async |query: &str| first(&post(&running, &format!("/whep/town-hall{query}"), &offer).await);
    assert_eq!(ask("").await, "VP8", "the browser's own order where nobody is");
    let (_ada, url) = publisher(&running, "Ada", Codec::H264).await;
    assert_eq!(ask("").await, "H264");
    let (_grace, _) = publisher(&running, "Grace", Codec::Vp8).await;
    assert_eq!(
        (ask("?participant=Ada").await.as_str(), ask("?participant=Grace").await.as_str()),
        ("H264", "VP8")
    );
    assert_eq!(ask("?participant=Alan").await, "VP8");
    assert_eq!(request(running.address, "DELETE", &url, &[], "").await.status, 200);
    assert_eq!(ask("").await, "VP8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_a_player_cannot_decode_says_so() {
    let running = start(Config::default()).await;
    let (_ada, _) = publisher(&running, "Ada", Codec::H264).await;
    let mut player =
        Peer::new(Spec { direction: Direction::RecvOnly, sections: peer::BOTH, codec: Codec::Vp8 });
    let answer = post(&running, "/whep/town-hall", &player.offer).await;
    player.accept(&answer.body);
    player.receives(&[0]).await;
    let room = room(&running).await;
    let found =
        room["participants"].as_array().unwrap().iter().find(|one| one["name"] == "WHEP").unwrap().clone();
    assert_eq!(found["slots"][1]["empty"], json!("no-codec"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_that_say_no_level_are_heard_and_take_the_floor() {
    let running = start(Config::default()).await;
    let (ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (grace, _) = publisher(&running, "Grace", Codec::Vp8).await;
    ada.speak(false);
    grace.speak(false);
    let (mut player, _) = player(&running, "", peer::BOTH).await;
    player.until("connected", |seen| seen.connected).await;
    // One slot for sound, one for the picture: both are whoever speaks.
    for (speaker, name) in [(&ada, "Ada"), (&grace, "Grace"), (&ada, "Ada")] {
        speaker.speak(true);
        until_shown(&running, &[("audio", Some(name)), ("video", Some(name))]).await;
        player.receives(&[0, 1]).await;
        speaker.speak(false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_is_listed_and_hears_the_page() {
    let running = start(Config::default()).await;
    let (mut page, _) = running.join("town-hall", "Grace").await;
    let (_player, _) = player(&running, "?name=Radio", peer::BOTH).await;
    let joined = page.next_of("joined").await;
    assert_eq!((&joined["person"]["name"], &joined["person"]["sources"]), (&json!("Radio"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_everybody_costs_stands_in_the_api_and_in_the_metrics() {
    let running = start(Config::default()).await;
    let (_ada, _) = publisher(&running, "Ada", Codec::Vp8).await;
    let (mut player, _) = player(&running, "", peer::BOTH).await;
    player.receives(&[0, 1]).await;
    let of = |room: &Value, name: &str| {
        let people = room["participants"].as_array().unwrap();
        people.iter().find(|one| one["name"] == name).unwrap()["costs"].clone()
    };
    let number = |costs: &Value, what: &str| costs[what].as_f64().unwrap();
    // A player sends nothing but reports: until the first one has come.
    let reported = async {
        loop {
            let room = room(&running).await;
            if number(&of(&room, "WHEP"), "packets_in") > 0.0 {
                return room;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let room = tokio::time::timeout(GUARD, reported).await.unwrap();
    let (sends, plays, all) = (of(&room, "Ada"), of(&room, "WHEP"), room["costs"].clone());
    for costs in [&sends, &plays] {
        for what in ["cpu_ms", "packets_in", "bytes_in", "packets_out", "bytes_out"] {
            assert!(number(costs, what) > 0.0, "{what} of {costs}");
        }
        assert!(number(costs, "bytes_out") > 20.0 * number(costs, "packets_out"));
        assert_eq!(costs["allocations"], Value::Null, "nobody counts them here");
    }
    assert!(number(&sends, "packets_in") > number(&plays, "packets_in"), "sound and picture against reports");
    assert_eq!(number(&all, "bytes_in"), number(&sends, "bytes_in") + number(&plays, "bytes_in"));
    assert!(number(&all, "cpu_ms") >= number(&sends, "cpu_ms") + number(&plays, "cpu_ms") - 0.002);

    let token = format!("Bearer {}", running.server.admin_token());
    let text = request(running.address, "GET", "/metrics", &[("Authorization", &token)], "").await.body;
    let metric = |name: &str| -> f64 {
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|line| line.rsplit(' ').next())
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("{name} in {text}"))
    };
    let name = room["name"].as_str().unwrap();
    assert!(metric(&format!("salon_room_bytes_in_total{{room=\"{name}\"}}")) >= number(&all, "bytes_in"));
    assert_eq!(metric(&format!("salon_room_people{{room=\"{name}\"}}")), 2.0);
    let cpu = metric(&format!("salon_room_cpu_seconds_total{{room=\"{name}\"}}"));
    assert!(0.0 < cpu && cpu <= metric("salon_rooms_cpu_seconds_total"));
    assert!(metric("salon_rooms_cpu_seconds_total") <= metric("salon_media_cpu_seconds_total"));
}
