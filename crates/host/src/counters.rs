//! What a host counted.

use std::cmp::Reverse;
use std::time::Duration;

use crate::{RoomSpent, Spent, limits};

/// Totals since the host started. They only grow.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HostCounters {
    /// Of all rooms, those that have ended included.
    pub rooms: salon_sfu::Counters,
    /// Of the transport.
    pub transport: salon_transport::Counters,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Datagrams that the kernel took.
    pub datagrams_out: u64,
    /// Datagrams that the kernel refused for good.
    pub refused: u64,
    /// Received datagrams that were too long to take.
    pub oversized: u64,
    /// Packets that the cipher refused to seal.
    pub unsealed: u64,
    /// Rooms that ended by a fault of ours.
    pub failed_rooms: u64,
    /// Rooms now.
    pub rooms_now: u64,
    /// Participants now.
    pub participants_now: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// Turns after which it rested, so that more came together (see [`limits::TICK`](crate::limits::TICK)).
    pub rests: u64,
    /// How datagrams came: system calls, and trains that the kernel had joined.
    pub received: salon_udp::RecvCounters,
    /// How datagrams left: system calls, and runs that the kernel took as one.
    pub sent: salon_udp::SendCounters,
    /// Datagrams that came to one shard's socket, and that it handed on to another, whose they were.
    pub passed_on: u64,
    /// Of those, the ones that the other took.
    pub taken_over: u64,
    /// Datagrams of other shards that were lost for want of room between shards.
    pub undelivered: u64,
    /// Checks that were dropped, because they came on a path that is beyond doubt another shard's peer's.
    pub address_taken: u64,
    /// Processor time of the media threads.
    pub cpu: Duration,
    /// What of it, and of all else, rooms cost, those that have ended included.
    pub spent: Spent,
    /// The rooms of now that have cost most, dearest first: [`limits::ROOMS_TOLD`] at most.
    pub dearest: Vec<RoomSpent>,
    /// The same by shard.
    pub shards: Vec<ShardCounters>,
}

/// What one shard counted; a room is on one shard for all its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ShardCounters {
    /// Which, from 0.
    pub shard: usize,
    /// Rooms now.
    pub rooms_now: u64,
    /// Participants now.
    pub participants_now: u64,
    /// Datagrams received on its socket.
    pub datagrams_in: u64,
    /// Datagrams that it sent.
    pub datagrams_out: u64,
    /// RTP packets given to its rooms.
    pub rtp_in: u64,
    /// Media packets that left its rooms.
    pub rtp_out: u64,
    /// As [`HostCounters::passed_on`].
    pub passed_on: u64,
    /// As [`HostCounters::taken_over`].
    pub taken_over: u64,
    /// As [`HostCounters::undelivered`].
    pub undelivered: u64,
    /// Turns of its loop.
    pub turns: u64,
    /// As [`HostCounters::rests`].
    pub rests: u64,
    /// As [`HostCounters::cpu`].
    pub cpu: Duration,
}

impl HostCounters {
    /// Adds what another shard, or another host, counted.
    pub fn add(&mut self, other: &Self) {
        let Self { rooms, transport, received, sent, shards, spent, dearest, .. } = other;
        self.rooms.add(rooms);
        self.transport.add(transport);
        self.received.add(received);
        self.sent.add(sent);
        self.shards.extend(shards);
        self.spent.add(spent);
        self.dearest.extend(dearest.iter().cloned());
        self.dearest.sort_by_key(|room| Reverse(room.spent.cpu));
        self.dearest.truncate(limits::ROOMS_TOLD);
        self.cpu += other.cpu;
        self.datagrams_in += other.datagrams_in;
        self.datagrams_out += other.datagrams_out;
        self.refused += other.refused;
        self.oversized += other.oversized;
        self.unsealed += other.unsealed;
        self.failed_rooms += other.failed_rooms;
        self.rooms_now += other.rooms_now;
        self.participants_now += other.participants_now;
        self.turns += other.turns;
        self.rests += other.rests;
        self.passed_on += other.passed_on;
        self.taken_over += other.taken_over;
        self.undelivered += other.undelivered;
        self.address_taken += other.address_taken;
    }
}

impl ShardCounters {
    pub(crate) fn of(shard: usize, c: &HostCounters) -> Self {
        Self {
            shard,
            rooms_now: c.rooms_now,
            participants_now: c.participants_now,
            datagrams_in: c.datagrams_in,
            datagrams_out: c.datagrams_out,
            rtp_in: c.rooms.rtp_in,
            rtp_out: c.rooms.rtp_out,
            passed_on: c.passed_on,
            taken_over: c.taken_over,
            undelivered: c.undelivered,
            turns: c.turns,
            rests: c.rests,
            cpu: c.cpu,
        }
    }
}
