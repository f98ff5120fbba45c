//! Pages of any origin may publish and play (RFC 9725 §4.2 demands it): without credentials, because nothing here goes by a cookie.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use axum::middleware::Next;

/// The type of an offer and of its answer.
pub(crate) const SDP: &str = "application/sdp";

/// The type of a fragment (RFC 8840 §9).
pub(crate) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// `Accept-Patch` (RFC 5789 §3.1).
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// `Accept-Post` (W3C, Linked Data Platform 1.0 §7.1).
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// Headers that a page's script could not read otherwise.
const EXPOSED: &str = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After";

/// Headers that a page's script may send. `Authorization` must be named: the `*` of CORS does not mean it.
const ASKED: &str = "Authorization, Content-Type, If-Match";

/// Lets pages of any origin read the answer.
pub(crate) async fn allow(request: Request, next: Next) -> Response<Body> {
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ASKED));
        // A day; browsers keep it for two hours at most.
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

/// `OPTIONS` of an endpoint.
pub(crate) async fn endpoint() -> Response<Body> {
    options("POST, OPTIONS")
}

/// `OPTIONS` of a session.
pub(crate) async fn session() -> Response<Body> {
    options("PATCH, DELETE, OPTIONS")
}

fn options(methods: &'static str) -> Response<Body> {
    // 200, as RFC 9725 §4.2 has it.
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    accepted(headers);
    response
}

/// What bodies are understood.
pub(crate) fn accepted(headers: &mut HeaderMap) {
    headers.insert(ACCEPT_POST, HeaderValue::from_static(SDP));
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
}
