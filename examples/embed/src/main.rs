//! A program of its own that also holds conferences, below `/meet`. A browser gives the microphone only to `https://` or
//! `http://localhost`: open the latter, or put a reverse proxy with HTTPS in front.
#![forbid(unsafe_code)]

use axum::{Router, response::Html, routing::get};
use salon_host::{Host, HostConfig};
use salon_server::{Arrival, Config, Server};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::start(HostConfig::new("0.0.0.0:3000".parse()?))?;
    let conference = Server::start(Config::default(), host.handle())?;
    let app = Router::new()
        .route("/", get(async || Html("<h1>Our village</h1><a href=/meet/town-hall>Town hall</a>")))
        .nest("/meet", conference.router());
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://localhost:3000/");
    axum::serve(listener, app.into_make_service_with_connect_info::<Arrival>()).await?;
    Ok(())
}
