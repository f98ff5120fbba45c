//! The handle by which the rest of a process speaks with a host.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use salon_sfu::{Constraint, SlotId, TrackId};
use salon_transport::Fingerprint;
use salon_udp::Waker;

use crate::command::{Command, HostRoomReport};
use crate::directory::Directory;
use crate::gather::Gather;
use crate::{HostCounters, Join, JoinError, Joined, Member, MemberReport, Update, Updated};

/// Asks a [`Host`](crate::Host) for things. Calls return at once; an answer comes through the callback that was given, on a
/// media thread as a rule: a callback must neither block nor panic (send on a channel that does not wait).
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    lines: Vec<Line>,
    directory: Arc<Directory>,
    fingerprint: Fingerprint,
    udp: SocketAddr,
}

/// The way to one shard.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) commands: SyncSender<Command>,
    pub(crate) waker: Waker,
}

impl Handle {
    pub(crate) fn new(
        lines: Vec<Line>,
        directory: Arc<Directory>,
        fingerprint: Fingerprint,
        udp: SocketAddr,
    ) -> Self {
        Self { shared: Arc::new(Shared { lines, directory, fingerprint, udp }) }
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.shared.lines
    }

    /// The fingerprint of this process's DTLS certificate, for answers.
    pub fn fingerprint(&self) -> Fingerprint {
        self.shared.fingerprint
    }

    /// Where media is received. Its address may be unspecified; its port is known.
    pub fn udp(&self) -> SocketAddr {
        self.shared.udp
    }

    /// Somebody joins a room by its name; the first one makes it.
    pub fn join(
        &self,
        room: &str,
        join: Join,
        reply: impl FnOnce(Result<Joined, JoinError>) + Send + 'static,
    ) {
        let room: String = room.chars().take(crate::limits::ROOM_NAME).collect();
        let Shared { lines, directory, .. } = &*self.shared;
        let line = lines.get(directory.enter(&room));
        let command = Command::Join { room, join: Box::new(join), reply: Box::new(reply) };
        if let Some(Command::Join { room, reply, .. }) = line.and_then(|line| line.offer(command)) {
            directory.leave(&room);
            reply(Err(JoinError::Busy));
        }
    }

    /// Changes what somebody sends and receives, or restarts ICE.
    pub fn update(
        &self,
        member: Member,
        update: Update,
        reply: impl FnOnce(Result<Updated, JoinError>) + Send + 'static,
    ) {
        self.ask(member, Command::Update { member, update: Box::new(update), reply: Box::new(reply) });
    }

    /// What a slot is to show. A stale member or slot is ignored.
    pub fn constrain(&self, member: Member, slot: SlotId, constraint: Constraint) {
        self.ask(member, Command::Constrain { member, slot, constraint });
    }

    /// A publisher mutes a track, or lifts the mute. A stale member or track is ignored.
    pub fn mute(&self, member: Member, track: TrackId, muted: bool) {
        self.ask(member, Command::Mute { member, track, muted });
    }

    /// Somebody leaves. No event follows; a stale member is ignored.
    pub fn leave(&self, member: Member) {
        // Unlike the others this must not be lost to a full queue: it would leave a ghost until media times out.
        let Some(line) = self.shared.lines.get(member.shard) else { return };
        if let Err(TrySendError::Full(command)) = line.commands.try_send(Command::Leave { member }) {
            line.waker.wake();
            let _ = line.commands.send(command);
        }
        line.waker.wake();
    }

    /// All rooms, or the one of this name.
    pub fn report(&self, room: Option<&str>, reply: impl FnOnce(Vec<HostRoomReport>) + Send + 'static) {
        let Shared { lines, directory, .. } = &*self.shared;
        let Some(name) = room else {
            let parts =
                Gather::new(lines.len(), |parts: Vec<Vec<_>>| reply(parts.into_iter().flatten().collect()));
            for line in lines {
                let parts = Arc::clone(&parts);
                line.offer(Command::Report { room: None, reply: Box::new(move |rooms| parts.add(rooms)) });
            }
            return;
        };
        match directory.find(name).and_then(|shard| lines.get(shard)) {
            Some(line) => {
                drop(line.offer(Command::Report { room: room.map(str::to_owned), reply: Box::new(reply) }))
            }
            None => reply(Vec::new()),
        }
    }

    /// One participant; `None` if it has left.
    pub fn report_member(&self, member: Member, reply: impl FnOnce(Option<MemberReport>) + Send + 'static) {
        self.ask(member, Command::ReportMember { member, reply: Box::new(reply) });
    }

    /// What was counted since the start, by all shards together and by each.
    pub fn counters(&self, reply: impl FnOnce(HostCounters) + Send + 'static) {
        let lines = &self.shared.lines;
        let parts = Gather::new(lines.len(), |parts: Vec<HostCounters>| {
            let mut sum = HostCounters::default();
            parts.iter().for_each(|part| sum.add(part));
            sum.shards.sort_by_key(|s| s.shard);
            reply(sum);
        });
        for line in lines {
            let parts = Arc::clone(&parts);
            line.offer(Command::Counters { reply: Box::new(move |counters| parts.add(counters)) });
        }
    }

    fn ask(&self, member: Member, command: Command) {
        let refused = match self.shared.lines.get(member.shard) {
            Some(line) => line.offer(command),
            None => Some(command),
        };
        if let Some(Command::Update { reply, .. }) = refused {
            reply(Err(JoinError::Busy));
        }
    }
}

impl Line {
    /// Gives a command to the shard, or back if it takes none. Reports are then dropped with their callbacks.
    fn offer(&self, command: Command) -> Option<Command> {
        match self.commands.try_send(command) {
            Ok(()) => {
                self.waker.wake();
                None
            }
            Err(TrySendError::Full(command) | TrySendError::Disconnected(command)) => Some(command),
        }
    }
}
