//! Ears.

use crate::stream::Ordered;
use crate::{StreamCheck, Tag};
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
}

/// Heard packets that are kept for who asks; older ones are forgotten.
const KEPT: usize = 10_000;

impl Default for VoiceListener {
    fn default() -> Self {
        Self { ordered: Ordered::new(), heard: VecDeque::new() }
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
