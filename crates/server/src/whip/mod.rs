//! WHIP and WHEP: any client that speaks these standards publishes into a room, or looks and listens into one, with one HTTP request
//! (RFC 9725, draft-ietf-wish-whep; `WHIP.md`).
//!
//! A session is a participant like any other: it stands in the list of people, and the core knows no difference. Only signalling is
//! another: one offer, one answer, no renegotiation, and ICE alone may change afterwards.

mod authorize;
mod body;
mod condition;
mod cors;
mod endpoint;
mod kind;
mod pace;
mod play;
mod refused;
mod registry;
mod resource;
mod terms;

pub(crate) use kind::Kind;
pub(crate) use refused::Reason;
pub(crate) use registry::Registry;

use crate::server::App;
use axum::middleware::from_fn;
use axum::routing::{patch, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// The endpoints, and the sessions that they make. Whatever else is asked of these paths is 405, and `Allow` says what is not.
pub(crate) fn router() -> Router<Arc<App>> {
    [Kind::Publish, Kind::Play].into_iter().fold(Router::new(), |router, kind| {
        let endpoint = post(endpoint::create).options(cors::endpoint);
        let session = patch(resource::change).delete(resource::end).options(cors::session);
        let name = kind.path();
        let both = Router::new()
            .route(&format!("/{name}/{{room}}"), endpoint)
            .route(&format!("/{name}/{{room}}/{{id}}"), session)
            .layer(Extension(kind))
            .layer(from_fn(cors::allow));
        router.merge(both)
    })
}
