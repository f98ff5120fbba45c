//! `view`: what each video slot is to show, and how large.

use super::{Code, PersonId, Refusal, Sections, Source};
use crate::limits::HEIGHT;
use serde::Deserialize;

/// What each video slot is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) slots: Sections<SlotView>,
}

/// What one slot is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct SlotView {
    pub(crate) want: Want,
    /// Pixels of height on the receiver's screen; 0 pauses.
    pub(crate) height: u16,
}

/// Whom a slot is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "WireWant")]
pub(crate) enum Want {
    /// The floor, then whoever spoke last.
    Auto,
    /// Any picture of a person, or exactly one.
    Person(PersonId, Option<Source>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireWant {
    Auto(Auto),
    Person { person: PersonId, source: Option<Source> },
}

#[derive(Deserialize)]
enum Auto {
    #[serde(rename = "auto")]
    Auto,
}

impl From<WireWant> for Want {
    fn from(wire: WireWant) -> Self {
        match wire {
            WireWant::Auto(Auto::Auto) => Self::Auto,
            WireWant::Person { person, source } => Self::Person(person, source),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Wire {
    slots: Sections<SlotView>,
}

impl TryFrom<Wire> for View {
    type Error = Refusal;

    fn try_from(wire: Wire) -> Result<Self, Refusal> {
        if wire.slots.0.values().any(|slot| slot.height > HEIGHT) {
            return Err(Refusal::new(Code::BadSlot));
        }
        Ok(Self { slots: wire.slots })
    }
}
