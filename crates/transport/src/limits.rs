//! The bounds of this crate, each with its reason.

use core::time::Duration;

/// Peers of one transport by default. Each costs some tens of kilobytes once its handshake has run.
pub const MAX_PEERS: usize = 4096;

/// New source addresses that one peer may prove in [`ADDRESS_WINDOW`], and addresses that it may have at one time. A
/// laptop with a VPN, two address families and two interfaces has about ten; a peer with the right password that invents
/// addresses must not grow our tables.
pub const MAX_ADDRESSES: usize = 16;

/// The time in which [`MAX_ADDRESSES`] new addresses are the most.
pub const ADDRESS_WINDOW: Duration = Duration::from_secs(60);

/// Source addresses after which the ICE agent of a peer is replaced by a fresh one: it keeps every address that it ever
/// saw. Ours has nothing to remember between two checks.
pub const AGENT_SOURCES: usize = 64;

/// Transaction ids of authenticated checks that are remembered per peer, so that a check which somebody overheard cannot
/// be played again from elsewhere. At a check every 2.5 s this is more than a minute; 12 bytes each.
pub const SEEN_CHECKS: usize = 32;

/// Handshakes that may be under way at one time by default: at most 64 KiB of unfinished messages each. Beyond it the
/// first message of a new one is dropped, and comes again.
pub const MAX_HANDSHAKES: usize = 512;

/// The longest DTLS datagram that is looked at. Those of browsers have at most 1,200 bytes.
pub const MAX_DTLS_DATAGRAM: usize = 2048;

/// DTLS datagrams that a handshake may hold back until the missing ones come. Times [`MAX_DTLS_DATAGRAM`] it stays below
/// [`SCRATCH`]; the longest flight of a browser has four.
pub const MAX_DTLS_QUEUE: usize = 30;

/// Bytes of the one buffer into which handshakes write. It must hold whatever certificate a peer can send within
/// [`MAX_DTLS_QUEUE`] datagrams.
pub const SCRATCH: usize = 64 * 1024;
const _: () = assert!(MAX_DTLS_QUEUE * MAX_DTLS_DATAGRAM < SCRATCH);

/// The longest DTLS datagram that we send: what passes everywhere that media passes.
pub const DTLS_MTU: usize = 1200;

/// After this time an unanswered flight is sent again, then after twice that, and so on (RFC 6347 §4.2.4.1 says one
/// second, written before media waited for it). Shorter costs a repeated flight on paths slower than this; longer costs
/// the joiner this much for each lost datagram.
pub const FLIGHT_TIMEOUT: Duration = Duration::from_millis(200);

/// How often a flight is sent again: with [`FLIGHT_TIMEOUT`] doubling, more than [`CONNECT_WITHIN`].
pub const FLIGHT_RETRIES: usize = 8;

/// A peer that is not connected this long after it was added is gone: the time for which a browser keeps trying.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// Without an authenticated packet for so long a peer is silent. Browsers check their path every 2.5 s (Chromium) or 4 to 6 s
/// (Firefox, each check once), and send receiver reports in between: one lost packet is not silence. Shorter would take
/// loss for absence; longer keeps the slots of somebody whose machine died.
pub const SILENT_AFTER: Duration = Duration::from_secs(8);

/// Without an authenticated packet for so long a peer is gone: its consent to receive has expired (RFC 7675 §5.1).
pub const GONE_AFTER: Duration = Duration::from_secs(30);

/// Datagrams that wait for [`poll_transmit`](crate::Transport::poll_transmit) at most. Answers beyond it are dropped: who
/// asks, asks again.
pub const MAX_QUEUED: usize = 4096;

/// The longest ufrag and password (RFC 8839 §5.4).
pub const MAX_CREDENTIAL: usize = 256;

/// A timer looks at the same peer again after this time at the earliest, whatever a library says: a deadline that does
/// not move must not become a busy loop. Nothing here is due more finely.
pub const LEAST_WAIT: Duration = Duration::from_millis(1);

/// When media comes on another proved path than the chosen one, and nothing came on that for so long, the peer has moved.
/// Shorter, and packets that were overtaken by a move would undo it; longer, and a moved Firefox hears nothing for longer.
pub const FOLLOW_MEDIA_AFTER: Duration = Duration::from_millis(500);

/// The same for a check without USE-CANDIDATE. Chromium also checks paths that it keeps in reserve, and the chosen one every
/// 2.5 s: shorter would move media to the reserve and back.
pub const FOLLOW_CHECK_AFTER: Duration = Duration::from_secs(3);
