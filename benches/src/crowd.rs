//! Clients: our own transport on the other side of the handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use salon_rtp::{Egress, Ssrc, Time};
use salon_transport::{Config, IceCredentials, Identity, Path, PeerId, PeerSpec, Received, Setup, Transport};
use salon_udp::{Offload, Options, RecvBatch, SendBatch, Socket};

use crate::check::check;
use crate::clip::Stand;
use crate::{Clip, Forwarder, Guest, Role, Shape};

/// Clients that have connected to a forwarder. A lite agent on both sides: the checks are made by hand.
pub struct Crowd {
    transport: Transport,
    people: Vec<Person>,
    base: Instant,
    server: SocketAddr,
    identity: Identity,
    stop: Arc<AtomicBool>,
    /// Those who say that all are there, and read what comes.
    helpers: Vec<JoinHandle<()>>,
}

struct Person {
    socket: Arc<Socket>,
    peer: PeerId,
    own: IceCredentials,
    theirs: IceCredentials,
    /// Of its voice, and of its picture.
    stand: [Option<Stand>; 2],
    answered: bool,
}

/// A client's socket; `offload`: whether its machine takes and sends several datagrams as one.
pub fn socket(offload: Offload) -> Socket {
    Socket::bind(([127, 0, 0, 1], 0).into(), Options { offload, ..Options::default() }).unwrap()
}

/// Checks are repeated so often: well within the time after which a forwarder takes somebody for silent.
const CHECK_EVERY: Duration = Duration::from_secs(2);

impl Crowd {
    /// Nobody yet.
    pub fn new(forwarder: &dyn Forwarder) -> Self {
        let identity = Identity::generate().unwrap();
        let base = Instant::now();
        let config = Config { max_handshakes: 4_096, ..Config::default() };
        let transport = Transport::new(identity.clone(), config, (base, Time::ZERO));
        let (server, stop) = (forwarder.address(), Arc::default());
        Self { transport, people: Vec::new(), base, server, identity, stop, helpers: Vec::new() }
    }

    /// Somebody comes, behind this socket, who publishes a picture on this stream, or sees one.
    pub fn join(
        &mut self,
        forwarder: &mut dyn Forwarder,
        room: usize,
        publishes: Option<Ssrc>,
        socket: Socket,
    ) -> usize {
        self.join_as(forwarder, room, publishes.map_or(Role::VIEWER, Role::camera), socket)
    }

    /// Somebody comes, behind this socket.
    pub fn join_as(
        &mut self,
        forwarder: &mut dyn Forwarder,
        room: usize,
        role: Role,
        socket: Socket,
    ) -> usize {
        let n = self.people.len();
        let own = IceCredentials { ufrag: format!("crowd{n:04}"), pwd: format!("{n:0>24}") };
        let fingerprint = self.identity.fingerprint();
        let admitted = forwarder.admit(Guest { ice: own.clone(), fingerprint, room, role });
        // In the transport's tables the names of both sides stand on their own side.
        let spec = PeerSpec {
            local: own.clone(),
            remote: Some(admitted.ice.clone()),
            remote_fingerprint: admitted.fingerprint,
            setup: Setup::Active,
        };
        let peer = self.transport.add_peer(self.now(), spec).unwrap();
        let (socket, stand) = (Arc::new(socket), [role.voice, role.picture].map(|s| s.map(Stand::new)));
        self.people.push(Person { socket, peer, own, theirs: admitted.ice, stand, answered: false });
        n
    }

