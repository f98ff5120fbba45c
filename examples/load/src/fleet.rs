//! All clients of a run, in one thread and one loop.

use crate::client::{Client, Role, State, offer};
use crate::ears::Ears;
use crate::media::{Media, kinds};
use crate::session::{Access, Session};
use crate::signal::Signal;
use crate::talk::Talk;
use crate::tally::Tally;
use crate::turns::Turns;
use crate::udp::Udp;
use crate::url::fill;
use crate::view::View;
use crate::wire::Wire;
use crate::{Error, Histogram, Plan, Target, Url};
use mio::{Events, Poll, Token};
use rustls::ClientConfig;
use salon_sim::Rng;
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::{Candidate, RtcConfig};

/// Datagrams that one client may take before it is another one's turn.
const AT_A_TIME: usize = 32;
/// Bytes of a datagram at most: more than any path to a browser carries.
const DATAGRAM: usize = 2_000;

/// The clients of a run.
pub struct Fleet {
    pub(crate) plan: Plan,
    pub(crate) clients: Vec<Client>,
    pub(crate) tally: Tally,
    /// How long each turn of the loop took, waiting left out.
    pub(crate) turns_taken: Histogram,
    pub(crate) failed: Vec<String>,
    run: u32,
    poll: Poll,
    events: Events,
    config: Arc<ClientConfig>,
    address: SocketAddr,
    own: IpAddr,
    /// Who is still to come, the next one last.
    coming: Vec<Arriving>,
    next_join: Instant,
    talks: Vec<Turns>,
    deadlines: BTreeSet<(Instant, usize)>,
    due: Vec<Option<Instant>>,
    /// Clients whose sockets may hold more.
    ready: Vec<usize>,
    /// Clients that are due, reused.
    ticking: Vec<usize>,
    buffer: Vec<u8>,
}

/// A client that is still to come.
#[derive(Debug)]
struct Arriving {
    role: Role,
    /// Where it posts its offer; a room otherwise.
    session: Option<Url>,
}

