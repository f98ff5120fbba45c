//! What each command does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_rtp::Time;
use salon_sfu::{
    Limit, Misuse, ParticipantId, Refused, Room, SlotId, SlotSpec, SlotStreams, TrackId, TrackSpec,
};
use salon_transport::{IceCredentials, PeerId, PeerSpec, Transport};

use crate::command::{
    Command, HostRoomReport, Join, Joined, Member, MemberReport, PeerReport, Update, Updated,
};
use crate::entropy;
use crate::ledger::{Owner, metered};
use crate::member::{MemberEntry, Tell};
use crate::places::Place;
use crate::refusal::{JoinError, Stale};
use crate::rooms::{Entry, RoomKey};
use crate::shard::{Shard, Turn};
use crate::{HostCounters, ShardCounters, Spent};

impl Shard {
    pub(crate) fn obey(&mut self, now: Time, command: Command) -> Turn {
        let owner = match &command {
            Command::Update { member, .. }
            | Command::Constrain { member, .. }
            | Command::Mute { member, .. }
            | Command::ReportMember { member, .. } => Some(member.owner()),
            // Of somebody who is not there yet, or not any more; or of whoever looks after the server.
            Command::Join { .. }
            | Command::Leave { .. }
            | Command::Report { .. }
            | Command::Counters { .. }
            | Command::Stop => None,
        };
        let (mut owner, mut command) = (owner, Some(command));
        let (turn, asked) = metered(self.ledger.meter(), || {
            // Callers' callbacks run in there, too: they must not panic, and harm nobody if they do.
            catch_unwind(AssertUnwindSafe(|| {
                command.take().map_or(Turn::Again, |command| self.carry_out(now, command, &mut owner))
            }))
        });
        self.ledger.asked(asked);
        self.ledger.lap(owner);
        turn.unwrap_or(Turn::Again)
    }

    /// The `owner` of what a join cost is known when it has joined.
    fn carry_out(&mut self, now: Time, command: Command, owner: &mut Option<Owner>) -> Turn {
        match command {
            Command::Join { room, join, reply } => {
                let joined = catch_unwind(AssertUnwindSafe(|| self.join(now, &room, *join)));
                if joined.is_err() {
                    self.rooms.key(&room).into_iter().for_each(|key| self.fail_room(key));
                }
                let joined = joined.unwrap_or(Err(JoinError::RoomFailed));
                // Before the answer: who is refused may ask elsewhere at once.
                match &joined {
                    Ok(joined) => *owner = Some(joined.member.owner()),
                    Err(_) => self.directory.leave(&room),
                }
                reply(joined);
            }
            Command::Update { member, update, reply } => {
                let updated = catch_unwind(AssertUnwindSafe(|| self.update(now, member, *update)));
                if updated.is_err() {
                    self.fail_room(member.room);
                }
                reply(updated.unwrap_or(Err(JoinError::RoomFailed)));
            }
            Command::Constrain { member, slot, constraint } => {
                self.in_room(member, |room, id| room.constrain(now, id, slot, constraint));
            }
            Command::Mute { member, track, muted } => {
                self.in_room(member, |room, id| room.set_muted(now, id, track, muted));
            }
            Command::Leave { member } => drop(self.remove_member(now, member)),
            Command::Report { room, reply } => reply(self.report(now, room.as_deref())),
            Command::ReportMember { member, reply } => reply(self.report_member(now, member)),
            Command::Counters { reply } => reply(self.count()),
            Command::Stop => return Turn::Stop,
        }
        Turn::Again
    }

    fn join(&mut self, now: Time, name: &str, join: Join) -> Result<Joined, JoinError> {
        let place = self.people.take().ok_or(JoinError::TooManyParticipants)?;
        let local = entropy::ice_credentials(self.index)?;
        let key = self.rooms.enter(name)?;
        let joined = self.settle_in(now, key, local, join, place);
        self.rooms.close_if_empty(key);
        joined
    }

    fn settle_in(
        &mut self,
        now: Time,
        key: RoomKey,
        local: IceCredentials,
        join: Join,
        place: Place,
    ) -> Result<Joined, JoinError> {
        let Join { label, remote, fingerprint, setup, tracks, slots, events } = join;
        let remote_fingerprint = fingerprint;
        let spec = PeerSpec { local: local.clone(), remote: Some(remote), remote_fingerprint, setup };
        let peer = self.transport.add_peer(now, spec)?;
        let entered = self.enter(now, key, peer, Entering { label, events, tracks, slots, place });
        if entered.is_err() {
            self.transport.remove_peer(now, peer);
        }
        let (member, Taken { tracks, slots, cname }) = entered?;
        Ok(Joined { member, cname, local, tracks, slots })
    }

    /// Makes a participant of a peer. On an error the room is as it was.
    fn enter(
        &mut self,
        now: Time,
        key: RoomKey,
        peer: PeerId,
        join: Entering,
    ) -> Result<(Member, Taken), JoinError> {
        let shard = self.index;
        let entry = self.rooms.touch(key).ok_or(Stale)?;
        let participant = entry.room.join(now).map_err(|limit| match limit {
            Limit::Participants => JoinError::RoomFull,
            other => JoinError::Refused(Refused::Limit(other)),
        })?;
        match take_up(now, entry, participant, join.tracks, join.slots) {
            Ok(taken) => {
                let member = Member { shard, room: key, participant, peer };
                let Entering { label, events, place, .. } = join;
                let of = MemberEntry { peer, place, label, spent: Spent::default(), events };
                entry.members.entries.insert(participant, of);
                self.peers.insert(peer, member);
                Ok((member, taken))
            }
            Err(refused) => {
                let _ = entry.room.leave(now, participant);
                entry.members.tracks.retain(|_, (of, _)| *of != participant);
                Err(refused.into())
            }
        }
    }

