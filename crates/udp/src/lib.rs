//! Batched datagram sockets: many packets a system call, the local address of each.
