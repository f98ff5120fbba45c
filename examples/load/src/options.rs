//! What the command line says.

use clap::{Parser, ValueEnum};
use load::{Figures, Plan, Show, Silence, Target, Timing, Trust};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Many WebRTC clients in one thread, against a Salon server or any WHIP and WHEP server.
///
/// Each person who sends has a microphone and a camera; each who receives has slots for sound, small tiles and a large one.
/// When all are there and some seconds have passed, everything is measured for --seconds, and then printed.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// A server with Salon's room protocol: where its page lies
    #[arg(long, default_value = "http://127.0.0.1:8080/", value_name = "URL", conflicts_with_all = ["whip", "whep"])]
    pub(crate) server: String,

    /// Instead: where each who sends posts an offer (RFC 9725); {room} and {name} are filled in
    #[arg(long, value_name = "URL")]
    pub(crate) whip: Option<String>,

    /// And where each who receives does
    #[arg(long, value_name = "URL")]
    pub(crate) whep: Option<String>,

    /// Bearer token for --whip and --whep
    #[arg(long, env = "LOAD_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,

    /// Rooms
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) rooms: usize,

    /// Begin of the rooms' names, which a number follows
    #[arg(long, default_value = "load", value_name = "NAME")]
    pub(crate) room: String,

    /// People in each room, those who send included
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) people: usize,

    /// How many of them send [default: all]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) publishers: Option<usize>,

    /// Who sends receives nothing
    #[arg(long)]
    pub(crate) one_way: bool,

    /// Send and receive pictures (the default)
    #[arg(long, overrides_with = "no_video")]
    pub(crate) video: bool,

    /// Neither send nor receive pictures
    #[arg(long)]
    pub(crate) no_video: bool,

    /// Neither send nor receive sound
    #[arg(long)]
    pub(crate) no_audio: bool,

    /// Encodings of each picture: 3 are 180, 360 and 720 lines at 0.15, 0.5 and 1.5 Mbit/s; 1 is the largest alone
    #[arg(long, default_value_t = 3, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) encodings: u8,

    /// Frames per second
    #[arg(long, default_value_t = 30, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub(crate) fps: u32,

    /// How many people of a room talk at a time, in turns of some seconds
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) speakers: usize,

    /// In silence send a packet each 400 ms, as browsers do when all is quiet, instead of 50 a second
    #[arg(long)]
    pub(crate) dtx: bool,

    /// Level of silence, in −dBov
    #[arg(long, default_value_t = 72, value_name = "DB", value_parser = clap::value_parser!(u8).range(0..=127))]
    pub(crate) quiet: u8,

    /// How far from it each packet's level may be
    #[arg(long, default_value_t = 2, value_name = "DB", value_parser = clap::value_parser!(u8).range(0..=40))]
    pub(crate) swing: u8,

    /// Slots for sound of each who receives
    #[arg(long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) slots_audio: usize,

    /// Small pictures of each who receives
    #[arg(long, default_value_t = 8, value_name = "NUMBER")]
    pub(crate) tiles: usize,

    /// How many lines high they are shown
    #[arg(long, default_value_t = 180, value_name = "LINES", value_parser = clap::value_parser!(u16).range(1..=4320))]
    pub(crate) tile_height: u16,

    /// Whom pictures show
    #[arg(long, value_enum, default_value_t = Whom::People, value_name = "WHOM")]
    pub(crate) show: Whom,

    /// Large pictures of each who receives
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) stage: usize,

    /// How many lines high they are shown
    #[arg(long, default_value_t = 720, value_name = "LINES", value_parser = clap::value_parser!(u16).range(1..=4320))]
    pub(crate) stage_height: u16,

    /// How long it is measured
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) seconds: u64,

    /// Between two arrivals; 0: all at once
    #[arg(long, default_value_t = 100, value_name = "MILLISECONDS")]
    pub(crate) join_every: u64,

    /// How long the last one may take to arrive
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    pub(crate) patience: u64,

    /// Between the last arrival and the begin of the measurement
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    pub(crate) settle: u64,

    /// The server's process on this machine, for its processor time and memory (Linux)
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,

    /// The server's metrics in Prometheus' text format, for what left it
    #[arg(long, value_name = "URL")]
    pub(crate) metrics: Option<String>,

    /// Bearer token for --metrics
    #[arg(long, env = "LOAD_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) admin_token: Option<String>,

    /// Which of the metrics counts the messages in which datagrams left, a run that the kernel cuts up being one
    #[arg(long, default_value = "salon_runs_out", value_name = "NAME")]
    pub(crate) runs_metric: String,

    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    /// Our own address [default: the one from which the way leads to the server]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<IpAddr>,

    /// Trust the certificate authorities in this file, PEM [default: the system's]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,

    /// Trust any certificate, such as one that the server made itself
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Decides who talks when, how large frames are, and who begins when
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
}

