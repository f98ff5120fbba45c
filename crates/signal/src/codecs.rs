//! The one table of codecs: how each stands in SDP.

use salon_rtp::{Codec, H264Profile, MediaKind, Pt};

use crate::attributes::{RtpMap, parameters, payload_type, with_pt};
use crate::lines::{Attributes, MediaLine};
use crate::{Feedback, Payload, Rejection};

/// A row of the table: what `a=rtpmap` and `a=fmtp` must say, and what the answer says.
struct Row {
    name: &'static str,
    kind: MediaKind,
    clock_rate: u32,
    channels: u8,
    /// The codec that the parameters describe; `None` for a variant that we do not forward.
    read: fn(fmtp: &[&str]) -> Option<Codec>,
    /// The parameters of the answer.
    answer: fn(fmtp: &[&str]) -> Option<String>,
}

const TABLE: &[Row] = &[
    Row {
        // RFC 7587 §7: the clock rate is always 48,000 and the channels always 2, whatever is sent.
        name: "opus",
        kind: MediaKind::Audio,
        clock_rate: 48_000,
        channels: 2,
        read: |_| Some(Codec::Opus),
        answer: |_| Some(OPUS.to_owned()),
    },
    Row {
        name: "VP8",
        kind: MediaKind::Video,
        clock_rate: 90_000,
        channels: 1,
        read: |_| Some(Codec::Vp8),
        answer: |_| None,
    },
    Row {
        name: "H264",
        kind: MediaKind::Video,
        clock_rate: 90_000,
        channels: 1,
        read: read_h264,
        answer: |fmtp| Some(answer_h264(fmtp)),
    },
    Row {
        name: "VP9",
        kind: MediaKind::Video,
        clock_rate: 90_000,
        channels: 1,
        // RFC 9628 §6: absent means profile 0. Others (more bits, more chroma) not every browser decodes.
        read: |fmtp| parameters(fmtp, "profile-id").next().is_none_or(|p| p == "0").then_some(Codec::Vp9(0)),
        answer: |fmtp| parameters(fmtp, "profile-id").next().map(|_| "profile-id=0".to_owned()),
    },
];

/// What every Opus section is answered with (RFC 7587 §6.1). `usedtx`: without it a muted browser goes on sending 50
/// packets a second. `useinbandfec`: one lost packet is mostly heard. 40 kbit/s: clear wide-band speech with its FEC,
/// a third of what music would want.
const OPUS: &str = "minptime=10;useinbandfec=1;usedtx=1;maxaveragebitrate=40000";

/// Only packetization mode 1, which browsers send; modes cannot be mixed without repacketizing (RFC 6184 §8.2.2).
fn read_h264(fmtp: &[&str]) -> Option<Codec> {
    if parameters(fmtp, "packetization-mode").next() != Some("1") {
        return None;
    }
    let profile = match parameters(fmtp, "profile-level-id").next() {
        // RFC 6184 §8.1: absent means Baseline at level 1.
        None => H264Profile::Baseline,
        Some(text) => {
            let hex = |range| text.get(range).and_then(|t: &str| u8::from_str_radix(t, 16).ok());
            if text.len() != 6 || hex(4..6).is_none() {
                return None;
            }
            H264Profile::from_profile_level_id(hex(0..2)?, hex(2..4)?)?
        }
    };
    Some(Codec::H264(profile))
}

/// The level as offered: it is the client's own, and we decode nothing.
fn answer_h264(fmtp: &[&str]) -> String {
    let mut text = String::new();
    if parameters(fmtp, "level-asymmetry-allowed").next() == Some("1") {
        text.push_str("level-asymmetry-allowed=1;");
    }
    text.push_str("packetization-mode=1");
    if let Some(id) = parameters(fmtp, "profile-level-id").next() {
        text.push_str(";profile-level-id=");
        text.push_str(id);
    }
    text
}

/// Which codec a publisher is answered with: the least. VP8 first, because everybody decodes it; then H264 from the
/// profile that the most decoders contain to the one that the fewest do; then VP9.
pub(crate) fn preference(codec: Codec) -> u8 {
    match codec {
        Codec::Opus | Codec::Vp8 => 0,
        Codec::H264(H264Profile::ConstrainedBaseline) => 1,
        Codec::H264(H264Profile::Baseline) => 2,
        Codec::H264(H264Profile::Main) => 3,
        Codec::H264(H264Profile::ConstrainedHigh) => 4,
        Codec::H264(H264Profile::High) => 5,
        Codec::H264(H264Profile::High444Predictive) => 6,
        _ => 7,
    }
}

/// What a section says about each of its payload types.
#[derive(Clone, Default)]
struct Described<'a> {
    offered: bool,
    map: Option<RtpMap<'a>>,
    fmtp: Vec<&'a str>,
    feedback: Feedback,
}

