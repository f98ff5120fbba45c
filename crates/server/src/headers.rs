//! What every answer tells the browser not to do.

use crate::access;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};

/// Devices that the page may ask for, and only for itself; everything else that a page could ask for is off.
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), \
    picture-in-picture=(self), screen-wake-lock=(self), speaker-selection=(self), clipboard-write=(self), geolocation=(), payment=(), usb=(), \
    serial=(), hid=(), midi=(), browsing-topics=()";

/// Adds the headers to an answer to a request that named `host`.
pub(crate) fn protect(response: &mut Response<Body>, policy: HeaderValue) {
    // The room's name is the key to the room: no site that a link in the chat leads to may learn it.
    let fixed = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // No Strict-Transport-Security: with it a browser would not let anybody past the warning about our own certificate.
}

/// The content policy: everything from here, nothing inline, text only ever as text.
pub(crate) fn policy(request: &HeaderMap, frames: &[String]) -> HeaderValue {
    // `'self'` did not cover WebSockets in older Safari, so they are named; the host is one of the checked form.
    let sockets = access::host(request).map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
    let frames: String =
        frames.iter().filter(|origin| is_source(origin)).map(|origin| format!(" {origin}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; \
         connect-src 'self'{sockets}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'{frames}; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn is_source(origin: &str) -> bool {
    !origin.is_empty() && origin.bytes().all(|b| b.is_ascii_graphic() && !b";,'\"".contains(&b))
}
