//! WHIP (RFC 9725): each clause that a client can see, over real HTTP and with a real WebRTC client.
#![allow(clippy::panic, clippy::unwrap_used)] // Tests may; clippy knows only the functions marked as such.

mod common;
mod peer;

use common::{Answer, request, start};
use peer::Peer;
use salon_server::Config;
use str0m::format::Codec;

const SDP: (&str, &str) = ("Content-Type", "application/sdp");

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_picture_go_from_whip_to_whep() {
    let running = start(Config::default()).await;
    let mut ada = Peer::publisher(Codec::Vp8);
    let answer = request(running.address, "POST", "/whip/town-hall?name=Ada", &[SDP], &ada.offer).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    ada.accept(&answer.body);
    let mut grace = Peer::player();
    let answer = request(running.address, "POST", "/whep/town-hall", &[SDP], &grace.offer).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    grace.accept(&answer.body);
    ada.until("connected", |seen| seen.connected).await;
    grace.receives(&[0, 1]).await;
}
