//! Conference rooms over UDP behind a handle: threads, sockets and the clock.
#![forbid(unsafe_code)]
