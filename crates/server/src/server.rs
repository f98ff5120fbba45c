//! The server: state that all requests share, and how it is served.

use crate::config::Config;
use crate::directory::Directory;
use crate::gate::Gate;
use crate::limits::CONNECTIONS_PER_ADDRESS;
use crate::listener::Front;
use crate::metrics::Metrics;
use crate::random::{self, NoRandomness};
use crate::router;
use crate::tls::Tls;
use crate::whip::Registry;
use axum::Router;
use salon_host::Handle;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a stopping server waits for its connections to take leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// A conference over HTTP: a [`Router`] to mount anywhere, or a port of its own that speaks plain HTTP and TLS. Cheap to clone; all
/// clones are the same conference.
#[derive(Debug, Clone)]
pub struct Server(Arc<App>);

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) host: Handle,
    pub(crate) directory: Arc<Directory>,
    pub(crate) sessions: Registry,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) admin_token: String,
    /// Another one after each start.
    pub(crate) boot: String,
    gate: Arc<Gate>,
    stop: watch::Sender<bool>,
}

impl App {
    /// Tells when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

impl Server {
    /// A conference over the rooms of a host.
    ///
    /// # Errors
    /// When the operating system gives no randomness for tokens.
    pub fn start(config: Config, host: Handle) -> Result<Self, NoRandomness> {
        let metrics = Arc::new(Metrics::new());
        let given = config.admin_token.clone().filter(|token| !token.is_empty());
        Ok(Self(Arc::new(App {
            admin_token: given.map_or_else(random::token, Ok)?,
            boot: random::token()?,
            directory: Arc::new(Directory::new(metrics.clone())),
            sessions: Registry::new(metrics.sessions.clone()),
            gate: Gate::new(config.max_connections, CONNECTIONS_PER_ADDRESS, metrics.connections.clone()),
            stop: watch::Sender::new(false),
            metrics,
            config,
            host,
        })))
    }

    /// Page, WebSocket, API and metrics, to be served or nested below a prefix. For the addresses in its answers it looks for
    /// [`ConnectInfo<Arrival>`](crate::Arrival).
    pub fn router(&self) -> Router {
        router::router(self.0.clone())
    }

    /// The token that opens `/metrics` and `/api/rooms`.
    pub fn admin_token(&self) -> &str {
        &self.0.admin_token
    }

    /// Serves plain HTTP and, with `tls`, HTTPS on one port, until [`shutdown`](Self::shutdown). Plain HTTP from beyond loopback is redirected
    /// to HTTPS where there is HTTPS, unless [`Config::plain_http`] says otherwise. May run for several ports at once.
    pub async fn serve(&self, listener: TcpListener, tls: Option<Tls>) {
        let front = Front {
            router: self.router(),
            tls,
            plain_http: self.0.config.plain_http,
            gate: self.0.gate.clone(),
            metrics: self.0.metrics.clone(),
            stop: self.0.stopping(),
        };
        front.accept(listener).await;
        let _ = tokio::time::timeout(FAREWELL, self.0.gate.empty()).await;
    }

    /// Tells everybody that the server stops, and lets [`serve`](Self::serve) return.
    pub fn shutdown(&self) {
        self.0.stop.send_replace(true);
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the server is no more.
    let _ = stop.wait_for(|stop| *stop).await;
}
