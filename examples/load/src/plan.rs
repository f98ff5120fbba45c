//! What a run consists of.

use crate::{Error, Show, Silence, Trust};
use std::net::IpAddr;
use std::time::Duration;

/// Who comes, what each sends and what each shows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where they go.
    pub target: Target,
    /// Rooms.
    pub rooms: usize,
    /// Begin of their names, which a number follows.
    pub room_name: String,
    /// People in each room, those who send included.
    pub people: usize,
    /// What the first of them are called; the others after room and number.
    pub names: Vec<String>,
    /// How many of them send.
    pub publishers: usize,
    /// Who sends receives nothing.
    pub one_way: bool,
    /// Whether they send sound, and picture in how many encodings (0 to 3).
    pub audio: bool,
    /// Encodings of a picture, 0 for none; 1 is the largest alone.
    pub encodings: usize,
    /// Frames per second.
    pub fps: u32,
    /// How many people of a room talk at a time.
    pub speakers: usize,
    /// What the others' microphones send meanwhile.
    pub silence: Silence,
    /// What a receiver negotiates: slots for sound …
    pub audio_slots: usize,
    /// … large pictures, of whom the server chooses …
    pub stage: usize,
    /// … shown so many pixels high …
    pub stage_height: u16,
    /// … and small ones …
    pub tiles: usize,
    /// … shown so high …
    pub tile_height: u16,
    /// … of these people.
    pub show: Show,
    /// Between two arrivals; zero: all at once.
    pub join_every: Duration,
    /// Our own address; chosen by the way to the server if absent.
    pub bind: Option<IpAddr>,
    /// Whose certificates are good.
    pub trust: Trust,
    /// Decides who talks when, how large frames are, and who begins when.
    pub seed: u64,
}

/// Where clients go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A server with Salon's room protocol, by the URL of its page's folder, such as `http://localhost:8080/`.
    Rooms(String),
    /// Any server with WHIP or WHEP: URLs in which `{room}` and `{name}` are filled in, and the token that both want.
    Sessions {
        /// Where each who sends posts an offer.
        whip: Option<String>,
        /// Where each who receives does.
        whep: Option<String>,
        /// A bearer token.
        token: Option<String>,
    },
}

impl Plan {
    /// Three people who see and hear each other in one room of `server`, for a beginning.
    pub fn new(server: &str) -> Self {
        Self {
            target: Target::Rooms(server.to_owned()),
            rooms: 1,
            room_name: "load".to_owned(),
            people: 3,
            names: Vec::new(),
            publishers: 3,
            one_way: false,
            audio: true,
            encodings: 3,
            fps: 30,
            speakers: 3,
            silence: Silence::default(),
            audio_slots: 3,
            stage: 1,
            stage_height: 720,
            tiles: 8,
            tile_height: 180,
            show: Show::People,
            join_every: Duration::from_millis(100),
            bind: None,
            trust: Trust::System,
            seed: 1,
        }
    }

    /// Whether it can be run.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let sessions = match &self.target {
            Target::Sessions { whip: None, whep: None, .. } => {
                return Err(Error::Plan("neither --whip nor --whep is given"));
            }
            Target::Sessions { whip, .. } => Some(whip.is_some()),
            Target::Rooms(_) => None,
        };
        let slots = self.audio_slots + self.tiles + self.stage;
        if self.people == 0 || self.rooms == 0 {
            Err(Error::Plan("at least one person in one room is needed"))
        } else if self.publishers > self.people {
            Err(Error::Plan("--publishers are some of --people and cannot be more"))
        } else if self.encodings > 3 {
            Err(Error::Plan("a picture has at most three encodings"))
        } else if slots > 100 {
            Err(Error::Plan("a client may have a hundred slots and no more"))
        } else if self.publishers > 0 && !self.audio && self.encodings == 0 && sessions != Some(false) {
            Err(Error::Plan("who sends must send sound or picture"))
        } else if slots == 0 && !self.one_way {
            Err(Error::Plan("who receives needs a slot"))
        } else {
            Ok(())
        }
    }
}
