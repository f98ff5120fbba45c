//! What shards hand each other.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use salon_transport::Path;
use salon_udp::Waker;

use crate::limits::{PARCEL_BYTES, PARCEL_DATAGRAMS, PARCELS, PARCELS_FOR_NEW};

/// Datagrams that came to one shard's socket and are another's, whole. It goes there, and comes back with word of what
/// was heard, to be filled again.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) from: usize,
    pub(crate) to: usize,
    bytes: Box<[u8]>,
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    path: Path,
    range: Range<usize>,
    heard: Heard,
}

/// What became of a datagram, for the shard on whose socket its path ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// Nothing that was anybody's.
    Nothing,
    /// The same, and its path is nobody's here.
    Nobody,
    /// A peer's own.
    Peer,
    /// A peer's check: it is reached on this path.
    Check,
}

impl Parcel {
    fn new(from: usize) -> Self {
        let items = Vec::with_capacity(PARCEL_DATAGRAMS);
        Self { from, to: from, bytes: vec![0; PARCEL_BYTES].into(), items }
    }

    /// False where there is no room left.
    fn put(&mut self, path: Path, datagram: &[u8]) -> bool {
        let start = self.items.last().map_or(0, |i| i.range.end);
        let range = start..start + datagram.len();
        let Some(place) = self.bytes.get_mut(range.clone()) else { return false };
        if self.items.len() == PARCEL_DATAGRAMS {
            return false;
        }
        place.copy_from_slice(datagram);
        self.items.push(Item { path, range, heard: Heard::Nothing });
        true
    }

    /// Gives each datagram to `take`, and writes down what it says.
    pub(crate) fn open(&mut self, mut take: impl FnMut(Path, &mut [u8]) -> Heard) {
        for item in &mut self.items {
            if let Some(datagram) = self.bytes.get_mut(item.range.clone()) {
                item.heard = take(item.path, datagram);
            }
        }
    }

    /// What was heard on which path.
    pub(crate) fn word(&self) -> impl Iterator<Item = (Path, Heard)> {
        self.items.iter().map(|i| (i.path, i.heard))
    }

    /// Datagrams in it.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

/// What one shard knows of another: where to leave parcels, where to leave empty ones, and how to wake it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    parcels: SyncSender<Parcel>,
    empty: SyncSender<Parcel>,
    bell: Bell,
}

/// Wakes a shard, if it sleeps.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    asleep: Arc<AtomicBool>,
    waker: Waker,
}

impl Bell {
    /// The shard is about to wait. What it looks for after this call, and does not find, will ring.
    pub(crate) fn sleep(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        // Whoever has something for it writes that first, then looks whether it sleeps; it says that it sleeps, then looks
        // whether there is something. Both orders must hold among all of them, so that one sees the other.
        fence(Ordering::SeqCst);
    }

    /// It waits no longer.
    pub(crate) fn awake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    fn ring(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.waker.wake();
        }
    }
}

/// A shard's desk: parcels on their way out, and those that have come.
///
/// Everything is bounded, and nothing waits: a parcel that finds no room, or a datagram that finds no parcel, is lost, and
/// counted, as on any network.
#[derive(Debug)]
pub(crate) struct Post {
    own: usize,
    all: Arc<[Address]>,
    parcels: Receiver<Parcel>,
    returned: Receiver<Parcel>,
    /// Empty ones; how many there are at all.
    spare: Vec<Parcel>,
    made: usize,
    /// For each shard the one that is being filled.
    open: Vec<Option<Parcel>>,
    /// One that came when the shard was about to wait.
    early: Option<Parcel>,
    /// Datagrams handed on, and lost for want of room.
    pub(crate) passed: u64,
    pub(crate) lost: u64,
}

