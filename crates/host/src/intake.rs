//! What comes in: from the socket, and from other shards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use salon_rtp::{Demux, Time};
use salon_transport::{Path, PeerId, Received, Transport};
use slotmap::SecondaryMap;

use crate::command::Member;
use crate::limits;
use crate::post::Heard;
use crate::rooms::{RoomKey, Rooms};
use crate::shard::Shard;
use crate::steer::Way;

impl Shard {
    /// Drains the socket, up to a bound, into transport and rooms; what is another shard's is handed on whole.
    pub(crate) fn receive(&mut self) {
        let Self { socket, received, transport, rooms, peers, steer, post, counters, clock, .. } = self;
        let (mut taken, mut failed) = (0, Vec::new());
        self.more = true;
        while taken < limits::DATAGRAMS_PER_TURN && self.more {
            let n = socket.recv(received).unwrap_or(0);
            taken += n;
            self.more = n > 0 && received.may_have_left();
            // One reading of the clock for the batch: what came together has the same time.
            let now = clock.now();
            counters.datagrams_in += n as u64;
            // What other shards heard stands before what came: who has proved a path by a check may go on on it as soon as it has
            // the answer, which left after the word of it.
            while let Some(parcel) = post.returned() {
                for (path, heard) in parcel.word().filter(|(_, heard)| *heard != Heard::Nothing) {
                    steer.heard(now, path, parcel.to, heard == Heard::Check);
                }
                post.keep(parcel);
            }
            for (meta, datagram) in received.iter_mut() {
                let path = Path { local: meta.local, remote: meta.remote };
                match steer.way(now, path, datagram, transport) {
                    Way::Here => {
                        let heard = take(transport, rooms, peers, &mut failed, now, path, datagram);
                        if heard == Heard::Check {
                            steer.is_ours(path);
                        }
                    }
                    Way::Known(shard) => post.put(shard, path, datagram, false),
                    Way::New(shard) => post.put(shard, path, datagram, true),
                    Way::Taken => counters.address_taken += 1,
                }
            }
        }
        post.dispatch();
        self.fail_rooms(failed);
    }

    /// Takes what other shards have handed on, up to a bound.
    pub(crate) fn collect(&mut self) {
        let Self { transport, rooms, peers, post, counters, clock, .. } = self;
        let (mut taken, mut failed) = (0, Vec::new());
        while taken < limits::DATAGRAMS_PER_TURN {
            let Some(mut parcel) = post.take() else { break };
            let now = clock.now();
            taken += parcel.len();
            counters.taken_over += parcel.len() as u64;
            parcel.open(|path, datagram| take(transport, rooms, peers, &mut failed, now, path, datagram));
            post.give_back(parcel);
        }
        self.more |= taken >= limits::DATAGRAMS_PER_TURN;
        self.fail_rooms(failed);
    }

    fn fail_rooms(&mut self, failed: Vec<RoomKey>) {
        for room in failed {
            self.fail_room(room);
        }
    }
}

/// Takes one datagram. A room that panics is put among the `failed`, and nothing more is given to it.
fn take(
    transport: &mut Transport,
    rooms: &mut Rooms,
    peers: &SecondaryMap<PeerId, Member>,
    failed: &mut Vec<RoomKey>,
    now: Time,
    path: Path,
    datagram: &mut [u8],
) -> Heard {
    let check = Demux::of(datagram) == Demux::Stun;
    let (peer, rtp, packet) = match transport.handle_datagram(now, path, datagram) {
        Received::Rtp(peer, packet) => (peer, true, packet),
        Received::Rtcp(peer, packet) => (peer, false, packet),
        Received::Consumed => return if check { Heard::Check } else { Heard::Peer },
        Received::Dropped(_) => return Heard::Nothing,
    };
    let Some(&Member { room, participant, .. }) = peers.get(peer) else { return Heard::Peer };
    if failed.contains(&room) {
        return Heard::Peer;
    }
    let Some(entry) = rooms.touch(room) else { return Heard::Peer };
    let ran = catch_unwind(AssertUnwindSafe(|| match rtp {
        true => entry.room.handle_rtp(now, participant, packet),
        false => entry.room.handle_rtcp(now, participant, packet),
    }));
    if ran.is_err() {
        failed.push(room);
    }
    Heard::Peer
}
