//! Every bound of this crate, each with its reason. What belongs to media has its bounds in `salon-sfu` and `salon-transport`.

use std::time::Duration;

/// Bytes of one message from a client. An offer is at most 256 KiB, and JSON writes each of its line ends as four bytes;
/// the double leaves room for that.
pub const MESSAGE_BYTES: usize = 512 * 1024;

/// Bytes after which a message is no longer read at all. Between [`MESSAGE_BYTES`] and this one the client still hears
/// which limit it broke; beyond it the connection just ends.
pub const MESSAGE_BYTES_READ: usize = 768 * 1024;

/// Nesting of one message: the deepest that the protocol has is 4 (`view`); twice that for those who come later.
pub const MESSAGE_DEPTH: usize = 8;

/// Bytes of an SDP: forty receive-only video sections of Chromium's 4.8 kB and some to spare.
pub const SDP_BYTES: usize = 256 * 1024;

/// Messages per second that a client may send in the long run. A page sends one ping, a pong and few others in 3 s.
pub const MESSAGES_PER_SECOND: u32 = 50;

/// Messages that a client may send at once: a resize of a page with 50 tiles, some times over.
pub const MESSAGES_AT_ONCE: u32 = 200;

/// Characters of a chat message: two pages of text.
pub const CHAT_CHARS: usize = 4_000;

/// Characters of a person's name, so that one name cannot fill the others' screens.
pub const NAME_CHARS: usize = 64;

/// Characters of a room's name: fits a link and a line of the log.
pub const ROOM_CHARS: usize = 64;

/// Sections that `view`, `join.sources` and the like may name: as many as an SDP may have.
pub const SECTIONS: usize = 128;

/// Characters of a MID. RFC 9143 §15.1 recommends ones of at most 3 bytes; RFC 8285 one-byte extensions carry at most 16.
pub const MID_CHARS: usize = 16;

/// Pixels of height that a slot may ask for: 8K video has no more.
pub const HEIGHT: u16 = 4_320;

/// Messages and events that wait for one client. A burst when 30 people arrive at once is about 100; more than this means that the
/// client does not read, and it must not cost the others memory.
pub const OUTBOX: usize = 256;

/// Lines of chat kept for somebody whose connection is lost, the newest: what one reads before asking what was said.
pub const MISSED: usize = 100;

/// Texts that wait between a session and the event stream that carries them; what waits longer waits in the outbox.
pub const EVENTS: usize = 16;

/// Event streams at once, and messages posted to one that wait: as many as connections, and a page's burst.
pub const EVENT_STREAMS: usize = CONNECTIONS;
/// See [`EVENT_STREAMS`].
pub const POSTS: usize = 64;

/// The time in which a client must take one message. Long enough for a phone between two cells.
pub const SEND_TIME: Duration = Duration::from_secs(10);

/// The server's ping: three of them fit into [`SILENCE`].
pub const PING_EVERY: Duration = Duration::from_secs(3);

/// A client that says nothing for so long is gone: the media path is given 8 s, and this one needs the answer to a ping besides.
pub const SILENCE: Duration = Duration::from_secs(12);

/// How long a connection may wait before it joins: a preview that was left open over a coffee.
pub const BEFORE_JOIN: Duration = Duration::from_secs(30 * 60);

/// How long the media threads may take to answer a command before the client is told that something failed.
pub const MEDIA_ANSWER: Duration = Duration::from_secs(5);

/// Time for a connection's first byte and, again, for its TLS handshake: a phone on a bad network needs 3.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time for a request's header, from the first byte or from the end of the request before it (so it ends idle connections too).
pub const HEADER_TIME: Duration = Duration::from_secs(15);

/// Time that one HTTP connection may live when it does not become a WebSocket: nobody who reads a byte a minute holds a place for long.
pub const HTTP_TIME: Duration = Duration::from_secs(120);

/// Bytes of a request's header.
pub const HEADER_BYTES: usize = 16 * 1024;

/// Header lines of a request; browsers send about 20.
pub const HEADER_LINES: usize = 64;

/// Connections of all clients at once, if the configuration says nothing: each costs some 30 kB with TLS.
pub const CONNECTIONS: usize = 4_096;

/// Connections from one address at once, loopback excepted (a reverse proxy comes from there): a school behind one address fits,
/// one machine that opens all it can does not starve the rest.
pub const CONNECTIONS_PER_ADDRESS: usize = 512;

/// Addresses of the server that an answer names. Each costs the client some checks.
pub const CANDIDATES: usize = 8;

/// Bytes that one read of a WebSocket takes at most, held per connection. The offers of a page come in some ten reads; messages after that in one.
pub const SOCKET_BUFFER: usize = 8 * 1024;

/// How long a client that is being closed may take to hear why.
pub const FAREWELL: Duration = Duration::from_secs(1);

/// People who wait at the door of a locked room: more than a moderator reads through.
pub const KNOCKS: usize = 50;

/// How long one waits at a locked door.
pub const KNOCK_TIME: Duration = Duration::from_secs(600);

/// Joins from one address at once, if the configuration says nothing, loopback excepted (a reverse proxy comes from there): a class behind one address that opens its link.
pub const JOINS_AT_ONCE: u32 = 60;

/// Joins from one address a second in the long run.
pub const JOINS_PER_SECOND: u32 = 1;

/// Addresses whose joins are counted; beyond it those that have been quiet longest enough are forgotten first, and then new ones share one count.
pub const JOIN_ADDRESSES: usize = 4_096;

/// How long a token that the server makes may be valid: a school year.
pub const TOKEN_SECONDS: u64 = 400 * 24 * 3_600;

/// Bytes of a body after which no more of it is read. Between [`SDP_BYTES`] and this one the client still hears which limit it broke.
pub const BODY_BYTES_READ: usize = 1024 * 1024;

/// Time for a request's body: an offer of some kilobytes over the worst of links.
pub const BODY_TIME: Duration = Duration::from_secs(15);

/// WHIP and WHEP sessions of all clients at once: as many as the transport has peers.
pub const SESSIONS: usize = 4_096;

/// WHIP and WHEP sessions from one address at once, loopback excepted (a reverse proxy comes from there). A session costs its client one
/// request and then lives for 30 s without any connection, so this is less than [`CONNECTIONS_PER_ADDRESS`].
pub const SESSIONS_PER_ADDRESS: usize = 128;

/// ICE restarts and fragments of one session, per second in the long run: a client that trickles one by one sends some twenty, once.
pub const FRAGMENTS_PER_SECOND: u32 = 2;

/// See [`FRAGMENTS_PER_SECOND`].
pub const FRAGMENTS_AT_ONCE: u32 = 60;

/// The height in pixels for which a player's pictures are chosen, as nobody says how large they are shown: full high definition; the
/// link decides below it.
pub const PLAYER_HEIGHT: u16 = 1_080;
