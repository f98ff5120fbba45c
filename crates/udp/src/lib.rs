//! Batched datagram sockets: many packets a system call, the local address of each.

pub mod limits;
mod recv;
mod send;
mod socket;

pub use recv::{Meta, RecvBatch};
pub use send::{Flushed, SendBatch};
pub use socket::{Options, Ready, Socket, Waker};
