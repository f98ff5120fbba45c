//! Descriptions and datagrams that others collected, by name, through the laws of their targets.
#![allow(clippy::unwrap_used, clippy::panic)]

use salon_signal::Offer;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The seeds of a target whose names begin so: names and bytes.
fn seeds(target: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds")).join(target);
    let files = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path());
    let name = |f: &PathBuf| f.file_name().unwrap().to_str().unwrap().to_owned();
    let mut all: Vec<_> = files
        .filter(|f| name(f).starts_with(prefix))
        .map(|f| (name(&f), std::fs::read(&f).unwrap()))
        .collect();
    all.sort();
    all
}

/// How many are read as what they should be; each is said by name. That a law is broken is a panic.
fn read(target: &str, all: &[(String, Vec<u8>)]) -> usize {
    let said = |(name, bytes): &&(String, Vec<u8>)| {
        let yes = salon_fuzz::run(target, bytes);
        println!("{}  {name}", if yes { "read" } else { "refused" });
        yes
    };
    all.iter().filter(said).count()
}

/// Each as it came, and as a browser would offer the same: over DTLS, with the ends of lines that RFC 8866 §5 wants, and without the
/// blank in a fingerprint that was a break of the line where it was printed. How many of these are answered, and why the others are not.
fn descriptions(kind: &str, count: usize, verdicts: &[(&str, usize)]) {
    let all = seeds("sdp_offer", kind);
    let mut seen = BTreeMap::<_, usize>::new();
    for (name, bytes) in &all {
        let text = String::from_utf8_lossy(bytes);
        let line = |l: &str| match l.starts_with("a=fingerprint") {
            true => l.replace(": ", ":") + "\r\n",
            false => l.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF") + "\r\n",
        };
        let ours: String = text.lines().map(line).collect();
        for text in [text.as_bytes(), ours.as_bytes()] {
            salon_fuzz::run("sdp_offer", text);
            salon_fuzz::run("sdp_answer", text);
        }
        let verdict = Offer::parse(&ours).map_or_else(|e| e.name(), |_| "answered");
        println!("{verdict}  {name}");
        *seen.entry(verdict).or_default() += 1;
    }
    let said: Vec<_> = seen.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
    println!("vectors: sdp ({kind}): {} of {count}: {}", all.len(), said.join(", "));
    assert_eq!((all.len(), seen), (count, verdicts.iter().copied().collect()), "{kind}");
}

#[test]
fn vectors_of_the_jsep_draft() {
    descriptions("jsep", 10, &[("answered", 10)]);
}

#[test]
fn vectors_of_sdp_transform() {
    // Malformed: `c=` before `s=` or behind `t=`, no `t=`, an empty `s=`, an `f=` (RFC 8866 §5, §9). Nothing accepted: no
    // multiplexed RTCP, or no codec of ours.
    descriptions(
        "sdp-transform",
        25,
        &[
            ("answered", 3),
            ("ice-lite", 1),
            ("malformed", 11),
            ("no-fingerprint", 1),
            ("nothing-accepted", 9),
        ],
    );
}

#[test]
fn vectors_of_webrtc_sdp() {
    // Most are one section with one attribute: the parser's unit tests, and no offers.
    descriptions("webrtc-sdp", 34, &[("answered", 2), ("ice-lite", 1), ("nothing-accepted", 31)]);
}

#[test]
fn vectors_of_recorded_offers() {
    let all = seeds("sdp_answer", "recorded");
    assert_eq!((all.len(), read("sdp_answer", &all)), (9, 9));
    println!("vectors: offers: 9 of 9 answered");
}

/// libwebrtc's seeds of STUN, behind a byte that says how they are given.
#[test]
fn vectors_of_stun_in_libwebrtc() {
    let all = seeds("stun", "webrtc");
    // None is signed with a password that we know.
    assert_eq!((all.len(), read("stun", &all)), (30, 0));
    println!("vectors: seeds (stun): 30 of 30, all dropped");
}
