//! The loop: a thread, its socket, its transport, its rooms.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use salon_rtp::Time;
use salon_transport::{Event, Identity, PeerId, Transport};
use salon_udp::{RecvBatch, SendBatch, Socket};
use slotmap::SecondaryMap;

use crate::command::{Command, Member};
use crate::directory::Directory;
use crate::ledger::{Ledger, Owner, metered};
use crate::pace::Pace;
use crate::places::Places;
use crate::post::Post;
use crate::pump::{Exit, pump};
pub(crate) use crate::rooms::RoomKey;
use crate::rooms::Rooms;
use crate::spent::Meter;
use crate::steer::Steer;
use crate::{Clock, HostCounters, HostEvent, limits};

/// What runs on one media thread. A room lives here for all its life: no lock below.
pub(crate) struct Shard {
    /// Which of the host's it is; the first character of its ICE ufrags says it.
    pub(crate) index: usize,
    pub(crate) clock: Clock,
    pub(crate) socket: Socket,
    pub(crate) transport: Transport,
    pub(crate) rooms: Rooms,
    /// For participants of all shards.
    pub(crate) people: Places,
    /// Whose a peer is.
    pub(crate) peers: SecondaryMap<PeerId, Member>,
    /// Where rooms are: told when somebody has left, or has not come.
    pub(crate) directory: Arc<Directory>,
    commands: Receiver<Command>,
    pub(crate) steer: Steer,
    pub(crate) post: Post,
    pub(crate) received: RecvBatch,
    pub(crate) batch: SendBatch,
    /// The kernel did not take all of the batch: wait until it does.
    pub(crate) blocked: bool,
    /// There was more to take than one turn may: datagrams, parcels or commands.
    pub(crate) more: bool,
    /// Rooms that had more to send when the kernel took no more.
    waiting: Vec<RoomKey>,
    pub(crate) counters: HostCounters,
    /// Who cost what.
    pub(crate) ledger: Ledger,
}

/// What a shard is made of.
pub(crate) struct Parts {
    pub(crate) index: usize,
    pub(crate) clock: Clock,
    pub(crate) socket: Socket,
    pub(crate) identity: Identity,
    pub(crate) rooms: Rooms,
    pub(crate) people: Places,
    pub(crate) directory: Arc<Directory>,
    pub(crate) commands: Receiver<Command>,
    pub(crate) post: Post,
    pub(crate) meter: Option<Meter>,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
pub(crate) enum Turn {
    Again,
    Stop,
}

impl Shard {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { index, clock, socket, identity, rooms, people, directory, commands, post, meter } = parts;
        Self {
            index,
            clock,
            socket,
            transport: Transport::new(identity, salon_transport::Config::default(), clock.origin()),
            rooms,
            people,
            peers: SecondaryMap::new(),
            directory,
            commands,
            steer: Steer::new(index, post.shards()),
            post,
            received: RecvBatch::new(),
            batch: SendBatch::new(),
            blocked: false,
            more: false,
            waiting: Vec::new(),
            counters: HostCounters::default(),
            ledger: Ledger::new(meter),
        }
    }

