//! Reading what a request brings.

use super::refused::{Reason, Refused};
use crate::limits::{BODY_BYTES_READ, BODY_TIME, SDP_BYTES};
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, header};
use std::future::poll_fn;
use std::pin::Pin;
use tokio::time::timeout;

/// The text of a body that must be of this media type.
pub(crate) async fn text(headers: &HeaderMap, body: Body, media_type: &str) -> Result<String, Refused> {
    if !is_of(headers, media_type) {
        return Err(Reason::MediaType.into());
    }
    let bytes = timeout(BODY_TIME, read(body)).await.map_err(|_| Reason::TooSlow)??;
    // RFC 8866 §4.5: SDP is UTF-8.
    String::from_utf8(bytes).map_err(|_| Refused::saying(Reason::Malformed, "The body is not UTF-8."))
}

/// Whether the body is declared to be of this type. Parameters do not matter (RFC 9110 §8.3.1).
fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|text| text.trim().eq_ignore_ascii_case(media_type))
}

/// The body, if it is not too large. Of a larger one some is read and thrown away: a connection that is closed with unread bytes is
/// reset, and the client would not hear why (RFC 9112 §9.6).
async fn read(mut body: Body) -> Result<Vec<u8>, Refused> {
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| Refused::saying(Reason::Malformed, "The body broke off."))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= SDP_BYTES {
            bytes.extend_from_slice(&data);
        } else if length > BODY_BYTES_READ {
            break;
        }
    }
    if length > SDP_BYTES { Err(Reason::TooLarge.into()) } else { Ok(bytes) }
}
