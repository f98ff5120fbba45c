//! The cipher that a profile stands for.

use aws_lc_rs::error::Unspecified;
use salon_rtp::Ssrc;

use crate::counter_mode::CounterMode;
use crate::gcm::Gcm;
use crate::keys::{Kind, SessionKeys};
use crate::{BadKey, MasterKey, Profile};

/// Bytes of a compound that stay readable: the first packet's header and SSRC (RFC 3711 §3.4).
pub(crate) const RTCP_HEADER: usize = 8;

/// Bytes of the word that holds E bit and index (RFC 3711 §3.4).
pub(crate) const RTCP_WORD: usize = 4;

/// The E bit: the compound is encrypted.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

pub(crate) type Sealed = Result<(), Unspecified>;

/// One direction and kind. Boxed: the two differ by hundreds of bytes of key schedule.
pub(crate) enum Cipher {
    Gcm(Box<Gcm>),
    CounterMode(Box<CounterMode>),
}

impl Cipher {
    pub(crate) fn new(kind: Kind, master: &MasterKey) -> Result<Self, BadKey> {
        let keys = SessionKeys::derive(kind, master.key(), master.salt())?;
        Ok(match master.profile() {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => Self::Gcm(Box::new(Gcm::new(&keys)?)),
            Profile::Aes128CmHmacSha1_80 => Self::CounterMode(Box::new(CounterMode::new(&keys)?)),
        })
    }

    /// `out` is header, room for the body, room for the tag; the body comes from `source`, or stands in place.
    pub(crate) fn seal_rtp(
        &self,
        at: (Ssrc, u64),
        header: usize,
        out: &mut [u8],
        source: Option<&[u8]>,
    ) -> Sealed {
        match self {
            Self::Gcm(c) => c.seal_rtp(at, header, out, source),
            Self::CounterMode(c) => c.seal_rtp(at, header, out, source),
        }
    }

    /// The length of header and plain body.
    pub(crate) fn open_rtp(
        &self,
        at: (Ssrc, u64),
        header: usize,
        packet: &mut [u8],
    ) -> Result<usize, Unspecified> {
        match self {
            Self::Gcm(c) => c.open_rtp(at, header, packet),
            Self::CounterMode(c) => c.open_rtp(at, header, packet),
        }
    }

    /// `out` is as long as the compound and its overhead.
    pub(crate) fn seal_rtcp(&self, ssrc: Ssrc, index: u32, compound: &[u8], out: &mut [u8]) -> Sealed {
        let (at, word) = ((ssrc, index.into()), (ENCRYPTED | index).to_be_bytes());
        match self {
            Self::Gcm(c) => c.seal_rtcp(at, compound, word, out),
            Self::CounterMode(c) => c.seal_rtcp(at, compound, word, out),
        }
    }

    /// The word that holds E bit and index: before the tag of HMAC (RFC 3711 §3.4), after that of GCM (RFC 7714 §9.2).
    pub(crate) fn rtcp_word(&self, datagram: &[u8]) -> Option<u32> {
        let end = match self {
            Self::Gcm(_) => datagram.len(),
            Self::CounterMode(_) => datagram.len().checked_sub(Profile::Aes128CmHmacSha1_80.tag_len())?,
        };
        datagram.get(..end)?.last_chunk::<RTCP_WORD>().map(|w| u32::from_be_bytes(*w))
    }

    /// The length of the plain compound.
    pub(crate) fn open_rtcp(
        &self,
        ssrc: Ssrc,
        index: u32,
        datagram: &mut [u8],
    ) -> Result<usize, Unspecified> {
        let (at, word) = ((ssrc, index.into()), (ENCRYPTED | index).to_be_bytes());
        match self {
            Self::Gcm(c) => {
                let end = datagram.len().checked_sub(RTCP_WORD).ok_or(Unspecified)?;
                c.open_rtcp(at, word, datagram.get_mut(..end).ok_or(Unspecified)?)
            }
            Self::CounterMode(c) => {
                let overhead = Profile::Aes128CmHmacSha1_80.rtcp_overhead();
                let end = datagram.len().checked_sub(overhead).ok_or(Unspecified)?;
                let (packet, trailer) = datagram.split_at_mut_checked(end).ok_or(Unspecified)?;
                c.open_rtcp(at, word, packet, trailer.get(RTCP_WORD..).ok_or(Unspecified)?)
            }
        }
    }
}