/// Whom pictures show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Whom {
    /// Large the floor, small the people after oneself in the room, so that everybody is seen by somebody
    People,
    /// Whom the server chooses, as Salon's page has it: all see about the same people
    Auto,
}

const EXAMPLES: &str = "\
Thirty people in one room, the server's costs with them:
  load --people 30 --server-pid $(pidof meet)
One who sends to twenty, to a hundred:
  load --people 21 --publishers 1 --one-way --tiles 0
  load --people 101 --publishers 1 --one-way --tiles 0
Ten rooms of ten, sound only; six rooms of six with pictures:
  load --rooms 10 --people 10 --no-video
  load --rooms 6 --people 6 --tiles 4
Any other server:
  load --whip 'https://example.org/whip/{room}' --whep 'https://example.org/whep/{room}' \\
    --people 21 --publishers 1 --one-way --encodings 1 --slots-audio 1 --tiles 0";

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        let audio = !self.no_audio;
        let picture = |n: usize| if self.no_video { 0 } else { n };
        let target = if self.whip.is_some() || self.whep.is_some() {
            Target::Sessions { whip: self.whip.clone(), whep: self.whep.clone(), token: self.token.clone() }
        } else {
            Target::Rooms(self.server.clone())
        };
        Plan {
            target,
            rooms: self.rooms,
            room_name: self.room.clone(),
            people: self.people,
            publishers: self.publishers.unwrap_or(self.people),
            one_way: self.one_way,
            audio,
            encodings: picture(usize::from(self.encodings)),
            fps: self.fps,
            speakers: self.speakers,
            silence: Silence { sparse: self.dtx, level: self.quiet, swing: self.swing },
            audio_slots: if audio { self.slots_audio } else { 0 },
            stage: picture(self.stage),
            stage_height: self.stage_height,
            tiles: picture(self.tiles),
            tile_height: self.tile_height,
            show: match self.show {
                Whom::People => Show::People,
                Whom::Auto => Show::Auto,
            },
            join_every: Duration::from_millis(self.join_every),
            bind: self.bind,
            trust: self.trust(),
            seed: self.seed,
        }
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            patience: Duration::from_secs(self.patience),
            settle: Duration::from_secs(self.settle),
            measure: Duration::from_secs(self.seconds),
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            pid: self.server_pid,
            metrics: self.metrics.clone().map(|url| (url, self.admin_token.clone())),
            runs: self.runs_metric.clone(),
            trust: self.trust(),
        }
    }

    fn trust(&self) -> Trust {
        match &self.ca {
            _ if self.insecure => Trust::Anybody,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        }
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
    fn all_send_unless_it_is_said_how_many_do() {
        let plan = Options::parse_from(["load", "--people", "30"]).plan();
        assert_eq!((plan.publishers, plan.encodings, plan.tiles, plan.stage), (30, 3, 8, 1));
        let plan = Options::parse_from(["load", "--people", "30", "--publishers", "1", "--no-video"]).plan();
        assert_eq!(
            (plan.publishers, plan.encodings, plan.tiles, plan.stage, plan.audio_slots),
            (1, 0, 0, 0, 3)
        );
    }

    #[test]
    fn whip_and_whep_take_the_place_of_rooms() {
        let plan = Options::parse_from(["load", "--whip", "http://a/{room}", "--token", "t"]).plan();
        let whip = Some("http://a/{room}".to_owned());
        assert_eq!(plan.target, Target::Sessions { whip, whep: None, token: Some("t".to_owned()) });
        assert!(Options::try_parse_from(["load", "--whip", "http://a/", "--server", "http://b/"]).is_err());
    }
}
