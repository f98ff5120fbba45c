//! What is to leave with one call.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::limits::{MTU, RUN_BYTES, RUN_DATAGRAMS, SEND_BATCH};
use crate::offload::Segmentation;

/// Datagrams that wait to leave, in order, packed one behind the other. Those that were committed in a row to one
/// destination from one address, all of one length (the last may be shorter), are a *run*: the kernel takes it as one
/// message and cuts it up as late as it can, which costs a fraction of what as many messages cost.
#[derive(Debug)]
pub struct SendBatch {
    pub(crate) bytes: Box<[u8]>,
    runs: Vec<Run>,
    /// The runs before this one are gone.
    head: usize,
    /// Datagrams committed since the batch was empty, and those of them that wait.
    committed: usize,
    waiting: usize,
    /// Where the next datagram goes.
    at: usize,
    /// For whom the slot was taken.
    open: Option<(Option<IpAddr>, SocketAddr)>,
    /// What the kernel is offered in this flush.
    messages: Vec<Message>,
    counters: SendCounters,
    #[cfg(target_os = "linux")]
    pub(crate) scratch: crate::linux::SendScratch,
}

/// Datagrams of one way and one length, the last of which may be shorter, in one piece.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: Option<IpAddr>,
    to: SocketAddr,
    at: usize,
    len: usize,
    segment: usize,
    count: usize,
    /// Its last datagram is shorter: nothing can follow.
    closed: bool,
}

/// What the kernel is offered as one: a run, or one datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) from: Option<IpAddr>,
    pub(crate) to: SocketAddr,
    pub(crate) at: usize,
    pub(crate) len: usize,
    /// Bytes after which the kernel is to cut; no matter where `count` is 1.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) segment: usize,
    pub(crate) count: usize,
}

/// What a [`Socket::flush`](crate::Socket::flush) did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Whether it will not take more now: the rest waits in the batch, in order; flush again when the socket is writable.
    pub blocked: bool,
    /// Datagrams that the kernel refused (no route, no permission, too long, no such source address …) and that are gone.
    pub refused: u64,
}

/// What a batch sent since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct SendCounters {
    /// Datagrams that the kernel took.
    pub datagrams: u64,
    /// System calls.
    pub calls: u64,
    /// Messages that the kernel took: runs, and datagrams that left alone.
    pub messages: u64,
    /// Runs of two and more that left as one.
    pub runs: u64,
    /// Datagrams in them.
    pub run_datagrams: u64,
    /// Datagrams that the kernel refused, those that were too long included.
    pub refused: u64,
    /// Datagrams that were refused because their path takes no such length.
    pub too_long: u64,
    /// Runs that the kernel refused as one, and that were offered again datagram by datagram.
    pub broken_runs: u64,
}

impl SendCounters {
    /// Adds what another batch counted.
    pub fn add(&mut self, other: &Self) {
        let Self { datagrams, calls, messages, runs, run_datagrams, refused, too_long, broken_runs } = *other;
        self.datagrams += datagrams;
        self.calls += calls;
        self.messages += messages;
        self.runs += runs;
        self.run_datagrams += run_datagrams;
        self.refused += refused;
        self.too_long += too_long;
        self.broken_runs += broken_runs;
    }
}

