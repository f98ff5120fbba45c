//! ICE-lite, DTLS and SRTP of many peers on one UDP port, without I/O.
//!
//! A [`Transport`] takes each datagram that came to the port, with the addresses between which it travelled, and says
//! what it was: media of a peer, opened; a check or a handshake, dealt with; or nobody's, dropped for a named reason. It
//! finds the peer by a table of proved addresses, or, for a new address, by the username in the check. What it has to
//! say itself (answers, flights), what happened ([`Event`]) and when it must be woken are polled; none of these polls
//! looks at a peer that is not concerned.
//!
//! What it deliberately is not: it opens no socket, reads no clock, starts no thread. It sends no checks, needs no
//! candidates of the peer's and resolves no names: a lite agent (RFC 8445 §2.5) answers where it is asked. It knows
//! nothing of streams or rooms, queues no media, and carries no data channels.
//!
//! **What a stranger can do** is little. Media and handshakes are taken only from an address that a check with our
//! password has proved, for the peer whose password it was. What does not prove anything is answered by nothing. Media
//! goes only where the newest authenticated USE-CANDIDATE came from, or, for clients that never repeat it, to the proved
//! address from which they send when the chosen one has fallen quiet. Keys exist only after the certificate was found to
//! be the one that the signalling announced. Everything that grows has its bound in [`limits`].
//!
//! What a stranger can do nevertheless: who sees a peer's check and answers faster than it (on its own network) can draw
//! encrypted media away until the next check; who forges a peer's proved address can spoil its handshake, as with any
//! DTLS.
//!
//! The two types that matter are [`Transport`] and [`Link`], the way out to one peer: `link` gives one only when there are
//! keys and a path.
//!
//! ```
//! use salon_rtp::Time;
//! use salon_transport::{
//!     Config, DropReason, Fingerprint, IceCredentials, Identity, Path, PeerSpec, Received, Setup, Transport,
//! };
//!
//! let identity = Identity::generate()?;
//! println!("a=fingerprint:sha-256 {}", identity.fingerprint());
//! let mut transport = Transport::new(identity, Config::default(), (std::time::Instant::now(), Time::ZERO));
//!
//! // From the peer's offer, and from our answer (in earnest: random numbers of the operating system).
//! let peer = transport.add_peer(Time::ZERO, PeerSpec {
//!     local: IceCredentials { ufrag: "Q3hd".into(), pwd: "kU7p0sW2nXq9vB4tR1yZ6m".into() },
//!     remote: Some(IceCredentials { ufrag: "zK8e".into(), pwd: "aT5rG0bN3cV7xM1jL9wE4s".into() }),
//!     remote_fingerprint: Fingerprint([7; 32]),
//!     setup: Setup::Passive,
//! })?;
//! assert!(transport.link(peer).is_none(), "no keys yet, and no path");
//!
//! // For each datagram; here one that looks like RTP and comes out of nowhere.
//! let path = Path { local: "192.0.2.1:3478".parse()?, remote: "203.0.113.9:50000".parse()? };
//! let mut datagram = [0x80; 60];
//! match transport.handle_datagram(Time::from_millis(20), path, &mut datagram) {
//!     Received::Rtp(_peer, _packet) | Received::Rtcp(_peer, _packet) => unreachable!(),
//!     Received::Consumed => unreachable!(),
//!     Received::Dropped(reason) => assert_eq!(reason, DropReason::SrtpForeign),
//! }
//! // Then, until each gives nothing:
//! let mut out = [0; 1200];
//! assert!(transport.poll_transmit(Time::from_millis(20), &mut out).is_none());
//! assert!(transport.poll_event().is_none());
//! assert_eq!(transport.poll_timeout(), Some(Time::from_millis(30_000)), "by then it must be connected");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! [`limits`]: peers, addresses that one peer may prove, what waits for whom and how long, each with its reason. There are no features. Only
//! `ice.rs` and `dtls.rs` name the libraries that they stand on.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod addresses;
mod clock;
mod counters;
mod credentials;
mod deadlines;
mod dtls;
mod event;
mod fingerprint;
mod ice;
mod identity;
pub mod limits;
mod link;
mod liveness;
mod outbox;
mod path;
mod peer;
mod receive;
mod stun;
mod transport;
mod verdict;

pub use counters::Counters;
pub use credentials::IceCredentials;
pub use dtls::Setup;
pub use event::Event;
pub use fingerprint::{BadFingerprint, Fingerprint};
pub use identity::{Identity, IdentityError};
pub use link::Link;
pub use path::Path;
pub use peer::PeerSpec;
pub use receive::Received;
pub use stun::addressee;
pub use transport::{Config, PeerId, Transport};
pub use verdict::{DropReason, GoneReason, Refused};
