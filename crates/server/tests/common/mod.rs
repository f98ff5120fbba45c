//! A server on a port of its own, and clients that speak raw HTTP and WebSocket to it.

#![allow(dead_code, unreachable_pub)] // Each test program uses its part.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

use futures_util::{SinkExt as _, StreamExt as _};
use salon_host::{Host, HostConfig};
use salon_server::{Config, Server, Tls};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    _host: Host,
}

pub(crate) async fn start(config: Config) -> Running {
    start_with(config, None, "127.0.0.1:0", |_| {}).await
}

pub(crate) async fn start_with(
    config: Config,
    tls: Option<Tls>,
    listen: &str,
    rooms: impl FnOnce(&mut HostConfig),
) -> Running {
    let mut media = HostConfig::new("127.0.0.1:0".parse().unwrap());
    rooms(&mut media);
    let host = Host::start(media).unwrap();
    let server = Server::start(config, host.handle()).unwrap();
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener, tls).await });
    Running { server, address, _host: host }
}

impl Running {
    /// The answer to a request without a body: status line and headers, and the body.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (String, String) {
        get_from(self.address, path, headers).await
    }

    pub(crate) async fn socket(&self, room: &str) -> Client {
        self.socket_from(room, None).await.unwrap()
    }

    pub(crate) async fn socket_from(
        &self,
        room: &str,
        origin: Option<&str>,
    ) -> Result<Client, Response<Option<Vec<u8>>>> {
        let mut request = format!("ws://{}/api/ws/{room}", self.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Client(socket)),
            Err(tungstenite::Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Somebody in a room, and their welcome.
    pub(crate) async fn join(&self, room: &str, name: &str) -> (Client, Value) {
        let mut client = self.socket(room).await;
        let welcome = client.join(name).await;
        (client, welcome)
    }
}

pub(crate) async fn get_from(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    exchange(stream, address.ip(), path, headers).await
}

/// An answer to any request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body as it came, which need not be text.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A request with any method, over a connection of its own, as bytes on the wire.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" || method == "PATCH" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough may close before all is written.
    let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let bytes = bytes.get(end + 4..).unwrap_or_default().to_vec();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: status(&head), head, body, bytes }
}

pub(crate) async fn exchange<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    mut stream: S,
    host: IpAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> (String, String) {
    let mut request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request += &format!("Host: {host}\r\n");
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

pub(crate) fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

pub(crate) const CHROMIUM: &str = include_str!("../data/chromium-pub.sdp");

pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn send(&mut self, message: Value) {
        self.say(&message.to_string()).await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message but pings, which are answered; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let value: Value = serde_json::from_str(text.as_str()).unwrap();
                    if value["type"] == "ping" {
                        let _ = self
                            .0
                            .send(Message::text(json!({"type": "pong", "t": value["t"]}).to_string()))
                            .await;
                        continue;
                    }
                    return Some(value);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_) | Message::Binary(_) | Message::Frame(_)) | Err(_)) | None => {
                    return None;
                }
            }
        }
    }

    /// The next message of a type; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the connection ended before {kind}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The code of the next error.
    pub(crate) async fn error(&mut self) -> String {
        self.next_of("error").await["code"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn join(&mut self, name: &str) -> Value {
        self.send(json!({"type": "join", "name": name, "sdp": CHROMIUM})).await;
        self.next_of("welcome").await
    }

    /// The connection still works.
    pub(crate) async fn is_well(&mut self) {
        self.send(json!({"type": "ping", "t": 4711})).await;
        assert_eq!(self.next_of("pong").await["t"], 4711);
    }

    /// How the server closed: code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (0, String::new()),
            }
        }
    }
}
