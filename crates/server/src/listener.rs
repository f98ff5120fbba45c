//! One TCP port for plain HTTP and for TLS.

use crate::access;
use crate::arrival::Arrival;
use crate::gate::{Gate, Place};
use crate::limits::{HANDSHAKE_TIME, HEADER_BYTES, HEADER_LINES, HEADER_TIME, HTTP_TIME};
use crate::metrics::Metrics;
use crate::server::{Phase, stopped};
use crate::tls::Tls;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// The first byte of a TLS record that begins a handshake (RFC 8446 §5.1); no HTTP method begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) router: Router,
    pub(crate) tls: Option<Tls>,
    /// Serve plain HTTP to clients from beyond loopback too.
    pub(crate) plain_http: bool,
    pub(crate) gate: Arc<Gate>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: watch::Receiver<Phase>,
}

impl Front {
    /// Accepts connections until the server stops.
    pub(crate) async fn accept(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(&mut self.stop) => return,
            };
            match accepted {
                Ok((stream, remote)) => match self.gate.enter(remote.ip()) {
                    Some(place) => drop(tokio::spawn(self.clone().connection(stream, remote, place))),
                    None => drop(self.metrics.refused_connections.inc()),
                },
                // Of this connection alone (reset before we took it), or of the process (no file descriptors): the second needs time.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted now");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, remote: SocketAddr, place: Place) {
        // Small messages that others wait for.
        let _ = stream.set_nodelay(true);
        let mut first = [0];
        let Ok(Ok(1)) = timeout(HANDSHAKE_TIME, stream.peek(&mut first)).await else { return };
        let mut arrival = Arrival { local: stream.local_addr().ok(), remote: Some(remote), tls: false };
        if first != [TLS_HANDSHAKE] {
            return self.http(Held { io: stream, _place: place }, arrival).await;
        }
        let Some(tls) = &self.tls else { return };
        let handshake = tokio_rustls::TlsAcceptor::from(tls.0.clone()).accept(stream);
        if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME, handshake).await {
            arrival.tls = true;
            self.http(Held { io: stream, _place: place }, arrival).await;
        }
    }

    async fn http<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: Held<I>, arrival: Arrival) {
        let redirect = !arrival.tls && self.tls.is_some() && !self.plain_http && !arrival.is_loopback();
        let router = self.router;
        let keep = KeepOpen::default();
        let kept = keep.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (router, kept) = (router.clone(), kept.clone());
            async move {
                if redirect {
                    return Ok::<_, Infallible>(to_https(&request));
                }
                request.extensions_mut().insert(ConnectInfo(arrival));
                request.extensions_mut().insert(kept);
                router.oneshot(request.map(Body::new)).await
            }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_headers(HEADER_LINES)
            .max_buf_size(HEADER_BYTES);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service).with_upgrades());
        let mut stop = self.stop;
        let lived = async {
            sleep(HTTP_TIME).await;
            if keep.0.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = connection.as_mut() => return,
            () = lived => {}
            () = stopped(&mut stop) => {}
        }
        // It may finish the answer that it is at, and then ends.
        connection.as_mut().graceful_shutdown();
        let _ = timeout(HANDSHAKE_TIME, connection).await;
    }
}

/// By which a handler tells that its answer will be a long one: the connection lives on beyond [`HTTP_TIME`].
#[derive(Debug, Clone, Default)]
pub(crate) struct KeepOpen(Arc<AtomicBool>);

impl KeepOpen {
    /// The answer will be long; the handler sees to its end.
    pub(crate) fn keep(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The same path by HTTPS, on the same port. Remembered by browsers when it answers a GET, as it will stay true.
fn to_https(request: &Request<Incoming>) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = access::host(request.headers())
        .and_then(|host| HeaderValue::try_from(format!("https://{host}{path}")).ok());
    let mut response = Response::new(Body::empty());
    match location {
        Some(location) => {
            let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
            *response.status_mut() =
                if is_get { StatusCode::MOVED_PERMANENTLY } else { StatusCode::PERMANENT_REDIRECT };
            response.headers_mut().insert(header::LOCATION, location);
        }
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    // What comes next is TLS: a new connection.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A stream that holds its place at the gate, also when it has become a WebSocket.
struct Held<I> {
    io: I,
    _place: Place,
}

impl<I: AsyncRead + Unpin> AsyncRead for Held<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Held<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
