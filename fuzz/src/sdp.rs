//! Offers, what is answered to them, and the fragments that follow.

// What every answer must obey is kept in one place, which the crate itself tests too.
#[allow(unreachable_pub, missing_docs)]
#[path = "../../crates/signal/tests/common/mod.rs"]
mod answers;

use ::sdp::SessionDescription;
use salon_signal::{Fragment, Offer, SdpError, limits};

/// A text is read as an offer and as a fragment.
pub(crate) fn offer(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let fragment = Fragment::parse(&text);
    assert_eq!(fragment, Fragment::parse(&text));
    let Ok(offer) = Offer::parse(&text) else { return false };
    let lines = text.split('\n').filter(|l| l.trim_start_matches('\r').starts_with("m=")).count();
    assert_eq!(offer.sections.len(), lines);
    assert!(text.len() <= limits::OFFER_BYTES && lines <= limits::SECTIONS);
    for (at, section) in offer.sections.iter().enumerate() {
        assert_eq!(section.index, at);
        if let Some(send) = section.plan.send() {
            assert!(!send.encodings.is_empty() && send.encodings.len() <= limits::ENCODINGS);
            assert_eq!(send.codec.kind(), send.kind);
        }
        if let Some(receive) = section.plan.receive() {
            assert!(receive.payloads.iter().all(|p| p.codec.kind() == receive.kind));
        }
    }
    true
}

/// An offer is answered; the answer obeys the RFCs, is the same again, and read as an offer it has the same sections.
pub(crate) fn answer(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(offer) = Offer::parse(&text) else { return false };
    let answer = answers::answer(&offer);
    assert_eq!(answer, answers::answer(&offer));
    // The crate that judges the answer's meaning must be able to read the offer as it stands: what it calls a protocol, for one,
    // is repeated in the answer (RFC 3264 §6).
    if SessionDescription::try_from(text.clone().into_owned()).is_ok() {
        let read = SessionDescription::try_from(answer.clone()).unwrap();
        assert_eq!(read.media_descriptions.len(), offer.sections.len());
        answers::check(&text, &offer, &answer);
    }
    turned_round(&offer, &answer);
    true
}

/// Somebody who offers what we answered is understood.
fn turned_round(offer: &Offer, answer: &str) {
    assert_eq!(Offer::parse(answer).err(), Some(SdpError::IceLite));
    let full = answer.replace("a=ice-lite\r\n", "");
    match Offer::parse(&full) {
        Ok(again) => {
            assert_eq!(again.sections.len(), offer.sections.len());
            for (again, first) in again.sections.iter().zip(&offer.sections) {
                assert!(first.plan.rejection().is_none() || again.plan.rejection().is_some());
                assert_eq!(again.mid, first.mid);
            }
        }
        Err(e) => panic!("our own answer is refused: {e:?}\n{answer}"),
    }
}
