//! A conference that browsers join by opening a link: `salon-server` on a port of its own.
#![forbid(unsafe_code)]

mod links;
mod options;
mod ports;

use clap::Parser as _;
use links::Links;
use options::{Options, Runs};
use salon_host::{Host, HostConfig, StartError};
use salon_server::{Config, RoomName, Server, Tls, kept_secret, machine_addresses};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    let options = Options::parse();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // The ICE library tells passwords below this level.
    let levels = options.log.clone().with_target("is", LevelFilter::INFO);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return sorry(&format!("No thread can be started ({error}): give this user more processes."));
        }
    };
    match runtime.block_on(meet(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => sorry(&sentence),
    }
}

fn sorry(sentence: &str) -> ExitCode {
    eprintln!("{sentence}");
    ExitCode::FAILURE
}

/// Until it is told to stop; an error is one sentence that says what to do.
async fn meet(options: &Options) -> Result<(), String> {
    let listeners = ports::page(options.listen)?;
    let listen = match listeners.first().map(tokio::net::TcpListener::local_addr) {
        Some(Ok(address)) => address,
        _ => options.listen,
    };
    let host = media(options, listen.port())?;
    let text = |error: &dyn std::fmt::Display| format!("{error}.");
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Tls::from_pem(certificate, key),
        _ => Tls::own(options.state().as_deref(), &options.public_ips),
    }
    .map_err(|error| text(&error))?;
    let kept = |given: &Option<String>, name| match (given, options.state()) {
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(directory)) => kept_secret(&directory, name).map(Some).map_err(|error| text(&error)),
        (None, None) => Ok(None),
    };
    let config = Config {
        moderator_key: kept(&options.moderator_key, "moderator.key")?,
        token_secret: kept(&options.token_secret, "token.key")?,
        key_needed: options.needed(),
        joins_at_once: options.joins_at_once,
        public_ips: options.public_ips.clone(),
        admin_token: options.admin_token.clone(),
        allow_origins: options.allow_origins.clone(),
        plain_http: options.plain_http,
        ..Config::default()
    };
    let server = Server::start(config, host.handle()).map_err(|error| text(&error))?;
    let room = RoomName::random().map_err(|error| text(&error))?;
    let links = Links {
        listen,
        room: &room,
        neighbours: options.public_ips.first().copied().or_else(|| machine_addresses().first().copied()),
        warns: options.tls_cert.is_none(),
        moderator: options.moderator_key.is_none().then(|| server.moderator_key()),
        token: options.admin_token.is_none().then(|| server.admin_token()),
    };
    print!("{links}");
    let ports = listeners.into_iter().map(|listener| {
        let (server, tls) = (server.clone(), tls.clone());
        tokio::spawn(async move { server.serve(listener, Some(tls)).await })
    });
    let ports: Vec<_> = ports.collect();
    told_to_stop().await;
    let drained = server.drain(Duration::from_secs(options.drain));
    tokio::select! {
        () = drained => {}
        () = told_to_stop() => {}
    }
    server.shutdown();
    for port in ports {
        let _ = port.await;
    }
    Ok(())
}

/// Why the rooms are not there, and what to do.
fn sentence(error: &StartError) -> String {
    match error {
        StartError::Bind(address, error) => ports::sentence("UDP", *address, "--udp", error),
        error => {
            format!("The rooms cannot be opened ({error}): free some memory or threads, and start again.")
        }
    }
}

/// The rooms on their UDP port: on all addresses of both families, or of IPv4 where the machine has no other.
fn media(options: &Options, page: u16) -> Result<Host, String> {
    let port = options.udp.unwrap_or(page);
    let start = |address: SocketAddr| {
        let mut config = HostConfig::new(address);
        config.room.participants = options.max_participants.into();
        config.max_rooms = options.max_rooms;
        config.max_participants = options.max_people.into();
        #[cfg(feature = "count-allocations")]
        {
            config.meter = Some(|call| {
                let counted = allocation_counter::measure(call);
                salon_host::Allocated { count: counted.count_total, bytes: counted.bytes_total }
            });
        }
        config.shards = options.shards.map_or(config.shards, usize::from);
        config.offload = options.offload.into();
        Host::start(config)
    };
    // Only without checksums does the kernel refuse runs, and IPv6 has no datagrams without.
    if options.offload == Runs::Refused {
        return start((Ipv4Addr::UNSPECIFIED, port).into()).map_err(|error| sentence(&error));
    }
    let both = start((Ipv6Addr::UNSPECIFIED, port).into());
    let result = match both {
        Err(StartError::Bind(_, error)) if error.kind() != std::io::ErrorKind::AddrInUse => {
            start((Ipv4Addr::UNSPECIFIED, port).into())
        }
        result => result,
    };
    result.map_err(|error| sentence(&error))
}

/// Waits for ctrl-c, or for the signal by which service managers stop a program.
async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    #[allow(unreachable_code)]
    let _ = interrupt.await;
}
