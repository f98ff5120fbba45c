//! SRTP and SRTCP: seals what leaves, opens what came, refuses to do either twice.
#![forbid(unsafe_code)]
