//! An offer, and what it asks of the room.

use crate::keys::Role;
use crate::messages::{Code, Refusal, Sections, Source};
use salon_host::sfu::{EncodingSpec, Feedback, SlotPayload, SlotSpec, TrackSpec};
use salon_host::transport::{Fingerprint, IceCredentials, Setup};
use salon_rtp::{MediaKind, Mid};
use salon_signal::{self as signal, Offer, Plan, ReceivePlan, SendPlan};
use std::collections::BTreeSet;

/// An offer, with what it asks of the room.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) offer: Offer,
    pub(crate) tracks: Vec<(Mid, TrackSpec)>,
    pub(crate) slots: Vec<(Mid, SlotSpec)>,
}

impl Proposal {
    /// Reads an offer. `sources` says what each sending section carries; where it is silent, sound is a microphone and a
    /// picture a camera, or the screen's where there is one already. What a listener would send is refused, section by section.
    pub(crate) fn read(sdp: &str, sources: &Sections<Source>, role: Role) -> Result<Self, Refusal> {
        let offer = Offer::parse(sdp)
            .map_err(|error| Refusal::new(Code::BadSdp).saying(sentence(&error.to_string())))?;
        Self::of(offer, sources, role)
    }

    /// As [`read`](Self::read), of an offer that was read already.
    pub(crate) fn of(offer: Offer, sources: &Sections<Source>, role: Role) -> Result<Self, Refusal> {
        let mut taken: BTreeSet<Source> = sources.0.values().copied().collect();
        let (mut tracks, mut slots) = (Vec::new(), Vec::new());
        for section in &offer.sections {
            let Some(mid) = key(section) else { continue };
            if let Some(send) = section.plan.send().filter(|_| role != Role::Listener) {
                let source = match sources.0.get(&mid) {
                    Some(source) => *source,
                    None => default_source(send.kind, &mut taken)?,
                };
                if source.is_audio() != (send.kind == MediaKind::Audio) {
                    return Err(Code::BadSource.into());
                }
                tracks.push((mid, track(send, source)));
            }
            if let Some(receive) = section.plan.receive() {
                slots.push((mid, slot(receive)));
            }
        }
        Ok(Self { offer, tracks, slots })
    }

    /// The client's ICE credentials.
    pub(crate) fn remote(&self) -> IceCredentials {
        IceCredentials { ufrag: self.offer.transport.ufrag.clone(), pwd: self.offer.transport.pwd.clone() }
    }

    /// Of the client's certificate.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.offer.transport.fingerprint.0)
    }

    /// Our DTLS role.
    pub(crate) fn setup(&self) -> Setup {
        match self.offer.transport.setup {
            signal::Setup::Active => Setup::Active,
            signal::Setup::Passive => Setup::Passive,
        }
    }

    /// What to publish, in the order in which the host will name it.
    pub(crate) fn track_specs(&self) -> Vec<TrackSpec> {
        self.tracks.iter().map(|(_, spec)| spec.clone()).collect()
    }

    /// Where to receive, likewise.
    pub(crate) fn slot_specs(&self) -> Vec<SlotSpec> {
        self.slots.iter().map(|(_, spec)| spec.clone()).collect()
    }
}

/// Sections of an offer that were refused, and why; what the client itself has stopped is not worth a word.
pub(crate) fn refused(proposal: &Proposal) -> Sections<String> {
    (proposal.offer.sections.iter())
        .filter_map(|section| match &section.plan {
            Plan::Rejected(signal::Rejection::Stopped) => None,
            Plan::Rejected(reason) => Some((key(section)?, reason.name().to_owned())),
            _ => None,
        })
        .collect()
}

/// By what we know a section: its mid, or its place where it has none.
pub(crate) fn key(section: &signal::Section) -> Option<Mid> {
    section.mid.or_else(|| Mid::new(section.index.to_string().as_bytes()).ok())
}

fn default_source(kind: MediaKind, taken: &mut BTreeSet<Source>) -> Result<Source, Refusal> {
    let candidates = match kind {
        MediaKind::Audio => [Source::Microphone, Source::ScreenAudio],
        MediaKind::Video => [Source::Camera, Source::Screen],
    };
    let free = candidates.into_iter().find(|source| !taken.contains(source));
    let source =
        free.ok_or(Refusal::new(Code::BadSource).saying("Two audio and two video sources are the most."))?;
    taken.insert(source);
    Ok(source)
}

fn track(send: &SendPlan, source: Source) -> TrackSpec {
    TrackSpec {
        mid: send.mid,
        source: source.into(),
        codec: send.codec,
        pt: send.pt,
        rtx_pt: send.rtx_pt,
        encodings: (send.encodings.iter())
            .map(|one| EncodingSpec { rid: one.rid, ssrc: one.ssrc, rtx_ssrc: one.rtx_ssrc })
            .collect(),
        extensions: send.extensions,
        feedback: feedback(send.feedback),
    }
}

fn slot(receive: &ReceivePlan) -> SlotSpec {
    SlotSpec {
        mid: receive.mid,
        kind: receive.kind,
        payloads: (receive.payloads.iter())
            .map(|one| SlotPayload { codec: one.codec, pt: one.pt, rtx_pt: one.rtx_pt })
            .collect(),
        extensions: receive.extensions,
        feedback: feedback(receive.feedback),
    }
}

fn feedback(from: signal::Feedback) -> Feedback {
    Feedback { nack: from.nack, pli: from.pli, fir: from.fir, twcc: from.twcc, remb: from.remb }
}

/// An error's text as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).chain(['.']).collect()).unwrap_or_default()
}
