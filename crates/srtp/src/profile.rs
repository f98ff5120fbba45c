//! Protection profiles, and the master keys that they take.

use core::fmt;

use zeroize::Zeroize;

use crate::BadKey;

/// A DTLS-SRTP protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Profile {
    /// AEAD_AES_128_GCM.
    AeadAes128Gcm,
    /// AEAD_AES_256_GCM.
    AeadAes256Gcm,
    /// AES_CM_128_HMAC_SHA1_80 (RFC 3711): six times dearer than GCM on today's processors.
    Aes128CmHmacSha1_80,
}

impl Profile {
    /// Every profile, the one to prefer first.
    pub const ALL: &'static [Self] = &[Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmHmacSha1_80];

    /// The name in the IANA registry of DTLS-SRTP protection profiles, without its prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::Aes128CmHmacSha1_80 => "AES128_CM_HMAC_SHA1_80",
        }
    }

    /// Bytes of a master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::Aes128CmHmacSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of a master salt: 96 bits for GCM (RFC 7714 §12), 112 for counter mode (RFC 3711 §8.2).
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::Aes128CmHmacSha1_80 => 14,
        }
    }

    /// Bytes of the authentication tag (RFC 7714 §14.2; RFC 3711 §5.2).
    pub(crate) const fn tag_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::Aes128CmHmacSha1_80 => 10,
        }
    }

    /// Bytes by which sealing makes an RTP packet longer.
    pub const fn rtp_overhead(self) -> usize {
        self.tag_len()
    }

    /// Bytes by which sealing makes an RTCP packet longer: tag, and index with E bit (RFC 3711 §3.4).
    pub const fn rtcp_overhead(self) -> usize {
        self.tag_len() + 4
    }

    /// Bytes that DTLS is to export for both directions under the label `EXTRACTOR-dtls_srtp` (RFC 5764 §4.2).
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// The longest of [`Profile::keying_material_len`]: a buffer of this size holds any profile's.
    pub const MAX_KEYING_MATERIAL: usize = Self::AeadAes256Gcm.keying_material_len();
}

/// The master key and salt of one direction. Its bytes are wiped when it is dropped, and shown nowhere.
#[derive(Clone)]
pub struct MasterKey {
    profile: Profile,
    key: [u8; Self::KEY],
    salt: [u8; Self::SALT],
}

impl MasterKey {
    /// The longest of each: AES-256 (RFC 7714 §12), and the salt of counter mode (RFC 3711 §8.2).
    const KEY: usize = 32;
    const SALT: usize = 14;

    /// Takes a key and a salt, of [`Profile::key_len`] and [`Profile::salt_len`] bytes.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, BadKey> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(BadKey);
        }
        let mut master = Self { profile, key: [0; Self::KEY], salt: [0; Self::SALT] };
        master.key[..key.len()].copy_from_slice(key);
        master.salt[..salt.len()].copy_from_slice(salt);
        Ok(master)
    }

    /// Splits what DTLS exported into the keys under which the DTLS *client* seals, and those of the *server*, in this
    /// order (RFC 5764 §4.2: both keys, then both salts). The material may be longer than needed, never shorter.
    pub fn from_keying_material(profile: Profile, material: &[u8]) -> Result<(Self, Self), BadKey> {
        let (key, salt) = (profile.key_len(), profile.salt_len());
        let (client_key, rest) = material.split_at_checked(key).ok_or(BadKey)?;
        let (server_key, rest) = rest.split_at_checked(key).ok_or(BadKey)?;
        let (client_salt, rest) = rest.split_at_checked(salt).ok_or(BadKey)?;
        let server_salt = rest.get(..salt).ok_or(BadKey)?;
        Ok((Self::new(profile, client_key, client_salt)?, Self::new(profile, server_key, server_salt)?))
    }

    /// What the key is for.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }

    /// The salt as the derivation takes it: 112 bits, GCM's 96 padded with zeros on the right (RFC 7714 §11).
    pub(crate) fn salt(&self) -> &[u8; Self::SALT] {
        &self.salt
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("profile", &self.profile).finish_non_exhaustive()
    }
}
