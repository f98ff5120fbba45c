//! A whole run: they come, it settles, it is measured, they leave.

use crate::figures::{Figures, Reading, dropped, growth};
use crate::report::{Ours, Report, Server};
use crate::{Error, Fleet, Plan};
use std::time::{Duration, Instant};

/// How long a run's parts take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// All must have come so long after the last one began to.
    pub patience: Duration,
    /// Then nothing is measured for so long.
    pub settle: Duration,
    /// And then everything for so long.
    pub measure: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(20),
            settle: Duration::from_secs(3),
            measure: Duration::from_secs(60),
        }
    }
}

/// After the measured time, what was sent in it may still come for so long.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// Who has not left after so long is not waited for.
const FAREWELL: Duration = Duration::from_secs(2);
/// A turn of the loop waits no longer than this, so that the parts of a run end in time.
const TURN: Duration = Duration::from_millis(50);

/// Runs a plan and says what came of it. `tell` hears what happens meanwhile, in short sentences.
pub fn run(
    plan: Plan,
    timing: Timing,
    figures: &Figures,
    tell: &mut dyn FnMut(&str),
) -> Result<Report, Error> {
    let resident_before = figures.check()?.map(|process| process.resident);
    let clients = plan.rooms * plan.people * 2;
    let arrivals = plan.join_every * u32::try_from(clients).unwrap_or(u32::MAX);
    let mut fleet = Fleet::new(plan)?;
    let begun = Instant::now();
    let until = begun + arrivals + timing.patience;
    while !fleet.all_are_here() && Instant::now() < until {
        fleet.turn(TURN)?;
    }
    let failures = fleet.failures().count();
    tell(&format!("{} clients are there, {failures} failed", fleet.clients.len().saturating_sub(failures)));
    spend(&mut fleet, timing.settle)?;
    let ports = fleet.ports();
    let drops = || (dropped(&ports.0), dropped(&ports.1));
    fleet.measure();
    let (first, drops_before) = (figures.read(), drops());
    let begun = Instant::now();
    tell(&format!("measuring for {} s", timing.measure.as_secs()));
    spend(&mut fleet, timing.measure)?;
    let measured = begun.elapsed();
    fleet.close();
    let (last, drops_after) = (figures.read(), drops());
    spend(&mut fleet, AFTERWARDS)?;
    let ours = ours(&first, &last, drops_after.0.saturating_sub(drops_before.0));
    let mut server = server(first, last, resident_before, drops_after.1.saturating_sub(drops_before.1))?;
    server.runs_metric = figures.runs.clone();
    let server = Some(server).filter(|_| figures.pid.is_some() || figures.metrics.is_some());
    let report = Report::of(&fleet, measured, server, ours);
    fleet.leave();
    let until = Instant::now() + FAREWELL;
    while !fleet.is_empty() && Instant::now() < until {
        fleet.turn(TURN)?;
    }
    Ok(report)
}

fn spend(fleet: &mut Fleet, time: Duration) -> Result<(), Error> {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        fleet.turn(left.min(TURN))?;
    }
}

fn ours(first: &Reading, last: &Reading, dropped: u64) -> Ours {
    let cpu = first.own.zip(last.own).map(|(a, b)| b.cpu.saturating_sub(a.cpu).as_secs_f64());
    Ours { cpu_seconds: cpu, dropped_at_our_sockets: dropped, ..Ours::default() }
}

fn server(
    first: Reading,
    last: Reading,
    resident_before: Option<u64>,
    dropped: u64,
) -> Result<Server, Error> {
    let cpu = first.process.zip(last.process).map(|(a, b)| b.cpu.saturating_sub(a.cpu).as_secs_f64());
    let (resident, threads) = last.process.map(|p| (p.resident, p.threads)).unzip();
    let grown = match (first.samples()?, last.samples()?) {
        (Some(before), Some(after)) => growth(&before, &after),
        _ => Default::default(),
    };
    Ok(Server {
        cpu_seconds: cpu,
        resident_bytes_before: resident_before,
        resident_bytes: resident,
        threads,
        dropped_at_its_socket: cpu.map(|_| dropped),
        metrics: grown,
        ..Server::default()
    })
}
