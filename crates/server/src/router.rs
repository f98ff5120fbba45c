//! Which path does what.

use crate::access;
use crate::api;
use crate::arrival::Arrival;
use crate::candidates::{candidates, is_proxied, machine_addresses};
use crate::events;
use crate::headers;
use crate::limits::{MESSAGE_BYTES_READ, SOCKET_BUFFER};
use crate::name::RoomName;
use crate::page;
use crate::server::App;
use crate::session::{self, Place};
use crate::whip;
use crate::wire::Wire;
use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, OriginalUri, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::convert::Infallible;
use std::sync::Arc;

/// Everything.
pub(crate) fn router(app: Arc<App>) -> Router {
    let admin = Router::new()
        .route("/metrics", get(api::metrics))
        .route("/api/rooms", get(api::rooms))
        .route("/api/rooms/{room}", get(api::room))
        .route("/api/rooms/{room}/tokens", post(api::token))
        .route_layer(from_fn_with_state(app.clone(), only_admin));
    Router::new()
        .route("/", get(new_room))
        .route("/{room}", get(room))
        .route("/assets/{*path}", get(asset))
        .route("/favicon.ico", get(no_icon))
        .route("/robots.txt", get(robots))
        .route("/healthz", get(async || "ok\n"))
        .route("/api/ws/{room}", get(socket))
        .route("/api/events/{room}", get(events::stream))
        .route(
            "/api/events/{room}/{key}",
            post(events::post).layer(DefaultBodyLimit::max(MESSAGE_BYTES_READ)),
        )
        .merge(admin)
        .merge(whip::router())
        .fallback(async || page::not_found())
        .layer(from_fn_with_state(app.clone(), protect))
        .with_state(app)
}

/// A new room, by a name that nobody guesses.
async fn new_room(OriginalUri(uri): OriginalUri) -> Response<Body> {
    let Ok(name) = RoomName::random() else { return status(StatusCode::SERVICE_UNAVAILABLE) };
    // `uri` is as the client sees it, also below a prefix.
    let location = HeaderValue::try_from(format!("{}/{name}", uri.path().trim_end_matches('/')));
    let mut response = status(StatusCode::SEE_OTHER);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn room(Path(name): Path<String>, request: HeaderMap) -> Response<Body> {
    if RoomName::parse(&name).is_none() {
        return page::not_found();
    }
    page::room(&request)
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response<Body> {
    page::file(&path, &request)
}

/// The page names its own icon; without this answer "favicon.ico" would be a room.
async fn no_icon() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /\n"
}

/// The room protocol: `PROTOCOL.md`.
async fn socket(
    State(app): State<Arc<App>>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    let place = match caller.place(&app) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    upgrade
        .max_message_size(MESSAGE_BYTES_READ)
        .max_frame_size(MESSAGE_BYTES_READ)
        .read_buffer_size(SOCKET_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| session::run(place, Wire::Socket(Box::new(socket))))
}

/// Who opens a connection to a room: what the request says of it.
pub(crate) struct Caller {
    room: Option<RoomName>,
    arrival: Option<Arrival>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let room = path.ok().and_then(|Path(parts)| {
            parts.iter().find(|(key, _)| key == "room").and_then(|(_, name)| RoomName::parse(name))
        });
        let arrival = parts.extensions.get::<ConnectInfo<Arrival>>().map(|ConnectInfo(arrival)| *arrival);
        Ok(Self { room, arrival, headers: parts.headers.clone() })
    }
}

impl Caller {
    /// Whether it may speak the room protocol here; otherwise the answer that says why not.
    pub(crate) fn room(&self, app: &App) -> Result<RoomName, Box<Response<Body>>> {
        let room = self.room.clone().ok_or_else(|| Box::new(page::not_found()))?;
        if !access::origin_allowed(&self.headers, &app.config.allow_origins) {
            app.metrics.refused_origins.inc();
            let text =
                "A page of another origin may not join here; the server's --allow-origin can name it.\n";
            return Err(Box::new((StatusCode::FORBIDDEN, text).into_response()));
        }
        Ok(room)
    }

    /// Where its session will be; otherwise the answer that says why there is none.
    pub(crate) fn place(self, app: &Arc<App>) -> Result<Place, Box<Response<Body>>> {
        let room = self.room(app)?;
        let machine = machine_addresses();
        let proxied = is_proxied(&self.headers);
        let reachable =
            candidates(&app.config.public_ips, self.arrival, proxied, &machine, app.host.udp().port());
        let client = self.arrival.and_then(|arrival| arrival.remote).map(|remote| remote.ip());
        Ok(Place { app: app.clone(), room, reachable, client })
    }
}

/// Lets only the bearer of the token pass, wherever the request comes from.
async fn only_admin(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    if access::is_admin(request.headers(), &app.admin_token) {
        return next.run(request).await;
    }
    app.metrics.refused_tokens.inc();
    let mut response =
        (StatusCode::UNAUTHORIZED, "This needs the administrator's token: Authorization: Bearer TOKEN\n")
            .into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Adds what answers tell the browser not to do.
async fn protect(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    let host = access::host(request.headers()).map(str::to_owned);
    let mut response = next.run(request).await;
    headers::protect(&mut response, || headers::policy(host.as_deref(), &app.config.allow_origins));
    response
}

pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
