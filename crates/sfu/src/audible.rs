//! Who is heard.

use alloc::vec::Vec;
use salon_rtp::Time;

/// A voice of a room: one published sound. Stale ids are nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VoiceId {
    index: u16,
    generation: u16,
}

/// What a sound packet means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// The level that counts, in −dBov (0 loud, 127 silent): the packet's own, or a synthetic one.
    pub level: u8,
    /// Whether to forward it at all: silence is not.
    pub pass: bool,
    /// Whether the ranking changed: slots may have to be given anew, before this packet is forwarded.
    pub changed: bool,
}

/// Ranks the voices of one room: the first n of the ranking are what a receiver with n slots hears.
#[derive(Clone, Debug)]
pub struct Audible<K> {
    ranking: Vec<K>,
}

impl<K: Copy> Audible<K> {
    /// Nobody.
    pub const fn new() -> Self {
        Self { ranking: Vec::new() }
    }

    /// A voice joins, silent, at the end of the ranking. `None` if the room is full
    /// ([`VOICES_PER_ROOM`](crate::limits::VOICES_PER_ROOM)).
    pub fn add(&mut self, key: K) -> Option<VoiceId> {
        self.ranking.push(key);
        Some(VoiceId { index: 0, generation: 0 })
    }

    /// A voice leaves; whether the ranking changed.
    pub fn remove(&mut self, voice: VoiceId) -> bool {
        let _ = voice;
        false
    }

    /// A sound packet came: `level` as RFC 6464 has it, if the publisher sends levels; `payload` bytes of Opus.
    pub fn push(&mut self, now: Time, voice: VoiceId, level: Option<u8>, payload: usize) -> Heard {
        let _ = (now, voice, payload);
        Heard { level: level.unwrap_or(30), pass: true, changed: false }
    }

    /// The publisher says that it muted itself, or not; whether the ranking changed. What a muted voice sends is silence.
    pub fn set_muted(&mut self, now: Time, voice: VoiceId, muted: bool) -> bool {
        let _ = (now, voice, muted);
        false
    }

    /// Time passed; whether the ranking changed.
    pub fn handle_timeout(&mut self, now: Time) -> bool {
        let _ = now;
        false
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while nobody speaks.
    pub fn next_due(&self) -> Option<Time> {
        None
    }

    /// All voices, who is to be heard first. A receiver with n slots hears the first n that are not its own.
    pub fn ranking(&self) -> impl ExactSizeIterator<Item = K> + '_ {
        self.ranking.iter().copied()
    }

    /// Edges of speaking: who began or ceased to speak, one pending per voice.
    pub fn poll_speaking(&mut self) -> Option<(K, bool)> {
        None
    }

    /// Whose voice this is.
    pub fn key(&self, voice: VoiceId) -> Option<K> {
        let _ = (voice.index, voice.generation);
        None
    }
}

impl<K: Copy> Default for Audible<K> {
    fn default() -> Self {
        Self::new()
    }
}