    /// Until all are connected.
    pub fn connect(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        let (mut received, mut batch) = (RecvBatch::new(), SendBatch::new());
        let mut round = 0;
        while self.people.iter().any(|p| self.transport.link(p.peer).is_none()) {
            assert!(Instant::now() < until, "not connected: {:?}", self.transport.counters());
            if round % 100 == 0 {
                for p in self.people.iter().filter(|p| !p.answered) {
                    p.send(&mut batch, self.server, &check(&p.theirs, &p.own, round));
                }
            }
            round += 1;
            for n in 0..self.people.len() {
                while self.people[n].socket.recv(&mut received).unwrap() > 0 {
                    for (meta, datagram) in received.iter_mut() {
                        let path = Path { local: meta.local, remote: meta.remote };
                        self.hear(n, path, datagram, round);
                    }
                }
            }
            let now = self.now();
            self.transport.handle_timeout(now);
            let mut out = [0; 1_500];
            while let Some((path, len)) = self.transport.poll_transmit(now, &mut out) {
                let from = self.people.iter().find(|p| p.socket.local_addr() == path.local).unwrap();
                // Our answers to our own checks go nowhere.
                if (20..64).contains(&out[0]) {
                    from.send(&mut batch, path.remote, &out[..len]);
                }
            }
            while self.transport.poll_event().is_some() {}
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn hear(&mut self, n: usize, path: Path, datagram: &mut [u8], round: u64) {
        let now = self.now();
        let Person { own, theirs, answered, .. } = &mut self.people[n];
        if datagram[0] < 4 {
            // The path is proved there, so it is to be proved here: this begins the handshake.
            if !std::mem::replace(answered, true) {
                let mut check = check(own, theirs, 1_000_000 + round);
                let received = self.transport.handle_datagram(now, path, &mut check);
                assert!(matches!(received, Received::Consumed), "{received:?}");
            }
            return;
        }
        let _ = self.transport.handle_datagram(now, path, datagram);
    }

    /// From now on everybody says every now and then that it is there.
    pub fn stay(&mut self) {
        let (server, ended) = (self.server, Arc::clone(&self.stop));
        let all: Vec<_> =
            (self.people.iter()).map(|p| (Arc::clone(&p.socket), p.theirs.clone(), p.own.clone())).collect();
        self.helpers.push(std::thread::spawn(move || {
            let mut batch = SendBatch::new();
            let mut transaction = 1 << 32;
            while !ended.load(Ordering::Relaxed) {
                for (socket, theirs, own) in &all {
                    transaction += 1;
                    put(&mut batch, server, &check(theirs, own, transaction));
                    socket.flush(&mut batch);
                    // One after the other, so that they disturb no measurement by coming at once.
                    std::thread::sleep(CHECK_EVERY / all.len() as u32);
                }
            }
        }));
    }

    /// From now on everybody reads what comes. Otherwise it stands in the receivers' queues until they are full, and what comes
    /// then the kernel throws away there.
    pub fn read(&mut self) {
        let ended = Arc::clone(&self.stop);
        let all: Vec<_> = self.people.iter().map(|p| Arc::clone(&p.socket)).collect();
        self.helpers.push(std::thread::spawn(move || {
            let mut batch = RecvBatch::new();
            while !ended.load(Ordering::Relaxed) {
                all.iter().for_each(|socket| while let Ok(1..) = socket.recv(&mut batch) {});
                std::thread::sleep(Duration::from_millis(2));
            }
        }));
    }

    /// Seals a clip of somebody's picture or voice.
    pub fn record(&mut self, who: usize, shape: Shape, time: Duration) -> Clip {
        let person = &mut self.people[who];
        let mut link = self.transport.link(person.peer).unwrap();
        let [voice, picture] = &mut person.stand;
        let stand = if shape.voice { voice } else { picture }.as_mut().expect("a publisher");
        Clip::record(stand, shape, time, |packet, out| link.seal(&Egress::Rtp(packet), out).unwrap())
    }

    /// Sends a clip, frame by frame, as time goes by; says how long it took.
    pub fn play(&self, who: usize, clip: &Clip) -> Duration {
        let (person, mut batch) = (&self.people[who], SendBatch::new());
        let start = Instant::now();
        for (n, frame) in (0..).zip(clip.frames()) {
            let due = Duration::from_secs_f64(f64::from(n) / f64::from(clip.shape().fps));
            if let Some(wait) = due.checked_sub(start.elapsed()) {
                std::thread::sleep(wait);
            }
            frame.for_each(|packet| put(&mut batch, self.server, packet));
            while person.socket.flush(&mut batch).blocked {}
        }
        start.elapsed()
    }

    /// Sends many clips at once, each from its own moment on. The packets of a frame leave one after the other over `spread`, as
    /// they come out of an uplink.
    pub fn play_all(&self, clips: &[(usize, Clip)], spread: Duration) -> Duration {
        let mut plan = Vec::new();
        for (k, (who, clip)) in clips.iter().enumerate() {
            let frame_time = Duration::from_secs_f64(1.0 / f64::from(clip.shape().fps));
            // An irrational part of a frame's time apart, so that no two frames coincide for long.
            let phase = frame_time.mul_f64((k as f64 * 0.618_034).fract());
            for (n, frame) in (0..).zip(clip.frames()) {
                for (i, packet) in (0..).zip(frame) {
                    plan.push((phase + frame_time * n + spread * i / clip.shape().packets, *who, packet));
                }
            }
        }
        plan.sort_by_key(|p| p.0);
        let mut batch = SendBatch::new();
        let start = Instant::now();
        let mut due = plan.into_iter().peekable();
        while let Some(&(at, who, _)) = due.peek() {
            if let Some(wait) = at.checked_sub(start.elapsed()) {
                std::thread::sleep(wait);
            }
            let now = start.elapsed();
            while let Some((_, _, packet)) = due.next_if(|p| p.1 == who && p.0 <= now) {
                put(&mut batch, self.server, packet);
            }
            while self.people[who].socket.flush(&mut batch).blocked {}
        }
        start.elapsed()
    }

    /// Sends clips as fast as they are taken, for so long at most: of each no more than `window` packets beyond what `came` says
    /// has come. How long it took.
    pub fn flood(
        &self,
        clips: &[(usize, Clip)],
        window: usize,
        time: Duration,
        mut came: impl FnMut() -> Vec<usize>,
    ) -> Duration {
        let mut batch = SendBatch::new();
        let mut frames: Vec<_> = clips.iter().map(|(who, clip)| (*who, 0, clip.frames())).collect();
        let start = Instant::now();
        while start.elapsed() < time {
            for ((who, sent, frames), came) in frames.iter_mut().zip(came()) {
                while *sent < came + window {
                    let Some(frame) = frames.next() else { return start.elapsed() };
                    frame.for_each(|packet| {
                        put(&mut batch, self.server, packet);
                        *sent += 1;
                    });
                    while self.people[*who].socket.flush(&mut batch).blocked {}
                }
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        start.elapsed()
    }

    fn now(&self) -> Time {
        Time::ZERO.plus(self.base.elapsed())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

impl Person {
    fn send(&self, batch: &mut SendBatch, to: SocketAddr, datagram: &[u8]) {
        put(batch, to, datagram);
        self.socket.flush(batch);
    }
}

fn put(batch: &mut SendBatch, to: SocketAddr, datagram: &[u8]) {
    batch.slot(None, to).unwrap()[..datagram.len()].copy_from_slice(datagram);
    batch.commit(datagram.len());
}