    pub(crate) fn run(mut self) {
        let mut pace = Pace::new(self.clock.now());
        loop {
            self.wait();
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

    /// Waits until something is due.
    fn wait(&mut self) {
        let now = self.clock.now();
        let due = [self.transport.poll_timeout(), self.rooms.next_deadline()].into_iter().flatten().min();
        if let Some(bell) = self.post.bell() {
            bell.sleep();
        }
        let at_once = self.more || !self.post.is_empty();
        let timeout = if at_once { Some(Duration::ZERO) } else { due.map(|due| due.since(now)) };
        match self.socket.wait(timeout, self.blocked) {
            Ok(ready) => self.blocked &= !ready.writable,
            // Nothing that a caller could mend (EINTR is handled below us); don't spin on it.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
        if let Some(bell) = self.post.bell() {
            bell.awake();
        }
    }

    /// Everything that is due, once.
    pub(crate) fn turn(&mut self) -> Turn {
        self.counters.turns += 1;
        self.ledger.begin();
        if !self.blocked {
            self.flush();
        }
        if !self.blocked {
            while let Some(key) = self.waiting.pop() {
                self.rooms.touch(key);
            }
        }
        self.receive();
        self.collect();
        if self.obey_all() == Turn::Stop {
            return Turn::Stop;
        }
        let now = self.clock.now();
        self.transport.handle_timeout(now);
        self.hear_transport(now);
        self.rooms.touch_due(now);
        self.ledger.lap(None);
        while let Some(key) = self.rooms.next_touched() {
            self.room_turn(now, key);
        }
        self.send_transport(now);
        self.ledger.lap(None);
        self.flush();
        self.ledger.settle(&mut self.rooms);
        Turn::Again
    }

    /// Takes the commands that wait, up to a bound.
    fn obey_all(&mut self) -> Turn {
        for _ in 0..limits::COMMANDS_PER_TURN {
            let Ok(command) = self.commands.try_recv() else { return Turn::Again };
            let now = self.clock.now();
            if self.obey(now, command) == Turn::Stop {
                return Turn::Stop;
            }
        }
        // Those that are left have rung already, and will not ring again.
        self.more = true;
        Turn::Again
    }

    /// A room's timeouts, events, and packets.
    fn room_turn(&mut self, now: Time, key: RoomKey) {
        let Self { rooms, transport, socket, batch, counters, blocked, waiting, ledger, .. } = self;
        let Some(entry) = rooms.get_mut(key) else { return };
        let (ran, asked) = metered(ledger.meter(), || {
            catch_unwind(AssertUnwindSafe(|| {
                entry.room.handle_timeout(now);
                entry.tell_events();
            }))
        });
        ledger.asked(asked);
        ledger.lap(Some(Owner { room: key, who: None }));
        let ran = ran.and_then(|()| {
            let mut exit = Exit { socket, batch, counters, ledger };
            catch_unwind(AssertUnwindSafe(|| pump(now, key, entry, transport, &mut exit)))
        });
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
            let ran = catch_unwind(AssertUnwindSafe(|| {
                // The participant is known as long as its peer is; a stale one would be no harm.
                let _ = entry.room.connected(now, member.participant, up);
                entry.members.tell(member.participant, told);
            }));
            if ran.is_err() {
                self.fail_room(member.room);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)] // Helpers outside a #[test] function may fail a test, too.

    use super::*;
    use crate::common::{Bring, Client, ask, socket};
    use crate::host::assemble;
    use crate::{Handle, HostConfig};

    /// A socket whose datagrams land on the first shard's.
    fn landing_there(handle: &Handle, shards: &mut [Shard]) -> Socket {
        let mut tried = Vec::new();
        loop {
            let socket = socket();
            let mut batch = SendBatch::new();
            batch.slot(None, handle.udp()).unwrap()[0] = 0xff;
            batch.commit(1);
            socket.flush(&mut batch);
            let before = shards[0].counters.datagrams_in;
            turn(shards);
            if shards[0].counters.datagrams_in > before {
                return socket;
            }
            tried.push(socket);
        }
    }

    /// Somebody comes, and all go on until it is connected.
    fn admit(
        handle: &Handle,
        shards: &mut [Shard],
        others: &mut Vec<Client>,
        room: &str,
        bring: Bring,
        socket: Socket,
    ) {
        let asking = ask(handle, room, others.len() as u64, bring, socket);
        turn(shards);
        others.push(asking.join());
        let end = std::time::Instant::now() + crate::common::GUARD;
        while !others.iter().all(|c| c.agent.connected) {
            assert!(std::time::Instant::now() < end);
            go(shards, others);
        }
    }

    fn turn(shards: &mut [Shard]) {
        shards.iter_mut().for_each(|s| assert!(s.turn() == Turn::Again));
    }

    fn go(shards: &mut [Shard], clients: &mut [Client]) {
        clients.iter_mut().for_each(Client::drive);
        // Twice: what one hands on, the other takes, and gives back.
        for _ in 0..2 {
            turn(shards);
        }
    }

    #[test]
    fn from_socket_to_socket_a_packet_costs_no_allocation_also_by_way_of_another_shard() {
        let mut config = HostConfig::new(([127, 0, 0, 1], 0).into());
        config.shards = 2;
        let (handle, parts) = assemble(config).unwrap();
        let mut shards: Vec<_> = parts.into_iter().map(Shard::new).collect();
        // The first room is on the first shard, the second on the other; all packets come to the first one's socket.
        let mut clients = Vec::new();
        for room in ["hall", "attic"] {
            for n in 0..6 {
                let bring = if n == 0 {
                    Bring { camera: true, microphone: true, ..Bring::default() }
                } else {
                    Bring { eye: true, ear: true, ..Bring::default() }
                };
                let socket = landing_there(&handle, &mut shards);
                admit(&handle, &mut shards, &mut clients, room, bring, socket);
            }
        }
        let round = |shards: &mut [Shard], clients: &mut Vec<Client>| {
            for publisher in [0, 6] {
                clients[publisher].show(7, 900);
                clients[publisher].say(&[1; 80]);
            }
            clients.iter_mut().for_each(Client::drive);
            let counted = allocation_counter::measure(|| {
                for _ in 0..2 {
                    turn(shards);
                }
            });
            counted.count_total
        };
        // Everybody's first reports make room for themselves; then there is room.
        while shards.iter().any(|s| s.rooms.counters().rtcp_out < 15) {
            round(&mut shards, &mut clients);
            std::thread::sleep(Duration::from_millis(5));
        }
        // An answer to a check is allocated, and so it may be: there is one in seconds. Here there are none meanwhile. A round in
        // which a report was due, or a timer, is not counted: their queues grow with what was ever in them at once.
        clients.iter_mut().for_each(|c| c.agent.hush = true);
        let beside = |shards: &[Shard]| -> u64 {
            let of = |s: &Shard| s.rooms.counters().rtcp_out + s.transport.counters().visits;
            shards.iter().map(of).sum()
        };
        let mut allocations = Vec::new();
        clients.iter_mut().for_each(Client::drive);
        while allocations.len() < 100 {
            clients.iter_mut().for_each(|c| c.agent.heard.clear());
            let before = beside(&shards);
            let allocated = round(&mut shards, &mut clients);
            if beside(&shards) == before {
                allocations.push(allocated);
            }
            clients.iter_mut().for_each(Client::drive);
            for (n, client) in clients.iter().enumerate().filter(|(n, _)| n % 6 > 0) {
                assert_eq!(client.agent.heard.iter().filter(|p| p.len() == 900).count(), 7, "{n}");
            }
        }
        let [first, second] = &shards[..] else { panic!() };
        assert!(first.post.passed >= 8 * 100 && second.counters.taken_over == first.post.passed);
        assert!(first.batch.counters().runs > 500 && second.batch.counters().runs > 500);
        assert_eq!(allocations.iter().sum::<u64>(), 0, "{allocations:?}");
    }
}
