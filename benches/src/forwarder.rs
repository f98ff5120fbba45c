//! What is measured.

use std::net::SocketAddr;

use salon_rtp::Ssrc;
use salon_transport::{Fingerprint, IceCredentials};

use crate::cpu::Threads;

/// Somebody who comes.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its credentials.
    pub ice: IceCredentials,
    /// Of its certificate. It is the client of the handshake.
    pub fingerprint: Fingerprint,
    /// Which room.
    pub room: usize,
    /// What it sends and receives.
    pub role: Role,
}

/// What somebody sends and receives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Role {
    /// It publishes a voice on this stream.
    pub voice: Option<Ssrc>,
    /// It publishes a picture on this stream.
    pub picture: Option<Ssrc>,
    /// It hears so many others; those who speak come into a room first.
    pub hears: usize,
    /// It sees so many others.
    pub sees: usize,
}

impl Role {
    /// A camera alone.
    pub fn camera(stream: Ssrc) -> Self {
        Self { picture: Some(stream), ..Self::default() }
    }

    /// Who sees one, and is not seen.
    pub const VIEWER: Self = Self { voice: None, picture: None, hears: 0, sees: 1 };
}

/// What it hears back.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The forwarder's credentials towards it.
    pub ice: IceCredentials,
    /// Of the forwarder's certificate towards it.
    pub fingerprint: Fingerprint,
}

/// What went through since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forwarded {
    /// Media packets that came.
    pub came: u64,
    /// Media packets that the kernel took.
    pub left: u64,
    /// Messages in which it took them: packets, and runs of packets.
    pub messages: u64,
}

/// Somebody who forwards voices and pictures.
pub trait Forwarder {
    /// How it is called in the table.
    fn name(&self) -> &'static str;
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// Takes somebody in.
    fn admit(&mut self, guest: Guest) -> Admitted;
    /// All are in: it begins to listen.
    fn start(&mut self);
    /// What it forwarded.
    fn forwarded(&self) -> Forwarded;
    /// The threads that do it.
    fn threads(&self) -> Threads;
}