impl Fleet {
    /// Prepares a run; nobody comes before the first [`turn`](Self::turn).
    pub fn new(plan: Plan) -> Result<Self, Error> {
        plan.check()?;
        let now = Instant::now();
        let poll = Poll::new().map_err(|error| Error::System("a poll", error))?;
        // Told apart from other runs: by the machine's clock, not by the seed.
        let run = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos() as u32)
            ^ std::process::id().rotate_left(16);
        let coming = coming(&plan, run)?;
        let url = match &plan.target {
            Target::Rooms(server) => Url::parse(server)?,
            Target::Sessions { .. } => {
                coming.iter().find_map(|c| c.session.clone()).ok_or(Error::Plan("nobody would come"))?
            }
        };
        let address = url.resolve()?;
        let own = match plan.bind {
            Some(ip) => ip,
            None => way_to(address).map_err(|error| Error::System("a way to the server", error))?,
        };
        let talks = (0..plan.rooms).map(|room| {
            let people = (0..plan.publishers).map(|n| (room * plan.people + n) as u32).collect();
            Turns::new(plan.seed.wrapping_add(room as u64), people, plan.speakers, now)
        });
        Ok(Self {
            talks: talks.collect(),
            config: plan.trust.config()?,
            clients: Vec::with_capacity(coming.len()),
            tally: Tally::new(now, plan.rooms),
            turns_taken: Histogram::default(),
            failed: Vec::new(),
            run,
            poll,
            events: Events::with_capacity(1_024),
            address,
            own,
            coming,
            next_join: now,
            deadlines: BTreeSet::new(),
            due: Vec::new(),
            ready: Vec::new(),
            ticking: Vec::new(),
            buffer: vec![0; DATAGRAM],
            plan,
        })
    }

    /// Waits until something is to be done, at most for `at_most`, and does it.
    pub fn turn(&mut self, at_most: Duration) -> Result<(), Error> {
        let now = Instant::now();
        let join = (!self.coming.is_empty()).then_some(self.next_join);
        let due = self.deadlines.first().map(|d| d.0).into_iter().chain(join).min();
        let wait = match due {
            _ if !self.ready.is_empty() => Duration::ZERO,
            Some(due) => due.saturating_duration_since(now).min(at_most),
            None => at_most,
        };
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(Error::System("a wait", error));
            }
            _ => {}
        }
        let begun = Instant::now();
        self.join_who_is_due(begun);
        self.hear();
        self.tick(Instant::now());
        self.turns_taken.record(begun.elapsed());
        Ok(())
    }

    /// Whether all have come, or failed to.
    pub fn all_are_here(&self) -> bool {
        self.coming.is_empty() && self.clients.iter().all(|c| c.state != State::Joining)
    }

    /// Who failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = String> + '_ {
        let of = |c: &Client| match &c.state {
            State::Failed(why) => Some(format!("{}: {why}", c.role.name)),
            _ => None,
        };
        self.clients.iter().filter_map(of).chain(self.failed.iter().cloned())
    }

    /// Whether each who receives has heard and seen each other person of the room who sends.
    pub fn everybody_has_met(&self) -> bool {
        let senders =
            |room: usize| self.clients.iter().filter(move |c| c.role.room == room && c.role.sends());
        self.coming.is_empty()
            && self.clients.iter().filter(|c| c.role.receives()).all(|c| {
                senders(c.role.room).filter(|s| s.role.person != c.role.person).all(|s| {
                    let hears =
                        !s.role.audio || c.role.audio_slots == 0 || c.ears().heard.contains(&s.role.person);
                    let sees = s.role.encodings == 0
                        || c.role.video_slots == 0
                        || c.ears().seen.contains(&s.role.person);
                    hears && sees
                })
            })
    }

    /// Whether each who receives has heard and seen somebody, as far as it has slots for both.
    pub fn everybody_is_served(&self) -> bool {
        let served = |c: &Client| {
            (c.role.audio_slots == 0 || c.ears().first_sound.is_some())
                && (c.role.video_slots == 0 || c.ears().first_picture.is_some())
        };
        self.coming.is_empty() && self.clients.iter().filter(|c| c.role.receives()).all(served)
    }

    /// From now on everything is measured.
    pub fn measure(&mut self) {
        let now = Instant::now();
        self.tally.restart(now);
        self.turns_taken = Histogram::default();
        for client in &mut self.clients {
            client.media.ears.restart(now);
            client.media.speech_sent = 0;
            client.keys_asked.clear();
        }
    }

    /// From now on only what was sent before still counts.
    pub fn close(&mut self) {
        let now = Instant::now();
        self.tally.close(now);
        self.clients.iter_mut().for_each(|client| client.media.ears.close(now));
    }

    /// All say goodbye; some turns are needed until [`is_empty`](Self::is_empty).
    pub fn leave(&mut self) {
        let now = Instant::now();
        self.coming.clear();
        for client in &mut self.clients {
            client.leave(now, self.poll.registry());
        }
        (0..self.clients.len()).for_each(|at| self.reschedule(at));
    }

    /// Whether nobody is there any more.
    pub fn is_empty(&self) -> bool {
        self.coming.is_empty()
            && self.clients.iter().all(|c| matches!(c.state, State::Left | State::Failed(_)))
    }

    /// The ports of this machine from which clients send, and those of the server to which they do.
    pub(crate) fn ports(&self) -> (BTreeSet<u16>, BTreeSet<u16>) {
        let ours = self.clients.iter().map(|c| c.media.port());
        let theirs = self.clients.iter().flat_map(|c| &c.media.servers).map(SocketAddr::port);
        (ours.collect(), theirs.collect())
    }

    fn join_who_is_due(&mut self, now: Instant) {
        while self.next_join <= now
            && let Some(next) = self.coming.pop()
        {
            // Late is late: the next one comes so much after this one, not after when it was due.
            self.next_join = now.max(self.next_join) + self.plan.join_every;
            let name = next.role.name.clone();
            match self.begin(next, now) {
                Ok(client) => {
                    self.clients.push(client);
                    self.due.push(None);
                    self.reschedule(self.clients.len() - 1);
                }
                Err(why) => self.failed.push(format!("{name}: {why}")),
            }
        }
    }

    fn begin(&mut self, arriving: Arriving, now: Instant) -> Result<Client, String> {
        let Arriving { role, session } = arriving;
        let at = self.clients.len();
        let (datagrams, stream) = (Token(2 * at), Token(2 * at + 1));
        let registry = self.poll.registry();
        let udp = Udp::bind(self.own, registry, datagrams).map_err(|error| format!("no socket: {error}"))?;
        let config =
            RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_opus(true, false).enable_vp8(true);
        let mut rtc = config.build(now);
        let candidate = Candidate::host(udp.local(), "udp").map_err(|error| error.to_string())?;
        rtc.add_local_candidate(candidate);
        let (sections, sdp, pending) = offer(&mut rtc, &role).ok_or("neither sends nor receives")?;
        let ears =
            Ears::new(kinds(&sections.audio_slots, &sections.video_slots).collect(), session.is_none());
        let signal = match (session, &self.plan.target) {
            (Some(url), Target::Sessions { token, .. }) => {
                let access =
                    Access { url, bearer: token.clone(), config: self.config.clone(), token: stream };
                let company = self.clients.iter().any(|c| c.role.room == role.room && c.role.sends());
                Signal::Session(Box::new(Session::begin(access, sdp, company, registry)?))
            }
            (_, Target::Rooms(server)) => {
                let url = room_url(server, &self.room(role.room)).map_err(|error| error.to_string())?;
                let wire = Wire::connect(&url, self.address, &self.config, registry, stream);
                let wire = wire.map_err(|error| format!("no connection: {error}"))?;
                let mut sources = Map::new();
                sections.microphone.map(|mid| sources.insert(mid.to_string(), json!("microphone")));
                sections.camera.map(|mid| sources.insert(mid.to_string(), json!("camera")));
                let join = json!({"type": "join", "name": role.name, "sdp": sdp, "sources": sources});
                let mids: Vec<String> = sections.video_slots.iter().map(ToString::to_string).collect();
                let (stage, tiles) = mids.split_at(self.plan.stage.min(mids.len()));
                let (stage, tiles) = ((stage, self.plan.stage_height), (tiles, self.plan.tile_height));
                let view = View::new(stage, tiles, self.plan.show);
                let url = format!("{}://{}{}", if url.tls { "wss" } else { "ws" }, url.authority(), url.path);
                Signal::Room(Box::new(Talk::new(wire, url, join, view, now)))
            }
            (None, Target::Sessions { .. }) => return Err("no URL".to_owned()),
        };
        let media = Media::new(rtc, udp, self.run, ears, now);
        Ok(Client::new(role, media, signal, sections, pending, now))
    }

    fn room(&self, number: usize) -> String {
        format!("{}-{}", self.plan.room_name, number + 1)
    }

    /// Takes what the sockets hold.
    fn hear(&mut self) {
        let now = Instant::now();
        for event in &self.events {
            let Token(token) = event.token();
            let at = token / 2;
            if token % 2 == 0 {
                if !self.ready.contains(&at) {
                    self.ready.push(at);
                }
            } else if let Some(client) = self.clients.get_mut(at) {
                client.converse(now, self.poll.registry());
                // What it heard may have changed what is due.
                self.ready.push(at);
            }
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.retain(|&at| {
            let Some(client) = self.clients.get_mut(at) else { return false };
            let more = client.receive(AT_A_TIME, &mut self.buffer, &mut self.tally);
            self.reschedule(at);
            more
        });
        ready.dedup();
        self.ready = ready;
    }

    /// Does what is due by the clock, once each: who is due again at once waits for the next turn.
    fn tick(&mut self, now: Instant) {
        let mut due = std::mem::take(&mut self.ticking);
        due.extend(self.deadlines.range(..=(now, usize::MAX)).map(|(_, at)| *at));
        for at in due.drain(..) {
            if let Some(client) = self.clients.get_mut(at)
                && let Some(turns) = self.talks.get_mut(client.role.room)
            {
                client.tick(now, self.poll.registry(), turns, &mut self.tally);
            }
            self.reschedule(at);
        }
        self.ticking = due;
    }

    fn reschedule(&mut self, at: usize) {
        let due = self.clients.get(at).and_then(Client::due);
        let Some(slot) = self.due.get_mut(at) else { return };
        if *slot != due {
            if let Some(old) = std::mem::replace(slot, due) {
                self.deadlines.remove(&(old, at));
            }
            self.deadlines.extend(due.map(|due| (due, at)));
        }
    }
}

