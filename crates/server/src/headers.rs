//! What answers tell the browser not to do.

use crate::page::Document;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, header};

/// Devices that the page may ask for, and only for itself; everything else that a page could ask for is off.
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), \
    picture-in-picture=(self), screen-wake-lock=(self), speaker-selection=(self), clipboard-write=(self), geolocation=(), payment=(), usb=(), \
    serial=(), hid=(), midi=(), browsing-topics=()";

/// What answers that are no page get: nothing may be loaded or run for them, and nothing shows them in a frame.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds the headers to an answer. A page says at length what it may do; of a file that a page uses, a browser reads only what is
/// said of all: a policy there would be a kilobyte for nothing, twenty times in a cold start. Opened by itself, such a file may
/// do nothing at all.
pub(crate) fn protect(response: &mut Response<Body>, policy: impl FnOnce() -> HeaderValue) {
    let html = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|of| of.as_bytes().starts_with(b"text/html"));
    let page = html || response.extensions().get::<Document>().is_some();
    // The room's name is the key to the room: no site that a link in the chat leads to may learn it. A style sheet's own policy
    // holds for what it loads.
    let all = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    let pages = [
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        if page { policy() } else { HeaderValue::from_static(NO_PAGE) },
    );
    for (name, value) in all.into_iter().chain(pages.into_iter().filter(|_| page)) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // No Strict-Transport-Security: with it a browser would not let anybody past the warning about our own certificate.
}

/// The content policy of a page of `host`: everything from here, nothing inline, text only ever as text.
pub(crate) fn policy(host: Option<&str>, frames: &[String]) -> HeaderValue {
    // `'self'` did not cover WebSockets in older Safari, so they are named; the host is one of the checked form.
    let sockets = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
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
