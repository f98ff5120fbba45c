//! What others say of the same bytes: `rtp` and `rtcp` 0.17 of webrtc-rs, `rtp-types` and `rtcp-types` of the GStreamer project.
//!
//! The same verdict and the same fields, or a difference of a kind that stands in [`TABLE`] with its cause, which is looked for in
//! the bytes: anything else is a finding, theirs or ours.

mod rtcp_blocks;
mod rtcp_rows;
mod rtp_packets;

pub use rtcp_blocks::rtcp;
pub use rtp_packets::rtp;

use core::cell::Cell;
use std::panic::{self, AssertUnwindSafe, UnwindSafe};
use std::sync::{Once, OnceLock};

/// What a reader makes of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Says {
    /// They are well formed.
    Takes,
    /// They are not.
    Refuses,
    /// It takes them, and reads something else than we do.
    Otherwise,
    /// It does not survive them.
    Panics,
}

/// A kind of difference.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The other reader.
    pub who: &'static str,
    /// Of which packets.
    pub of: &'static [&'static str],
    /// What we say.
    pub ours: Says,
    /// What they say.
    pub theirs: Says,
    /// Whose it is, and why.
    pub why: &'static str,
    /// Whether the cause stands in the bytes.
    cause: fn(&[u8]) -> bool,
}

/// The names of the other readers.
const RTP: &str = "rtp 0.17";
const RTP_TYPES: &str = "rtp-types 0.1";
const RTCP: &str = "rtcp 0.17";
const RTCP_TYPES: &str = "rtcp-types 0.3";

/// All kinds of difference that are known.
pub const TABLE: &[&[Row]] = &[rtp_packets::ROWS, rtcp_rows::ROWS];

/// The row of a difference, by its place in the table; `None` where there is none to speak of.
fn classify(who: &'static str, of: &str, ours: Says, theirs: Says, bytes: &[u8]) -> Option<usize> {
    if ours == theirs {
        return None;
    }
    let rows = || TABLE.iter().copied().flatten().enumerate();
    let row = rows().find(|(_, r)| {
        (r.who, r.ours, r.theirs) == (who, ours, theirs) && r.of.contains(&of) && (r.cause)(bytes)
    });
    let Some((at, _)) = row else {
        let hex: String = bytes.iter().take(400).map(|b| format!("{b:02x}")).collect();
        let news = format!("not in the table: {who} of {of}: we say {ours:?}, they say {theirs:?}, of {hex}");
        if is_told() {
            eprintln!("{news}");
            return None;
        }
        panic!("{news}")
    };
    Some(at)
}

/// Whether what fits no row is only told (`SALON_FUZZ_NEWS=tell`): in a search of seconds within other tests, what another reader does to an
/// input that chance has made is news, and no fault of what is tested.
fn is_told() -> bool {
    static TOLD: OnceLock<bool> = OnceLock::new();
    *TOLD.get_or_init(|| std::env::var_os("SALON_FUZZ_NEWS").is_some_and(|v| v == "tell"))
}

thread_local!(static THEIRS: Cell<bool> = const { Cell::new(false) });

/// Runs their code. That it panics is an answer; it is neither printed nor, under a fuzzer, the end.
fn their<T>(read: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !THEIRS.get() {
                before(info);
            }
        }));
    });
    THEIRS.set(true);
    let out = panic::catch_unwind(read);
    THEIRS.set(false);
    out.ok()
}

/// What they say: nothing, an error, or something that is compared with ours.
fn said<T, E>(out: Option<Result<T, E>>, same: impl FnOnce(T) -> bool) -> Says {
    match out {
        None => Says::Panics,
        Some(Err(_)) => Says::Refuses,
        // Their accessors can panic too.
        Some(Ok(theirs)) => match their(AssertUnwindSafe(|| same(theirs))) {
            None => Says::Panics,
            Some(true) => Says::Takes,
            Some(false) => Says::Otherwise,
        },
    }
}
