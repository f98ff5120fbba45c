//! Reading an offer.

use salon_rtp::extension::{ExtensionKind, ExtensionMap};
use salon_rtp::{Codec, MediaKind, Mid, Pt, Ssrc};

use crate::extensions::Offered;
use crate::lines::{Attributes, Description, MediaLine};
use crate::{
    Feedback, Msid, Offer, Payload, Plan, ReceivePlan, Rejection, SdpError, Section, SendPlan, Transport,
    codecs, encodings, limits,
};

impl Offer {
    /// Reads an offer and decides what becomes of each section. Never panics, whatever the text; the work is bounded by
    /// [`limits`].
    ///
    /// # Errors
    /// [`SdpError`] where no answer is possible at all; what concerns one section alone is its
    /// [`Plan::Rejected`].
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        let description = Description::parse(text)?;
        let session = &description.session;
        // RFC 8839 §5.3: a session attribute; refused wherever it stands.
        if session.has("ice-lite") || description.sections.iter().any(|(_, a)| a.has("ice-lite")) {
            return Err(SdpError::IceLite);
        }
        let mut reader = Reader::new(session);
        reader.check_mids(&description.sections)?;
        let mut sections = Vec::with_capacity(description.sections.len());
        for (index, (line, attributes)) in description.sections.iter().enumerate() {
            sections.push(reader.section(index, line, attributes));
        }
        let bundle = reader.bundle(&sections);
        let first =
            bundle.first().and_then(|&i| description.sections.get(i)).ok_or(SdpError::NothingAccepted)?;
        Ok(Self {
            transport: Transport::read(session, &first.1)?,
            sections,
            bundle,
            grouped: reader.group.is_some(),
            allow_mixed: session.has("extmap-allow-mixed"),
        })
    }
}

/// What a payload type means throughout the bundle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Media(Codec),
    Repair(Pt),
}

/// What the sections of one offer share.
struct Reader<'a> {
    session: &'a Attributes,
    /// The mids of the first BUNDLE group.
    group: Option<Vec<&'a str>>,
    /// Whether a section has been accepted.
    started: bool,
    payload_types: [Option<Meaning>; 128],
    extensions: [Option<ExtensionKind>; 256],
    ssrcs: Vec<Ssrc>,
}

impl<'a> Reader<'a> {
    fn new(session: &'a Attributes) -> Self {
        let group = session.all("group").find_map(|v| {
            let mut words = v.split_whitespace();
            (words.next() == Some("BUNDLE")).then(|| words.take(limits::SECTIONS).collect())
        });
        Self {
            session,
            group,
            started: false,
            payload_types: [None; 128],
            extensions: [None; 256],
            ssrcs: Vec::new(),
        }
    }

    /// RFC 5888 §4: each mid is unique in the description.
    fn check_mids(&self, sections: &[(MediaLine, Attributes)]) -> Result<(), SdpError> {
        let mut seen: Vec<&str> = Vec::with_capacity(sections.len());
        for mid in sections.iter().filter_map(|(_, a)| a.value("mid")) {
            if seen.contains(&mid) {
                return Err(SdpError::DuplicateMid);
            }
            seen.push(mid);
        }
        Ok(())
    }

    /// The accepted sections in the order of the group (RFC 9143 §7.3.1: the first of them carries the transport).
    fn bundle(&self, sections: &[Section]) -> Vec<usize> {
        let accepted = |s: &&Section| s.plan.rejection().is_none();
        let Some(group) = &self.group else {
            return sections.iter().filter(accepted).map(|s| s.index).collect();
        };
        let mut order: Vec<usize> = Vec::new();
        for word in group {
            let named = |s: &&Section| s.mid.as_ref().is_some_and(|m| m.as_str() == *word);
            if let Some(s) = sections.iter().filter(accepted).find(named)
                && !order.contains(&s.index)
            {
                order.push(s.index);
            }
        }
        order
    }

