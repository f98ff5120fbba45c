//! Batched datagram sockets: many packets a system call, the local address of each.
//!
//! A [`Socket`] receives into a [`RecvBatch`] and sends from a [`SendBatch`]: on Linux by recvmmsg(2) and sendmmsg(2), a
//! system call for many datagrams, across destinations. What lies in a row in the batch, of one length and to one
//! destination, leaves as one message that the kernel (or the network card) cuts up; what came in a row from one sender
//! comes as one message, and is cut up here. Every datagram tells at which address of this machine
//! it came, and an answer leaves from there: a socket bound to the wildcard would otherwise let the routing table choose,
//! and the peer's firewall drop it. Nothing is allocated after the batches are made, and no buffer is zeroed twice.
//!
//! What it deliberately is not: an event loop (there is a [`wait`](Socket::wait) for one socket, and a [`Waker`]), and
//! no QUIC socket: neither ECN nor path MTU discovery. Off Linux the standard library's socket stands behind the same
//! types, a datagram a call, without source addresses.
//!
//! ```
//! use salon_udp::{Options, RecvBatch, SendBatch, Socket};
//!
//! let server = Socket::bind("0.0.0.0:0".parse()?, Options::default())?;
//! let client = std::net::UdpSocket::bind("127.0.0.1:0")?;
//! client.send_to(b"question", ("127.0.0.1", server.local_addr().port()))?;
//!
//! let (mut received, mut sent) = (RecvBatch::new(), SendBatch::new());
//! server.wait(None, false)?;
//! while server.recv(&mut received)? > 0 {
//!     for (meta, datagram) in received.iter_mut() {
//!         assert_eq!(datagram, b"question");
//!         if let Some(slot) = sent.slot(Some(meta.local.ip()), meta.remote) {
//!             slot[..6].copy_from_slice(b"answer");
//!             sent.commit(6);
//!         }
//!     }
//! }
//! let flushed = server.flush(&mut sent);
//! assert_eq!((flushed.sent, flushed.blocked, flushed.refused), (1, false, 0));
//! assert_eq!(client.recv(&mut [0; 64])?, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! [`limits`]: the longest datagram, and what one system call carries. There are no features; what the kernel cannot do (GSO, GRO) is found out at
//! run time and done without. This is the one crate of Salon with `unsafe` in it, each block with its reason.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]
#![deny(missing_docs)]

pub mod limits;
#[cfg(target_os = "linux")]
mod linux;
mod offload;
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod plain;
mod recv;
mod send;
mod socket;

pub use offload::Offload;
pub use recv::{Meta, RecvBatch, RecvCounters};
pub use send::{Flushed, SendBatch, SendCounters};
pub use socket::{Options, Ready, Socket, Waker};
