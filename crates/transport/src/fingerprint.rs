//! What a certificate is known by.

use core::fmt;
use core::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

/// The SHA-256 of a certificate's DER form, as `a=fingerprint` carries it (RFC 8122 §5): who holds the signalling link
/// says by it who may answer the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// The text is not 32 bytes in hexadecimal, separated by colons.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("not a SHA-256 fingerprint")]
pub struct BadFingerprint;

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(sum)
    }
}

/// `AB:CD:…`, in capitals as RFC 8122 §5 asks.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let mut sum = [0; 32];
        let mut parts = text.split(':');
        for byte in &mut sum {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = u8::from_str_radix(part.ok_or(BadFingerprint)?, 16).map_err(|_| BadFingerprint)?;
        }
        if parts.next().is_some() { Err(BadFingerprint) } else { Ok(Self(sum)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(sum in any::<[u8; 32]>(), cut in 1usize..95) {
            let text = Fingerprint(sum).to_string();
            prop_assert_eq!(text.parse(), Ok(Fingerprint(sum)));
            prop_assert_eq!(text.to_lowercase().parse(), Ok(Fingerprint(sum)));
            prop_assert_eq!(text[..cut].parse::<Fingerprint>(), Err(BadFingerprint));
            prop_assert_eq!(format!("{text}:00").parse::<Fingerprint>(), Err(BadFingerprint));
        }
    }

    #[test]
    fn it_is_the_sha_256() {
        // FIPS 180-2, appendix B.1: the message "abc".
        let abc =
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(Fingerprint::of(b"abc").to_string(), abc);
    }
}
