//! Payload descriptors and payloads.

use crate::readers;
use salon_rtp::Prefix;
use salon_rtp::extension::descriptor::DescriptorReader;
use salon_rtp::payload::av1::Av1Payload;
use salon_rtp::payload::h264::{Fragments, H264Payload, NalParts, write_aggregate};
use salon_rtp::payload::h265::H265Payload;
use salon_rtp::payload::opus::OpusPacket;
use salon_rtp::payload::red::Red;
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor, Vp8Patch};
use salon_rtp::payload::vp9::{Vp9Descriptor, Vp9Patch};

/// A payload with its first bytes replaced.
fn replaced(payload: &[u8], (prefix, len): &(Prefix, usize)) -> Vec<u8> {
    [prefix.as_slice(), &payload[*len..]].concat()
}

/// A descriptor is read, built anew, patched and read again.
pub(crate) fn vp8(payload: &[u8]) -> bool {
    readers::read_payload(payload);
    let Ok(d) = Vp8Descriptor::parse(payload) else { return false };
    assert_eq!(Vp8Descriptor::new(*d.fields()).fields(), d.fields());
    assert_eq!(replaced(payload, &d.patched(&Vp8Patch::default())), payload);
    let patch = Vp8Patch { picture_id: Some(PictureId::Long(0x1234)), tl0: Some(7), key_index: Some(9) };
    let changed = replaced(payload, &d.patched(&patch));
    let again = Vp8Descriptor::parse(&changed).unwrap();
    let (now, before) = (again.fields(), d.fields());
    assert_eq!(now.picture_id, before.picture_id.map(|_| PictureId::Long(0x1234)));
    assert_eq!((now.tl0, now.key_index), (before.tl0.map(|_| 7), before.key_index.map(|_| 9)));
    assert_eq!((now.start, now.partition, now.temporal), (before.start, before.partition, before.temporal));
    assert_eq!(changed[again.len()..], payload[d.len()..]);
    assert_eq!(again.key_size(&changed), d.key_size(payload));
    true
}

/// The same of VP9, whose group of pictures stays where it stands.
pub(crate) fn vp9(payload: &[u8]) -> bool {
    readers::read_payload(payload);
    let Ok(d) = Vp9Descriptor::parse(payload) else { return false };
    assert_eq!(replaced(payload, &d.patched(&Vp9Patch::default())), payload);
    let patch = Vp9Patch { picture_id: Some(PictureId::Long(0x1234)), tl0: Some(7) };
    let changed = replaced(payload, &d.patched(&patch));
    let again = Vp9Descriptor::parse(&changed).unwrap();
    assert_eq!(again.picture_id, d.picture_id.map(|_| PictureId::Long(0x1234)));
    assert_eq!(again.tl0, d.tl0.map(|_| 7));
    assert_eq!(
        (again.layer, again.start, again.end, again.references(), again.structure, again.is_key()),
        (d.layer, d.start, d.end, d.references(), d.structure, d.is_key())
    );
    assert!(again.group(&changed).eq(d.group(payload)));
    assert_eq!(changed[again.len()..], payload[d.len()..]);
    true
}

/// A payload is read as H.264 and H.265; as one NAL unit it is cut, put together again, and put beside another.
pub(crate) fn h26x(payload: &[u8]) -> bool {
    readers::read_payload(payload);
    let max = 3 + usize::from(payload.first().copied().unwrap_or(0)) % 60;
    if let Some(fragments) = Fragments::new(payload, max) {
        let mut whole = Vec::new();
        for (head, part) in fragments {
            assert!(2 + part.len() <= max.max(3));
            whole.extend_from_slice(part);
            H264Payload::parse(&[&head, part].concat()).unwrap();
        }
        assert_eq!(whole, payload.get(1..).unwrap_or(&[]));
    }
    if let Ok(parts) = NalParts::parse(payload) {
        let units: Vec<_> =
            parts.filter(|p| p.start && p.end).map(|p| [&[p.header], p.body].concat()).collect();
        let borrowed: Vec<_> = units.iter().map(|u| &u[..]).collect();
        let mut out = Vec::new();
        if !units.is_empty() && write_aggregate(&borrowed, &mut out).is_ok() {
            let again: Vec<_> =
                NalParts::parse(&out).unwrap().map(|p| [&[p.header], p.body].concat()).collect();
            assert_eq!(again, units);
        }
    }
    H264Payload::parse(payload).is_ok() || H265Payload::parse(payload).is_ok()
}

/// A payload of AV1; and a stream of dependency descriptors, each behind its length, that one reader remembers.
pub(crate) fn av1(bytes: &[u8]) -> bool {
    readers::read_payload(bytes);
    let payload = Av1Payload::parse(bytes);
    if let Ok(p) = payload {
        let parts: Vec<_> = p.parts().map(|o| o.data).collect();
        let mut out = Vec::new();
        Av1Payload::write(p.is_key(), p.continues(), p.is_continued(), &parts, &mut out).unwrap();
        let again = Av1Payload::parse(&out).unwrap();
        assert!(again.parts().eq(p.parts()));
        assert_eq!((again.is_key(), again.layer()), (p.is_key(), p.layer()));
    }
    let mut rest = bytes;
    let values = core::iter::from_fn(|| {
        let (&len, after) = rest.split_first()?;
        let (value, after) = after.split_at_checked(len.into()).unwrap_or((after, &[]));
        rest = after;
        Some(value)
    });
    let mut reader = DescriptorReader::default();
    let read = readers::read_descriptors(&mut reader, values);
    assert!(read == 0 || reader.structure().is_some());
    payload.is_ok() || read > 0
}

/// Redundant audio, the audio in it, and retransmissions.
pub(crate) fn red_rtx(payload: &[u8]) -> bool {
    readers::read_payload(payload);
    if let Ok(rtx) = Rtx::parse(payload) {
        let first = Prefix::new(&rtx.payload[..rtx.payload.len().min(Prefix::MAX - 2)]).unwrap();
        let prefix = Rtx::prefix(rtx.original, &first).unwrap();
        assert_eq!(prefix.as_slice(), &payload[..prefix.as_slice().len()]);
    }
    let Ok(red) = Red::parse(payload) else { return false };
    let redundant: Vec<_> = red.redundant().collect();
    for block in redundant.iter().chain([&red.primary()]) {
        let _ = OpusPacket::parse(block.data).map(|p| p.frames().count());
    }
    let mut out = Vec::new();
    Red::write(&redundant, red.primary().pt, red.primary().data, &mut out).unwrap();
    assert_eq!(out, payload);
    true
}