/// The payload types of a section that we know, each codec once, in the order of the `m=` line.
pub(crate) fn read(
    line: &MediaLine,
    attributes: &Attributes,
    kind: MediaKind,
) -> Result<Vec<Payload>, Rejection> {
    let (order, described) = describe(line, attributes)?;
    let at = |pt: Pt| described.get(usize::from(pt.get()));
    let mut payloads: Vec<Payload> = Vec::new();
    for &pt in &order {
        let Some(d) = at(pt) else { continue };
        let Some(map) = d.map else { continue };
        let row = TABLE.iter().find(|r| r.kind == kind && map.is(r.name, r.clock_rate, r.channels));
        let Some((row, codec)) = row.and_then(|r| Some((r, (r.read)(&d.fmtp)?))) else { continue };
        if payloads.iter().all(|p| p.codec != codec) {
            let feedback = match kind {
                // Sound is repaired by Opus itself; a resent packet would mostly be late.
                MediaKind::Audio => Feedback { nack: false, pli: false, fir: false, ..d.feedback },
                MediaKind::Video => d.feedback,
            };
            payloads.push(Payload { codec, pt, rtx_pt: None, feedback, fmtp: (row.answer)(&d.fmtp) });
        }
    }
    for &pt in &order {
        let Some(d) = at(pt) else { continue };
        if kind != MediaKind::Video || !d.map.is_some_and(|m| m.is("rtx", 90_000, 1)) {
            continue;
        }
        // RFC 4588 §8.1: `apt` names the payload type that is repaired.
        let mut repaired = parameters(&d.fmtp, "apt");
        let Some(first) = repaired.next() else { continue };
        if repaired.any(|other| other != first) {
            return Err(Rejection::ConflictingApt);
        }
        let repaired = payload_type(first).ok_or(Rejection::BadPayloadType)?;
        if let Some(p) = payloads.iter_mut().find(|p| p.pt == repaired && p.rtx_pt.is_none()) {
            p.rtx_pt = Some(pt);
        }
    }
    if payloads.is_empty() { Err(Rejection::NoCodec) } else { Ok(payloads) }
}

/// Payload types that would read as RTCP on a shared port (RFC 5761 §4): as if not offered.
const LIKE_RTCP: core::ops::RangeInclusive<u8> = 64..=95;

fn describe<'a>(
    line: &MediaLine,
    attributes: &'a Attributes,
) -> Result<(Vec<Pt>, Vec<Described<'a>>), Rejection> {
    let mut described = vec![Described::default(); 128];
    let mut order = Vec::with_capacity(line.formats.len());
    for format in &line.formats {
        let pt = payload_type(format).ok_or(Rejection::BadPayloadType)?;
        if let Some(d) = described.get_mut(usize::from(pt.get()))
            && !d.offered
            && !LIKE_RTCP.contains(&pt.get())
        {
            d.offered = true;
            order.push(pt);
        }
    }
    for (pt, text) in attributes.all("rtpmap").filter_map(with_pt) {
        let Some(d) = described.get_mut(usize::from(pt.get())).filter(|d| d.offered) else { continue };
        let Some(map) = RtpMap::parse(text) else { continue };
        if d.map.is_some_and(|m| !m.is(map.name, map.clock_rate, map.channels)) {
            return Err(Rejection::PayloadTypeConflict);
        }
        d.map = Some(map);
    }
    for (pt, text) in attributes.all("fmtp").filter_map(with_pt) {
        if let Some(d) = described.get_mut(usize::from(pt.get())) {
            d.fmtp.push(text);
        }
    }
    for value in attributes.all("rtcp-fb") {
        // RFC 4585 §4.2: a payload type, or `*` for all.
        if let Some(("*", what)) = value.split_once(char::is_whitespace) {
            described.iter_mut().for_each(|d| add_feedback(&mut d.feedback, what));
        } else if let Some((pt, what)) = with_pt(value)
            && let Some(d) = described.get_mut(usize::from(pt.get()))
        {
            add_feedback(&mut d.feedback, what);
        }
    }
    Ok((order, described))
}

/// Exactly what is known, and no word more (RFC 4585 §4.2, RFC 5104 §7.1): the answer repeats it, and may name nothing that was not
/// offered.
fn add_feedback(feedback: &mut Feedback, what: &str) {
    let mut words = what.split_whitespace();
    match [words.next(), words.next(), words.next()] {
        [Some("nack"), None, _] => feedback.nack = true,
        [Some("nack"), Some("pli"), None] => feedback.pli = true,
        [Some("ccm"), Some("fir"), None] => feedback.fir = true,
        [Some("transport-cc"), None, _] => feedback.twcc = true,
        [Some("goog-remb"), None, _] => feedback.remb = true,
        _ => {}
    }
}

/// `a=rtpmap` of a codec, without the payload type.
pub(crate) fn map_of(codec: Codec) -> String {
    let (name, rate) = (codec.name(), codec.clock_rate());
    match codec.kind() {
        MediaKind::Audio => format!("{name}/{rate}/2"),
        MediaKind::Video => format!("{name}/{rate}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_needs_mode_1_and_a_profile_that_we_know() {
        use H264Profile::*;
        let read = |fmtp: &str| read_h264(&[fmtp]);
        assert_eq!(
            read("packetization-mode=1;profile-level-id=42e01f"),
            Some(Codec::H264(ConstrainedBaseline))
        );
        assert_eq!(read("packetization-mode=1;profile-level-id=640C1f"), Some(Codec::H264(ConstrainedHigh)));
        assert_eq!(read("packetization-mode=1"), Some(Codec::H264(Baseline)));
        for bad in [
            "",
            "profile-level-id=42e01f",
            "packetization-mode=0;profile-level-id=42e01f",
            "packetization-mode=1;profile-level-id=42e0",
            "packetization-mode=1;profile-level-id=42e01f00",
            "packetization-mode=1;profile-level-id=zzzzzz",
            "packetization-mode=1;profile-level-id=é12ab",
            "packetization-mode=1;profile-level-id=ff001f",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_table_agrees_with_the_vocabulary() {
        for row in TABLE {
            let codec = (row.read)(&["packetization-mode=1"]).unwrap();
            assert_eq!(
                (codec.name(), codec.clock_rate(), codec.kind()),
                (row.name, row.clock_rate, row.kind)
            );
        }
    }
}
