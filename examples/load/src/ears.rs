//! What a client receives, stream by stream.

use crate::Tag;
use crate::continuity::Continuity;
use crate::picture::{Picture, Seen};
use crate::tally::Tally;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use str0m::media::MediaKind;
use str0m::rtp::{RtpPacket, Ssrc};

/// What one packet of sound holds.
const PACKET: Duration = Duration::from_millis(20);

/// The receiving side of one client.
#[derive(Debug)]
pub(crate) struct Ears {
    slots: Vec<Slot>,
    lanes: Vec<Lane>,
    /// Whether the server says when there is somebody in a slot; otherwise a slot is filled from its first frame on.
    told: bool,
    /// The people who were heard and seen at all.
    pub(crate) heard: BTreeSet<u32>,
    pub(crate) seen: BTreeSet<u32>,
    /// When the first sound and the first picture came.
    pub(crate) first_sound: Option<Instant>,
    pub(crate) first_picture: Option<Instant>,
    /// Packets of speech in the measured time.
    pub(crate) speech: u64,
    /// The first packet of the turn of speech that each person was last heard in.
    turns: BTreeMap<u32, u32>,
}

/// A section that receives.
#[derive(Debug)]
struct Slot {
    mid: String,
    picture: Option<Picture>,
}

/// A stream.
#[derive(Debug)]
struct Lane {
    ssrc: Ssrc,
    slot: usize,
    kind: MediaKind,
    continuity: Continuity,
}

/// What came in all slots of one kind in the measured time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    pub(crate) expected: u64,
    pub(crate) received: u64,
    /// The greatest share that one slot lost.
    pub(crate) worst: f64,
}

impl Ears {
    /// Slots by mid, and what they are for.
    pub(crate) fn new(slots: Vec<(String, MediaKind)>, told: bool) -> Self {
        let slots = slots
            .into_iter()
            .map(|(mid, kind)| Slot { mid, picture: (kind == MediaKind::Video).then(Picture::default) });
        Self {
            slots: slots.collect(),
            lanes: Vec::new(),
            told,
            heard: BTreeSet::new(),
            seen: BTreeSet::new(),
            first_sound: None,
            first_picture: None,
            speech: 0,
            turns: BTreeMap::new(),
        }
    }

    /// Whether a stream is known.
    pub(crate) fn knows(&self, ssrc: Ssrc) -> bool {
        self.lanes.iter().any(|lane| lane.ssrc == ssrc)
    }

    /// A new stream, in the slot of this mid.
    pub(crate) fn meet(&mut self, ssrc: Ssrc, mid: &str) {
        let Some(slot) = self.slots.iter().position(|slot| slot.mid == mid) else { return };
        let kind = match self.slots.get(slot) {
            Some(Slot { picture: None, .. }) => MediaKind::Audio,
            _ => MediaKind::Video,
        };
        self.lanes.push(Lane { ssrc, slot, kind, continuity: Continuity::default() });
    }

    /// A packet came: whether a key frame is to be asked for.
    pub(crate) fn packet(&mut self, packet: &RtpPacket, came: Instant, run: u32, tally: &mut Tally) -> bool {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.ssrc == packet.header.ssrc) else {
            return false;
        };
        lane.continuity.packet(*packet.seq_no);
        let (kind, slot) = (lane.kind, lane.slot);
        let tag = match kind {
            MediaKind::Audio => Tag::of_opus(&packet.payload),
            MediaKind::Video => Tag::of_vp8(&packet.payload),
        };
        let tag = tag.filter(|tag| tag.run == run);
        let counts = tag.as_ref().is_some_and(|tag| tally.arrived(tag, kind, came));
        if kind == MediaKind::Audio {
            match tag {
                Some(tag) => self.sound(&tag, counts, came, tally),
                None => tally.strange += 1,
            }
            return false;
        }
        let Some(picture) = self.slots.get_mut(slot).and_then(|slot| slot.picture.as_mut()) else {
            return false;
        };
        match picture.packet(tag.as_ref(), packet.header.timestamp, came) {
            Seen::Frame => {
                if !self.told {
                    picture.filled(true, came);
                }
                self.first_picture.get_or_insert(came);
                self.seen.extend(picture.person());
                false
            }
            Seen::Lost => true,
            Seen::Nothing => false,
            Seen::Strange(packets) => {
                tally.strange += u64::from(packets);
                false
            }
        }
    }

    fn sound(&mut self, tag: &Tag, counts: bool, came: Instant, tally: &mut Tally) {
        self.first_sound.get_or_insert(came);
        self.heard.insert(tag.person);
        if !tag.voice {
            return;
        }
        self.speech += u64::from(counts);
        let first = tag.frame.wrapping_sub(u32::from(tag.turn));
        if self.turns.insert(tag.person, first) != Some(first) && counts {
            tally.cut.record(u32::from(tag.turn) * PACKET);
        }
    }

    /// The server says whether there is somebody in a slot.
    pub(crate) fn filled(&mut self, mid: &str, filled: bool, now: Instant) {
        let slot = self.slots.iter_mut().find(|slot| slot.mid == mid);
        if let Some(picture) = slot.and_then(|slot| slot.picture.as_mut()) {
            picture.filled(filled, now);
        }
    }

    /// The measured time begins.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.lanes.iter_mut().for_each(|lane| lane.continuity.restart());
        self.slots.iter_mut().filter_map(|slot| slot.picture.as_mut()).for_each(|p| p.restart(now));
        self.speech = 0;
    }

    /// The measured time ends.
    pub(crate) fn close(&mut self, now: Instant) {
        self.lanes.iter_mut().for_each(|lane| lane.continuity.close());
        self.slots.iter_mut().filter_map(|slot| slot.picture.as_mut()).for_each(|p| p.close(now));
    }

    /// What was to come and what came, of one kind.
    pub(crate) fn came(&self, kind: MediaKind) -> Came {
        let mut sum = Came::default();
        for lane in self.lanes.iter().filter(|lane| lane.kind == kind) {
            let (expected, received) = (lane.continuity.expected(), lane.continuity.received());
            sum.expected += expected;
            sum.received += received;
            sum.worst = sum.worst.max(expected.saturating_sub(received) as f64 / expected.max(1) as f64);
        }
        sum
    }

    /// The tiles.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.slots.iter().filter_map(|slot| slot.picture.as_ref())
    }
}
