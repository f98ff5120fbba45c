//! What HTTP gives, to whom, and with which headers.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;

use common::{exchange, get_from, header, request, start, start_with, status};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use salon_server::{Config, RoomName, Tls, machine_addresses};
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_front_door_makes_a_room_that_nobody_guesses() {
    let running = start(Config::default()).await;
    let (head, _) = running.get("/", &[]).await;
    assert_eq!(status(&head), 303);
    assert_eq!(header(&head, "cache-control"), Some("no-store"));
    let first = header(&head, "location").unwrap().to_owned();
    assert!(RoomName::parse(first.trim_start_matches('/')).is_some());
    let (again, _) = running.get("/", &[]).await;
    assert_ne!(header(&again, "location"), Some(first.as_str()));
    let (page, body) = running.get(&first, &[]).await;
    assert_eq!((status(&page), header(&page, "content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(body.contains("<title>"));
}

#[tokio::test]
async fn every_page_carries_the_policies_what_is_none_may_do_nothing_and_no_answer_has_a_cookie() {
    let running =
        start(Config { allow_origins: vec!["https://partner.example".into()], ..Config::default() }).await;
    let (first, _) = running.get("/room", &[("Host", "salon.example")]).await;
    let tag = header(&first, "etag").unwrap();
    let (again, _) = running.get("/room", &[("Host", "salon.example"), ("If-None-Match", tag)]).await;
    assert_eq!(status(&again), 304);
    for page in [&first, &again] {
        let policy = header(page, "content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "connect-src 'self' ws://salon.example wss://salon.example;",
            "base-uri 'none'",
            "frame-ancestors 'self' https://partner.example;",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{part} not in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(header(page, "permissions-policy").unwrap().contains("microphone=(self)"));
        assert_eq!(header(page, "cross-origin-opener-policy"), Some("same-origin"));
        well(page, "/room");
    }
    for path in [
        "/",
        "/healthz",
        "/assets/none",
        "/assets/main.js",
        "/assets/style.css",
        "/assets/icon.svg",
        "/.git",
        "/metrics",
        "/api/rooms",
        "/api/ws/room",
        "/a/b/c",
    ] {
        let (head, _) = running.get(path, &[("Host", "salon.example")]).await;
        let policy = header(&head, "content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"), "{path}: {head}");
        well(&head, path);
    }
}

/// What holds of every answer.
fn well(head: &str, path: &str) {
    assert_eq!(header(head, "referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(header(head, "x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(header(head, "x-robots-tag"), Some("noindex, nofollow"), "{path}");
    assert_eq!(header(head, "set-cookie"), None);
    assert_eq!(header(head, "strict-transport-security"), None, "would make the certificate warning final");
}

#[tokio::test]
async fn a_forged_host_does_not_reach_the_policy() {
    let running = start(Config::default()).await;
    let (head, _) = running.get("/room", &[("Host", "a;script-src*")]).await;
    assert!(!head.contains("script-src*"), "{head}");
}

#[tokio::test]
async fn names_that_are_no_rooms_are_not_found() {
    let running = start(Config::default()).await;
    for path in [
        "/.env",
        "/a%20b",
        "/%2e%2e",
        "/api",
        "/assets",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/a/",
        "/%ff",
    ] {
        let (head, body) = running.get(path, &[]).await;
        assert!((400..500).contains(&status(&head)), "{path}: {head}");
        assert!(!body.contains("[package]"));
    }
    let (head, _) = running.get("/r%C3%A9union", &[]).await;
    assert_eq!(status(&head), 200);
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_twice() {
    let running = start(Config::default()).await;
    let (head, _) = running.get("/room", &[]).await;
    let tag = header(&head, "etag").unwrap().to_owned();
    let (head, body) = running.get("/room", &[("If-None-Match", &tag)]).await;
    assert_eq!((status(&head), body.as_str()), (304, ""));
    let (head, _) = running.get("/room", &[("If-None-Match", "\"other\"")]).await;
    assert_eq!(status(&head), 200);
}

#[tokio::test]
async fn the_page_travels_packed_to_whom_it_may_and_nothing_else_does() {
    let running = start(Config::default()).await;
    let accept = ("Accept-Encoding", "gzip, deflate, br");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let file = std::fs::read(entry.path()).unwrap();
        let path = if name == "index.html" { "/room".to_owned() } else { format!("/assets/{name}") };
        let plain = request(running.address, "GET", &path, &[], "").await;
        assert_eq!((plain.status, plain.bytes.as_slice()), (200, file.as_slice()), "{path}");
        assert_eq!(plain.header("content-encoding"), None);
        let packed = request(running.address, "GET", &path, &[accept], "").await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")), "{path}");
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == file, "{path}");
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        for answer in [&plain, &packed] {
            assert_eq!(answer.header("vary"), Some("accept-encoding"));
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
        }
        let [tag, other] = [&packed, &plain].map(|answer| answer.header("etag").unwrap().to_owned());
        assert_ne!(tag, other);
        let known = |tag: &str| [accept, ("If-None-Match", tag)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        for (tag, expected) in [(&tag, 304), (&other, 200)] {
            let headers = known(tag);
            let headers = headers.each_ref().map(|(k, v)| (k.as_str(), v.as_str()));
            let again = request(running.address, "GET", &path, &headers, "").await;
            assert_eq!((again.status, again.header("vary")), (expected, Some("accept-encoding")), "{path}");
        }
        bytes += packed.head.len() + packed.bytes.len();
    }
    assert!(bytes < 80_000, "a cold start is {bytes} bytes");
    // What may hold a secret is never packed: its length would tell of it.
    let token = format!("Bearer {}", running.server.admin_token());
    for path in ["/metrics", "/api/rooms", "/healthz", "/robots.txt"] {
        let headers = [accept, ("Authorization", token.as_str())];
        let answer = request(running.address, "GET", path, &headers, "").await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, None), "{path}");
    }
}

#[tokio::test]
async fn the_administrators_pages_open_to_the_token_only_from_loopback_too() {
    let running = start(Config { admin_token: Some("s3cret".into()), ..Config::default() }).await;
    for (path, with_token) in [("/metrics", 200), ("/api/rooms", 200), ("/api/rooms/nobody", 404)] {
        for (authorization, expected) in [
            (None, 401),
            (Some("Bearer wrong!"), 401),
            (Some("Bearer "), 401),
            (Some("Basic s3cret"), 401),
            (Some("Bearer s3cret"), with_token),
        ] {
            let headers: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
            let (head, _) = running.get(path, &headers).await;
            assert_eq!(status(&head), expected, "{path} {authorization:?}");
        }
    }
    for path in ["/healthz", "/room"] {
        assert_eq!(status(&running.get(path, &[]).await.0), 200);
    }
}

#[tokio::test]
async fn without_a_token_one_is_made() {
    let config = Config { admin_token: Some(String::new()), ..Config::default() };
    let running = start_with(config, None, "127.0.0.1:0", |media| media.shards = 3).await;
    let token = running.server.admin_token().to_owned();
    assert_eq!(token.len(), 32);
    let (head, body) = running.get("/metrics", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(status(&head), 200);
    for line in [
        "salon_tokens_refused_total 0",
        "salon_errors_total{code=\"too-large\"} 0",
        "salon_dropped_total{reason=",
        "salon_runs_out_total 0",
        "salon_datagrams_passed_on_total 0",
        "salon_datagrams_undelivered_total 0",
        "salon_rests_total 0",
        "salon_media_cpu_seconds_total ",
        "salon_rooms_cpu_seconds_total 0",
        "salon_shard_cpu_seconds_total{shard=\"0\"} ",
        // Elsewhere sockets cannot share a port.
        if cfg!(target_os = "linux") { "salon_shards 3" } else { "salon_shards 1" },
        "salon_shard_datagrams_out_total{shard=\"0\"} 0",
        "# EOF",
    ] {
        assert!(body.contains(line), "{line} not in:\n{body}");
    }
    assert_eq!(status(&running.get("/metrics", &[("Authorization", "Bearer ")]).await.0), 401);
}

struct Certificate {
    directory: PathBuf,
    tls: Tls,
}

fn certificate(name: &str) -> Certificate {
    let directory = std::env::temp_dir().join(format!("salon-http-{}-{name}", std::process::id()));
    Certificate { tls: Tls::own(Some(&directory), &[]).unwrap(), directory }
}

impl Certificate {
    /// As a browser does whose user has accepted the certificate.
    async fn connect(&self, address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
        let pem = std::fs::read(self.directory.join("certificate.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::IpAddress(address.ip().into());
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[tokio::test]
async fn one_port_speaks_plain_http_and_tls() {
    let certificate = certificate("both");
    let running = start_with(Config::default(), Some(certificate.tls.clone()), "127.0.0.1:0", |_| {}).await;
    let (plain, _) = running.get("/healthz", &[]).await;
    assert_eq!(status(&plain), 200, "plain HTTP on loopback works: reverse proxies come from there");
    let stream = certificate.connect(running.address).await;
    let (secure, body) = exchange(stream, running.address.ip(), "/healthz", &[]).await;
    assert_eq!((status(&secure), body.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn plain_http_from_beyond_loopback_is_sent_to_https_on_the_same_port() {
    let Some(ip) = machine_addresses().into_iter().find(IpAddr::is_ipv4) else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let certificate = certificate("redirect");
    let running = start_with(Config::default(), Some(certificate.tls.clone()), "0.0.0.0:0", |_| {}).await;
    let address = SocketAddr::new(ip, running.address.port());
    let host = address.to_string();
    let (head, _) = get_from(address, "/room?name=Ada", &[("Host", &host)]).await;
    assert_eq!(status(&head), 301);
    assert_eq!(header(&head, "location"), Some(format!("https://{host}/room?name=Ada").as_str()));
    let (head, _) = get_from(address, "/room", &[("Host", "a b")]).await;
    assert_eq!(status(&head), 400);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("POST /x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(status(&text), 308, "the method stays");
    let (secure, _) = exchange(certificate.connect(address).await, ip, "/room", &[]).await;
    assert_eq!(status(&secure), 200);

    let open = start_with(
        Config { plain_http: true, ..Config::default() },
        Some(certificate.tls.clone()),
        "0.0.0.0:0",
        |_| {},
    )
    .await;
    let (head, _) = get_from(SocketAddr::new(ip, open.address.port()), "/room", &[]).await;
    assert_eq!(status(&head), 200);
}

#[tokio::test]
async fn noise_on_the_port_ends_that_connection_only() {
    let certificate = certificate("noise");
    let running = start_with(Config::default(), Some(certificate.tls.clone()), "127.0.0.1:0", |_| {}).await;
    for noise in [
        &b"\x16\x03\x01\x00\x05hello"[..],
        b"\x16",
        b"\x00\x00\x00",
        b"SSH-2.0-x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let huge = "x".repeat(64 * 1024);
    let (head, _) = running.get("/room", &[("X-Huge", &huge)]).await;
    assert_ne!(status(&head), 200);
    assert_eq!(status(&running.get("/healthz", &[]).await.0), 200);
}

#[tokio::test]
async fn one_connection_too_many_is_refused_and_a_place_comes_back() {
    let running = start(Config { max_connections: 2, ..Config::default() }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        // An answer on a connection that stays open proves that the place is taken.
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        held.push(stream);
    }
    let mut third = TcpStream::connect(running.address).await.unwrap();
    let _ = third.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut answer = Vec::new();
    let _ = third.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    drop(held);
    loop {
        let (head, _) = running.get("/healthz", &[]).await;
        if status(&head) == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_can_be_mounted_below_a_prefix() {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;
    let running = start(Config::default()).await;
    let app = axum::Router::new().nest("/meet", running.server.router());
    for (path, expected) in
        [("/meet", 303), ("/meet/town-hall", 200), ("/meet/healthz", 200), ("/meet/api/rooms", 401)]
    {
        let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{path}");
        if path == "/meet" {
            assert!(response.headers()["location"].to_str().unwrap().starts_with("/meet/"));
        }
    }
}

#[test]
fn the_page_names_everything_relative_to_itself() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for absolute in ["\"/a", "'/a", "`/a", "location.host}"] {
            assert!(!text.contains(absolute), "{} contains {absolute}", path.display());
        }
    }
}
