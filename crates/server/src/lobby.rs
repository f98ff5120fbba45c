//! The door of a room: locked or not, and who knocks.

use crate::directory::Directory;
use crate::limits::KNOCKS;
use crate::messages::{Code, Knock, PersonId, Refusal};
use crate::name::RoomName;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A room's door.
#[derive(Debug, Default)]
pub(crate) struct Lobby {
    pub(crate) locked: bool,
    waiting: BTreeMap<PersonId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    name: Arc<str>,
    answer: oneshot::Sender<bool>,
}

/// Somebody who waits at a door. Dropped, they have gone away.
#[derive(Debug)]
pub(crate) struct Knocking {
    directory: Arc<Directory>,
    room: RoomName,
    id: PersonId,
    answer: oneshot::Receiver<bool>,
}

impl Lobby {
    /// Somebody knocks.
    pub(crate) fn knock(
        &mut self,
        directory: &Arc<Directory>,
        room: &RoomName,
        name: Arc<str>,
    ) -> Result<Knocking, Refusal> {
        if self.waiting.len() >= KNOCKS {
            return Err(
                Refusal::new(Code::Locked).saying("The room is locked, and too many wait at its door.")
            );
        }
        let id = directory.next_id();
        let (sender, answer) = oneshot::channel();
        self.waiting.insert(id, Waiting { name, answer: sender });
        Ok(Knocking { directory: directory.clone(), room: room.clone(), id, answer })
    }

    /// Answers one who knocks; false if they have gone.
    pub(crate) fn answer(&mut self, id: PersonId, admit: bool) -> bool {
        self.waiting.remove(&id).is_some_and(|waiting| waiting.answer.send(admit).is_ok())
    }

    /// One who knocked has gone, or has been answered; whether they still waited.
    pub(crate) fn forget(&mut self, id: PersonId) -> bool {
        self.waiting.remove(&id).is_some()
    }

    /// Locks the door, or opens it, also to all who wait.
    pub(crate) fn set_locked(&mut self, locked: bool) -> Vec<PersonId> {
        self.locked = locked;
        if locked {
            return Vec::new();
        }
        let waiting = std::mem::take(&mut self.waiting);
        waiting
            .into_iter()
            .map(|(id, waiting)| {
                let _ = waiting.answer.send(true);
                id
            })
            .collect()
    }

    /// Who waits.
    pub(crate) fn waiting(&self) -> Vec<Knock> {
        self.waiting.iter().map(|(id, waiting)| Knock { id: *id, name: waiting.name.clone() }).collect()
    }
}

impl Knocking {
    /// The word for the moderators.
    pub(crate) fn id(&self) -> PersonId {
        self.id
    }

    /// Waits for an answer. A room that ended lets in.
    pub(crate) async fn answered(&mut self) -> bool {
        (&mut self.answer).await.unwrap_or(true)
    }
}

impl Drop for Knocking {
    fn drop(&mut self) {
        self.directory.withdraw(&self.room, self.id);
    }
}
