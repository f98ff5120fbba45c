//! What a client wants to see in its video slots, as people come and go.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Whom the small tiles show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Show {
    /// The people after oneself in the room, each client others: everybody's camera is watched.
    #[default]
    People,
    /// What the server chooses, as Salon's page does: all clients see about the same people.
    Auto,
}

/// One client's wishes.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// The slots by mid, and the height at which each is shown.
    stage: Vec<String>,
    stage_height: u16,
    tiles: Vec<String>,
    tile_height: u16,
    show: Show,
    me: u64,
    /// The others, and whether they have a camera.
    people: BTreeMap<u64, bool>,
    said: Map<String, Value>,
}

impl View {
    /// Large and small slots by mid, each with its height.
    pub(crate) fn new(stage: (&[String], u16), tiles: (&[String], u16), show: Show) -> Self {
        Self {
            stage: stage.0.to_vec(),
            stage_height: stage.1,
            tiles: tiles.0.to_vec(),
            tile_height: tiles.1,
            show,
            ..Self::default()
        }
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

    /// Whether somebody else is there who shows something.
    pub(crate) fn has_company(&self) -> bool {
        self.people.values().any(|camera| *camera)
    }

    /// The `view` that tells what changed since the last one.
    pub(crate) fn changed(&mut self) -> Option<Value> {
        let seen = |range: (std::ops::Bound<u64>, std::ops::Bound<u64>)| {
            self.people.range(range).filter(|(_, camera)| **camera).map(|(id, _)| *id)
        };
        use std::ops::Bound::{Excluded, Unbounded};
        let ring = seen((Excluded(self.me), Unbounded)).chain(seen((Unbounded, Excluded(self.me))));
        let mut ring = ring.take(if self.show == Show::People { self.tiles.len() } else { 0 });
        let auto = |height: u16| json!({"want": "auto", "height": height});
        let mut slots = Map::new();
        for mid in &self.stage {
            slots.insert(mid.clone(), auto(self.stage_height));
        }
        for mid in &self.tiles {
            let wish = match ring.next() {
                Some(person) => {
                    json!({"want": {"person": person, "source": "camera"}, "height": self.tile_height})
                }
                None => auto(self.tile_height),
            };
            slots.insert(mid.clone(), wish);
        }
        let mut changed = slots.clone();
        changed.retain(|mid, wish| self.said.get(mid) != Some(wish));
        self.said = slots;
        (!changed.is_empty()).then(|| json!({"type": "view", "slots": changed}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u64, sources: &[&str]) -> Value {
        json!({"id": id, "sources": sources, "muted": []})
    }

    #[test]
    fn tiles_show_the_people_after_oneself_and_only_changes_are_told() {
        let [s, a, b, c] = ["s", "a", "b", "c"].map(str::to_owned);
        let mut view = View::new((&[s], 720), (&[a, b, c], 180), Show::People);
        view.welcome(&json!(5), &json!([person(2, &["microphone", "camera"]), person(3, &["microphone"])]));
        assert!(view.has_company());
        let of = |id: u64| json!({"want": {"person": id, "source": "camera"}, "height": 180});
        let auto = |height: u16| json!({"want": "auto", "height": height});
        let first = view.changed().unwrap();
        assert_eq!(first["slots"], json!({"s": auto(720), "a": of(2), "b": auto(180), "c": auto(180)}));
        assert_eq!(view.changed(), None);
        view.person(&person(9, &["camera"]));
        view.person(&person(5, &["camera"]));
        assert_eq!(view.changed().unwrap()["slots"], json!({"a": of(9), "b": of(2)}));
        view.left(&json!(9));
        assert_eq!(view.changed().unwrap()["slots"], json!({"a": of(2), "b": auto(180)}));
    }

    #[test]
    fn with_auto_the_server_chooses() {
        let mut view = View::new((&[], 720), (&["a".to_owned()], 90), Show::Auto);
        view.welcome(&json!(1), &json!([person(2, &["camera"])]));
        assert_eq!(view.changed().unwrap()["slots"], json!({"a": {"want": "auto", "height": 90}}));
    }
}
