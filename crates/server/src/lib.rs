//! A conference server to mount in an axum program: page, WebSocket room protocol, API, metrics, TLS.
#![forbid(unsafe_code)]
