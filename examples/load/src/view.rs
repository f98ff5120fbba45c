//! What a client wants to see in its video slots, as people come and go.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Whom a client's pictures show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Show {
    /// Large: who has the floor. Small: the people after oneself in the room, each client others, so that everybody's camera
    /// is watched.
    #[default]
    People,
    /// What the server chooses, as Salon's page has it: all clients see about the same people.
    Auto,
}

/// One client's wishes.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    show: Show,
    /// Large ones first.
    slots: Vec<Slot>,
    me: u64,
    /// The others, and whether they have a camera.
    people: BTreeMap<u64, bool>,
    /// Who has the floor, or had it last.
    floor: Option<u64>,
    said: Map<String, Value>,
}

#[derive(Clone, Debug)]
struct Slot {
    mid: String,
    height: u16,
    large: bool,
    shows: Option<u64>,
}

impl View {
    /// Large and small slots by mid, each with its height.
    pub(crate) fn new(stage: (&[String], u16), tiles: (&[String], u16), show: Show) -> Self {
        let slots = |(mids, height): (&[String], u16), large| {
            let slot = move |mid: &String| Slot { mid: mid.clone(), height, large, shows: None };
            mids.iter().map(slot).collect::<Vec<_>>()
        };
        Self { show, slots: [slots(stage, true), slots(tiles, false)].concat(), ..Self::default() }
    }

    pub(crate) fn welcome(&mut self, me: &Value, people: &Value) {
        self.me = me.as_u64().unwrap_or_default();
        people.as_array().into_iter().flatten().for_each(|person| self.person(person));
    }

    pub(crate) fn person(&mut self, person: &Value) {
        let Some(id) = person["id"].as_u64().filter(|id| *id != self.me) else { return };
        let has = |list: &str| person[list].as_array().is_some_and(|l| l.iter().any(|s| s == "camera"));
        self.people.insert(id, has("sources") && !has("muted"));
    }

    pub(crate) fn left(&mut self, id: &Value) {
        id.as_u64().map(|id| self.people.remove(&id));
    }

    /// Somebody has the floor; whether that changes what one wants to see. One's own floor changes nothing.
    pub(crate) fn floor(&mut self, person: &Value) -> bool {
        let floor = person.as_u64().filter(|id| self.people.get(id) == Some(&true));
        self.floor = floor.or(self.floor);
        floor.is_some() && self.show == Show::People
    }

    /// Whether somebody else is there who shows something.
    pub(crate) fn has_company(&self) -> bool {
        self.people.values().any(|camera| *camera)
    }

    /// The `view` that tells what changed since the last one.
    pub(crate) fn changed(&mut self) -> Option<Value> {
        if self.show == Show::People {
            self.assign();
        }
        let wish = |slot: &Slot| match slot.shows {
            Some(person) => json!({"want": {"person": person, "source": "camera"}, "height": slot.height}),
            None => json!({"want": "auto", "height": slot.height}),
        };
        let slots: Map<String, Value> =
            self.slots.iter().map(|slot| (slot.mid.clone(), wish(slot))).collect();
        let mut changed = slots.clone();
        changed.retain(|mid, wish| self.said.get(mid) != Some(wish));
        self.said = slots;
        (!changed.is_empty()).then(|| json!({"type": "view", "slots": changed}))
    }

    /// The first large slot shows the floor; the small ones the next people, who stay where they are while they are among
    /// them; the other slots what the server chooses.
    fn assign(&mut self) {
        use std::ops::Bound::{Excluded, Unbounded};
        let seen = |range: (std::ops::Bound<u64>, std::ops::Bound<u64>)| {
            self.people.range(range).filter(|(_, camera)| **camera).map(|(id, _)| *id)
        };
        let ring = || seen((Excluded(self.me), Unbounded)).chain(seen((Unbounded, Excluded(self.me))));
        let has_stage = self.slots.first().is_some_and(|slot| slot.large);
        let floor = self.floor.filter(|id| self.people.get(id) == Some(&true)).or_else(|| ring().next());
        let floor = floor.filter(|_| has_stage);
        let small = self.slots.iter().filter(|slot| !slot.large).count();
        let mut wanted: Vec<u64> = ring().filter(|id| Some(*id) != floor).take(small).collect();
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if slot.large {
                slot.shows = floor.filter(|_| at == 0);
                continue;
            }
            let stays = slot.shows.and_then(|id| wanted.iter().position(|w| *w == id));
            slot.shows = stays.map(|at| wanted.remove(at));
        }
        let mut wanted = wanted.into_iter();
        for slot in self.slots.iter_mut().filter(|slot| !slot.large && slot.shows.is_none()) {
            slot.shows = wanted.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u64, sources: &[&str]) -> Value {
        json!({"id": id, "sources": sources, "muted": []})
    }

    fn of(person: u64, height: u16) -> Value {
        json!({"want": {"person": person, "source": "camera"}, "height": height})
    }

    fn auto(height: u16) -> Value {
        json!({"want": "auto", "height": height})
    }

    #[test]
    fn small_tiles_show_the_people_after_oneself_and_only_changes_are_told() {
        let [a, b, c] = ["a", "b", "c"].map(str::to_owned);
        let mut view = View::new((&[], 720), (&[a, b, c], 180), Show::People);
        view.welcome(&json!(5), &json!([person(2, &["microphone", "camera"]), person(3, &["microphone"])]));
        assert!(view.has_company());
        assert_eq!(
            view.changed().unwrap()["slots"],
            json!({"a": of(2, 180), "b": auto(180), "c": auto(180)})
        );
        assert_eq!(view.changed(), None);
        view.person(&person(9, &["camera"]));
        view.person(&person(5, &["camera"]));
        // Who is there stays where he is.
        assert_eq!(view.changed().unwrap()["slots"], json!({"b": of(9, 180)}));
        view.left(&json!(9));
        assert_eq!(view.changed().unwrap()["slots"], json!({"b": auto(180)}));
    }

    #[test]
    fn the_large_one_shows_the_floor_and_gives_its_person_back_to_a_tile() {
        let [s, a, b] = ["s", "a", "b"].map(str::to_owned);
        let mut view = View::new((&[s], 720), (&[a, b], 180), Show::People);
        view.welcome(&json!(1), &json!([2, 3, 4].map(|id| person(id, &["camera"]))));
        assert_eq!(
            view.changed().unwrap()["slots"],
            json!({"s": of(2, 720), "a": of(3, 180), "b": of(4, 180)})
        );
        assert!(view.floor(&json!(4)));
        assert_eq!(view.changed().unwrap()["slots"], json!({"s": of(4, 720), "b": of(2, 180)}));
        // Nobody's floor, one's own, and that of somebody without a camera change nothing.
        view.person(&person(6, &["microphone"]));
        assert!(![json!(null), json!(1), json!(6)].iter().any(|id| view.floor(id)));
        assert_eq!(view.changed(), None);
    }

    #[test]
    fn with_auto_the_server_chooses() {
        let mut view = View::new((&[], 720), (&["a".to_owned()], 90), Show::Auto);
        view.welcome(&json!(1), &json!([person(2, &["camera"])]));
        assert_eq!(view.changed().unwrap()["slots"], json!({"a": auto(90)}));
        assert!(!view.floor(&json!(2)));
    }
}
