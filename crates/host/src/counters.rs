//! What a host counted.

/// Totals since the host started. They only grow.
#[derive(Clone, Debug, Default)]
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
}
