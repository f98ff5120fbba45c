//! Who is in which room, as people see it: names, sources, mute, hands. The media crates know none of this.

use crate::keys::Role;
use crate::lobby::Lobby;
use crate::messages::{
    Changed, Code, Joined, Knock, Left, LeftReason, Notice, Person, PersonId, Said, Source,
};
use crate::metrics::Metrics;
use crate::name::RoomName;
use crate::outbox::{Item, Outbox};
use crate::seat::Claim;
use salon_host::Member;
use salon_host::sfu::{ParticipantId, TrackId};
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// All rooms with somebody in them. Its lock is held for map operations and for leaving items in outboxes, never across anything that
/// waits: the media threads take it too, when somebody has joined.
#[derive(Debug)]
pub(crate) struct Directory {
    rooms: Mutex<HashMap<RoomName, Room>>,
    next_id: AtomicU32,
    emptied: Notify,
    metrics: Arc<Metrics>,
}

/// A room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) people: BTreeMap<PersonId, Entry>,
    pub(crate) lobby: Lobby,
}

/// What somebody finds who comes in.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) people: Vec<Person>,
    pub(crate) locked: bool,
    /// Who waits at the door; for moderators only.
    pub(crate) knocks: Vec<Knock>,
}

/// Somebody in a room.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) person: Person,
    /// By which another connection may replace this one.
    pub(crate) token: String,
    pub(crate) outbox: Outbox,
    /// By which another connection may take over this one.
    pub(crate) claim: mpsc::Sender<Claim>,
    pub(crate) member: Member,
    pub(crate) tracks: BTreeMap<Source, TrackId>,
}

/// Somebody, for those who want to see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) participant: ParticipantId,
    /// The track that was asked for, if they publish it.
    pub(crate) track: Option<TrackId>,
}

impl Directory {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { rooms: Mutex::default(), next_id: AtomicU32::new(1), emptied: Notify::new(), metrics }
    }

    /// A number that nobody had before.
    pub(crate) fn next_id(&self) -> PersonId {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts somebody into a room and tells the others; gives what is there.
    pub(crate) fn enter(&self, name: &RoomName, entry: Entry) -> Found {
        let mut rooms = self.lock();
        let room = rooms.entry(name.clone()).or_default();
        tell(room, entry.person.id, &Joined { person: &entry.person });
        let (id, role) = (entry.person.id, entry.person.role);
        room.people.insert(id, entry);
        let found = found(room, id, role);
        self.count(&rooms);
        self.metrics.joins.inc();
        found
    }

    /// What is there for somebody who is in already.
    pub(crate) fn look(&self, name: &RoomName, id: PersonId) -> Option<Found> {
        let rooms = self.lock();
        let room = rooms.get(name)?;
        Some(found(room, id, room.people.get(&id)?.person.role))
    }

    /// Takes somebody out of a room and tells the others. Does nothing if they are gone already.
    pub(crate) fn leave(&self, name: &RoomName, id: PersonId, reason: LeftReason) {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(name) else { return };
        if room.people.remove(&id).is_some() {
            tell(room, id, &Left { id, reason });
        }
        // With the room its lobby ends: whoever waits there comes into a new one.
        if room.people.is_empty() {
            rooms.remove(name);
        }
        if rooms.is_empty() {
            self.emptied.notify_waiters();
        }
        self.count(&rooms);
    }

    /// Takes out whoever holds this token, ends their session, and gives their member so that the caller can end its media too.
    pub(crate) fn replace(&self, name: &RoomName, token: &str) -> Option<Member> {
        let found = {
            let rooms = self.lock();
            let entry = bearer(rooms.get(name)?, token)?;
            entry.outbox.end(Code::Replaced.into());
            (entry.person.id, entry.member)
        };
        self.leave(name, found.0, LeftReason::Replaced);
        Some(found.1)
    }

    /// Where to ask for the seat of whoever holds this token.
    pub(crate) fn claims(&self, name: &RoomName, token: &str) -> Option<mpsc::Sender<Claim>> {
        Some(bearer(self.lock().get(name)?, token)?.claim.clone())
    }

    /// Changes somebody, and tells everybody, that person included, if anything became different.
    pub(crate) fn change(&self, name: &RoomName, id: PersonId, change: impl FnOnce(&mut Entry)) {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(name) else { return };
        let Some(entry) = room.people.get_mut(&id) else { return };
        let (before, tracks) = (entry.person.clone(), entry.tracks.clone());
        change(entry);
        let person = entry.person.clone();
        if person != before || entry.tracks != tracks {
            tell(room, id, &Changed { person: &person });
        }
    }

    /// Passes a line of text to everybody.
    pub(crate) fn say(&self, name: &RoomName, id: PersonId, text: &str, at: u64) {
        let rooms = self.lock();
        let Some(room) = rooms.get(name) else { return };
        let text = Said { from: id, text, at }.text();
        for entry in room.people.values() {
            entry.outbox.put(Item::Chat(text.clone()));
        }
    }

    /// Tells everybody in all rooms.
    pub(crate) fn tell_all(&self, notice: &impl Notice) {
        let text = notice.text();
        for entry in self.lock().values().flat_map(|room| room.people.values()) {
            entry.outbox.put(Item::Text(text.clone()));
        }
    }

    /// Waits until nobody is in any room.
    pub(crate) async fn empty(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            // From here on no notice is missed.
            emptied.as_mut().enable();
            if self.lock().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Whether somebody is there.
    pub(crate) fn has(&self, name: &RoomName, id: PersonId) -> bool {
        self.lock().get(name).is_some_and(|room| room.people.contains_key(&id))
    }

    /// Where to find somebody, or one source of theirs.
    pub(crate) fn find(&self, name: &RoomName, id: PersonId, source: Option<Source>) -> Option<Whereabouts> {
        let rooms = self.lock();
        let entry = rooms.get(name)?.people.get(&id)?;
        let track = source.and_then(|source| entry.tracks.get(&source).copied());
        Some(Whereabouts { participant: entry.member.participant(), track })
    }

    /// Everybody in a room.
    pub(crate) fn people(&self, name: &RoomName) -> Vec<Person> {
        self.lock()
            .get(name)
            .map(|room| room.people.values().map(|entry| entry.person.clone()).collect())
            .unwrap_or_default()
    }

    fn count(&self, rooms: &HashMap<RoomName, Room>) {
        let people = rooms.values().map(|room| room.people.len()).sum::<usize>();
        self.metrics.rooms.set(i64::try_from(rooms.len()).unwrap_or(i64::MAX));
        self.metrics.people.set(i64::try_from(people).unwrap_or(i64::MAX));
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Room>> {
        // Nothing below panics half way through a change.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(room: &Room, id: PersonId, role: Role) -> Found {
    Found {
        people: room.people.values().filter(|e| e.person.id != id).map(|e| e.person.clone()).collect(),
        locked: room.lobby.locked,
        knocks: if role == Role::Moderator { room.lobby.waiting() } else { Vec::new() },
    }
}

/// Whoever holds a token, compared in constant time.
fn bearer<'a>(room: &'a Room, token: &str) -> Option<&'a Entry> {
    room.people.values().find(|entry| {
        aws_lc_rs::constant_time::verify_slices_are_equal(entry.token.as_bytes(), token.as_bytes()).is_ok()
    })
}

/// Tells a room something about a person.
pub(crate) fn tell(room: &Room, about: PersonId, notice: &impl Notice) {
    let text = notice.text();
    for entry in room.people.values() {
        entry.outbox.put(Item::About(about, text.clone()));
    }
}
