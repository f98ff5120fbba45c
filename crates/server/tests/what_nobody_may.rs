//! A table of attempts, each with its named refusal, while two others hear and see each other: their media go on through all of them.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;
mod peer;

use common::{CHROMIUM, Running, request, start};
use futures_util::SinkExt as _;
use peer::Peer;
use salon_server::{Config, Needed, Role, RoomName};
use serde_json::{Value, json};
use std::time::Duration;
use str0m::format::Codec;
use tokio_tungstenite::tungstenite::Message;

const KEY: &str = "the moderator's key";
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

/// The code of the error that answers a message of somebody new in a room.
async fn said(running: &Running, room: &str, message: &Value) -> String {
    let mut client = running.socket(room).await;
    client.send(message.clone()).await;
    client.error().await
}

/// The same of somebody who has joined.
async fn said_inside(running: &Running, message: &str) -> String {
    let (mut eve, _) = running.join("hall", "Eve").await;
    eve.say(message).await;
    eve.error().await
}

async fn status(running: &Running, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    request(running.address, method, path, headers, body).await.status.to_string()
}

async fn metrics(running: &Running) -> String {
    let bearer = format!("Bearer {}", running.server.admin_token());
    running.get("/metrics", &[("Authorization", &bearer)]).await.1
}

fn join_with(key: &str) -> Value {
    json!({"type": "join", "name": "Eve", "sdp": CHROMIUM, "key": key})
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_has_its_named_refusal_and_disturbs_nobody() {
    let config = Config {
        moderator_key: Some(KEY.into()),
        token_secret: Some("of the test".into()),
        key_needed: Needed::In(vec![RoomName::parse("vault").unwrap()]),
        ..Config::default()
    };
    let running = start(config).await;
    let mut ada = Peer::publisher(Codec::Vp8);
    let answer = request(running.address, "POST", "/whip/hall?name=Ada", &[SDP], &ada.offer).await;
    ada.accept(&answer.body);
    let ada_url = answer.header("location").unwrap().to_owned();
    let mut grace = Peer::player();
    let answer = request(running.address, "POST", "/whep/hall", &[SDP], &grace.offer).await;
    grace.accept(&answer.body);
    ada.until("connected", |seen| seen.connected).await;
    grace.receives(&[0, 1]).await;

    let attic = RoomName::parse("attic").unwrap();
    let elsewhere =
        running.server.token(Some(&attic), Role::Moderator, None, Duration::from_secs(60)).unwrap();
    // Signed with the right secret, a year before it was shown: {"room":"vault","role":"member","exp":1732600000}.
    let expired =
        token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"room":"vault","role":"member","exp":1732600000}"#, true);
    let none = token(
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"room":"vault","role":"moderator","exp":4000000000}"#,
        false,
    );
    let stranger = format!("{}{}", "/whip/hall/", "0".repeat(32));
    let swapped = ada_url.replace("/whip/", "/whep/");
    let other_room = ada_url.replace("/hall/", "/attic/");
    let ten = "x".repeat(10 * 1024 * 1024);
    let deep = format!(r#"{{"type":"chat","text":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));

    let mut table: Vec<(&str, String, &str)> = Vec::new();
    let mut note = |what, found: String, expected| table.push((what, found, expected));
    note(
        "no token",
        said(&running, "vault", &json!({"type": "join", "name": "Eve", "sdp": CHROMIUM})).await,
        "key-needed",
    );
    grace.receives(&[0, 1]).await;
    note("a token of another room", said(&running, "vault", &join_with(&elsewhere)).await, "bad-key");
    grace.receives(&[0, 1]).await;
    note("an expired token", said(&running, "vault", &join_with(&expired)).await, "bad-key");
    grace.receives(&[0, 1]).await;
    note("algorithm none", said(&running, "vault", &join_with(&none)).await, "bad-key");
    grace.receives(&[0, 1]).await;
    note("WHIP without a token", status(&running, "POST", "/whip/vault", &[SDP], CHROMIUM).await, "401");
    grace.receives(&[0, 1]).await;
    let refused = running.socket_from("hall", Some("https://evil.example")).await.err().unwrap();
    note("a foreign Origin", refused.status().as_u16().to_string(), "403");
    grace.receives(&[0, 1]).await;
    note("another's resource URL, guessed", status(&running, "DELETE", &stranger, &[], "").await, "404");
    note("the same by the other protocol", status(&running, "DELETE", &swapped, &[], "").await, "404");
    note("the same in another room", status(&running, "DELETE", &other_room, &[], "").await, "404");
    grace.receives(&[0, 1]).await;
    note(
        "kick without the role",
        said_inside(&running, r#"{"type":"remove","person":1}"#).await,
        "not-allowed",
    );
    note("end without the role", said_inside(&running, r#"{"type":"end"}"#).await, "not-allowed");
    grace.receives(&[0, 1]).await;
    // Whoever sends on after the answer may lose it with the connection; so the counter is asked.
    status(&running, "POST", "/whip/hall", &[SDP], &ten).await;
    let counted = metrics(&running).await.contains("salon_sessions_refused_total{reason=\"too-large\"} 1");
    note("10 MB of SDP by WHIP", if counted { "too-large" } else { "uncounted" }.into(), "too-large");
    grace.receives(&[0, 1]).await;
    let mut eve = running.socket("hall").await;
    let _ = eve.0.send(Message::text(format!(r#"{{"type":"join","name":"Eve","sdp":"{ten}"}}"#))).await;
    while eve.next().await.is_some() {}
    let counted = metrics(&running).await.contains("salon_errors_total{code=\"too-large\"} 1");
    note("10 MB of SDP by WebSocket", if counted { "too-large" } else { "uncounted" }.into(), "too-large");
    grace.receives(&[0, 1]).await;
    let (mut eve, _) = running.join("hall", "Eve").await;
    for _ in 0..1_000 {
        if eve.0.send(Message::text(r#"{"type":"ping","t":1}"#)).await.is_err() {
            break;
        }
    }
    note("1,000 messages at once", eve.error().await, "too-fast");
    grace.receives(&[0, 1]).await;
    note("JSON of depth 100,000", said_inside(&running, &deep).await, "too-deep");
    grace.receives(&[0, 1]).await;

    for (what, found, expected) in &table {
        println!("{what:34} {found}");
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(table.len(), 15);
    // And whoever may still may.
    assert_eq!(status(&running, "DELETE", &ada_url, &[], "").await, "200");
}

/// A token made by hand; signed with the server's secret, or not at all.
fn token(header: &str, claims: &str, signed: bool) -> String {
    let encode = |bytes: &[u8]| {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        // URL-safe base64 without padding (RFC 7515 §2).
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let n = (0..3).fold(0usize, |n, i| n << 8 | usize::from(chunk.get(i).copied().unwrap_or(0)));
            let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[n >> shift & 63]));
            out.extend(&digits[..=chunk.len()]);
        }
        out
    };
    let text = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"of the test");
    let signature =
        if signed { encode(aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref()) } else { String::new() };
    format!("{text}.{signature}")
}
