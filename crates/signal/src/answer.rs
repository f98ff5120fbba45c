//! Writing the answer.

use core::net::{IpAddr, SocketAddr};

use salon_rtp::{MediaKind, Ssrc};
use sdp::description::common::{Address, ConnectionInformation};
use sdp::description::media::{MediaDescription, MediaName, RangedPort};
use sdp::description::session::{Origin, SessionDescription, TimeDescription};

use crate::{Fingerprint, Offer, Payload, Plan, ReceivePlan, Section, SendPlan, Setup, codecs};

/// What the answer says about our end.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// Our ICE user name fragment.
    pub ufrag: &'a str,
    /// Our ICE password.
    pub pwd: &'a str,
    /// Our certificate.
    pub fingerprint: Fingerprint,
    /// Our DTLS role: [`Transport::setup`](crate::Transport::setup) of the first offer, kept while its keys live.
    pub setup: Setup,
    /// Where we receive, the most likely first. IPv4 is written before IPv6, because some clients read one candidate
    /// only. Addresses that are no destination (unspecified, port 0) are left out.
    pub candidates: &'a [SocketAddr],
    /// What we send in each section that receives. A section without one is answered as if it were not there to
    /// receive (`inactive`, or `recvonly` where it sends too).
    pub slots: &'a [SlotLine<'a>],
    /// Indices of the sections that send whose track was refused: answered `inactive` (or `sendonly`).
    pub refused: &'a [usize],
    /// `o=`: the same for all answers of a connection (RFC 8866 §5.2).
    pub session_id: u64,
    /// `o=`: one more for each answer.
    pub version: u64,
}

/// The stream of one slot, which stays the same as long as its section lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotLine<'a> {
    /// [`Section::index`].
    pub section: usize,
    /// Of the media.
    pub ssrc: Ssrc,
    /// Of its repair; written where a repair payload type was negotiated.
    pub rtx_ssrc: Option<Ssrc>,
    /// Stream id, another one for each slot: browsers synchronise what shares one. Letters, digits and `-`, up to 64.
    pub stream: &'a str,
    /// Track id, the same characters.
    pub track: &'a str,
    /// RTCP's canonical name, the same characters.
    pub cname: &'a str,
}

/// The type preference of host candidates (RFC 8445 §5.1.2.2).
const HOST: u32 = 126;

impl Offer {
    /// Writes the answer: as many sections as the offer, in its order.
    pub fn answer(&self, local: &Local<'_>) -> String {
        let mut answer = SessionDescription {
            origin: Origin {
                username: "-".to_owned(),
                session_id: local.session_id,
                session_version: local.version,
                network_type: "IN".to_owned(),
                address_type: "IP4".to_owned(),
                // RFC 9429 §5.2.1: no address, which would tell more than is needed.
                unicast_address: "0.0.0.0".to_owned(),
            },
            session_name: "-".to_owned(),
            time_descriptions: vec![TimeDescription::default()],
            ..SessionDescription::default()
        };
        answer = answer.with_property_attribute("ice-lite".to_owned());
        if let Some(group) = self.group() {
            answer = answer.with_value_attribute("group".to_owned(), group);
        }
        if self.allow_mixed {
            answer = answer.with_property_attribute("extmap-allow-mixed".to_owned());
        }
        let candidates = in_order(local.candidates);
        for section in &self.sections {
            let carries = self.bundle.first() == Some(&section.index);
            answer.media_descriptions.push(section.answer(local, &candidates, carries));
        }
        answer.marshal()
    }

    /// The value of `a=group`, if the offer has one.
    pub(crate) fn group(&self) -> Option<String> {
        let mids = self.bundle.iter().filter_map(|&i| self.sections.get(i)?.mid);
        self.grouped.then(|| mids.fold("BUNDLE".to_owned(), |text, mid| text + " " + mid.as_str()))
    }
}

/// IPv4 first, otherwise as given; what is no destination is left out.
pub(crate) fn in_order(given: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut order: Vec<SocketAddr> = Vec::with_capacity(given.len());
    for &a in given {
        if a.port() != 0 && !a.ip().is_unspecified() && !order.contains(&a) {
            order.push(a);
        }
    }
    order.sort_by_key(SocketAddr::is_ipv6);
    order
}

