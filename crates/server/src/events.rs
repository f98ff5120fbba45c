//! The room protocol where no WebSocket can be opened: an event stream out, posts in.
//!
//! Proxies that break WebSockets still pass a long answer (Server-Sent Events, HTML §9.2) and small requests.

use crate::limits::{EVENT_STREAMS, EVENTS, POSTS};
use crate::listener::KeepOpen;
use crate::page;
use crate::random::{self, NoRandomness};
use crate::router::{Caller, status};
use crate::server::App;
use crate::session;
use crate::wire::Wire;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ws::Utf8Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use hyper::body::Frame;
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// The event streams that are open, by the secret that their clients post with.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<String, mpsc::Sender<Utf8Bytes>>>);

/// A stream's entry; gone when it is dropped.
struct Open {
    app: Arc<App>,
    key: String,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Utf8Bytes>>> {
        // Map operations only: nothing panics half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new entry; `None` where there are too many.
    fn open(app: &Arc<App>, posts: mpsc::Sender<Utf8Bytes>) -> Result<Option<Open>, NoRandomness> {
        let key = random::token()?;
        let mut streams = app.streams.lock();
        if streams.len() >= EVENT_STREAMS {
            return Ok(None);
        }
        streams.insert(key.clone(), posts);
        Ok(Some(Open { app: app.clone(), key }))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.app.streams.lock().remove(&self.key);
    }
}

/// `GET /api/events/{room}`: the messages of the server, each one event; the first is `open`, with the last part of the path to post to.
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    keep: Option<axum::Extension<KeepOpen>>,
    caller: Caller,
) -> Response<Body> {
    let place = match caller.place(&app) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    let (texts, out) = mpsc::channel(EVENTS);
    let (post, posts) = mpsc::channel(POSTS);
    let open = match Streams::open(&app, post) {
        Ok(Some(open)) => open,
        _ => return status(StatusCode::SERVICE_UNAVAILABLE),
    };
    if let Some(axum::Extension(keep)) = keep {
        keep.keep();
    }
    let first = Bytes::from(format!("event: open\ndata: {}\n\n", open.key));
    tokio::spawn(async move {
        session::run(place, Wire::Events { texts, posts }).await;
        drop(open);
    });
    let mut response = Response::new(Body::new(Stream { first: Some(first), out }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep events until a buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// `POST /api/events/{room}/{key}`: one message of the client.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((_, key)): Path<(String, String)>,
    caller: Caller,
    body: Result<String, axum::extract::rejection::StringRejection>,
) -> Response<Body> {
    if let Err(response) = caller.room(&app) {
        return *response;
    }
    // A map finds a key in a time that tells little of it; and each has 128 random bits.
    let Some(posts) = app.streams.lock().get(&key).cloned() else { return page::not_found() };
    match body {
        Err(rejection) => rejection.into_response(),
        Ok(text) => match posts.try_send(text.into()) {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(mpsc::error::TrySendError::Full(_)) => status(StatusCode::TOO_MANY_REQUESTS),
            Err(mpsc::error::TrySendError::Closed(_)) => page::not_found(),
        },
    }
}

/// The body of the long answer.
struct Stream {
    first: Option<Bytes>,
    out: mpsc::Receiver<Utf8Bytes>,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        // JSON as we write it has no line ends, which would end the event's data.
        let text = ready!(self.out.poll_recv(cx));
        Poll::Ready(text.map(|text| Ok(Frame::data(Bytes::from(format!("data: {}\n\n", text.as_str()))))))
    }
}
