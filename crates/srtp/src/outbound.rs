//! Seals what leaves to one peer.

use core::fmt;

use salon_rtp::Outgoing;

use crate::{BadKey, MasterKey, Profile, SealError};

/// Seals what leaves to one peer.
pub struct Outbound {
    profile: Profile,
}

impl Outbound {
    /// Derives the keys. `sent_window`: packets that may still be sealed late, per stream
    /// ([`DEFAULT_SENT_WINDOW`](crate::limits::DEFAULT_SENT_WINDOW)); brought within
    /// [`MIN_SENT_WINDOW`](crate::limits::MIN_SENT_WINDOW) and [`MAX_SENT_WINDOW`](crate::limits::MAX_SENT_WINDOW),
    /// and rounded up to a multiple of 64.
    pub fn new(master: &MasterKey, sent_window: usize) -> Result<Self, BadKey> {
        let _ = (sent_window, master.key(), master.salt());
        Ok(Self { profile: master.profile() })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Writes the sealed packet to the front of `out`, and says how long it is: [`Outgoing::header_len`] +
    /// [`Outgoing::body_len`] + [`Profile::rtp_overhead`].
    pub fn seal_rtp(&mut self, packet: &Outgoing<'_>, out: &mut [u8]) -> Result<usize, SealError> {
        let _ = (packet, out);
        Err(SealError::Cipher)
    }

    /// Writes the sealed compound packet to the front of `out`, and says how long it is: its length +
    /// [`Profile::rtcp_overhead`].
    pub fn seal_rtcp(&mut self, compound: &[u8], out: &mut [u8]) -> Result<usize, SealError> {
        let _ = (compound, out);
        Err(SealError::Cipher)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("profile", &self.profile).finish_non_exhaustive()
    }
}
