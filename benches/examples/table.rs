//! Makes the tables of `benches/README.md` out of what criterion left in `target/criterion`: `benches/run` calls it.
//!
//! Each figure is the median of a benchmark's passes, of which each is the median of its samples.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A table that cannot be made ends.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What one benchmark took, in nanoseconds, and what it handles in one go.
struct Figure {
    nanos: f64,
    /// How far the passes lie apart, in parts of the figure.
    spread: f64,
    amount: f64,
}

type Figures = BTreeMap<String, Figure>;

/// A line: what is measured, ours, the neighbours, and what we want.
struct Row {
    what: &'static str,
    ours: &'static str,
    beside: &'static [&'static str],
    /// Of one packet that leaves rather than of all of them.
    each: bool,
    goal: Goal,
}

enum Goal {
    None,
    /// Nanoseconds, on the core that the goals were set on.
    Below(f64),
    /// Times as fast as the first neighbour.
    Faster(f64),
    /// At most so many times what the first neighbour takes.
    Within(f64),
}

use Goal::{Below, Faster, Within};

const fn row(what: &'static str, ours: &'static str, beside: &'static [&'static str], goal: Goal) -> Row {
    Row { what, ours, beside, each: false, goal }
}

const fn each(what: &'static str, ours: &'static str, beside: &'static [&'static str], goal: Goal) -> Row {
    Row { what, ours, beside, each: true, goal }
}

const SIX: &str = "SR, SDES, RR, NACK, PLI, TWCC in one";

