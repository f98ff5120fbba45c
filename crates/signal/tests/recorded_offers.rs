//! What is negotiated with each program whose offer was recorded.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{answer, check, part, recorded, section, values};
use salon_rtp::extension::ExtensionKind;
use salon_rtp::{Codec, H264Profile, MediaKind, Ssrc};
use salon_signal::{Feedback, Offer, Payload, Plan, SendPlan, Setup};

fn open(name: &str) -> (Offer, String) {
    let offer = Offer::parse(recorded(name)).unwrap();
    let text = answer(&offer);
    check(recorded(name), &offer, &text);
    (offer, text)
}

fn sends(offer: &Offer, index: usize) -> &SendPlan {
    match &section(offer, index).plan {
        Plan::Send(s) => s,
        other => panic!("{other:?}"),
    }
}

fn receives(offer: &Offer, index: usize) -> Vec<(Codec, u8, Option<u8>)> {
    match &section(offer, index).plan {
        Plan::Receive(r) => {
            r.payloads.iter().map(|p: &Payload| (p.codec, p.pt.get(), p.rtx_pt.map(|r| r.get()))).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn ids(plan: &SendPlan) -> Vec<(ExtensionKind, u8)> {
    plan.extensions.iter().map(|(k, i)| (k, i.get())).collect()
}

/// What was accepted, as one reads it.
fn feedback(accepted: Feedback) -> Vec<&'static str> {
    let Feedback { nack, pli, fir, twcc, remb, .. } = accepted;
    let all = [(nack, "nack"), (pli, "pli"), (fir, "fir"), (twcc, "twcc"), (remb, "remb")];
    all.into_iter().filter_map(|(is, name)| is.then_some(name)).collect()
}
const OPUS: &str = "minptime=10;useinbandfec=1;usedtx=1;maxaveragebitrate=40000";

#[test]
fn chromium_publishes_three_rids_of_vp8_with_rtx() {
    use ExtensionKind::*;
    let (offer, text) = open("chromium-pub-simulcast");
    assert_eq!(offer.transport.ufrag, "QHNU");
    assert_eq!(offer.transport.setup, Setup::Passive);
    assert!(offer.transport.fingerprint.to_string().starts_with("4E:99:D5:20"));

    let audio = sends(&offer, 0);
    assert_eq!((audio.codec, audio.pt.get(), audio.rtx_pt), (Codec::Opus, 111, None));
    assert_eq!(audio.encodings.len(), 1);
    assert_eq!(audio.encodings[0].ssrc, Some(Ssrc(1058781862)));
    assert_eq!(ids(audio), [(AudioLevel, 1), (AbsSendTime, 2), (Twcc, 3), (Mid, 4)]);
    assert_eq!(feedback(audio.feedback), ["twcc"]);

    let video = sends(&offer, 1);
    assert_eq!((video.kind, video.codec, video.pt.get()), (MediaKind::Video, Codec::Vp8, 96));
    assert_eq!(video.rtx_pt.map(|p| p.get()), Some(97));
    let rids: Vec<&str> = video.encodings.iter().map(|e| e.rid.as_ref().unwrap().as_str()).collect();
    assert_eq!(rids, ["q", "h", "f"]);
    assert!(video.encodings.iter().all(|e| e.ssrc.is_none() && !e.paused));
    assert_eq!(ids(video), [(AbsSendTime, 2), (Twcc, 3), (Mid, 4), (Rid, 10), (RepairedRid, 11)]);
    assert_eq!(feedback(video.feedback), ["nack", "pli", "fir", "twcc"]);
    assert_eq!(video.msid.as_ref().unwrap().stream, "17dc811b-e49b-441b-a1b6-df3354b55e26");

    let audio = part(&text, 0);
    assert_eq!(audio[0], "m=audio 8080 UDP/TLS/RTP/SAVPF 111");
    assert_eq!(values(&audio, "fmtp"), [format!("111 {OPUS}")]);
    assert_eq!(
        values(&audio, "candidate"),
        ["1 1 udp 2130706431 192.0.2.7 8080 typ host", "2 1 udp 2130706175 2001:db8::1 8080 typ host"]
    );
    assert!(audio.contains(&"a=end-of-candidates") && audio.contains(&"a=setup:passive"));
    let video = part(&text, 1);
    assert_eq!(video[0], "m=video 8080 UDP/TLS/RTP/SAVPF 96 97");
    assert_eq!(values(&video, "rid"), ["q recv", "h recv", "f recv"]);
    assert_eq!(values(&video, "simulcast"), ["recv q;h;f"]);
    assert_eq!(values(&video, "rtcp-fb"), ["96 transport-cc", "96 ccm fir", "96 nack", "96 nack pli"]);
    assert!(video.contains(&"a=recvonly") && video.contains(&"a=rtcp-rsize"));
    assert!(text.contains("a=group:BUNDLE 0 1\r\n") && text.contains("\r\na=extmap-allow-mixed\r\nm="));
}

#[test]
fn chromium_publishes_one_encoding_known_by_its_ssrcs() {
    let (offer, text) = open("chromium-pub");
    let video = sends(&offer, 1);
    assert_eq!((video.codec, video.encodings.len()), (Codec::Vp8, 1));
    let encoding = video.encodings[0];
    assert!(encoding.rid.is_none() && encoding.ssrc.is_some() && encoding.rtx_ssrc.is_some());
    assert_eq!(video.extensions.id(ExtensionKind::Rid), None, "no rid, no extension for it");
    assert!(values(&part(&text, 1), "simulcast").is_empty());
}

#[test]
fn chromium_receives_vp8_vp9_and_each_h264_profile_without_transport_wide_feedback() {
    use H264Profile::*;
    let (offer, text) = open("chromium-sub");
    assert_eq!(receives(&offer, 0), [(Codec::Opus, 111, None)]);
    assert_eq!(
        receives(&offer, 1),
        [
            (Codec::Vp8, 96, Some(97)),
            (Codec::Vp9(0), 98, Some(99)),
            (Codec::H264(Baseline), 102, Some(103)),
            (Codec::H264(ConstrainedBaseline), 108, Some(109)),
            (Codec::H264(Main), 116, Some(117)),
            (Codec::H264(High444Predictive), 41, Some(42)),
        ]
    );
    let plan = section(&offer, 1).plan.receive().unwrap();
    assert_eq!(feedback(plan.feedback), ["nack", "pli", "fir", "remb"]);
    assert_eq!(
        plan.extensions.iter().map(|(k, i)| (k, i.get())).collect::<Vec<_>>(),
        [(ExtensionKind::Mid, 4)]
    );

    let audio = part(&text, 0);
    assert!(audio.contains(&"a=sendonly"));
    assert_eq!(values(&audio, "msid"), ["slot-0 t"]);
    assert_eq!(values(&audio, "ssrc"), ["1000 cname:salon", "1000 msid:slot-0 t"]);
    assert!(values(&audio, "rtcp-fb").is_empty());
    assert_eq!(values(&audio, "extmap").len(), 2);
    let video = part(&text, 1);
    assert!(video.contains(&"a=sendonly"));
    assert_eq!(values(&video, "ssrc-group"), ["FID 1002 1003"]);
    assert_eq!(values(&video, "msid"), ["slot-1 t"]);
    assert_eq!(
        values(&video, "ssrc"),
        ["1002 cname:salon", "1002 msid:slot-1 t", "1003 cname:salon", "1003 msid:slot-1 t"]
    );
    assert!(values(&video, "rtcp-fb").contains(&"96 goog-remb"));
    assert!(values(&video, "fmtp").contains(&"97 apt=96"));
    assert!(
        values(&video, "fmtp")
            .contains(&"108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
    );
}

#[test]
fn firefox_publishes_three_rids_though_its_video_section_has_port_0() {
    use ExtensionKind::*;
    let (offer, text) = open("firefox-pub-simulcast");
    assert_eq!(offer.transport.ufrag, "393bb28d");
    let video = sends(&offer, 1);
    assert_eq!((video.codec, video.pt.get(), video.rtx_pt.map(|p| p.get())), (Codec::Vp8, 120, Some(124)));
    let rids: Vec<&str> = video.encodings.iter().map(|e| e.rid.as_ref().unwrap().as_str()).collect();
    assert_eq!(rids, ["q", "h", "f"]);
    assert_eq!(ids(video), [(AbsSendTime, 4), (Twcc, 7), (Mid, 3), (Rid, 9), (RepairedRid, 10)]);
    assert_eq!(feedback(video.feedback), ["nack", "pli", "fir", "twcc"]);
    let audio = sends(&offer, 0);
    assert_eq!((audio.pt.get(), audio.encodings[0].ssrc), (109, Some(Ssrc(1218443755))));
    let lines = part(&text, 1);
    assert_eq!(values(&lines, "simulcast"), ["recv q;h;f"]);
    assert!(values(&lines, "extmap").contains(&"9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    assert!(!lines.contains(&"a=bundle-only"));
    assert!(lines.contains(&"a=extmap-allow-mixed"));
}

#[test]
fn firefox_receives_under_its_own_numbers() {
    let (offer, text) = open("firefox-sub");
    assert_eq!(receives(&offer, 0), [(Codec::Opus, 109, None)]);
    assert_eq!(receives(&offer, 1), [(Codec::Vp8, 120, Some(124)), (Codec::Vp9(0), 121, Some(125))]);
    let lines = part(&text, 1);
    assert_eq!(lines[0], "m=video 8080 UDP/TLS/RTP/SAVPF 120 124 121 125");
    assert_eq!(values(&lines, "ssrc-group"), ["FID 1002 1003"]);
    assert_eq!(values(&lines, "extmap"), ["3 urn:ietf:params:rtp-hdrext:sdes:mid"]);
    assert_eq!(values(&part(&text, 0), "extmap").len(), 2, "audio level and mid");
}

#[test]
fn ffmpeg_is_passive_so_we_are_the_dtls_client_and_its_streams_are_known_by_ssrc() {
    let (offer, text) = open("ffmpeg9-pub");
    assert_eq!(offer.transport.setup, Setup::Active);
    assert!(part(&text, 0).contains(&"a=setup:active"));
    let audio = sends(&offer, 0);
    assert_eq!((audio.pt.get(), audio.encodings[0].ssrc), (111, Some(Ssrc(433643716))));
    let video = sends(&offer, 1);
    assert_eq!(video.codec, Codec::H264(H264Profile::Baseline));
    assert_eq!((video.pt.get(), video.rtx_pt.map(|p| p.get())), (106, Some(105)));
    assert_eq!(video.encodings[0].ssrc, Some(Ssrc(433643717)));
    assert_eq!(video.encodings[0].rtx_ssrc, Some(Ssrc(433643718)));
    assert!(ids(video).is_empty() && ids(audio).is_empty());
    assert_eq!(feedback(video.feedback), ["nack"]);
    assert!(values(&part(&text, 1), "extmap").is_empty());
    let first = text.lines().find(|l| l.starts_with("a=candidate")).unwrap();
    assert_eq!(first, "a=candidate:1 1 udp 2130706431 192.0.2.7 8080 typ host");
    assert!(!part(&text, 0).contains(&"a=rtcp-rsize") && part(&text, 1).contains(&"a=rtcp-rsize"));
}

#[test]
fn gstreamer_offers_opus_in_capitals_with_rtx_for_sound_and_feedback_without_its_extension() {
    let (offer, text) = open("gst-pub");
    let video = sends(&offer, 0);
    assert_eq!((video.codec, video.rtx_pt.map(|p| p.get())), (Codec::Vp8, Some(98)));
    assert_eq!(video.encodings[0].rtx_ssrc, Some(Ssrc(2857338981)));
    assert_eq!(feedback(video.feedback), ["nack", "pli", "fir"]);
    let audio = sends(&offer, 1);
    assert_eq!((audio.codec, audio.pt.get(), audio.rtx_pt), (Codec::Opus, 97, None));
    assert_eq!(audio.encodings[0].ssrc, Some(Ssrc(287460579)));
    assert_eq!(audio.encodings[0].rtx_ssrc, None);
    assert_eq!(audio.feedback, Feedback::default());
    assert_eq!(part(&text, 1)[0], "m=audio 8080 UDP/TLS/RTP/SAVPF 97");
    assert!(text.contains("a=group:BUNDLE video0 audio1\r\n"));
}

#[test]
fn libdatachannel_has_its_fingerprint_for_the_session_and_no_rtx() {
    let (offer, text) = open("ndc-sub");
    assert_eq!(offer.transport.pwd, "yxrTg3Gl9mdO7sHNpjrZXl");
    assert!(offer.transport.fingerprint.to_string().ends_with("FF:B8:69"));
    assert_eq!(receives(&offer, 0), [(Codec::Opus, 111, None)]);
    assert_eq!(receives(&offer, 1), [(Codec::Vp8, 96, None)]);
    let video = part(&text, 1);
    assert!(values(&video, "ssrc-group").is_empty(), "no repair was offered");
    assert_eq!(values(&video, "ssrc"), ["1002 cname:salon", "1002 msid:slot-1 t"]);
    assert_eq!(values(&video, "rtcp-fb"), ["96 goog-remb", "96 nack", "96 nack pli"]);
}

#[test]
fn aiortc_names_three_hashes_of_one_certificate_and_knows_remb_only() {
    let (offer, text) = open("aiortc-pub");
    assert!(offer.transport.fingerprint.to_string().starts_with("6B:A6:0F:54"));
    let video = sends(&offer, 1);
    assert_eq!((video.codec, video.pt.get(), video.rtx_pt.map(|p| p.get())), (Codec::Vp8, 97, Some(98)));
    assert_eq!(video.encodings[0].rtx_ssrc, Some(Ssrc(3628437088)));
    assert_eq!(feedback(video.feedback), ["nack", "pli", "remb"]);
    assert_eq!(ids(video), [(ExtensionKind::AbsSendTime, 3), (ExtensionKind::Mid, 1)]);
    assert!(!text.contains("rsize"));
}