    fn update(&mut self, now: Time, member: Member, update: Update) -> Result<Updated, JoinError> {
        if self.peers.get(member.peer) != Some(&member) {
            return Err(Stale.into());
        }
        let entry = self.rooms.touch(member.room).ok_or(Stale)?;
        let id = member.participant;
        // What ends makes place for what begins. A stale id names what is gone already: that is what was asked for.
        for track in update.unpublish {
            let _ = entry.room.unpublish(now, id, track);
            entry.members.tracks.remove(track);
        }
        for slot in update.unsubscribe {
            let _ = entry.room.unsubscribe(now, id, slot);
        }
        let taken = take_up(now, entry, id, update.publish, update.subscribe)?;
        let local = match update.restart {
            Some(remote) => {
                let local = entropy::ice_credentials(self.index)?;
                self.transport.restart_ice(now, member.peer, local.clone(), remote)?;
                local
            }
            None => self.transport.local_credentials(member.peer).ok_or(Stale)?.clone(),
        };
        Ok(Updated { local, cname: taken.cname, tracks: taken.tracks, slots: taken.slots })
    }

    /// Runs a call into the room of a member; a stale member or id is no fault of anybody's: they raced a departure.
    fn in_room(&mut self, member: Member, call: impl FnOnce(&mut Room, ParticipantId) -> Result<(), Misuse>) {
        if self.peers.get(member.peer) != Some(&member) {
            return;
        }
        let Some(entry) = self.rooms.touch(member.room) else { return };
        if entry.guarded(|room| call(room, member.participant)).is_none() {
            self.fail_room(member.room);
        }
    }

    fn report(&mut self, now: Time, name: Option<&str>) -> Vec<HostRoomReport> {
        let Self { rooms, transport, index, .. } = self;
        let report = |entry: &Entry| HostRoomReport {
            shard: *index,
            name: entry.name.clone(),
            spent: entry.spent,
            room: entry.room.report(now),
            peers: (entry.members.entries.iter())
                .map(|(participant, m)| peer_report(now, transport, participant, m))
                .collect(),
        };
        match name {
            Some(name) => rooms.by_name(name).map(report).into_iter().collect(),
            None => rooms.iter().map(report).collect(),
        }
    }

    fn report_member(&self, now: Time, member: Member) -> Option<MemberReport> {
        if self.peers.get(member.peer) != Some(&member) {
            return None;
        }
        let entry = self.rooms.get(member.room)?;
        let m = entry.members.entries.get(member.participant)?;
        let participant = entry.room.report_participant(now, member.participant)?;
        let peer = peer_report(now, &self.transport, member.participant, m);
        Some(MemberReport { participant, peer })
    }

    fn count(&self) -> HostCounters {
        let counters = HostCounters {
            rooms: self.rooms.counters(),
            transport: self.transport.counters().clone(),
            rooms_now: self.rooms.len() as u64,
            participants_now: self.peers.len() as u64,
            oversized: self.received.counters().oversized,
            received: *self.received.counters(),
            sent: *self.batch.counters(),
            passed_on: self.post.passed,
            undelivered: self.post.lost,
            cpu: self.ledger.cpu(),
            spent: self.rooms.spent(),
            dearest: self.rooms.dearest(),
            ..self.counters.clone()
        };
        let shard = ShardCounters::of(self.index, &counters);
        HostCounters { shards: vec![shard], ..counters }
    }
}

/// What somebody brings into a room.
struct Entering {
    label: u64,
    events: Tell,
    tracks: Vec<TrackSpec>,
    slots: Vec<SlotSpec>,
    place: Place,
}

/// What the room made of tracks and slots, in order.
struct Taken {
    tracks: Vec<TrackId>,
    slots: Vec<(SlotId, SlotStreams)>,
    cname: String,
}

/// Publishes and subscribes, all or nothing.
fn take_up(
    now: Time,
    entry: &mut Entry,
    id: ParticipantId,
    tracks: Vec<TrackSpec>,
    slots: Vec<SlotSpec>,
) -> Result<Taken, Refused> {
    let Entry { room, members, .. } = entry;
    let mut taken = Taken {
        tracks: Vec::with_capacity(tracks.len()),
        slots: Vec::with_capacity(slots.len()),
        cname: room.cname().to_owned(),
    };
    let all = (|| {
        for spec in tracks {
            let source = spec.source;
            let track = room.publish(now, id, spec)?;
            members.tracks.insert(track, (id, source));
            taken.tracks.push(track);
        }
        for spec in slots {
            let slot = room.subscribe(now, id, spec)?;
            let streams = room.streams(slot).ok_or(Misuse::UnknownSlot)?;
            taken.slots.push((slot, streams));
        }
        Ok(())
    })();
    match all {
        Ok(()) => Ok(taken),
        Err(refused) => {
            for track in taken.tracks {
                let _ = room.unpublish(now, id, track);
                members.tracks.remove(track);
            }
            for (slot, _) in taken.slots {
                let _ = room.unsubscribe(now, id, slot);
            }
            Err(refused)
        }
    }
}

fn peer_report(now: Time, transport: &Transport, participant: ParticipantId, m: &MemberEntry) -> PeerReport {
    PeerReport {
        participant,
        label: m.label,
        path: transport.path(m.peer),
        unheard: now.since(transport.last_heard(m.peer).unwrap_or(now)),
        spent: m.spent,
    }
}