const ROWS: &[(&str, &[Row])] = &[
    (
        "Reading and rewriting",
        &[
            row(
                "RTP of 1,200 bytes read, five extensions walked",
                "rtp read/salon",
                &["rtp read/rtp", "rtp read/rtp-types"],
                Below(20.0),
            ),
            row("the same, beside `rtp` 0.17", "rtp read/salon", &["rtp read/rtp"], Faster(9.0)),
            row("the five values by what was negotiated", "rtp read/salon values", &[], Goal::None),
            row(
                "a header with five extensions for one receiver",
                "rtp rewrite/salon",
                &["rtp rewrite/rtp", "rtp rewrite/rtp-types"],
                Below(10.0),
            ),
            row("a header without extension", "rtp rewrite/salon bare", &[], Goal::None),
            row("two extensions gathered and written", "rtp rewrite/salon gathered", &[], Goal::None),
            row(
                SIX,
                "rtcp read/salon/SR+SDES+RR+NACK+PLI+TWCC",
                &["rtcp read/rtcp/SR+SDES+RR+NACK+PLI+TWCC", "rtcp read/rtcp-types/SR+SDES+RR+NACK+PLI+TWCC"],
                Below(60.0),
            ),
            row(
                "SR, SDES, NACK, PLI in one",
                "rtcp read/salon/SR+SDES+NACK+PLI",
                &["rtcp read/rtcp/SR+SDES+NACK+PLI", "rtcp read/rtcp-types/SR+SDES+NACK+PLI"],
                Goal::None,
            ),
            row("RR", "rtcp read/salon/RR", &["rtcp read/rtcp/RR", "rtcp read/rtcp-types/RR"], Goal::None),
            row(
                "TWCC of 30 packets",
                "rtcp read/salon/TWCC",
                &["rtcp read/rtcp/TWCC", "rtcp read/rtcp-types/TWCC"],
                Goal::None,
            ),
            row(
                "the six with all that stands in them",
                "rtcp read/salon whole/SR+SDES+RR+NACK+PLI+TWCC",
                &["rtcp read/rtcp/SR+SDES+RR+NACK+PLI+TWCC"],
                Goal::None,
            ),
        ],
    ),
    (
        "Sealing and opening (neighbours: the bare cipher of aws-lc-rs, `webrtc-srtp` 0.17)",
        &[
            row(
                "seal 1,200 bytes, AEAD_AES_128_GCM",
                "srtp seal/salon/AEAD_AES_128_GCM 1200",
                &["srtp seal/bare/AEAD_AES_128_GCM 1200", "srtp seal/webrtc-srtp/AEAD_AES_128_GCM 1200"],
                Within(1.1),
            ),
            row(
                "seal 1,200 bytes, AEAD_AES_256_GCM",
                "srtp seal/salon/AEAD_AES_256_GCM 1200",
                &["srtp seal/bare/AEAD_AES_256_GCM 1200", "srtp seal/webrtc-srtp/AEAD_AES_256_GCM 1200"],
                Within(1.1),
            ),
            row(
                "seal 1,200 bytes, AES_CM_128_HMAC_SHA1_80",
                "srtp seal/salon/AES128_CM_HMAC_SHA1_80 1200",
                &[
                    "srtp seal/bare/AES128_CM_HMAC_SHA1_80 1200",
                    "srtp seal/webrtc-srtp/AES128_CM_HMAC_SHA1_80 1200",
                ],
                Goal::None,
            ),
            row(
                "seal 100 bytes, AEAD_AES_128_GCM",
                "srtp seal/salon/AEAD_AES_128_GCM 100",
                &["srtp seal/bare/AEAD_AES_128_GCM 100", "srtp seal/webrtc-srtp/AEAD_AES_128_GCM 100"],
                Goal::None,
            ),
            row(
                "seal 100 bytes, AEAD_AES_256_GCM",
                "srtp seal/salon/AEAD_AES_256_GCM 100",
                &["srtp seal/bare/AEAD_AES_256_GCM 100", "srtp seal/webrtc-srtp/AEAD_AES_256_GCM 100"],
                Goal::None,
            ),
            row(
                "seal 100 bytes, AES_CM_128_HMAC_SHA1_80",
                "srtp seal/salon/AES128_CM_HMAC_SHA1_80 100",
                &[
                    "srtp seal/bare/AES128_CM_HMAC_SHA1_80 100",
                    "srtp seal/webrtc-srtp/AES128_CM_HMAC_SHA1_80 100",
                ],
                Goal::None,
            ),
            row(
                "open 1,200 bytes, AEAD_AES_128_GCM",
                "srtp open/salon/AEAD_AES_128_GCM 1200",
                &["srtp open/bare/AEAD_AES_128_GCM 1200", "srtp open/webrtc-srtp/AEAD_AES_128_GCM 1200"],
                Goal::None,
            ),
            row(
                "open 1,200 bytes, AEAD_AES_256_GCM",
                "srtp open/salon/AEAD_AES_256_GCM 1200",
                &["srtp open/bare/AEAD_AES_256_GCM 1200", "srtp open/webrtc-srtp/AEAD_AES_256_GCM 1200"],
                Goal::None,
            ),
            row(
                "open 1,200 bytes, AES_CM_128_HMAC_SHA1_80",
                "srtp open/salon/AES128_CM_HMAC_SHA1_80 1200",
                &[
                    "srtp open/bare/AES128_CM_HMAC_SHA1_80 1200",
                    "srtp open/webrtc-srtp/AES128_CM_HMAC_SHA1_80 1200",
                ],
                Goal::None,
            ),
            row(
                "open 100 bytes, AEAD_AES_128_GCM",
                "srtp open/salon/AEAD_AES_128_GCM 100",
                &["srtp open/bare/AEAD_AES_128_GCM 100", "srtp open/webrtc-srtp/AEAD_AES_128_GCM 100"],
                Goal::None,
            ),
            row(
                "open 100 bytes, AEAD_AES_256_GCM",
                "srtp open/salon/AEAD_AES_256_GCM 100",
                &["srtp open/bare/AEAD_AES_256_GCM 100", "srtp open/webrtc-srtp/AEAD_AES_256_GCM 100"],
                Goal::None,
            ),
            row(
                "open 100 bytes, AES_CM_128_HMAC_SHA1_80",
                "srtp open/salon/AES128_CM_HMAC_SHA1_80 100",
                &[
                    "srtp open/bare/AES128_CM_HMAC_SHA1_80 100",
                    "srtp open/webrtc-srtp/AES128_CM_HMAC_SHA1_80 100",
                ],
                Goal::None,
            ),
        ],
    ),
    (
        "Parts of forwarding, per packet",
        &[
            row("into the cache, 1,150 bytes", "cache/push", &[], Goal::None),
            row("found in the cache", "cache/get", &[], Goal::None),
            row("what a VP8 packet says of itself", "facts/VP8", &[], Goal::None),
            row("a slot's decision and numbers: sound", "slot/sound", &[], Goal::None),
            row("… a picture", "slot/picture", &[], Goal::None),
            row("… every other picture skipped", "slot/picture of one layer", &[], Goal::None),
            row("… a late packet among gaps", "slot/late packet among gaps", &[], Goal::None),
            row("a VP8 descriptor rewritten", "slot/patch", &[], Goal::None),
        ],
    ),
    (
        "One camera to many in memory, per packet that leaves (AEAD_AES_128_GCM; neighbour: str0m 0.25)",
        &[
            each("1 → 1", "forward/salon/1", &["forward/str0m/1"], Goal::None),
            each("1 → 10", "forward/salon/10", &["forward/str0m/10"], Goal::None),
            each("1 → 50", "forward/salon/50", &["forward/str0m/50"], Below(200.0)),
            each("1 → 200", "forward/salon/200", &["forward/str0m/200"], Goal::None),
            each("1 → 1 in plain text", "forward/salon plain/1", &[], Goal::None),
            each("1 → 10 in plain text", "forward/salon plain/10", &[], Goal::None),
            each("1 → 50 in plain text", "forward/salon plain/50", &[], Goal::None),
            each("1 → 200 in plain text", "forward/salon plain/200", &[], Goal::None),
        ],
    ),
];

