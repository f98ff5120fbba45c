//! What is counted, for `/metrics`.

use crate::costs;
use crate::messages::{Code, Kind};
use crate::whip::Reason;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use salon_host::sfu::{DropReason, EgressDrop};
use salon_host::{HostCounters, JoinError, ShardCounters};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The counters and gauges of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    media: Media,
    pub(crate) connections: Gauge,
    pub(crate) refused_connections: Counter,
    pub(crate) refused_origins: Counter,
    pub(crate) refused_tokens: Counter,
    pub(crate) sockets: Gauge,
    pub(crate) sessions: Gauge,
    pub(crate) joins: Counter,
    pub(crate) rooms: Gauge,
    pub(crate) people: Gauge,
    messages: Family<[(&'static str, &'static str); 1], Counter>,
    errors: Family<[(&'static str, &'static str); 1], Counter>,
    refused_joins: Family<[(&'static str, &'static str); 1], Counter>,
    refused_sessions: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("salon"),
            media: Media::default(),
            connections: Gauge::default(),
            refused_connections: Counter::default(),
            refused_origins: Counter::default(),
            refused_tokens: Counter::default(),
            sockets: Gauge::default(),
            sessions: Gauge::default(),
            joins: Counter::default(),
            rooms: Gauge::default(),
            people: Gauge::default(),
            messages: Family::default(),
            errors: Family::default(),
            refused_joins: Family::default(),
            refused_sessions: Family::default(),
        };
        // All are there from the start: what never happened reads 0, and an alarm can be set on it.
        for code in Code::ALL {
            drop(metrics.errors.get_or_create(&[("code", code.name())]));
        }
        for kind in Kind::ALL {
            drop(metrics.messages.get_or_create(&[("type", kind.name())]));
        }
        for &reason in JoinError::NAMES {
            drop(metrics.refused_joins.get_or_create(&[("reason", reason)]));
        }
        for reason in Reason::ALL {
            drop(metrics.refused_sessions.get_or_create(&[("reason", reason.name())]));
        }
        let registry = &mut metrics.registry;
        registry.register("connections", "TCP connections now", metrics.connections.clone());
        registry.register(
            "connections_refused",
            "TCP connections refused as one too many",
            metrics.refused_connections.clone(),
        );
        registry.register(
            "origins_refused",
            "WebSockets refused to pages of other origins",
            metrics.refused_origins.clone(),
        );
        registry.register(
            "tokens_refused",
            "API requests refused for want of the token",
            metrics.refused_tokens.clone(),
        );
        registry.register("sockets", "WebSockets now", metrics.sockets.clone());
        registry.register("sessions", "WHIP and WHEP sessions now", metrics.sessions.clone());
        registry.register(
            "sessions_refused",
            "WHIP and WHEP requests refused by reason",
            metrics.refused_sessions.clone(),
        );
        registry.register("joins", "People who joined a room", metrics.joins.clone());
        registry.register(
            "joins_refused",
            "Joins and changes that the media threads refused, by reason",
            metrics.refused_joins.clone(),
        );
        registry.register("rooms", "Rooms with somebody in them", metrics.rooms.clone());
        registry.register("people", "People in rooms", metrics.people.clone());
        registry.register("messages", "Messages from clients by type", metrics.messages.clone());
        registry.register("errors", "Errors told to clients by code", metrics.errors.clone());
        registry.register_collector(Box::new(metrics.media.clone()));
        metrics
    }

    pub(crate) fn message(&self, kind: Kind) {
        self.messages.get_or_create(&[("type", kind.name())]).inc();
    }

    pub(crate) fn error(&self, code: Code) {
        self.errors.get_or_create(&[("code", code.name())]).inc();
    }

    pub(crate) fn refused_join(&self, error: JoinError) {
        self.refused_joins.get_or_create(&[("reason", error.name())]).inc();
    }

    pub(crate) fn refused_session(&self, reason: Reason) {
        self.refused_sessions.get_or_create(&[("reason", reason.name())]).inc();
    }

    /// The text that Prometheus reads, with what the media threads counted if they answered.
    pub(crate) fn text(&self, media: Option<HostCounters>) -> String {
        *self.media.0.lock().unwrap_or_else(PoisonError::into_inner) = media;
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The media threads' last totals.
#[derive(Debug, Clone, Default)]
struct Media(Arc<Mutex<Option<HostCounters>>>);

impl Collector for Media {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(host) = guard.as_ref() else { return Ok(()) };
        let room = &host.rooms;
        for (name, help, value) in [
            ("datagrams_in", "UDP datagrams received", host.datagrams_in),
            ("datagrams_out", "UDP datagrams that the kernel took", host.datagrams_out),
            ("datagrams_refused", "UDP datagrams that the kernel refused for good", host.refused),
            ("datagrams_oversized", "UDP datagrams received that were too long to take", host.oversized),
            ("unsealed", "Packets that the cipher refused to seal", host.unsealed),
            ("failed_rooms", "Rooms that ended by a fault of the server", host.failed_rooms),
            ("turns", "Turns of the media threads", host.turns),
            ("rests", "Turns after which a media thread rested, so that more came together", host.rests),
            (
                "runs_out",
                "Messages that the kernel took: runs of datagrams, and single ones",
                host.sent.messages,
            ),
            ("runs_out_joined", "Runs of two datagrams and more among them", host.sent.runs),
            ("runs_out_broken", "Runs that the kernel refused as one", host.sent.broken_runs),
            ("send_calls", "System calls to send", host.sent.calls),
            ("trains_in", "Runs of two datagrams and more that the kernel had joined", host.received.trains),
            ("trains_in_datagrams", "Datagrams in them", host.received.train_datagrams),
            ("receive_calls", "System calls to receive", host.received.calls),
            ("datagrams_passed_on", "Datagrams that one shard handed on to another", host.passed_on),
            ("datagrams_taken_over", "Those of them that the other took", host.taken_over),
            ("datagrams_undelivered", "Datagrams lost for want of room between shards", host.undelivered),
            ("datagrams_address_taken", "Checks from a path that is another shard's", host.address_taken),
            ("rtp_in", "RTP packets given to rooms", room.rtp_in),
            ("rtcp_in", "RTCP compounds given to rooms", room.rtcp_in),
            ("rtp_out", "Media packets that left rooms", room.rtp_out),
            ("rtx_out", "Repair packets that left rooms", room.rtx_out),
            ("rtcp_out", "RTCP compounds that left rooms", room.rtcp_out),
            ("media_bytes_out", "Payload bytes of media packets that left", room.bytes_out),
            ("rtx_bytes_out", "Payload bytes of repair packets that left", room.rtx_bytes_out),
            ("participants_visited", "Participants touched by packets and timeouts", room.visited),
            ("keyframes_asked", "Key frames asked of publishers", room.keys_asked),
            ("nacks_sent", "Missing packets asked of publishers", room.nacks_sent),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let dropped = DropReason::ALL.iter().map(|reason| (reason.name(), room.dropped(*reason)));
        by_reason(&mut encoder, "dropped", "Packets that came and went no further, by reason", dropped)?;
        let refused = host.transport.drops().map(|(reason, count)| (reason.name(), count));
        by_reason(
            &mut encoder,
            "datagrams_dropped",
            "Datagrams that the transport dropped, by reason",
            refused,
        )?;
        let unsent = EgressDrop::ALL.iter().map(|reason| (reason.name(), room.unsent(*reason)));
        by_reason(&mut encoder, "unsent", "Packets that were to be sent and were not, by reason", unsent)?;
        by_shard(&mut encoder, &host.shards)?;
        costs::encode(&mut encoder, host)
    }
}

/// How the work lies on the media threads; there are 64 of them at most.
fn by_shard(encoder: &mut DescriptorEncoder<'_>, shards: &[ShardCounters]) -> Result<(), fmt::Error> {
    let gauge = |count: u64| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
    let count = gauge(shards.len() as u64);
    count.encode(encoder.encode_descriptor("shards", "Media threads", None, MetricType::Gauge)?)?;
    for (name, help, of) in [
        ("shard_rooms", "Rooms now by shard", (|s| s.rooms_now) as fn(&ShardCounters) -> u64),
        ("shard_people", "Participants now by shard", |s| s.participants_now),
    ] {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for shard in shards {
            gauge(of(shard)).encode(family.encode_family(&[("shard", shard.shard)])?)?;
        }
    }
    for (name, help, of) in [
        (
            "shard_datagrams_in",
            "Datagrams received by shard",
            (|s| s.datagrams_in) as fn(&ShardCounters) -> u64,
        ),
        ("shard_datagrams_out", "Datagrams sent by shard", |s| s.datagrams_out),
        ("shard_turns", "Turns by shard", |s| s.turns),
        ("shard_rests", "Rests by shard", |s| s.rests),
    ] {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for shard in shards {
            ConstCounter::new(of(shard)).encode(family.encode_family(&[("shard", shard.shard)])?)?;
        }
    }
    Ok(())
}

fn by_reason(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'static str, u64)>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (reason, value) in values {
        let labels = [("reason", reason)];
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
