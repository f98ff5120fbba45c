//! What a packet costs from socket to socket, ours beside a plain loop over str0m, in one run.
//!
//! `cargo bench -p salon-benches --bench whole_path`, or with the names of sections behind `--`. Everything is on one machine: the packets go
//! over the loopback, where the sender's system call also does the receiver's part, until the packet stands in the receiver's
//! queue. That is in the figures of both.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use salon_benches::cpu;
use salon_benches::{Clip, Crowd, Forwarded, Forwarder, Ours, Plain, Role, Shape, socket};
use salon_rtp::Ssrc;
use salon_udp::Offload;

fn main() {
    let asked: Vec<_> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let sections: [(&str, fn()); 6] = [
        ("paced", paced),
        ("conferences", conferences),
        ("saturation", saturation),
        ("shards", shards),
        ("passing", passing),
        ("rooms", rooms),
    ];
    for (name, section) in sections {
        if asked.is_empty() || asked.iter().any(|a| a == name) {
            section();
        }
    }
}

/// Packets of a frame come in a row; viewers read what comes.
fn paced() {
    println!("\npaced: a camera of 2.5 Mbit/s, 270 packets/s, to all viewers; CPU µs per packet that left");
    println!("viewers' machines        |     salon  (run) |     str0m |  ratio");
    for viewers in [20, 100] {
        for (offload, how) in [(Offload::Auto, "take runs whole"), (Offload::Off, "get packets")] {
            let ours = camera(Box::new(one_shard()), viewers, Shape::CAMERA, 4, offload);
            let plain = camera(Box::new(Plain::new()), viewers, Shape::CAMERA, 4, offload);
            println!(
                "1 → {viewers:<3} {how:16} | {:6.2} µs ({:4.1}) | {:6.2} µs |  {:5.2}",
                ours.micros(),
                ours.run(),
                plain.micros(),
                ours.micros() / plain.micros()
            );
        }
    }
}

/// Rooms of people who all send and receive, as an evening has them: packets come one by one, from everybody in turn.
fn conferences() {
    println!("\nconferences: everybody sends and receives; CPU µs per packet that left");
    println!(
        "                                                       |     salon  (run) |     str0m |  ratio"
    );
    for (what, plan) in [
        ("10 rooms of 10, three of each talk", Conference { rooms: 10, people: 10, pictures: false }),
        ("6 rooms of 6, three talk, all are seen", Conference { rooms: 6, people: 6, pictures: true }),
    ] {
        for (offload, how) in [(Offload::Auto, "runs whole"), (Offload::Off, "packets")] {
            // In turn, for what else the machine does, and how fast it runs, changes from minute to minute; the middle one of three.
            let mut ours = Vec::new();
            let mut plain = Vec::new();
            for _ in 0..3 {
                ours.push(plan.hold(Box::new(one_shard()), offload));
                plain.push(plan.hold(Box::new(Plain::new()), offload));
            }
            let [ours, plain] = [ours, plain].map(|mut all| {
                all.sort_by(|a, b| a.micros().total_cmp(&b.micros()));
                all.swap_remove(1)
            });
            println!(
                "{what:38} | {how:12} | {:6.2} µs ({:4.1}) | {:6.2} µs |  {:5.2}   ({:.0} and {:.0} packets/s out, {:.2} and {:.2} % missing)",
                ours.micros(),
                ours.run(),
                plain.micros(),
                ours.micros() / plain.micros(),
                ours.left as f64 / ours.took.as_secs_f64(),
                plain.left as f64 / plain.took.as_secs_f64(),
                100.0 * ours.loss(),
                100.0 * plain.loss(),
            );
        }
    }
}

/// So many rooms of so many people; the first three of each talk, and with pictures each is seen by all others at 360 lines.
#[derive(Clone, Copy)]
struct Conference {
    rooms: usize,
    people: usize,
    pictures: bool,
}

impl Conference {
    const TALK: usize = 3;

