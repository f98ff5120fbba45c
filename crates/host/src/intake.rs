//! What comes in: from the socket, and from other shards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_rtp::{Demux, Time};
use salon_transport::{Path, PeerId, Received, Transport};
use slotmap::SecondaryMap;

use crate::command::Member;
use crate::ledger::{Ledger, metered};
use crate::limits;
use crate::post::Heard;
use crate::rooms::{RoomKey, Rooms};
use crate::shard::Shard;
use crate::steer::Way;

impl Shard {
    /// Drains the socket, up to a bound, into transport and rooms; what is another shard's is handed on whole.
    pub(crate) fn receive(&mut self) {
        let Self { socket, received, transport, rooms, peers, steer, post, counters, clock, ledger, .. } =
            self;
        let mut desk = Desk { transport, rooms, peers, ledger, failed: Vec::new() };
        let mut taken = 0;
        self.more = true;
        while taken < limits::DATAGRAMS_PER_TURN && self.more {
            desk.ledger.lap(None);
            let n = socket.recv(received).unwrap_or(0);
            let share = desk.ledger.received(n);
            taken += n;
            self.more = n > 0 && received.may_have_left();
            // One reading of the clock for the batch: what came together has the same time.
            let now = clock.now();
            counters.datagrams_in += n as u64;
            // What other shards heard stands before what came: who has proved a path by a check may go on on it as soon as it has
            // the answer, which left after the word of it.
            while let Some(parcel) = post.returned() {
                for (path, heard) in parcel.word() {
                    match heard {
                        Heard::Nothing => {}
                        Heard::Nobody => steer.gone(path, parcel.to),
                        Heard::Peer | Heard::Check => {
                            steer.heard(now, path, parcel.to, heard == Heard::Check);
                        }
                    }
                }
                post.keep(parcel);
            }
            for (meta, datagram) in received.iter_mut() {
                let path = Path { local: meta.local, remote: meta.remote };
                match steer.way(now, path, datagram, desk.transport) {
                    Way::Here => {
                        if desk.take(now, path, datagram, share) == Heard::Check {
                            steer.is_ours(path);
                        }
                    }
                    Way::Known(shard) => post.put(shard, path, datagram, false),
                    Way::New(shard) => post.put(shard, path, datagram, true),
                    Way::Asked(shard) => {
                        counters.address_taken += 1;
                        post.put(shard, path, datagram, true);
                    }
                    Way::Taken => counters.address_taken += 1,
                }
            }
        }
        post.dispatch();
        let failed = desk.failed;
        self.fail_rooms(failed);
    }

    /// Takes what other shards have handed on, up to a bound.
    pub(crate) fn collect(&mut self) {
        let Self { transport, rooms, peers, post, counters, clock, ledger, .. } = self;
        let mut desk = Desk { transport, rooms, peers, ledger, failed: Vec::new() };
        let mut taken = 0;
        desk.ledger.lap(None);
        while taken < limits::DATAGRAMS_PER_TURN {
            let Some(mut parcel) = post.take() else { break };
            let now = clock.now();
            taken += parcel.len();
            counters.taken_over += parcel.len() as u64;
            parcel.open(|path, datagram| match desk.take(now, path, datagram, 0) {
                Heard::Nothing if !desk.transport.knows(path) => Heard::Nobody,
                heard => heard,
            });
            post.give_back(parcel);
        }
        self.more |= taken >= limits::DATAGRAMS_PER_TURN;
        let failed = desk.failed;
        self.fail_rooms(failed);
    }

    fn fail_rooms(&mut self, failed: Vec<RoomKey>) {
        for room in failed {
            self.fail_room(room);
        }
    }
}

/// Where datagrams are taken.
struct Desk<'a> {
    transport: &'a mut Transport,
    rooms: &'a mut Rooms,
    peers: &'a SecondaryMap<PeerId, Member>,
    ledger: &'a mut Ledger,
    /// Rooms that panicked: nothing more is given to them.
    failed: Vec<RoomKey>,
}

impl Desk<'_> {
    /// Takes one datagram, and writes down whose it was; `share`: what it cost to receive it, in nanoseconds.
    fn take(&mut self, now: Time, path: Path, datagram: &mut [u8], share: u64) -> Heard {
        let (heard, member) = self.hear(now, path, datagram);
        self.ledger.heard(member.map(Member::owner), share);
        heard
    }

    fn hear(&mut self, now: Time, path: Path, datagram: &mut [u8]) -> (Heard, Option<Member>) {
        let check = Demux::of(datagram) == Demux::Stun;
        let bytes = datagram.len();
        let (peer, rtp, packet) = match self.transport.handle_datagram(now, path, datagram) {
            Received::Rtp(peer, packet) => (peer, true, packet),
            Received::Rtcp(peer, packet) => (peer, false, packet),
            Received::Consumed => return (if check { Heard::Check } else { Heard::Peer }, None),
            Received::Dropped(_) => return (Heard::Nothing, None),
        };
        let Some(&member) = self.peers.get(peer) else { return (Heard::Peer, None) };
        let Member { room, participant, .. } = member;
        if self.failed.contains(&room) {
            return (Heard::Peer, None);
        }
        let Some(entry) = self.rooms.touch(room) else { return (Heard::Peer, None) };
        entry.spent.came(bytes);
        if let Some(of) = entry.members.entries.get_mut(participant) {
            of.spent.came(bytes);
        }
        let (ran, asked) = metered(self.ledger.meter(), || {
            catch_unwind(AssertUnwindSafe(|| match rtp {
                true => entry.room.handle_rtp(now, participant, packet),
                false => entry.room.handle_rtcp(now, participant, packet),
            }))
        });
        self.ledger.asked(asked);
        if ran.is_err() {
            self.failed.push(room);
        }
        (Heard::Peer, Some(member))
    }
}
