//! What the command line says.

use clap::{Parser, ValueEnum};
use load::{Figures, Plan, Show, Silence, Target, Timing, Trust};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Many WebRTC clients in one thread, against a Salon server or any WHIP and WHEP server.
///
/// Each person is a peer connection of its own: ICE, DTLS, SRTP, repair. Who sends has a microphone (Opus, 50 packets a second with
/// levels; --speakers of a room talk in turns) and a camera (VP8 in up to three encodings, a clip that browsers can show, filled up to
/// its rate; key frames when asked). Who receives has slots for sound, small tiles and a large one. When all are there and --settle
/// seconds have passed, everything is measured for --seconds, and then printed.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, after_long_help = PAGE)]
pub(crate) struct Options {
    /// A server with Salon's room protocol: where its page lies
    #[arg(help_heading = "Where to", long, default_value = "http://127.0.0.1:8080/", value_name = "URL", conflicts_with_all = ["whip", "whep"])]
    pub(crate) server: String,

    /// Instead: where each who sends posts an offer (RFC 9725); {room} and {name} are filled in
    #[arg(help_heading = "Where to", long, value_name = "URL")]
    pub(crate) whip: Option<String>,

    /// And where each who receives does
    #[arg(help_heading = "Where to", long, value_name = "URL")]
    pub(crate) whep: Option<String>,

    /// Bearer token for --whip and --whep
    #[arg(help_heading = "Where to", long, env = "LOAD_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,

    /// Rooms
    #[arg(help_heading = "Who comes", long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) rooms: usize,

    /// Begin of the rooms' names, which a number follows
    #[arg(help_heading = "Who comes", long, default_value = "load", value_name = "NAME")]
    pub(crate) room: String,

    /// People in each room, those who send included
    #[arg(help_heading = "Who comes", long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) people: usize,

    /// What the first people of each room are called, separated by commas [default: after room and number]
    #[arg(help_heading = "Who comes", long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) names: Vec<String>,

    /// How many of them send [default: all]
    #[arg(help_heading = "Who comes", long, value_name = "NUMBER")]
    pub(crate) publishers: Option<usize>,

    /// Who sends receives nothing
    #[arg(help_heading = "Who comes", long)]
    pub(crate) one_way: bool,

    /// Send and receive pictures (the default)
    #[arg(help_heading = "What they send", long, overrides_with = "no_video")]
    pub(crate) video: bool,

    /// Neither send nor receive pictures
    #[arg(help_heading = "What they send", long)]
    pub(crate) no_video: bool,

    /// Neither send nor receive sound
    #[arg(help_heading = "What they send", long)]
    pub(crate) no_audio: bool,

    /// Encodings of each picture: 3 are 180, 360 and 720 lines at 0.15, 0.5 and 1.5 Mbit/s; 1 is the largest alone
    #[arg(help_heading = "What they send", long, default_value_t = 3, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) encodings: u8,

    /// Frames per second
    #[arg(help_heading = "What they send", long, default_value_t = 30, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub(crate) fps: u32,

    /// How many people of a room talk at a time, in turns of some seconds
    #[arg(help_heading = "What they send", long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) speakers: usize,

    /// In silence send a packet each 400 ms, as browsers do when all is quiet, instead of 50 a second
    #[arg(help_heading = "What they send", long)]
    pub(crate) dtx: bool,

    /// Level of silence, in −dBov
    #[arg(help_heading = "What they send", long, default_value_t = 72, value_name = "DB", value_parser = clap::value_parser!(u8).range(0..=127))]
    pub(crate) quiet: u8,

    /// How far from it each packet's level may be
    #[arg(help_heading = "What they send", long, default_value_t = 2, value_name = "DB", value_parser = clap::value_parser!(u8).range(0..=40))]
    pub(crate) swing: u8,

    /// Slots for sound of each who receives
    #[arg(help_heading = "What they show", long, default_value_t = 3, value_name = "NUMBER")]
    pub(crate) slots_audio: usize,

    /// Small pictures of each who receives
    #[arg(help_heading = "What they show", long, default_value_t = 8, value_name = "NUMBER")]
    pub(crate) tiles: usize,

    /// How many lines high they are shown
    #[arg(help_heading = "What they show", long, default_value_t = 180, value_name = "LINES", value_parser = clap::value_parser!(u16).range(1..=4320))]
    pub(crate) tile_height: u16,

    /// Whom pictures show
    #[arg(help_heading = "What they show", long, value_enum, default_value_t = Whom::People, value_name = "WHOM")]
    pub(crate) show: Whom,

    /// Large pictures of each who receives
    #[arg(help_heading = "What they show", long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) stage: usize,

    /// How many lines high they are shown
    #[arg(help_heading = "What they show", long, default_value_t = 720, value_name = "LINES", value_parser = clap::value_parser!(u16).range(1..=4320))]
    pub(crate) stage_height: u16,

    /// How long it is measured
    #[arg(help_heading = "When", long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) seconds: u64,

