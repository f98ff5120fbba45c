//! What holds for any text.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{OFFERS, answer, check};
use proptest::prelude::*;
use salon_signal::{Offer, Rejection, SdpError};

/// One change of a text made of lines.
#[derive(Clone, Debug)]
enum Edit {
    Delete(prop::sample::Index),
    Repeat(prop::sample::Index),
    Move(prop::sample::Index, prop::sample::Index),
    /// A word becomes another.
    Word(prop::sample::Index, prop::sample::Index, String),
    /// A line of another offer comes in.
    Foreign(prop::sample::Index, usize, prop::sample::Index),
    Byte(prop::sample::Index, prop::sample::Index, char),
}

fn edit() -> impl Strategy<Value = Edit> {
    use prop::sample::Index;
    let any_index = any::<Index>;
    let word = prop_oneof![
        Just(String::new()),
        Just("0".into()),
        Just("127".into()),
        Just("128".into()),
        Just("-1".into()),
        Just("99999999999999999999".into()),
        Just("é".into()),
        Just("recvonly".into()),
        Just("~q,h;;".into()),
        "[ -~]{0,12}",
        "\\PC{0,4}",
    ];
    prop_oneof![
        any_index().prop_map(Edit::Delete),
        any_index().prop_map(Edit::Repeat),
        (any_index(), any_index()).prop_map(|(a, b)| Edit::Move(a, b)),
        (any_index(), any_index(), word).prop_map(|(a, b, w)| Edit::Word(a, b, w)),
        (any_index(), 0..OFFERS.len(), any_index()).prop_map(|(a, o, b)| Edit::Foreign(a, o, b)),
        (any_index(), any_index(), any::<char>()).prop_map(|(a, b, c)| Edit::Byte(a, b, c)),
    ]
}

fn apply(lines: &mut Vec<String>, edit: &Edit) {
    if lines.is_empty() {
        return;
    }
    let n = lines.len();
    match edit {
        Edit::Delete(at) => {
            lines.remove(at.index(n));
        }
        Edit::Repeat(at) => {
            let line = lines[at.index(n)].clone();
            lines.insert(at.index(n), line);
        }
        Edit::Move(from, to) => {
            let line = lines.remove(from.index(n));
            lines.insert(to.index(n), line);
        }
        Edit::Word(at, which, word) => {
            let line = &mut lines[at.index(n)];
            let words: Vec<&str> = line.split_inclusive([' ', ':', '=', ';', '/']).collect();
            if !words.is_empty() {
                let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
                let at = which.index(words.len());
                words[at] = word.clone();
                *line = words.concat();
            }
        }
        Edit::Foreign(at, offer, line) => {
            let theirs: Vec<&str> = OFFERS[*offer].1.lines().collect();
            lines.insert(at.index(n), theirs[line.index(theirs.len())].to_owned());
        }
        Edit::Byte(at, which, c) => {
            let mut chars: Vec<char> = lines[at.index(n)].chars().collect();
            if !chars.is_empty() {
                let at = which.index(chars.len());
                chars[at] = *c;
            }
            lines[at.index(n)] = chars.into_iter().collect();
        }
    }
}

/// An answer, or an error of ours; the answer has the offer's sections and holds together.
fn never_panics(text: &str) {
    let Ok(offer) = Offer::parse(text) else { return };
    let out = answer(&offer);
    let lines = text.split('\n').filter(|l| l.trim_start_matches('\r').starts_with("m=")).count();
    assert_eq!(out.matches("\r\nm=").count(), lines);
    assert_eq!(offer.sections.len(), lines);
    // The crate that judges the answer's meaning must be able to read the offer as it stands.
    if sdp::SessionDescription::try_from(text.to_owned()).is_ok() {
        check(text, &offer, &out);
    }
}

/// A gate's worth of cases; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_offer_gives_an_answer_that_holds_together_or_an_error(
        which in 0..OFFERS.len(),
        edits in prop::collection::vec(edit(), 1..12),
    ) {
        let mut lines: Vec<String> = OFFERS[which].1.lines().map(str::to_owned).collect();
        edits.iter().for_each(|e| apply(&mut lines, e));
        never_panics(&lines.join("\r\n"));
    }

    #[test]
    fn any_text_gives_an_error_or_an_answer(text in "(v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\n)?([a-z]=[ -~]{0,30}\r?\n|\\PC{0,9}){0,20}") {
        never_panics(&text);
    }

    #[test]
    fn the_same_offer_gives_the_same_answer(which in 0..OFFERS.len()) {
        let once = || answer(&Offer::parse(OFFERS[which].1).unwrap());
        prop_assert_eq!(once(), once());
    }
}

#[test]
fn each_byte_cut_off_an_offer_leaves_an_answer_or_an_error() {
    for (_, text) in OFFERS {
        for end in (0..text.len()).step_by(7) {
            never_panics(&text[..end]);
        }
    }
}

#[test]
fn the_worst_offers_of_the_permitted_size_are_read_in_bounded_work() {
    let head = |line: &str| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef012345\r\n\
             a=fingerprint:sha-256 {}\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF {line}\r\na=mid:0\r\na=rtcp-mux\r\n\
             a=rtpmap:96 VP8/90000\r\n",
            ["00"; 32].join(":")
        )
    };
    for line in [
        "a=ssrc:1 cname:x\r\n",
        "a=ssrc-group:FID 1 2\r\n",
        "a=fmtp:96 a=b;c=d\r\n",
        "a=rtcp-fb:* nack\r\n",
        "a=rid:a send\r\n",
        "a=simulcast:send a\r\n",
        "a=extmap:1 urn:x\r\n",
        "a=group:BUNDLE 0 1 2\r\n",
        "a=\r\n",
    ] {
        let mut text = head("96");
        while text.len() + line.len() < salon_signal::limits::OFFER_BYTES {
            text += line;
        }
        never_panics(&text);
    }
    never_panics(&head(&"96 ".repeat(80_000)));
    never_panics(&(head("96") + "a=rid:a send\r\na=simulcast:send " + &"a;".repeat(120_000)));
}

#[test]
fn every_error_and_rejection_has_a_name_and_a_sentence() {
    let mut names: Vec<&str> = SdpError::ALL.iter().map(|e| e.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SdpError::ALL.len());
    let mut names: Vec<&str> = Rejection::ALL.iter().map(|e| e.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rejection::ALL.len());
    assert!(SdpError::ALL.iter().all(|e| !e.to_string().is_empty()));
    assert!(Rejection::ALL.iter().all(|e| !e.to_string().is_empty()));
}