/// Who comes, the first last: rooms in turn, and in each those who send before those who only receive.
fn coming(plan: &Plan, run: u32) -> Result<Vec<Arriving>, Error> {
    let mut rng = Rng::new(plan.seed);
    let mut all = Vec::new();
    for person in 0..plan.people {
        for room in 0..plan.rooms {
            let publishes = person < plan.publishers;
            let receives = !(plan.one_way && publishes);
            let given = plan.names.get(person).cloned();
            let name = given.unwrap_or_else(|| format!("load-{}-{}", room + 1, person + 1));
            let role = Role {
                run,
                person: (room * plan.people + person) as u32,
                room,
                name: name.clone(),
                audio: publishes && plan.audio,
                encodings: if publishes { plan.encodings } else { 0 },
                fps: plan.fps,
                silence: plan.silence,
                audio_slots: if receives { plan.audio_slots } else { 0 },
                video_slots: if receives { plan.stage + plan.tiles } else { 0 },
                phase: rng.up_to(Duration::from_millis(100)),
            };
            let Target::Sessions { whip, whep, .. } = &plan.target else {
                all.push(Arriving { role, session: None });
                continue;
            };
            let room_name = format!("{}-{}", plan.room_name, room + 1);
            let url = |template: &Option<String>| {
                template.as_ref().map(|t| Url::parse(&fill(t, &room_name, &name))).transpose()
            };
            let send = Role { audio_slots: 0, video_slots: 0, ..role.clone() };
            let receive = Role { audio: false, encodings: 0, ..role };
            let halves = [(send, url(whip)?), (receive, url(whep)?)];
            all.extend(
                halves
                    .into_iter()
                    .filter(|(role, url)| url.is_some() && (role.sends() || role.receives()))
                    .map(|(role, session)| Arriving { role, session }),
            );
        }
    }
    all.reverse();
    Ok(all)
}

