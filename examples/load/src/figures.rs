//! What a server spent: of its process by Linux' /proc, of its packets by its metrics.

use crate::http::fetch;
use crate::{Error, Trust, Url};
use std::collections::{BTreeMap, BTreeSet};
use std::thread::JoinHandle;
use std::time::Duration;

/// Clock ticks of /proc/PID/stat per second: part of the kernel's interface on all machines that Rust runs on.
const TICKS: u64 = 100;
/// Salon's counter of runs.
const RUNS: &str = "salon_runs_out";
/// How long a server may take to tell its metrics.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a server's figures stand.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Its process, on this machine.
    pub pid: Option<u32>,
    /// Its metrics, in Prometheus' text format, and the bearer token for them.
    pub metrics: Option<(String, Option<String>)>,
    /// Which of them counts the messages in which datagrams left: runs that the kernel cuts up, and single ones. Where another than
    /// all datagrams are in them, the metric that counts those and a slash come first.
    pub runs: String,
    /// Whose certificates are good.
    pub trust: Trust,
}

impl Default for Figures {
    /// None, and Salon's names.
    fn default() -> Self {
        Self { pid: None, metrics: None, runs: RUNS.to_owned(), trust: Trust::System }
    }
}

/// What a process has used so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Process {
    pub(crate) cpu: Duration,
    /// Bytes of memory that are in the machine now.
    pub(crate) resident: u64,
    pub(crate) threads: u64,
}

/// The figures of one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) process: Option<Process>,
    pub(crate) own: Option<Process>,
    metrics: Option<JoinHandle<Result<Samples, Error>>>,
}

/// The value of each sample, labels and all.
pub(crate) type Samples = BTreeMap<String, f64>;

impl Figures {
    /// Reads the process now, and lets a thread fetch the metrics meanwhile.
    pub(crate) fn read(&self) -> Reading {
        let Self { metrics, trust, .. } = self.clone();
        let metrics = metrics.map(|(url, token)| {
            std::thread::spawn(move || {
                let url = Url::parse(&url)?;
                let response = fetch(&url, token.as_deref(), &trust, PATIENCE)?;
                match response.status {
                    200 => Ok(samples(&response.body)),
                    status => Err(Error::Figures(url.to_string(), format!("the server says {status}"))),
                }
            })
        });
        Reading { process: self.pid.and_then(process), own: process(std::process::id()), metrics }
    }

    /// Whether they can be read at all: the process as it is now.
    pub(crate) fn check(&self) -> Result<Option<Process>, Error> {
        let reading = self.read();
        let process = reading.process;
        if let (Some(pid), None) = (self.pid, process) {
            return Err(Error::Figures(format!("/proc/{pid}"), "no such process".to_owned()));
        }
        reading.samples().map(|_| process)
    }
}

impl Reading {
    /// The metrics, when they have come; none where there is no address of them.
    pub(crate) fn samples(self) -> Result<Option<Samples>, Error> {
        let Some(thread) = self.metrics else { return Ok(None) };
        let gone = |_| Error::Figures("metrics".to_owned(), "the thread ended".to_owned());
        thread.join().map_err(gone)?.map(Some)
    }
}

/// What a process has used: /proc/PID/stat and status (proc(5)).
fn process(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Process {
        cpu: cpu(&stat)?,
        resident: field(&status, "VmRSS:")? * 1024,
        threads: field(&status, "Threads:")?,
    })
}

/// User and system time: the 14th and 15th fields; the second is a name in brackets, which may hold spaces.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS))
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Prometheus' text format: `name{labels} value`, and comments.
fn samples(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            // A label's value may hold spaces, what follows it may not.
            let at = line.rfind('}').map_or(0, |at| at + 1);
            let space = at + line.get(at..)?.find(' ')?;
            let (name, value) = line.split_at(space);
            Some((name.to_owned(), value.split_whitespace().next()?.parse().ok()?))
        })
        .collect()
}

/// What grew between two readings.
pub(crate) fn growth(before: &Samples, after: &Samples) -> Samples {
    let by = |(name, value): (&String, &f64)| (name.clone(), value - before.get(name).unwrap_or(&0.0));
    after.iter().map(by).filter(|(_, by)| *by != 0.0).collect()
}

/// How many datagrams the kernel dropped at these UDP ports of this machine because nobody fetched them in time (the last
/// column of /proc/net/udp).
pub(crate) fn dropped(ports: &BTreeSet<u16>) -> u64 {
    ["/proc/net/udp", "/proc/net/udp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .map(|text| drops(&text, ports))
        .sum()
}

fn drops(text: &str, ports: &BTreeSet<u16>) -> u64 {
    let of = |line: &str| {
        let mut fields = line.split_whitespace();
        let (_, port) = fields.nth(1)?.rsplit_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        ports.contains(&port).then(|| fields.last()?.parse::<u64>().ok()).flatten()
    };
    text.lines().skip(1).filter_map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_though_its_name_holds_spaces_and_brackets() {
        let stat = "4711 (a (b) c) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 125 0 0 20 0 5 0 100 1000 200";
        assert_eq!(cpu(stat), Some(Duration::from_millis(3_750)));
        let status = "Name:\ta\nVmRSS:\t   20480 kB\nThreads:\t5\n";
        assert_eq!(
            (field(status, "VmRSS:"), field(status, "Threads:"), field(status, "Nope:")),
            (Some(20_480), Some(5), None)
        );
    }

    #[test]
    fn samples_have_labels_and_grow() {
        let before =
            samples("# HELP a b\nsalon_rtp_out_total 10\nsalon_dropped_total{reason=\"no slot\"} 3\n");
        let after =
            samples("salon_rtp_out_total 15\nsalon_dropped_total{reason=\"no slot\"} 3\nnew 2\n# EOF\n");
        assert_eq!(before.len(), 2);
        let grown = growth(&before, &after);
        assert_eq!(grown, BTreeMap::from([("new".to_owned(), 2.0), ("salon_rtp_out_total".to_owned(), 5.0)]));
    }

    #[test]
    fn drops_are_those_of_the_ports() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            1: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 17 2 0 7\n\
            2: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 18 2 0 9\n";
        assert_eq!(drops(text, &BTreeSet::from([8080])), 7);
        assert_eq!(drops(text, &BTreeSet::from([8080, 8081, 9])), 16);
        assert_eq!(drops(text, &BTreeSet::new()), 0);
    }
}
