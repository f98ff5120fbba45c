//! Session keys out of a master key (RFC 3711 §4.3), with a key derivation rate of zero: once.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::BadKey;

/// Whether keys are for RTP or for RTCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Rtp,
    Rtcp,
}

/// The keys of one direction and kind.
pub(crate) struct SessionKeys {
    cipher: Zeroizing<[u8; 32]>,
    cipher_len: usize,
    /// HMAC-SHA1's key has 160 bits (RFC 3711 §5.2).
    pub(crate) auth: Zeroizing<[u8; 20]>,
    /// 112 bits; GCM takes the first 96 (RFC 7714 §11).
    pub(crate) salt: Zeroizing<[u8; 14]>,
}

impl SessionKeys {
    /// Derives them. `key` has 16 or 32 bytes and chooses between AES_CM_PRF (RFC 3711 §4.3.3) and AES_256_CM_PRF
    /// (RFC 6188 §3).
    pub(crate) fn derive(kind: Kind, key: &[u8], salt: &[u8; 14]) -> Result<Self, BadKey> {
        // The labels of RFC 3711 §4.3.2.
        let (cipher_label, auth_label, salt_label) = match kind {
            Kind::Rtp => (0, 1, 2),
            Kind::Rtcp => (3, 4, 5),
        };
        let mut keys = Self {
            cipher: Zeroizing::new([0; 32]),
            cipher_len: key.len(),
            auth: Zeroizing::new([0; 20]),
            salt: Zeroizing::new([0; 14]),
        };
        let prf = counter_mode(key)?;
        pseudorandom(&prf, salt, cipher_label, keys.cipher.get_mut(..key.len()).ok_or(BadKey)?)?;
        pseudorandom(&prf, salt, auth_label, &mut *keys.auth)?;
        pseudorandom(&prf, salt, salt_label, &mut *keys.salt)?;
        Ok(keys)
    }

    /// The cipher's key, as long as the master key.
    pub(crate) fn cipher(&self) -> &[u8] {
        self.cipher.get(..self.cipher_len).unwrap_or(&[])
    }
}

/// AES in counter mode under a key of 16 or 32 bytes.
pub(crate) fn counter_mode(key: &[u8]) -> Result<EncryptingKey, BadKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(BadKey),
    };
    UnboundCipherKey::new(algorithm, key).and_then(EncryptingKey::ctr).map_err(|_| BadKey)
}

/// Fills `out` with the keystream at `(label << 48 XOR master salt) << 16` (RFC 3711 §4.3.1 and §4.3.3; the index divided
/// by a rate of zero is zero).
fn pseudorandom(prf: &EncryptingKey, salt: &[u8; 14], label: u8, out: &mut [u8]) -> Result<(), BadKey> {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[7] ^= label;
    out.fill(0);
    prf.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv))).map(drop).map_err(|_| BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bytes, vectors};

    #[test]
    fn the_keystreams_of_rfc_3711_b2_and_rfc_6188_7_1() {
        let all = vectors("keystream");
        for v in &all {
            let mut out = bytes(v, "keystream");
            let expected = out.clone();
            out.fill(0);
            let iv: [u8; 16] = bytes(v, "iv").try_into().unwrap();
            let key = counter_mode(&bytes(v, "key")).unwrap();
            key.less_safe_encrypt(&mut out, EncryptionContext::Iv128(FixedLength::from(iv))).unwrap();
            assert_eq!(out, expected, "{}", v["id"]);
            println!("ok  {}", v["id"]);
        }
        assert_eq!(all.len(), 2);
        println!("vectors: rfc (srtp keystreams): 2 of 2");
    }

    #[test]
    fn the_derivations_of_rfc_3711_b3_and_rfc_6188_7_2() {
        let all = vectors("key_derivation");
        for v in &all {
            let salt = bytes(v, "ms").try_into().unwrap();
            let keys = SessionKeys::derive(Kind::Rtp, &bytes(v, "mk"), &salt).unwrap();
            assert_eq!(keys.cipher(), bytes(v, "cipher"), "{}", v["id"]);
            assert_eq!(keys.salt[..], bytes(v, "salt"), "{}", v["id"]);
            assert_eq!(keys.auth[..], bytes(v, "auth"), "{}", v["id"]);
            println!("ok  {}", v["id"]);
        }
        assert_eq!(all.len(), 2);
        println!("vectors: rfc (srtp key derivations): 2 of 2");
    }

    #[test]
    fn rtp_and_rtcp_share_no_key() {
        let rtp = SessionKeys::derive(Kind::Rtp, &[7; 16], &[9; 14]).unwrap();
        let rtcp = SessionKeys::derive(Kind::Rtcp, &[7; 16], &[9; 14]).unwrap();
        assert_ne!(rtp.cipher(), rtcp.cipher());
        assert_ne!(rtp.salt, rtcp.salt);
        assert_ne!(rtp.auth, rtcp.auth);
        assert!(SessionKeys::derive(Kind::Rtp, &[7; 24], &[9; 14]).is_err());
    }
}
