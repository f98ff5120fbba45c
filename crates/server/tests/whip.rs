//! WHIP (RFC 9725): each clause that a client can see, over real HTTP and with a real WebRTC client. What WHEP has in common with it is
//! tested for both.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;
mod peer;

use common::{Answer, CHROMIUM, Client, Running, get_from, request, start, start_with, status};
use peer::{Peer, Spec};
use salon_server::{Config, Role, limits, machine_addresses};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");
const FRAGMENT: (&str, &str) = ("Content-Type", "application/trickle-ice-sdpfrag");
const ENDPOINTS: [&str; 2] = ["/whip/town-hall", "/whep/town-hall"];

/// What a client with a browser's offer posts to an endpoint.
fn offer(endpoint: &str) -> String {
    if endpoint.starts_with("/whip") {
        CHROMIUM.to_owned()
    } else {
        CHROMIUM.replace("a=sendonly", "a=recvonly")
    }
}

async fn post(running: &Running, endpoint: &str, body: &str) -> Answer {
    request(running.address, "POST", endpoint, &[SDP], body).await
}

/// A session that has begun, and its URL.
async fn session(running: &Running, endpoint: &str) -> (Answer, String) {
    let answer = post(running, endpoint, &offer(endpoint)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let location = answer.header("location").unwrap().to_owned();
    (answer, location)
}

async fn patch(running: &Running, url: &str, tag: &str, body: &str) -> Answer {
    request(running.address, "PATCH", url, &[FRAGMENT, ("If-Match", tag)], body).await
}

/// Everybody in a room, as the administrator sees them.
async fn people(running: &Running, room: &str) -> Vec<Value> {
    let token = format!("Bearer {}", running.server.admin_token());
    let (head, body) = running.get(&format!("/api/rooms/{room}"), &[("Authorization", &token)]).await;
    if status(&head) == 404 {
        return Vec::new();
    }
    serde_json::from_str::<Value>(&body).unwrap()["participants"].as_array().unwrap().clone()
}

const TRICKLE: &str = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n\
    a=candidate:3 1 udp 1 no.such.host.example 61764 typ host\r\na=candidate:what is this\r\na=end-of-candidates\r\n";

fn credentials(ufrag: &str) -> String {
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n{TRICKLE}")
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_picture_go_from_whip_to_whep() {
    let running = start(Config::default()).await;
    let mut ada = Peer::publisher(Codec::Vp8);
    let answer = post(&running, "/whip/town-hall?name=Ada", &ada.offer).await;
    ada.accept(&answer.body);
    let mut grace = Peer::player();
    let answer = post(&running, "/whep/town-hall", &grace.offer).await;
    grace.accept(&answer.body);
    ada.until("connected", |seen| seen.connected).await;
    grace.receives(&[0, 1]).await;
    assert_eq!(grace.seen.borrow().codec, Some(Codec::Vp8));
}

// RFC 9725 §4.2: ingest session setup.

#[tokio::test]
async fn section_4_2_an_offer_is_answered_201_with_location_tag_and_length() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let answer = post(&running, endpoint, &offer(endpoint)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/sdp"));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.header("transfer-encoding"), None, "ffmpeg cannot read chunks");
        assert_eq!(answer.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
        let tag = answer.header("etag").unwrap();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 4, "strong: {tag}");
        let id = answer.header("location").unwrap().strip_prefix(&format!("{endpoint}/")).unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "128 bits: {id}");
        let way = if endpoint.starts_with("/whip") { "a=recvonly" } else { "a=sendonly" };
        assert_eq!(answer.body.matches(way).count(), 2, "{}", answer.body);
        assert!(answer.body.starts_with("v=0\r\n") && answer.body.contains("a=ice-lite"));
        let (other, url) = session(&running, endpoint).await;
        assert_ne!(answer.header("etag"), other.header("etag"));
        assert!(!url.ends_with(id));
    }
}

#[tokio::test]
async fn section_4_2_both_ways_are_answered_in_the_one_that_the_protocol_has() {
    let running = start(Config::default()).await;
    for (endpoint, way) in [("/whip/town-hall", "a=recvonly"), ("/whep/town-hall", "a=sendonly")] {
        let answer = post(&running, endpoint, &CHROMIUM.replace("a=sendonly", "a=sendrecv")).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body.matches(way).count(), 2, "{}", answer.body);
    }
}

