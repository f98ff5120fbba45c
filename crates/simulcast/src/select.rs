//! Which packets go out: sees only [`Facts`](crate::Facts), numbers and timestamps, never a payload.

use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo};

use crate::limits::{MAX_JUMP_AHEAD, PICTURES};
use crate::{Input, SkipReason};

/// An encoding, as the caller numbers it: unique in a room for its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(pub u32);

/// What a slot shall show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The encoding.
    pub source: SourceId,
    /// The highest temporal layer that may go out; `u8::MAX` for all.
    pub temporal: u8,
    /// What the encoding's packets hold.
    pub codec: Codec,
}

/// That a packet goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// As the first of a source.
    Start,
    /// After others of its source.
    Continue,
}

/// The decisions on the newest pictures, so that every picture goes out whole or not at all.
#[derive(Debug)]
struct Pictures {
    decided: [(RtpTime, bool); PICTURES],
    /// Where the next goes; the array is full from the start, of the first one's copies.
    at: usize,
}

impl Pictures {
    fn new(first: RtpTime) -> Self {
        Self { decided: [(first, true); PICTURES], at: 1 }
    }

    fn get(&self, picture: RtpTime) -> Option<bool> {
        let newest_first = (1..=PICTURES).map(|i| (self.at + PICTURES - i) % PICTURES);
        newest_first.filter_map(|i| self.decided.get(i)).find(|(t, _)| *t == picture).map(|(_, go)| *go)
    }

    fn put(&mut self, picture: RtpTime, go: bool) {
        if let Some(to) = self.decided.get_mut(self.at) {
            *to = (picture, go);
        }
        self.at = (self.at + 1) % PICTURES;
    }
}

/// The encoding that goes out.
#[derive(Debug)]
struct Shown {
    source: SourceId,
    /// The highest temporal layer that goes out now, and the one to reach.
    temporal: u8,
    goal: u8,
    /// The packet on which `temporal` last changed.
    since: SeqNo,
    /// The newest packet, whether it went out or not.
    newest: SeqNo,
    pictures: Pictures,
}

/// Chooses the packets of one slot.
#[derive(Debug)]
pub(crate) struct Selector {
    kind: MediaKind,
    aim: Option<Target>,
    shown: Option<Shown>,
}

impl Selector {
    pub(crate) fn new(kind: MediaKind) -> Self {
        Self { kind, aim: None, shown: None }
    }

    pub(crate) fn target(&self) -> Option<Target> {
        self.aim
    }

    pub(crate) fn shown(&self) -> Option<SourceId> {
        self.shown.as_ref().map(|s| s.source)
    }

    /// The newest packet of what is shown.
    pub(crate) fn newest(&self) -> Option<SeqNo> {
        self.shown.as_ref().map(|s| s.newest)
    }

    pub(crate) fn wants_key(&self) -> Option<SourceId> {
        let aim = self.aim.filter(|_| self.kind == MediaKind::Video)?;
        (self.shown() != Some(aim.source)).then_some(aim.source)
    }

    pub(crate) fn aim(&mut self, target: Option<Target>) {
        self.aim = target;
        match (target, &mut self.shown) {
            (None, shown) => *shown = None,
            (Some(t), Some(shown)) if shown.source == t.source => shown.goal = t.temporal,
            // Two voices in turn on one slot: the first must not talk into the second.
            (Some(_), shown) if self.kind == MediaKind::Audio => *shown = None,
            _ => {}
        }
    }

    /// The source ended.
    pub(crate) fn gone(&mut self, source: SourceId) {
        self.restarted(source);
        if self.aim.is_some_and(|t| t.source == source) {
            self.aim = None;
        }
    }

    /// The source's numbers start anew.
    pub(crate) fn restarted(&mut self, source: SourceId) {
        self.shown.take_if(|s| s.source == source);
    }

    /// Whether the packet goes out.
    pub(crate) fn choose(&mut self, p: &Input) -> Result<Choice, SkipReason> {
        if self.newest().is_some_and(|n| self.shown() == Some(p.source) && p.seq.since(n) > MAX_JUMP_AHEAD) {
            // The caller tells restarts; should one slip through, the slot starts anew rather than leap.
            self.restarted(p.source);
        }
        match &mut self.shown {
            Some(shown) if shown.source == p.source => shown.choose(self.kind, p).map(|()| Choice::Continue),
            _ => self.start(p).map(|()| Choice::Start),
        }
    }

    fn start(&mut self, p: &Input) -> Result<(), SkipReason> {
        let aim = match self.aim {
            Some(aim) if aim.source == p.source => aim,
            None if self.shown.is_none() => return Err(SkipReason::Paused),
            _ => return Err(SkipReason::OtherEncoding),
        };
        if p.padding_only {
            return Err(SkipReason::Padding);
        }
        if self.kind == MediaKind::Video {
            if !p.facts.key {
                return Err(SkipReason::AwaitingKey);
            }
            if !p.newest {
                // What came before it of its own picture and after is lost to this slot.
                return Err(SkipReason::KeyOutOfOrder);
            }
        }
        self.shown = Some(Shown {
            source: p.source,
            temporal: aim.temporal,
            goal: aim.temporal,
            since: p.seq,
            newest: p.seq,
            pictures: Pictures::new(p.timestamp),
        });
        Ok(())
    }
}

impl Shown {
    fn choose(&mut self, kind: MediaKind, p: &Input) -> Result<(), SkipReason> {
        let newest = p.seq > self.newest;
        self.newest = self.newest.max(p.seq);
        if p.padding_only {
            return Err(SkipReason::Padding);
        }
        if kind == MediaKind::Audio {
            return Ok(());
        }
        match self.pictures.get(p.timestamp) {
            Some(true) => Ok(()),
            Some(false) => Err(SkipReason::PictureSkipped),
            None => {
                let result = if newest { self.new_picture(p) } else { self.late_picture(p) };
                self.pictures.put(p.timestamp, result.is_ok());
                result
            }
        }
    }

    /// Down at once; up one layer at a time, each at a picture that refers only to layers below it, or at a key frame.
    fn new_picture(&mut self, p: &Input) -> Result<(), SkipReason> {
        let layer = p.facts.layer.temporal;
        let one_up = layer == self.temporal.saturating_add(1) && p.facts.switch_up;
        if p.facts.key || self.temporal > self.goal {
            self.limit(self.goal, p.seq);
        } else if one_up && layer <= self.goal {
            self.limit(layer, p.seq);
        }
        if layer <= self.temporal { Ok(()) } else { Err(SkipReason::TemporalLayer) }
    }

    fn limit(&mut self, temporal: u8, from: SeqNo) {
        if temporal != self.temporal {
            (self.since, self.temporal) = (from, temporal);
        }
    }

    /// A picture of which nothing came before newer ones did. What held in its time, before the last change of the limit,
    /// is not remembered: only a base picture is safe to send, for it went out in all times.
    fn late_picture(&self, p: &Input) -> Result<(), SkipReason> {
        match p.facts.layer.temporal {
            layer if layer > self.temporal => Err(SkipReason::TemporalLayer),
            layer if layer > 0 && p.seq < self.since => Err(SkipReason::LateLayer),
            _ => Ok(()),
        }
    }
}
