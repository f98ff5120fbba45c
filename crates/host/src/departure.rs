//! Who goes: by their own will, for want of a path, or with a room that failed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_rtp::Time;
use salon_transport::{GoneReason, PeerId};

use crate::HostEvent;
use crate::command::Member;
use crate::member::{MemberEntry, Tell};
use crate::rooms::{Entry, RoomKey};
use crate::shard::Shard;

impl Shard {
    /// The transport has forgotten a peer.
    pub(crate) fn gone(&mut self, now: Time, peer: PeerId, reason: GoneReason) {
        let Some(member) = self.peers.get(peer).copied() else { return };
        if let Some(mut tell) = self.remove_member(now, member) {
            let _ = catch_unwind(AssertUnwindSafe(|| tell(HostEvent::Gone(reason))));
        }
    }

    /// Takes somebody out of room and transport; gives whom to tell. Their place is free by then.
    pub(crate) fn remove_member(&mut self, now: Time, member: Member) -> Option<Tell> {
        if self.peers.get(member.peer) != Some(&member) {
            return None;
        }
        self.peers.remove(member.peer);
        self.transport.remove_peer(now, member.peer);
        let entry = self.rooms.touch(member.room)?;
        let ran = entry.guarded(|room| room.leave(now, member.participant));
        let removed = entry.members.remove(member.participant);
        self.directory.leave(&entry.name);
        if ran.is_none() {
            self.fail_room(member.room);
        }
        self.rooms.close_if_empty(member.room);
        removed.map(|entry| entry.events)
    }

    /// A room panicked: it ends, with all who are in it; the others go on.
    pub(crate) fn fail_room(&mut self, key: RoomKey) {
        let Some(Entry { name, mut members, place, .. }) = self.rooms.remove(key) else { return };
        // Before anybody is told: who hears of it may ask for another one at once.
        drop(place);
        self.counters.failed_rooms += 1;
        let now = self.clock.now();
        for (_, MemberEntry { peer, place, mut events, .. }) in members.entries.drain() {
            drop(place);
            self.peers.remove(peer);
            self.transport.remove_peer(now, peer);
            self.directory.leave(&name);
            // What failed may have been this very callback.
            let _ = catch_unwind(AssertUnwindSafe(|| events(HostEvent::RoomFailed)));
        }
    }
}