#[tokio::test]
async fn section_4_2_the_location_is_below_the_prefix_that_the_client_sees() {
    let running = start(Config::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().nest("/meet", running.server.router());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let answer = request(address, "POST", "/meet/whip/r%C3%A9union/?name=Ada", &[SDP], CHROMIUM).await;
    // A path with a slash at its end is another one.
    assert_eq!(answer.status, 404);
    let answer = request(address, "POST", "/meet/whip/r%C3%A9union?name=Ada", &[SDP], CHROMIUM).await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("/meet/whip/r%C3%A9union/"), "{location}");
    assert_eq!(request(address, "DELETE", location, &[], "").await.status, 200);
}

#[tokio::test]
async fn section_4_2_a_body_of_another_type_is_415() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        for headers in
            [&[][..], &[("Content-Type", "text/plain")], &[("Content-Type", "application/json")], &[SDP, SDP]]
        {
            let answer = request(running.address, "POST", endpoint, headers, &offer(endpoint)).await;
            assert_eq!(answer.status, 415, "{headers:?}");
            assert_eq!(answer.header("accept-post"), Some("application/sdp"));
        }
        let parameter = [("Content-Type", "Application/SDP; charset=utf-8")];
        let answer = request(running.address, "POST", endpoint, &parameter, &offer(endpoint)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

#[tokio::test]
async fn section_4_2_a_malformed_offer_is_400() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let good = offer(endpoint);
        for bad in [
            "",
            "hello",
            "{}",
            "v=0\r\n",
            &good.replace("a=ice-ufrag", "a=x"),
            &good.replace("a=fingerprint", "a=x"),
            &good.replace("a=setup:actpass", "a=setup:holdconn"),
            &good.replace("m=video", "m="),
            &good.replace("a=mid:1", "a=mid:0"),
        ] {
            let answer = post(&running, endpoint, bad).await;
            assert_eq!(answer.status, 400, "{bad:.60}: {answer:?}");
            assert!(answer.body.ends_with(".\n"), "a sentence: {}", answer.body);
        }
        let url = format!("{endpoint}?name=%00");
        assert_eq!(post(&running, &url, &good).await.status, 400);
        assert_eq!(post(&running, &format!("{endpoint}?participant="), &good).await.status, 400);
    }
    assert_eq!(people(&running, "town-hall").await, Vec::<Value>::new());
}

#[tokio::test]
async fn section_4_2_an_offer_larger_than_256_kib_is_413_and_is_told_so() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let filler = "a=x-filler:0123456789\r\n";
        let fits =
            offer(endpoint) + &filler.repeat((limits::SDP_BYTES - offer(endpoint).len()) / filler.len());
        assert_eq!(post(&running, endpoint, &fits).await.status, 201);
        assert_eq!(post(&running, endpoint, &(fits.clone() + filler)).await.status, 413);
        assert_eq!(post(&running, endpoint, &fits.repeat(3)).await.status, 413);
        let (_, url) = session(&running, endpoint).await;
        assert_eq!(patch(&running, &url, "*", &filler.repeat(20_000)).await.status, 413);
    }
}

#[tokio::test]
async fn section_4_2_delete_ends_the_session_and_its_url_is_no_more() {
    let running = start(Config::default()).await;
    let (mut page, _) = running.join("town-hall", "Grace").await;
    for endpoint in ENDPOINTS {
        let (_, url) = session(&running, &format!("{endpoint}?name=Ada")).await;
        let joined = page.next_of("joined").await;
        assert_eq!(joined["person"]["name"], "Ada");
        // A tag does not matter here (§4.3.1).
        let answer = request(running.address, "DELETE", &url, &[("If-Match", "\"stale\"")], "").await;
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("0")));
        let left = page.next_of("left").await;
        assert_eq!((&left["id"], &left["reason"]), (&joined["person"]["id"], &json!("left")));
        assert_eq!(request(running.address, "DELETE", &url, &[], "").await.status, 404);
        assert_eq!(patch(&running, &url, "*", TRICKLE).await.status, 404);
    }
    assert_eq!(people(&running, "town-hall").await.len(), 1, "the page is still there");
}

