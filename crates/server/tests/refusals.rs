//! What clients must not do ends with a named error, and the others notice nothing.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{Client, Running, start};
use futures_util::SinkExt as _;
use salon_server::Config;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;

/// A client that joined, and one that is about to do wrong.
async fn two() -> (Running, Client, Client) {
    let running = start(Config::default()).await;
    let (good, _) = running.join("town-hall", "Good").await;
    let bad = running.socket("town-hall").await;
    (running, good, bad)
}

#[tokio::test]
async fn text_that_is_no_message_is_named_and_the_connection_goes_on() {
    let (_running, mut good, mut bad) = two().await;
    for (text, code) in [
        ("", "bad-json"),
        ("{", "bad-json"),
        ("hello", "bad-json"),
        (r#"{"type":"kick","person":1}"#, "unknown-type"),
        (r#"{"type":"ping"}"#, "bad-message"),
        (r#"{"type":"chat","text":"x"}"#, "not-joined"),
        (r#"{"type":"offer","sdp":"x"}"#, "not-joined"),
        (r#"{"type":"view","slots":{}}"#, "not-joined"),
        (r#"{"type":"mute","source":"camera","muted":true}"#, "not-joined"),
        (r#"{"type":"hand","raised":true}"#, "not-joined"),
        (r#"{"type":"join","name":"","sdp":""}"#, "bad-name"),
        (r#"{"type":"join","name":"Ada","sdp":""}"#, "bad-sdp"),
        (r#"{"type":"join","name":"Ada","sdp":"v=0\r\n"}"#, "bad-sdp"),
    ] {
        bad.say(text).await;
        assert_eq!(bad.error().await, code, "{text}");
    }
    bad.say(&"[".repeat(100_000)).await;
    assert_eq!(bad.error().await, "too-deep");
    bad.say(&format!(r#"{{"type":"ping","t":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000))).await;
    assert_eq!(bad.error().await, "too-deep");
    bad.is_well().await;
    good.is_well().await;
}

#[tokio::test]
async fn an_error_says_to_which_message_it_belongs() {
    let (_running, _good, mut bad) = two().await;
    bad.say(r#"{"type":"join","name":"Ada","sdp":"x"}"#).await;
    let error = bad.next_of("error").await;
    assert_eq!((&error["re"], &error["fatal"]), (&json!("join"), &json!(false)));
    let text = error["text"].as_str().unwrap();
    assert!(text.starts_with("The offer") && text.ends_with('.'), "{text}");
}

#[tokio::test]
async fn an_oversized_message_ends_the_connection_by_name() {
    let (_running, mut good, mut bad) = two().await;
    bad.say(&format!(r#"{{"type":"chat","text":"{}"}}"#, "x".repeat(512 * 1024))).await;
    let error = bad.next_of("error").await;
    assert_eq!((&error["code"], &error["fatal"]), (&json!("too-large"), &json!(true)));
    assert_eq!(bad.closed().await, (4000, "too-large".into()));
    good.is_well().await;
}

#[tokio::test]
async fn a_message_beyond_all_measure_is_not_even_read() {
    let (running, mut good, mut bad) = two().await;
    let _ = bad.0.send(Message::text("x".repeat(8 * 1024 * 1024))).await;
    while bad.next().await.is_some() {}
    good.is_well().await;
    let (_, metrics) = running
        .get("/metrics", &[("Authorization", &format!("Bearer {}", running.server.admin_token()))])
        .await;
    assert!(metrics.contains("salon_errors_total{code=\"too-large\"} 1"), "{metrics}");
}

#[tokio::test]
async fn binary_frames_and_broken_text_are_refused() {
    let (running, mut good, mut bad) = two().await;
    bad.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(bad.error().await, "not-text");
    assert_eq!(bad.closed().await, (4000, "not-text".into()));

    let mut bad = running.socket("town-hall").await;
    // A text frame of three bytes that are no UTF-8, masked with zeros (RFC 6455 §5.2, §8.1).
    bad.0.get_mut().write_all(&[0x81, 0x83, 0, 0, 0, 0, 0xff, 0xfe, 0xfd]).await.unwrap();
    assert_eq!(bad.error().await, "not-text");
    good.is_well().await;
}

#[tokio::test]
async fn a_flood_ends_the_one_who_makes_it() {
    let (_running, mut good, mut bad) = two().await;
    // What cannot be sent any more was refused before.
    for _ in 0..2_000 {
        if bad.0.send(Message::text(r#"{"type":"ping","t":1}"#)).await.is_err() {
            break;
        }
    }
    assert_eq!(bad.error().await, "too-fast");
    assert_eq!(bad.closed().await, (4000, "too-fast".into()));
    good.is_well().await;
}

#[tokio::test]
async fn pages_of_other_origins_may_not_join() {
    let running =
        start(Config { allow_origins: vec!["https://partner.example".into()], ..Config::default() }).await;
    let own = format!("http://{}", running.address);
    for (origin, allowed) in [
        (None, true),
        (Some(own.as_str()), true),
        (Some("https://partner.example"), true),
        (Some("https://evil.example"), false),
        (Some("http://localhost:1"), false),
        (Some("null"), false),
    ] {
        match running.socket_from("town-hall", origin).await {
            Ok(mut client) => {
                assert!(allowed, "{origin:?}");
                client.is_well().await;
            }
            Err(response) => {
                assert!(!allowed, "{origin:?}");
                assert_eq!(response.status().as_u16(), 403);
            }
        }
    }
    let not_a_room = running.socket_from("..x", None).await.err().unwrap();
    assert_eq!(not_a_room.status().as_u16(), 404);
}

#[tokio::test]
async fn whoever_does_not_read_is_ended_and_the_others_talk_on() {
    let running = start(Config::default()).await;
    // Joined, and from now on never read from.
    let (stalled, welcome) = running.join("town-hall", "Stalled").await;
    let (mut listener, _) = running.join("town-hall", "Listener").await;
    let stalled_id = welcome["id"].clone();
    let chat = json!({"type": "chat", "text": "\u{1F600}".repeat(4_000)}).to_string();
    let mut talkers = Vec::new();
    'talk: for round in 0.. {
        assert!(round < 100, "the stalled client was never ended");
        let (mut talker, _) = running.join("town-hall", &format!("Talker {round}")).await;
        for _ in 0..150 {
            talker.say(&chat).await;
            // Each says something, all are heard by the one who listens.
            loop {
                match listener.next().await.unwrap() {
                    message if message["type"] == "left" && message["id"] == stalled_id => {
                        assert_eq!(message["reason"], "removed");
                        break 'talk;
                    }
                    message if message["type"] == "chat" => break,
                    _ => {}
                }
            }
            // The talker, too, must read what comes back.
            talker.next_of("chat").await;
        }
        talker.send(json!({"type": "leave"})).await;
        talkers.push(talker);
    }
    listener.is_well().await;
    drop(stalled);
}

#[tokio::test]
async fn a_stopping_server_says_so() {
    let (running, mut good, mut bad) = two().await;
    running.server.shutdown();
    for client in [&mut good, &mut bad] {
        assert_eq!(client.error().await, "shutdown");
        assert_eq!(client.closed().await, (1001, "shutdown".into()));
    }
}
