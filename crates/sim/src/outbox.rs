//! What a participant sends.

use salon_rtp::extension::{AbsSendTime, ExtensionKind, ExtensionMap, TwccSeq};
use salon_rtp::{Outgoing, Time};

/// A datagram, in plain text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Datagram {
    /// An RTP packet.
    Rtp(Vec<u8>),
    /// A compound RTCP packet.
    Rtcp(Vec<u8>),
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Rtp(bytes) | Self::Rtcp(bytes) => bytes,
        }
    }
}

/// What one participant's sources want sent, on one transport: it numbers and stamps each packet as it leaves.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    extensions: ExtensionMap,
    twcc: u16,
    datagrams: Vec<Datagram>,
}

impl Outbox {
    /// An outbox whose packets carry the transport-wide number and the send time, if those have an id in `extensions`.
    pub fn new(extensions: ExtensionMap, first_twcc: u16) -> Self {
        Self { extensions, twcc: first_twcc, datagrams: Vec::new() }
    }

    /// Writes a packet, with the extensions that depend on the moment of sending added to its own.
    pub fn rtp(&mut self, now: Time, mut packet: Outgoing<'_>) {
        if let Some(id) = self.extensions.id(ExtensionKind::Twcc) {
            if packet.header.extensions.push(id, &TwccSeq(self.twcc).write()).is_ok() {
                self.twcc = self.twcc.wrapping_add(1);
            }
        }
        if let Some(id) = self.extensions.id(ExtensionKind::AbsSendTime) {
            let _full = packet.header.extensions.push(id, &AbsSendTime::from_time(now).write());
        }
        let head = packet.header_len();
        let mut bytes = vec![0; head + packet.body_len()];
        let (header, body) = bytes.split_at_mut(head);
        if packet.write_header(header).is_ok() && packet.write_body(body).is_ok() {
            self.datagrams.push(Datagram::Rtp(bytes));
        }
    }

    /// Takes a compound RTCP packet.
    pub fn rtcp(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.datagrams.push(Datagram::Rtcp(bytes));
        }
    }

    /// What is to be sent, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Datagram> + '_ {
        self.datagrams.drain(..)
    }

    /// Whether nothing is to be sent.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The transport-wide number that the next packet gets.
    pub fn next_twcc(&self) -> TwccSeq {
        TwccSeq(self.twcc)
    }
}
