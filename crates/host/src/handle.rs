//! The host and the handle by which the rest of a process speaks with it.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use salon_rtp::NtpTime;
use salon_sfu::{Constraint, SlotId, TrackId};
use salon_transport::{Fingerprint, Identity};
use salon_udp::{Options, Socket, Waker};

use crate::command::{Command, HostRoomReport, QUEUE, Reply};
use crate::shard::Shard;
use crate::{Clock, HostCounters, Join, JoinError, Joined, Member, Update, Updated, entropy};

/// NTP counts from 1900, Unix from 1970 (RFC 5905 §6: 70 years with 17 leap days).
const NTP_MINUS_UNIX_SECS: u64 = 2_208_988_800;

/// How a host is set up.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where media is received: one UDP port for everybody. `[::]` for both families; port 0 for any.
    pub udp: SocketAddr,
    /// How each room behaves. Its wall clock is set by the host.
    pub room: salon_sfu::Config,
    /// Rooms at one time.
    pub max_rooms: usize,
}

impl HostConfig {
    /// What most will want: rooms as [`salon_sfu::Config::default`] has them, a thousand at most.
    pub fn new(udp: SocketAddr) -> Self {
        Self { udp, room: salon_sfu::Config::default(), max_rooms: 1_000 }
    }
}

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The UDP port cannot be bound.
    #[error("UDP {0} cannot be bound: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// No certificate could be made.
    #[error("no certificate could be made for DTLS: {0}")]
    Identity(#[source] salon_transport::IdentityError),
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] entropy::NoEntropy),
    /// No thread.
    #[error("the media thread cannot be started: {0}")]
    Thread(#[source] io::Error),
}

/// Rooms over UDP: the media thread, its socket, and its clock. Dropped, it ends all rooms and waits for the thread.
#[derive(Debug)]
pub struct Host {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Binds the port, makes this process's DTLS certificate, starts the media thread.
    pub fn start(mut config: HostConfig) -> Result<Self, StartError> {
        let socket =
            Socket::bind(config.udp, Options { buffers: crate::limits::SOCKET_BUFFER, ..Options::default() })
                .map_err(|e| StartError::Bind(config.udp, e))?;
        let identity = Identity::generate().map_err(StartError::Identity)?;
        let clock = Clock::start();
        config.room.ntp_at_zero = NtpTime::from_micros(NTP_MINUS_UNIX_SECS * 1_000_000);
        entropy::bytes::<32>()?; // Better refuse to start than fail at the first join.
        let (commands, queue) = sync_channel(QUEUE);
        let handle = Handle {
            commands,
            waker: socket.waker(),
            fingerprint: identity.fingerprint(),
            udp: socket.local_addr(),
        };
        let shard = Shard::new(clock, socket, identity, config, queue);
        let thread = std::thread::Builder::new()
            .name("salon-media".into())
            .spawn(move || shard.run())
            .map_err(StartError::Thread)?;
        Ok(Self { handle, thread: Some(thread) })
    }

    /// A handle; as many as wanted.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A full queue is drained within a turn; waiting for it is what makes Stop arrive.
        if self.handle.commands.send(Command::Stop).is_ok() {
            self.handle.waker.wake();
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// Asks a [`Host`] for things. Calls return at once; an answer comes through the callback that was given, on the media
/// thread: a callback must neither block nor panic (send on a channel that does not wait).
#[derive(Clone, Debug)]
pub struct Handle {
    commands: SyncSender<Command>,
    waker: Waker,
    fingerprint: Fingerprint,
    udp: SocketAddr,
}

impl Handle {
    /// The fingerprint of this process's DTLS certificate, for answers.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Where media is received. Its address may be unspecified; its port is known.
    pub fn udp(&self) -> SocketAddr {
        self.udp
    }

    /// Somebody joins a room by its name; the first one makes it.
    pub fn join(
        &self,
        room: &str,
        join: Join,
        reply: impl FnOnce(Result<Joined, JoinError>) + Send + 'static,
    ) {
        let room = room.chars().take(crate::limits::ROOM_NAME).collect();
        self.ask(Command::Join { room, join: Box::new(join), reply: Box::new(reply) });
    }

    /// Changes what somebody sends and receives, or restarts ICE.
    pub fn update(
        &self,
        member: Member,
        update: Update,
        reply: impl FnOnce(Result<Updated, JoinError>) + Send + 'static,
    ) {
        self.ask(Command::Update { member, update: Box::new(update), reply: Box::new(reply) });
    }

    /// What a slot is to show. A stale member or slot is ignored.
    pub fn constrain(&self, member: Member, slot: SlotId, constraint: Constraint) {
        self.ask(Command::Constrain { member, slot, constraint });
    }

    /// A publisher mutes a track, or lifts the mute. A stale member or track is ignored.
    pub fn mute(&self, member: Member, track: TrackId, muted: bool) {
        self.ask(Command::Mute { member, track, muted });
    }

    /// Somebody leaves. No event follows; a stale member is ignored.
    pub fn leave(&self, member: Member) {
        // Unlike the others this must not be lost to a full queue: it would leave a ghost until media times out.
        if let Err(TrySendError::Full(command)) = self.commands.try_send(Command::Leave { member }) {
            self.waker.wake();
            let _ = self.commands.send(command);
        }
        self.waker.wake();
    }

    /// All rooms, or the one of this name.
    pub fn report(&self, room: Option<&str>, reply: impl FnOnce(Vec<HostRoomReport>) + Send + 'static) {
        self.ask(Command::Report { room: room.map(str::to_owned), reply: Box::new(reply) });
    }

    /// What was counted since the start.
    pub fn counters(&self, reply: impl FnOnce(HostCounters) + Send + 'static) {
        self.ask(Command::Counters { reply: Box::new(reply) });
    }

    fn ask(&self, command: Command) {
        match self.commands.try_send(command) {
            Ok(()) => self.waker.wake(),
            Err(TrySendError::Full(command) | TrySendError::Disconnected(command)) => refuse(command),
        }
    }
}

/// Answers a command that no shard will take. Reports are dropped with their callbacks.
fn refuse(command: Command) {
    fn busy<T>(reply: Reply<T, JoinError>) {
        reply(Err(JoinError::Busy));
    }
    match command {
        Command::Join { reply, .. } => busy(reply),
        Command::Update { reply, .. } => busy(reply),
        _ => {}
    }
}
