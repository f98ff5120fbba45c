//! Opens what came from one peer.

use core::fmt;

use crate::{BadKey, MasterKey, OpenError, Profile};

/// Opens what came from one peer.
pub struct Inbound {
    profile: Profile,
}

impl Inbound {
    /// Derives the keys.
    pub fn new(master: &MasterKey) -> Result<Self, BadKey> {
        Ok(Self { profile: master.profile() })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Opens an RTP packet in place: header and plain payload, without the tag. After an error the datagram's bytes are
    /// not to be used.
    pub fn open_rtp<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
        let _ = datagram;
        Err(OpenError::BadTag)
    }

    /// Opens an RTCP packet in place: the plain compound packet, without index and tag. After an error the datagram's
    /// bytes are not to be used.
    pub fn open_rtcp<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
        let _ = datagram;
        Err(OpenError::BadTag)
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("profile", &self.profile).finish_non_exhaustive()
    }
}
