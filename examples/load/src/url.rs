//! Addresses of servers.

use crate::Error;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};

/// An `http` or `https` URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// `https`.
    pub tls: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    /// 80 or 443 where the URL names none.
    pub port: u16,
    /// Path and query, with its `/`.
    pub path: String,
}

impl Url {
    /// Reads a URL; `ws` and `wss` mean the same as `http` and `https`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = || Error::Url(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
        let tls = match scheme {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(bad()),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = match authority.strip_prefix('[') {
            // RFC 3986 §3.2.2: an IPv6 address stands in brackets.
            Some(v6) => {
                v6.split_once(']').map(|(host, port)| (host, port.strip_prefix(':'))).ok_or_else(bad)?
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| bad())?,
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
        };
        if host.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(bad());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, host: host.to_owned(), port, path })
    }

    /// What a `Location` means for somebody who asked here: a URL, or a path of the same server (RFC 3986 §4.2).
    pub fn join(&self, location: &str) -> Result<Self, Error> {
        if location.contains("://") {
            return Self::parse(location);
        }
        let path = if location.starts_with('/') {
            location.to_owned()
        } else {
            let folder =
                self.path.split('?').next().unwrap_or_default().rsplit_once('/').map_or("", |(f, _)| f);
            format!("{folder}/{location}")
        };
        Ok(Self { path, ..self.clone() })
    }

    /// Its first address.
    pub fn resolve(&self) -> Result<SocketAddr, Error> {
        let unknown = || Error::Unknown(self.host.clone());
        (self.host.as_str(), self.port).to_socket_addrs().map_err(|_| unknown())?.next().ok_or_else(unknown)
    }

    /// `Host` of a request (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)
    }
}

/// Fills `{room}` and `{name}` into a template.
pub(crate) fn fill(template: &str, room: &str, name: &str) -> String {
    template.replace("{room}", room).replace("{name}", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_written() {
        for text in [
            "http://localhost:8080/whip/room?name=Ada",
            "https://example.org/",
            "https://[2001:db8::1]:8443/x",
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Url::parse("wss://example.org").unwrap().to_string(), "https://example.org/");
        for bad in ["example.org", "ftp://a/", "http://", "http://a:99999/", "http://[::1/", "http://a/ b"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_location_may_be_relative() {
        let url = Url::parse("http://a:1/whip/room?name=x").unwrap();
        for (location, meant) in [
            ("/session/7", "http://a:1/session/7"),
            ("7", "http://a:1/whip/7"),
            ("https://b/7", "https://b/7"),
        ] {
            assert_eq!(url.join(location).unwrap().to_string(), meant);
        }
    }
}
