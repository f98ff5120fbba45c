//! The room protocol over an event stream and posts, as a page speaks it where no WebSocket can be opened.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{CHROMIUM, Running, start, status};
use salon_server::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An open event stream.
struct Stream {
    lines: BufReader<TcpStream>,
    path: String,
    key: String,
}

impl Stream {
    async fn open(running: &Running, room: &str) -> Self {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let path = format!("/api/events/{room}");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut this = Self { lines: BufReader::new(stream), path, key: String::new() };
        this.key = this.data().await.unwrap();
        this
    }

    /// The next event's data; `None` when the stream has ended.
    async fn data(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            // The last chunk of a chunked answer is an empty one.
            if self.lines.read_line(&mut line).await.unwrap() == 0 || line == "0\r\n" {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(data.trim_end().to_owned());
            }
        }
    }

    async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message: Value = serde_json::from_str(&self.data().await.unwrap()).unwrap();
            if message["type"] == kind {
                return message;
            }
        }
    }

    async fn post(&self, running: &Running, message: &Value) -> u16 {
        post(running, &format!("{}/{}", self.path, self.key), "", &message.to_string()).await
    }
}

async fn post(running: &Running, path: &str, headers: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        running.address,
        body.len()
    );
    // A server that has heard enough may close before all is written.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    status(&String::from_utf8_lossy(&answer))
}

#[tokio::test]
async fn a_stream_and_posts_are_a_connection_like_any_other() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let mut grace = Stream::open(&running, "town-hall").await;
    assert_eq!(grace.post(&running, &json!({"type": "join", "name": "Grace", "sdp": CHROMIUM})).await, 204);
    let welcome = grace.next_of("welcome").await;
    assert_eq!(welcome["people"][0]["name"], "Ada");
    assert_eq!(ada.next_of("joined").await["person"]["id"], welcome["id"]);
    assert_eq!(grace.post(&running, &json!({"type": "chat", "text": "two\nlines"})).await, 204);
    assert_eq!(ada.next_of("chat").await["text"], "two\nlines");
    assert_eq!(grace.next_of("chat").await["text"], "two\nlines");
    assert_eq!(grace.post(&running, &json!({"type": "dance"})).await, 204);
    assert_eq!(grace.next_of("error").await["code"], "unknown-type");
    // A WebSocket may go on where the stream was.
    let mut socket = running.socket("town-hall").await;
    socket.send(json!({"type": "resume", "token": welcome["token"]})).await;
    assert_eq!(socket.next_of("resumed").await["id"], welcome["id"]);
    assert_eq!(grace.next_of("error").await["code"], "replaced");
    assert_eq!(grace.data().await, None, "the stream has ended");
    assert_eq!(grace.post(&running, &json!({"type": "ping", "t": 1})).await, 404);
    ada.is_well().await;
}

#[tokio::test]
async fn whose_stream_ends_before_there_were_media_has_left() {
    let running = start(Config::default()).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let mut grace = Stream::open(&running, "town-hall").await;
    grace.post(&running, &json!({"type": "join", "name": "Grace", "sdp": CHROMIUM})).await;
    let id = grace.next_of("welcome").await["id"].clone();
    drop(grace);
    assert_eq!(ada.next_of("left").await["id"], id);
}

#[tokio::test]
async fn nobody_posts_for_another() {
    let running = start(Config::default()).await;
    let grace = Stream::open(&running, "town-hall").await;
    let path = format!("/api/events/town-hall/{}", grace.key);
    let body = json!({"type": "ping", "t": 1}).to_string();
    assert_eq!(
        post(&running, "/api/events/town-hall/00000000000000000000000000000000", "", &body).await,
        404
    );
    assert_eq!(post(&running, &path, "Origin: https://evil.example\r\n", &body).await, 403);
    assert_eq!(post(&running, &path, "", &"x".repeat(1024 * 1024)).await, 413);
    assert_eq!(post(&running, &path, "", &body).await, 204);
    let (head, _) = running.get("/api/events/town-hall", &[("Origin", "https://evil.example")]).await;
    assert_eq!(status(&head), 403);
}
