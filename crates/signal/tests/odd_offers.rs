//! Offers that are odd, wrong or hostile: each ends as what its name says.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{answer, check, part, recorded, section, values};
use salon_rtp::{Codec, H264Profile, Rid, Ssrc};
use salon_signal::{Encoding, Local, Offer, Plan, Rejection, SdpError, Setup, limits};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
    a=fingerprint:sha-256 4E:99:D5:20:DF:DF:E9:19:CC:85:0B:B0:43:57:B8:D9:3A:AD:04:A8:E1:DF:0B:B8:28:63:65:DF:D8:44:80:35\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef012345\r\na=setup:actpass\r\n";

/// Sections of a bundle with mids 0, 1, …, each given as its `m=` line's end and its lines.
fn offer(sections: &[(&str, &[&str])]) -> String {
    let mids: String = (0..sections.len()).map(|i| format!(" {i}")).collect();
    let mut text = format!("{HEAD}a=group:BUNDLE{mids}\r\n");
    for (index, (line, attributes)) in sections.iter().enumerate() {
        text += &format!("m={line}\r\na=mid:{index}\r\na=rtcp-mux\r\n");
        attributes.iter().for_each(|a| text += &format!("a={a}\r\n"));
    }
    text
}

const OPUS: (&str, &[&str]) = ("audio 9 UDP/TLS/RTP/SAVPF 111", &["rtpmap:111 opus/48000/2", "sendonly"]);
const VIDEO: &str = "video 9 UDP/TLS/RTP/SAVPF 96 97";
const VP8: [&str; 3] = ["rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", "fmtp:97 apt=96"];

fn video<'a>(more: &[&'a str]) -> Vec<&'a str> {
    VP8.iter().chain(more).copied().collect()
}

/// A section that sends VP8, behind one that sends Opus.
fn with_video(more: &[&str]) -> Offer {
    let lines = video(&[&["sendonly"], more].concat());
    let text = offer(&[OPUS, (VIDEO, &lines)]);
    let offer = Offer::parse(&text).unwrap();
    check(&text, &offer, &answer(&offer));
    offer
}

fn encodings(offer: &Offer) -> &[Encoding] {
    &section(offer, 1).plan.send().unwrap().encodings
}

fn reason(offer: &Offer, index: usize) -> Option<Rejection> {
    section(offer, index).plan.rejection()
}

/// One that is known by its rid alone.
fn encoding(rid: &str, paused: bool) -> Encoding {
    let mut encoding = Encoding::default();
    (encoding.rid, encoding.paused) = (Some(Rid::new(rid.as_bytes()).unwrap()), paused);
    encoding
}

#[test]
fn an_offer_over_256_kib_is_refused_and_one_of_just_that_is_read() {
    let text = offer(&[OPUS]);
    let mut long = text.clone();
    while long.len() + 1026 <= limits::OFFER_BYTES {
        long += &format!("a=x:{}\r\n", "y".repeat(1020));
    }
    long += &format!("a={}\r\n", "z".repeat(limits::OFFER_BYTES - long.len() - 4));
    assert_eq!(long.len(), limits::OFFER_BYTES);
    assert!(Offer::parse(&long).is_ok());
    assert_eq!(Offer::parse(&(long + "\n")).err(), Some(SdpError::TooLarge));
}

#[test]
fn a_129th_section_refuses_the_offer() {
    let sections = vec![OPUS; limits::SECTIONS];
    assert_eq!(Offer::parse(&offer(&sections)).unwrap().sections.len(), 128);
    let sections = vec![OPUS; limits::SECTIONS + 1];
    assert_eq!(Offer::parse(&offer(&sections)).err(), Some(SdpError::TooManySections));
}

#[test]
fn an_ice_lite_offer_is_refused() {
    let text = recorded("chromium-pub").replacen("a=extmap-allow-mixed", "a=ice-lite", 1);
    assert_eq!(Offer::parse(&text).err(), Some(SdpError::IceLite));
}

#[test]
fn two_sections_with_one_mid_refuse_the_offer() {
    let text = recorded("chromium-pub").replace("a=mid:1", "a=mid:0");
    assert_eq!(Offer::parse(&text).err(), Some(SdpError::DuplicateMid));
}

