//! RTP packets.

use super::ConvertError;
use crate::extension::{Elements, ExtId};
use crate::{Outgoing, Packet};
use ::rtp::header::{EXTENSION_PROFILE_ONE_BYTE, EXTENSION_PROFILE_TWO_BYTE, Extension, Header};
use ::rtp::packet::Packet as Theirs;
use alloc::vec::Vec;
use bytes::Bytes;

/// The bytes of one RTP packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RtpBuf {
    bytes: Vec<u8>,
    ends: [usize; 3],
}

impl RtpBuf {
    /// The packet.
    pub fn packet(&self) -> Packet<'_> {
        Packet::trusted(&self.bytes, self.ends)
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl TryFrom<&Theirs> for RtpBuf {
    type Error = ConvertError;

    fn try_from(theirs: &Theirs) -> Result<Self, ConvertError> {
        let h = &theirs.header;
        if h.version != 2 {
            return Err(ConvertError::Version);
        }
        if h.padding {
            return Err(ConvertError::Padding);
        }
        if h.payload_type > 127 {
            return Err(ConvertError::Number);
        }
        if h.csrc.len() > 15 {
            return Err(ConvertError::Count);
        }
        let mut out = Vec::new();
        out.push(0x80 | u8::from(h.extension) << 4 | h.csrc.len() as u8);
        out.push(u8::from(h.marker) << 7 | h.payload_type);
        out.extend(h.sequence_number.to_be_bytes());
        out.extend(h.timestamp.to_be_bytes());
        out.extend(h.ssrc.to_be_bytes());
        h.csrc.iter().for_each(|c| out.extend(c.to_be_bytes()));
        write_extension(h, &mut out)?;
        out.extend_from_slice(&theirs.payload);
        let ends = Packet::parse(&out)?.ends();
        Ok(Self { bytes: out, ends })
    }
}

/// The block of their elements, padded to whole words (RFC 8285 §4.2, §4.3; RFC 3550 §5.3.1 for other profiles).
fn write_extension(h: &Header, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if !h.extension {
        return if h.extensions.is_empty() { Ok(()) } else { Err(ConvertError::Extension) };
    }
    let mut body = Vec::new();
    for Extension { id, payload } in &h.extensions {
        let fits = match h.extension_profile {
            EXTENSION_PROFILE_ONE_BYTE => (1..=14).contains(id) && (1..=16).contains(&payload.len()),
            EXTENSION_PROFILE_TWO_BYTE => *id > 0 && payload.len() < 256,
            _ => *id == 0 && payload.len() % 4 == 0 && h.extensions.len() == 1,
        };
        match h.extension_profile {
            _ if !fits => return Err(ConvertError::Extension),
            EXTENSION_PROFILE_ONE_BYTE => body.push(id << 4 | (payload.len() - 1) as u8),
            EXTENSION_PROFILE_TWO_BYTE => body.extend([*id, payload.len() as u8]),
            _ => {}
        }
        body.extend_from_slice(payload);
    }
    body.resize(body.len().next_multiple_of(4), 0);
    let words = u16::try_from(body.len() / 4).map_err(|_| ConvertError::Count)?;
    out.extend(h.extension_profile.to_be_bytes());
    out.extend(words.to_be_bytes());
    out.extend(body);
    Ok(())
}

impl TryFrom<&Packet<'_>> for Theirs {
    type Error = ConvertError;

    fn try_from(ours: &Packet<'_>) -> Result<Self, ConvertError> {
        if ours.padding() > 0 {
            return Err(ConvertError::Padding);
        }
        let mut header = Header {
            version: 2,
            padding: false,
            extension: false,
            marker: ours.marker(),
            payload_type: ours.pt().get(),
            sequence_number: ours.seq().0,
            timestamp: ours.timestamp().0,
            ssrc: ours.ssrc().0,
            csrc: ours.csrcs().map(|c| c.0).collect(),
            extension_profile: 0,
            extensions: Vec::new(),
            extensions_padding: 0,
        };
        if let Some((profile, body)) = ours.extension_block() {
            read_extension(profile, body, &mut header)?;
        }
        Ok(Self { header, payload: Bytes::copy_from_slice(ours.payload()) })
    }
}

/// Their elements of a block: all of it, or it is an error.
fn read_extension(profile: u16, body: &[u8], header: &mut Header) -> Result<(), ConvertError> {
    (header.extension, header.extension_profile) = (true, profile);
    let per_element = match profile {
        EXTENSION_PROFILE_ONE_BYTE => 1,
        EXTENSION_PROFILE_TWO_BYTE => 2,
        // Theirs know the two-byte form without application bits only, and would take it for something else.
        p if p & 0xfff0 == EXTENSION_PROFILE_TWO_BYTE => return Err(ConvertError::Extension),
        _ => {
            header.extensions.push(Extension { id: 0, payload: Bytes::copy_from_slice(body) });
            return Ok(());
        }
    };
    let mut used = 0;
    let mut push = |id: ExtId, value: &[u8]| {
        used += per_element + value.len();
        header.extensions.push(Extension { id: id.get(), payload: Bytes::copy_from_slice(value) });
    };
    let mut elements = Elements::new(profile, body);
    elements.by_ref().for_each(|(id, value)| push(id, value));
    // What ended the walk early, and what was stepped over, would be lost.
    if !elements.is_whole() {
        return Err(ConvertError::Extension);
    }
    header.extensions_padding = body.len() - used;
    Ok(())
}

impl TryFrom<&Outgoing<'_>> for Theirs {
    type Error = ConvertError;

    fn try_from(ours: &Outgoing<'_>) -> Result<Self, ConvertError> {
        let mut bytes = alloc::vec![0; ours.header_len() + ours.body_len()];
        let header = ours.write_header(&mut bytes)?;
        ours.write_body(bytes.get_mut(header..).unwrap_or(&mut []))?;
        Self::try_from(&Packet::parse(&bytes)?)
    }
}
