//! What a source wants sent.

use str0m::rtp::Ssrc;

/// One RTP packet before it is sealed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) ssrc: Ssrc,
    /// Extended.
    pub(crate) seq: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// Of sound: −dBov, and whether it is a voice (RFC 6464).
    pub(crate) level: Option<(u8, bool)>,
    pub(crate) payload: &'a [u8],
}
