//! Packets to measure with.

use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap, TwccSeq};
use salon_rtp::rtcp::{Nack, Pli, ReceiverReport, ReportBlock, Sdes, SenderInfo, TwccReport};
use salon_rtp::{Header, NtpTime, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc, Time};

/// The header extensions that a camera of Chromium sends with each packet, and their ids there.
pub const EXTENSIONS: [(ExtensionKind, u8); 5] = [
    (ExtensionKind::AbsSendTime, 2),
    (ExtensionKind::Twcc, 3),
    (ExtensionKind::Mid, 4),
    (ExtensionKind::PlayoutDelay, 5),
    (ExtensionKind::Rid, 10),
];

/// The same as negotiated.
pub fn map() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    for (kind, id) in EXTENSIONS {
        map.set(kind, id_of(id));
    }
    map
}

/// An id that is one.
pub fn id_of(id: u8) -> ExtId {
    ExtId::new(id).unwrap()
}

/// The five elements.
pub fn elements() -> OutExtensions<'static> {
    let mut elements = OutExtensions::NONE;
    let values: [&[u8]; 5] = [&[0x12, 0x34, 0x56], &TwccSeq(77).0.to_be_bytes(), b"1", &[0, 0, 0], b"h"];
    for ((_, id), value) in EXTENSIONS.into_iter().zip(values) {
        elements.push(id_of(id), value).unwrap();
    }
    elements
}

/// A packet with these elements, and as many bytes of payload.
pub fn outgoing<'a>(extensions: OutExtensions<'a>, index: u64, payload: &'a [u8]) -> Outgoing<'a> {
    Outgoing {
        ssrc: Ssrc(0x1234_5678),
        index: SeqNo(index),
        header: Header {
            pt: Pt::new(96).unwrap(),
            marker: false,
            timestamp: RtpTime(90_000),
            csrc: None,
            extensions,
        },
        prefix: Prefix::EMPTY,
        tail: payload,
        padding: 0,
    }
}

/// Its bytes in plain text.
pub fn plain(packet: &Outgoing<'_>) -> Vec<u8> {
    let mut bytes = vec![0; packet.header_len() + packet.body_len()];
    let (header, body) = bytes.split_at_mut(packet.header_len());
    packet.write_header(header).unwrap();
    packet.write_body(body).unwrap();
    bytes
}

/// A video packet of 1,200 bytes with five header extensions.
pub fn rtp() -> Vec<u8> {
    let payload = [0xa5; 1_200];
    let header = outgoing(elements(), 1_000, &[]).header_len();
    plain(&outgoing(elements(), 1_000, &payload[header..]))
}

/// How one stream arrives.
fn block() -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(7),
        fraction_lost: 3,
        cumulative_lost: 12,
        highest: 0x1_0203,
        jitter: 90,
        last_report: 0x1234_5678,
        delay: 65_536,
    }
}

/// RTCP packets, to be put behind one another.
#[derive(Clone, Debug, Default)]
pub struct Reports(pub Vec<u8>);

impl Reports {
    /// A sender report with one block.
    pub fn sr(mut self) -> Self {
        let (ssrc, ntp) = (Ssrc(7), NtpTime(0xe000_0000_8000_0000));
        let info = SenderInfo { ssrc, ntp, timestamp: RtpTime(90_000), packets: 1_000, octets: 1_000_000 };
        info.write(&[block()], &mut self.0).unwrap();
        self
    }

    /// A receiver report with so many blocks.
    pub fn rr(mut self, blocks: usize) -> Self {
        ReceiverReport::write(Ssrc(7), &vec![block(); blocks], &mut self.0).unwrap();
        self
    }

    /// A name.
    pub fn sdes(mut self) -> Self {
        Sdes::write_cname(Ssrc(7), b"k3Yp0TqVw8sXnZ1c", &mut self.0).unwrap();
        self
    }

    /// Four packets are missing, in two items.
    pub fn nack(mut self) -> Self {
        Nack::write(Ssrc(1), Ssrc(7), [5, 6, 9, 60].into_iter().map(SeqNo), &mut self.0).unwrap();
        self
    }

    /// A picture is wanted.
    pub fn pli(mut self) -> Self {
        Pli { sender: Ssrc(1), media: Ssrc(7) }.write(&mut self.0).unwrap();
        self
    }

    /// What arrived in a tenth of a second at 300 packets a second, with a packet lost.
    pub fn twcc(mut self) -> Self {
        let arrivals = (0..30).filter(|n| *n != 17).map(|n| (SeqNo(n), Time::from_micros(3_300 * n)));
        let report = TwccReport { sender: Ssrc(1), media: Ssrc(7), count: 9 };
        report.write(SeqNo(0), arrivals, 1_200, &mut self.0).unwrap();
        self
    }

    /// Six packets in one datagram.
    pub fn six() -> Vec<u8> {
        Self::default().sr().sdes().rr(1).nack().pli().twcc().0
    }
}
