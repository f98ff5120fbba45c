//! What the command line and the environment say.
// These texts are help on a terminal, where links are not marked up.
#![allow(rustdoc::bare_urls)]

use clap::{Parser, ValueEnum};
use salon_host::Offload;
use salon_server::{Needed, RoomName};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tracing_subscriber::filter::Targets;

/// A conference that browsers join by opening a link.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Options {
    /// Where the page is served, HTTP and HTTPS on the same port
    #[arg(long, env = "MEET_LISTEN", default_value = "0.0.0.0:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,

    /// UDP port of sound and picture [default: the number of --listen]
    #[arg(long, env = "MEET_UDP", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) udp: Option<u16>,

    /// Address at which others reach this machine; may be repeated [default: the address by which they came, then the machine's own]
    #[arg(long = "public-ip", env = "MEET_PUBLIC_IP", value_delimiter = ',', value_name = "ADDRESS")]
    pub(crate) public_ips: Vec<IpAddr>,

    /// Certificate chain, PEM [default: one is made on first start]
    #[arg(long, env = "MEET_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key, PEM
    #[arg(long, env = "MEET_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Where the certificate and the keys that are made here are kept [default: this user's data directory]
    #[arg(long, env = "MEET_STATE_DIR", value_name = "DIRECTORY")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Token that opens /metrics and /api/rooms [default: one is made and printed]
    #[arg(long, env = "MEET_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) admin_token: Option<String>,

    /// Key that makes a moderator of who joins with it [default: one is made, kept and printed]
    #[arg(long, env = "MEET_MODERATOR_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) moderator_key: Option<String>,

    /// Secret with which tokens (JWT, HS256) are signed [default: one is made and kept]
    #[arg(long, env = "MEET_TOKEN_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub(crate) token_secret: Option<String>,

    /// Room that lets in only who brings a key, or * for all rooms; may be repeated
    #[arg(long = "need-key", env = "MEET_NEED_KEY", value_delimiter = ',', value_name = "ROOM", value_parser = needing)]
    pub(crate) need_key: Vec<Needing>,

    /// Seconds that people have to leave when the program is told to stop (SIGTERM, ctrl-c); a second signal ends it at once
    #[arg(long, env = "MEET_DRAIN", default_value_t = 10, value_name = "SECONDS")]
    pub(crate) drain: u64,

    /// Another origin whose pages may join, such as https://example.org; may be repeated
    #[arg(long = "allow-origin", env = "MEET_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    pub(crate) allow_origins: Vec<String>,

    /// Serve plain HTTP beyond this machine too, for a reverse proxy elsewhere that speaks HTTPS
    #[arg(long, env = "MEET_PLAIN_HTTP")]
    pub(crate) plain_http: bool,

    /// People in one room
    #[arg(long, env = "MEET_MAX_PARTICIPANTS", default_value_t = 100, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_participants: u16,

    /// Joins from one address at once, this machine's own excepted; then one a second. For a large school behind one address
    #[arg(long, env = "MEET_JOINS_AT_ONCE", default_value_t = salon_server::limits::JOINS_AT_ONCE, value_name = "NUMBER")]
    pub(crate) joins_at_once: u32,

    /// Rooms with somebody in them
    #[arg(long, env = "MEET_MAX_ROOMS", default_value_t = 1000, value_name = "NUMBER")]
    pub(crate) max_rooms: usize,

    /// People in all rooms together: those who come beyond are told that the server is full. Each takes up to 2 MB of memory
    #[arg(long, env = "MEET_MAX_PEOPLE", default_value_t = 1000, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) max_people: u16,

    /// Media threads, each with rooms of its own [default: as many as this machine has cores]
    #[arg(long, env = "MEET_SHARDS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=salon_host::limits::SHARDS as i64))]
    pub(crate) shards: Option<u16>,

    /// Whether datagrams leave in runs that the kernel cuts up; `refused` makes the kernel refuse them, on IPv4 alone. For measurements
    #[arg(long, env = "MEET_OFFLOAD", hide = true, value_enum, default_value_t = Runs::Auto)]
    pub(crate) offload: Runs,

    /// What is logged: error, warn, info, debug, trace, or TARGET=LEVEL, separated by commas
    #[arg(long, env = "MEET_LOG", default_value = "warn", value_name = "LEVELS")]
    pub(crate) log: Targets,
}

/// How datagrams are handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runs {
    Auto,
    Off,
    Refused,
}

impl From<Runs> for Offload {
    fn from(runs: Runs) -> Self {
        match runs {
            Runs::Auto => Self::Auto,
            Runs::Off => Self::Off,
            Runs::Refused => Self::Refused,
        }
    }
}

/// Which rooms need a key.
#[derive(Debug, Clone)]
pub(crate) enum Needing {
    Everywhere,
    In(RoomName),
}

fn needing(text: &str) -> Result<Needing, String> {
    if text == "*" {
        return Ok(Needing::Everywhere);
    }
    RoomName::parse(text).map(Needing::In).ok_or_else(|| "that is no room's name".to_owned())
}

impl Options {
    /// Which rooms need a key, together.
    pub(crate) fn needed(&self) -> Needed {
        let mut rooms = Vec::new();
        for one in &self.need_key {
            match one {
                Needing::Everywhere => return Needed::Everywhere,
                Needing::In(room) => rooms.push(room.clone()),
            }
        }
        if rooms.is_empty() { Needed::Nowhere } else { Needed::In(rooms) }
    }

    /// Where certificate and keys are kept; none where this user has no home.
    pub(crate) fn state(&self) -> Option<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.state_dir
            .clone()
            .or_else(|| {
                from("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|path| path.join("salon"))
            })
            .or_else(|| from("LOCALAPPDATA").map(|path| path.join("salon")))
            .or_else(|| from("HOME").map(|path| path.join(".local/share/salon")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn rooms_that_need_a_key() {
        let needed = |args: &[&str]| Options::parse_from(["meet"].iter().chain(args)).needed();
        assert_eq!(needed(&[]), Needed::Nowhere);
        let council = RoomName::parse("council").unwrap();
        assert_eq!(needed(&["--need-key", "Council"]), Needed::In(vec![council]));
        assert_eq!(needed(&["--need-key", "council,*"]), Needed::Everywhere);
        assert!(Options::try_parse_from(["meet", "--need-key", "a/b"]).is_err());
    }

    #[test]
    fn several_addresses_either_way() {
        let options =
            Options::parse_from(["meet", "--public-ip", "192.0.2.1", "--public-ip", "2001:db8::1,192.0.2.2"]);
        assert_eq!(options.public_ips.len(), 3);
    }
}
