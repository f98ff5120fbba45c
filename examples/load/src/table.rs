//! The report for people.

use crate::{Report, Server, Spread, Stream, Took};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, people, publishers, connected, seconds, .. } = self;
        writeln!(
            f,
            "{rooms} × {people} people, {publishers} of each room send; {connected} clients connected; {seconds:.1} s measured"
        )?;
        for failure in self.failures.iter().take(5) {
            writeln!(f, "failed: {failure}")?;
        }
        if self.failures.len() > 5 {
            writeln!(f, "failed: {} more", self.failures.len() - 5)?;
        }
        self.packets(f)?;
        self.pictures(f)?;
        self.arrivals(f)?;
        if let Some(server) = &self.server {
            server.rows(f)?;
        }
        self.tool(f)
    }
}

impl Report {
    fn packets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<26}{:>16}{:>16}", "packets", "sound", "picture")?;
        let mut row = |name: &str, of: &dyn Fn(&Stream) -> String| {
            writeln!(f, "  {name:<24}{:>16}{:>16}", of(&self.sound), of(&self.picture))
        };
        row("expected", &|s| s.expected.to_string())?;
        row("lost", &|s| format!("{} ({:.3} %)", s.lost, s.lost_percent))?;
        row("lost, worst slot", &|s| format!("{:.3} %", s.worst_lost_percent))?;
        row("delay p50", &|s| format!("{:.2} ms", s.delay.p50))?;
        row("delay p95", &|s| format!("{:.2} ms", s.delay.p95))?;
        row("delay p99", &|s| format!("{:.2} ms", s.delay.p99))?;
        row("delay max", &|s| format!("{:.1} ms", s.delay.max))?;
        writeln!(f, "  {:<24}{:>14.2} %", "speech heard", self.speech_heard_percent)?;
        let cut = self.speech_cut;
        writeln!(
            f,
            "  {:<24}  p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms",
            "cut off its beginning", cut.p50, cut.p95, cut.max
        )
    }

    fn pictures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (t, k) = (&self.tiles, &self.keys);
        if t.shown == 0 {
            return Ok(());
        }
        writeln!(f, "\npictures in {} tiles", t.shown)?;
        line(f, "frames shown", format!("{} (key {}, broken {})", t.frames, t.keys, t.broken))?;
        line(f, "per second and tile", format!("median {:.1}, worst {:.1}", t.median_fps, t.worst_fps))?;
        line(
            f,
            "stood still > 1 s",
            format!("{} tiles, {} times, longest {:.1} s", t.stood_still, t.stills, t.longest_still),
        )?;
        line(f, "changes of picture", t.switches.to_string())?;
        line(
            f,
            "key frames asked",
            format!(
                "of the server {}, by it {} ({:.1} per encoding and minute)",
                k.by_receivers, k.of_publishers, k.per_source_and_minute
            ),
        )?;
        if k.most > 0 {
            line(f, "  most of one", format!("{} of {}", k.most, k.most_of))?;
        }
        match k.closest_ms {
            Some(ms) => line(f, "  closest two of one", format!("{ms:.0} ms apart")),
            None => Ok(()),
        }
    }

    fn arrivals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<26}{:>16}{:>16}", "joining, until", "median", "worst")?;
        let mut row = |name: &str, took: Took| match took.count {
            0 => Ok(()),
            n => writeln!(f, "  {name:<24}{:>13.1} ms{:>13.1} ms   ({n})", took.median, took.worst),
        };
        row("answered", self.join.answered)?;
        row("connected", self.join.connected)?;
        row("first sound", self.join.first_sound)?;
        row("first picture", self.join.first_picture)
    }

    fn tool(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = &self.ours;
        writeln!(f, "\nthis tool")?;
        if let (Some(cpu), Some(percent)) = (ours.cpu_seconds, ours.cpu_percent) {
            line(f, "processor", format!("{cpu:.2} s ({percent:.1} % of a core)"))?;
        }
        line(f, "datagrams in, packets out", format!("{}, {}", ours.datagrams_in, ours.packets_out))?;
        let spread = |s: Spread| format!("p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms", s.p50, s.p99, s.max);
        line(f, "sent late by", spread(ours.lateness))?;
        line(f, "a turn of its loop", spread(ours.turn))?;
        line(
            f,
            "dropped, refused, strange",
            format!("{}, {}, {}", ours.dropped_at_our_sockets, ours.refused, ours.strange),
        )?;
        match &ours.refusal {
            Some(why) => line(f, "  refused because", why.clone()),
            None => Ok(()),
        }
    }
}

impl Server {
    fn rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nserver")?;
        if let (Some(cpu), Some(percent)) = (self.cpu_seconds, self.cpu_percent) {
            line(f, "processor", format!("{cpu:.2} s ({percent:.1} % of a core)"))?;
        }
        let by = if self.datagrams_by_metrics { "by its metrics" } else { "as they came here" };
        line(f, "datagrams out", format!("{:.0} ({by})", self.datagrams_out))?;
        if let Some(micros) = self.cpu_micros_per_datagram {
            line(f, "processor per datagram", format!("{micros:.2} µs"))?;
        }
        if let Some(per_run) = self.datagrams_per_run {
            line(f, "datagrams per message", format!("{per_run:.2}"))?;
        }
        if let Some(turns) = self.turns.filter(|t| *t > 0.0) {
            line(f, "datagrams per turn", format!("{:.2}", self.datagrams_out / turns))?;
        }
        if let (Some(before), Some(after)) = (self.resident_bytes_before, self.resident_bytes) {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            line(
                f,
                "resident memory",
                format!("{:.1} MiB, {:.1} MiB before anybody came", mib(after), mib(before)),
            )?;
        }
        if let Some(bytes) = self.bytes_per_person {
            line(f, "  per person", format!("{:.0} KiB", bytes / 1024.0))?;
        }
        if let Some(dropped) = self.dropped_at_its_socket {
            line(f, "dropped at its socket", dropped.to_string())?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, text: String) -> fmt::Result {
    writeln!(f, "  {name:<26}{text}")
}