#[tokio::test]
async fn section_4_1_methods_without_meaning_are_405_and_allow_says_which_have_one() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (_, url) = session(&running, endpoint).await;
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = request(running.address, method, endpoint, &[SDP], "").await;
            assert_eq!(answer.status, 405, "{method} {endpoint}");
            assert!(answer.header("allow").unwrap().contains("POST"));
        }
        for method in ["GET", "HEAD", "PUT", "POST"] {
            let answer = request(running.address, method, &url, &[SDP], "").await;
            assert_eq!(answer.status, 405, "{method} {url}");
            let allow = answer.header("allow").unwrap();
            assert!(allow.contains("PATCH") && allow.contains("DELETE"), "{allow}");
        }
    }
}

// RFC 9725 §4.2 and §4.7: pages of any origin, and who may.

#[tokio::test]
async fn section_4_2_options_say_what_is_accepted_and_open_the_way_for_pages_of_any_origin() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (_, url) = session(&running, endpoint).await;
        for (path, methods) in [(endpoint, &["POST"][..]), (url.as_str(), &["PATCH", "DELETE"])] {
            let preflight = [
                ("Origin", "https://player.example"),
                ("Access-Control-Request-Method", methods[0]),
                ("Access-Control-Request-Headers", "authorization,content-type,if-match"),
            ];
            let answer = request(running.address, "OPTIONS", path, &preflight, "").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
            assert_eq!(answer.header("content-length"), Some("0"));
            assert_eq!(answer.header("accept-post"), Some("application/sdp"));
            assert_eq!(answer.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            let allowed = answer.header("access-control-allow-methods").unwrap();
            assert!(methods.iter().all(|method| allowed.contains(method)), "{allowed}");
            let headers = answer.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
            assert!(["authorization", "content-type", "if-match"].iter().all(|name| headers.contains(name)));
        }
    }
}

#[tokio::test]
async fn section_4_2_scripts_of_any_origin_can_read_every_answer() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (begun, url) = session(&running, endpoint).await;
        for answer in [
            begun,
            post(&running, endpoint, "hello").await,
            request(running.address, "GET", endpoint, &[], "").await,
            request(running.address, "PATCH", &url, &[FRAGMENT], TRICKLE).await,
            patch(&running, &url, "*", TRICKLE).await,
            patch(&running, &url, "*", &credentials("again")).await,
            request(running.address, "DELETE", &url, &[], "").await,
            request(running.address, "DELETE", &url, &[], "").await,
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            let exposed = answer.header("access-control-expose-headers").unwrap();
            for name in ["Location", "ETag", "Link", "Accept-Patch"] {
                assert!(exposed.contains(name), "{name}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn section_4_7_a_token_may_come_along_where_none_is_needed_if_it_is_one_of_ours() {
    let running = start(Config::default()).await;
    let token = running.server.token(None, Role::Member, None, Duration::from_secs(60)).unwrap();
    for (bearer, expected) in [(token.as_str(), 201), ("", 201), ("whatever", 401)] {
        let bearer = format!("Bearer {bearer}");
        let headers = [SDP, ("Authorization", bearer.as_str())];
        let answer = request(running.address, "POST", "/whip/town-hall", &headers, CHROMIUM).await;
        assert_eq!(answer.status, expected, "{bearer}");
    }
}

#[tokio::test]
async fn section_4_5_one_address_begins_so_many_sessions_at_once() {
    let Some(ip) = machine_addresses().into_iter().find(IpAddr::is_ipv4) else {
        eprintln!("skipped: this machine has no address but loopback, which counts as a reverse proxy");
        return;
    };
    let running =
        start_with(Config { joins_at_once: 3, ..Config::default() }, None, "0.0.0.0:0", |_| {}).await;
    let there = SocketAddr::new(ip, running.address.port());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = request(there, "POST", "/whip/town-hall", &[SDP], CHROMIUM).await;
        statuses.push((answer.status, answer.header("retry-after").map(str::to_owned)));
    }
    assert_eq!(statuses[3], (429, Some("1".into())), "{statuses:?}");
    assert!(statuses[..3].iter().all(|(status, _)| *status == 201), "{statuses:?}");
}

// RFC 9725 §4.3: ICE.

#[tokio::test]
async fn section_4_3_1_a_patch_must_say_which_ice_session_it_means() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (answer, url) = session(&running, endpoint).await;
        let tag = answer.header("etag").unwrap();
        for body in [TRICKLE.to_owned(), credentials("again")] {
            let answer = request(running.address, "PATCH", &url, &[FRAGMENT], &body).await;
            assert_eq!(answer.status, 428);
            for stale in ["\"stale\"", &format!("W/{tag}"), tag.trim_matches('"')] {
                assert_eq!(patch(&running, &url, stale, &body).await.status, 412, "{stale}");
            }
        }
        assert_eq!(patch(&running, &url, tag, TRICKLE).await.status, 204, "refusals changed nothing");
    }
}

