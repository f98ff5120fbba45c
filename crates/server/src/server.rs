//! The server: state that all requests share, and how it is served.

use crate::config::Config;
use crate::directory::Directory;
use crate::events::Streams;
use crate::gate::Gate;
use crate::joins::Joins;
use crate::keys::{Keys, Role};
use crate::limits::CONNECTIONS_PER_ADDRESS;
use crate::listener::Front;
use crate::messages::Drain;
use crate::metrics::Metrics;
use crate::name::RoomName;
use crate::random::{self, NoRandomness};
use crate::router;
use crate::tls::Tls;
use crate::whip::Registry;
use axum::Router;
use salon_host::Handle;
use std::sync::Arc;
use std::time::{Duration, Instant};
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
    moderator_key: String,
    pub(crate) keys: Keys,
    pub(crate) joins: Joins,
    /// Another one after each start.
    pub(crate) boot: String,
    pub(crate) streams: Streams,
    gate: Arc<Gate>,
    phase: watch::Sender<Phase>,
}

/// How far a server is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// Nobody new comes in; those who are there have this much time.
    Draining,
    Stopped,
}

impl App {
    /// Tells when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Whether nobody new may come in.
    pub(crate) fn is_draining(&self) -> bool {
        *self.phase.borrow() != Phase::Open
    }
}

impl Server {
    /// A conference over the rooms of a host.
    ///
    /// # Errors
    /// When the operating system gives no randomness for tokens.
    pub fn start(config: Config, host: Handle) -> Result<Self, NoRandomness> {
        let metrics = Arc::new(Metrics::new());
        let given = |secret: &Option<String>| {
            secret.clone().filter(|secret| !secret.is_empty()).map_or_else(random::token, Ok)
        };
        let moderator_key = given(&config.moderator_key)?;
        let keys = Keys::new(moderator_key.clone(), &given(&config.token_secret)?, config.key_needed.clone());
        Ok(Self(Arc::new(App {
            admin_token: given(&config.admin_token)?,
            moderator_key,
            keys,
            joins: Joins::new(Instant::now(), config.joins_at_once),
            boot: random::token()?,
            directory: Arc::new(Directory::new(metrics.clone())),
            sessions: Registry::new(metrics.sessions.clone()),
            gate: Gate::new(config.max_connections, CONNECTIONS_PER_ADDRESS, metrics.connections.clone()),
            streams: Streams::default(),
            phase: watch::Sender::new(Phase::Open),
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

    /// The key that makes a moderator: to be put behind a room's link as `#key=…`.
    pub fn moderator_key(&self) -> &str {
        &self.0.moderator_key
    }

    /// A token for a room (`None`: for all), valid from now on for a while, to be put behind a room's link as `#key=…`. `name` is the name
    /// under which its bearer joins. `None` where the clock stands before 1970 or the time is beyond all measure.
    pub fn token(
        &self,
        room: Option<&RoomName>,
        role: Role,
        name: Option<String>,
        valid: Duration,
    ) -> Option<String> {
        self.0.keys.token(room, role, name, valid)
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

    /// Lets nobody new in, tells everybody that the server will stop, and waits until they have left, for so long at most. Their media go
    /// on meanwhile. Then it is time for [`shutdown`](Self::shutdown).
    pub async fn drain(&self, time: Duration) {
        let was = self.0.phase.send_replace(Phase::Draining);
        if was == Phase::Stopped {
            self.shutdown();
            return;
        }
        self.0.directory.tell_all(&Drain { seconds: time.as_secs() });
        let _ = tokio::time::timeout(time, self.0.directory.empty()).await;
    }

    /// Tells everybody that the server stops, and lets [`serve`](Self::serve) return.
    pub fn shutdown(&self) {
        self.0.phase.send_replace(Phase::Stopped);
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(phase: &mut watch::Receiver<Phase>) {
    // An error means that the server is no more.
    let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
}
