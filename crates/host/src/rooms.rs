//! The rooms of one shard: by name, by key, by what is due.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_rtp::Time;
use salon_sfu::{Config, Counters, EmptyReason, Event, Room};
use slotmap::{SlotMap, new_key_type};

use crate::entropy;
use crate::limits;
use crate::member::Members;
use crate::places::{Place, Places};
use crate::{HostEvent, JoinError, RoomSpent, Shown, Spent};

new_key_type! {
    /// A room of this shard.
    pub(crate) struct RoomKey;
}

/// A room and its people.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub place: Place,
    pub room: Room,
    pub members: Members,
    /// What it has cost, with all who ever were in it.
    pub spent: Spent,
    /// Stands in [`Rooms::touched`].
    touched: bool,
    /// The earliest deadline of this room in the heap.
    queued: Option<Time>,
}

/// All rooms. Nothing here walks over all of them but [`Rooms::iter`].
#[derive(Debug)]
pub(crate) struct Rooms {
    map: SlotMap<RoomKey, Entry>,
    names: HashMap<String, RoomKey>,
    touched: Vec<RoomKey>,
    deadlines: BinaryHeap<Reverse<(Time, RoomKey)>>,
    config: Config,
    /// For rooms of all shards.
    places: Places,
    ended: Counters,
    ended_spent: Spent,
}

impl Rooms {
    /// Rooms of all shards share `places`.
    pub(crate) fn new(config: Config, places: Places) -> Self {
        Self {
            map: SlotMap::with_key(),
            names: HashMap::new(),
            touched: Vec::new(),
            deadlines: BinaryHeap::new(),
            config,
            places,
            ended: Counters::default(),
            ended_spent: Spent::default(),
        }
    }

    /// The room of this name, made if it is not there.
    pub(crate) fn enter(&mut self, name: &str) -> Result<RoomKey, JoinError> {
        if let Some(&key) = self.names.get(name) {
            return Ok(key);
        }
        let seed = entropy::bytes()?;
        let place = self.places.take().ok_or(JoinError::TooManyRooms)?;
        let key = self.map.insert(Entry {
            name: name.to_owned(),
            place,
            room: Room::new(self.config.clone(), seed),
            members: Members::default(),
            spent: Spent::default(),
            touched: false,
            queued: None,
        });
        self.names.insert(name.to_owned(), key);
        Ok(key)
    }

    /// Forgets a room that nobody is in.
    pub(crate) fn close_if_empty(&mut self, key: RoomKey) {
        if self.map.get(key).is_some_and(|e| e.members.entries.is_empty()) {
            self.remove(key);
        }
    }

    /// Takes a room out, whoever is in it.
    pub(crate) fn remove(&mut self, key: RoomKey) -> Option<Entry> {
        let entry = self.map.remove(key)?;
        self.names.remove(&entry.name);
        self.ended.add(entry.room.counters());
        self.ended_spent.add(&entry.spent);
        Some(entry)
    }

    /// The room, which will have its turn at the end of this turn of the loop.
    pub(crate) fn touch(&mut self, key: RoomKey) -> Option<&mut Entry> {
        let entry = self.map.get_mut(key)?;
        if !entry.touched {
            entry.touched = true;
            self.touched.push(key);
        }
        Some(entry)
    }

    /// A room that something happened to since its last turn.
    pub(crate) fn next_touched(&mut self) -> Option<RoomKey> {
        while let Some(key) = self.touched.pop() {
            if let Some(entry) = self.map.get_mut(key) {
                entry.touched = false;
                return Some(key);
            }
        }
        None
    }

    /// Puts a room's next deadline where [`next_deadline`](Self::next_deadline) sees it.
    pub(crate) fn schedule(&mut self, key: RoomKey) {
        let Some(entry) = self.map.get_mut(key) else { return };
        let Some(due) = entry.room.poll_timeout() else { return };
        // A later deadline waits for the earlier one in the heap: popped, it puts the room where it belongs then.
        if entry.queued.is_none_or(|q| due < q) {
            entry.queued = Some(due);
            self.deadlines.push(Reverse((due, key)));
        }
    }

