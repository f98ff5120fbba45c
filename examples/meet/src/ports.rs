//! The ports, and what to do when one cannot be had.

use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// Pending connections that the kernel keeps for us: a class that opens the link at once.
const BACKLOG: i32 = 1024;

/// The page's port; for all IPv4 addresses also the same number on IPv6, where the machine has that.
pub(crate) fn page(listen: SocketAddr) -> Result<Vec<TcpListener>, String> {
    let first = bind(listen).map_err(|error| sentence("TCP", listen, "--listen", &error))?;
    let port = first.local_addr().map_err(|error| error.to_string())?.port();
    let mut listeners = vec![first];
    if listen.ip() == Ipv4Addr::UNSPECIFIED {
        listeners.extend(bind((Ipv6Addr::UNSPECIFIED, port).into()));
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for old connections to be forgotten. (On Windows this would share the port.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(address.ip() != Ipv6Addr::UNSPECIFIED || cfg!(unix))?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// One sentence that says what to do.
pub(crate) fn sentence(protocol: &str, address: SocketAddr, option: &str, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{protocol} port {port} is taken by another program: stop that one, or choose another port with {option}."
        ),
        ErrorKind::PermissionDenied => format!(
            "{protocol} port {port} may not be opened by this user: choose one above 1023 with {option}, or give this program the right to low ports."
        ),
        ErrorKind::AddrNotAvailable => {
            format!(
                "This machine has no address {}: name one that it has with {option}, or 0.0.0.0 for all.",
                address.ip()
            )
        }
        _ => format!("{protocol} {address} cannot be opened ({error}): choose another one with {option}."),
    }
}
