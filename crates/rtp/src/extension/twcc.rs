//! The number that counts every packet of a transport.

/// A transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2): 16 bits over all packets
/// that one sender puts on one transport, whatever their stream; it wraps and has no order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TwccSeq(pub u16);

impl TwccSeq {
    /// Reads an element's value: two bytes. (The second version's four bytes ask for feedback on request; nobody
    /// negotiates it under this URI.)
    pub const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            [a, b] => Some(Self(u16::from_be_bytes([*a, *b]))),
            _ => None,
        }
    }

    /// The element's value.
    pub const fn write(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_written_and_read_back() {
        for n in 0..=u16::MAX {
            assert_eq!(TwccSeq::parse(&TwccSeq(n).write()), Some(TwccSeq(n)));
        }
        assert_eq!(TwccSeq::parse(&[0; 4]), None);
    }
}
