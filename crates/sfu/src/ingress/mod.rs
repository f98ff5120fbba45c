//! What happens to a packet between the cipher and the slots: whose it is, what is missing, when it was captured, and
//! where its bytes stay.
//!
//! Each file is one machine that stands alone: it is told the moment, allocates nothing in steady state, and is bounded
//! for any input.

mod arrival;
mod cache;
mod clock;
mod encoding;
mod keyframe;
mod latch;
mod nack;
mod rtx;
mod track;
mod twcc;

pub use arrival::{Arrival, Arrived, Origin, Reception};
pub use cache::{Cache, CacheSize, Cached, Passed, TooLarge};
pub use clock::{CaptureClock, PublisherClock};
pub(crate) use encoding::{Encoding, Media, Meta, STALLED};
pub use keyframe::KeyframeThrottle;
pub use latch::{Bound, Declared, Latch, News, Role, Section, TooManyEncodings};
pub use nack::NackGenerator;
pub use rtx::{RtxUnwrap, Unwrapped};
pub use track::EncodingId;
pub(crate) use track::{Publisher, Track, Tracks};
pub use twcc::{Arrivals, TwccRecorder};

use salon_rtp::extension::Values;
use salon_rtp::{Packet, Seq, Time};
use salon_simulcast::{Facts, Input};

use crate::{DropReason, ParticipantId, Room};

impl Room {
    /// The journey of one packet, from its parsing to the queues of those who see or hear it.
    pub(crate) fn ingest(&mut self, now: Time, from: ParticipantId, bytes: &[u8]) -> Result<(), DropReason> {
        let packet = Packet::parse(bytes).map_err(|_| DropReason::MalformedRtp)?;
        let bound = self.bind(now, from, &packet)?;
        let media = self.encoding_mut(bound.encoding)?.unwrap(&packet, bound.role)?;
        let woke = !self.encoding_mut(bound.encoding)?.sends(now, STALLED);
        let arrived = self.encoding_mut(bound.encoding)?.arrive(now, &media)?;
        let facts = self.encoding_mut(bound.encoding)?.read(now, &media, arrived);
        let values = self.values(bound.encoding, &packet)?;
        let pass = self.listen(now, bound.encoding, &media, &values);
        let input = self.describe(now, bound.encoding, &media, arrived, facts, pass)?;
        if arrived.restarted {
            self.restarted(now, bound.encoding);
        }
        if woke {
            self.woke(now, bound.encoding, facts.key);
            // Who has just begun to wait for a key frame is given this one.
            self.encoding_mut(bound.encoding)?.keys.packet(now, facts.key);
        }
        // Only now it is known who watches: the first packet of an encoding that woke is kept, too.
        self.keep(now, bound.encoding, arrived, &media, &values)?;
        self.forward(now, bound.encoding, &input);
        self.expect(now, from, bound.encoding);
        Ok(())
    }

    /// Whose the packet is; when it came is noted for the whole transport first.
    fn bind(
        &mut self,
        now: Time,
        from: ParticipantId,
        packet: &Packet<'_>,
    ) -> Result<Bound<EncodingId>, DropReason> {
        self.receivers.get(from).filter(|r| r.connected).ok_or(DropReason::UnknownParticipant)?;
        self.counters.visited += 1;
        let publisher = self.publishers.get_mut(from).ok_or(DropReason::UnknownParticipant)?;
        if let Some((id, recorder)) = &mut publisher.twcc {
            if let Some((_, &[hi, lo])) = packet.extensions().find(|e| e.0 == *id) {
                recorder.push(now, Seq(u16::from_be_bytes([hi, lo])));
                // Also of a packet that is then dropped the publisher hears when it came.
                self.schedule.lower(from, recorder.next_due().unwrap_or(Time::NEVER));
            }
        }
        let bound = publisher.latch.bind(now, packet)?;
        if (bound.role, bound.news) == (Role::Media, Some(News::Restarted)) {
            self.encoding_mut(bound.encoding)?.restart();
            self.restarted(now, bound.encoding);
        }
        Ok(bound)
    }

    /// What the packet's header extension says.
    fn values<'a>(&self, id: EncodingId, packet: &Packet<'a>) -> Result<Values<'a>, DropReason> {
        let track = self.tracks.get(id.track).ok_or(DropReason::UnknownSsrc)?;
        Ok(Values::read(packet, &track.spec.extensions))
    }

    /// Listens to a sound: who is heard and who has the floor may change before it is forwarded. Whether it is more than silence.
    fn listen(&mut self, now: Time, id: EncodingId, media: &Media<'_>, values: &Values<'_>) -> bool {
        let Some(voice) = self.tracks.get(id.track).and_then(|t| t.voice) else { return true };
        let level = values.audio_level.map(|l| l.level);
        let heard = self.audible.push(now, voice, level, media.payload.len());
        self.speaker.push(now, voice, heard.level);
        if heard.changed {
            self.restage_sounds(now);
        }
        heard.pass
    }

    /// The packet as the slots see it.
    fn describe(
        &mut self,
        now: Time,
        id: EncodingId,
        media: &Media<'_>,
        arrived: Arrived,
        facts: Facts,
        pass: bool,
    ) -> Result<Input, DropReason> {
        let track = self.tracks.get_mut(id.track).ok_or(DropReason::UnknownSsrc)?;
        let publisher = self.publishers.get(track.owner).ok_or(DropReason::UnknownParticipant)?;
        let encoding = track.encoding_mut(id.index).ok_or(DropReason::UnknownSsrc)?;
        Ok(Input {
            source: id.source,
            seq: arrived.seq,
            timestamp: media.timestamp,
            captured: encoding.clock.captured(now, media.timestamp, &publisher.clock),
            marker: media.marker,
            facts,
            arrived: now,
            newest: arrived.newest,
            // Silence leaves no hole in the numbers, just as padding leaves none.
            padding_only: media.payload.is_empty() || !pass,
        })
    }

    /// Keeps the bytes, once for all viewers. What nobody watches is not kept.
    fn keep(
        &mut self,
        now: Time,
        id: EncodingId,
        arrived: Arrived,
        media: &Media<'_>,
        values: &Values<'_>,
    ) -> Result<(), DropReason> {
        let encoding = self.encoding_mut(id)?;
        if encoding.viewers.is_empty() || media.payload.is_empty() {
            return Ok(());
        }
        let meta = Meta { level: values.audio_level };
        let passed = Passed { descriptor: values.descriptor, color_space: values.color_space };
        encoding.keep(now, arrived, meta, passed, media.payload)
    }

    /// Sees to it that what this packet makes necessary is done in time: NACKs, key frame requests, reports.
    fn expect(&mut self, now: Time, from: ParticipantId, id: EncodingId) {
        self.reschedule_encoding(from, id);
        let Some(publisher) = self.publishers.get_mut(from) else { return };
        if publisher.report_due == Time::NEVER {
            publisher.report_due = now.plus(crate::attend::FIRST_REPORT);
            self.schedule.lower(from, publisher.report_due);
        }
    }

    fn encoding_mut(&mut self, id: EncodingId) -> Result<&mut Encoding, DropReason> {
        self.tracks.get_mut(id.track).and_then(|t| t.encoding_mut(id.index)).ok_or(DropReason::UnknownSsrc)
    }
}