impl Section {
    fn answer(&self, local: &Local<'_>, candidates: &[SocketAddr], carries: bool) -> MediaDescription {
        if self.plan.rejection().is_some() {
            return self.reject();
        }
        let slot = local.slots.iter().find(|s| s.section == self.index);
        let refused = local.refused.contains(&self.index);
        let (takes, gives) = match &self.plan {
            Plan::Send(s) => (Some(s).filter(|_| !refused), None),
            Plan::Receive(r) => (None, slot.map(|slot| (r, slot))),
            Plan::SendReceive(s, r) => (Some(s).filter(|_| !refused), slot.map(|slot| (r, slot))),
            Plan::Inactive(_) | Plan::Rejected(_) => (None, None),
        };
        let payloads = self.payloads();
        let formats = payloads.iter().flat_map(|p| [Some(p.pt), p.rtx_pt]).flatten().map(|pt| pt.to_string());
        let to = candidates.first();
        let mut m = self.open(to.map_or(9, SocketAddr::port), to.map(SocketAddr::ip), formats.collect());
        if carries {
            m = candidates
                .iter()
                .zip(0_u32..)
                .fold(m, |m, (a, nth)| value(m, "candidate", candidate(a, nth)));
            m = m.with_property_attribute("end-of-candidates".to_owned());
        }
        m = m.with_ice_credentials(local.ufrag.to_owned(), local.pwd.to_owned());
        m = m.with_fingerprint("sha-256".to_owned(), local.fingerprint.to_string());
        m = value(m, "setup", if local.setup == Setup::Active { "active" } else { "passive" });
        m = self.mid.iter().fold(m, |m, mid| value(m, "mid", mid.as_str()));
        for e in &self.extensions {
            let direction = e.direction.map(|d| format!("/{d}")).unwrap_or_default();
            m = value(m, "extmap", format!("{}{direction} {}", e.id, e.kind.uri()));
        }
        if self.allow_mixed {
            m = m.with_property_attribute("extmap-allow-mixed".to_owned());
        }
        let direction = match (takes.is_some(), gives.is_some()) {
            (true, true) => "sendrecv",
            (true, false) => "recvonly",
            (false, true) => "sendonly",
            (false, false) => "inactive",
        };
        m = m.with_property_attribute(direction.to_owned());
        m = m.with_property_attribute("rtcp-mux".to_owned());
        if self.reduced_size {
            m = m.with_property_attribute("rtcp-rsize".to_owned());
        }
        m = payloads.iter().fold(m, |m, p| write_payload(m, p));
        m = takes.into_iter().fold(m, write_rids);
        gives.into_iter().fold(m, |m, (receive, slot)| write_slot(m, receive, slot))
    }

    /// Port 0, in its place (RFC 3264 §6); the mid stays, so that sections are told apart, and nothing else matters.
    fn reject(&self) -> MediaDescription {
        let m = self.open(0, None, self.line.formats.iter().take(1).cloned().collect());
        let m = self.mid.iter().fold(m, |m, mid| value(m, "mid", mid.as_str()));
        m.with_property_attribute("inactive".to_owned())
    }

    fn open(&self, port: u16, to: Option<IpAddr>, formats: Vec<String>) -> MediaDescription {
        let address = to.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        MediaDescription {
            media_name: MediaName {
                media: self.line.media.clone(),
                port: RangedPort { value: isize::try_from(port).unwrap_or(0), range: None },
                protos: vec![self.line.protocol.clone()],
                formats,
            },
            connection_information: Some(ConnectionInformation {
                network_type: "IN".to_owned(),
                address_type: if address.is_ipv4() { "IP4" } else { "IP6" }.to_owned(),
                address: Some(Address { address: address.to_string(), ttl: None, range: None }),
            }),
            ..MediaDescription::default()
        }
    }

    /// What stands in the answer: the codec that the client is to send first (it sends the first that it knows), then
    /// what else it may receive.
    fn payloads(&self) -> Vec<&Payload> {
        match &self.plan {
            Plan::Send(s) => vec![&s.payload],
            Plan::Receive(r) | Plan::Inactive(r) => r.payloads.iter().collect(),
            Plan::SendReceive(s, r) => {
                let others = r.payloads.iter().filter(|p| p.pt != s.pt);
                core::iter::once(&s.payload).chain(others).collect()
            }
            Plan::Rejected(_) => Vec::new(),
        }
    }
}

