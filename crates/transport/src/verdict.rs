//! Why something was dropped, refused, or ended.

use salon_rtp::reasons;
use salon_srtp::OpenError;
use thiserror::Error;

reasons! {
    /// Why a datagram was dropped. It changed nothing but this reason's counter.
    #[non_exhaustive]
    pub enum DropReason {
        /// The first byte is of no protocol that we speak (RFC 7983 §7).
        UnknownProtocol = "unknown-protocol",
        /// STUN that does not keep to its lengths, or lacks the magic cookie (RFC 8489 §5, §14).
        StunMalformed = "stun-malformed",
        /// STUN that a lite agent has no use for: anything but a binding request, or with attributes that do not belong
        /// into one.
        StunUnexpected = "stun-unexpected",
        /// A binding request without USERNAME, or without the colon in it (RFC 8445 §7.2.2).
        StunNoUsername = "stun-no-username",
        /// A binding request without MESSAGE-INTEGRITY (RFC 8445 §7.2.2).
        StunNoIntegrity = "stun-no-integrity",
        /// The username names none of our peers.
        StunUnknownUser = "stun-unknown-user",
        /// The integrity does not verify, or the other half of the username is not the peer's.
        StunBadIntegrity = "stun-bad-integrity",
        /// The transaction was answered before, to another address.
        StunReplayed = "stun-replayed",
        /// The peer has proved [`MAX_ADDRESSES`](crate::limits::MAX_ADDRESSES) new addresses within the minute.
        StunTooManyAddresses = "stun-too-many-addresses",
        /// The address belongs to another peer, which was heard from it of late.
        StunAddressTaken = "stun-address-taken",
        /// DTLS from an address that no check has validated.
        DtlsForeign = "dtls-foreign",
        /// DTLS before a peer for which we are the client has chosen a path.
        DtlsEarly = "dtls-early",
        /// A DTLS datagram longer than [`MAX_DTLS_DATAGRAM`](crate::limits::MAX_DTLS_DATAGRAM).
        DtlsOversized = "dtls-oversized",
        /// As many handshakes are under way as may be.
        DtlsTooMany = "dtls-too-many",
        /// Media from an address that no check has validated.
        SrtpForeign = "srtp-foreign",
        /// Media before the handshake gave keys.
        SrtpNoKeys = "srtp-no-keys",
        /// SRTP that ends before its header and tag do.
        SrtpTooShort = "srtp-too-short",
        /// SRTP with a malformed header.
        SrtpMalformed = "srtp-malformed",
        /// SRTP that was opened before.
        SrtpReplayed = "srtp-replayed",
        /// SRTP from before the replay window.
        SrtpTooOld = "srtp-too-old",
        /// RTCP that is not encrypted.
        SrtpNotEncrypted = "srtp-not-encrypted",
        /// SRTP with an index at which the keys are used up.
        SrtpExhausted = "srtp-exhausted",
        /// SRTP whose tag is not that of these keys.
        SrtpBadTag = "srtp-bad-tag",
    }
}

impl From<OpenError> for DropReason {
    fn from(e: OpenError) -> Self {
        match e {
            OpenError::TooShort => Self::SrtpTooShort,
            OpenError::Malformed => Self::SrtpMalformed,
            OpenError::Replayed => Self::SrtpReplayed,
            OpenError::TooOld => Self::SrtpTooOld,
            OpenError::NotEncrypted => Self::SrtpNotEncrypted,
            OpenError::Exhausted => Self::SrtpExhausted,
            OpenError::BadTag => Self::SrtpBadTag,
        }
    }
}

reasons! {
    /// Why a peer is gone. The transport has already forgotten it.
    // Exhaustive: salon-server has a code and a sentence for each.
    pub enum GoneReason {
        /// Nothing authenticated came for [`GONE_AFTER`](crate::limits::GONE_AFTER).
        Silence = "silence",
        /// It was not connected within [`CONNECT_WITHIN`](crate::limits::CONNECT_WITHIN).
        NeverConnected = "never-connected",
        /// It closed the DTLS connection.
        Closed = "closed",
        /// The handshake failed, or the peer ended it with an alert.
        HandshakeFailed = "handshake-failed",
        /// Its certificate is not the one that the signalling announced (RFC 8122 §6.2).
        WrongFingerprint = "wrong-fingerprint",
        /// The handshake ended without an SRTP profile that both sides have.
        NoSrtpProfile = "no-srtp-profile",
    }
}

/// Why a call was refused. Nothing changed.
// Exhaustive: salon-host has a refusal, hence a name, for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
pub enum Refused {
    /// The transport has as many peers as its configuration allows.
    #[error("the transport is full")]
    TooManyPeers,
    /// Our ufrag is another peer's already, or the peer's own of before. Choose it at random.
    #[error("the ufrag is in use")]
    UfragInUse,
    /// Credentials of forbidden length or characters.
    #[error("malformed ICE credentials")]
    BadCredentials,
    /// The peer is gone.
    #[error("no such peer")]
    NoSuchPeer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order_and_names_differ() {
        for (i, r) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*r as usize, i);
            assert_eq!(DropReason::ALL.iter().filter(|o| o.name() == r.name()).count(), 1);
        }
        for (i, r) in GoneReason::ALL.iter().enumerate() {
            assert_eq!(*r as usize, i);
            assert_eq!(GoneReason::ALL.iter().filter(|o| o.name() == r.name()).count(), 1);
        }
    }

    #[test]
    fn each_refusal_of_the_cipher_has_a_reason_of_its_own() {
        let reasons: std::collections::HashSet<_> =
            OpenError::ALL.iter().copied().map(DropReason::from).collect();
        assert_eq!(reasons.len(), OpenError::ALL.len());
    }
}
