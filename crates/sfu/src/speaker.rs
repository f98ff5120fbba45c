//! Who has the floor.

use crate::audible::VoiceId;
use salon_rtp::Time;

/// The dominant speaker of one room, after Volfin and Cohen.
#[derive(Clone, Debug)]
pub struct Speaker {
    floor: Option<VoiceId>,
}

impl Speaker {
    /// Nobody.
    pub const fn new() -> Self {
        Self { floor: None }
    }

    /// A voice that may take the floor. (The sound of a screen may not.)
    pub fn add(&mut self, voice: VoiceId) {
        let _ = voice;
    }

    /// A voice leaves; whether the floor changed.
    pub fn remove(&mut self, voice: VoiceId) -> bool {
        let _ = voice;
        false
    }

    /// A sound packet of this level came ([`Heard::level`](crate::audible::Heard)).
    pub fn push(&mut self, now: Time, voice: VoiceId, level: u8) {
        let _ = (now, voice, level);
    }

    /// Time passed; whether the floor changed.
    pub fn handle_timeout(&mut self, now: Time) -> bool {
        let _ = now;
        false
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while nobody speaks.
    pub fn next_due(&self) -> Option<Time> {
        None
    }

    /// Who has the floor: the last who took it, also while it is silent.
    pub const fn floor(&self) -> Option<VoiceId> {
        self.floor
    }
}

impl Default for Speaker {
    fn default() -> Self {
        Self::new()
    }
}
