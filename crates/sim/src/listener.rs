//! Ears.

use crate::line::SenderLine;
use crate::stream::Ordered;
use crate::{StreamCheck, Tag};
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{Packet, RtpTime, Ssrc, Time};
use std::collections::VecDeque;

/// A packet of sound that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// Whose it truly is.
    pub tag: Tag,
    /// When it arrived.
    pub at: Time,
    /// On the stream's clock.
    pub timestamp: RtpTime,
    /// Whom the packet names.
    pub csrc: Option<Ssrc>,
}

/// Listens to one stream of sound.
#[derive(Clone, Debug)]
pub struct VoiceListener {
    ordered: Ordered<()>,
    heard: VecDeque<Heard>,
    line: SenderLine,
}

/// Heard packets that are kept for who asks; older ones are forgotten.
const KEPT: usize = 10_000;

impl Default for VoiceListener {
    fn default() -> Self {
        Self { ordered: Ordered::new(), heard: VecDeque::new(), line: SenderLine::new(48_000) }
    }
}

impl VoiceListener {
    /// Takes a packet.
    pub fn push(&mut self, now: Time, packet: &Packet<'_>) {
        let payload = packet.payload();
        let new = self.ordered.push(packet.seq(), packet.timestamp(), payload, false, ()).is_some();
        while self.ordered.settle(false).is_some() {}
        if let (true, Some(tag)) = (new, Tag::of_opus(payload)) {
            if self.heard.len() == KEPT {
                self.heard.pop_front();
            }
            let csrc = packet.csrcs().next();
            self.heard.push_back(Heard { tag, at: now, timestamp: packet.timestamp(), csrc });
        }
    }

    /// Takes the sender reports of the stream, which has this SSRC.
    pub fn handle_rtcp(&mut self, ssrc: Ssrc, compound: &Compound<'_>) {
        for packet in compound {
            match packet {
                RtcpPacket::SenderReport(r) if r.info.ssrc == ssrc => self.line.take(&r.info),
                _ => {}
            }
        }
    }

    /// The line that the sender reports draw.
    pub fn line(&self) -> SenderLine {
        self.line
    }

    /// The next packet with sound, in the order of arrival.
    pub fn pop(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// What the stream was like.
    pub fn finish(&mut self) -> StreamCheck {
        while self.ordered.settle(true).is_some() {}
        self.ordered.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Datagram, Outbox, VoiceConfig, VoiceSource};

    #[test]
    fn a_talker_is_heard_and_what_is_missing_is_counted() {
        let talks = vec![Time::ZERO..Time::from_millis(1_000)];
        let mut voice = VoiceSource::new(1, VoiceConfig { talks, ..VoiceConfig::default() });
        let (mut outbox, mut ear) = (Outbox::default(), VoiceListener::default());
        (0..1_000).for_each(|ms| voice.poll(Time::from_millis(ms), &mut outbox));
        let packets: Vec<_> = outbox.drain().filter(|d| matches!(d, Datagram::Rtp(_))).collect();
        for (i, d) in packets.iter().enumerate().filter(|(i, _)| i % 10 != 5) {
            ear.push(Time::from_millis(i as u64), &Packet::parse(d.as_ref()).unwrap());
        }
        let check = ear.finish();
        assert_eq!((check.packets, check.holes, check.backwards), (45, 5, 0));
        let first = ear.pop().unwrap();
        assert_eq!((first.tag.source, first.tag.frame, first.csrc), (1, 0, None));
    }
}