impl Post {
    /// The desks of shards that are woken by these.
    pub(crate) fn all(wakers: Vec<Waker>) -> Vec<Self> {
        let shards = wakers.len();
        let (addresses, ends): (Vec<_>, Vec<_>) = wakers
            .into_iter()
            .map(|waker| {
                let (parcels, in_parcels) = sync_channel(PARCELS);
                // None of its own can find no room on its way back.
                let (empty, in_empty) = sync_channel(PARCELS);
                let bell = Bell { asleep: Arc::default(), waker };
                (Address { parcels, empty, bell }, (in_parcels, in_empty))
            })
            .unzip();
        let all: Arc<[Address]> = addresses.into();
        let desk = |(own, (parcels, returned))| Self {
            own,
            all: Arc::clone(&all),
            parcels,
            returned,
            spare: Vec::with_capacity(PARCELS),
            made: 0,
            open: (0..shards).map(|_| None).collect(),
            early: None,
            passed: 0,
            lost: 0,
        };
        ends.into_iter().enumerate().map(desk).collect()
    }

    /// This shard's bell.
    pub(crate) fn bell(&self) -> Option<&Bell> {
        self.all.get(self.own).map(|a| &a.bell)
    }

    /// How many shards there are.
    pub(crate) fn shards(&self) -> usize {
        self.all.len()
    }

    /// Hands on a datagram. `new`: nobody is known on its path; such must not use up what the others need.
    pub(crate) fn put(&mut self, to: usize, path: Path, datagram: &[u8], new: bool) {
        let Some(open) = self.open.get_mut(to) else { return };
        if open.as_mut().is_some_and(|parcel| parcel.put(path, datagram)) {
            return;
        }
        if let Some(full) = open.take() {
            self.send(full);
        }
        let away = self.made - self.spare.len();
        let fresh = if new && away >= PARCELS_FOR_NEW { None } else { self.fresh() };
        match fresh {
            Some(mut parcel) => {
                parcel.to = to;
                if !parcel.put(path, datagram) {
                    self.lost += 1;
                }
                if let Some(open) = self.open.get_mut(to) {
                    *open = Some(parcel);
                }
            }
            None => self.lost += 1,
        }
    }

    /// Sends what has been put.
    pub(crate) fn dispatch(&mut self) {
        for to in 0..self.open.len() {
            if let Some(parcel) = self.open.get_mut(to).and_then(Option::take) {
                self.send(parcel);
            }
        }
    }

    /// The next parcel of another shard.
    pub(crate) fn take(&mut self) -> Option<Parcel> {
        self.early.take().or_else(|| self.parcels.try_recv().ok())
    }

    /// Whether none has come. To be asked before waiting, after [`Bell::sleep`].
    pub(crate) fn is_empty(&mut self) -> bool {
        self.early = self.take();
        self.early.is_none()
    }

    /// Gives a parcel back to whose it is.
    pub(crate) fn give_back(&self, parcel: Parcel) {
        if let Some(owner) = self.all.get(parcel.from) {
            // It has room for all of its own; if it is no more, the parcel ends here.
            let _ = owner.empty.try_send(parcel);
        }
    }

    /// One of ours that has come back: to be read, and given to [`keep`](Self::keep).
    pub(crate) fn returned(&mut self) -> Option<Parcel> {
        self.returned.try_recv().ok()
    }

    /// Keeps a parcel of ours to be filled again.
    pub(crate) fn keep(&mut self, mut parcel: Parcel) {
        parcel.items.clear();
        self.spare.push(parcel);
    }

    fn fresh(&mut self) -> Option<Parcel> {
        if self.spare.is_empty() && self.made < PARCELS {
            self.made += 1;
            return Some(Parcel::new(self.own));
        }
        self.spare.pop()
    }

