//! What was agreed: what stands between two offers, and the answers.

use crate::messages::{Code, Refusal, Sections, Source};
use crate::proposal::{Proposal, key};
use salon_host::sfu::{SlotId, SlotSpec, SlotStreams, TrackId, TrackSpec};
use salon_host::transport::{Fingerprint, IceCredentials};
use salon_host::{Handle, Joined, Update, Updated};
use salon_rtp::{MediaKind, Mid};
use salon_signal::{self as signal, Local, SlotLine};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What client and server have agreed on; the next offer is compared with it.
#[derive(Debug)]
pub(crate) struct Negotiated {
    remote: IceCredentials,
    fingerprint: Fingerprint,
    setup: signal::Setup,
    session_id: u64,
    version: u64,
    streams: Streams,
    tracks: BTreeMap<Mid, Track>,
    slots: BTreeMap<Mid, Slot>,
}

/// Which slots are one media stream to the client (`a=msid`, RFC 8830), whose sound and picture it keeps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Streams {
    /// Each is its own: what is in one says nothing about what is in another.
    #[default]
    Apart,
    /// The first of either kind: what a player shows that knows of one sound and one picture.
    FirstPair,
    /// All: they are one person's.
    Together,
}

#[derive(Debug)]
struct Track {
    id: TrackId,
    spec: TrackSpec,
}

#[derive(Debug)]
struct Slot {
    id: SlotId,
    streams: SlotStreams,
    spec: SlotSpec,
}

/// What an answer is made with besides what was agreed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a> {
    pub(crate) credentials: &'a IceCredentials,
    /// What sender reports will carry: one name for all streams of a room.
    pub(crate) cname: &'a str,
    pub(crate) host: &'a Handle,
    pub(crate) reachable: &'a [SocketAddr],
}

/// What an offer changes.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) update: Update,
    new_tracks: Vec<(Mid, TrackSpec)>,
    new_slots: Vec<(Mid, SlotSpec)>,
}

impl Negotiated {
    /// After a join. `session_id` is any number below 2⁶³.
    pub(crate) fn new(proposal: &Proposal, joined: &Joined, session_id: u64) -> Self {
        let mut this = Self {
            remote: proposal.remote(),
            fingerprint: proposal.fingerprint(),
            setup: proposal.offer.transport.setup,
            session_id,
            version: 0,
            streams: Streams::Apart,
            tracks: BTreeMap::new(),
            slots: BTreeMap::new(),
        };
        this.add_tracks(proposal.tracks.clone(), &joined.tracks);
        this.add_slots(proposal.slots.clone(), &joined.slots);
        this
    }

    /// What a new offer changes: a section whose meaning became another ends and begins anew.
    pub(crate) fn difference(&self, proposal: &Proposal) -> Result<Difference, Refusal> {
        if proposal.fingerprint() != self.fingerprint {
            return Err(
                Refusal::new(Code::BadSdp).saying("The offer shows another certificate: join again instead.")
            );
        }
        let mut update = Update::default();
        let remote = proposal.remote();
        if remote.ufrag != self.remote.ufrag || remote.pwd != self.remote.pwd {
            update.restart = Some(remote);
        }
        let mut new_tracks = proposal.tracks.clone();
        new_tracks.retain(|(mid, spec)| self.tracks.get(mid).is_none_or(|old| !same_track(&old.spec, spec)));
        let mut new_slots = proposal.slots.clone();
        new_slots.retain(|(mid, spec)| self.slots.get(mid).is_none_or(|old| !same_slot(&old.spec, spec)));
        let stays = |kept: bool, anew: bool| kept && !anew;
        update.unpublish = (self.tracks.iter())
            .filter(|(mid, _)| {
                !stays(
                    proposal.tracks.iter().any(|(m, _)| m == *mid),
                    new_tracks.iter().any(|(m, _)| m == *mid),
                )
            })
            .map(|(_, track)| track.id)
            .collect();
        update.unsubscribe = (self.slots.iter())
            .filter(|(mid, _)| {
                !stays(
                    proposal.slots.iter().any(|(m, _)| m == *mid),
                    new_slots.iter().any(|(m, _)| m == *mid),
                )
            })
            .map(|(_, slot)| slot.id)
            .collect();
        update.publish = new_tracks.iter().map(|(_, spec)| spec.clone()).collect();
        update.subscribe = new_slots.iter().map(|(_, spec)| spec.clone()).collect();
        Ok(Difference { update, new_tracks, new_slots })
    }

    /// Takes over what the host made of a [`Difference`].
    pub(crate) fn apply(&mut self, proposal: &Proposal, difference: Difference, updated: &Updated) {
        self.forget(&difference.update);
        self.remote = proposal.remote();
        self.add_tracks(difference.new_tracks, &updated.tracks);
        self.add_slots(difference.new_slots, &updated.slots);
    }

    /// Takes over what ended, where the host refused what was to begin.
    pub(crate) fn forget(&mut self, update: &Update) {
        self.tracks.retain(|_, track| !update.unpublish.contains(&track.id));
        self.slots.retain(|_, slot| !update.unsubscribe.contains(&slot.id));
    }

    /// Which slots the answers declare as one stream.
    pub(crate) fn group(&mut self, streams: Streams) {
        self.streams = streams;
    }

