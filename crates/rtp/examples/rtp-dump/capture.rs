//! Files of packets.

use std::collections::BTreeMap;

/// One UDP datagram.
pub(crate) struct Datagram<'a> {
    /// When it was captured, in microseconds since some zero; `None` where the file does not say.
    pub(crate) arrival: Option<u64>,
    /// Ports of its sender and its receiver; zeros in a flow.
    pub(crate) ports: (u16, u16),
    pub(crate) bytes: &'a [u8],
}

/// The datagrams of a file, one after the other.
pub(crate) struct Capture<'a> {
    rest: &'a [u8],
    form: Form,
    skipped: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Copy)]
enum Form {
    /// `u32le length, u64le arrival, bytes`.
    Flow,
    /// The byte order, units in a second, the link type.
    Pcap { big: bool, units: u64, link: u32 },
}

impl<'a> Capture<'a> {
    /// Tells a file's form by its first bytes: a pcap has a magic number (draft-ietf-opsawg-pcap), a flow begins with the
    /// length of an RTP or RTCP packet, which stands there.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let magic = bytes.first_chunk::<4>().ok_or("too short for a capture")?;
        let form = match u32::from_le_bytes(*magic) {
            0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 => {
                let big = magic[0] == 0xa1;
                let units = if magic.contains(&0x3c) { 1_000_000_000 } else { 1_000_000 };
                let head =
                    bytes.get(20..24).and_then(<[u8]>::first_chunk).ok_or("too short for a pcap header")?;
                // The upper bits say how long frame checks are.
                Form::Pcap { big, units, link: number(big, *head) & 0xffff }
            }
            0x0a0d_0d0a => return Err("this is pcapng; `editcap -F pcap` makes a pcap of it".into()),
            len => match bytes.get(12..12 + len as usize) {
                Some([first, ..]) if first >> 6 == 2 => Form::Flow,
                _ => return Err("neither a pcap nor a flow".into()),
            },
        };
        let rest = if let Form::Pcap { .. } = form { &bytes[24..] } else { bytes };
        Ok(Self { rest, form, skipped: BTreeMap::new() })
    }

    /// What was not given, by reason.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.skipped.iter().map(|(why, count)| (*why, *count))
    }

    /// The next record, whatever it holds: arrival and bytes.
    fn record(&mut self) -> Option<(Option<u64>, &'a [u8])> {
        let whole = self.rest;
        let split = || match self.form {
            Form::Flow => {
                let (len, rest) = whole.split_first_chunk::<4>()?;
                let (arrival, rest) = rest.split_first_chunk::<8>()?;
                let arrival = Some(u64::from_le_bytes(*arrival)).filter(|a| *a > 0);
                let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
                Some((arrival, bytes, rest))
            }
            Form::Pcap { big, units, .. } => {
                let (head, rest) = whole.split_first_chunk::<16>()?;
                let word = |i: usize| number(big, [head[i], head[i + 1], head[i + 2], head[i + 3]]);
                let micros = u64::from(word(0)) * 1_000_000 + u64::from(word(4)) / (units / 1_000_000);
                let (bytes, rest) = rest.split_at_checked(word(8) as usize)?;
                Some((Some(micros), bytes, rest))
            }
        };
        let Some((arrival, bytes, rest)) = split() else {
            if !whole.is_empty() {
                self.skip("record that the file ends in");
            }
            self.rest = &[];
            return None;
        };
        self.rest = rest;
        Some((arrival, bytes))
    }

    fn skip(&mut self, why: &'static str) {
        *self.skipped.entry(why).or_default() += 1;
    }
}

impl<'a> Iterator for Capture<'a> {
    type Item = Datagram<'a>;

    fn next(&mut self) -> Option<Datagram<'a>> {
        loop {
            let (arrival, bytes) = self.record()?;
            let Form::Pcap { link, .. } = self.form else {
                return Some(Datagram { arrival, ports: (0, 0), bytes });
            };
            match strip_link(link, bytes).and_then(strip_ip).and_then(strip_udp) {
                Ok((ports, bytes)) => return Some(Datagram { arrival, ports, bytes }),
                Err(why) => self.skip(why),
            }
        }
    }
}

fn number(big: bool, bytes: [u8; 4]) -> u32 {
    if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// What stands behind the frame's header (link types of the tcpdump group).
fn strip_link(link: u32, frame: &[u8]) -> Result<&[u8], &'static str> {
    const SHORT: &str = "frame cut short";
    match link {
        // Loopback: an address family in the order of the machine that captured.
        0 | 108 => frame.get(4..).ok_or(SHORT),
        1 => {
            let mut at = 12;
            loop {
                match frame.get(at..at + 2).ok_or(SHORT)? {
                    // VLAN tags, one in the other.
                    [0x81, 0x00] | [0x88, 0xa8] => at += 4,
                    [0x08, 0x00] | [0x86, 0xdd] => return frame.get(at + 2..).ok_or(SHORT),
                    _ => return Err("frame without IP"),
                }
            }
        }
        12 | 14 | 101 | 228 | 229 => Ok(frame),
        113 => frame.get(16..).ok_or(SHORT),
        276 => frame.get(20..).ok_or(SHORT),
        _ => Err("frame of an unknown link type"),
    }
}

