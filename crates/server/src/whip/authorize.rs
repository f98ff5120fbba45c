//! Who may publish into a room, or play from it.

use super::Kind;
use super::refused::{Reason, Refused};
use crate::access;
use crate::keys::{Admission, Role};
use crate::name::RoomName;
use crate::server::App;
use axum::http::HeaderMap;

/// Whether this request may make a session in this room (RFC 9725 §4.7, RFC 6750 §2.1: `Authorization: Bearer …`), and as whom. Asked for before
/// anything of the body is read; a session's own URL is the key to what was made.
pub(crate) fn authorize(
    app: &App,
    room: &RoomName,
    kind: Kind,
    headers: &HeaderMap,
) -> Result<Admission, Refused> {
    let admission = app.keys.judge(room, access::bearer(headers))?;
    if kind == Kind::Publish && admission.role == Role::Listener {
        return Err(Refused::saying(
            Reason::Forbidden,
            "This key is a listener's: it may play, not publish.",
        ));
    }
    // Nobody can be told to wait at a door that has no voice.
    if admission.role != Role::Moderator && app.directory.is_locked(room) {
        return Err(Refused::saying(Reason::Forbidden, "The room is locked."));
    }
    Ok(admission)
}
