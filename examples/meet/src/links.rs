//! What is printed at the start.

use salon_server::RoomName;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The links to one new room, and the administrator's token.
#[derive(Debug)]
pub(crate) struct Links<'a> {
    pub(crate) listen: SocketAddr,
    pub(crate) room: &'a RoomName,
    /// The address by which neighbours come, if there is one.
    pub(crate) neighbours: Option<IpAddr>,
    /// Whether the certificate is one that browsers do not know.
    pub(crate) warns: bool,
    /// The moderator's key, if it was made here.
    pub(crate) moderator: Option<&'a str>,
    /// The token, if it was made here.
    pub(crate) token: Option<&'a str>,
}

impl fmt::Display for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (port, room) = (self.listen.port(), self.room);
        let ip = self.listen.ip();
        if ip.is_unspecified() || ip.is_loopback() {
            writeln!(f, "On this machine:  http://localhost:{port}/{room}")?;
        } else {
            writeln!(f, "On this machine:  https://{}/{room}", self.listen)?;
        }
        match self.neighbours {
            _ if ip.is_loopback() => {
                writeln!(
                    f,
                    "Only this machine can join: --listen names an address that no other one reaches."
                )?;
            }
            Some(ip) => {
                writeln!(f, "For neighbours:   https://{}/{room}", SocketAddr::new(ip, port))?;
                if self.warns {
                    writeln!(
                        f,
                        "They will see one certificate warning, because this machine made its certificate itself; they may go on past it."
                    )?;
                }
            }
            None => {
                writeln!(
                    f,
                    "Nobody else can join: this machine has no network address; connect it to a network, or give --public-ip."
                )?;
            }
        }
        if let Some(key) = self.moderator {
            writeln!(
                f,
                "For moderators:   http://localhost:{port}/{room}#key={key}\n\
                 What stands behind # makes a moderator at the end of any link to this server: not for everybody."
            )?;
        }
        if let Some(token) = self.token {
            writeln!(
                f,
                "Administrator:    curl -H 'Authorization: Bearer {token}' http://localhost:{port}/api/rooms"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(listen: &str, neighbours: Option<&str>, warns: bool) -> String {
        let room = RoomName::parse("our-room").unwrap();
        let neighbours = neighbours.map(|ip| ip.parse().unwrap());
        Links {
            listen: listen.parse().unwrap(),
            room: &room,
            neighbours,
            warns,
            moderator: None,
            token: None,
        }
        .to_string()
    }

    #[test]
    fn both_links_lead_to_one_room() {
        let text = shown("0.0.0.0:8080", Some("192.168.1.20"), true);
        assert!(text.contains("http://localhost:8080/our-room\n"));
        assert!(text.contains("https://192.168.1.20:8080/our-room\n"));
        assert_eq!(text.matches("warning").count(), 1);
        assert!(
            shown("0.0.0.0:8080", Some("2001:db8::1"), false)
                .contains("https://[2001:db8::1]:8080/our-room\n")
        );
    }

    #[test]
    fn where_nobody_else_can_join_a_sentence_says_so() {
        assert!(shown("127.0.0.1:8080", Some("192.168.1.20"), true).contains("Only this machine can join"));
        assert!(shown("0.0.0.0:8080", None, true).contains("connect it to a network"));
    }
}