    fn hold(self, mut forwarder: Box<dyn Forwarder>, offload: Offload) -> Outcome {
        let mut crowd = Crowd::new(&*forwarder);
        let mut sources = Vec::new();
        for room in 0..self.rooms {
            for place in 0..self.people {
                let role = Role {
                    voice: (place < Self::TALK).then_some(Ssrc(8)),
                    picture: self.pictures.then_some(Ssrc(7)),
                    hears: Self::TALK,
                    sees: if self.pictures { self.people - 1 } else { 0 },
                };
                let who = crowd.join_as(&mut *forwarder, room, role, socket(offload));
                sources.extend(role.voice.map(|_| (who, Shape::VOICE)));
                sources.extend(role.picture.map(|_| (who, Shape::SMALL)));
            }
        }
        forwarder.start();
        crowd.connect();
        crowd.stay();
        crowd.read();
        let threads = forwarder.threads();
        let mut clips = |seconds| -> Vec<_> {
            let time = Duration::from_secs(seconds);
            sources.iter().map(|&(who, shape)| (who, crowd.record(who, shape, time))).collect()
        };
        let (warm, all) = (clips(2), clips(5));
        crowd.play_all(&warm, Duration::ZERO);
        let before = (forwarder.forwarded(), threads.time());
        let took = crowd.play_all(&all, Duration::ZERO);
        std::thread::sleep(Duration::from_millis(10));
        let after = (forwarder.forwarded(), threads.time());
        let sent = all.iter().map(|(_, clip)| clip.len()).sum();
        Outcome::of((before.0, &before.1), (after.0, &after.1), took, sent, self.people - 1)
    }
}

/// The rate is raised until one packet in a thousand has not left when the last one has come. Viewers read nothing: two cores
/// are too few for that.
fn saturation() {
    println!("\nsaturation: 1 → 100 on one thread, highest rate at which 99.9 % has left when all has come");
    for offload in [Offload::Auto, Offload::Off] {
        let most = |forwarder: fn() -> Box<dyn Forwarder>, mut rate: f64| {
            let mut best = None;
            let mut step = 1.3;
            // Up until it is too much, then half a step back, twice.
            for _ in 0..12 {
                let outcome = camera(forwarder(), 100, Shape::CAMERA.at(rate as u32), 2, offload);
                let carried = outcome.loss() <= 0.001;
                if carried {
                    best = Some(outcome);
                } else if step < 1.1 {
                    break;
                } else {
                    rate /= step;
                    step = f64::sqrt(step);
                }
                rate *= step;
            }
            best.unwrap()
        };
        let ours = most(|| Box::new(one_shard()), 3_000.0);
        let plain = most(|| Box::new(Plain::new()), 800.0);
        for (name, o) in [("salon", &ours), ("str0m", &plain)] {
            println!(
                "{name}, viewers {offload:?}: {:7.0} packets/s out, {:.2} % lost, {:.2} µs each (run {:.1}), {:.0} % of a core",
                o.left as f64 / o.took.as_secs_f64(),
                100.0 * o.loss(),
                o.micros(),
                o.run(),
                100.0 * o.share()
            );
        }
        let ratio =
            (ours.left as f64 / ours.took.as_secs_f64()) / (plain.left as f64 / plain.took.as_secs_f64());
        println!(
            "viewers {offload:?}: {ratio:.2} times as much; by CPU time {:.2}",
            plain.micros() / ours.micros()
        );
    }
}

