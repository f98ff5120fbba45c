//! The identifiers that a header extension carries as text.

use crate::{Mid, Rid};

impl Mid {
    /// Reads the value of a `sdes:mid` element (RFC 9143 §15.1).
    pub fn parse(value: &[u8]) -> Option<Self> {
        Self::new(text(value)).ok()
    }
}

impl Rid {
    /// Reads the value of a `sdes:rtp-stream-id` or `sdes:repaired-rtp-stream-id` element (RFC 8852 §3.1, §3.2).
    pub fn parse(value: &[u8]) -> Option<Self> {
        Self::new(text(value)).ok()
    }
}

/// What stands before the first zero byte: some senders pad the text with zeros to a fixed length, and libwebrtc's
/// reader forgives them.
fn text(value: &[u8]) -> &[u8] {
    value.split(|&b| b == 0).next().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_the_first_zero() {
        assert_eq!(Mid::parse(b"1\0\0").unwrap().as_str(), "1");
        assert_eq!(Rid::parse(b"\0"), None);
        assert_eq!(Rid::parse(b"a\xff"), None);
        assert_eq!(Rid::parse(b"hi").unwrap().as_str(), "hi");
    }
}
