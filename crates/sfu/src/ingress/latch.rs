//! Which encoding an SSRC is.

use crate::verdict::DropReason;
use alloc::vec::Vec;
use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Mid, Packet, Pt, Rid, Ssrc, Time};

/// Media, or its repair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The packets as first sent.
    Media,
    /// Retransmissions (RFC 4588) under an SSRC of their own.
    Repair,
}

/// One encoding as its publisher declared it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Declared<E> {
    /// The caller's name for it.
    pub encoding: E,
    /// Its rid (RFC 8851), with simulcast.
    pub rid: Option<Rid>,
    /// Its SSRC, where the offer declared it (RFC 5576).
    pub ssrc: Option<Ssrc>,
    /// The SSRC of its repair stream, where the offer declared it.
    pub rtx_ssrc: Option<Ssrc>,
}

/// What a publisher declared in one media section.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a, E> {
    /// Its mid; foreign publishers have none.
    pub mid: Option<Mid>,
    /// The payload type of its media.
    pub pt: Pt,
    /// The payload type of its repair.
    pub rtx_pt: Option<Pt>,
    /// Its extension ids. In a bundle one id means one extension in all sections (RFC 8843 §9.1).
    pub extensions: ExtensionMap,
    /// Its encodings.
    pub encodings: &'a [Declared<E>],
}

/// A participant declares more than [`ENCODINGS_PER_PARTICIPANT`](crate::limits::ENCODINGS_PER_PARTICIPANT).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many encodings")]
pub struct TooManyEncodings;

/// What a packet changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The first packet of this stream.
    First,
    /// Another SSRC took the stream over: numbers and timestamps start afresh.
    Restarted,
}

/// Whose a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound<E> {
    /// The encoding.
    pub encoding: E,
    /// Media or repair.
    pub role: Role,
    /// What this packet changed.
    pub news: Option<News>,
}

/// Binds the SSRCs of one participant to its encodings.
#[derive(Clone, Debug)]
pub struct Latch<E> {
    streams: Vec<E>,
}

impl<E: Copy + PartialEq> Latch<E> {
    /// Nothing declared.
    pub const fn new() -> Self {
        Self { streams: Vec::new() }
    }

    /// Declares a media section.
    pub fn publish(&mut self, section: &Section<'_, E>) -> Result<(), TooManyEncodings> {
        let _ = section;
        Ok(())
    }

    /// Forgets the encodings of which `gone` is true, and their SSRCs.
    pub fn unpublish(&mut self, gone: impl Fn(E) -> bool) {
        self.streams.retain(|&e| !gone(e));
    }

    /// Whose `packet` is. Binds its SSRC if it says so itself.
    pub fn bind(&mut self, now: Time, packet: &Packet<'_>) -> Result<Bound<E>, DropReason> {
        let _ = (now, packet);
        Err(DropReason::UnknownSsrc)
    }

    /// The SSRC of an encoding's media, once a packet of it has come: what reports, NACKs and key frame requests may
    /// name. (A sender stops saying mid and rid at the first report on an SSRC, so nothing else may be reported on.)
    pub fn ssrc(&self, encoding: E) -> Option<Ssrc> {
        let _ = encoding;
        None
    }
}

impl<E: Copy + PartialEq> Default for Latch<E> {
    fn default() -> Self {
        Self::new()
    }
}
