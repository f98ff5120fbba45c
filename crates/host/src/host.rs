//! The host: threads, their sockets, and what they share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{JoinHandle, available_parallelism};

use salon_rtp::NtpTime;
use salon_transport::Identity;
use salon_udp::{Offload, Options, Socket};

use crate::command::Command;
use crate::directory::Directory;
use crate::handle::{Handle, Line};
use crate::places::Places;
use crate::post::Post;
use crate::rooms::Rooms;
use crate::shard::{Parts, Shard};
use crate::spent::Meter;
use crate::{Clock, entropy, limits};

/// NTP counts from 1900, Unix from 1970 (RFC 5905 §6: 70 years with 17 leap days).
const NTP_MINUS_UNIX_SECS: u64 = 2_208_988_800;

/// How a host is set up.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where media is received: one UDP port for everybody. `[::]` for both families; port 0 for any.
    pub udp: SocketAddr,
    /// How each room behaves. Its wall clock is set by the host.
    pub room: salon_sfu::Config,
    /// Rooms at one time, on all shards together.
    pub max_rooms: usize,
    /// Participants at one time, in all rooms together. Each takes memory of a known size (ARCHITECTURE.md, *Memory*): this is how
    /// much of it the host may take. Who comes beyond is refused, and those who are in go on.
    pub max_participants: usize,
    /// Shards: media threads, each with rooms of its own; 1 to [`limits::SHARDS`]. One where the system cannot share a port
    /// among sockets (anywhere but on Linux).
    pub shards: usize,
    /// Whether several datagrams are handed to the kernel as one. There is hardly a reason not to.
    pub offload: Offload,
    /// Counts the memory that calls into rooms ask for, where the program's allocator can tell ([`Spent::allocations`](crate::Spent)).
    pub meter: Option<Meter>,
}

impl HostConfig {
    /// What most will want: rooms as [`salon_sfu::Config::default`] has them, a thousand at most, with a thousand people, and a shard for each core.
    pub fn new(udp: SocketAddr) -> Self {
        let shards = available_parallelism().map_or(1, |n| n.get());
        Self {
            udp,
            room: salon_sfu::Config::default(),
            max_rooms: 1_000,
            max_participants: 1_000,
            shards: shards.min(limits::SHARDS),
            offload: Offload::Auto,
            meter: None,
        }
    }
}

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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

/// Rooms over UDP: the media threads, their sockets, and their clock. Dropped, it ends all rooms and waits for the threads.
#[derive(Debug)]
pub struct Host {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
}

impl Host {
    /// Binds the port, makes this process's DTLS certificate, starts the media threads.
    pub fn start(config: HostConfig) -> Result<Self, StartError> {
        let (handle, shards) = assemble(config)?;
        // Where a thread cannot be started, those before it end with the host.
        let mut host = Self { handle, threads: Vec::new() };
        for parts in shards {
            let thread = std::thread::Builder::new()
                .name(format!("salon-media-{}", parts.index))
                .spawn(move || Shard::new(parts).run())
                .map_err(StartError::Thread)?;
            host.threads.push(thread);
        }
        Ok(host)
    }

    /// A handle; as many as wanted.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for line in self.handle.lines() {
            // A full queue is drained within a turn; waiting for it is what makes Stop arrive.
            if line.commands.send(Command::Stop).is_ok() {
                line.waker.wake();
            }
        }
        for thread in self.threads.drain(..) {
            // A panic of the thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

/// A handle, and the shards that it reaches, none of which runs yet.
pub(crate) fn assemble(mut config: HostConfig) -> Result<(Handle, Vec<Parts>), StartError> {
    let sockets = bind(&config).map_err(|e| StartError::Bind(config.udp, e))?;
    let identity = Identity::generate().map_err(StartError::Identity)?;
    let clock = Clock::start();
    config.room.ntp_at_zero = NtpTime::from_micros(NTP_MINUS_UNIX_SECS * 1_000_000);
    entropy::bytes::<32>()?; // Better refuse to start than fail at the first join.
    let udp = sockets.first().map_or(config.udp, Socket::local_addr);
    let directory = Arc::new(Directory::new(sockets.len()));
    let (rooms, people) = (Places::new(config.max_rooms), Places::new(config.max_participants));
    let posts = Post::all(sockets.iter().map(Socket::waker).collect());
    let (mut lines, mut shards) = (Vec::new(), Vec::new());
    for (index, (socket, post)) in sockets.into_iter().zip(posts).enumerate() {
        let (commands, queue) = sync_channel(limits::COMMANDS);
        lines.push(Line { commands, waker: socket.waker() });
        shards.push(Parts {
            index,
            clock,
            socket,
            identity: identity.clone(),
            rooms: Rooms::new(config.room.clone(), rooms.clone()),
            people: people.clone(),
            directory: Arc::clone(&directory),
            commands: queue,
            post,
            meter: config.meter,
        });
    }
    Ok((Handle::new(lines, directory, identity.fingerprint(), udp), shards))
}

/// A socket for each shard, all on one port.
fn bind(config: &HostConfig) -> io::Result<Vec<Socket>> {
    let alone = Options { reuse_port: false, buffers: limits::SOCKET_BUFFER, offload: config.offload };
    let shards = if cfg!(target_os = "linux") { config.shards.clamp(1, limits::SHARDS) } else { 1 };
    // A port that somebody else has must be an error: sockets that share one would take what is his. So the first to ask for
    // it shares with nobody, and is gone before the others come.
    let first = Socket::bind(config.udp, alone)?;
    if shards == 1 {
        return Ok(vec![first]);
    }
    let port = first.local_addr();
    drop(first);
    (0..shards).map(|_| Socket::bind(port, Options { reuse_port: true, ..alone })).collect()
}
