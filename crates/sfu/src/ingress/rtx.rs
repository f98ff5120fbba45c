//! Retransmitted packets, as they were first sent.

use crate::verdict::DropReason;
use salon_rtp::{Packet, Pt, Seq};

/// What a repair packet holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unwrapped<'a> {
    /// A media packet, sent again. Timestamp, marker and extensions are the repair packet's own (RFC 4588 §4).
    Media {
        /// The payload type of the media (`apt`).
        pt: Pt,
        /// The number that it was first sent with (OSN).
        seq: Seq,
        /// The payload that it was first sent with.
        payload: &'a [u8],
    },
    /// Padding alone: a bandwidth probe. Nothing to forward.
    Probe,
}

/// Opens the repair packets of one encoding (RFC 4588 §4).
#[derive(Clone, Copy, Debug)]
pub struct RtxUnwrap {
    apt: Pt,
    media: u64,
    probes: u64,
}

impl RtxUnwrap {
    /// For media of payload type `apt`.
    pub const fn new(apt: Pt) -> Self {
        Self { apt, media: 0, probes: 0 }
    }

    /// What `packet` holds.
    pub fn open<'a>(&mut self, packet: &Packet<'a>) -> Result<Unwrapped<'a>, DropReason> {
        match packet.payload() {
            // Padding only; or the number of a packet that was itself padding, as libwebrtc repeats its own probes.
            [] | [_, _] => {
                self.probes += 1;
                Ok(Unwrapped::Probe)
            }
            [hi, lo, payload @ ..] => {
                self.media += 1;
                Ok(Unwrapped::Media { pt: self.apt, seq: Seq(u16::from_be_bytes([*hi, *lo])), payload })
            }
            [_] => Err(DropReason::MalformedRtp),
        }
    }

    /// Packets unwrapped, that held media.
    pub const fn media(&self) -> u64 {
        self.media
    }

    /// Packets unwrapped, that held padding.
    pub const fn probes(&self) -> u64 {
        self.probes
    }
}
