//! What somebody, or a room, has cost so far.

use std::time::Duration;

/// What somebody, or a room, has cost since it came. Everything only grows.
///
/// Packets are datagrams of media and of reports, bytes theirs as UDP carries them (cipher's tag included; IPv4 and UDP headers, 28
/// bytes each, are not). Both are exact. Checks and handshakes belong to nobody here.
// Exhaustive: salon-server tells each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Processor time of the media threads, system calls included. The sum over all rooms is never above
    /// [`HostCounters::cpu`](crate::HostCounters::cpu); the difference is nobody's: waiting, handshakes, other shards' datagrams.
    pub cpu: Duration,
    /// Packets that came.
    pub packets_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Packets that were sealed for sending.
    pub packets_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Allocations of memory; 0 where they are not counted ([`HostConfig::meter`](crate::HostConfig::meter)).
    pub allocations: u64,
    /// Bytes asked for by them.
    pub allocated: u64,
}

/// What a room has cost so far, with all who ever were in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RoomSpent {
    /// Its name.
    pub room: String,
    /// Who is in it now.
    pub participants: usize,
    /// What it has cost.
    pub spent: Spent,
}

/// Memory that a call asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allocated {
    /// How often.
    pub count: u64,
    /// How much.
    pub bytes: u64,
}

/// Runs what it is given, on this thread, and says what that asked for.
pub type Meter = fn(&mut dyn FnMut()) -> Allocated;

impl Spent {
    /// Adds what another one has cost.
    pub fn add(&mut self, other: &Self) {
        let Self { cpu, packets_in, bytes_in, packets_out, bytes_out, allocations, allocated } = *other;
        self.cpu += cpu;
        self.packets_in += packets_in;
        self.bytes_in += bytes_in;
        self.packets_out += packets_out;
        self.bytes_out += bytes_out;
        self.allocations += allocations;
        self.allocated += allocated;
    }

    pub(crate) fn came(&mut self, bytes: usize) {
        self.packets_in += 1;
        self.bytes_in += bytes as u64;
    }

    pub(crate) fn left(&mut self, bytes: usize) {
        self.packets_out += 1;
        self.bytes_out += bytes as u64;
    }
}
