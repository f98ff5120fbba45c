//! The way out to one peer.

use core::fmt;

use salon_rtp::Egress;
use salon_srtp::{Outbound, SealError};

use crate::Path;

/// Seals what leaves to one peer, and says where it goes.
pub struct Link<'a> {
    pub(crate) path: Path,
    pub(crate) outbound: &'a mut Outbound,
}

impl Link<'_> {
    /// Where the peer wants it.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Writes the sealed packet to the front of `out`, and says how long it is.
    pub fn seal(&mut self, egress: &Egress<'_>, out: &mut [u8]) -> Result<usize, SealError> {
        match egress {
            Egress::Rtp(packet) => self.outbound.seal_rtp(packet, out),
            Egress::Rtcp(compound) => self.outbound.seal_rtcp(compound, out),
        }
    }
}

impl fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("path", &self.path).finish_non_exhaustive()
    }
}