#[tokio::test]
async fn section_4_3_1_a_fragment_of_another_type_is_415_and_a_malformed_one_400() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (answer, url) = session(&running, endpoint).await;
        let tag = ("If-Match", answer.header("etag").unwrap());
        for headers in [&[tag][..], &[tag, SDP], &[tag, ("Content-Type", "application/json")]] {
            let answer = request(running.address, "PATCH", &url, headers, TRICKLE).await;
            assert_eq!(answer.status, 415);
            assert_eq!(answer.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
        }
        for bad in
            ["", "hello", "{\"candidate\":1}", "a=ice-ufrag:abcd\r\n", "a=ice-ufrag:a\r\na=ice-pwd:b\r\n"]
        {
            assert_eq!(patch(&running, &url, tag.1, bad).await.status, 400, "{bad}");
        }
        assert_eq!(patch(&running, &url, tag.1, TRICKLE).await.status, 204);
    }
}

#[tokio::test]
async fn section_4_3_1_the_url_is_the_only_key() {
    let running = start(Config::default()).await;
    let (_, whip) = session(&running, "/whip/town-hall").await;
    let (_, whep) = session(&running, "/whep/town-hall").await;
    let id = whip.rsplit_once('/').unwrap().1;
    for wrong in [
        format!("/whep/town-hall/{id}"),
        format!("/whip/other-room/{id}"),
        format!("/whip/town-hall/{}", &id[..31]),
        format!("/whip/town-hall/{}", "0".repeat(32)),
        "/whip/town-hall/%ff".to_owned(),
    ] {
        let (patched, ended) = (
            patch(&running, &wrong, "*", TRICKLE).await,
            request(running.address, "DELETE", &wrong, &[], "").await,
        );
        assert!([400, 404].contains(&patched.status) && [400, 404].contains(&ended.status), "{wrong}");
    }
    for url in [whip.replace("town-hall", "Town-Hall"), whep] {
        assert_eq!(patch(&running, &url, "*", TRICKLE).await.status, 204, "{url}");
    }
}

