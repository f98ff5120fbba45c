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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn packet(payload: &[u8], padding: u8) -> Vec<u8> {
        let mut p = std::vec![0x80 | if padding > 0 { 0x20 } else { 0 }, 97, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2];
        p.extend(payload);
        if padding > 0 {
            p.extend(core::iter::repeat_n(0, usize::from(padding) - 1));
            p.push(padding);
        }
        p
    }

    // LK#185: a padding-only repair packet was parsed as VP8.
    #[test]
    fn bug_9_padding_alone_is_a_probe() {
        let mut rtx = RtxUnwrap::new(Pt::new(96).unwrap());
        for p in [packet(&[], 200), packet(&[1, 2], 0), packet(&[1, 2], 9)] {
            assert_eq!(rtx.open(&Packet::parse(&p).unwrap()), Ok(Unwrapped::Probe));
        }
        let p = packet(&[1], 0);
        assert_eq!(rtx.open(&Packet::parse(&p).unwrap()), Err(DropReason::MalformedRtp));
        assert_eq!((rtx.media(), rtx.probes()), (0, 3));
    }

    proptest! {
        #[test]
        fn the_original_is_restored(seq: u16, media in prop::collection::vec(any::<u8>(), 1..50), padding: u8) {
            let mut rtx = RtxUnwrap::new(Pt::new(96).unwrap());
            let p = packet(&[&seq.to_be_bytes()[..], &media].concat(), padding);
            let packet = Packet::parse(&p).unwrap();
            prop_assert_eq!(
                rtx.open(&packet),
                Ok(Unwrapped::Media { pt: Pt::new(96).unwrap(), seq: Seq(seq), payload: &media })
            );
        }
    }
}
