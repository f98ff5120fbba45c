//! What an ICE agent is known by.

use core::fmt;

use crate::limits::MAX_CREDENTIAL;

/// A username fragment and a password (RFC 8839 §5.4).
///
/// Ours must come from the operating system's random numbers: the ufrag with at least 24 random bits, the password with
/// at least 128 (RFC 8445 §5.3). Whoever knows them can take the peer's place on the network, though not its keys.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// The username fragment, 4 to 256 `ice-char`s. Ours is unique in the transport.
    pub ufrag: String,
    /// The password, 22 to 256 `ice-char`s.
    pub pwd: String,
}

impl IceCredentials {
    /// Whether both have the lengths and characters that RFC 8839 §5.4 allows.
    pub fn is_valid(&self) -> bool {
        let fits = |s: &str, least| (least..=MAX_CREDENTIAL).contains(&s.len()) && s.bytes().all(is_ice_char);
        fits(&self.ufrag, 4) && fits(&self.pwd, 22)
    }
}

fn is_ice_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_characters_are_checked_and_the_password_is_not_shown() {
        let with = |ufrag: &str, pwd: &str| IceCredentials { ufrag: ufrag.into(), pwd: pwd.into() };
        let pwd = "0123456789+/abcdefghIJ";
        assert!(with("a/+9", pwd).is_valid());
        assert!(!with("abc", pwd).is_valid());
        assert!(!with("abc:", pwd).is_valid());
        assert!(!with("abcd", &pwd[1..]).is_valid());
        assert!(!with(&"a".repeat(257), pwd).is_valid());
        assert!(!format!("{:?}", with("abcd", pwd)).contains(pwd));
    }
}