#[tokio::test]
async fn section_4_3_2_candidates_are_taken_with_204_usable_or_not() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (answer, url) = session(&running, endpoint).await;
        let tag = answer.header("etag").unwrap();
        let line = |key: &str| {
            offer(endpoint).lines().find_map(|line| line.strip_prefix(key).map(str::to_owned)).unwrap()
        };
        let own =
            format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n{TRICKLE}", line("a=ice-ufrag:"), line("a=ice-pwd:"));
        for body in [TRICKLE, &own] {
            for tag in [tag, "*", &format!("\"other\", {tag}")] {
                let answer = patch(&running, &url, tag, body).await;
                assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
                assert_eq!((answer.header("etag"), answer.header("content-length")), (None, None));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_3_2_a_client_that_trickles_connects() {
    let running = start(Config::default()).await;
    let mut ada = Peer::publisher(Codec::Vp8);
    let (candidates, offer): (Vec<&str>, Vec<&str>) =
        ada.offer.lines().partition(|line| line.starts_with("a=candidate") || line.starts_with("a=end-of"));
    assert!(!candidates.is_empty());
    let answer = post(&running, "/whip/town-hall", &(offer.join("\r\n") + "\r\n")).await;
    let url = answer.header("location").unwrap();
    let fragment = format!("m=audio 9 RTP/AVP 0\r\n{}\r\n", candidates.join("\r\n"));
    assert_eq!(patch(&running, url, answer.header("etag").unwrap(), &fragment).await.status, 204);
    ada.accept(&answer.body);
    ada.until("connected", |seen| seen.connected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_3_3_a_restart_brings_a_new_ice_session_and_media_goes_on() {
    let running = start(Config::default()).await;
    let (mut ada, mut grace) = (Peer::publisher(Codec::Vp8), Peer::player());
    let mut urls = Vec::new();
    for (peer, endpoint) in [(&mut ada, "/whip/town-hall"), (&mut grace, "/whep/town-hall")] {
        let answer = post(&running, endpoint, &peer.offer).await;
        peer.accept(&answer.body);
        urls.push((answer.header("location").unwrap().to_owned(), answer.header("etag").unwrap().to_owned()));
    }
    grace.receives(&[0, 1]).await;
    for (peer, (url, old)) in [(&mut ada, &urls[0]), (&mut grace, &urls[1])] {
        let paths = peer.seen.borrow().paths;
        let (ufrag, pwd) = peer.restart();
        let body = format!(
            "a=ice-options:trickle\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n"
        );
        let answer = patch(&running, url, "*", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/trickle-ice-sdpfrag"));
        let new = answer.header("etag").unwrap().to_owned();
        assert_ne!(new, *old);
        for line in ["a=ice-lite", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"] {
            assert!(answer.body.contains(line), "{line}: {}", answer.body);
        }
        assert_eq!(
            patch(&running, url, old, TRICKLE).await.status,
            412,
            "what trickles late belongs to the old one"
        );
        assert_eq!(patch(&running, url, &new, TRICKLE).await.status, 204);
        peer.accept(&answer.body);
        peer.until("a path again", |seen| seen.paths > paths).await;
    }
    grace.receives(&[0, 1]).await;
}

#[tokio::test]
async fn section_4_3_3_the_star_may_be_written_as_in_the_examples_and_the_present_tag_restarts_too() {
    let running = start(Config::default()).await;
    for endpoint in ENDPOINTS {
        let (answer, url) = session(&running, endpoint).await;
        let first = answer.header("etag").unwrap();
        let answer = patch(&running, &url, "\"*\"", &credentials("one1")).await;
        let second = answer.header("etag").unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(patch(&running, &url, first, &credentials("two2")).await.status, 412, "the tag of before");
        assert_eq!(patch(&running, &url, second, &credentials("three3")).await.status, 200);
        // The same credentials again are no restart.
        assert_eq!(patch(&running, &url, "*", &credentials("three3")).await.status, 204);
    }
}

// RFC 9725 §4.4: constraints.

#[tokio::test]
async fn section_4_4_2_more_than_one_track_of_a_kind_is_406_for_a_publisher() {
    let running = start(Config::default()).await;
    use MediaKind::{Audio, Video};
    for (sections, expected) in [
        (&[Audio][..], 201),
        (&[Video], 201),
        (&[Video, Audio], 201),
        (&[Audio, Audio], 406),
        (&[Audio, Video, Video], 406),
    ] {
        let peer = Peer::new(Spec { direction: Direction::SendOnly, sections, codec: Codec::Vp8 });
        let answer = post(&running, "/whip/town-hall", &peer.offer).await;
        assert_eq!(answer.status, expected, "{sections:?}: {answer:?}");
    }
}

#[tokio::test]
async fn section_4_4_3_one_section_that_cannot_be_served_refuses_all_and_nobody_came() {
    let running = start(Config::default()).await;
    let (mut page, _) = running.join("town-hall", "Grace").await;
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n";
    for endpoint in ENDPOINTS {
        let good = offer(endpoint);
        let (right, wrong) = if endpoint.starts_with("/whip") {
            ("a=sendonly", "a=recvonly")
        } else {
            ("a=recvonly", "a=sendonly")
        };
        let video = |what: &str, with: &str| {
            let (audio, video) = good.split_at(good.find("m=video").unwrap());
            audio.to_owned() + &video.replace(what, with)
        };
        for bad in [
            &video(right, wrong),
            &video(right, "a=inactive"),
            &good.replace(right, wrong),
            &video("VP8/90000", "VP7/90000").replace("VP9/90000", "x/90000").replace("H264/90000", "x/90000"),
            &video("a=rtcp-mux\r\n", ""),
            &video("m=video 9", "m=video 0"),
            &video("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
            &(good.clone() + data),
            &good.replace("opus", "speex"),
            // §4.4.5 and RFC 8445 §2.5: two lite agents would wait for each other.
            &good.replace("a=setup:actpass", "a=setup:actpass\r\na=ice-lite"),
            &good.replace("t=0 0", "t=0 0\r\na=ice-lite"),
        ] {
            let changed = bad != &good;
            let answer = post(&running, endpoint, bad).await;
            assert_eq!((answer.status, changed), (406, true), "{answer:?}\n{bad}");
            assert!(answer.body.ends_with(".\n"), "{}", answer.body);
        }
    }
    page.is_well().await;
    assert_eq!(people(&running, "town-hall").await.len(), 1);
}

#[tokio::test]
async fn section_4_4_4_a_client_that_waits_for_our_hello_is_answered_active() {
    let running = start(Config::default()).await;
    for (offered, ours) in [("actpass", "passive"), ("active", "passive"), ("passive", "active")] {
        let body = CHROMIUM.replace("a=setup:actpass", &format!("a=setup:{offered}"));
        let answer = post(&running, "/whip/town-hall", &body).await;
        assert!(answer.body.contains(&format!("a=setup:{ours}")), "{offered}: {answer:?}");
    }
}

// RFC 9725 §4.5: load.

#[tokio::test]
async fn section_4_5_a_stopping_server_answers_503_and_when_to_come_back() {
    let running = start(Config::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = running.server.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (_, url) = session(&running, "/whip/town-hall").await;
    running.server.shutdown();
    for endpoint in ENDPOINTS {
        let answer = request(address, "POST", endpoint, &[SDP], &offer(endpoint)).await;
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    // Who was there is told so by the end of the media connection, and the URL is no more.
    for _ in 0..500 {
        if request(address, "PATCH", &url, &[FRAGMENT, ("If-Match", "*")], TRICKLE).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the session outlived its server");
}

#[tokio::test]
async fn section_4_5_a_full_room_is_503() {
    let running = start_with(Config::default(), None, "127.0.0.1:0", |host| host.room.participants = 1).await;
    let (_, url) = session(&running, "/whip/town-hall").await;
    for endpoint in ENDPOINTS {
        let answer = post(&running, endpoint, &offer(endpoint)).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, "The room is full.\n"));
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(request(running.address, "DELETE", &url, &[], "").await.status, 200);
    session(&running, "/whep/town-hall").await;
}

#[tokio::test]
async fn section_4_5_a_full_server_is_503_for_all_who_come_and_changes_nothing_for_those_who_are_in() {
    let running = start_with(Config::default(), None, "127.0.0.1:0", |host| host.max_participants = 2).await;
    let (mut ada, _) = running.join("town-hall", "Ada").await;
    let (_, url) = session(&running, "/whip/market").await;
    let sentence = "The server is full: nobody more can come in until somebody leaves.";
    for endpoint in ENDPOINTS {
        let answer = post(&running, endpoint, &offer(endpoint)).await;
        assert_eq!((answer.status, answer.body.trim_end()), (503, sentence));
        assert!(answer.header("retry-after").is_some());
    }
    let mut alan = running.socket("garden").await;
    alan.send(json!({"type": "join", "name": "Alan", "sdp": CHROMIUM})).await;
    let refused = alan.next_of("error").await;
    assert_eq!((&refused["code"], &refused["text"]), (&json!("server-full"), &json!(sentence)));
    let bearer = format!("Bearer {}", running.server.admin_token());
    let (_, metrics) = running.get("/metrics", &[("Authorization", &bearer)]).await;
    let count = |name: &str, label: &str, n: u32| {
        assert!(metrics.contains(&format!("{name}_total{{{label}}} {n}\n")), "{metrics}");
    };
    count("salon_joins_refused", "reason=\"too-many-participants\"", 3);
    count("salon_sessions_refused", "reason=\"server-full\"", 2);
    count("salon_errors", "code=\"server-full\"", 1);
    ada.is_well().await;
    assert_eq!(request(running.address, "DELETE", &url, &[], "").await.status, 200);
    comes_in(&mut alan, "Alan").await;
    let mut grace = running.socket("garden").await;
    grace.send(json!({"type": "join", "name": "Grace", "sdp": CHROMIUM})).await;
    assert_eq!(grace.error().await, "server-full");
    alan.is_well().await;
    ada.send(json!({"type": "leave"})).await;
    comes_in(&mut grace, "Grace").await;
}

/// The place comes back a moment after somebody has left.
async fn comes_in(client: &mut Client, name: &str) {
    for _ in 0..500 {
        client.send(json!({"type": "join", "name": name, "sdp": CHROMIUM})).await;
        if client.next().await.unwrap()["type"] == "welcome" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the place did not come back");
}

#[tokio::test]
async fn section_4_5_one_address_has_so_many_sessions_and_gets_back_what_it_gives_back() {
    let Some(ip) = machine_addresses().into_iter().find(IpAddr::is_ipv4) else {
        eprintln!("skipped: this machine has no address but loopback, which counts as a reverse proxy");
        return;
    };
    let config = Config { joins_at_once: 1_000, ..Config::default() };
    let running = start_with(config, None, "0.0.0.0:0", |_| {}).await;
    let there = SocketAddr::new(ip, running.address.port());
    let mut urls = Vec::new();
    for n in 0..limits::SESSIONS_PER_ADDRESS {
        let endpoint = ENDPOINTS[n % 2];
        let answer = request(there, "POST", endpoint, &[SDP], &offer(endpoint)).await;
        assert_eq!(answer.status, 201, "{n}: {answer:?}");
        urls.push(answer.header("location").unwrap().to_owned());
    }
    let one_more = async || request(there, "POST", "/whip/town-hall", &[SDP], CHROMIUM).await;
    let refused = one_more().await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(request(there, "DELETE", &urls[0], &[], "").await.status, 200);
    // The place comes back once the session's task has ended, a moment after the answer.
    for _ in 0..500 {
        if one_more().await.status == 201 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place did not come back");
}

// What a session is in its room.

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_person_with_a_name_and_what_it_sends() {
    let running = start(Config::default()).await;
    let (mut page, _) = running.join("town-hall", "Grace").await;
    let (_, _) = session(&running, "/whip/town-hall?name=Ada%20L.").await;
    let joined = page.next_of("joined").await;
    assert_eq!(joined["person"]["name"], "Ada L.");
    assert_eq!(joined["person"]["sources"], json!(["microphone", "camera"]));
    session(&running, "/whep/town-hall").await;
    let joined = page.next_of("joined").await;
    assert_eq!((&joined["person"]["name"], &joined["person"]["sources"]), (&json!("WHEP"), &json!([])));
    let names: Vec<Value> =
        people(&running, "town-hall").await.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Grace", "Ada L.", "WHEP"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_media_ends_is_gone_and_its_url_404() {
    let running = start(Config::default()).await;
    let (mut page, _) = running.join("town-hall", "Grace").await;
    for endpoint in ENDPOINTS {
        let mut ada =
            if endpoint.starts_with("/whip") { Peer::publisher(Codec::Vp8) } else { Peer::player() };
        let answer = post(&running, endpoint, &ada.offer).await;
        ada.accept(&answer.body);
        ada.until("connected", |seen| seen.connected).await;
        ada.hang_up();
        assert_eq!(page.next_of("left").await["reason"], "left", "it said so itself");
        let url = answer.header("location").unwrap();
        assert_eq!(patch(&running, url, "*", TRICKLE).await.status, 404);
        assert_eq!(request(running.address, "DELETE", url, &[], "").await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_media_never_comes_is_gone_after_thirty_seconds() {
    let running = start(Config::default()).await;
    let (_, url) = session(&running, "/whip/town-hall").await;
    assert_eq!(patch(&running, &url, "*", TRICKLE).await.status, 204);
    let gone = async {
        while patch(&running, &url, "*", TRICKLE).await.status != 404 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(peer::GUARD * 3, gone).await.unwrap();
    assert_eq!(people(&running, "town-hall").await, Vec::<Value>::new());
}

// What clients must not do.

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_candidate_that_did_not_ask() {
    let running = start(Config::default()).await;
    let victim = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    victim.set_nonblocking(true).unwrap();
    let candidate = format!(
        "a=candidate:1 1 udp 2122260223 127.0.0.1 {} typ host\r\n",
        victim.local_addr().unwrap().port()
    );
    let pointed = CHROMIUM.replace("a=mid:0\r\n", &format!("a=mid:0\r\n{candidate}"));
    assert_ne!(pointed, CHROMIUM);
    let answer = post(&running, "/whip/town-hall", &pointed).await;
    let url = answer.header("location").unwrap();
    assert_eq!(patch(&running, url, "*", &format!("m=audio 9 RTP/AVP 0\r\n{candidate}")).await.status, 204);
    assert_eq!(patch(&running, url, "*", &(credentials("other") + &candidate)).await.status, 200);
    // Meanwhile another one connects, receives, and goes.
    let (mut ada, mut grace) = (Peer::publisher(Codec::Vp8), Peer::player());
    for (peer, endpoint) in [(&mut ada, "/whip/town-hall"), (&mut grace, "/whep/town-hall")] {
        let answer = post(&running, endpoint, &peer.offer).await;
        peer.accept(&answer.body);
    }
    grace.receives(&[0, 1]).await;
    assert_eq!(request(running.address, "DELETE", url, &[], "").await.status, 200);
    let mut bytes = [0; 2000];
    assert_eq!(victim.recv(&mut bytes).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_408() {
    let running = start(Config::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /whip/town-hall HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\nv=0";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert_eq!(status(&String::from_utf8_lossy(&bytes)), 408);
}

#[tokio::test]
async fn a_session_that_hurries_is_429_and_another_one_is_not() {
    let running = start(Config::default()).await;
    let (_, hasty) = session(&running, "/whip/town-hall").await;
    let (_, calm) = session(&running, "/whip/town-hall").await;
    let mut refused = None;
    for _ in 0..2 * limits::FRAGMENTS_AT_ONCE {
        let answer = patch(&running, &hasty, "*", TRICKLE).await;
        if answer.status != 204 {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(patch(&running, &calm, "*", TRICKLE).await.status, 204);
    assert_eq!(request(running.address, "DELETE", &hasty, &[], "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_everything_at_once_or_go_away_half_way_leave_nobody_behind() {
    let running = start(Config::default()).await;
    let address = running.address;
    let everybody: Vec<_> = (0..24_usize)
        .map(|n| {
            tokio::spawn(async move {
                let endpoint = ENDPOINTS[n % 2];
                for step in 0..6 {
                    let body = offer(endpoint);
                    if (n + step) % 3 == 0 {
                        // Asks, and does not wait for the answer.
                        let mut stream = TcpStream::connect(address).await.unwrap();
                        let head = format!("POST {endpoint} HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n", body.len());
                        stream.write_all((head + &body).as_bytes()).await.unwrap();
                        continue;
                    }
                    let answer = request(address, "POST", endpoint, &[SDP], &body).await;
                    assert_eq!(answer.status, 201, "{answer:?}");
                    let url = answer.header("location").unwrap().to_owned();
                    let all = (0..4).map(|which| {
                        let url = url.clone();
                        tokio::spawn(async move {
                            let headers = [FRAGMENT, ("If-Match", "*")];
                            match which {
                                0 => request(address, "PATCH", &url, &headers, TRICKLE).await,
                                1 => request(address, "PATCH", &url, &headers, &credentials("one1")).await,
                                2 => request(address, "PATCH", &url, &headers, &credentials("two2")).await,
                                _ => request(address, "DELETE", &url, &[], "").await,
                            }
                        })
                    });
                    for one in all.collect::<Vec<_>>() {
                        let answer = one.await.unwrap();
                        assert!([200, 204, 404].contains(&answer.status), "{answer:?}");
                    }
                    assert_eq!(request(address, "DELETE", &url, &[], "").await.status, 404);
                }
            })
        })
        .collect();
    for one in everybody {
        one.await.unwrap();
    }
    // Those who did not wait never connect, which is noticed after thirty seconds.
    let gone = async {
        while !people(&running, "town-hall").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(peer::GUARD * 3, gone).await.unwrap();
    let token = format!("Bearer {}", running.server.admin_token());
    let left = async {
        loop {
            let (_, text) = running.get("/metrics", &[("Authorization", &token)]).await;
            if text.lines().any(|line| line == "salon_sessions 0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(peer::GUARD, left).await.unwrap();
}

#[tokio::test]
async fn whip_and_whep_are_no_rooms() {
    let running = start(Config::default()).await;
    for path in ["/whip", "/whep", "/whip/"] {
        assert_eq!(status(&get_from(running.address, path, &[]).await.0), 404, "{path}");
    }
    assert_eq!(post(&running, "/whip/.hidden", CHROMIUM).await.status, 404);
    assert_eq!(post(&running, "/whip/a%20b", CHROMIUM).await.status, 404);
}
