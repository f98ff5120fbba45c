//! Simulcast and SVC: which layer to send, how to rewrite it, who gets how much.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
