//! What goes out.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use salon_rtp::Time;
use salon_sfu::Burst;
use salon_transport::{Link, Path, Transport};
use salon_udp::{SendBatch, Socket};

use crate::ledger::{Ledger, Owner, metered};
use crate::rooms::{Entry, RoomKey};
use crate::shard::Shard;
use crate::{HostCounters, Spent};

/// The way out.
pub(crate) struct Exit<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) batch: &'a mut SendBatch,
    pub(crate) counters: &'a mut HostCounters,
    pub(crate) ledger: &'a mut Ledger,
}

impl Shard {
    /// Everything that the transport wants to say: STUN answers, DTLS flights.
    pub(crate) fn send_transport(&mut self, now: Time) {
        let Self { socket, transport, batch, counters, ledger, .. } = self;
        let mut exit = Exit { socket, batch, counters, ledger };
        let mut out = [0; salon_udp::limits::MTU];
        while let Some((path, n)) = transport.poll_transmit(now, &mut out) {
            let Some(datagram) = out.get(..n) else { continue };
            if let Some(slot) = exit.slot(path, None) {
                if let Some(to) = slot.get_mut(..n) {
                    to.copy_from_slice(datagram);
                    exit.batch.commit(n);
                }
            } else {
                // The kernel takes nothing: STUN and DTLS repeat themselves.
                self.blocked = true;
            }
        }
    }

    /// Sends what stands in the batch: what the kernel did not take before, first of all.
    pub(crate) fn flush(&mut self) {
        let Self { socket, batch, counters, ledger, .. } = self;
        if !batch.is_empty() {
            self.blocked = Exit { socket, batch, counters, ledger }.flush();
        }
    }
}

/// Sends what a room has ready; true if the kernel takes no more. A receiver's burst is put into the batch in a row: packets
/// of one length leave as one run.
pub(crate) fn pump(
    now: Time,
    key: RoomKey,
    entry: &mut Entry,
    transport: &mut Transport,
    exit: &mut Exit<'_>,
) -> bool {
    let Entry { room, members, spent: all, .. } = entry;
    while let Some(mut burst) = room.poll_transmit(now) {
        let to = burst.to();
        let owner = Owner { room: key, who: Some(to) };
        let member = members.entries.get_mut(to);
        let Some((mut link, of)) = member.and_then(|m| Some((transport.link(m.peer)?, &mut m.spent))) else {
            burst.discard();
            exit.ledger.lap(Some(owner));
            continue;
        };
        let before = *of;
        // Nothing unwinds through the meter.
        let (full, asked) = metered(exit.ledger.meter(), || {
            catch_unwind(AssertUnwindSafe(|| exit.put(owner, &mut burst, &mut link, of)))
        });
        let full = full.unwrap_or_else(|fault| resume_unwind(fault));
        exit.ledger.asked(asked);
        exit.ledger.lap(Some(owner));
        all.packets_out += of.packets_out - before.packets_out;
        all.bytes_out += of.bytes_out - before.bytes_out;
        if full {
            return true;
        }
    }
    false
}

impl Exit<'_> {
    /// Puts a burst into the batch; true if the kernel takes no more.
    fn put(&mut self, owner: Owner, burst: &mut Burst<'_>, link: &mut Link<'_>, of: &mut Spent) -> bool {
        let path = link.path();
        loop {
            let Some(out) = self.slot(path, Some(owner)) else { return true };
            let Some(egress) = burst.next() else { return false };
            match link.seal(&egress, out) {
                Ok(n) => {
                    self.batch.commit(n);
                    self.ledger.put(owner, n);
                    of.left(n);
                }
                Err(_) => self.counters.unsealed += 1,
            }
        }
    }

    /// Room for one datagram, flushing the batch if it is full; `None` if the kernel takes no more. What was done before that is
    /// the `owner`'s.
    fn slot(&mut self, path: Path, owner: Option<Owner>) -> Option<&mut [u8]> {
        let from = Some(path.local.ip());
        if self.batch.len() >= salon_udp::limits::SEND_BATCH {
            self.ledger.lap(owner);
            if self.flush() {
                return None;
            }
        }
        self.batch.slot(from, path.remote)
    }

    /// Sends the batch; true if the kernel takes no more.
    fn flush(&mut self) -> bool {
        let flushed = self.socket.flush(self.batch);
        self.counters.datagrams_out += flushed.sent as u64;
        self.counters.refused += flushed.refused;
        self.ledger.shipped();
        flushed.blocked
    }
}
