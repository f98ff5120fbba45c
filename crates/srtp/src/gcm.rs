//! AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use salon_rtp::Ssrc;
use zeroize::Zeroizing;

use crate::BadKey;
use crate::cipher::{RTCP_HEADER, Sealed};
use crate::keys::SessionKeys;

/// Bytes of the tag (RFC 7714 §13.2).
const TAG: usize = 16;

/// One direction and kind.
pub(crate) struct Gcm {
    key: LessSafeKey,
    /// In the lower 96 bits.
    salt: Zeroizing<u128>,
}

impl Gcm {
    pub(crate) fn new(keys: &SessionKeys) -> Result<Self, BadKey> {
        let salt = keys.salt.first_chunk().ok_or(BadKey)?;
        Self::with_session_key(keys.cipher(), salt)
    }

    fn with_session_key(key: &[u8], salt: &[u8; 12]) -> Result<Self, BadKey> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = UnboundKey::new(algorithm, key).map_err(|_| BadKey)?;
        let mut wide = Zeroizing::new([0; 16]);
        wide[4..].copy_from_slice(salt);
        Ok(Self { key: LessSafeKey::new(key), salt: Zeroizing::new(u128::from_be_bytes(*wide)) })
    }

    /// Two zero bytes, SSRC, 48 bits of index, XOR the salt: for RTP the index is roll-over counter and sequence number
    /// (RFC 7714 §8.1); for RTCP its 31 bits (§9.1).
    fn nonce(&self, ssrc: Ssrc, index: u64) -> Nonce {
        let iv = *self.salt ^ u128::from(ssrc.0) << 48 ^ u128::from(index & 0xffff_ffff_ffff);
        let [_, _, _, _, iv @ ..] = iv.to_be_bytes();
        Nonce::assume_unique_for_key(iv)
    }

    /// Seals RTP: `out` is header, room for the body, room for the tag. The body comes from `source`, or stands in place.
    pub(crate) fn seal_rtp(
        &self,
        (ssrc, index): (Ssrc, u64),
        header: usize,
        out: &mut [u8],
        source: Option<&[u8]>,
    ) -> Sealed {
        let (header, rest) = out.split_at_mut_checked(header).ok_or(Unspecified)?;
        let (body, tag) = rest.split_at_mut_checked(rest.len().saturating_sub(TAG)).ok_or(Unspecified)?;
        let (nonce, aad) = (self.nonce(ssrc, index), Aad::from(&*header));
        match source {
            Some(source) => self.key.seal_out_of_place_scatter(nonce, aad, source, body, &[], tag),
            None => self.key.seal_in_place_scatter(nonce, aad, body, &[], tag),
        }
    }

    /// Opens RTP in place; the length of header and plain body.
    pub(crate) fn open_rtp(
        &self,
        (ssrc, index): (Ssrc, u64),
        header: usize,
        packet: &mut [u8],
    ) -> Result<usize, Unspecified> {
        let end = packet.len().checked_sub(TAG).ok_or(Unspecified)?;
        let (header, rest) = packet.split_at_mut_checked(header).ok_or(Unspecified)?;
        let (body, tag) = rest.split_at_mut_checked(end.saturating_sub(header.len())).ok_or(Unspecified)?;
        self.key.open_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(&*header), tag, body)?;
        Ok(end)
    }

    /// Seals RTCP into `out`: header, ciphertext, tag, then `word`, which holds E bit and index (RFC 7714 §9.2).
    pub(crate) fn seal_rtcp(
        &self,
        (ssrc, index): (Ssrc, u64),
        compound: &[u8],
        word: [u8; 4],
        out: &mut [u8],
    ) -> Sealed {
        let (header, plain) = compound.split_first_chunk::<RTCP_HEADER>().ok_or(Unspecified)?;
        let (head, rest) = out.split_first_chunk_mut::<RTCP_HEADER>().ok_or(Unspecified)?;
        let (body, rest) = rest.split_at_mut_checked(plain.len()).ok_or(Unspecified)?;
        let (tag, trailer) = rest.split_at_mut_checked(TAG).ok_or(Unspecified)?;
        *head = *header;
        *trailer.first_chunk_mut().ok_or(Unspecified)? = word;
        let aad = Aad::from(rtcp_aad(header, word));
        self.key.seal_out_of_place_scatter(self.nonce(ssrc, index), aad, plain, body, &[], tag)
    }

    /// Opens RTCP in place, whose trailing word is cut off already; the length of the plain compound.
    pub(crate) fn open_rtcp(
        &self,
        (ssrc, index): (Ssrc, u64),
        word: [u8; 4],
        packet: &mut [u8],
    ) -> Result<usize, Unspecified> {
        let end = packet.len().checked_sub(TAG).ok_or(Unspecified)?;
        let (header, rest) = packet.split_first_chunk_mut::<RTCP_HEADER>().ok_or(Unspecified)?;
        let (body, tag) = rest.split_at_mut_checked(end.saturating_sub(RTCP_HEADER)).ok_or(Unspecified)?;
        let aad = Aad::from(rtcp_aad(header, word));
        self.key.open_in_place_separate_tag(self.nonce(ssrc, index), aad, tag, body)?;
        Ok(end)
    }
}

/// What is authenticated beside an encrypted compound: its first eight bytes and the trailing word (RFC 7714 §9.2).
fn rtcp_aad(header: &[u8; RTCP_HEADER], word: [u8; 4]) -> [u8; RTCP_HEADER + 4] {
    let mut aad = [0; RTCP_HEADER + 4];
    aad[..RTCP_HEADER].copy_from_slice(header);
    aad[RTCP_HEADER..].copy_from_slice(&word);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bytes, vectors};

    #[test]
    fn the_packets_of_rfc_7714_sections_16_and_17() {
        let mut seen = 0;
        for v in vectors("aead") {
            let salt = bytes(&v, "salt").try_into().unwrap();
            let gcm = Gcm::with_session_key(&bytes(&v, "key"), &salt).unwrap();
            let (plain, expected) = (bytes(&v, "plain"), bytes(&v, "protected"));
            let mut out = vec![0; expected.len()];
            let opened = if v["kind"] == "rtp" {
                let at = (Ssrc(0x5501_a0b2), 0xf17b);
                out[..12].copy_from_slice(&plain[..12]);
                gcm.seal_rtp(at, 12, &mut out, Some(&plain[12..])).unwrap();
                assert_eq!(out, expected, "{}", v["id"]);
                out[..plain.len()].copy_from_slice(&plain);
                gcm.seal_rtp(at, 12, &mut out, None).unwrap();
                assert_eq!(out, expected, "{} in place", v["id"]);
                gcm.open_rtp(at, 12, &mut out).unwrap()
            } else {
                let (at, word) = ((Ssrc(0x4d61_7273), 0x5d4), [0x80, 0, 5, 0xd4]);
                gcm.seal_rtcp(at, &plain, word, &mut out).unwrap();
                assert_eq!(out, expected, "{}", v["id"]);
                let end = out.len() - 4;
                gcm.open_rtcp(at, word, &mut out[..end]).unwrap()
            };
            assert_eq!(out[..opened], plain, "{}", v["id"]);
            println!("ok  {}", v["id"]);
            seen += 1;
        }
        assert_eq!(seen, 4);
        println!("vectors: rfc (srtp packets): 4 of 4");
    }
}
