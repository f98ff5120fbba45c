//! Fragments that trickle in, and those that answer a restart.

#![allow(clippy::unwrap_used)]

mod common;

use common::{OFFERS, recorded};
use proptest::prelude::*;
use salon_signal::{Fingerprint, Fragment, FragmentError, Local, Offer};
use std::net::SocketAddr;

const PWD: &str = "P2uYro0UCOQ4zxjKXaWCBui1";

#[test]
fn credentials_are_found_in_the_section_and_above_it() {
    let expected = Some(("EsAw".to_owned(), PWD.to_owned()));
    for text in [
        format!(
            "a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
        ),
        format!(
            "a=group:BUNDLE 0 1\nm=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=ice-ufrag:EsAw\na=ice-pwd:{PWD}\na=end-of-candidates"
        ),
        format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-pwd:{PWD}\r\na=ice-ufrag:EsAw\r\n"),
        format!("a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\na=ice-ufrag:Other\r\na=ice-pwd:{PWD}x\r\n"),
    ] {
        assert_eq!(Fragment::parse(&text).unwrap().credentials, expected, "{text}");
    }
}

#[test]
fn candidates_alone_belong_to_the_session_that_is() {
    for text in [
        "a=candidate:1 1 udp 1 no.such.host 9 typ host\r\n",
        "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
        "a=candidate\r\n",
    ] {
        assert_eq!(Fragment::parse(text).map(|f| f.credentials), Ok(None), "{text}");
    }
}

#[test]
fn what_is_no_fragment() {
    let long = format!("a=ice-ufrag:EsAw\r\na=ice-pwd:{}\r\n", "x".repeat(257));
    let many = "m=audio 9 RTP/AVP 0\r\n".repeat(129);
    for (text, error) in [
        ("", FragmentError::Malformed),
        ("\r\n\r\n", FragmentError::Malformed),
        ("hello", FragmentError::Malformed),
        ("{\"candidate\":\"x\"}", FragmentError::Malformed),
        ("m=audio\r\n", FragmentError::Malformed),
        (many.as_str(), FragmentError::Malformed),
        ("a=ice-ufrag:EsAw\r\n", FragmentError::HalfCredentials),
        ("a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", FragmentError::HalfCredentials),
        ("a=ice-ufrag:EsA\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", FragmentError::BadIceCredentials),
        ("a=ice-ufrag:Es:w\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", FragmentError::BadIceCredentials),
        (long.as_str(), FragmentError::BadIceCredentials),
        (&"a=x\n".repeat(70_000), FragmentError::TooLarge),
    ] {
        assert_eq!(Fragment::parse(text), Err(error), "{:.40}", text);
    }
}

#[test]
fn the_fragment_of_a_restart_names_the_section_that_carries_the_transport() {
    let offer = Offer::parse(recorded("gst-pub")).unwrap();
    let to: [SocketAddr; 2] = ["[2001:db8::1]:8080".parse().unwrap(), "192.0.2.7:8080".parse().unwrap()];
    assert_eq!(
        offer.fragment(&local(&to)),
        "a=ice-lite\r\na=group:BUNDLE video0 audio1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:video0\r\n\
         a=ice-ufrag:new1\r\na=ice-pwd:0123456789abcdef012345\r\n\
         a=candidate:1 1 udp 2130706431 192.0.2.7 8080 typ host\r\na=candidate:2 1 udp 2130706175 2001:db8::1 8080 typ host\r\n\
         a=end-of-candidates\r\n"
    );
}

#[test]
fn the_fragment_of_a_restart_is_a_fragment() {
    for (name, text) in OFFERS {
        let offer = Offer::parse(text).unwrap();
        let fragment = Fragment::parse(&offer.fragment(&local(&[]))).unwrap();
        assert_eq!(fragment.credentials, Some(("new1".into(), "0123456789abcdef012345".into())), "{name}");
    }
}

proptest! {
    #[test]
    fn any_text_ends_in_a_fragment_or_an_error(text in "\\PC{0,200}", lines in prop::collection::vec("[am]=[ -~]{0,40}", 0..8)) {
        let _ = Fragment::parse(&text);
        let _ = Fragment::parse(&lines.join("\r\n"));
    }
}

fn local(candidates: &[SocketAddr]) -> Local<'_> {
    Local {
        ufrag: "new1",
        pwd: "0123456789abcdef012345",
        fingerprint: Fingerprint([0; 32]),
        setup: salon_signal::Setup::Passive,
        candidates,
        slots: &[],
        refused: &[],
        session_id: 1,
        version: 1,
    }
}
