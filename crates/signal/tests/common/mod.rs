//! The recorded offers, and what every answer must obey.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::net::SocketAddr;

use salon_rtp::Ssrc;
use salon_signal::{Fingerprint, Local, Offer, Plan, Section, SlotLine};
use sdp::description::media::MediaDescription;
use sdp::description::session::SessionDescription;

pub(crate) const OFFERS: [(&str, &str); 9] = [
    ("aiortc-pub", include_str!("../data/aiortc-pub.sdp")),
    ("chromium-pub", include_str!("../data/chromium-pub.sdp")),
    ("chromium-pub-simulcast", include_str!("../data/chromium-pub-simulcast.sdp")),
    ("chromium-sub", include_str!("../data/chromium-sub.sdp")),
    ("ffmpeg9-pub", include_str!("../data/ffmpeg9-pub.sdp")),
    ("firefox-pub-simulcast", include_str!("../data/firefox-pub-simulcast.sdp")),
    ("firefox-sub", include_str!("../data/firefox-sub.sdp")),
    ("gst-pub", include_str!("../data/gst-pub.sdp")),
    ("ndc-sub", include_str!("../data/ndc-sub.sdp")),
];

pub(crate) fn recorded(name: &str) -> &'static str {
    OFFERS.iter().find(|(n, _)| *n == name).unwrap().1
}

pub(crate) fn section(offer: &Offer, index: usize) -> &Section {
    &offer.sections[index]
}

/// Every slot declared, two addresses of ours.
pub(crate) fn answer(offer: &Offer) -> String {
    let names: Vec<String> = (0..offer.sections.len()).map(|i| format!("slot-{i}")).collect();
    let slots: Vec<SlotLine<'_>> = offer
        .sections
        .iter()
        .filter(|s| s.plan.receive().is_some())
        .map(|s| SlotLine {
            section: s.index,
            ssrc: Ssrc(1000 + 2 * s.index as u32),
            rtx_ssrc: Some(Ssrc(1001 + 2 * s.index as u32)),
            stream: &names[s.index],
            track: "t",
            cname: "salon",
        })
        .collect();
    let candidates: [SocketAddr; 2] =
        ["[2001:db8::1]:8080".parse().unwrap(), "192.0.2.7:8080".parse().unwrap()];
    offer.answer(&Local {
        ufrag: "a1B2",
        pwd: "0123456789abcdef012345",
        fingerprint: Fingerprint([0xab; 32]),
        setup: offer.transport.setup,
        candidates: &candidates,
        slots: &slots,
        refused: &[],
        session_id: 77,
        version: 3,
    })
}

/// The part of an answer that belongs to one section, its `m=` line first.
pub(crate) fn part(answer: &str, index: usize) -> Vec<&str> {
    let parts = answer.lines().scan(0_usize, |n, line| {
        *n += usize::from(line.starts_with("m="));
        Some((*n, line))
    });
    parts.filter(|(n, _)| *n == index + 1).map(|(_, line)| line).collect()
}

pub(crate) fn values<'a>(lines: &[&'a str], key: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|l| l.strip_prefix("a=")?.strip_prefix(key)?.strip_prefix(':')).collect()
}

/// Values with single blanks: what counts as a blank is the parser's affair.
fn all(m: &MediaDescription, key: &str) -> Vec<String> {
    words(m.attributes.iter().filter(|a| a.key == key).filter_map(|a| a.value.as_deref()))
}

