//! What a run showed.

use crate::client::{Client, State};
use crate::figures::Samples;
use crate::{Fleet, Histogram};
use serde::Serialize;
use std::time::{Duration, Instant};
use str0m::media::MediaKind;

/// Everything that is printed. Times of delay and joining are milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Rooms, and people in each.
    pub rooms: usize,
    /// People in each room.
    pub people: usize,
    /// How many of them send.
    pub publishers: usize,
    /// Clients that had a connection when it was measured.
    pub connected: usize,
    /// Who failed, and why.
    pub failures: Vec<String>,
    /// How long it was measured.
    pub seconds: f64,
    /// Of sound.
    pub sound: Stream,
    /// Of pictures.
    pub picture: Stream,
    /// Packets of speech that came, in percent of those that others of the room sent.
    pub speech_heard_percent: f64,
    /// What was cut off the beginning of each turn of speech, for each who heard any of it.
    pub speech_cut: Spread,
    /// Of tiles.
    pub tiles: Tiles,
    /// Of requests for key frames.
    pub keys: Keys,
    /// Of arrivals.
    pub join: Join,
    /// Of the server, where it can be seen.
    pub server: Option<Server>,
    /// Of this tool.
    pub ours: Ours,
}

/// Packets of one kind, over all slots.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stream {
    /// Packets that were to come, by the sequence numbers of each slot.
    pub expected: u64,
    /// Packets that came, repaired ones included.
    pub received: u64,
    /// The rest.
    pub lost: u64,
    /// The rest, in percent.
    pub lost_percent: f64,
    /// The most that one slot lost, in percent.
    pub worst_lost_percent: f64,
    /// From the publisher's socket to the receiver's.
    pub delay: Spread,
}

/// How a duration is spread, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    /// Half are below.
    pub p50: f64,
    /// 95 % are below.
    pub p95: f64,
    /// 99 % are below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// How many there are.
    pub count: u64,
}

/// What tiles showed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Tiles {
    /// Tiles that showed anything.
    pub shown: usize,
    /// Frames that came whole and could be decoded, per second and tile: half of the tiles show more.
    pub median_fps: f64,
    /// Of the tile that showed the fewest.
    pub worst_fps: f64,
    /// Frames that came whole and could be decoded.
    pub frames: u64,
    /// Key frames among them.
    pub keys: u64,
    /// Frames that came in part, or refer to one that did not come.
    pub broken: u64,
    /// Changes of the person or encoding in a tile.
    pub switches: u64,
    /// Tiles that stood still for more than a second though there was somebody to show.
    pub stood_still: usize,
    /// How often they did.
    pub stills: u64,
    /// For how long at most, in seconds.
    pub longest_still: f64,
}

/// Requests for key frames.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Keys {
    /// That receivers made of the server.
    pub by_receivers: u64,
    /// That the server made of publishers.
    pub of_publishers: u64,
    /// Per encoding and minute.
    pub per_source_and_minute: f64,
    /// The most of one encoding.
    pub most: u64,
    /// Which one.
    pub most_of: String,
    /// The shortest time between two requests for one encoding, in milliseconds; absent where none was asked twice.
    pub closest_ms: Option<f64>,
}

/// How long it took from the connect call on, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Join {
    /// Until the answer was there.
    pub answered: Took,
    /// Until keys were agreed.
    pub connected: Took,
    /// Until the first packet of sound, where somebody was there before.
    pub first_sound: Took,
    /// Until the first whole key frame, where somebody was there before.
    pub first_picture: Took,
}

/// A median and a worst one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Took {
    /// Half took less.
    pub median: f64,
    /// The longest.
    pub worst: f64,
    /// How many there are.
    pub count: usize,
}

