//! A JSON object whose keys are the MIDs of an offer.

use crate::limits::SECTIONS;
use salon_rtp::Mid;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::marker::PhantomData;

/// Something per section of an SDP: at most 128, none named twice, each key a MID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sections<T>(pub(crate) BTreeMap<Mid, T>);

impl<T> Default for Sections<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> FromIterator<(Mid, T)> for Sections<T> {
    fn from_iter<I: IntoIterator<Item = (Mid, T)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T: Serialize> Serialize for Sections<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(mid, value)| (mid.as_str(), value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sections<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Sections<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose keys are mids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut sections = BTreeMap::new();
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    let mid = Mid::new(key.as_bytes()).map_err(|_| A::Error::custom("a key is no mid"))?;
                    if sections.len() >= SECTIONS {
                        return Err(A::Error::custom("more than 128 sections"));
                    }
                    // A reader that took the first and one that took the last would see two different messages.
                    match sections.entry(mid) {
                        Entry::Vacant(place) => place.insert(map.next_value()?),
                        Entry::Occupied(_) => return Err(A::Error::custom("a mid is named twice")),
                    };
                }
                Ok(Sections(sections))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