/// One room on one shard, then two rooms on two, as much as they take: what is sent follows what has come, so that nothing
/// is lost, and costs the generator a few percent of a core.
fn shards() {
    println!("\nshards: 1 → 100 in each room, as much as is taken");
    println!(
        "A shard's capacity is what it forwards per second of its own thread's time: what it carries on a core of its own."
    );
    let mut single = 0.0;
    for (n, astray, how) in [
        (1, false, "one room on one shard"),
        (2, false, "two rooms on two shards"),
        (2, true, "the same, all comes to the wrong socket"),
    ] {
        let mut ours = Ours::new(|c| c.shards = n);
        let mut crowd = Crowd::new(&ours);
        let who: Vec<_> = (0..n)
            .map(|room| {
                let lands = if astray { 1 - room } else { room };
                let from = ours.socket_to(lands, Offload::Off);
                let who = crowd.join(&mut ours, room, Some(Ssrc(7)), from);
                for _ in 0..100 {
                    crowd.join(&mut ours, room, None, socket(Offload::Auto));
                }
                who
            })
            .collect();
        crowd.connect();
        crowd.stay();
        let threads = ours.threads();
        let shape = Shape::CAMERA.at(20_000);
        let mut clips = |millis| -> Vec<_> {
            who.iter().map(|&w| (w, crowd.record(w, shape, Duration::from_millis(millis)))).collect()
        };
        // The first is played to its end, so that no number is missing before the second.
        let (warm, all) = (clips(200), clips(3_000));
        let came = |base: Vec<u64>| {
            let ours = &ours;
            move || -> Vec<usize> {
                ours.counters().shards.iter().zip(&base).map(|(s, b)| (s.rtp_in - b) as usize).collect()
            }
        };
        let base = || ours.counters().shards.iter().map(|s| s.rtp_in).collect::<Vec<_>>();
        crowd.flood(&warm, 400, Duration::from_secs(60), came(base()));
        let before = (ours.counters(), threads.time(), cpu::own());
        let took = crowd.flood(&all, 400, Duration::from_secs(3), came(base()));
        let after = (ours.counters(), threads.time(), cpu::own());
        let mut capacity = 0.0;
        let mut line = String::new();
        for i in 0..n {
            let left = after.0.shards[i].rtp_out - before.0.shards[i].rtp_out;
            let cpu = (after.1[i] - before.1[i]).as_secs_f64();
            capacity += left as f64 / cpu;
            line += &format!(
                "  shard {i}: {left} left, {:.3} µs each, {:.0} % of the time on a core;",
                cpu * 1e6 / left as f64,
                100.0 * cpu / took.as_secs_f64()
            );
        }
        if n == 1 {
            single = capacity;
        }
        let left = after.0.rooms.rtp_out - before.0.rooms.rtp_out;
        let generator = after.2 - before.2;
        println!(
            "{how}: {:.0} packets/s by the wall's clock, capacity {capacity:.0}, that is {:.2} × one; {} of {} handed on, {} lost; generator {:.0} %",
            left as f64 / took.as_secs_f64(),
            capacity / single,
            after.0.passed_on - before.0.passed_on,
            after.0.rooms.rtp_in - before.0.rooms.rtp_in,
            after.0.undelivered,
            100.0 * generator.as_secs_f64() / took.as_secs_f64()
        );
        println!("{line}");
    }
}

/// A small room, in which handing on weighs most: both shards at rest but for this, and one with as much as it takes.
fn passing() {
    println!("\npassing: 1 → 4 on two shards; CPU µs of both threads per packet that came");
    for rate in [1_000, 10_000, 100_000] {
        let cost = [0, 1].map(|lands| {
            let ours = Ours::new(|c| c.shards = 2);
            let from = ours.socket_to(lands, Offload::Off);
            let o = play(Box::new(ours), 4, Shape::CAMERA.at(rate), 2, Offload::Auto, from);
            o.cpu.as_secs_f64() * 1e6 / o.came as f64
        });
        let [right, wrong] = cost;
        println!(
            "{rate:>7} packets/s: {right:.2} µs by the right socket, {wrong:.2} µs by the wrong one: {:+.2} µs",
            wrong - right
        );
    }
}

