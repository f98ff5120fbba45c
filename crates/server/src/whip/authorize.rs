//! Who may publish into a room, or play from it.

use super::Kind;
use super::refused::Refused;
use crate::name::RoomName;
use crate::server::App;
use axum::http::HeaderMap;

/// Whether this request may make a session in this room (RFC 9725 §4.7, RFC 6750 §2.1: `Authorization: Bearer …`). A room's name is its
/// key so far, so all may; where rooms come to need a token, this is the place that reads it, and a refusal of
/// [`Reason::Unauthorized`](super::Reason::Unauthorized) is answered as RFC 9110 §11.6.1 says. Asked for before anything of the body is read;
/// a session's own URL is the key to what was made.
pub(crate) fn authorize(
    _app: &App,
    _room: &RoomName,
    _kind: Kind,
    _headers: &HeaderMap,
) -> Result<(), Refused> {
    Ok(())
}
