//! Virtual clock, seeded links, RTP sources and model decoders for tests.
#![forbid(unsafe_code)]
