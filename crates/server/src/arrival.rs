//! How a connection came.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// How a connection came: between which addresses, and whether it was encrypted. [`crate::Server::serve`] tells it to the router
/// by itself; a program that serves the router by other means passes it with
/// `router.into_make_service_with_connect_info::<Arrival>()`, or else the client is offered the machine's own addresses only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The server's end.
    pub local: Option<SocketAddr>,
    /// The client's end.
    pub remote: Option<SocketAddr>,
    /// Whether TLS ended here.
    pub tls: bool,
}

impl Arrival {
    /// Whether the client is on this machine (or is a reverse proxy that is).
    pub(crate) fn is_loopback(&self) -> bool {
        self.remote.is_some_and(|remote| remote.ip().to_canonical().is_loopback())
    }

    /// The address of this machine by which the client came, if it says something to others.
    pub(crate) fn local_ip(&self) -> Option<IpAddr> {
        self.local.map(|local| local.ip().to_canonical())
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Arrival {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { local: stream.io().local_addr().ok(), remote: Some(*stream.remote_addr()), tls: false }
    }
}
