//! What the command line and the environment say.

use clap::Parser;
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

    /// Where the certificate that is made here is kept [default: this user's data directory]
    #[arg(long, env = "MEET_STATE_DIR", value_name = "DIRECTORY")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Token that opens /metrics and /api/rooms [default: one is made and printed]
    #[arg(long, env = "MEET_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) admin_token: Option<String>,

    /// Another origin whose pages may join, such as https://example.org; may be repeated
    #[arg(long = "allow-origin", env = "MEET_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    pub(crate) allow_origins: Vec<String>,

    /// Serve plain HTTP beyond this machine too, for a reverse proxy elsewhere that speaks HTTPS
    #[arg(long, env = "MEET_PLAIN_HTTP")]
    pub(crate) plain_http: bool,

    /// People in one room
    #[arg(long, env = "MEET_MAX_PARTICIPANTS", default_value_t = 100, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_participants: u16,

    /// Rooms with somebody in them
    #[arg(long, env = "MEET_MAX_ROOMS", default_value_t = 1000, value_name = "NUMBER")]
    pub(crate) max_rooms: usize,

    /// What is logged: error, warn, info, debug, trace, or TARGET=LEVEL, separated by commas
    #[arg(long, env = "MEET_LOG", default_value = "warn", value_name = "LEVELS")]
    pub(crate) log: Targets,
}

impl Options {
    /// Where the certificate is kept; none where this user has no home.
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
    fn several_addresses_either_way() {
        let options =
            Options::parse_from(["meet", "--public-ip", "192.0.2.1", "--public-ip", "2001:db8::1,192.0.2.2"]);
        assert_eq!(options.public_ips.len(), 3);
    }
}