/// The cipher alone, which no code of ours can make faster: how this core stands to the one on which the goals were set.
const YARDSTICK: (&str, f64) = ("srtp seal/bare/AEAD_AES_128_GCM 1200", 156.0);
/// Nanoseconds per byte of a reader, on that core.
const WORST: f64 = 50.0;

fn main() {
    let passes: Vec<_> = std::env::args().skip(1).collect();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| home.join("../target"), PathBuf::from);
    let mut figures = Figures::new();
    collect(&target.join("criterion"), &passes, &mut figures);
    let scale = figures[YARDSTICK.0].nanos / YARDSTICK.1;
    let mut text = format!(
        "A core on which the bare cipher seals 1,200 bytes in {:.0} ns; where the goals were set it took {:.0}: nanoseconds are held \
         against goals × {scale:.2}, ratios as they are.\n",
        figures[YARDSTICK.0].nanos, YARDSTICK.1
    );
    for (title, rows) in ROWS {
        write!(
            text,
            "\n### {title}\n\n| | ours | beside | ratio | goal | |\n|---|---:|---:|---:|---:|---|\n"
        )
        .unwrap();
        rows.iter().for_each(|row| line(&mut text, row, &figures, scale));
    }
    worst(&mut text, &figures, scale);
    let widest = figures.iter().max_by(|a, b| a.1.spread.total_cmp(&b.1.spread)).unwrap();
    let mut spreads: Vec<_> = figures.values().map(|f| f.spread).collect();
    spreads.sort_by(f64::total_cmp);
    writeln!(
        text,
        "\n{} benchmarks; between the passes a figure moved by {:.0} % (median), by {:.0} % at most ({}).",
        spreads.len(),
        100.0 * spreads[spreads.len() / 2],
        100.0 * widest.1.spread,
        widest.0
    )
    .unwrap();
    put(&home.join("README.md"), &text);
    print!("{text}");
}

