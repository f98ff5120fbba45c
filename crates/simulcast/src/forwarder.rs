//! The one object per slot that joins selection and rewriting.

use salon_rtp::{MediaKind, RtpTime, SeqNo, Time};

use crate::rewrite::numbers::Numbers;
use crate::rewrite::timeline::{Moment, Timeline};
use crate::rewrite::{Descriptors, Packet};
use crate::select::{Choice, Selector};
use crate::{Facts, Patch, SkipReason, SourceId, Target};

/// A packet as it came, described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its encoding.
    pub source: SourceId,
    /// Its sequence number, extended per encoding.
    pub seq: SeqNo,
    /// Its timestamp on the publisher's media clock.
    pub timestamp: RtpTime,
    /// The moment of that timestamp on the server's clock, by the publisher's clock map. It is believed only up to
    /// `arrived`, and not far before it. Between two of the same timestamp it may differ; it is looked at once per frame.
    pub captured: Time,
    /// The marker bit.
    pub marker: bool,
    /// What the payload says.
    pub facts: Facts,
    /// When it arrived.
    pub arrived: Time,
    /// No packet of its encoding with a higher number came before it: it is the live edge, not a late or repaired one.
    pub newest: bool,
    /// It holds no payload but padding (a probe, a keep-alive), or the caller keeps it back (silence): it does not go
    /// out, and the numbers close over it.
    pub padding_only: bool,
}

/// How a packet goes out on a slot. Small: the slot's history keeps one per sent packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Forward {
    /// The extended sequence number, SRTP's packet index; never given twice by one forwarder.
    pub index: SeqNo,
    /// On the slot's clock.
    pub timestamp: RtpTime,
    /// The marker bit.
    pub marker: bool,
    /// What changes in the payload.
    pub patch: Patch,
}

const _: () = assert!(size_of::<Forward>() <= 48);

/// What one slot sends: chooses packets of the encodings that are pushed, and renumbers them so that they form one stream.
#[derive(Debug)]
pub struct Forwarder {
    kind: MediaKind,
    selector: Selector,
    numbers: Numbers,
    timeline: Timeline,
    /// Sound has none.
    descriptors: Option<Descriptors>,
    /// The picture of the newest packet that was no padding.
    picture: RtpTime,
}

impl Forwarder {
    /// A slot that has sent nothing yet. Its first packet gets the number `first`. `clock_constant` is the slot's RTP
    /// time at the server's zero: its RTP time is for ever `server clock × clock_rate + clock_constant`.
    pub fn new(kind: MediaKind, clock_rate: u32, first: SeqNo, clock_constant: u32) -> Self {
        Self {
            kind,
            selector: Selector::new(kind),
            numbers: Numbers::new(first),
            timeline: Timeline::new(kind, clock_rate, clock_constant),
            descriptors: (kind == MediaKind::Video).then(Descriptors::new),
            picture: RtpTime(0),
        }
    }

    /// Sets what the slot shall show. Sound changes with the next packet. A picture changes at the target's next key
    /// frame, and the old one goes on until then; `None` pauses at once, and a resume starts at a key frame. Naming the
    /// encoding that is shown already changes only its temporal layer.
    pub fn aim(&mut self, target: Option<Target>) {
        self.selector.aim(target);
    }

    /// What [`aim`](Self::aim) last named, unless it has gone since.
    pub fn target(&self) -> Option<Target> {
        self.selector.target()
    }

    /// The encoding whose packets go out now. With sound, the target from its first packet on.
    pub fn current(&self) -> Option<SourceId> {
        self.selector.shown()
    }

    /// The encoding that must be asked for a key frame before the slot can show it; `None` as soon as it came.
    pub fn wants_key(&self) -> Option<SourceId> {
        self.selector.wants_key()
    }

