//! On which shard each room is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names of rooms, and who is in them or about to be: asked when somebody comes or goes, never for a packet.
///
/// A name stays where it is from the first join that was asked for until the last one has ended or failed; so two who come
/// at once meet, whatever the shards are doing.
#[derive(Debug)]
pub(crate) struct Directory(Mutex<Table>);

#[derive(Debug)]
struct Table {
    rooms: HashMap<String, Seat>,
    /// People by shard.
    people: Vec<usize>,
}

#[derive(Debug)]
struct Seat {
    shard: usize,
    people: usize,
}

impl Directory {
    pub(crate) fn new(shards: usize) -> Self {
        Self(Mutex::new(Table { rooms: HashMap::new(), people: vec![0; shards] }))
    }

    /// Somebody is about to join: on which shard. A new room is made where the fewest people are.
    pub(crate) fn enter(&self, name: &str) -> usize {
        let Table { rooms, people } = &mut *self.lock();
        let shard = match rooms.get_mut(name) {
            Some(seat) => {
                seat.people += 1;
                seat.shard
            }
            None => {
                let fewest = people.iter().enumerate().min_by_key(|(_, n)| **n);
                let shard = fewest.map_or(0, |(shard, _)| shard);
                rooms.insert(name.to_owned(), Seat { shard, people: 1 });
                shard
            }
        };
        if let Some(n) = people.get_mut(shard) {
            *n += 1;
        }
        shard
    }

    /// Somebody's join has failed, or somebody is no longer there.
    pub(crate) fn leave(&self, name: &str) {
        let Table { rooms, people } = &mut *self.lock();
        let Some(seat) = rooms.get_mut(name) else { return };
        seat.people = seat.people.saturating_sub(1);
        if let Some(n) = people.get_mut(seat.shard) {
            *n = n.saturating_sub(1);
        }
        if seat.people == 0 {
            rooms.remove(name);
        }
    }

    /// Where a room is.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.lock().rooms.get(name).map(|seat| seat.shard)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing here panics with the lock held; and if it did, the numbers would still be numbers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_room_goes_where_the_fewest_are_and_stays_until_its_last_has_left() {
        let directory = Directory::new(3);
        assert_eq!(
            ["a", "a", "b", "c", "d", "d", "e"].map(|name| directory.enter(name)),
            [0, 0, 1, 2, 1, 1, 2]
        );
        directory.leave("a");
        assert_eq!((directory.find("a"), directory.enter("a")), (Some(0), 0));
        for _ in 0..2 {
            directory.leave("a");
        }
        assert_eq!(directory.find("a"), None);
        directory.leave("a");
        assert_eq!(directory.enter("f"), 0);
        for name in ["b", "c", "d", "d", "e", "f"] {
            directory.leave(name);
        }
        let table = directory.lock();
        assert_eq!((table.rooms.len(), table.people.as_slice()), (0, &[0, 0, 0][..]));
    }
}
