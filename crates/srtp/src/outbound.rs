//! Seals what leaves to one peer.

use core::fmt;

use salon_rtp::{Outgoing, SeqNo, Ssrc, TooSmall};

use crate::cipher::{Cipher, RTCP_HEADER};
use crate::keys::Kind;
use crate::limits::{MAX_SENT_WINDOW, MIN_SENT_WINDOW};
use crate::streams::Streams;
use crate::window::{Standing, Window};
use crate::{BadKey, MasterKey, Profile, SealError};

/// Seals what leaves to one peer, and never seals an (SSRC, index) twice.
///
/// With GCM a nonce used twice gives the authentication key away (RFC 7714 §8.4), and with counter mode the XOR of two
/// payloads. So the sent window of a stream is never forgotten while its keys live: a number that falls out of it counts
/// as sent, and where [`MAX_STREAMS`](crate::limits::MAX_STREAMS) streams stand, a new one is refused rather than an old
/// one dropped. Make only one `Outbound` of a master key.
///
/// A receiver takes a stream's first packet for one of round zero (RFC 3711 §3.3.1): the first index under new keys is to
/// lie below 2^16, and well below, or its loss costs the whole stream.
pub struct Outbound {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    sent: Streams<Window<Box<[u64]>>>,
    sent_window: usize,
    /// The index of the next RTCP packet, of whatever SSRC: it counts the packets under this key, so that the same
    /// (SSRC, index) cannot come back (RFC 3711 §3.2.1).
    next_rtcp: u32,
}

impl Outbound {
    /// Derives the keys. `sent_window`: packets that may still be sealed late, per stream
    /// ([`DEFAULT_SENT_WINDOW`](crate::limits::DEFAULT_SENT_WINDOW)); brought within
    /// [`MIN_SENT_WINDOW`] and [`MAX_SENT_WINDOW`], and rounded up to a power of two.
    pub fn new(master: &MasterKey, sent_window: usize) -> Result<Self, BadKey> {
        Ok(Self {
            profile: master.profile(),
            rtp: Cipher::new(Kind::Rtp, master)?,
            rtcp: Cipher::new(Kind::Rtcp, master)?,
            sent: Streams::new(),
            sent_window: sent_window.clamp(MIN_SENT_WINDOW, MAX_SENT_WINDOW).next_power_of_two(),
            next_rtcp: 0,
        })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Streams on which a packet was sealed: at most [`MAX_STREAMS`](crate::limits::MAX_STREAMS).
    pub fn streams(&self) -> usize {
        self.sent.len()
    }

    /// Writes the sealed packet to the front of `out`, and says how long it is: [`Outgoing::header_len`] +
    /// [`Outgoing::body_len`] + [`Profile::rtp_overhead`]. Without prefix and padding the payload goes from the tail into
    /// `out` in one pass. After an error `out` holds nothing to be sent.
    pub fn seal_rtp(&mut self, packet: &Outgoing<'_>, out: &mut [u8]) -> Result<usize, SealError> {
        let (header, body) = (packet.header_len(), packet.body_len());
        let len = header + body + self.profile.rtp_overhead();
        let out = out.get_mut(..len).ok_or(SealError::TooSmall)?;
        self.spend(packet.ssrc, packet.index)?;
        packet.write_header(out).map_err(|TooSmall| SealError::TooSmall)?;
        let source = if packet.prefix.as_slice().is_empty() && packet.padding == 0 {
            Some(packet.tail)
        } else {
            let to = out.get_mut(header..).ok_or(SealError::TooSmall)?;
            packet.write_body(to).map_err(|TooSmall| SealError::TooSmall)?;
            None
        };
        let at = (packet.ssrc, packet.index.0);
        self.rtp.seal_rtp(at, header, out, source).map_err(|_| SealError::Cipher)?;
        Ok(len)
    }

    /// Writes the sealed compound packet to the front of `out`, and says how long it is: its length +
    /// [`Profile::rtcp_overhead`]. After an error `out` holds nothing to be sent.
    pub fn seal_rtcp(&mut self, compound: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        let ssrc = match compound.first_chunk::<RTCP_HEADER>() {
            Some(&[first, _, _, _, a, b, c, d]) if first >> 6 == 2 => Ssrc(u32::from_be_bytes([a, b, c, d])),
            _ => return Err(SealError::Malformed),
        };
        let len = compound.len() + self.profile.rtcp_overhead();
        let out = out.get_mut(..len).ok_or(SealError::TooSmall)?;
        let index = self.next_rtcp;
        // 31 bits, and no second round under the same key (RFC 3711 §9.2).
        if index >> 31 != 0 {
            return Err(SealError::Exhausted);
        }
        self.next_rtcp = index + 1;
        self.rtcp.seal_rtcp(ssrc, index, compound, out).map_err(|_| SealError::Cipher)?;
        Ok(len)
    }

    /// Takes an index for good, before a byte is encrypted under it.
    fn spend(&mut self, ssrc: Ssrc, index: SeqNo) -> Result<(), SealError> {
        if index.0 >> 48 != 0 {
            return Err(SealError::Exhausted);
        }
        let Some(window) = self.sent.get_mut(ssrc) else {
            if self.sent.is_full() {
                return Err(SealError::TooManyStreams);
            }
            let mut window = Window::new(vec![0; self.sent_window.div_ceil(64)].into_boxed_slice());
            window.mark(index.0);
            self.sent.insert(ssrc, window);
            return Ok(());
        };
        match window.check(index.0) {
            Standing::New => window.mark(index.0),
            Standing::Seen => return Err(SealError::IndexReused),
            Standing::TooOld => return Err(SealError::IndexTooOld),
        }
        Ok(())
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("profile", &self.profile)
            .field("streams", &self.sent.len())
            .field("next_rtcp", &self.next_rtcp)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtcp_ends_after_two_to_the_31_packets() {
        let master = MasterKey::new(Profile::AeadAes128Gcm, &[1; 16], &[2; 12]).unwrap();
        let mut outbound = Outbound::new(&master, 0).unwrap();
        let (compound, mut out) = ([0x80, 201, 0, 1, 0, 0, 0, 5], [0; 64]);
        outbound.next_rtcp = (1 << 31) - 1;
        assert_eq!(outbound.seal_rtcp(&compound, &mut out), Ok(28));
        assert_eq!(out[24..28], [0xff; 4]);
        for _ in 0..3 {
            assert_eq!(outbound.seal_rtcp(&compound, &mut out), Err(SealError::Exhausted));
        }
    }
}
