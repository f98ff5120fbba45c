//! What must hold of any bytes: the bodies of Salon's fuzz targets.
//!
//! A [`Target`] takes bytes as somebody could send them, gives them to one reader of ours, and panics where a law is broken.
//! The tests of this crate replay the seeds in `seeds/` and mutants of them through every target on the stable toolchain;
//! `run` lets libFuzzer search (the feature `libfuzzer`; `README.md`).
//!
//! What it deliberately is not: a second set of unit tests. What a field means is told where it is read.
#![forbid(unsafe_code)]
// A law that is broken must stop the run: here a panic is the finding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod differential;
mod message;
pub mod mutate;
mod payload;
// The laws of reading are kept in one place, which the crate itself tests too.
#[allow(unreachable_pub, missing_docs)]
#[path = "../../crates/rtp/tests/readers/mod.rs"]
mod readers;
mod room;
mod rtcp;
mod rtp;
mod sdp;
mod srtp;
mod stun;

/// One thing that reads bytes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the binary, and of the folder of its seeds.
    pub name: &'static str,
    /// Gives it bytes. Says whether they were read as what they should be; panics where a law is broken.
    pub body: fn(&[u8]) -> bool,
    /// Whether its bytes are text, for the mutator's choice.
    pub text: bool,
}

const fn bytes(name: &'static str, body: fn(&[u8]) -> bool) -> Target {
    Target { name, body, text: false }
}

const fn text(name: &'static str, body: fn(&[u8]) -> bool) -> Target {
    Target { name, body, text: true }
}

/// All of them.
pub const TARGETS: [Target; 16] = [
    bytes("rtp", rtp::parse),
    bytes("rtp_rewrite", rtp::rewrite),
    bytes("extensions", rtp::extensions),
    bytes("rtcp", rtcp::compound),
    bytes("feedback", rtcp::feedback),
    bytes("stun", stun::datagram),
    text("sdp_offer", sdp::offer),
    text("sdp_answer", sdp::answer),
    bytes("vp8", payload::vp8),
    bytes("vp9", payload::vp9),
    bytes("h26x", payload::h26x),
    bytes("av1", payload::av1),
    bytes("red_rtx", payload::red_rtx),
    bytes("srtp_open", srtp::open),
    text("message", message::message),
    bytes("room", room::room),
];

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|t| t.name == name)
}

/// Gives bytes to the target of a name, which must be one.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    (target(name).expect("a target of this name").body)(bytes)
}
