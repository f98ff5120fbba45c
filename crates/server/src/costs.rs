//! What people and rooms cost, for those who look: the API, one's own page, the metrics.

use crate::name::RoomName;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use salon_host::{HostCounters, RoomSpent, Spent};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// What somebody, or a room, has cost since it came.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Costs {
    /// Processor time of the media threads, in milliseconds.
    cpu_ms: f64,
    /// Packets that came from there, and their bytes.
    packets_in: u64,
    bytes_in: u64,
    /// Packets that left for there, and their bytes.
    packets_out: u64,
    bytes_out: u64,
    /// Allocations of memory; none where they are not counted.
    allocations: Option<u64>,
    allocated: Option<u64>,
}

impl From<&Spent> for Costs {
    fn from(spent: &Spent) -> Self {
        let Spent { cpu, packets_in, bytes_in, packets_out, bytes_out, allocations, allocated } = *spent;
        // To join allocates: where it did not, nobody counts.
        let counted = |count: u64| (allocations > 0).then_some(count);
        Self {
            // Microseconds are what it is good for.
            cpu_ms: cpu.as_micros() as f64 / 1e3,
            packets_in,
            bytes_in,
            packets_out,
            bytes_out,
            allocations: counted(allocations),
            allocated: counted(allocated),
        }
    }
}

/// What all cost, and which rooms cost most: as many as the host names, each for as long as somebody is in it.
pub(crate) fn encode(encoder: &mut DescriptorEncoder<'_>, host: &HostCounters) -> Result<(), fmt::Error> {
    for (name, help, time) in [
        ("media_cpu_seconds", "Processor time of the media threads", host.cpu),
        (
            "rooms_cpu_seconds",
            "What of it was for rooms and people; the rest is the threads' own",
            host.spent.cpu,
        ),
    ] {
        let counter = seconds(time);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
    }
    type Of = fn(&Spent) -> u64;
    let counts: [(&str, &str, &str, Of); 6] = [
        ("rooms_packets_in", "room_packets_in", "Packets of media and reports that came", |s| s.packets_in),
        ("rooms_bytes_in", "room_bytes_in", "Their bytes, without IP's and UDP's headers", |s| s.bytes_in),
        ("rooms_packets_out", "room_packets_out", "Packets of media and reports that left", |s| {
            s.packets_out
        }),
        ("rooms_bytes_out", "room_bytes_out", "Their bytes, without IP's and UDP's headers", |s| s.bytes_out),
        ("rooms_allocations", "room_allocations", "Allocations; 0 where nobody counts them", |s| {
            s.allocations
        }),
        ("rooms_allocated_bytes", "room_allocated_bytes", "Bytes that they asked for", |s| s.allocated),
    ];
    // A name that is none of ours is another program's, and could hold what may not stand in a label.
    let named = |one: &&RoomSpent| RoomName::parse(&one.room).is_some();
    let rooms: Vec<(&str, &RoomSpent)> =
        host.dearest.iter().filter(named).map(|one| (one.room.as_str(), one)).collect();
    for (all, each, help, of) in counts {
        let counter = ConstCounter::new(of(&host.spent));
        counter.encode(encoder.encode_descriptor(all, help, None, counter.metric_type())?)?;
        let mut family = encoder.encode_descriptor(each, help, None, MetricType::Counter)?;
        for (name, one) in &rooms {
            ConstCounter::new(of(&one.spent)).encode(family.encode_family(&[("room", *name)])?)?;
        }
    }
    let help = "Processor time of the media threads by room";
    let mut family = encoder.encode_descriptor("room_cpu_seconds", help, None, MetricType::Counter)?;
    for (name, one) in &rooms {
        seconds(one.spent.cpu).encode(family.encode_family(&[("room", *name)])?)?;
    }
    let mut family =
        encoder.encode_descriptor("room_people", "Participants by room", None, MetricType::Gauge)?;
    for (name, one) in &rooms {
        let people = i64::try_from(one.participants).unwrap_or(i64::MAX);
        ConstGauge::new(people).encode(family.encode_family(&[("room", *name)])?)?;
    }
    let help = "Processor time by shard";
    let mut family = encoder.encode_descriptor("shard_cpu_seconds", help, None, MetricType::Counter)?;
    for shard in &host.shards {
        seconds(shard.cpu).encode(family.encode_family(&[("shard", shard.shard)])?)?;
    }
    Ok(())
}

fn seconds(time: Duration) -> ConstCounter<f64> {
    ConstCounter::new(time.as_secs_f64())
}