/// The UDP datagram in an IP packet (RFC 791 §3.1, RFC 8200 §3, §4).
fn strip_ip(packet: &[u8]) -> Result<&[u8], &'static str> {
    const SHORT: &str = "IP packet cut short";
    const UDP: u8 = 17;
    match packet.first().map(|v| v >> 4) {
        Some(4) => {
            let head: &[u8; 20] = packet.first_chunk().ok_or(SHORT)?;
            if u16::from_be_bytes([head[6], head[7]]) & 0x3fff != 0 {
                return Err("IP fragment");
            }
            if head[9] != UDP {
                return Err("IP packet without UDP");
            }
            let (start, end) =
                (4 * usize::from(head[0] & 15), usize::from(u16::from_be_bytes([head[2], head[3]])));
            packet.get(start..end.min(packet.len())).ok_or(SHORT)
        }
        Some(6) => {
            let mut next = *packet.get(6).ok_or(SHORT)?;
            let mut rest = packet.get(40..).ok_or(SHORT)?;
            // Extension headers that say their own length.
            while let 0 | 43 | 60 = next {
                let &[after, words] = rest.first_chunk().ok_or(SHORT)?;
                (next, rest) = (after, rest.get(8 + 8 * usize::from(words)..).ok_or(SHORT)?);
            }
            match next {
                UDP => Ok(rest),
                44 => Err("IP fragment"),
                _ => Err("IP packet without UDP"),
            }
        }
        _ => Err("neither IPv4 nor IPv6"),
    }
}

/// Ports and payload (RFC 768).
fn strip_udp(datagram: &[u8]) -> Result<((u16, u16), &[u8]), &'static str> {
    let &[s0, s1, d0, d1, l0, l1, _, _] = datagram.first_chunk().ok_or("UDP header cut short")?;
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    // A snapshot may be shorter than what was sent: what is cut is not read as if it were whole.
    Ok((ports, datagram.get(8..len).ok_or("UDP datagram cut short")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pcap of one packet, in each byte order and unit.
    fn pcap(big: bool, nanos: bool, link: u32, packet: &[u8]) -> Vec<u8> {
        let magic: u32 = if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let word = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let fraction = if nanos { 500_000 } else { 500 };
        let head =
            [magic, 0x0002_0004, 0, 0, 65_535, link, 7, fraction, packet.len() as u32, packet.len() as u32];
        [head.iter().flat_map(|&w| word(w)).collect(), packet.to_vec()].concat()
    }

    fn udp(payload: &[u8]) -> Vec<u8> {
        [&[0x13, 0x88, 0x17, 0x70, 0, 8 + payload.len() as u8, 0, 0][..], payload].concat()
    }

    fn ipv4(payload: &[u8]) -> Vec<u8> {
        let len = 20 + payload.len() as u8;
        [&[0x45, 0, 0, len, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1][..], payload].concat()
    }

    #[test]
    fn every_link_type_and_both_protocols() {
        let v4 = ipv4(&udp(b"hello"));
        let mut v6 = vec![0x60, 0, 0, 0, 0, 0, 60, 64];
        v6.extend([0; 32]);
        v6.extend([17, 0, 0, 0, 0, 0, 0, 0]);
        v6.extend(udp(b"hello"));
        let ethernet = |kind: &[u8], ip: &[u8]| [&[0; 12], kind, ip].concat();
        let frames = [
            (0, [&[2, 0, 0, 0][..], &v4].concat()),
            (1, ethernet(&[8, 0], &v4)),
            (1, ethernet(&[0x81, 0, 0, 5, 0x86, 0xdd], &v6)),
            (101, v4.clone()),
            (101, v6),
            (113, [&[0; 16][..], &v4].concat()),
            (276, [&[0; 20][..], &v4].concat()),
        ];
        for (i, (link, frame)) in frames.iter().enumerate() {
            let file = pcap(i % 2 == 0, i % 3 == 0, *link, frame);
            let all: Vec<_> = Capture::open(&file).unwrap().collect();
            assert_eq!(all.len(), 1, "{link}");
            assert_eq!(
                (all[0].arrival, all[0].ports, all[0].bytes),
                (Some(7_000_500), (5_000, 6_000), &b"hello"[..])
            );
            for len in 0..file.len() {
                let Ok(mut capture) = Capture::open(&file[..len]) else { continue };
                assert_eq!(capture.by_ref().count(), 0);
                assert_eq!(capture.skipped().map(|s| s.1).sum::<u64>(), u64::from(len > 24));
            }
        }
    }

    #[test]
    fn what_is_no_datagram_is_skipped_by_name() {
        let mut tcp = ipv4(&udp(b"x"));
        tcp[9] = 6;
        let mut fragment = ipv4(&udp(b"x"));
        fragment[7] = 1;
        let arp = [&[0; 12][..], &[8, 6, 0, 0]].concat();
        for (link, frame, why) in [
            (101, tcp, "IP packet without UDP"),
            (101, fragment, "IP fragment"),
            (101, vec![0x15], "neither IPv4 nor IPv6"),
            (1, arp, "frame without IP"),
            (147, vec![0], "frame of an unknown link type"),
            (101, ipv4(&udp(b"x")[..7]), "UDP header cut short"),
        ] {
            let file = pcap(false, false, link, &frame);
            let mut capture = Capture::open(&file).unwrap();
            assert_eq!(capture.by_ref().count(), 0);
            assert_eq!(capture.skipped().collect::<Vec<_>>(), [(why, 1)]);
        }
    }
}