fn value(m: MediaDescription, key: &str, value: impl Into<String>) -> MediaDescription {
    m.with_value_attribute(key.to_owned(), value.into())
}

/// RFC 8839 §5.1, RFC 8445 §5.1.2.1: the `nth` of ours, one foundation each, component 1 because of rtcp-mux.
pub(crate) fn candidate(a: &SocketAddr, nth: u32) -> String {
    let preference = 65_535_u32.saturating_sub(nth);
    let priority = HOST << 24 | preference << 8 | 255;
    format!("{} 1 udp {priority} {} {} typ host", nth.saturating_add(1), a.ip(), a.port())
}

fn write_payload(m: MediaDescription, p: &Payload) -> MediaDescription {
    let mut m = value(m, "rtpmap", format!("{} {}", p.pt, codecs::map_of(p.codec)));
    let feedback = [
        (p.feedback.remb, "goog-remb"),
        (p.feedback.twcc, "transport-cc"),
        (p.feedback.fir, "ccm fir"),
        (p.feedback.nack, "nack"),
        (p.feedback.pli, "nack pli"),
    ];
    for (_, what) in feedback.iter().filter(|(accepted, _)| *accepted) {
        m = value(m, "rtcp-fb", format!("{} {what}", p.pt));
    }
    if let Some(fmtp) = &p.fmtp {
        m = value(m, "fmtp", format!("{} {fmtp}", p.pt));
    }
    if let Some(rtx) = p.rtx_pt {
        m = value(m, "rtpmap", format!("{rtx} rtx/90000"));
        m = value(m, "fmtp", format!("{rtx} apt={}", p.pt));
    }
    m
}

/// RFC 8853 §5.3.2: the accepted rids in the offer's order; none is asked to pause.
fn write_rids(m: MediaDescription, send: &SendPlan) -> MediaDescription {
    let rids: Vec<&str> = send.encodings.iter().filter_map(|e| e.rid.as_ref().map(|r| r.as_str())).collect();
    let m = rids.iter().fold(m, |m, rid| value(m, "rid", format!("{rid} recv")));
    if rids.len() > 1 { value(m, "simulcast", format!("recv {}", rids.join(";"))) } else { m }
}

/// Declared even while empty: a browser demultiplexes and repairs only what it knows (RFC 5576, RFC 8830).
fn write_slot(m: MediaDescription, receive: &ReceivePlan, slot: &SlotLine<'_>) -> MediaDescription {
    let repair =
        receive.kind == MediaKind::Video && receive.payloads.iter().any(|p: &Payload| p.rtx_pt.is_some());
    let rtx = slot.rtx_ssrc.filter(|_| repair);
    let msid = format!("{} {}", slot.stream, slot.track);
    let mut m = value(m, "msid", msid.as_str());
    if let Some(rtx) = rtx {
        m = value(m, "ssrc-group", format!("FID {} {rtx}", slot.ssrc));
    }
    for ssrc in core::iter::once(slot.ssrc).chain(rtx) {
        m = value(m, "ssrc", format!("{ssrc} cname:{}", slot.cname));
        m = value(m, "ssrc", format!("{ssrc} msid:{msid}"));
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_fall_in_priority_and_begin_with_ipv4() {
        let given: Vec<SocketAddr> =
            ["[::1]:7", "10.0.0.1:7", "0.0.0.0:7", "10.0.0.2:0", "10.0.0.3:7", "10.0.0.1:7"]
                .iter()
                .map(|a| a.parse().unwrap())
                .collect();
        let lines: Vec<String> = in_order(&given).iter().zip(0..).map(|(a, n)| candidate(a, n)).collect();
        assert_eq!(
            lines,
            [
                "1 1 udp 2130706431 10.0.0.1 7 typ host",
                "2 1 udp 2130706175 10.0.0.3 7 typ host",
                "3 1 udp 2130705919 ::1 7 typ host",
            ]
        );
    }
}
