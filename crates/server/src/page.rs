//! The page, held in the program.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The folder `page/`: `index.html` for every room, the rest under `/assets/`.
#[derive(RustEmbed)]
#[folder = "page"]
struct Files;

/// Of an answer: a browser may show it as a page of its own, so it gets the page's policies (`headers`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document;

/// The page of every room.
pub(crate) fn room(request: &HeaderMap) -> Response<Body> {
    let mut response = file("index.html", request);
    // Also where it is "not modified": a browser puts the headers of that answer over those that it has kept.
    response.extensions_mut().insert(Document);
    response
}

/// A file of the page, or 404. Its tag is its hash: browsers ask whether it changed, and mostly hear that it did not.
pub(crate) fn file(path: &str, request: &HeaderMap) -> Response<Body> {
    let Some(file) = Files::get(path) else { return not_found() };
    let (kind, hash) = (content_type(path), file.metadata.sha256_hash());
    let gzip = if is_text(kind) && takes_gzip(request) { packed(path, &hash, &file.data) } else { None };
    let tag = tag(&hash, gzip.is_some());
    let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = Response::new(Body::empty());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = match (gzip, file.data) {
            (Some(gzip), _) => {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::from(gzip)
            }
            (None, Cow::Borrowed(bytes)) => Body::from(bytes),
            (None, Cow::Owned(bytes)) => Body::from(bytes),
        };
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_text(kind) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A page that says that there is nothing here.
pub(crate) fn not_found() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "There is nothing here. A room's name has 1 to 64 letters, digits, - _ or .\n",
    ));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The file by gzip, packed when it is first asked for and then kept: some milliseconds for the whole page, once, and a third of
/// its bytes in memory. Nothing secret is in it, so that its length tells nobody anything. `None` where it would not be shorter.
fn packed(path: &str, hash: &[u8; 32], file: &[u8]) -> Option<Bytes> {
    type Kept = HashMap<String, ([u8; 32], Option<Bytes>)>;
    static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.get(path) {
        // In a debug build the files are read from the disk, and may change.
        Some((of, packed)) if of == hash => packed.clone(),
        _ => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            // Writing into memory does not fail; if it did, the file goes out as it is.
            let packed = encoder.write_all(file).and_then(|()| encoder.finish()).ok();
            let packed = packed.filter(|packed| packed.len() < file.len()).map(Bytes::from);
            kept.insert(path.to_owned(), (*hash, packed.clone()));
            packed
        }
    }
}

/// Whether an answer may come by gzip (RFC 9110 §12.5.3): named, or by `*`, and not with weight 0.
fn takes_gzip(request: &HeaderMap) -> bool {
    let mut any = false;
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for one in values.flat_map(|value| value.split(',')) {
        let mut parts = one.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts
            .filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return !refused,
            "*" => any = !refused,
            _ => {}
        }
    }
    any
}

/// Each encoding of a file is something else to a cache, and has a tag of its own (RFC 9110 §8.8.3.3).
fn tag(hash: &[u8; 32], gzip: bool) -> String {
    use std::fmt::Write as _;
    let mut tag = String::with_capacity(39);
    tag.push('"');
    for byte in &hash[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push_str(if gzip { "-gzip\"" } else { "\"" });
    tag
}

/// What packing makes shorter; pictures and sounds are packed by their own formats.
fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || matches!(kind, "application/json" | "image/svg+xml" | "application/wasm")
}

/// By the ending of the name. Browsers load a module only with a JavaScript type (HTML, "fetch a single module script").
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "txt" | "md" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip() {
        for (accepted, gzip) in [
            (&["gzip, deflate, br, zstd"][..], true),
            (&["br;q=1.0, GZip;q=0.5"], true),
            (&["br", "x-gzip"], true),
            (&["*"], true),
            (&["gzip;q=0, *"], false),
            (&["*;q=0"], false),
            (&["gzip ; q=0.000"], false),
            (&["identity"], false),
            (&["gzipped"], false),
            (&[""], false),
            (&[], false),
        ] {
            let request = accepted.iter().map(|one| (header::ACCEPT_ENCODING, HeaderValue::from_static(one)));
            assert_eq!(takes_gzip(&request.collect()), gzip, "{accepted:?}");
        }
    }

    #[test]
    fn what_is_no_shorter_goes_out_as_it_is() {
        assert_eq!(packed("none", &[0; 32], b"x"), None);
        assert!(packed("none", &[1; 32], &[b'x'; 100]).is_some_and(|packed| packed.len() < 100), "changed");
    }
}