#[test]
fn missing_and_broken_credentials_have_errors_of_their_own() {
    let cases = [
        ("a=ice-ufrag:abcd\r\n", "", SdpError::NoIceCredentials),
        ("a=ice-pwd:0123456789abcdef012345\r\n", "", SdpError::NoIceCredentials),
        ("ufrag:abcd", "ufrag:abc", SdpError::BadIceCredentials),
        ("ufrag:abcd", "ufrag:ab:d", SdpError::BadIceCredentials),
        ("ufrag:abcd", "ufrag:abcé", SdpError::BadIceCredentials),
        ("0123456789abcdef012345", "0123456789abcdef01234", SdpError::BadIceCredentials),
        ("sha-256 4E", "sha-1 4E", SdpError::NoFingerprint),
        ("sha-256 4E:99", "sha-256 4E", SdpError::BadFingerprint),
        ("sha-256 4E", "sha-256 4E:4E", SdpError::BadFingerprint),
        ("sha-256 4E", "sha-256 +E", SdpError::BadFingerprint),
        ("actpass", "holdconn", SdpError::BadSetup),
        ("s=-\r\n", "", SdpError::Malformed),
        ("111", "111 \u{7f}", SdpError::Malformed),
    ];
    for (from, to, error) in cases {
        assert_eq!(Offer::parse(&offer(&[OPUS]).replace(from, to)).err(), Some(error), "{from} -> {to}");
    }
    let long = offer(&[OPUS]).replace("abcd", &"a".repeat(257));
    assert_eq!(Offer::parse(&long).err(), Some(SdpError::BadIceCredentials));
    assert_eq!(Offer::parse("").err(), Some(SdpError::Malformed));
    assert_eq!(Offer::parse(HEAD).err(), Some(SdpError::NothingAccepted));
}

#[test]
fn our_dtls_role_follows_from_theirs() {
    for (theirs, ours) in
        [("actpass", Setup::Passive), ("active", Setup::Passive), ("passive", Setup::Active)]
    {
        let text = offer(&[OPUS]).replace("actpass", theirs);
        assert_eq!(Offer::parse(&text).unwrap().transport.setup, ours);
    }
}

