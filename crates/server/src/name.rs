//! Names of rooms and of people: what is allowed, and how a room's name is made up.

use crate::limits::{NAME_CHARS, ROOM_CHARS};
use crate::random::{self, NoRandomness};
use std::fmt;
use std::sync::Arc;

/// A room's name: 1 to 64 letters or digits of any script, `-`, `_`, `.`, not beginning with a dot, in lower case.
/// The name is the key to the room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

/// Paths that are no rooms.
const RESERVED: [&str; 8] =
    ["api", "assets", "healthz", "metrics", "favicon.ico", "robots.txt", "whip", "whep"];

impl RoomName {
    /// Reads a name as it stands in a link (percent-encoding already undone). Upper and lower case are the same room.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = text.to_lowercase();
        let length = name.chars().count();
        // Lower case may be longer than upper case ("İ"), and may hold marks that are no letters: judged afterwards.
        if length == 0 || length > ROOM_CHARS || name.starts_with('.') || !name.chars().all(allowed) {
            return None;
        }
        (!RESERVED.contains(&name.as_str())).then(|| Self(name.into()))
    }

    /// Makes up a name that can be read aloud: five words of five letters (consonant, vowel, consonant, vowel, consonant) that hold 16 random bits
    /// each, 80 in all, so that nobody finds a room by guessing.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn random() -> Result<Self, NoRandomness> {
        const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
        const VOWELS: &[u8; 4] = b"aiou";
        let mut name = String::with_capacity(29);
        for word in random::bytes::<10>()?.chunks_exact(2) {
            let [high, low] = [word[0], word[1]];
            let bits = u16::from_be_bytes([high, low]);
            if !name.is_empty() {
                name.push('-');
            }
            name.push(char::from(CONSONANTS[usize::from(bits >> 12)]));
            name.push(char::from(VOWELS[usize::from(bits >> 10 & 3)]));
            name.push(char::from(CONSONANTS[usize::from(bits >> 6 & 15)]));
            name.push(char::from(VOWELS[usize::from(bits >> 4 & 3)]));
            name.push(char::from(CONSONANTS[usize::from(bits & 15)]));
        }
        Ok(Self(name.into()))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person's name as the others see it: trimmed, 1 to 64 characters, none of which moves the cursor or turns the writing direction.
pub(crate) fn person(text: &str) -> Option<Arc<str>> {
    let name = text.trim();
    let length = name.chars().count();
    let allowed = |c: char| {
        // Controls, and the marks that override the direction of what stands beside them (Unicode TR 9 §2).
        !(c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'))
    };
    ((1..=NAME_CHARS).contains(&length) && name.chars().all(allowed)).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_name_is_a_name_of_29_letters_and_dashes() {
        let name = RoomName::random().unwrap();
        assert_eq!(name.as_str().len(), 29, "{name}");
        assert_eq!(RoomName::parse(name.as_str()), Some(name.clone()));
        assert_ne!(RoomName::random().unwrap(), name);
    }

    #[test]
    fn case_makes_no_other_room() {
        assert_eq!(RoomName::parse("Réunion-7"), RoomName::parse("rÉUNION-7"));
    }

    #[test]
    fn what_is_no_room_name() {
        for text in [
            "",
            ".",
            "..",
            ".git",
            "a/b",
            "a b",
            "api",
            "Metrics",
            "whip",
            "whep",
            "a\u{0}",
            "é\u{301}",
            &"x".repeat(65),
            "<b>",
        ] {
            assert_eq!(RoomName::parse(text), None, "{text:?}");
        }
        assert!(RoomName::parse(&"x".repeat(64)).is_some());
    }

    #[test]
    fn a_person_is_named_by_visible_text() {
        assert_eq!(person("  Ada Lovelace "), Some("Ada Lovelace".into()));
        for text in ["", "  ", "a\nb", "a\u{202e}b", &"é".repeat(65)] {
            assert_eq!(person(text), None, "{text:?}");
        }
        assert!(person(&"é".repeat(64)).is_some());
    }
}