fn words<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.map(|v| v.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What holds for every answer to every offer (RFC 3264 §6, RFC 9143 §7.3, RFC 8285 §6). The caller gives the text of the
/// offer with `m=` lines that the `sdp` crate can read.
pub(crate) fn check(offer_text: &str, offer: &Offer, text: &str) {
    let theirs = SessionDescription::try_from(offer_text.to_owned()).unwrap();
    let ours = SessionDescription::try_from(text.to_owned()).unwrap();
    assert_eq!(ours.media_descriptions.len(), theirs.media_descriptions.len());
    assert_eq!(ours.media_descriptions.len(), offer.sections.len());
    assert_eq!((ours.origin.session_id, ours.origin.session_version), (77, 3));
    assert!(ours.attributes.iter().any(|a| a.key == "ice-lite"));

    let mut bundled = Vec::new();
    let mut carried = 0;
    let mut ssrcs = Vec::new();
    for ((m, asked), section) in
        ours.media_descriptions.iter().zip(&theirs.media_descriptions).zip(&offer.sections)
    {
        assert_eq!(m.media_name.media, asked.media_name.media);
        assert_eq!(m.media_name.protos, asked.media_name.protos);
        if let Some(mid) = section.mid {
            assert_eq!(all(m, "mid"), [mid.as_str()]);
        }
        for format in &m.media_name.formats {
            assert!(asked.media_name.formats.contains(format), "{format} was not offered");
        }
        if let Plan::Rejected(_) = section.plan {
            assert_eq!(m.media_name.port.value, 0);
            continue;
        }
        bundled.extend(section.mid.map(|m| m.as_str().to_owned()));
        check_accepted(m, asked, &theirs);
        carried += usize::from(m.has_attribute("candidate"));
        assert!(
            m.has_attribute("rtcp-mux") && m.has_attribute("ice-ufrag") && m.has_attribute("fingerprint")
        );
        assert!(!m.has_attribute("sendrecv") || matches!(section.plan, Plan::SendReceive(..)));
        let declared: Vec<String> = all(m, "ssrc")
            .iter()
            .filter(|v| v.contains("cname"))
            .map(|v| v.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(!declared.is_empty(), section.plan.receive().is_some());
        ssrcs.extend(declared);
        if !matches!(section.plan, Plan::Send(_)) {
            assert!(!all(m, "rtcp-fb").iter().any(|v| v.contains("transport-cc")));
            assert!(!all(m, "extmap").iter().any(|v| v.contains("transport-wide-cc")));
        }
        assert!(!all(m, "extmap").iter().any(|v| v.contains("video-orientation")));
    }
    assert_eq!(carried, 1, "one section carries the transport");
    let unique: std::collections::HashSet<&String> = ssrcs.iter().collect();
    assert_eq!(unique.len(), ssrcs.len());
    if let Some(group) = ours.attributes.iter().find(|a| a.key == "group") {
        let mut named: Vec<String> =
            group.value.as_deref().unwrap().split(' ').skip(1).map(str::to_owned).collect();
        named.sort();
        bundled.sort();
        assert_eq!(named, bundled);
    }
}

/// Each payload type keeps its codec, each extension its id, each rid its name.
fn check_accepted(m: &MediaDescription, asked: &MediaDescription, theirs: &SessionDescription) {
    assert_ne!(m.media_name.port.value, 0);
    for map in all(m, "rtpmap") {
        assert!(
            all(asked, "rtpmap").iter().any(|a| {
                let (a, map) = (a.to_ascii_lowercase(), map.to_ascii_lowercase());
                a.trim() == map || a.trim() == format!("{map}/1")
            }),
            "{map} was not offered"
        );
        let pt = map.split(' ').next().unwrap();
        assert!(m.media_name.formats.iter().any(|f| f == pt));
    }
    assert_eq!(all(m, "rtpmap").len(), m.media_name.formats.len());
    for feedback in all(m, "rtcp-fb") {
        let (_, what) = feedback.split_once(' ').unwrap();
        let star = format!("* {what}");
        assert!(
            all(asked, "rtcp-fb").iter().any(|a| *a == feedback || *a == star),
            "{feedback} was not offered"
        );
    }
    let bare = |v: &str| {
        let (id, uri) = v.split_once(' ').unwrap();
        // A number, which may begin with zeros (RFC 8285 §8).
        let id = id.split('/').next().unwrap();
        (id.parse::<u32>().map_err(|_| id.to_owned()), uri.split(' ').next().unwrap().to_owned())
    };
    let session = theirs.attributes.iter().filter(|a| a.key == "extmap").filter_map(|a| a.value.as_deref());
    let both = all(asked, "extmap").into_iter().chain(words(session));
    let offered: Vec<_> = both.filter(|a| a.contains(' ')).map(|a| bare(&a)).collect();
    for extension in all(m, "extmap") {
        assert!(offered.contains(&bare(&extension)), "{extension} was not offered");
    }
    for rid in all(m, "rid") {
        let name = rid.strip_suffix(" recv").unwrap();
        assert!(all(asked, "rid").iter().any(|a| a.starts_with(&format!("{name} send"))));
    }
}