/// The WebSocket of a room, by the URL of the page's folder.
fn room_url(server: &str, room: &str) -> Result<Url, Error> {
    let url = Url::parse(server)?;
    let path = format!("{}/api/ws/{room}", url.path.trim_end_matches('/'));
    Ok(Url { path, ..url })
}

/// Our own address on the way to another one.
fn way_to(address: SocketAddr) -> std::io::Result<IpAddr> {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_room_a_person_is_one_client_and_by_sessions_two() {
        let names = vec!["Ada".to_owned()];
        let plan = Plan { people: 3, publishers: 1, rooms: 2, names, ..Plan::new("http://localhost/") };
        let all = coming(&plan, 1).unwrap();
        assert_eq!(all.iter().filter(|a| a.role.sends()).count(), 2);
        assert_eq!(all.iter().filter(|a| a.role.receives()).count(), 6);
        assert_eq!([&all[5].role.name, &all[0].role.name], ["Ada", "load-2-3"]);
        let target = |whep: Option<&str>| Target::Sessions {
            whip: Some("http://localhost/whip/{room}?name={name}".to_owned()),
            whep: whep.map(str::to_owned),
            token: None,
        };
        let both = Plan { target: target(Some("http://localhost/whep/{room}")), ..plan.clone() };
        let all = coming(&both, 1).unwrap();
        assert_eq!((all.len(), all.iter().filter(|a| a.role.sends()).count()), (8, 2));
        assert!(all.iter().all(|a| a.role.sends() != a.role.receives()));
        let first = all.last().unwrap().session.as_ref().unwrap();
        assert_eq!(first.path, "/whip/load-1?name=Ada");
        let deaf = Plan { one_way: true, target: target(None), ..plan };
        assert_eq!(coming(&deaf, 1).unwrap().len(), 2);
    }

    #[test]
    fn a_room_lies_below_the_folder_of_its_page() {
        for (server, path) in [("http://a", "/api/ws/r"), ("http://a/meet/", "/meet/api/ws/r")] {
            assert_eq!(room_url(server, "r").unwrap().path, path);
        }
    }
}
