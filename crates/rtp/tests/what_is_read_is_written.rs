//! What others wrote and we read, we write as they did, or in a normal form that reads the same and is itself written as it stands.
//!
//! The normal form, type by type: an RTP header without padding between and behind its elements, these in the form that they need; a VP8
//! descriptor without reserved bits and without an extension that says nothing; a VP9 descriptor without reserved bits. RTCP has its
//! own (`rtcp_round_trip`), as have AV1, RED and the layers allocation beside their code, and dependency descriptors
//! (`dependency_descriptor_laws`).
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

use proptest::collection::vec;
use proptest::prelude::*;
use salon_rtp::payload::h264::{NalParts, write_aggregate};
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::payload::vp9::{Vp9Descriptor, Vp9Fields, Vp9GroupPicture, Vp9StructureFields};
use salon_rtp::{Header, Mid, OutExtensions, Outgoing, Packet, Prefix, Rid, SeqNo};

/// Bytes of a header extension that mostly is one: elements, padding, and what is broken.
fn extension() -> impl Strategy<Value = Vec<u8>> {
    let element = (any::<bool>(), 1u8..=14, vec(any::<u8>(), 1..=16));
    let short = vec((element, 0usize..3), 0..4).prop_map(|list| {
        let mut body = Vec::new();
        for ((_, id, value), padding) in list {
            body.push(id << 4 | (value.len() as u8 - 1));
            body.extend(value);
            body.extend(std::iter::repeat_n(0, padding));
        }
        (0xbedeu16, body)
    });
    let long = vec((1u8..=255, vec(any::<u8>(), 0..20), 0usize..3), 0..4).prop_map(|list| {
        let mut body = Vec::new();
        for (id, value, padding) in list {
            body.extend([id, value.len() as u8]);
            body.extend(value);
            body.extend(std::iter::repeat_n(0, padding));
        }
        (0x1000u16, body)
    });
    let broken = (prop::sample::select(vec![0xbedeu16, 0x1000, 0x1007, 0x4242]), vec(any::<u8>(), 0..40));
    prop_oneof![4 => short, 4 => long, 1 => broken].prop_map(|(profile, mut body)| {
        body.resize(body.len().next_multiple_of(4), 0);
        let words = (body.len() / 4) as u16;
        [&profile.to_be_bytes()[..], &words.to_be_bytes(), &body].concat()
    })
}

/// A packet as it came, as one that leaves: `None` where what leaves has no place for it.
fn leaving<'a>(packet: &Packet<'a>) -> Option<Outgoing<'a>> {
    let mut extensions = OutExtensions::NONE;
    let mut elements = packet.extensions();
    let list: Vec<_> = elements.by_ref().collect();
    // Another profile, or something broken, is not passed on.
    if packet.extension_block().is_some() && !elements.is_whole() || packet.csrcs().len() > 1 {
        return None;
    }
    for (i, (id, value)) in list.iter().enumerate() {
        if extensions.push(*id, value).is_err() {
            (i + 1 == list.len()).then(|| extensions.pass(*id, value).ok())??;
        }
    }
    Some(Outgoing {
        ssrc: packet.ssrc(),
        index: SeqNo(packet.seq().0.into()),
        header: Header {
            pt: packet.pt(),
            marker: packet.marker(),
            timestamp: packet.timestamp(),
            csrc: packet.csrcs().next(),
            extensions,
        },
        prefix: Prefix::EMPTY,
        tail: packet.payload(),
        padding: packet.padding() as u8,
    })
}

fn written(packet: &Outgoing<'_>) -> Vec<u8> {
    let mut out = vec![0xaa; packet.header_len() + packet.body_len()];
    let (header, body) = out.split_at_mut(packet.header_len());
    packet.write_header(header).unwrap();
    packet.write_body(body).unwrap();
    out
}

/// What a packet says, whatever its form.
fn said(p: &Packet<'_>) -> impl PartialEq + std::fmt::Debug {
    let elements: Vec<_> = p.extensions().map(|(id, value)| (id, value.to_vec())).collect();
    let head = (p.marker(), p.pt(), p.seq(), p.timestamp(), p.ssrc(), p.csrcs().collect::<Vec<_>>());
    (head, elements, p.payload().to_vec(), p.padding())
}