/// Every benchmark below a folder of which there are all passes.
fn collect(folder: &Path, passes: &[String], figures: &mut Figures) {
    let mut nanos: Vec<f64> = passes.iter().filter_map(|pass| median(&folder.join(pass))).collect();
    if !nanos.is_empty() && nanos.len() == passes.len() {
        let about = json(&folder.join(&passes[0]).join("benchmark.json")).unwrap();
        let amount = about["throughput"].as_object().and_then(|t| t.values().next()?.as_f64());
        nanos.sort_by(f64::total_cmp);
        let middle = nanos[nanos.len() / 2];
        let spread = (nanos[nanos.len() - 1] - nanos[0]) / middle;
        let name = about["full_id"].as_str().unwrap().to_owned();
        figures.insert(name, Figure { nanos: middle, spread, amount: amount.unwrap_or(1.0) });
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), passes, figures);
        }
    }
}

fn median(pass: &Path) -> Option<f64> {
    json(&pass.join("estimates.json"))?["median"]["point_estimate"].as_f64()
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn line(text: &mut String, row: &Row, figures: &Figures, scale: f64) {
    let of = |name: &str| {
        let figure = figures.get(name).unwrap_or_else(|| panic!("{name} was not measured"));
        figure.nanos / if row.each { figure.amount } else { 1.0 }
    };
    let ours = of(row.ours);
    let who = |name: &str| name.split('/').nth(1).unwrap_or_default().to_owned();
    let beside: Vec<_> = row.beside.iter().map(|n| format!("{} {}", who(n), nanos(of(n)))).collect();
    let ratio: Vec<_> = row.beside.iter().map(|n| format!("{:.2}", of(n) / ours)).collect();
    let first = || of(row.beside[0]);
    let (goal, met) = match row.goal {
        Goal::None => (String::new(), None),
        Below(goal) => {
            (format!("≤ {goal:.0} ns × {scale:.2} = {}", nanos(goal * scale)), Some(ours <= goal * scale))
        }
        Faster(goal) => (format!("{goal} × as fast"), Some(first() >= goal * ours)),
        Within(goal) => (format!("≤ {goal} × {}", who(row.beside[0])), Some(ours <= goal * first())),
    };
    let met = met.map_or("", |met| if met { "met" } else { "**missed**" });
    let (beside, ratio) = (beside.join(", "), ratio.join(", "));
    writeln!(text, "| {} | {} | {beside} | {ratio} | {goal} | {met} |", row.what, nanos(ours)).unwrap();
}

/// Readers over what is written to keep them busy, the dearest first.
fn worst(text: &mut String, figures: &Figures, scale: f64) {
    let mut all: Vec<_> = figures
        .iter()
        .filter_map(|(name, f)| Some((name.strip_prefix("worst case/")?, f.nanos / f.amount, f)))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let goal = WORST * scale;
    writeln!(
        text,
        "\n### Bytes written to keep a reader busy: the ten dearest of {}\n\nGoal: {WORST:.0} ns per byte × {scale:.2} = {goal:.0}; \
         {} of them above.\n\n| | bytes | ns per byte |\n|---|---:|---:|",
        all.len(),
        all.iter().filter(|a| a.1 > goal).count()
    )
    .unwrap();
    for (name, each, figure) in all.iter().take(10) {
        writeln!(text, "| {name} | {:.0} | {each:.1} |", figure.amount).unwrap();
    }
}

fn nanos(n: f64) -> String {
    if n < 100.0 { format!("{n:.1} ns") } else { format!("{n:.0} ns") }
}

/// Between the marks; what stands around them is written by hand.
fn put(path: &Path, table: &str) {
    let old = fs::read_to_string(path).expect("README.md");
    let (before, rest) = old.split_once("<!-- table -->\n").expect("a mark where the tables begin");
    let (_, after) = rest.split_once("<!-- end -->").expect("a mark where they end");
    let head = std::env::var("BENCH_HEAD").unwrap_or_default();
    fs::write(path, format!("{before}<!-- table -->\n{head}\n{table}<!-- end -->{after}")).expect("written");
}
