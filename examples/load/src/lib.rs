//! A load tool: many WebRTC clients in one thread against a conference server, or any WHIP and WHEP server.
//!
//! Each client is a peer connection of `str0m` with a socket of its own. Those who send have a microphone (Opus, 50 packets a
//! second, their levels following turns of speech) and a camera (VP8, simulcast in three encodings of three temporal layers,
//! key frames when asked); those who receive have slots, and look at what comes as a browser would. Where no decoder reads it,
//! payloads say who sent them, when, and as part of which frame, so that loss, delay and pictures that stand still are
//! measured, not guessed. A browser in the same room sees moving pictures, and hears silence.
//!
//! What it deliberately is not: a browser (no bandwidth estimator, no playout), nor a network (use loopback, or a real one).
//!
//! ```no_run
//! use load::{Figures, Plan, Timing, run};
//! let plan = Plan { people: 30, publishers: 30, ..Plan::new("http://localhost:8080/") };
//! let report = run(plan, Timing::default(), &Figures::default(), &mut |news| eprintln!("{news}"))?;
//! println!("{:.3} % of sound lost", report.sound.lost_percent);
//! # Ok::<(), load::Error>(())
//! ```
#![forbid(unsafe_code)]

mod camera;
mod client;
mod clip;
mod continuity;
mod ears;
mod error;
mod figures;
mod fleet;
mod histogram;
mod http;
mod media;
mod microphone;
mod picture;
mod piece;
mod plan;
mod report;
mod run;
mod session;
mod signal;
mod table;
mod tag;
mod talk;
mod tally;
mod turns;
mod udp;
mod url;
mod view;
mod wire;

pub use camera::{LAYERS, Layer};
pub use error::Error;
pub use figures::Figures;
pub use fleet::Fleet;
pub use histogram::Histogram;
pub use microphone::Silence;
pub use plan::{Plan, Target};
pub use report::{Join, Keys, Ours, Report, Server, Spread, Stream, Tiles, Took};
pub use run::{Timing, run};
pub use tag::Tag;
pub use url::Url;
pub use view::Show;
pub use wire::Trust;
