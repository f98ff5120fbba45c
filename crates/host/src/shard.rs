//! The loop: a thread, its socket, its transport, its rooms.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use salon_rtp::Time;
use salon_transport::{Event, GoneReason, Identity, Path, PeerId, Received, Transport};
use salon_udp::{RecvBatch, SendBatch, Socket};
use slotmap::SecondaryMap;

use crate::command::{Command, Member};
use crate::pace::Pace;
pub(crate) use crate::rooms::RoomKey;
use crate::rooms::{Entry, Rooms};
use crate::{Clock, HostConfig, HostCounters, HostEvent, limits};

/// What runs on the media thread. A room lives here for all its life: no lock below.
pub(crate) struct Shard {
    pub(crate) clock: Clock,
    socket: Socket,
    pub(crate) transport: Transport,
    pub(crate) rooms: Rooms,
    /// Whose a peer is.
    pub(crate) peers: SecondaryMap<PeerId, Member>,
    commands: Receiver<Command>,
    pub(crate) received: RecvBatch,
    pub(crate) batch: SendBatch,
    /// The kernel did not take all of the batch: wait until it does.
    blocked: bool,
    /// The socket was not drained: its bound for a turn was reached.
    more: bool,
    /// Rooms that had more to send when the kernel took no more.
    waiting: Vec<RoomKey>,
    pub(crate) counters: HostCounters,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
pub(crate) enum Turn {
    Again,
    Stop,
}

impl Shard {
    pub(crate) fn new(
        clock: Clock,
        socket: Socket,
        identity: Identity,
        config: HostConfig,
        commands: Receiver<Command>,
    ) -> Self {
        let (instant, time) = clock.origin();
        Self {
            clock,
            socket,
            transport: Transport::new(identity, salon_transport::Config::default(), (instant, time)),
            rooms: Rooms::new(config.room, config.max_rooms),
            peers: SecondaryMap::new(),
            commands,
            received: RecvBatch::new(),
            batch: SendBatch::new(),
            blocked: false,
            more: false,
            waiting: Vec::new(),
            counters: HostCounters::default(),
        }
    }

