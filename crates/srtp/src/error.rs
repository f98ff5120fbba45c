//! Why a packet was not sealed, or not opened.

use salon_rtp::reasons;
use thiserror::Error;

reasons! {
    /// Why a packet does not leave.
    #[derive(Error)]
    #[non_exhaustive]
    pub enum SealError {
        /// The output buffer cannot hold packet and tag. Nothing was spent: the packet may be sealed into a larger one.
        #[error("the buffer is too small")]
        TooSmall = "too-small",
        /// What was given as RTCP is shorter than its first eight bytes, or none of version 2.
        #[error("not an RTCP packet")]
        Malformed = "malformed",
        /// This (SSRC, index) was sealed before: a second time would reuse a nonce and give the key away.
        #[error("this packet index was sealed before")]
        IndexReused = "index-reused",
        /// The index lies before the sent window, so that nobody knows any more whether it was sealed.
        #[error("the packet index is older than the sent window")]
        IndexTooOld = "index-too-old",
        /// The index, or the count of RTCP packets, has come to its end: 2^48 and 2^31 (RFC 3711 §9.2). New keys are needed.
        #[error("the keys are used up")]
        Exhausted = "exhausted",
        /// The peer has [`MAX_STREAMS`](crate::limits::MAX_STREAMS) outgoing streams; what was sent on them must not be
        /// forgotten. New keys are needed.
        #[error("too many outgoing streams under these keys")]
        TooManyStreams = "too-many-streams",
        /// The cipher refused. The index counts as spent.
        #[error("the cipher failed")]
        Cipher = "cipher",
    }
}

reasons! {
    /// Why a datagram was not opened. It changed nothing.
    // Exhaustive: salon-transport has a drop reason, hence a counter, for each.
    #[derive(Error)]
    pub enum OpenError {
        /// It ends before its header and tag do.
        #[error("too short")]
        TooShort = "too-short",
        /// Its version is not 2, or its CSRC list or header extension ends after the packet does.
        #[error("malformed header")]
        Malformed = "malformed",
        /// This packet was opened before.
        #[error("replayed")]
        Replayed = "replayed",
        /// It lies before the replay window.
        #[error("older than the replay window")]
        TooOld = "too-old",
        /// RTCP that is not encrypted, which the profiles of RFC 5764 §4.1.2 and RFC 7714 §14.2 do not provide for.
        #[error("not encrypted")]
        NotEncrypted = "not-encrypted",
        /// Its index would exceed 48 bits (RFC 3711 §3.3.1).
        #[error("the keys are used up")]
        Exhausted = "exhausted",
        /// The tag is not that of this packet under these keys.
        #[error("authentication failed")]
        BadTag = "bad-tag",
    }
}

/// Key material of the wrong length, or that the cipher library refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("key material does not fit the profile")]
pub struct BadKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order_and_names_differ() {
        for (i, e) in SealError::ALL.iter().enumerate() {
            assert_eq!(*e as usize, i);
            assert_eq!(SealError::ALL.iter().filter(|o| o.name() == e.name()).count(), 1);
        }
        for (i, e) in OpenError::ALL.iter().enumerate() {
            assert_eq!(*e as usize, i);
            assert_eq!(OpenError::ALL.iter().filter(|o| o.name() == e.name()).count(), 1);
        }
    }
}
