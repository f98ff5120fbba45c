//! What a datagram on a shared port is, by its first bytes.

/// The protocols that share a port with media (RFC 7983 §7, RFC 5761 §4 for RTP against RTCP).
// Exhaustive: whoever shares a port must miss no protocol. What we do not speak is `Other`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Demux {
    /// First byte 0 to 3.
    Stun,
    /// First byte 20 to 63.
    Dtls,
    /// First byte 128 to 191, and a second byte that no RTCP packet type can have.
    Rtp,
    /// First byte 128 to 191, second byte 192 to 223.
    Rtcp,
    /// ZRTP, TURN channels, anything else, and the empty datagram.
    Other,
}

impl Demux {
    /// Classifies a datagram. It says what the sender means it to be, not that it is well formed.
    pub fn of(datagram: &[u8]) -> Self {
        match (datagram.first(), datagram.get(1)) {
            (Some(0..=3), _) => Self::Stun,
            (Some(20..=63), _) => Self::Dtls,
            (Some(128..=191), Some(192..=223)) => Self::Rtcp,
            (Some(128..=191), Some(_)) => Self::Rtp,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_one_protocol() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => Demux::Stun,
                20..=63 => Demux::Dtls,
                128..=191 => Demux::Rtp,
                _ => Demux::Other,
            };
            assert_eq!(Demux::of(&[first, 96]), expected, "{first}");
        }
        assert_eq!(Demux::of(&[0x80, 200]), Demux::Rtcp);
        assert_eq!(Demux::of(&[0x80, 0x80 | 111]), Demux::Rtp);
        assert_eq!(Demux::of(&[]), Demux::Other);
    }
}
