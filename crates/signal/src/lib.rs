//! SDP offer and answer of conferences as pure functions.
#![forbid(unsafe_code)]