    /// When a room wants its next turn.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.peek().map(|Reverse((due, _))| *due)
    }

    /// Touches the rooms whose time has come.
    pub(crate) fn touch_due(&mut self, now: Time) {
        while let Some(&Reverse((due, key))) = self.deadlines.peek() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            if let Some(entry) = self.map.get_mut(key) {
                if entry.queued == Some(due) {
                    entry.queued = None;
                }
                self.touch(key);
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: RoomKey) -> Option<&mut Entry> {
        self.map.get_mut(key)
    }

    pub(crate) fn get(&self, key: RoomKey) -> Option<&Entry> {
        self.map.get(key)
    }

    pub(crate) fn key(&self, name: &str) -> Option<RoomKey> {
        self.names.get(name).copied()
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Entry> {
        self.map.get(*self.names.get(name)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.map.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// What all rooms counted, those that have ended included.
    pub(crate) fn counters(&self) -> Counters {
        let mut sum = self.ended.clone();
        for entry in self.map.values() {
            sum.add(entry.room.counters());
        }
        sum
    }
}

impl Rooms {
    /// What all rooms have cost, those that have ended included.
    pub(crate) fn spent(&self) -> Spent {
        let mut sum = self.ended_spent;
        self.map.values().for_each(|entry| sum.add(&entry.spent));
        sum
    }

    /// The rooms that have cost most, up to a bound.
    pub(crate) fn dearest(&self) -> Vec<RoomSpent> {
        let mut entries: Vec<&Entry> = self.map.values().collect();
        entries.sort_by_key(|entry| Reverse(entry.spent.cpu));
        let of = |entry: &&Entry| RoomSpent {
            room: entry.name.clone(),
            participants: entry.members.entries.len(),
            spent: entry.spent,
        };
        entries.iter().take(limits::ROOMS_TOLD).map(of).collect()
    }
}

impl Entry {
    /// Runs a call into the room. `None` if it panicked, which must not happen: the caller ends this room, and only it
    /// (`panic = "unwind"` in every profile).
    pub(crate) fn guarded<T>(&mut self, call: impl FnOnce(&mut Room) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| call(&mut self.room))).ok()
    }

    /// Tells everybody what the room has to say.
    pub(crate) fn tell_events(&mut self) {
        while let Some(event) = self.room.poll_event() {
            match event {
                Event::Slot { participant, slot, shows, empty } => {
                    let shown = shows.filter(|_| empty.is_none()).and_then(|track| {
                        let (of, source) = *self.members.tracks.get(track)?;
                        Some(Shown { label: self.members.label(of)?, source, track })
                    });
                    let shows = shown.ok_or(empty.unwrap_or(EmptyReason::NothingToShow));
                    self.members.tell(participant, HostEvent::Slot { slot, shows });
                }
                Event::Encodings { participant, track, wanted } => {
                    self.members.tell(participant, HostEvent::Encodings { track, wanted });
                }
                Event::Floor(of) => {
                    let label = of.and_then(|id| self.members.label(id));
                    self.members.tell_all(HostEvent::Floor(label));
                }
                Event::Speaking { participant, speaking } => {
                    if let Some(label) = self.members.label(participant) {
                        self.members.tell_all(HostEvent::Speaking { label, on: speaking });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Rooms {
        Rooms::new(Config::default(), Places::new(4))
    }

    #[test]
    fn a_room_that_panics_is_noticed_and_the_others_go_on() {
        let mut rooms = rooms();
        let (bad, good) = (rooms.enter("bad").unwrap(), rooms.enter("good").unwrap());
        // The hook would print a backtrace for what is meant to happen here.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let ran = rooms.get_mut(bad).unwrap().guarded(|_| -> u32 { panic!("a fault of ours") });
        std::panic::set_hook(hook);
        assert_eq!(ran, None);
        assert!(rooms.remove(bad).is_some());
        assert_eq!(rooms.get_mut(good).unwrap().guarded(|room| room.counters().rtp_in), Some(0));
        assert!(rooms.by_name("bad").is_none());
    }

    #[test]
    fn only_touched_rooms_have_a_turn_and_only_once() {
        let mut rooms = rooms();
        let keys: Vec<_> = ["a", "b", "c"].map(|name| rooms.enter(name).unwrap()).into();
        assert_eq!(rooms.next_touched(), None);
        rooms.touch(keys[1]);
        rooms.touch(keys[1]);
        assert_eq!(rooms.next_touched(), Some(keys[1]));
        assert_eq!(rooms.next_touched(), None);
        rooms.touch(keys[2]);
        rooms.remove(keys[2]);
        assert_eq!(rooms.next_touched(), None);
    }

    #[test]
    fn a_name_is_one_room_until_it_is_empty() {
        let mut rooms = rooms();
        let first = rooms.enter("hall").unwrap();
        assert_eq!(rooms.enter("hall").unwrap(), first);
        rooms.close_if_empty(first);
        assert_ne!(rooms.enter("hall").unwrap(), first);
        for name in ["b", "c", "d"] {
            rooms.enter(name).unwrap();
        }
        assert_eq!(rooms.enter("e").unwrap_err(), JoinError::TooManyRooms);
    }
}
