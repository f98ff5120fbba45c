//! What moderators do to a room.

use crate::directory::{Directory, Entry, Room, tell};
use crate::keys::Role;
use crate::lobby::Knocking;
use crate::messages::{
    Admit, Changed, Code, Hush, Hushed, Knock, KnockOver, Lock, Locked, Moderation, Notice, PersonId,
    Refusal, Remove, Via,
};
use crate::name::RoomName;
use crate::outbox::Item;
use salon_host::Handle;
use std::sync::Arc;

/// What somebody who comes to a locked door learns.
pub(crate) struct AtTheDoor {
    pub(crate) knocking: Knocking,
    /// Who could open.
    pub(crate) moderators: usize,
}

impl Directory {
    /// Knocks, if the room is locked.
    pub(crate) fn knock(
        self: &Arc<Self>,
        name: &RoomName,
        person: Arc<str>,
    ) -> Result<Option<AtTheDoor>, Refusal> {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(name).filter(|room| room.lobby.locked) else { return Ok(None) };
        let knocking = room.lobby.knock(self, name, person.clone())?;
        let moderators = tell_moderators(room, &Knock { id: knocking.id(), name: person });
        Ok(Some(AtTheDoor { knocking, moderators }))
    }

    /// Whether a room is locked.
    pub(crate) fn is_locked(&self, name: &RoomName) -> bool {
        self.lock().get(name).is_some_and(|room| room.lobby.locked)
    }

    /// Somebody who knocked has gone, or has been answered.
    pub(crate) fn withdraw(&self, name: &RoomName, id: PersonId) {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(name) else { return };
        if room.lobby.forget(id) {
            tell_moderators(room, &KnockOver { id });
        }
    }

    /// Does to a room what its moderator `by` says.
    pub(crate) fn moderate(
        &self,
        name: &RoomName,
        by: PersonId,
        what: Moderation,
        host: &Handle,
    ) -> Result<(), Refusal> {
        let mut rooms = self.lock();
        let is_moderator =
            |room: &&mut Room| room.people.get(&by).is_some_and(|entry| entry.person.role == Role::Moderator);
        let room = rooms.get_mut(name).filter(is_moderator).ok_or(Code::NotAllowed)?;
        match what {
            Moderation::Remove(remove) => room.remove(remove),
            Moderation::Hush(hush) if hush.lift => return room.lift(hush, host),
            Moderation::Hush(hush) => room.hush(by, hush, host),
            Moderation::Lock(lock) => room.set_locked(by, lock),
            Moderation::Admit(admit) => room.admit(admit),
            Moderation::End(_) => room.end(),
        }
        Ok(())
    }
}

impl Room {
    /// Ends somebody's session. Who has just left by themselves needs no removing.
    fn remove(&self, remove: Remove) {
        if let Some(entry) = self.people.get(&remove.person) {
            entry.outbox.end(Code::Removed.into());
        }
    }

    /// Mutes somebody, or everybody but moderators.
    fn hush(&mut self, by: PersonId, hush: Hush, host: &Handle) {
        let concerned = |entry: &Entry| match hush.person {
            Some(person) => entry.person.id == person,
            None => entry.person.role != Role::Moderator,
        };
        let mut changed = Vec::new();
        for entry in self.people.values_mut().filter(|entry| concerned(entry)) {
            let Some(track) = entry.tracks.get(&hush.source) else { continue };
            if entry.person.muted.contains(&hush.source) {
                continue;
            }
            host.mute(entry.member, *track, true);
            entry.person.muted.push(hush.source);
            entry.person.muted.sort_unstable();
            entry.outbox.put(Item::Text(Hushed { source: hush.source, by }.text()));
            changed.push(entry.person.clone());
        }
        for person in changed {
            tell(self, person.id, &Changed { person: &person });
        }
    }

    /// Lifts the mute of somebody who cannot do so themselves. Of all others only they know what their microphone hears.
    fn lift(&mut self, hush: Hush, host: &Handle) -> Result<(), Refusal> {
        let Some(entry) = hush.person.and_then(|person| self.people.get_mut(&person)) else { return Ok(()) };
        if entry.person.via != Some(Via::Whip) {
            let text = "Whoever has buttons of their own lifts a mute themselves.";
            return Err(Refusal::new(Code::NotAllowed).saying(text));
        }
        let Some(track) = entry.tracks.get(&hush.source) else { return Ok(()) };
        if !entry.person.muted.contains(&hush.source) {
            return Ok(());
        }
        host.mute(entry.member, *track, false);
        entry.person.muted.retain(|source| *source != hush.source);
        let person = entry.person.clone();
        tell(self, person.id, &Changed { person: &person });
        Ok(())
    }

    /// Locks the door, or opens it to all.
    fn set_locked(&mut self, by: PersonId, lock: Lock) {
        if self.lobby.locked == lock.locked {
            return;
        }
        for id in self.lobby.set_locked(lock.locked) {
            tell_moderators(self, &KnockOver { id });
        }
        let text = Locked { locked: lock.locked, by }.text();
        for entry in self.people.values() {
            entry.outbox.put(Item::Text(text.clone()));
        }
    }

    /// Answers a knock.
    fn admit(&mut self, admit: Admit) {
        if self.lobby.answer(admit.knock, admit.admit) {
            tell_moderators(self, &KnockOver { id: admit.knock });
        }
    }

    /// Ends everybody's session.
    fn end(&self) {
        for entry in self.people.values() {
            entry.outbox.end(Code::Ended.into());
        }
    }
}

/// Tells the moderators of a room; gives their number.
fn tell_moderators(room: &Room, notice: &impl Notice) -> usize {
    let text = notice.text();
    let moderators = room.people.values().filter(|entry| entry.person.role == Role::Moderator);
    moderators.map(|entry| entry.outbox.put(Item::Text(text.clone()))).count()
}
