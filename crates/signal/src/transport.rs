//! ICE and DTLS of an offer: one transport for everything (RFC 8839, RFC 8842).

use core::fmt;
use core::ops::RangeInclusive;

use crate::SdpError;
use crate::lines::Attributes;

/// The SHA-256 of a certificate (RFC 8122 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// Our role in the DTLS handshake (RFC 8842 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Setup {
    /// We are the DTLS client, because the offer says `passive`.
    Active,
    /// We are the DTLS server: `actpass`, `active`, or nothing said.
    Passive,
}

/// What the client says about its end.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Transport {
    /// The client's ICE user name fragment.
    pub ufrag: String,
    /// The client's ICE password.
    pub pwd: String,
    /// The client's certificate.
    pub fingerprint: Fingerprint,
    /// The role that falls to us. In a renegotiation without a new handshake the caller keeps the role that it has.
    pub setup: Setup,
}

/// Shortest and longest user name fragment and password (RFC 8839 §5.4).
pub(crate) const UFRAG: RangeInclusive<usize> = 4..=256;
pub(crate) const PWD: RangeInclusive<usize> = 22..=256;

/// RFC 8839 §5.4 allows letters, digits, `+` and `/`; some agents use more. A colon would end the name in a check
/// (RFC 8445 §7.2.2).
pub(crate) fn fits(text: &str, range: RangeInclusive<usize>) -> bool {
    range.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

impl Transport {
    /// From the section that carries the BUNDLE group's transport, else from the session level.
    pub(crate) fn read(session: &Attributes, section: &Attributes) -> Result<Self, SdpError> {
        let either = |key| section.value(key).or_else(|| session.value(key));
        let ufrag = either("ice-ufrag").ok_or(SdpError::NoIceCredentials)?;
        let pwd = either("ice-pwd").ok_or(SdpError::NoIceCredentials)?;
        if !fits(ufrag, UFRAG) || !fits(pwd, PWD) {
            return Err(SdpError::BadIceCredentials);
        }
        let setup = match either("setup") {
            None | Some("actpass" | "active") => Setup::Passive,
            Some("passive") => Setup::Active,
            Some(_) => return Err(SdpError::BadSetup),
        };
        let from = if section.value("fingerprint").is_some() { section } else { session };
        Ok(Self { ufrag: ufrag.to_owned(), pwd: pwd.to_owned(), fingerprint: fingerprint(from)?, setup })
    }
}

/// The first SHA-256 one; who lists several hashes means the same certificate (RFC 8122 §5).
fn fingerprint(attributes: &Attributes) -> Result<Fingerprint, SdpError> {
    let text = attributes
        .all("fingerprint")
        .filter_map(|v| v.split_once(' '))
        .find(|(hash, _)| hash.eq_ignore_ascii_case("sha-256"))
        .map(|(_, text)| text.trim())
        .ok_or(SdpError::NoFingerprint)?;
    let mut bytes = [0; 32];
    let mut pairs = text.split(':');
    for byte in &mut bytes {
        let pair = pairs.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
        *byte = pair.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or(SdpError::BadFingerprint)?;
    }
    if pairs.next().is_some() {
        return Err(SdpError::BadFingerprint);
    }
    Ok(Fingerprint(bytes))
}