/// Rooms as there are many: under load turns are held apart, and runs grow.
fn rooms() {
    println!(
        "\nrooms: 1 → 20 in each, a camera of 2.5 Mbit/s whose frames take 4 ms to come in, on one shard"
    );
    for n in [2, 5, 10, 20, 40] {
        let mut ours = one_shard();
        let mut crowd = Crowd::new(&ours);
        let who: Vec<_> = (0..n)
            .map(|room| {
                let who = crowd.join(&mut ours, room, Some(Ssrc(7)), socket(Offload::Off));
                for _ in 0..20 {
                    crowd.join(&mut ours, room, None, socket(Offload::Auto));
                }
                who
            })
            .collect();
        crowd.connect();
        crowd.stay();
        let threads = ours.threads();
        let mut clips = |seconds| -> Vec<_> {
            who.iter().map(|&w| (w, crowd.record(w, Shape::CAMERA, Duration::from_secs(seconds)))).collect()
        };
        let (warm, all) = (clips(1), clips(3));
        let spread = Duration::from_millis(4);
        crowd.play_all(&warm, spread);
        let before = (ours.forwarded(), threads.time(), ours.counters());
        let took = crowd.play_all(&all, spread);
        let after = (ours.forwarded(), threads.time(), ours.counters());
        let o = Outcome::of(
            (before.0, &before.1),
            (after.0, &after.1),
            took,
            all.iter().map(|c| c.1.len()).sum(),
            20,
        );
        println!(
            "{n:3} rooms: {:5.1} % of a core, {:.2} µs per packet that left, run {:.1}, {:.0} turns/s, {:.2} % lost",
            100.0 * o.share(),
            o.micros(),
            o.run(),
            (after.2.turns - before.2.turns) as f64 / took.as_secs_f64(),
            100.0 * o.loss()
        );
    }
}

fn one_shard() -> Ours {
    Ours::new(|c| c.shards = 1)
}

/// What a stretch of time brought.
struct Outcome {
    came: u64,
    left: u64,
    messages: u64,
    cpu: Duration,
    took: Duration,
    /// Packets that were to leave.
    due: u64,
}

impl Outcome {
    fn of(
        before: (Forwarded, &[Duration]),
        after: (Forwarded, &[Duration]),
        took: Duration,
        sent: usize,
        viewers: usize,
    ) -> Self {
        let cpu = after.1.iter().zip(before.1).map(|(a, b)| *a - *b).sum();
        Self {
            came: after.0.came - before.0.came,
            left: after.0.left - before.0.left,
            messages: after.0.messages - before.0.messages,
            cpu,
            took,
            due: (sent * viewers) as u64,
        }
    }

    fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.left as f64
    }

    fn run(&self) -> f64 {
        self.left as f64 / self.messages as f64
    }

    fn loss(&self) -> f64 {
        1.0 - (self.left.min(self.due)) as f64 / self.due as f64
    }

    fn share(&self) -> f64 {
        self.cpu.as_secs_f64() / self.took.as_secs_f64()
    }
}

/// One camera to so many viewers, for so many seconds.
fn camera(
    forwarder: Box<dyn Forwarder>,
    viewers: usize,
    shape: Shape,
    seconds: u64,
    offload: Offload,
) -> Outcome {
    play(forwarder, viewers, shape, seconds, offload, socket(Offload::Off))
}

fn play(
    mut forwarder: Box<dyn Forwarder>,
    viewers: usize,
    shape: Shape,
    seconds: u64,
    offload: Offload,
    from: salon_udp::Socket,
) -> Outcome {
    let mut crowd = Crowd::new(&*forwarder);
    let ada = crowd.join(&mut *forwarder, 0, Some(Ssrc(7)), from);
    for _ in 0..viewers {
        crowd.join(&mut *forwarder, 0, None, socket(offload));
    }
    forwarder.start();
    crowd.connect();
    crowd.stay();
    if shape.rate() < 1_000 {
        crowd.read();
    }
    let threads = forwarder.threads();
    let warm = crowd.record(ada, shape, Duration::from_secs(1));
    let clip: Clip = crowd.record(ada, shape, Duration::from_secs(seconds));
    crowd.play(ada, &warm);
    let before = (forwarder.forwarded(), threads.time());
    let took = crowd.play(ada, &clip);
    // What stands in queues now has not been carried; a moment is granted to the last frame.
    std::thread::sleep(Duration::from_millis(10));
    let after = (forwarder.forwarded(), threads.time());
    Outcome::of((before.0, &before.1), (after.0, &after.1), took, clip.len(), viewers)
}
