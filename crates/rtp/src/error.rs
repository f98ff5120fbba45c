//! Why bytes are not what they claim to be.

/// A malformed packet: what was being read when it broke.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It ends before its fixed part does.
    #[error("too short")]
    TooShort,
    /// Its version field is not 2.
    #[error("unknown version")]
    Version,
    /// Its CSRC list or header extension ends after the packet does.
    #[error("header runs past the end")]
    HeaderOverrun,
    /// Its padding count is zero or more than what the header leaves.
    #[error("impossible padding")]
    Padding,
    /// An RTCP length field runs past the datagram, or a count past its packet.
    #[error("RTCP length or count runs past the end")]
    RtcpLength,
    /// A field holds a value that its specification reserves or forbids.
    #[error("reserved or forbidden value")]
    Value,
    /// A payload descriptor ends before its fields do.
    #[error("payload descriptor runs past the end")]
    Descriptor,
}