    pub(crate) fn run(mut self) {
        let mut pace = Pace::new(self.clock.now());
        loop {
            let now = self.clock.now();
            let due = [self.transport.poll_timeout(), self.rooms.next_deadline()].into_iter().flatten().min();
            let timeout = if self.more { Some(Duration::ZERO) } else { due.map(|due| due.since(now)) };
            match self.socket.wait(timeout, self.blocked) {
                Ok(ready) => self.blocked &= !ready.writable,
                // Nothing that a caller could mend (EINTR is handled below us); don't spin on it.
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
            pace.begin(self.clock.now());
            if self.turn() == Turn::Stop {
                return;
            }
            if let Some(rest) = pace.end(self.clock.now(), !self.more) {
                self.counters.rests += 1;
                std::thread::sleep(rest);
            }
        }
    }

    /// Everything that is due, once.
    fn turn(&mut self) -> Turn {
        self.counters.turns += 1;
        if !self.blocked {
            self.flush();
        }
        if !self.blocked {
            while let Some(key) = self.waiting.pop() {
                self.rooms.touch(key);
            }
        }
        self.receive();
        for _ in 0..limits::COMMANDS_PER_TURN {
            match self.commands.try_recv() {
                Ok(command) => {
                    let now = self.clock.now();
                    if self.obey(now, command) == Turn::Stop {
                        return Turn::Stop;
                    }
                }
                Err(_) => break,
            }
        }
        let now = self.clock.now();
        self.transport.handle_timeout(now);
        self.hear_transport(now);
        self.rooms.touch_due(now);
        while let Some(key) = self.rooms.next_touched() {
            self.room_turn(now, key);
        }
        self.send_transport(now);
        self.flush();
        Turn::Again
    }

    /// Drains the socket, up to a bound, into transport and rooms.
    fn receive(&mut self) {
        let mut taken = 0;
        self.more = true;
        while taken < limits::DATAGRAMS_PER_TURN && self.more {
            let n = self.socket.recv(&mut self.received).unwrap_or(0);
            taken += n;
            self.more = n > 0 && self.received.may_have_left();
            // One reading of the clock for the batch: what came together has the same time.
            let now = self.clock.now();
            self.counters.datagrams_in += n as u64;
            let mut failed = None;
            for (meta, datagram) in self.received.iter_mut() {
                let path = Path { local: meta.local, remote: meta.remote };
                let (peer, rtp, packet) = match self.transport.handle_datagram(now, path, datagram) {
                    Received::Rtp(peer, packet) => (peer, true, packet),
                    Received::Rtcp(peer, packet) => (peer, false, packet),
                    Received::Consumed | Received::Dropped(_) => continue,
                };
                let Some(&Member { room, participant, .. }) = self.peers.get(peer) else { continue };
                let Some(entry) = self.rooms.touch(room) else { continue };
                let ran = entry.guarded(|room| match rtp {
                    true => room.handle_rtp(now, participant, packet),
                    false => room.handle_rtcp(now, participant, packet),
                });
                if ran.is_none() {
                    failed = Some(room);
                    break;
                }
            }
            if let Some(room) = failed {
                self.fail_room(room);
            }
        }
    }

    /// A room's timeouts, events, and packets.
    fn room_turn(&mut self, now: Time, key: RoomKey) {
        let Self { rooms, transport, socket, batch, counters, blocked, waiting, .. } = self;
        let Some(entry) = rooms.get_mut(key) else { return };
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            entry.room.handle_timeout(now);
            entry.tell_events();
            pump(now, entry, transport, socket, batch, counters)
        }));
        match ran {
            Ok(kernel_is_full) => {
                if kernel_is_full {
                    *blocked = true;
                    waiting.push(key);
                }
                rooms.schedule(key);
            }
            Err(_) => self.fail_room(key),
        }
    }

    /// Everything that the transport wants to say: STUN answers, DTLS flights.
    fn send_transport(&mut self, now: Time) {
        let mut out = [0; salon_udp::limits::MTU];
        while let Some((path, n)) = self.transport.poll_transmit(now, &mut out) {
            let Some(datagram) = out.get(..n) else { continue };
            if let Some(slot) = slot(&self.socket, &mut self.batch, &mut self.counters, path) {
                if let Some(to) = slot.get_mut(..n) {
                    to.copy_from_slice(datagram);
                    self.batch.commit(n);
                }
            } else {
                // The kernel takes nothing: STUN and DTLS repeat themselves.
                self.blocked = true;
            }
        }
    }

    /// What the transport noticed.
    pub(crate) fn hear_transport(&mut self, now: Time) {
        while let Some(event) = self.transport.poll_event() {
            let (peer, told) = match event {
                Event::Connected { peer, .. } => (peer, HostEvent::Connected),
                Event::Silent { peer } => (peer, HostEvent::Silent),
                Event::Back { peer } => (peer, HostEvent::Back),
                Event::Gone { peer, reason } => {
                    self.gone(now, peer, reason);
                    continue;
                }
                _ => continue,
            };
            let Some(&member) = self.peers.get(peer) else { continue };
            let Some(entry) = self.rooms.touch(member.room) else { continue };
            let up = told != HostEvent::Silent;
            // The participant is known as long as its peer is; a stale one would be no harm.
            let _ = entry.guarded(|room| room.connected(now, member.participant, up));
            entry.members.tell(member.participant, told);
        }
    }

    fn gone(&mut self, now: Time, peer: PeerId, reason: GoneReason) {
        let Some(member) = self.peers.get(peer).copied() else { return };
        if let Some(mut entry) = self.remove_member(now, member) {
            (entry.events)(HostEvent::Gone(reason));
        }
    }

    /// Takes somebody out of room and transport.
    pub(crate) fn remove_member(&mut self, now: Time, member: Member) -> Option<crate::member::MemberEntry> {
        if self.peers.get(member.peer) != Some(&member) {
            return None;
        }
        self.peers.remove(member.peer);
        self.transport.remove_peer(now, member.peer);
        let entry = self.rooms.touch(member.room)?;
        let _ = entry.guarded(|room| room.leave(now, member.participant));
        let removed = entry.members.remove(member.participant);
        self.rooms.close_if_empty(member.room);
        removed
    }

    /// A room panicked: it ends, with all who are in it; the others go on.
    pub(crate) fn fail_room(&mut self, key: RoomKey) {
        self.counters.failed_rooms += 1;
        let now = self.clock.now();
        let Some(mut entry) = self.rooms.remove(key) else { return };
        for (_, member) in entry.members.entries.iter_mut() {
            self.peers.remove(member.peer);
            self.transport.remove_peer(now, member.peer);
            (member.events)(HostEvent::RoomFailed);
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.blocked = flush(&self.socket, &mut self.batch, &mut self.counters);
        }
    }
}

/// Sends what a room has ready; true if the kernel takes no more.
fn pump(
    now: Time,
    entry: &mut Entry,
    transport: &mut Transport,
    socket: &Socket,
    batch: &mut SendBatch,
    counters: &mut HostCounters,
) -> bool {
    let Entry { room, members, .. } = entry;
    while let Some(mut burst) = room.poll_transmit(now) {
        let link = members.entries.get(burst.to()).and_then(|m| transport.link(m.peer));
        let Some(mut link) = link else {
            burst.discard();
            continue;
        };
        let path = link.path();
        loop {
            let Some(out) = slot(socket, batch, counters, path) else { return true };
            let Some(egress) = burst.next() else { break };
            match link.seal(&egress, out) {
                Ok(n) => batch.commit(n),
                Err(_) => counters.unsealed += 1,
            }
        }
    }
    false
}

/// Room for one datagram, flushing the batch if it is full; `None` if the kernel takes no more.
fn slot<'a>(
    socket: &Socket,
    batch: &'a mut SendBatch,
    counters: &mut HostCounters,
    path: Path,
) -> Option<&'a mut [u8]> {
    let from = Some(path.local.ip());
    if batch.len() >= salon_udp::limits::SEND_BATCH && flush(socket, batch, counters) {
        return None;
    }
    batch.slot(from, path.remote)
}

/// Sends the batch; true if the kernel takes no more.
fn flush(socket: &Socket, batch: &mut SendBatch, counters: &mut HostCounters) -> bool {
    let flushed = socket.flush(batch);
    counters.datagrams_out += flushed.sent as u64;
    counters.refused += flushed.refused;
    flushed.blocked
}