#[test]
fn a_data_channel_is_rejected_in_its_place_and_the_rest_lives() {
    let channel = ("application 9 UDP/DTLS/SCTP webrtc-datachannel", &["sctp-port:5000"][..]);
    let text = offer(&[channel, OPUS]);
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(reason(&offer, 0), Some(Rejection::DataChannel));
    let out = answer(&offer);
    check(&text, &offer, &out);
    assert_eq!(part(&out, 0)[0], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(out.contains("a=group:BUNDLE 1\r\n"));
    assert!(
        !values(&part(&out, 1), "candidate").is_empty(),
        "the first accepted section carries the transport"
    );
}

#[test]
fn media_and_protocols_that_nobody_knows_are_rejected_one_by_one() {
    let text = offer(&[
        ("image 9 UDPTL t38", &[]),
        ("hologram 9 TCP/TLS/QUX/7 x y", &[]),
        ("audio 9 RTP/AVP 0", &["rtpmap:0 PCMU/8000"]),
        ("audio 9 UDP/TLS/RTP/SAVPF 0", &["rtpmap:0 PCMU/8000"]),
        OPUS,
    ]);
    let offer = Offer::parse(&text).unwrap();
    let reasons: Vec<_> = (0..5).map(|i| reason(&offer, i)).collect();
    use Rejection::*;
    assert_eq!(reasons, [Some(UnknownMedia), Some(UnknownMedia), Some(Protocol), Some(NoCodec), None]);
    let out = answer(&offer);
    assert_eq!(part(&out, 1)[0], "m=hologram 0 TCP/TLS/QUX/7 x");
}

#[test]
fn savp_without_feedback_is_taken_too() {
    let text = offer(&[("audio 9 UDP/TLS/RTP/SAVP 111", OPUS.1)]);
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(part(&answer(&offer), 0)[0], "m=audio 8080 UDP/TLS/RTP/SAVP 111");
}

#[test]
fn port_0_stops_a_section_unless_it_is_bundle_only() {
    let stopped = ("audio 0 UDP/TLS/RTP/SAVPF 111", OPUS.1);
    let lines = [OPUS.1, &["bundle-only"]].concat();
    let offer = Offer::parse(&offer(&[stopped, ("audio 0 UDP/TLS/RTP/SAVPF 111", &lines)])).unwrap();
    assert_eq!(reason(&offer, 0), Some(Rejection::Stopped));
    assert!(matches!(section(&offer, 1).plan, Plan::Send(_)));
}

#[test]
fn one_section_without_mid_and_group_is_enough() {
    let text = offer(&[OPUS]).replace("a=mid:0\r\n", "").replace("a=group:BUNDLE 0\r\n", "");
    let offer = Offer::parse(&text).unwrap();
    assert!(section(&offer, 0).mid.is_none() && section(&offer, 0).plan.send().is_some());
    let out = answer(&offer);
    check(&text, &offer, &out);
    assert!(!out.contains("BUNDLE") && !out.contains("a=mid"));
}

#[test]
fn without_a_group_only_the_first_section_can_live() {
    let text = offer(&[OPUS, OPUS]).replace("a=group:BUNDLE 0 1\r\n", "");
    let offer = Offer::parse(&text).unwrap();
    assert_eq!((reason(&offer, 0), reason(&offer, 1)), (None, Some(Rejection::NotBundled)));
    check(&text, &offer, &answer(&offer));
}

#[test]
fn a_section_outside_the_group_is_rejected() {
    let offer = Offer::parse(&offer(&[OPUS, OPUS]).replace("BUNDLE 0 1", "BUNDLE 1 7")).unwrap();
    assert_eq!((reason(&offer, 0), reason(&offer, 1)), (Some(Rejection::NotBundled), None));
}

#[test]
fn the_first_of_the_group_gives_the_transport_wherever_it_stands() {
    let text = offer(&[OPUS, (VIDEO, &video(&["ice-ufrag:second"]))]).replace("BUNDLE 0 1", "BUNDLE 1 0");
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(offer.transport.ufrag, "second");
    let out = answer(&offer);
    assert!(out.contains("a=group:BUNDLE 1 0\r\n") && values(&part(&out, 0), "candidate").is_empty());
}

#[test]
fn rtcp_on_a_port_of_its_own_is_rejected() {
    let text = offer(&[OPUS, OPUS]).replacen("a=rtcp-mux\r\n", "", 1);
    assert_eq!(reason(&Offer::parse(&text).unwrap(), 0), Some(Rejection::NoRtcpMux));
}

#[test]
fn a_payload_type_above_127_rejects_its_section_and_like_rtcp_is_not_there() {
    for bad in ["128", "256", "-1", "x", "+1"] {
        let line = format!("video 9 UDP/TLS/RTP/SAVPF 96 {bad}");
        let offer = Offer::parse(&offer(&[OPUS, (&line, &VP8)])).unwrap();
        assert_eq!(reason(&offer, 1), Some(Rejection::BadPayloadType), "{bad}");
    }
    let text = offer(&[OPUS, ("video 9 UDP/TLS/RTP/SAVPF 72", &["rtpmap:72 VP8/90000"])]);
    assert_eq!(reason(&Offer::parse(&text).unwrap(), 1), Some(Rejection::NoCodec));
}

#[test]
fn one_payload_type_with_two_codecs_rejects_the_section() {
    let twice = video(&["rtpmap:96 H264/90000"]);
    let offer = Offer::parse(&offer(&[OPUS, (VIDEO, &twice)])).unwrap();
    assert_eq!(reason(&offer, 1), Some(Rejection::PayloadTypeConflict));
}

#[test]
fn one_payload_type_with_two_meanings_in_two_sections_rejects_the_second() {
    let vp9 = ["rtpmap:96 VP9/90000", "rtpmap:97 rtx/90000", "fmtp:97 apt=96"];
    let repair = ("video 9 UDP/TLS/RTP/SAVPF 97 99", &["rtpmap:97 VP8/90000"][..]);
    let text = offer(&[(VIDEO, &VP8), (VIDEO, &vp9), repair, (VIDEO, &VP8)]);
    let offer = Offer::parse(&text).unwrap();
    let conflict = Some(Rejection::PayloadTypeConflict);
    assert_eq!((0..4).map(|i| reason(&offer, i)).collect::<Vec<_>>(), [None, conflict, conflict, None]);
}

#[test]
fn rtx_that_repairs_two_rejects_its_section_and_rtx_of_nothing_is_ignored() {
    let two = video(&["fmtp:97 apt=98"]);
    let text = offer(&[OPUS, (VIDEO, &two)]);
    assert_eq!(reason(&Offer::parse(&text).unwrap(), 1), Some(Rejection::ConflictingApt));
    for apt in ["fmtp:97 apt=100", "fmtp:97 apt=97", "fmtp:97 x=y"] {
        let lines = ["rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", apt];
        let offer = Offer::parse(&offer(&[OPUS, (VIDEO, &lines)])).unwrap();
        assert_eq!(section(&offer, 1).plan.send().unwrap().rtx_pt, None, "{apt}");
    }
}

#[test]
fn one_extension_id_with_two_meanings_rejects_the_section() {
    let lines = ["sendonly", "extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "extmap:4 urn:x"];
    let text = offer(&[OPUS, (VIDEO, &video(&lines))]);
    assert_eq!(reason(&Offer::parse(&text).unwrap(), 1), Some(Rejection::DuplicateExtmap));
}

#[test]
fn an_extension_id_that_means_something_else_in_another_section_is_left_out() {
    let audio = [OPUS.1, &["extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid"]].concat();
    let lines = ["sendonly", "extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"];
    let text = offer(&[(OPUS.0, &audio), (VIDEO, &video(&lines))]);
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(section(&offer, 1).plan.send().unwrap().extensions.iter().count(), 0);
    assert!(values(&part(&answer(&offer), 1), "extmap").is_empty());
}

#[test]
fn transport_wide_feedback_needs_its_extension_and_the_extension_its_feedback() {
    const URI: &str = "extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    for (lines, twcc, remb) in [
        (&["rtcp-fb:96 transport-cc", "rtcp-fb:96 goog-remb", URI][..], true, false),
        (&["rtcp-fb:* transport-cc", URI], true, false),
        (&["rtcp-fb:96 transport-cc", "rtcp-fb:96 goog-remb"], false, true),
        (&["rtcp-fb:96 goog-remb", URI], false, true),
    ] {
        let offer = with_video(lines);
        let plan = section(&offer, 1).plan.send().unwrap();
        assert_eq!((plan.feedback.twcc, plan.feedback.remb), (twcc, remb), "{lines:?}");
        assert_eq!(plan.extensions.iter().count(), usize::from(twcc));
    }
}

#[test]
fn feedback_with_a_word_too_many_is_not_what_we_know_and_is_not_answered() {
    let known = ["nack", "nack pli", "ccm fir", "goog-remb"];
    for what in known {
        let (exact, more) = (format!("rtcp-fb:96 {what}"), format!("rtcp-fb:96 {what} more"));
        for (line, answered) in [(&exact, 1), (&more, 0)] {
            let answer = answer(&with_video(&[line]));
            assert_eq!(values(&part(&answer, 1), "rtcp-fb").len(), answered, "{line}");
        }
    }
}

#[test]
fn h264_is_taken_where_vp8_is_missing_and_the_profile_that_most_decode() {
    let line = "video 9 UDP/TLS/RTP/SAVPF 98 100 102 104";
    let lines = [
        "rtpmap:98 VP9/90000",
        "rtpmap:100 H264/90000",
        "fmtp:100 packetization-mode=0;profile-level-id=42e01f",
        "rtpmap:102 H264/90000",
        "fmtp:102 packetization-mode=1;profile-level-id=640c1f",
        "rtpmap:104 H264/90000",
        "fmtp:104 packetization-mode=1;profile-level-id=42e01f",
    ];
    let offer = Offer::parse(&offer(&[(line, &lines)])).unwrap();
    let plan = section(&offer, 0).plan.send().unwrap();
    assert_eq!((plan.codec, plan.pt.get()), (Codec::H264(H264Profile::ConstrainedBaseline), 104));
}

#[test]
fn vp9_of_profile_0_is_the_last_choice_and_other_profiles_are_none() {
    let line = "video 9 UDP/TLS/RTP/SAVPF 98 100";
    let lines = ["rtpmap:98 VP9/90000", "fmtp:98 profile-id=2", "rtpmap:100 VP9/90000"];
    let text = offer(&[OPUS, (line, &lines)]);
    let plan = Offer::parse(&text).unwrap();
    let plan = section(&plan, 1).plan.send().unwrap();
    assert_eq!((plan.codec, plan.pt.get()), (Codec::Vp9(0), 100));
    let none = offer(&[OPUS, ("video 9 UDP/TLS/RTP/SAVPF 98", &lines)]);
    assert_eq!(reason(&Offer::parse(&none).unwrap(), 1), Some(Rejection::NoCodec));
}

const RID: &str = "extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

#[test]
fn paused_and_alternative_encodings_are_read_in_the_order_given() {
    let offer = with_video(&[
        "rid:a send",
        "rid:b send pt=96",
        "rid:c send pt=98",
        "rid:d send",
        RID,
        "simulcast:send b;~c,a;~d recv x",
    ]);
    let out = answer(&offer);
    assert_eq!(
        encodings(&offer),
        [encoding("b", false), encoding("a", false), encoding("d", true)],
        "c is for another payload type"
    );
    assert_eq!(values(&part(&out, 1), "simulcast"), ["recv b;a;d"]);
    assert_eq!(values(&part(&out, 1), "rid"), ["b recv", "a recv", "d recv"]);
}

#[test]
fn simulcast_that_names_an_undeclared_rid_or_one_twice_rejects_the_section() {
    for lines in [
        &["rid:a send", "simulcast:send a;b"][..],
        &["rid:a send", "rid:b recv", "simulcast:send a;b"],
        &["rid:a send", "simulcast:send a;a"],
        &["rid:a send", "simulcast:send a;"],
        &["rid:a send", "rid:a send", "simulcast:send a"],
        &["rid:a{ send"],
        &["simulcast:send a"],
    ] {
        let lines = video(&[&["sendonly", RID], lines].concat());
        let offer = Offer::parse(&offer(&[OPUS, (VIDEO, &lines)])).unwrap();
        assert_eq!(reason(&offer, 1), Some(Rejection::RidMismatch), "{lines:?}");
    }
}

#[test]
fn rids_without_simulcast_are_one_encoding_and_more_than_four_are_four() {
    assert_eq!(encodings(&with_video(&["rid:a send", "rid:b send", RID])).len(), 1);
    let many = [
        "rid:a send",
        "rid:b send",
        "rid:c send",
        "rid:d send",
        "rid:e send",
        RID,
        "simulcast:send a;b;c;d;e",
    ];
    assert_eq!(encodings(&with_video(&many)).len(), limits::ENCODINGS);
}

#[test]
fn rids_that_packets_cannot_say_need_an_ssrc_each() {
    let rids = [
        "rid:a send",
        "rid:b send",
        "simulcast:send a;b",
        "ssrc:1 cname:x",
        "ssrc:2 cname:x",
        "ssrc-group:FID 2 3",
    ];
    let offer = with_video(&rids);
    let mut second = encoding("b", false);
    (second.ssrc, second.rtx_ssrc) = (Some(Ssrc(2)), Some(Ssrc(3)));
    assert_eq!(encodings(&offer)[1], second);
    let lines = video(&[&["sendonly"], &rids[..4]].concat());
    let offer = Offer::parse(&common_offer(&lines)).unwrap();
    assert_eq!(reason(&offer, 1), Some(Rejection::NoRidExtension));
}

fn common_offer(lines: &[&str]) -> String {
    offer(&[OPUS, (VIDEO, lines)])
}

#[test]
fn a_sim_group_is_simulcast_without_rids() {
    let offer = with_video(&[
        "ssrc-group:SIM 1 2 3",
        "ssrc-group:FID 1 4",
        "ssrc-group:FID 2 5",
        "ssrc-group:FID 3 6",
        "ssrc:1 cname:x",
    ]);
    let pairs: Vec<_> =
        encodings(&offer).iter().map(|e| (e.ssrc.unwrap().0, e.rtx_ssrc.unwrap().0)).collect();
    assert_eq!(pairs, [(1, 4), (2, 5), (3, 6)]);
    assert!(values(&part(&answer(&offer), 1), "simulcast").is_empty());
}

#[test]
fn an_ssrc_that_two_sections_declare_rejects_the_second() {
    let audio = [OPUS.1, &["ssrc:7 cname:x"]].concat();
    let text = offer(&[(OPUS.0, &audio), (VIDEO, &video(&["sendonly", "ssrc:7 cname:x"]))]);
    assert_eq!(reason(&Offer::parse(&text).unwrap(), 1), Some(Rejection::SsrcConflict));
}

#[test]
fn ssrcs_that_are_no_numbers_are_as_if_not_there() {
    let offer = with_video(&[
        "ssrc:x cname:y",
        "ssrc:4294967296 cname:y",
        "ssrc:",
        "ssrc",
        "ssrc-group:FID 1",
        "ssrc-group:FID",
    ]);
    assert_eq!(encodings(&offer), [Encoding::default()]);
}

#[test]
fn a_section_of_both_directions_is_answered_so_and_without_transport_wide_feedback() {
    let lines = video(&[
        "sendrecv",
        "rtpmap:102 H264/90000",
        "fmtp:102 packetization-mode=1;profile-level-id=42e01f",
        "rtcp-fb:96 transport-cc",
        "rtcp-fb:96 goog-remb",
        "extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    ]);
    let text = offer(&[OPUS, ("video 9 UDP/TLS/RTP/SAVPF 102 96 97", &lines)]);
    let offer = Offer::parse(&text).unwrap();
    let out = answer(&offer);
    check(&text, &offer, &out);
    let Plan::SendReceive(send, receive) = &section(&offer, 1).plan else { panic!() };
    assert_eq!((send.codec, receive.payloads.len()), (Codec::Vp8, 2));
    assert!(send.feedback.remb && !send.feedback.twcc);
    let lines = part(&out, 1);
    assert_eq!(
        lines[0], "m=video 8080 UDP/TLS/RTP/SAVPF 96 97 102",
        "what the client is to send stands first"
    );
    assert!(lines.contains(&"a=sendrecv") && values(&lines, "ssrc-group").len() == 1);
}

#[test]
fn an_inactive_section_stands_and_stays_inactive() {
    let text = offer(&[OPUS, (VIDEO, &video(&["inactive"]))]);
    let offer = Offer::parse(&text).unwrap();
    assert!(matches!(section(&offer, 1).plan, Plan::Inactive(_)));
    let out = answer(&offer);
    check(&text, &offer, &out);
    assert!(part(&out, 1).contains(&"a=inactive"));
}

#[test]
fn a_refused_track_and_a_slot_that_was_not_given_are_inactive() {
    let text = offer(&[OPUS, (VIDEO, &video(&["recvonly"])), (VIDEO, &video(&["sendrecv"]))]);
    let offer = Offer::parse(&text).unwrap();
    let local = |refused| {
        offer.answer(&Local {
            ufrag: "abcd",
            pwd: "0123456789abcdef012345",
            fingerprint: salon_signal::Fingerprint([1; 32]),
            setup: Setup::Passive,
            candidates: &[],
            slots: &[],
            refused,
            session_id: 1,
            version: 1,
        })
    };
    let out = local(&[0]);
    assert!(part(&out, 0).contains(&"a=inactive") && part(&out, 1).contains(&"a=inactive"));
    assert!(part(&out, 2).contains(&"a=recvonly"));
    assert_eq!(part(&out, 0)[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111", "alive, but nowhere to be reached");
    assert!(part(&local(&[2]), 2).contains(&"a=inactive"));
}

#[test]
fn nothing_of_an_offer_can_break_a_line_of_the_answer() {
    let text = offer(&[OPUS, OPUS]).replacen("a=mid:0", "a=mid:0\ra=x:y", 1).replacen(
        "BUNDLE 0",
        "BUNDLE 0\ra=z",
        1,
    );
    let offer = Offer::parse(&text).unwrap();
    assert!(answer(&offer).replace("\r\n", "").bytes().all(|b| !b.is_ascii_control()));
}

#[test]
fn lines_may_end_with_a_line_feed_alone() {
    let text = recorded("firefox-pub-simulcast").replace("\r\n", "\n");
    assert_eq!(
        answer(&Offer::parse(&text).unwrap()),
        answer(&Offer::parse(recorded("firefox-pub-simulcast")).unwrap())
    );
}
