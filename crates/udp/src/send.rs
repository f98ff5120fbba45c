//! What is to leave with one call.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::limits::{MTU, SEND_BATCH};

/// Datagrams that wait to leave, in order, packed one behind the other: those to one destination that were committed in
/// a row lie in one piece, as the kernel's segmentation wants them.
#[derive(Debug)]
pub struct SendBatch {
    pub(crate) bytes: Box<[u8]>,
    entries: Vec<Entry>,
    /// The entries before this one are gone.
    head: usize,
    /// Where the next datagram goes.
    at: usize,
    /// For whom the slot was taken.
    open: Option<(Option<IpAddr>, SocketAddr)>,
    #[cfg(target_os = "linux")]
    pub(crate) scratch: crate::linux::SendScratch,
}

/// A datagram that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) from: Option<IpAddr>,
    pub(crate) to: SocketAddr,
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// What a [`Socket::flush`](crate::Socket::flush) did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flushed {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Whether it will not take more now: the rest waits in the batch, in order; flush again when the socket is writable.
    pub blocked: bool,
    /// Datagrams that the kernel refused (no route, no permission, too long, no such source address …) and that are gone.
    pub refused: u64,
}

impl SendBatch {
    /// Empty. It never allocates again.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; SEND_BATCH * MTU].into(),
            entries: Vec::with_capacity(SEND_BATCH),
            head: 0,
            at: 0,
            open: None,
            #[cfg(target_os = "linux")]
            scratch: crate::linux::SendScratch::new(),
        }
    }

    /// [`MTU`] bytes for the next datagram to `to`, sent from the local address `from` (`None`: the system's choice);
    /// `None` when the batch is full: flush first. A slot that is not committed costs nothing; the next call gives
    /// the same bytes again.
    pub fn slot(&mut self, from: Option<IpAddr>, to: SocketAddr) -> Option<&mut [u8]> {
        self.open = None;
        if self.entries.len() == SEND_BATCH {
            return None;
        }
        let slot = self.bytes.get_mut(self.at..self.at + MTU)?;
        self.open = Some((from, to));
        Some(slot)
    }

    /// The slot's first `n` bytes are a datagram. Nothing happens without a slot, or where `n` exceeds it.
    pub fn commit(&mut self, n: usize) {
        if let Some((from, to)) = self.open.take()
            && n <= MTU
        {
            self.entries.push(Entry { from, to, at: self.at, len: n });
            self.at += n;
        }
    }

    /// Datagrams that wait.
    pub fn len(&self) -> usize {
        self.entries.len() - self.head
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What waits, in order.
    #[cfg(any(test, not(target_os = "linux")))]
    pub(crate) fn waiting(&self) -> &[Entry] {
        self.entries.get(self.head..).unwrap_or(&[])
    }

    /// What the system call is made of: its scratch, what waits, and the bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn parts(&mut self) -> (&mut crate::linux::SendScratch, &[Entry], &mut [u8]) {
        (&mut self.scratch, self.entries.get(self.head..).unwrap_or(&[]), &mut self.bytes)
    }

    /// Offers what waits to `kernel` until nothing waits or it takes no more. `kernel` is given the number of datagrams
    /// that are done with since the call, says how many of the following ones it took, or why it did not take the first
    /// of them (as sendmmsg(2) does).
    ///
    /// Whatever error is not "later" or "again" costs the datagram: a batch must never stand still for one destination.
    pub(crate) fn drive(&mut self, mut kernel: impl FnMut(usize, &mut Self) -> io::Result<usize>) -> Flushed {
        self.open = None;
        let mut flushed = Flushed::default();
        let mut done = 0;
        while !self.is_empty() {
            let gone = match kernel(done, self) {
                // Zero datagrams without an error cannot be; waiting is the answer that ends.
                Ok(0) => {
                    flushed.blocked = true;
                    return flushed;
                }
                Ok(n) => {
                    let n = n.min(self.len());
                    flushed.sent += n;
                    n
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    flushed.blocked = true;
                    return flushed;
                }
                Err(_) => {
                    flushed.refused += 1;
                    1
                }
            };
            done += gone;
            self.head += gone;
        }
        self.entries.clear();
        self.head = 0;
        self.at = 0;
        flushed
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the kernel of the test says to one call.
    #[derive(Clone, Copy, Debug)]
    enum Says {
        Takes(usize),
        Later,
        Again,
        Refuses(io::ErrorKind),
    }

    fn says() -> impl Strategy<Value = Says> {
        prop_oneof![
            4 => (1usize..200).prop_map(Says::Takes),
            1 => Just(Says::Later),
            1 => Just(Says::Again),
            // No permission, no route (two of them), too long, closed port, no such source address, and a surprise.
            2 => prop::sample::select(vec![
                io::ErrorKind::PermissionDenied,
                io::ErrorKind::NetworkUnreachable,
                io::ErrorKind::HostUnreachable,
                io::ErrorKind::FileTooLarge,
                io::ErrorKind::ConnectionRefused,
                io::ErrorKind::InvalidInput,
                io::ErrorKind::Other,
            ])
            .prop_map(Says::Refuses),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_kernel_says_each_datagram_leaves_once_in_order_or_is_counted(
            script in prop::collection::vec(says(), 0..100),
            sizes in prop::collection::vec(0usize..=MTU, 1..300),
        ) {
            let mut batch = SendBatch::new();
            let (mut script, mut gone, mut committed, mut counted) = (script.into_iter(), Vec::new(), 0, 0);
            let (mut sent, mut refused) = (0, 0);
            let mut sizes = sizes.into_iter().enumerate().peekable();
            while sizes.peek().is_some() || !batch.is_empty() {
                while let Some(&(i, n)) = sizes.peek() {
                    let Some(slot) = batch.slot(None, ([127, 0, 0, 1], i as u16).into()) else { break };
                    prop_assert_eq!(slot.len(), MTU);
                    slot[..n].fill(i as u8);
                    batch.commit(n);
                    committed += 1;
                    sizes.next();
                }
                let mut done_before = 0;
                let flushed = batch.drive(|done, batch| {
                    assert!(done >= done_before);
                    done_before = done;
                    let waiting: Vec<_> = batch.waiting().to_vec();
                    let take = match script.next().unwrap_or(Says::Takes(1_000)) {
                        Says::Takes(n) => n.min(waiting.len()),
                        Says::Later => return Err(io::ErrorKind::WouldBlock.into()),
                        Says::Again => return Err(io::ErrorKind::Interrupted.into()),
                        Says::Refuses(kind) => {
                            gone.push((waiting[0].to.port(), false));
                            return Err(kind.into());
                        }
                    };
                    for e in &waiting[..take] {
                        assert!(batch.bytes[e.at..e.at + e.len].iter().all(|&b| b == e.to.port() as u8));
                        gone.push((e.to.port(), true));
                    }
                    Ok(take)
                });
                sent += flushed.sent;
                refused += flushed.refused as usize;
                prop_assert_eq!(flushed.blocked, !batch.is_empty());
                prop_assert_eq!(sent + refused + batch.len(), committed);
                counted += 1;
                prop_assert!(counted < 1_000);
            }
            prop_assert!(gone.iter().map(|&(i, _)| usize::from(i)).eq(0..committed));
            prop_assert_eq!(gone.iter().filter(|&&(_, taken)| taken).count(), sent);
        }
    }

    #[test]
    fn a_slot_that_is_not_committed_costs_nothing() {
        let mut batch = SendBatch::new();
        let to = ([127, 0, 0, 1], 9).into();
        for _ in 0..1_000 {
            assert_eq!(batch.slot(None, to).map(|s| s.len()), Some(MTU));
        }
        batch.commit(MTU + 1);
        batch.commit(1);
        assert!(batch.is_empty(), "too long a commit closes the slot, and there is none for the second");
        for _ in 0..SEND_BATCH {
            batch.slot(None, to).unwrap();
            batch.commit(MTU);
            batch.commit(MTU);
        }
        assert_eq!(batch.len(), SEND_BATCH);
        assert!(batch.slot(None, to).is_none());
        batch.commit(1);
        assert_eq!(batch.len(), SEND_BATCH);
    }

    #[test]
    fn datagrams_committed_in_a_row_lie_in_one_piece() {
        let mut batch = SendBatch::new();
        for n in [1_000, 1_000, 700] {
            batch.slot(None, ([127, 0, 0, 1], 9).into()).unwrap();
            batch.commit(n);
        }
        let places: Vec<_> = batch.waiting().iter().map(|e| (e.at, e.len)).collect();
        assert_eq!(places, [(0, 1_000), (1_000, 1_000), (2_000, 700)]);
    }
}