impl SendBatch {
    /// Empty. It never allocates again.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; SEND_BATCH * MTU].into(),
            runs: Vec::with_capacity(SEND_BATCH),
            head: 0,
            committed: 0,
            waiting: 0,
            at: 0,
            open: None,
            messages: Vec::with_capacity(SEND_BATCH),
            counters: SendCounters::default(),
            #[cfg(target_os = "linux")]
            scratch: crate::linux::SendScratch::new(),
        }
    }

    /// [`MTU`] bytes for the next datagram to `to`, sent from the local address `from` (`None`: the system's choice);
    /// `None` when the batch is full: flush first. A slot that is not committed costs nothing; the next call gives
    /// the same bytes again.
    pub fn slot(&mut self, from: Option<IpAddr>, to: SocketAddr) -> Option<&mut [u8]> {
        self.open = None;
        if self.committed == SEND_BATCH {
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
            match self.runs.last_mut() {
                Some(run) if run.takes(from, to, n) => {
                    run.len += n;
                    run.count += 1;
                    run.closed = n < run.segment;
                }
                _ => {
                    let closed = n == 0;
                    self.runs.push(Run { from, to, at: self.at, len: n, segment: n, count: 1, closed });
                }
            }
            self.at += n;
            self.committed += 1;
            self.waiting += 1;
        }
    }

    /// Datagrams that wait.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// What left since the batch was made.
    pub fn counters(&self) -> &SendCounters {
        &self.counters
    }

    /// One of the messages of this flush.
    #[cfg(any(test, not(target_os = "linux")))]
    pub(crate) fn message(&self, at: usize) -> Option<Message> {
        self.messages.get(at).copied()
    }

    /// What the system call is made of: its scratch, the messages of this flush, and the bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn parts(&mut self) -> (&mut crate::linux::SendScratch, &[Message], &mut [u8]) {
        (&mut self.scratch, &self.messages, &mut self.bytes)
    }

    /// Offers what waits to `kernel` until nothing waits or it takes no more. `kernel` is given the first message that
    /// is still to be taken, and whether the messages are others than at its last call; it says how many it took from
    /// there on, or why it did not take the first of them (as sendmmsg(2) does).
    ///
    /// Whatever error is not "later" or "again" costs the message: a batch must never stand still for one destination.
    /// A run that is refused is offered again datagram by datagram, so that nothing is lost of what could leave; and if
    /// then its first datagram leaves, it was the run as such that the kernel did not want.
    pub(crate) fn drive(
        &mut self,
        segmentation: &Segmentation,
        mut kernel: impl FnMut(&mut Self, usize, bool) -> io::Result<usize>,
    ) -> Flushed {
        self.open = None;
        let mut flushed = Flushed::default();
        let (mut next, mut fresh, mut suspect) = (0, true, false);
        self.plan(segmentation.is_on(), 0);
        while let Some(&Message { count, .. }) = self.messages.get(next) {
            self.counters.calls += 1;
            match kernel(self, next, std::mem::take(&mut fresh)) {
                // Zero messages without an error cannot be; waiting is the answer that ends.
                Ok(0) => {
                    flushed.blocked = true;
                    break;
                }
                Ok(n) => {
                    flushed.sent += self.took(next, n);
                    next = (next + n).min(self.messages.len());
                    if std::mem::take(&mut suspect) {
                        segmentation.refuse();
                        self.forget(std::mem::take(&mut next));
                        self.plan(false, 0);
                        fresh = true;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    flushed.blocked = true;
                    break;
                }
                Err(e) if count > 1 => {
                    self.counters.broken_runs += 1;
                    self.forget(std::mem::take(&mut next));
                    self.plan(true, count);
                    (fresh, suspect) = (true, crate::offload::blames_runs(&e));
                }
                Err(e) => {
                    suspect = false;
                    flushed.refused += 1;
                    self.counters.refused += 1;
                    self.counters.too_long += u64::from(crate::offload::is_too_long(&e));
                    next += 1;
                }
            }
        }
        self.forget(next);
        segmentation.spend(flushed.sent);
        flushed
    }

    /// Makes the messages of what waits: runs as `whole`, but for the first `singly` datagrams.
    fn plan(&mut self, whole: bool, mut singly: usize) {
        self.messages.clear();
        for run in self.runs.get(self.head..).unwrap_or(&[]) {
            let Run { from, to, at, len, segment, count, .. } = *run;
            if whole && singly == 0 {
                self.messages.push(Message { from, to, at, len, segment, count });
                continue;
            }
            singly = singly.saturating_sub(count);
            self.messages.extend((0..count).map(|i| {
                let start = i * segment;
                let len = segment.min(len - start);
                Message { from, to, at: at + start, len, segment, count: 1 }
            }));
        }
    }

    /// Counts messages that the kernel took; how many datagrams they were.
    fn took(&mut self, next: usize, n: usize) -> usize {
        let mut datagrams = 0;
        for message in self.messages.iter().skip(next).take(n) {
            datagrams += message.count;
            self.counters.messages += 1;
            if message.count > 1 {
                self.counters.runs += 1;
                self.counters.run_datagrams += message.count as u64;
            }
        }
        self.counters.datagrams += datagrams as u64;
        datagrams
    }

    /// The first `n` messages are done with.
    fn forget(&mut self, n: usize) {
        let mut datagrams: usize = self.messages.iter().take(n).map(|m| m.count).sum();
        self.messages.clear();
        self.waiting -= datagrams;
        while let Some(run) = self.runs.get_mut(self.head) {
            if datagrams < run.count {
                let bytes = datagrams * run.segment;
                run.at += bytes;
                run.len -= bytes;
                run.count -= datagrams;
                break;
            }
            datagrams -= run.count;
            self.head += 1;
        }
        if self.waiting == 0 {
            self.runs.clear();
            (self.head, self.committed, self.at) = (0, 0, 0);
        }
    }
}

