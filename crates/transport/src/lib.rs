//! ICE-lite, DTLS and SRTP of many peers on one UDP port, without I/O.
#![forbid(unsafe_code)]