    fn section(&mut self, index: usize, line: &MediaLine, a: &Attributes) -> Section {
        let mid = a.value("mid").and_then(|m| Mid::new(m.as_bytes()).ok());
        let (plan, extensions) = match self.plan(mid, line, a) {
            Ok((plan, offered)) => {
                self.started = true;
                let none = ExtensionMap::EMPTY;
                let (sent, received) = match &plan {
                    Plan::Send(s) => (&s.extensions, &none),
                    Plan::Receive(r) | Plan::Inactive(r) => (&none, &r.extensions),
                    Plan::SendReceive(s, r) => (&s.extensions, &r.extensions),
                    Plan::Rejected(_) => (&none, &none),
                };
                let extensions = offered.answer(&[sent, received]);
                (plan, extensions)
            }
            Err(reason) => (Plan::Rejected(reason), Vec::new()),
        };
        Section {
            index,
            mid,
            plan,
            line: line.clone(),
            extensions,
            allow_mixed: a.has("extmap-allow-mixed"),
            reduced_size: a.has("rtcp-rsize"),
        }
    }

    fn plan(
        &mut self,
        mid: Option<Mid>,
        line: &MediaLine,
        a: &Attributes,
    ) -> Result<(Plan, Offered), Rejection> {
        let kind = self.admit(mid, line, a)?;
        let payloads = codecs::read(line, a, kind)?;
        let meanings = self.meanings(&payloads)?;
        let mut offered = Offered::read(self.session, a)?;
        offered.keep(|id, kind| {
            self.extensions.get(usize::from(id.get())).is_some_and(|m| m.is_none_or(|m| m == kind))
        });

        let receive = |payloads| ReceivePlan {
            mid,
            kind,
            feedback: union(payloads),
            payloads: payloads.to_vec(),
            extensions: offered.received(kind),
        };
        let plan = match direction(self.session, a) {
            "sendonly" => Plan::Send(self.send(mid, kind, &payloads, a, &offered, true)?),
            "recvonly" => Plan::Receive(receive(&without_twcc(&payloads))),
            "inactive" => Plan::Inactive(receive(&without_twcc(&payloads))),
            // One line of feedback serves both directions, so that the way down decides: no transport-wide feedback.
            _ => {
                let payloads = without_twcc(&payloads);
                Plan::SendReceive(self.send(mid, kind, &payloads, a, &offered, false)?, receive(&payloads))
            }
        };
        self.claim(&plan, &meanings)?;
        Ok((plan, offered))
    }

    /// What can be said before the codecs are read.
    fn admit(&self, mid: Option<Mid>, line: &MediaLine, a: &Attributes) -> Result<MediaKind, Rejection> {
        // RFC 9143 §6: port 0 with bundle-only is a live section.
        if line.port == 0 && !a.has("bundle-only") {
            return Err(Rejection::Stopped);
        }
        let kind = match line.media.as_str() {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            "application" if line.protocol.ends_with("DTLS/SCTP") => return Err(Rejection::DataChannel),
            _ => return Err(Rejection::UnknownMedia),
        };
        // RFC 5764 §8; the short forms are older agents' (RFC 9429 §5.1.2), who mean DTLS-SRTP too.
        const PROTOCOLS: [&str; 4] = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"];
        if !PROTOCOLS.contains(&line.protocol.as_str()) {
            return Err(Rejection::Protocol);
        }
        if a.has("mid") && mid.is_none() {
            return Err(Rejection::BadMid);
        }
        let bundled = match (&self.group, &mid) {
            (Some(group), Some(mid)) => group.contains(&mid.as_str()),
            (Some(_), None) => false,
            (None, _) => !self.started,
        };
        if !bundled {
            return Err(Rejection::NotBundled);
        }
        if !a.has("rtcp-mux") { Err(Rejection::NoRtcpMux) } else { Ok(kind) }
    }

    /// What the payload types mean; one meaning throughout the bundle (RFC 9143 §9.1).
    fn meanings(&self, payloads: &[Payload]) -> Result<Vec<(Pt, Meaning)>, Rejection> {
        let mut meanings = Vec::with_capacity(2 * payloads.len());
        for p in payloads {
            meanings.push((p.pt, Meaning::Media(p.codec)));
            meanings.extend(p.rtx_pt.map(|rtx| (rtx, Meaning::Repair(p.pt))));
        }
        let taken = |&(pt, meaning): &(Pt, Meaning)| {
            self.payload_types.get(usize::from(pt.get())).is_some_and(|m| m.is_some_and(|m| m != meaning))
        };
        if meanings.iter().any(taken) { Err(Rejection::PayloadTypeConflict) } else { Ok(meanings) }
    }

