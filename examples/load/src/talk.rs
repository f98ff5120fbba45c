//! The room protocol (`crates/server/PROTOCOL.md`) over a WebSocket that never blocks.

use crate::signal::Said;
use crate::view::View;
use crate::wire::Wire;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::{Message, WebSocket};

/// Both sides say something at least so often.
const PING_EVERY: Duration = Duration::from_secs(3);
/// Changes of people within so long make one `view`, as the page does it.
const VIEW_DELAY: Duration = Duration::from_millis(150);

/// One person's conversation with the server.
#[derive(Debug)]
pub(crate) struct Talk {
    line: Line,
    url: String,
    join: String,
    view: View,
    view_due: Option<Instant>,
    next_ping: Instant,
    leaving: bool,
    ended: bool,
}

#[derive(Debug)]
enum Line {
    Connecting(Wire),
    Shaking(MidHandshake<ClientHandshake<Wire>>),
    Open(Box<WebSocket<Wire>>),
    Over,
}

impl Talk {
    /// `url` is that of the room's WebSocket, as `ws://…`; `join` the message to begin with.
    pub(crate) fn new(wire: Wire, url: String, join: Value, view: View, now: Instant) -> Self {
        Self {
            line: Line::Connecting(wire),
            url,
            join: join.to_string(),
            view,
            view_due: None,
            next_ping: now + PING_EVERY,
            leaving: false,
            ended: false,
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        match self.line {
            Line::Open(_) => Some(self.view_due.map_or(self.next_ping, |view| view.min(self.next_ping))),
            _ => None,
        }
    }

    pub(crate) fn drive(&mut self, now: Instant, said: &mut Vec<Said>) {
        if let Err(why) = self.advance(now, said) {
            self.over(why, said);
        }
    }

    pub(crate) fn leave(&mut self, said: &mut Vec<Said>) {
        self.leaving = true;
        self.send(&json!({"type": "leave"}));
        if !matches!(self.line, Line::Open(_)) {
            self.over(String::new(), said);
        }
    }

    /// Says that it is over, once.
    fn over(&mut self, why: String, said: &mut Vec<Said>) {
        self.line = Line::Over;
        if !std::mem::replace(&mut self.ended, true) {
            said.push(if self.leaving { Said::Left } else { Said::Failed(why) });
        }
    }

    fn advance(&mut self, now: Instant, said: &mut Vec<Said>) -> Result<(), String> {
        match std::mem::replace(&mut self.line, Line::Over) {
            Line::Connecting(wire) => match wire.is_connected() {
                Ok(true) => {
                    let request =
                        self.url.as_str().into_client_request().map_err(|error| error.to_string())?;
                    let begun =
                        ClientHandshake::start(wire, request, None).map_err(|error| error.to_string())?;
                    self.shake(begun)?;
                }
                Ok(false) => self.line = Line::Connecting(wire),
                Err(error) => return Err(format!("no connection: {error}")),
            },
            Line::Shaking(half) => self.shake(half)?,
            line => self.line = line,
        }
        self.hear(now, said)?;
        if matches!(self.line, Line::Open(_)) {
            self.speak(now);
        }
        Ok(())
    }

    fn shake(&mut self, half: MidHandshake<ClientHandshake<Wire>>) -> Result<(), String> {
        match half.handshake() {
            Ok((socket, _)) => {
                self.line = Line::Open(Box::new(socket));
                let join = std::mem::take(&mut self.join);
                self.write(join);
            }
            Err(HandshakeError::Interrupted(half)) => self.line = Line::Shaking(half),
            Err(HandshakeError::Failure(error)) => return Err(format!("no WebSocket: {error}")),
        }
        Ok(())
    }

    fn hear(&mut self, now: Instant, said: &mut Vec<Said>) -> Result<(), String> {
        loop {
            let Line::Open(socket) = &mut self.line else { return Ok(()) };
            match socket.read() {
                Ok(Message::Text(text)) => {
                    let message = serde_json::from_str(text.as_str()).map_err(|error| error.to_string())?;
                    self.message(&message, now, said)?;
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    // What could not be written before, and answers to pings, leave with the next chance.
                    let _ = socket.flush();
                    return Ok(());
                }
                Err(error) => return Err(format!("the WebSocket ended: {error}")),
            }
        }
    }

    fn message(&mut self, message: &Value, now: Instant, said: &mut Vec<Said>) -> Result<(), String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match message["type"].as_str().unwrap_or_default() {
            "welcome" => {
                self.view.welcome(&message["id"], &message["people"]);
                self.view_due = Some(now);
                said.push(Said::Answer { sdp: text(&message["sdp"]), company: self.view.has_company() });
            }
            "joined" | "changed" => {
                self.view.person(&message["person"]);
                self.view_due.get_or_insert(now + VIEW_DELAY);
            }
            "left" => {
                self.view.left(&message["id"]);
                self.view_due.get_or_insert(now + VIEW_DELAY);
            }
            "floor" if self.view.floor(&message["person"]) => self.view_due = Some(now),
            "slots" => {
                // `empty` with a person: one is chosen for the slot. Muted and paused pictures are nothing to wait for.
                let filled = |slot: &Value| {
                    !slot["person"].is_null() && !matches!(slot["empty"].as_str(), Some("muted" | "paused"))
                };
                let slots = message["slots"].as_object().into_iter().flatten();
                said.push(Said::Slots(slots.map(|(mid, slot)| (mid.clone(), filled(slot))).collect()));
            }
            "encodings" => {
                let sections = message["encodings"].as_object().into_iter().flatten();
                let rids = |list: &Value| list.as_array().into_iter().flatten().map(text).collect();
                said.push(Said::Wanted(sections.map(|(mid, list)| (mid.clone(), rids(list))).collect()));
            }
            "ping" => self.send(&json!({"type": "pong", "t": message["t"]})),
            "error" if message["fatal"] == true || message["re"] == "join" => {
                return Err(text(&message["text"]));
            }
            _ => {}
        }
        Ok(())
    }

    /// What is due by the clock.
    fn speak(&mut self, now: Instant) {
        if now >= self.next_ping {
            self.next_ping = now + PING_EVERY;
            self.send(&json!({"type": "ping", "t": 0}));
        }
        if self.view_due.is_some_and(|due| due <= now) {
            self.view_due = None;
            if let Some(view) = self.view.changed() {
                self.send(&view);
            }
        }
    }

    fn send(&mut self, message: &Value) {
        self.write(message.to_string());
    }

    fn write(&mut self, text: String) {
        if let Line::Open(socket) = &mut self.line {
            // What the system does not take now waits in the socket; a broken one is seen when it is read.
            let _ = socket.send(Message::text(text));
        }
    }
}
