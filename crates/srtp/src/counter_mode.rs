//! AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4.1.1 and §4.2.1).

use aws_lc_rs::cipher::{EncryptingKey, EncryptionContext};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use salon_rtp::Ssrc;
use zeroize::Zeroizing;

use crate::BadKey;
use crate::cipher::{RTCP_HEADER, Sealed};
use crate::keys::{self, SessionKeys};

/// Bytes of the tag: the first 80 bits of HMAC-SHA1 (RFC 3711 §5.2).
const TAG: usize = 10;

/// One direction and kind.
pub(crate) struct CounterMode {
    key: EncryptingKey,
    auth: hmac::Key,
    salt: Zeroizing<[u8; 14]>,
}

impl CounterMode {
    pub(crate) fn new(keys: &SessionKeys) -> Result<Self, BadKey> {
        Ok(Self {
            key: keys::counter_mode(keys.cipher())?,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*keys.auth),
            salt: keys.salt.clone(),
        })
    }

    /// Encrypts or decrypts. The counter starts at salt × 2^16 XOR SSRC × 2^64 XOR index × 2^16 (RFC 3711 §4.1.1).
    fn crypt(&self, (ssrc, index): (Ssrc, u64), body: &mut [u8]) -> Result<(), Unspecified> {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&*self.salt);
        for (byte, x) in iv.iter_mut().skip(4).zip(ssrc.0.to_be_bytes()) {
            *byte ^= x;
        }
        for (byte, x) in iv.iter_mut().skip(8).zip(index.to_be_bytes().into_iter().skip(2)) {
            *byte ^= x;
        }
        self.key.less_safe_encrypt(body, EncryptionContext::Iv128(FixedLength::from(iv))).map(drop)
    }

    /// The tag of `packet` followed by `word`.
    fn tag(&self, packet: &[u8], word: [u8; 4]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.auth);
        context.update(packet);
        context.update(&word);
        context.sign()
    }

    fn write_tag(&self, packet: &[u8], word: [u8; 4], to: &mut [u8]) -> Sealed {
        let tag = self.tag(packet, word);
        to.copy_from_slice(tag.as_ref().get(..to.len()).ok_or(Unspecified)?);
        Ok(())
    }

    fn verify(&self, packet: &[u8], word: [u8; 4], tag: &[u8]) -> Result<(), Unspecified> {
        verify_slices_are_equal(self.tag(packet, word).as_ref().get(..TAG).ok_or(Unspecified)?, tag)
    }

    /// Seals RTP: `out` is header, room for the body, room for the tag. The body comes from `source`, or stands in place.
    pub(crate) fn seal_rtp(
        &self,
        (ssrc, index): (Ssrc, u64),
        header: usize,
        out: &mut [u8],
        source: Option<&[u8]>,
    ) -> Sealed {
        let end = out.len().checked_sub(TAG).ok_or(Unspecified)?;
        let (packet, tag) = out.split_at_mut_checked(end).ok_or(Unspecified)?;
        let body = packet.get_mut(header..).ok_or(Unspecified)?;
        if let Some(source) = source {
            // The library's one-call counter mode works in place only.
            body.get_mut(..source.len()).ok_or(Unspecified)?.copy_from_slice(source);
        }
        self.crypt((ssrc, index), body)?;
        self.write_tag(packet, roc(index), tag)
    }

    /// Opens RTP in place; the length of header and plain body.
    pub(crate) fn open_rtp(
        &self,
        (ssrc, index): (Ssrc, u64),
        header: usize,
        packet: &mut [u8],
    ) -> Result<usize, Unspecified> {
        let end = packet.len().checked_sub(TAG).ok_or(Unspecified)?;
        let (packet, tag) = packet.split_at_mut_checked(end).ok_or(Unspecified)?;
        self.verify(packet, roc(index), tag)?;
        self.crypt((ssrc, index), packet.get_mut(header..).ok_or(Unspecified)?)?;
        Ok(end)
    }

    /// Seals RTCP into `out`: header, ciphertext, `word`, which holds E bit and index, then the tag (RFC 3711 §3.4).
    pub(crate) fn seal_rtcp(
        &self,
        (ssrc, index): (Ssrc, u64),
        compound: &[u8],
        word: [u8; 4],
        out: &mut [u8],
    ) -> Sealed {
        let (packet, rest) = out.split_at_mut_checked(compound.len()).ok_or(Unspecified)?;
        packet.copy_from_slice(compound);
        self.crypt((ssrc, index), packet.get_mut(RTCP_HEADER..).ok_or(Unspecified)?)?;
        let (trailer, tag) = rest.split_first_chunk_mut().ok_or(Unspecified)?;
        *trailer = word;
        self.write_tag(packet, word, tag)
    }

    /// Opens RTCP in place, where `packet` is the compound without word and tag.
    pub(crate) fn open_rtcp(
        &self,
        (ssrc, index): (Ssrc, u64),
        word: [u8; 4],
        packet: &mut [u8],
        tag: &[u8],
    ) -> Result<usize, Unspecified> {
        self.verify(packet, word, tag)?;
        self.crypt((ssrc, index), packet.get_mut(RTCP_HEADER..).ok_or(Unspecified)?)?;
        Ok(packet.len())
    }
}

/// The roll-over counter is authenticated though it does not travel (RFC 3711 §4.2).
fn roc(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}