/// What the server spent in the measured time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Server {
    /// Processor time of all its threads.
    pub cpu_seconds: Option<f64>,
    /// That, in percent of one core.
    pub cpu_percent: Option<f64>,
    /// Datagrams that left it: by its metrics, else the ones that came to us.
    pub datagrams_out: f64,
    /// Whether that is by its metrics.
    pub datagrams_by_metrics: bool,
    /// Processor time per datagram that left it.
    pub cpu_micros_per_datagram: Option<f64>,
    /// Datagrams per message to the kernel, one of several being a run that the kernel cuts up; where the metrics count them.
    pub datagrams_per_run: Option<f64>,
    /// The metric that counts runs, behind a slash after the one that counts the datagrams in them where that is not all.
    pub runs_metric: String,
    /// Turns of its loop, where the metrics count them.
    pub turns: Option<f64>,
    /// Resident memory before anybody came.
    pub resident_bytes_before: Option<u64>,
    /// Resident memory at the end.
    pub resident_bytes: Option<u64>,
    /// The difference, per person.
    pub bytes_per_person: Option<f64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Datagrams that the kernel dropped before the server fetched them.
    pub dropped_at_its_socket: Option<u64>,
    /// All its metrics that changed, by how much.
    pub metrics: Samples,
}

/// What this tool spent, so that one sees whether it was the bottleneck.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ours {
    /// Processor time.
    pub cpu_seconds: Option<f64>,
    /// That, in percent of one core.
    pub cpu_percent: Option<f64>,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Media packets sent.
    pub packets_out: u64,
    /// How much later than due packets left.
    pub lateness: Spread,
    /// How long a turn of the loop took.
    pub turn: Spread,
    /// Datagrams that the kernel dropped before we fetched them.
    pub dropped_at_our_sockets: u64,
    /// Datagrams that the kernel refused to send.
    pub refused: u64,
    /// Why it refused the last one.
    pub refusal: Option<String>,
    /// Media packets that nobody of this run sent.
    pub strange: u64,
}

impl Spread {
    fn of(h: &Histogram) -> Self {
        let at = |share| millis(h.quantile(share));
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: millis(h.worst()), count: h.len() }
    }
}

impl Took {
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut all: Vec<Duration> = durations.collect();
        all.sort_unstable();
        let median = all.get(all.len() / 2).copied().unwrap_or_default();
        Self {
            median: millis(median),
            worst: millis(all.last().copied().unwrap_or_default()),
            count: all.len(),
        }
    }
}

impl Report {
    pub(crate) fn of(fleet: &Fleet, measured: Duration, server: Option<Server>, ours: Ours) -> Self {
        let seconds = measured.as_secs_f64().max(1e-3);
        let (plan, tally) = (&fleet.plan, &fleet.tally);
        let listeners =
            fleet.clients.iter().filter(|c| c.state == State::Connected && c.role.audio_slots > 0);
        let speech: (u64, u64) = listeners.fold((0, 0), |sum, c| {
            let all = tally.speech.get(c.role.room).copied().unwrap_or_default();
            // Who sends and receives by two sessions hears himself, too.
            (sum.0 + c.ears().speech, sum.1 + all.saturating_sub(c.media.speech_sent))
        });
        let mut report = Self {
            rooms: plan.rooms,
            people: plan.people,
            publishers: plan.publishers,
            connected: fleet.clients.iter().filter(|c| c.state == State::Connected).count(),
            failures: fleet.failures().collect(),
            seconds,
            sound: Stream::of(&fleet.clients, MediaKind::Audio, &tally.delay_sound),
            picture: Stream::of(&fleet.clients, MediaKind::Video, &tally.delay_picture),
            speech_heard_percent: percent(speech.0, speech.1),
            speech_cut: Spread::of(&tally.cut),
            tiles: Tiles::of(&fleet.clients, seconds),
            keys: Keys::of(&fleet.clients, seconds),
            join: Join::of(&fleet.clients),
            server,
            ours: Ours {
                cpu_percent: ours.cpu_seconds.map(|cpu| cpu / seconds * 100.0),
                datagrams_in: tally.datagrams,
                packets_out: tally.sent,
                lateness: Spread::of(&tally.lateness),
                turn: Spread::of(&fleet.turns_taken),
                refused: tally.refused,
                refusal: tally.refusal.clone(),
                strange: tally.strange,
                ..ours
            },
        };
        let people = (plan.rooms * plan.people) as f64;
        if let Some(server) = report.server.as_mut() {
            server.complete(seconds, people, tally.datagrams);
        }
        report
    }
}

