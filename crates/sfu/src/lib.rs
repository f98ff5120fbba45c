//! The selective forwarding core of a conference: rooms, tracks, slots, repair, keyframes, speakers; no I/O.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
