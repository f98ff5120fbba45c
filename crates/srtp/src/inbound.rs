//! Opens what came from one peer.

use core::fmt;

use salon_rtp::{Seq, SeqNo, Ssrc};

use crate::cipher::{Cipher, ENCRYPTED, RTCP_HEADER};
use crate::keys::Kind;
use crate::limits::REPLAY_WINDOW;
use crate::streams::Streams;
use crate::window::{Standing, Window};
use crate::{BadKey, MasterKey, OpenError, Profile};

/// Opens what came from one peer, each packet once.
///
/// The replay window of a stream is looked at before the tag, and moved after it: what does not authenticate leaves no
/// trace. Beyond [`MAX_STREAMS`](crate::limits::MAX_STREAMS) the stream unheard for longest is forgotten, and its old
/// packets would open again; only the peer itself can bring that about, and only on its own streams.
pub struct Inbound {
    profile: Profile,
    rtp: Received,
    rtcp: Received,
}

impl Inbound {
    /// Derives the keys.
    pub fn new(master: &MasterKey) -> Result<Self, BadKey> {
        Ok(Self {
            profile: master.profile(),
            rtp: Received::new(Kind::Rtp, master)?,
            rtcp: Received::new(Kind::Rtcp, master)?,
        })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Streams of which an authenticated packet came, RTP and RTCP: at most
    /// [`MAX_STREAMS`](crate::limits::MAX_STREAMS) each.
    pub fn streams(&self) -> (usize, usize) {
        (self.rtp.streams.len(), self.rtcp.streams.len())
    }

    /// Opens an RTP packet in place: header and plain payload (padding included), without the tag. After an error the
    /// datagram's bytes are not to be used.
    pub fn open_rtp<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
        let header = header_len(datagram)?;
        if datagram.len() < header + self.profile.rtp_overhead() {
            return Err(OpenError::TooShort);
        }
        let &[_, _, s0, s1, _, _, _, _, a, b, c, d] = datagram.first_chunk().ok_or(OpenError::TooShort)?;
        let (seq, ssrc) = (Seq(u16::from_be_bytes([s0, s1])), Ssrc(u32::from_be_bytes([a, b, c, d])));
        // A stream starts in the first round (RFC 3711 §3.3.1); afterwards the nearest index is meant. One that would
        // lie before the first round does not exist.
        let index = match self.rtp.highest(ssrc) {
            Some(highest) => seq.extend(SeqNo(highest)).ok_or(OpenError::TooOld)?.0,
            None => seq.0.into(),
        };
        if index >> 48 != 0 {
            return Err(OpenError::Exhausted);
        }
        self.rtp.check(ssrc, index)?;
        let len = self.rtp.cipher.open_rtp((ssrc, index), header, datagram).map_err(|_| OpenError::BadTag)?;
        self.rtp.mark(ssrc, index);
        datagram.get(..len).ok_or(OpenError::TooShort)
    }

    /// Opens an RTCP packet in place: the plain compound packet, without index and tag. After an error the datagram's
    /// bytes are not to be used.
    pub fn open_rtcp<'a>(&mut self, datagram: &'a mut [u8]) -> Result<&'a [u8], OpenError> {
        if datagram.len() < RTCP_HEADER + self.profile.rtcp_overhead() {
            return Err(OpenError::TooShort);
        }
        let &[first, _, _, _, a, b, c, d] =
            datagram.first_chunk::<RTCP_HEADER>().ok_or(OpenError::TooShort)?;
        if first >> 6 != 2 {
            return Err(OpenError::Malformed);
        }
        let ssrc = Ssrc(u32::from_be_bytes([a, b, c, d]));
        let word = self.rtcp.cipher.rtcp_word(datagram).ok_or(OpenError::TooShort)?;
        if word & ENCRYPTED == 0 {
            return Err(OpenError::NotEncrypted);
        }
        let index = word & !ENCRYPTED;
        self.rtcp.check(ssrc, index.into())?;
        let len = self.rtcp.cipher.open_rtcp(ssrc, index, datagram).map_err(|_| OpenError::BadTag)?;
        self.rtcp.mark(ssrc, index.into());
        datagram.get(..len).ok_or(OpenError::TooShort)
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("profile", &self.profile)
            .field("streams", &self.streams())
            .finish_non_exhaustive()
    }
}

/// RTP or RTCP of one peer.
struct Received {
    cipher: Cipher,
    streams: Streams<Stream>,
    /// Counts authenticated packets: the age of a stream.
    opened: u64,
}

struct Stream {
    window: Window<[u64; REPLAY_WINDOW / 64]>,
    /// When its last packet was opened, as a count of packets.
    used: u64,
}

impl Received {
    fn new(kind: Kind, master: &MasterKey) -> Result<Self, BadKey> {
        Ok(Self { cipher: Cipher::new(kind, master)?, streams: Streams::new(), opened: 0 })
    }

    fn highest(&self, ssrc: Ssrc) -> Option<u64> {
        self.streams.get(ssrc)?.window.highest()
    }

    fn check(&self, ssrc: Ssrc, index: u64) -> Result<(), OpenError> {
        match self.streams.get(ssrc).map_or(Standing::New, |s| s.window.check(index)) {
            Standing::New => Ok(()),
            Standing::Seen => Err(OpenError::Replayed),
            Standing::TooOld => Err(OpenError::TooOld),
        }
    }

    /// Notes an authenticated packet.
    fn mark(&mut self, ssrc: Ssrc, index: u64) {
        self.opened += 1;
        if let Some(stream) = self.streams.get_mut(ssrc) {
            stream.window.mark(index);
            stream.used = self.opened;
            return;
        }
        if self.streams.is_full() {
            self.streams.remove_min_by_key(|s| s.used);
        }
        let mut window = Window::new([0; REPLAY_WINDOW / 64]);
        window.mark(index);
        self.streams.insert(ssrc, Stream { window, used: self.opened });
    }
}

/// Bytes of header that stay readable (RFC 3550 §5.1). [`salon_rtp::Packet`] cannot be asked: the padding count is still
/// encrypted.
fn header_len(datagram: &[u8]) -> Result<usize, OpenError> {
    const FIXED: usize = 12;
    let first = datagram.first_chunk::<FIXED>().ok_or(OpenError::TooShort)?[0];
    if first >> 6 != 2 {
        return Err(OpenError::Malformed);
    }
    let mut len = FIXED + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = datagram.get(len + 2..).and_then(<[u8]>::first_chunk).ok_or(OpenError::Malformed)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes(*words));
    }
    if datagram.len() < len {
        return Err(OpenError::Malformed);
    }
    Ok(len)
}