/// What a room of people needs.
const LOST_PERCENT: f64 = 0.1;
/// A server asks one encoding for a key frame no more often, less what the way may take.
const KEYS_APART_MS: f64 = 200.0 - 10.0;

impl Report {
    /// Where it fell short of what a room of people needs: a sentence for each.
    pub fn shortcomings(&self) -> Vec<String> {
        let mut all: Vec<String> = self.failures.iter().map(|why| format!("failed: {why}")).collect();
        if self.connected == 0 {
            all.push("nobody was connected".to_owned());
        }
        for (kind, stream) in [("sound", &self.sound), ("picture", &self.picture)] {
            if stream.lost_percent >= LOST_PERCENT {
                all.push(format!("{kind}: {:.3} % of the packets were lost", stream.lost_percent));
            }
        }
        if self.tiles.stood_still > 0 {
            all.push(format!("{} pictures stood still", self.tiles.stood_still));
        }
        if let Some(ms) = self.keys.closest_ms.filter(|ms| *ms < KEYS_APART_MS) {
            all.push(format!("key frames of one encoding were asked for {ms:.0} ms apart"));
        }
        all
    }
}

impl Stream {
    fn of(clients: &[Client], kind: MediaKind, delay: &Histogram) -> Self {
        let (mut expected, mut received, mut worst) = (0, 0, 0.0_f64);
        for came in clients.iter().map(|c| c.ears().came(kind)) {
            expected += came.expected;
            received += came.received;
            worst = worst.max(came.worst * 100.0);
        }
        let lost = expected.saturating_sub(received);
        Self {
            expected,
            received,
            lost,
            lost_percent: percent(lost, expected),
            worst_lost_percent: worst,
            delay: Spread::of(delay),
        }
    }
}

impl Tiles {
    fn of(clients: &[Client], seconds: f64) -> Self {
        let mut all = Self::default();
        let mut fps: Vec<f64> = Vec::new();
        for picture in clients.iter().flat_map(|c| c.ears().pictures()) {
            let counts = picture.counts;
            if counts.frames > 0 || counts.stills > 0 {
                fps.push(counts.frames as f64 / seconds);
            }
            all.frames += counts.frames;
            all.keys += counts.keys;
            all.broken += counts.broken;
            all.switches += counts.switches;
            all.stood_still += usize::from(counts.stills > 0);
            all.stills += counts.stills;
            all.longest_still = all.longest_still.max(counts.longest.as_secs_f64());
        }
        fps.sort_unstable_by(f64::total_cmp);
        all.shown = fps.len();
        all.median_fps = fps.get(fps.len() / 2).copied().unwrap_or_default();
        all.worst_fps = fps.first().copied().unwrap_or_default();
        all
    }
}

impl Keys {
    fn of(clients: &[Client], seconds: f64) -> Self {
        let mut all = Self::default();
        let mut sources = 0;
        for client in clients {
            all.by_receivers += client.ears().pictures().map(|p| p.counts.asked).sum::<u64>();
            sources += client.role.encodings;
            for (rid, asked) in &client.keys_asked {
                all.of_publishers += asked.times;
                let closest = asked.closest.map(millis);
                all.closest_ms = [all.closest_ms, closest].into_iter().flatten().min_by(f64::total_cmp);
                if asked.times > all.most {
                    all.most = asked.times;
                    all.most_of = format!("{}/{rid}", client.role.name);
                }
            }
        }
        all.per_source_and_minute = all.of_publishers as f64 / sources.max(1) as f64 / seconds * 60.0;
        all
    }
}

