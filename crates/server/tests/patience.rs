//! Connections that dawdle end by themselves. The clock of these tests stands still, and jumps to the next deadline when nobody has anything to do.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{get_from, start, start_with, status};
use salon_server::{Config, Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the server says before it closes.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_nothing_or_half_of_something_is_closed() {
    let tls = Tls::own(None, &[]).unwrap();
    let running = start_with(Config::default(), Some(tls), "127.0.0.1:0", |_| {}).await;
    for beginning in
        [&b""[..], b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"\x16", b"\x16\x03\x01\x02\x00\x01"]
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let said = until_closed(stream).await;
        assert!(!said.starts_with("HTTP/1.1 200"), "{beginning:?}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_kept_without_need_is_closed() {
    let running = start(Config::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let said = until_closed(stream).await;
    assert_eq!(status(&said), 200, "answered first: {said}");
    assert_eq!(status(&get_from(running.address, "/healthz", &[]).await.0), 200);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_hears_why_it_is_closed() {
    use futures_util::StreamExt as _;
    let running = start(Config::default()).await;
    let mut client = running.socket("town-hall").await;
    // Pings are not answered here.
    let mut last = String::new();
    while let Some(Ok(message)) = client.0.next().await {
        match message {
            tokio_tungstenite::tungstenite::Message::Text(text) => last = text.to_string(),
            tokio_tungstenite::tungstenite::Message::Close(Some(frame)) => {
                assert_eq!(frame.reason.as_str(), "silent")
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(last.contains(r#""code":"silent""#), "{last}");
}
