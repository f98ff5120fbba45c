//! Identifiers that travel.

use core::fmt;

/// A synchronisation source (RFC 3550 §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An RTP payload type: seven bits (RFC 3550 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pt(u8);

impl Pt {
    /// `None` above 127.
    pub const fn new(v: u8) -> Option<Self> {
        if v < 128 { Some(Self(v)) } else { None }
    }

    /// The low seven bits of the header's second byte.
    pub(crate) const fn from_header(v: u8) -> Self {
        Self(v & 0x7f)
    }

    /// 0 to 127.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Pt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A MID or RID that is empty, longer than [`Mid::MAX`] bytes, or holds a character that its grammar forbids.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an identifier must have 1 to 16 characters of its token grammar")]
pub struct BadToken;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Token {
    len: u8,
    bytes: [u8; 16],
}

impl Token {
    fn new(text: &[u8], allowed: fn(u8) -> bool) -> Result<Self, BadToken> {
        let mut bytes = [0; 16];
        let to = bytes.get_mut(..text.len()).ok_or(BadToken)?;
        if text.is_empty() || !text.iter().all(|&b| allowed(b)) {
            return Err(BadToken);
        }
        to.copy_from_slice(text);
        Ok(Self { len: text.len() as u8, bytes })
    }

    fn as_str(&self) -> &str {
        // The grammar admits ASCII only, so this cannot fail; an empty identifier would be the harmless answer.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("")
    }
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Token);

        impl $name {
            /// The longest that a one-byte header extension can carry (RFC 8285 §4.2).
            pub const MAX: usize = 16;

            /// Checks length and grammar.
            pub fn new(text: &[u8]) -> Result<Self, BadToken> {
                Token::new(text, $allowed).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

token!(
    /// The identification tag of a media section (RFC 5888 §4, RFC 9143); an SDP `token`.
    Mid,
    |b| b.is_ascii_graphic() && !br#""(),/:;<=>?@[\]"#.contains(&b)
);
token!(
    /// The identifier of one encoding of a simulcast (RFC 8851 §10 as RFC 8852 §3 restricts it: letters and digits;
    /// `-` and `_`, which RFC 8851's first grammar had, are still sent and accepted).
    Rid,
    |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_refuse_what_their_grammar_forbids() {
        assert_eq!(Mid::new(b"0").unwrap().as_str(), "0");
        assert_eq!(Mid::new(b""), Err(BadToken));
        assert_eq!(Mid::new(b"a b"), Err(BadToken));
        assert_eq!(Mid::new(b"12345678901234567"), Err(BadToken));
        assert_eq!(Rid::new(b"h{1}"), Err(BadToken));
        assert_eq!(Rid::new(b"h").unwrap().as_str(), "h");
    }
}