    /// Between two arrivals; 0: all at once
    #[arg(help_heading = "When", long, default_value_t = 100, value_name = "MILLISECONDS")]
    pub(crate) join_every: u64,

    /// How long the last one may take to arrive
    #[arg(help_heading = "When", long, default_value_t = 20, value_name = "SECONDS")]
    pub(crate) patience: u64,

    /// Between the last arrival and the begin of the measurement
    #[arg(help_heading = "When", long, default_value_t = 3, value_name = "SECONDS")]
    pub(crate) settle: u64,

    /// The server's process on this machine, for its processor time and memory (Linux)
    #[arg(help_heading = "The server's costs", long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,

    /// The server's metrics in Prometheus' text format, for what left it
    #[arg(help_heading = "The server's costs", long, value_name = "URL")]
    pub(crate) metrics: Option<String>,

    /// Bearer token for --metrics
    #[arg(
        help_heading = "The server's costs",
        long,
        env = "LOAD_ADMIN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) admin_token: Option<String>,

    /// Which of the metrics counts the messages in which datagrams left, a run that the kernel cuts up being one; or two, as
    /// DATAGRAMS/RUNS, where runs have a counter of their own
    #[arg(help_heading = "The server's costs", long, default_value = "salon_runs_out", value_name = "NAME")]
    pub(crate) runs_metric: String,

    /// Fail, and say why, also where a room got less than it needs: a packet in a thousand lost, a picture that stood still for a
    /// second, one encoding asked for two key frames within 200 ms
    #[arg(help_heading = "What comes of it", long)]
    pub(crate) strict: bool,

    /// Print JSON instead of a table
    #[arg(help_heading = "What comes of it", long)]
    pub(crate) json: bool,

    /// Our own address [default: the one from which the way leads to the server]
    #[arg(help_heading = "The network", long, value_name = "ADDRESS")]
    pub(crate) bind: Option<IpAddr>,

    /// Trust the certificate authorities in this file, PEM [default: the system's]
    #[arg(help_heading = "The network", long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,

    /// Trust any certificate, such as one that the server made itself
    #[arg(help_heading = "The network", long)]
    pub(crate) insecure: bool,

    /// Decides who talks when, how large frames are, and who begins when
    #[arg(help_heading = "The network", long, default_value_t = 1, value_name = "NUMBER")]
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
All that it does, with an example: load --help";

const PAGE: &str = "\
An example: thirty people in one room, all of whom send. Each hears three and sees nine of the others, eight of them small, one large.

  meet --listen 127.0.0.1:8080 --admin-token secret &
  load --people 30 --server-pid $! --metrics http://127.0.0.1:8080/metrics --admin-token secret

  1 × 30 people, 30 of each room send; 30 clients connected; 60.0 s measured

  packets                              sound         picture
    expected                          270299          815780
    lost                         0 (0.000 %)     0 (0.000 %)     what repair did not bring within half a second
    delay p50                        0.20 ms         0.28 ms     from the sender's call to the receiver's kernel
    delay p95                        1.04 ms         1.39 ms
    delay p99                        2.78 ms         3.65 ms
    speech heard                    100.00 %                     three talk, and there are three slots: all is to come

  pictures in 270 tiles
    per second and tile       median 30.0, worst 30.0            frames that a decoder could show
    stood still > 1 s         0 tiles, 0 times, longest 0.0 s
    key frames asked          of the server 0, by it 158 (1.8 per encoding and minute)

  joining, until                      median           worst
    connected                         7.4 ms         36.8 ms   (30)
    first picture                    34.6 ms        204.9 ms   (29)

  server
    processor                 8.95 s (14.9 % of a core)          by --server-pid
    datagrams out             1107511 (by its metrics)           by --metrics
    processor per datagram    8.08 µs                            one by the other
    resident memory           63.8 MiB, 10.2 MiB before anybody came

  this tool
    processor                 11.13 s (18.5 % of a core)
    sent late by              p50 0.36 ms, p99 2.30 ms, max 14.0 ms
                              where this is long, the machine was too busy for the figures above to be the server's

More:
  One who sends to twenty, to a hundred:
    load --people 21 --publishers 1 --one-way --tiles 0
    load --people 101 --publishers 1 --one-way --tiles 0        (meet --max-participants 101)
  Ten rooms of ten, sound only; six rooms of six who all see each other:
    load --rooms 10 --people 10 --no-video
    load --rooms 6 --people 6 --tiles 4
  Any other server; {room} and {name} are filled in:
    load --whip 'https://example.org/whip/{room}' --whep 'https://example.org/whep/{room}' \\
      --people 21 --publishers 1 --one-way --encodings 1 --slots-audio 1 --tiles 0
  A room for browsers to come to: whoever opens its link sees the clip move, and hears silence:
    load --people 29 --room evening --seconds 3600              (the room is evening-1)

The exit code is 0 if everybody who was to come was served to the end (and, with --strict, as well as a room needs).";

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
            names: self.names.clone(),
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