impl Run {
    /// Whether a datagram goes on with it.
    fn takes(&self, from: Option<IpAddr>, to: SocketAddr, n: usize) -> bool {
        !self.closed
            && (1..=self.segment).contains(&n)
            && self.count < RUN_DATAGRAMS
            && self.len + n <= RUN_BYTES
            && self.to == to
            && self.from == from
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
    use crate::Offload;

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

    /// Datagrams as they come from a forwarder: some to one destination in a row, most of them of one length.
    fn datagrams() -> impl Strategy<Value = Vec<(u16, usize)>> {
        let some = (0u16..3, 1usize..20, prop_oneof![Just(1_200usize), 0usize..=MTU], 0usize..=MTU);
        prop::collection::vec(some, 1..40).prop_map(|all| {
            let run = |(to, n, len, last): (u16, usize, usize, usize)| {
                (0..n).map(move |i| (to, if i + 1 == n { last } else { len }))
            };
            all.into_iter().flat_map(run).collect()
        })
    }

    proptest! {
        /// Also where it takes no runs at all.
        #[test]
        fn whatever_the_kernel_says_each_datagram_leaves_once_in_order_or_is_counted(
            script in prop::collection::vec(says(), 0..100),
            datagrams in datagrams(),
            no_runs in any::<bool>(),
            off in any::<bool>(),
        ) {
            let mut batch = SendBatch::new();
            let segmentation = Segmentation::new(if off { Offload::Off } else { Offload::Auto });
            let (mut script, mut gone, mut committed, mut rounds) = (script.into_iter(), Vec::new(), 0, 0);
            let (mut sent, mut refused) = (0, 0);
            let mut coming = datagrams.iter().enumerate().peekable();
            while coming.peek().is_some() || !batch.is_empty() {
                while let Some(&(i, &(to, n))) = coming.peek() {
                    let Some(slot) = batch.slot(None, ([127, 0, 0, 1], to).into()) else { break };
                    prop_assert_eq!(slot.len(), MTU);
                    slot[..n].fill(i as u8);
                    batch.commit(n);
                    committed += 1;
                    coming.next();
                }
                let mut seen = 0;
                let flushed = batch.drive(&segmentation, |batch, next, fresh| {
                    assert!(fresh || next >= seen);
                    seen = next;
                    let messages = &batch.messages[next..];
                    assert!(messages.iter().all(|m| m.count == 1 || !off));
                    let take = match script.next().unwrap_or(Says::Takes(1_000)) {
                        Says::Takes(n) => n.min(messages.len()),
                        Says::Later => return Err(io::ErrorKind::WouldBlock.into()),
                        Says::Again => return Err(io::ErrorKind::Interrupted.into()),
                        Says::Refuses(kind) => {
                            if messages[0].count == 1 {
                                gone.push((messages[0].to.port(), vec![]));
                            }
                            return Err(kind.into());
                        }
                    };
                    let runs = messages[..take].iter().position(|m| m.count > 1);
                    let take = if no_runs { runs.unwrap_or(take) } else { take };
                    if take == 0 {
                        return Err(io::Error::from_raw_os_error(5));
                    }
                    for m in &messages[..take] {
                        let bytes = &batch.bytes[m.at..m.at + m.len];
                        let parts: Vec<_> = bytes.chunks(m.segment.max(1)).map(<[u8]>::to_vec).collect();
                        assert!(parts.len() == m.count || (m.len, m.count) == (0, 1));
                        gone.extend(parts.into_iter().map(|part| (m.to.port(), part)));
                        if m.len == 0 {
                            gone.push((m.to.port(), vec![]));
                        }
                    }
                    Ok(take)
                });
                sent += flushed.sent;
                refused += flushed.refused as usize;
                prop_assert_eq!(flushed.blocked, !batch.is_empty());
                prop_assert_eq!(sent + refused + batch.len(), committed);
                rounds += 1;
                prop_assert!(rounds < 1_000);
            }
            prop_assert_eq!(gone.len(), committed);
            let mut whole = 0;
            for (i, ((to, bytes), &(meant, n))) in gone.iter().zip(&datagrams).enumerate() {
                prop_assert_eq!(*to, meant);
                prop_assert!(bytes.is_empty() || (bytes.len() == n && bytes.iter().all(|&b| b == i as u8)));
                whole += usize::from(bytes.len() == n);
            }
            prop_assert!(whole >= sent);
            let counters = *batch.counters();
            prop_assert_eq!((counters.datagrams, counters.refused), (sent as u64, refused as u64));
            prop_assert_eq!(counters.datagrams - counters.run_datagrams, counters.messages - counters.runs);
            prop_assert!(!(off || no_runs) || counters.runs == 0);
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

    /// The runs of some datagrams: how many of how many bytes.
    fn runs(datagrams: &[(u8, u16, usize)]) -> Vec<(usize, usize)> {
        let mut batch = SendBatch::new();
        for &(from, to, n) in datagrams {
            batch.slot(Some([127, 0, 0, from].into()), ([127, 0, 0, 1], to).into()).unwrap();
            batch.commit(n);
        }
        batch.plan(true, 0);
        batch.messages.iter().map(|m| (m.count, m.len)).collect()
    }

    #[test]
    fn a_run_is_of_one_way_and_one_length_and_ends_with_a_shorter_one() {
        assert_eq!(runs(&[(1, 9, 1_000), (1, 9, 1_000), (1, 9, 700)]), [(3, 2_700)]);
        assert_eq!(runs(&[(1, 9, 1_000), (1, 9, 700), (1, 9, 700)]), [(2, 1_700), (1, 700)]);
        assert_eq!(runs(&[(1, 9, 700), (1, 9, 701), (1, 9, 701)]), [(1, 700), (2, 1_402)]);
        assert_eq!(runs(&[(1, 9, 100), (1, 8, 100), (1, 9, 100)]), [(1, 100), (1, 100), (1, 100)]);
        assert_eq!(runs(&[(1, 9, 100), (2, 9, 100)]), [(1, 100), (1, 100)], "from another address");
        assert_eq!(runs(&[(1, 9, 0), (1, 9, 0), (1, 9, 5), (1, 9, 0)]), [(1, 0), (1, 0), (1, 5), (1, 0)]);
        assert_eq!(runs(&[(1, 9, 100); 70]), [(64, 6_400), (6, 600)]);
        assert_eq!(runs(&[(1, 9, MTU); 50]), [(43, 43 * MTU), (7, 7 * MTU)]);
    }

    #[test]
    fn a_kernel_that_takes_no_runs_is_asked_again_after_many_datagrams_only() {
        let mut batch = SendBatch::new();
        let segmentation = Segmentation::new(Offload::Auto);
        for _ in 0..crate::limits::RUNS_REST.div_ceil(SEND_BATCH as u32) * 2 {
            for _ in 0..SEND_BATCH {
                batch.slot(None, ([127, 0, 0, 1], 9).into()).unwrap();
                batch.commit(100);
            }
            batch.drive(&segmentation, |batch, next, _| {
                let whole = batch.messages[next].count > 1;
                if whole { Err(io::Error::from_raw_os_error(22)) } else { Ok(batch.messages.len() - next) }
            });
        }
        let counters = batch.counters();
        assert_eq!((counters.datagrams, counters.refused), (2 * 65_536, 0));
        assert_eq!(counters.broken_runs, 2);
    }

    #[test]
    fn what_a_run_and_its_datagrams_are_refused_for_alike_is_not_the_runs_fault() {
        let mut batch = SendBatch::new();
        let segmentation = Segmentation::new(Offload::Auto);
        for to in [1, 1, 2, 2] {
            batch.slot(None, ([127, 0, 0, 1], to).into()).unwrap();
            batch.commit(100);
        }
        let flushed = batch.drive(&segmentation, |batch, next, _| match batch.messages[next] {
            // No such source address: EINVAL, too.
            m if m.to.port() == 1 => Err(io::Error::from_raw_os_error(22)),
            _ => Ok(1),
        });
        assert_eq!(flushed, Flushed { sent: 2, blocked: false, refused: 2 });
        assert!(segmentation.is_on());
        assert_eq!((batch.counters().runs, batch.counters().broken_runs), (1, 1));
    }

    #[test]
    fn what_its_path_does_not_take_is_counted_and_runs_go_on() {
        let mut batch = SendBatch::new();
        let segmentation = Segmentation::new(Offload::Auto);
        for n in [1_000, 1_000, 300] {
            batch.slot(None, ([127, 0, 0, 1], 9).into()).unwrap();
            batch.commit(n);
        }
        let flushed = batch.drive(&segmentation, |batch, next, _| match batch.messages[next] {
            m if m.segment.min(m.len) > 500 => Err(io::Error::from_raw_os_error(90)),
            _ => Ok(1),
        });
        assert_eq!(flushed, Flushed { sent: 1, blocked: false, refused: 2 });
        let counters = batch.counters();
        assert_eq!((counters.too_long, counters.refused, counters.broken_runs), (2, 2, 1));
        assert!(segmentation.is_on());
    }
}