    fn send(&mut self, parcel: Parcel) {
        let (to, datagrams) = (parcel.to, parcel.len() as u64);
        let Some(address) = self.all.get(to) else { return };
        match address.parcels.try_send(parcel) {
            Ok(()) => {
                self.passed += datagrams;
                address.bell.ring();
            }
            Err(TrySendError::Full(parcel) | TrySendError::Disconnected(parcel)) => {
                self.lost += datagrams;
                self.keep(parcel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use salon_udp::{Options, Socket};

    use super::*;

    fn path(n: u16) -> Path {
        Path { local: ([192, 0, 2, 1], 1).into(), remote: ([192, 0, 2, 2], n).into() }
    }

    fn two() -> (Socket, Post, Post) {
        let socket = Socket::bind(([127, 0, 0, 1], 0).into(), Options::default()).unwrap();
        let mut all = Post::all(vec![socket.waker(), socket.waker()]);
        let (b, a) = (all.pop().unwrap(), all.pop().unwrap());
        (socket, a, b)
    }

    #[test]
    fn what_is_put_arrives_whole_and_in_order_and_word_comes_back() {
        let (_socket, mut a, mut b) = two();
        for n in 0..100u16 {
            a.put(1, path(n), &vec![n as u8; usize::from(n) * 12], false);
        }
        assert!(!b.is_empty(), "full ones leave at once");
        a.dispatch();
        let mut n = 0;
        while let Some(mut parcel) = b.take() {
            parcel.open(|p, datagram| {
                assert_eq!((p, &*datagram), (path(n), &vec![n as u8; usize::from(n) * 12][..]));
                n += 1;
                if n % 2 == 0 { Heard::Check } else { Heard::Nothing }
            });
            b.give_back(parcel);
        }
        assert_eq!((n, a.passed, a.lost), (100, 100, 0));
        let mut words = Vec::new();
        while let Some(parcel) = a.returned() {
            words.extend(parcel.word());
            a.keep(parcel);
        }
        let said = |n: u16| (path(n), if n % 2 == 1 { Heard::Check } else { Heard::Nothing });
        assert!(words.into_iter().eq((0..100).map(said)));
    }

    #[test]
    fn where_there_is_no_room_datagrams_are_lost_and_counted_and_all_goes_on_when_there_is() {
        let (_socket, mut a, mut b) = two();
        let total = (PARCELS + 3) * PARCEL_DATAGRAMS;
        for _ in 0..total {
            a.put(1, path(1), &[1; 10], false);
        }
        a.dispatch();
        assert_eq!((a.passed as usize, a.lost as usize), (PARCELS * PARCEL_DATAGRAMS, 3 * PARCEL_DATAGRAMS));
        let mut arrived = 0;
        while let Some(parcel) = b.take() {
            arrived += parcel.len();
            b.give_back(parcel);
        }
        assert_eq!(arrived as u64, a.passed);
        while let Some(parcel) = a.returned() {
            a.keep(parcel);
        }
        a.put(1, path(1), &[1; 10], false);
        a.dispatch();
        assert_eq!(b.take().map(|p| p.len()), Some(1));
        assert_eq!((a.made, a.spare.len()), (PARCELS, PARCELS - 1));
    }

    #[test]
    fn a_flood_from_strangers_leaves_room_for_those_who_are_known() {
        let (_socket, mut a, _b) = two();
        for _ in 0..2 * PARCELS * PARCEL_DATAGRAMS {
            a.put(1, path(1), &[1; 10], true);
        }
        let lost = a.lost;
        assert!(lost > 0);
        a.dispatch();
        for _ in 0..PARCEL_DATAGRAMS {
            a.put(1, path(2), &[1; 10], false);
        }
        assert_eq!(a.lost, lost);
    }

    #[test]
    fn who_sleeps_is_woken_and_who_is_awake_is_not() {
        let (socket, mut a, mut b) = two();
        let woken = || socket.wait(Some(core::time::Duration::ZERO), false).unwrap().woken;
        a.put(1, path(1), &[1], false);
        a.dispatch();
        assert!(!woken(), "it is awake");
        b.bell().unwrap().clone().sleep();
        assert!(!b.is_empty(), "and finds it before it sleeps");
        assert!(b.take().is_some());
        assert!(b.is_empty());
        a.put(1, path(1), &[1], false);
        a.dispatch();
        assert!(woken());
        a.put(1, path(1), &[1], false);
        a.dispatch();
        assert!(!woken(), "once is enough");
    }

    #[test]
    fn in_steady_state_nothing_is_allocated() {
        let (_socket, mut a, mut b) = two();
        let mut round = |datagrams: usize| {
            for _ in 0..datagrams {
                a.put(1, path(1), &[1; 1_200], false);
            }
            a.dispatch();
            while let Some(mut parcel) = b.take() {
                parcel.open(|_, _| Heard::Peer);
                b.give_back(parcel);
            }
            while let Some(parcel) = a.returned() {
                assert!(parcel.word().all(|(_, heard)| heard == Heard::Peer));
                a.keep(parcel);
            }
        };
        round(200);
        let counted = allocation_counter::measure(|| (1..200).for_each(&mut round));
        assert_eq!(counted.count_total, 0);
    }
}
