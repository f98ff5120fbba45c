//! Why an offer, or one of its sections, is refused.

/// Why an offer as a whole cannot be answered. Nothing has changed: who gets one may offer again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// See [`limits::OFFER_BYTES`](crate::limits::OFFER_BYTES).
    #[error("the offer is larger than 256 KiB")]
    TooLarge,
    /// See [`limits::SECTIONS`](crate::limits::SECTIONS).
    #[error("the offer has more than 128 media sections")]
    TooManySections,
    /// Not the grammar of RFC 8866.
    #[error("the offer is not a session description")]
    Malformed,
    /// Two sections with one `a=mid` (RFC 5888 §9.1).
    #[error("two media sections of the offer have the same mid")]
    DuplicateMid,
    /// `a=ice-lite`: neither side would ever send a check (RFC 8445 §2.5).
    #[error("the offer is from an ICE-lite agent; so are we, and neither would send a check")]
    IceLite,
    /// No `a=ice-ufrag` or no `a=ice-pwd`, neither in the section that decides nor for the session (RFC 8839 §5.4).
    #[error("the offer has no ice-ufrag or no ice-pwd")]
    NoIceCredentials,
    /// Shorter or longer than RFC 8839 §5.4 allows, or not printable ASCII.
    #[error("the offer's ice-ufrag or ice-pwd is too short, too long or not made of ICE characters")]
    BadIceCredentials,
    /// No `a=fingerprint` with SHA-256 (RFC 8122 §5).
    #[error("the offer has no sha-256 fingerprint")]
    NoFingerprint,
    /// Not 32 pairs of hexadecimal digits.
    #[error("the offer's sha-256 fingerprint is not 32 hexadecimal bytes")]
    BadFingerprint,
    /// `a=setup` with something else than active, passive or actpass (RFC 4145 §4, RFC 8842 §5.2).
    #[error("the offer's setup is neither active, passive nor actpass")]
    BadSetup,
    /// No section is left that we can take.
    #[error("no media section of the offer can be accepted")]
    NothingAccepted,
}

impl SdpError {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::TooManySections,
        Self::Malformed,
        Self::DuplicateMid,
        Self::IceLite,
        Self::NoIceCredentials,
        Self::BadIceCredentials,
        Self::NoFingerprint,
        Self::BadFingerprint,
        Self::BadSetup,
        Self::NothingAccepted,
    ];

    /// A short name for counters and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::TooManySections => "too-many-sections",
            Self::Malformed => "malformed",
            Self::DuplicateMid => "duplicate-mid",
            Self::IceLite => "ice-lite",
            Self::NoIceCredentials => "no-ice-credentials",
            Self::BadIceCredentials => "bad-ice-credentials",
            Self::NoFingerprint => "no-fingerprint",
            Self::BadFingerprint => "bad-fingerprint",
            Self::BadSetup => "bad-setup",
            Self::NothingAccepted => "nothing-accepted",
        }
    }
}

/// Why one section is answered with port 0, the others untouched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Offered with port 0 and without `a=bundle-only`: the client itself has stopped it (RFC 3264 §8.2).
    #[error("the offer has this section stopped")]
    Stopped,
    /// Data channels, which we do not have.
    #[error("data channels are not supported")]
    DataChannel,
    /// Neither audio nor video.
    #[error("this kind of media is not supported")]
    UnknownMedia,
    /// Not RTP over DTLS-SRTP.
    #[error("only RTP over DTLS-SRTP (UDP/TLS/RTP/SAVPF) is supported")]
    Protocol,
    /// RTP and RTCP on two ports (RFC 5761).
    #[error("rtcp-mux is required")]
    NoRtcpMux,
    /// A mid that is empty, longer than 16 characters, or not a token.
    #[error("the mid is not a token of 1 to 16 characters")]
    BadMid,
    /// Not in the offer's first BUNDLE group, or there is no group and another section came first (RFC 9143 §7.3).
    #[error("everything must go over one transport: the section is not in the BUNDLE group")]
    NotBundled,
    /// A payload type above 127, or no number.
    #[error("a payload type is not a number up to 127")]
    BadPayloadType,
    /// One payload type means two things, in this section or in two of one BUNDLE group (RFC 9143 §9.1).
    #[error("one payload type means two different things")]
    PayloadTypeConflict,
    /// One RTX payload type repairs two others (RFC 4588 §8.1).
    #[error("one rtx payload type is associated with two others")]
    ConflictingApt,
    /// One extension id means two things (RFC 8285 §5).
    #[error("one extmap id means two different things")]
    DuplicateExtmap,
    /// `a=simulcast` names a rid that no `a=rid` declares, or a rid is declared twice (RFC 8853 §5.1).
    #[error("simulcast and rid lines do not agree")]
    RidMismatch,
    /// Several encodings that nothing on the wire would tell apart.
    #[error("several encodings, but neither the rid extension nor an SSRC for each")]
    NoRidExtension,
    /// An SSRC that another section has declared.
    #[error("an SSRC is declared in two sections")]
    SsrcConflict,
    /// None of our codecs.
    #[error("none of our codecs is offered")]
    NoCodec,
}

impl Rejection {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Stopped,
        Self::DataChannel,
        Self::UnknownMedia,
        Self::Protocol,
        Self::NoRtcpMux,
        Self::BadMid,
        Self::NotBundled,
        Self::BadPayloadType,
        Self::PayloadTypeConflict,
        Self::ConflictingApt,
        Self::DuplicateExtmap,
        Self::RidMismatch,
        Self::NoRidExtension,
        Self::SsrcConflict,
        Self::NoCodec,
    ];

    /// A short name for counters and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::DataChannel => "data-channel",
            Self::UnknownMedia => "unknown-media",
            Self::Protocol => "protocol",
            Self::NoRtcpMux => "no-rtcp-mux",
            Self::BadMid => "bad-mid",
            Self::NotBundled => "not-bundled",
            Self::BadPayloadType => "bad-payload-type",
            Self::PayloadTypeConflict => "payload-type-conflict",
            Self::ConflictingApt => "conflicting-apt",
            Self::DuplicateExtmap => "duplicate-extmap",
            Self::RidMismatch => "rid-mismatch",
            Self::NoRidExtension => "no-rid-extension",
            Self::SsrcConflict => "ssrc-conflict",
            Self::NoCodec => "no-codec",
        }
    }
}