proptest! {
    #![proptest_config(cases::cases(10_000))]

    #[test]
    fn packets(
        fixed in any::<[u8; 11]>(), csrcs in vec(any::<[u8; 4]>(), 0..2), extension in prop::option::of(extension()),
        payload in vec(any::<u8>(), 0..30), padding in 0u8..5,
    ) {
        let first = 0x80 | u8::from(padding > 0) << 5 | u8::from(extension.is_some()) << 4 | csrcs.len() as u8;
        let tail = [vec![0; usize::from(padding.max(1)) - 1], vec![padding; usize::from(padding.min(1))]].concat();
        let bytes = [
            &[first][..], &fixed, &csrcs.concat(), extension.as_deref().unwrap_or_default(), &payload, &tail,
        ].concat();
        let packet = Packet::parse(&bytes).unwrap();
        let Some(outgoing) = leaving(&packet) else { return Ok(()) };
        let normal = written(&outgoing);
        prop_assert!(normal.len() <= bytes.len());
        let read = Packet::parse(&normal).unwrap();
        prop_assert_eq!(said(&read), said(&packet));
        prop_assert_eq!(written(&leaving(&read).unwrap()), normal.clone());
        if extension.is_none() {
            prop_assert_eq!(normal, bytes);
        }
    }

    #[test]
    fn vp8(payload in vec(any::<u8>(), 1..12)) {
        let Ok(d) = Vp8Descriptor::parse(&payload) else { return Ok(()) };
        let normal = Vp8Descriptor::new(*d.fields());
        prop_assert_eq!(normal.fields(), d.fields());
        prop_assert!(normal.len() <= d.len());
        prop_assert_eq!(Vp8Descriptor::parse(normal.as_bytes()), Ok(normal));
        prop_assert_eq!(Vp8Descriptor::new(*normal.fields()), normal);
    }

    #[test]
    fn vp9(head in any::<u8>(), rest in vec(prop_oneof![2 => 0u8..8, 1 => any::<u8>()], 0..60)) {
        let payload = [&[head][..], &rest].concat();
        let Ok(d) = Vp9Descriptor::parse(&payload) else { return Ok(()) };
        let (Some(normal), len) = (vp9_written(&d, &payload), d.len()) else { return Ok(()) };
        let read = Vp9Descriptor::parse(&normal).unwrap();
        prop_assert!(normal.len() <= len && read.len() == normal.len());
        let said = |d: &Vp9Descriptor| (
            (d.picture_id, d.inter_picture, d.flexible, d.start, d.end, d.not_for_upper), d.layer, d.tl0,
            d.references().to_vec(), d.structure.map(|s| (s.spatial_layers, s.pictures, (0..8).map(|i| s.size(i)).collect::<Vec<_>>())),
        );
        prop_assert_eq!(said(&read), said(&d));
        prop_assert!(read.group(&normal).eq(d.group(&payload)));
        prop_assert_eq!(vp9_written(&read, &normal).unwrap(), normal);
    }

    /// There is one form only.
    #[test]
    fn h264_aggregates(list in vec(vec(any::<u8>(), 0..9), 1..6), forged in vec(any::<u8>(), 0..30)) {
        let unit = |bytes: &Vec<u8>| [&(bytes.len() as u16 + 1).to_be_bytes()[..], &[0x65], bytes].concat();
        let whole: Vec<u8> = [&[0x78][..], &list.iter().flat_map(unit).collect::<Vec<_>>()].concat();
        for payload in [whole.clone(), [&[0x78][..], &forged].concat()] {
            let Ok(parts) = NalParts::parse(&payload) else {
                prop_assert_ne!(&payload, &whole);
                continue;
            };
            let units: Vec<_> = parts.map(|p| [&[p.header][..], p.body].concat()).collect();
            let mut out = Vec::new();
            write_aggregate(&units.iter().map(|u| &u[..]).collect::<Vec<_>>(), &mut out).unwrap();
            let read: Vec<_> = NalParts::parse(&out).unwrap().map(|p| [&[p.header][..], p.body].concat()).collect();
            prop_assert_eq!(read, units.clone());
            if units.len() > 1 {
                // The first byte says which of the units matter most (RFC 6184 §5.7.1): it is written anew.
                prop_assert_eq!(&out[1..], &payload[1..]);
            }
        }
    }

    /// There is one form only.
    #[test]
    fn repaired(payload in vec(any::<u8>(), 0..60)) {
        let Ok(rtx) = Rtx::parse(&payload) else { return Ok(()) };
        let few = rtx.payload.len().min(20);
        let prefix = Rtx::prefix(rtx.original, &Prefix::new(&rtx.payload[..few]).unwrap()).unwrap();
        prop_assert_eq!([prefix.as_slice(), &rtx.payload[few..]].concat(), payload);
    }

    /// Zeros behind it are left out.
    #[test]
    fn names(text in "[a-zA-Z0-9]{0,18}", zeros in 0usize..4) {
        let value = [text.as_bytes(), &vec![0; zeros]].concat();
        let fits = (1..=16).contains(&text.len());
        prop_assert_eq!(Mid::parse(&value).map(|m| m.as_str().to_owned()), fits.then(|| text.clone()));
        prop_assert_eq!(Rid::parse(&value).map(|r| r.as_str().to_owned()), fits.then_some(text));
    }
}

/// A descriptor written anew; `None` for what we read and would not write (a reference of zero, flexible mode without a picture id).
fn vp9_written(d: &Vp9Descriptor, payload: &[u8]) -> Option<Vec<u8>> {
    let group: Vec<Vp9GroupPicture> = d.group(payload).collect();
    let sizes: Vec<_> =
        d.structure.iter().flat_map(|s| (0..s.spatial_layers).filter_map(|i| s.size(i))).collect();
    let structure = d.structure.map(|s| Vp9StructureFields {
        spatial_layers: s.spatial_layers,
        sizes: &sizes,
        group: &group,
    });
    let fields = Vp9Fields {
        picture_id: d.picture_id,
        inter_picture: d.inter_picture,
        flexible: d.flexible,
        start: d.start,
        end: d.end,
        not_for_upper: d.not_for_upper,
        layer: d.layer,
        tl0: d.tl0.unwrap_or(0),
        references: d.references(),
        structure,
    };
    let mut out = Vec::new();
    fields.write(&mut out).ok()?;
    Some(out)
}