    /// A packet of an encoding that this slot shows or waits for: how it goes out, or why not. Packets of other encodings
    /// change nothing.
    pub fn push(&mut self, input: &Input) -> Result<Forward, SkipReason> {
        let before = self.selector.newest();
        let choice = self.selector.choose(input);
        let next = before.is_some_and(|n| input.seq == n.next());
        let newest = choice == Ok(Choice::Start) || before.is_none_or(|n| input.seq > n);
        let packet = Packet {
            seq: input.seq,
            new_picture: newest && (choice == Ok(Choice::Start) || input.timestamp != self.picture),
            key: input.facts.key,
        };
        let moment = Moment {
            seq: input.seq,
            timestamp: input.timestamp,
            captured: input.captured,
            arrived: input.arrived,
            marker: input.marker,
            next,
        };
        match choice {
            Ok(Choice::Start) => self.start(input, &packet, &moment),
            Ok(Choice::Continue) => self.go_on(input, &packet, &moment),
            Err(reason) => {
                self.skipped(input, &packet, reason);
                Err(reason)
            }
        }
    }

    /// An encoding ended: the slot neither shows nor waits for it any longer.
    pub fn source_gone(&mut self, source: SourceId) {
        self.selector.gone(source);
    }

    /// An encoding started its numbering anew (its sender restarted): what comes now has no relation to what came. Sound
    /// goes on with the next packet, a picture with the next key frame.
    pub fn source_restarted(&mut self, source: SourceId) {
        self.selector.restarted(source);
    }

    /// The slot's RTP time at a moment of the server's clock; sender reports lie on this line.
    pub fn clock(&self, at: Time) -> RtpTime {
        self.timeline.clock(at)
    }

    fn start(&mut self, input: &Input, packet: &Packet, moment: &Moment) -> Result<Forward, SkipReason> {
        self.numbers.start(input.seq, self.kind == MediaKind::Video);
        if let Some(d) = &mut self.descriptors {
            d.start();
        }
        let timestamp = self.timeline.start(moment);
        let patch = self.patch(input, packet)?;
        self.picture = input.timestamp;
        // The first packet of sound after a silence carries the marker (RFC 3551 §4.1).
        let marker = input.marker || self.kind == MediaKind::Audio;
        Ok(Forward { index: self.numbers.forward(input.seq, marker)?, timestamp, marker, patch })
    }

    /// The number is spent last, when nothing can refuse the packet any more.
    fn go_on(&mut self, input: &Input, packet: &Packet, moment: &Moment) -> Result<Forward, SkipReason> {
        if self.numbers.started_after(input.seq) {
            return Err(SkipReason::BeforeSwitch);
        }
        if packet.new_picture {
            self.picture = input.timestamp;
        }
        let (patch, timestamp) =
            match self.patch(input, packet).and_then(|p| Ok((p, self.timeline.map(moment)?))) {
                Ok(both) => both,
                Err(reason) => {
                    self.numbers.skip(input.seq, None);
                    return Err(reason);
                }
            };
        let index = self.numbers.forward(input.seq, input.marker)?;
        Ok(Forward { index, timestamp, marker: input.marker, patch })
    }

    fn patch(&mut self, input: &Input, packet: &Packet) -> Result<Patch, SkipReason> {
        match &mut self.descriptors {
            Some(d) => d.forward(packet, &input.facts.ids),
            None => Ok(Patch::NONE),
        }
    }

    fn skipped(&mut self, input: &Input, packet: &Packet, reason: SkipReason) {
        if self.selector.shown() != Some(input.source) {
            return;
        }
        if reason == SkipReason::Padding {
            return self.numbers.skip(input.seq, None);
        }
        self.numbers.skip(input.seq, Some(input.timestamp));
        // Ids close over a picture only where no later one that goes out refers to it: over those of layers that do not
        // go out. Otherwise the receiver would take an older picture for the reference.
        if let (SkipReason::TemporalLayer, Some(d)) = (reason, &mut self.descriptors) {
            d.skip(packet, &input.facts.ids);
        }
        if packet.new_picture {
            self.picture = input.timestamp;
        }
    }
}