    /// The answer to an offer that has been applied.
    pub(crate) fn answer(&mut self, proposal: &Proposal, own: Own<'_>) -> String {
        self.version += 1;
        let mut seen = BTreeSet::new();
        let named: Vec<(usize, &Slot, String, bool)> = (proposal.offer.sections.iter())
            .filter_map(|section| Some((section, self.slots.get(&key(section)?)?)))
            .map(|(section, slot)| {
                let first = seen.insert(slot.spec.kind == MediaKind::Audio);
                let shared = match self.streams {
                    Streams::Apart => false,
                    Streams::FirstPair => first,
                    Streams::Together => true,
                };
                (section.index, slot, format!("slot-{}", slot.streams.ssrc), shared)
            })
            .collect();
        let lines: Vec<SlotLine<'_>> = (named.iter())
            .map(|(section, slot, name, shared)| SlotLine {
                section: *section,
                ssrc: slot.streams.ssrc,
                rtx_ssrc: slot.streams.rtx,
                // Browsers synchronise what shares a stream.
                stream: if *shared { "room" } else { name },
                track: name,
                cname: own.cname,
            })
            .collect();
        let refused: Vec<usize> = (proposal.offer.sections.iter())
            .filter(|section| section.plan.send().is_some())
            .filter(|section| key(section).is_none_or(|mid| !self.tracks.contains_key(&mid)))
            .map(|section| section.index)
            .collect();
        proposal.offer.answer(&Local { slots: &lines, refused: &refused, ..self.local(own) })
    }

    /// What answers an ICE restart without an offer: the ICE part of an answer.
    pub(crate) fn fragment(&self, proposal: &Proposal, own: Own<'_>) -> String {
        proposal.offer.fragment(&self.local(own))
    }

    fn local<'a>(&self, own: Own<'a>) -> Local<'a> {
        Local {
            ufrag: &own.credentials.ufrag,
            pwd: &own.credentials.pwd,
            fingerprint: signal::Fingerprint(own.host.fingerprint().0),
            setup: self.setup,
            candidates: own.reachable,
            slots: &[],
            refused: &[],
            session_id: self.session_id,
            version: self.version,
        }
    }

    /// The client's ICE credentials, and what becomes of them with a restart.
    pub(crate) fn remote(&mut self) -> &mut IceCredentials {
        &mut self.remote
    }

    /// All slots, in the order of their sections' names.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.slots.values().map(|slot| slot.id)
    }

    /// What is sent in which section.
    pub(crate) fn sources(&self) -> Sections<Source> {
        self.tracks.iter().map(|(mid, track)| (*mid, track.spec.source.into())).collect()
    }

    /// The track of a source.
    pub(crate) fn tracks(&self) -> BTreeMap<Source, TrackId> {
        self.tracks.values().map(|track| (track.spec.source.into(), track.id)).collect()
    }

    /// The slot of a section.
    pub(crate) fn slot(&self, mid: &Mid) -> Option<SlotId> {
        self.slots.get(mid).map(|slot| slot.id)
    }

    /// The section of a slot.
    pub(crate) fn section_of_slot(&self, id: SlotId) -> Option<Mid> {
        self.slots.iter().find(|(_, slot)| slot.id == id).map(|(mid, _)| *mid)
    }

    /// The section of a track, and the rids of the encodings in `wanted`, bit by bit.
    pub(crate) fn section_of_track(&self, id: TrackId, wanted: u8) -> Option<(Mid, Vec<String>)> {
        let (mid, track) = self.tracks.iter().find(|(_, track)| track.id == id)?;
        let rids = (track.spec.encodings.iter().enumerate())
            .filter(|(bit, _)| {
                u32::try_from(*bit).is_ok_and(|bit| wanted.checked_shr(bit).unwrap_or(0) & 1 == 1)
            })
            .map(|(_, encoding)| encoding.rid.map(|rid| rid.as_str().to_owned()).unwrap_or_default())
            .collect();
        Some((*mid, rids))
    }

    fn add_tracks(&mut self, specs: Vec<(Mid, TrackSpec)>, ids: &[TrackId]) {
        let made = specs.into_iter().zip(ids);
        self.tracks.extend(made.map(|((mid, spec), id)| (mid, Track { id: *id, spec })));
    }

    fn add_slots(&mut self, specs: Vec<(Mid, SlotSpec)>, made: &[(SlotId, SlotStreams)]) {
        let made = specs.into_iter().zip(made);
        self.slots.extend(
            made.map(|((mid, spec), (id, streams))| (mid, Slot { id: *id, streams: *streams, spec })),
        );
    }
}

fn same_track(a: &TrackSpec, b: &TrackSpec) -> bool {
    let facts = |spec: &TrackSpec| {
        (spec.mid, spec.source, spec.codec, spec.pt, spec.rtx_pt, spec.extensions, spec.feedback)
    };
    facts(a) == facts(b) && a.encodings == b.encodings
}

fn same_slot(a: &SlotSpec, b: &SlotSpec) -> bool {
    (a.mid, a.kind, a.extensions, a.feedback) == (b.mid, b.kind, b.extensions, b.feedback)
        && a.payloads == b.payloads
}