impl Join {
    fn of(clients: &[Client]) -> Self {
        let took = |until: fn(&Client) -> Option<Instant>| {
            let since = move |c: &Client| until(c).map(|at| at.saturating_duration_since(c.arrival.began));
            Took::of(clients.iter().filter_map(since))
        };
        Self {
            answered: took(|c| c.arrival.answered),
            connected: took(|c| c.arrival.connected),
            first_sound: took(|c| c.ears().first_sound.filter(|_| c.arrival.company)),
            first_picture: took(|c| c.ears().first_picture.filter(|_| c.arrival.company)),
        }
    }
}

impl Server {
    fn complete(&mut self, seconds: f64, people: f64, came: u64) {
        let counter = |name: &str| {
            let of = |sample: &&String| {
                sample.split(['{', ' ']).next().is_some_and(|n| n.trim_end_matches("_total") == name)
            };
            let found: Vec<f64> =
                self.metrics.iter().filter(|(sample, _)| of(sample)).map(|s| *s.1).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>())
        };
        let out = counter("salon_datagrams_out");
        let (in_runs, runs) = match self.runs_metric.split_once('/') {
            Some((datagrams, runs)) => (counter(datagrams), counter(runs)),
            None => (out, counter(&self.runs_metric)),
        };
        let turns = counter("salon_turns");
        self.datagrams_by_metrics = out.is_some();
        self.datagrams_out = out.unwrap_or(came as f64);
        self.datagrams_per_run =
            in_runs.zip(runs).filter(|(_, runs)| *runs > 0.0).map(|(datagrams, runs)| datagrams / runs);
        self.turns = turns;
        self.cpu_percent = self.cpu_seconds.map(|cpu| cpu / seconds * 100.0);
        self.cpu_micros_per_datagram = self.cpu_seconds.map(|cpu| cpu * 1e6 / self.datagrams_out.max(1.0));
        self.bytes_per_person = self
            .resident_bytes
            .zip(self.resident_bytes_before)
            .map(|(after, before)| after.saturating_sub(before) as f64 / people);
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_measured_by_what_left_it_or_else_by_what_came() {
        let mut server = Server {
            cpu_seconds: Some(3.0),
            resident_bytes_before: Some(10 << 20),
            resident_bytes: Some(40 << 20),
            runs_metric: "salon_runs_out".to_owned(),
            ..Server::default()
        };
        server.complete(60.0, 30.0, 1_000_000);
        assert_eq!((server.cpu_micros_per_datagram, server.cpu_percent), (Some(3.0), Some(5.0)));
        assert_eq!((server.bytes_per_person, server.datagrams_per_run), (Some(f64::from(1 << 20)), None));
        let metrics = [
            ("salon_datagrams_out_total", 1_500_000.0),
            ("salon_runs_out_total", 500_000.0),
            ("salon_turns_total", 9.0),
        ];
        server.metrics = metrics.map(|(name, by)| (name.to_owned(), by)).into();
        server.complete(60.0, 30.0, 1_000_000);
        assert_eq!(server.cpu_micros_per_datagram, Some(2.0));
        assert_eq!((server.datagrams_per_run, server.turns), (Some(3.0), Some(9.0)));
        server.runs_metric = "salon_turns/salon_runs_out".to_owned();
        server.complete(60.0, 30.0, 1_000_000);
        assert_eq!(server.datagrams_per_run, Some(9.0 / 500_000.0));
    }

    #[test]
    fn what_a_room_does_not_bear_is_a_shortcoming() {
        let mut report = Report { connected: 30, ..Report::default() };
        report.keys.closest_ms = Some(199.0);
        assert_eq!(report.shortcomings(), [""; 0]);
        report.sound.lost_percent = 0.2;
        report.keys.closest_ms = Some(40.0);
        report.tiles.stood_still = 2;
        report.failures.push("load-1-1: gone".to_owned());
        assert_eq!(report.shortcomings().len(), 4);
    }

    #[test]
    fn a_median_and_a_worst_one() {
        let took = Took::of([30, 10, 20].map(Duration::from_millis).into_iter());
        assert_eq!((took.median, took.worst, took.count), (20.0, 30.0, 3));
        assert_eq!(Took::of(std::iter::empty()).worst, 0.0);
    }
}
