//! What goes out.

use salon_rtp::Time;
use salon_transport::{Path, Transport};
use salon_udp::{SendBatch, Socket};

use crate::HostCounters;
use crate::rooms::Entry;
use crate::shard::Shard;

impl Shard {
    /// Everything that the transport wants to say: STUN answers, DTLS flights.
    pub(crate) fn send_transport(&mut self, now: Time) {
        let mut out = [0; salon_udp::limits::MTU];
        while let Some((path, n)) = self.transport.poll_transmit(now, &mut out) {
            let Some(datagram) = out.get(..n) else { continue };
            if let Some(slot) = slot(&self.socket, &mut self.batch, &mut self.counters, path) {
                if let Some(to) = slot.get_mut(..n) {
                    to.copy_from_slice(datagram);
                    self.batch.commit(n);
                }
            } else {
                // The kernel takes nothing: STUN and DTLS repeat themselves.
                self.blocked = true;
            }
        }
    }

    /// Sends what stands in the batch: what the kernel did not take before, first of all.
    pub(crate) fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.blocked = flush(&self.socket, &mut self.batch, &mut self.counters);
        }
    }
}

/// Sends what a room has ready; true if the kernel takes no more. A receiver's burst is put into the batch in a row: packets
/// of one length leave as one run.
pub(crate) fn pump(
    now: Time,
    entry: &mut Entry,
    transport: &mut Transport,
    socket: &Socket,
    batch: &mut SendBatch,
    counters: &mut HostCounters,
) -> bool {
    let Entry { room, members, .. } = entry;
    while let Some(mut burst) = room.poll_transmit(now) {
        let link = members.entries.get(burst.to()).and_then(|m| transport.link(m.peer));
        let Some(mut link) = link else {
            burst.discard();
            continue;
        };
        let path = link.path();
        loop {
            let Some(out) = slot(socket, batch, counters, path) else { return true };
            let Some(egress) = burst.next() else { break };
            match link.seal(&egress, out) {
                Ok(n) => batch.commit(n),
                Err(_) => counters.unsealed += 1,
            }
        }
    }
    false
}

/// Room for one datagram, flushing the batch if it is full; `None` if the kernel takes no more.
fn slot<'a>(
    socket: &Socket,
    batch: &'a mut SendBatch,
    counters: &mut HostCounters,
    path: Path,
) -> Option<&'a mut [u8]> {
    let from = Some(path.local.ip());
    if batch.len() >= salon_udp::limits::SEND_BATCH && flush(socket, batch, counters) {
        return None;
    }
    batch.slot(from, path.remote)
}

/// Sends the batch; true if the kernel takes no more.
fn flush(socket: &Socket, batch: &mut SendBatch, counters: &mut HostCounters) -> bool {
    let flushed = socket.flush(batch);
    counters.datagrams_out += flushed.sent as u64;
    counters.refused += flushed.refused;
    flushed.blocked
}