    fn send(
        &self,
        mid: Option<Mid>,
        kind: MediaKind,
        payloads: &[Payload],
        a: &Attributes,
        offered: &Offered,
        may_twcc: bool,
    ) -> Result<SendPlan, Rejection> {
        let best = payloads.iter().min_by_key(|p| codecs::preference(p.codec));
        let mut payload = best.ok_or(Rejection::NoCodec)?.clone();
        // Some clients offer the feedback without the extension that it feeds on, or the extension alone.
        let twcc = may_twcc && payload.feedback.twcc && offered.sends(ExtensionKind::Twcc);
        payload.feedback.twcc = twcc;
        payload.feedback.remb &= !twcc;
        let by_rid = kind == MediaKind::Video && offered.sends(ExtensionKind::Rid);
        let encodings = encodings::read(a, payload.pt, payload.rtx_pt.is_some(), by_rid)?;
        let rids = encodings.iter().any(|e| e.rid.is_some());
        Ok(SendPlan {
            mid,
            kind,
            codec: payload.codec,
            pt: payload.pt,
            rtx_pt: payload.rtx_pt,
            encodings,
            extensions: offered.sent(kind, rids, payload.rtx_pt.is_some(), twcc),
            feedback: payload.feedback,
            msid: msid(a),
            payload,
        })
    }

    /// Takes the section's numbers for the bundle.
    fn claim(&mut self, plan: &Plan, meanings: &[(Pt, Meaning)]) -> Result<(), Rejection> {
        if let Some(send) = plan.send() {
            let mine: Vec<Ssrc> =
                send.encodings.iter().flat_map(|e| [e.ssrc, e.rtx_ssrc]).flatten().collect();
            let twice = mine.iter().enumerate().any(|(i, s)| mine.iter().take(i).any(|t| t == s));
            if twice || mine.iter().any(|s| self.ssrcs.contains(s)) {
                return Err(Rejection::SsrcConflict);
            }
            self.ssrcs.extend(mine);
        }
        for &(pt, meaning) in meanings {
            if let Some(slot) = self.payload_types.get_mut(usize::from(pt.get())) {
                *slot = Some(meaning);
            }
        }
        let sent = plan.send().into_iter().flat_map(|s| s.extensions.iter());
        for (kind, id) in sent.chain(plan.receive().into_iter().flat_map(|r| r.extensions.iter())) {
            if let Some(slot) = self.extensions.get_mut(usize::from(id.get())) {
                *slot = Some(kind);
            }
        }
        Ok(())
    }
}

/// The direction attribute of the section, else of the session, else both ways (RFC 8866 §6.7).
fn direction<'a>(session: &'a Attributes, section: &'a Attributes) -> &'a str {
    let of = |a: &'a Attributes| {
        a.keys().find(|k| matches!(*k, "sendrecv" | "sendonly" | "recvonly" | "inactive"))
    };
    of(section).or_else(|| of(session)).unwrap_or("sendrecv")
}

fn without_twcc(payloads: &[Payload]) -> Vec<Payload> {
    let none = |p: &Payload| Payload { feedback: Feedback { twcc: false, ..p.feedback }, ..p.clone() };
    payloads.iter().map(none).collect()
}

fn union(payloads: &[Payload]) -> Feedback {
    payloads.iter().fold(Feedback::default(), |all, p| Feedback {
        nack: all.nack | p.feedback.nack,
        pli: all.pli | p.feedback.pli,
        fir: all.fir | p.feedback.fir,
        twcc: all.twcc | p.feedback.twcc,
        remb: all.remb | p.feedback.remb,
    })
}

/// `a=msid:<stream> <track>` (RFC 8830 §2); longer ids than the RFC allows are left out, they name nothing here.
fn msid(a: &Attributes) -> Option<Msid> {
    let mut words = a.value("msid")?.split_whitespace();
    let mut id =
        || words.next().filter(|w| w.len() <= limits::MSID && w.bytes().all(|b| b.is_ascii_graphic()));
    let stream = id()?.to_owned();
    Some(Msid { stream, track: id().unwrap_or_default().to_owned() })
}
