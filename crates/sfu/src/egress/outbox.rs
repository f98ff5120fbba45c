//! Reports that wait for a receiver.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use salon_rtp::TooSmall;

use crate::limits;

/// RTCP datagrams that wait, oldest first. What is added joins the last one while there is room in it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// Where each waiting datagram ends.
    ends: VecDeque<usize>,
    /// Where the first waiting one begins.
    start: usize,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds what `write` writes. It is called again with a fresh datagram if it did not fit; false if there is no room for one.
    pub(crate) fn add(&mut self, mut write: impl FnMut(&mut &mut [u8]) -> Result<(), TooSmall>) -> bool {
        let mut scratch = [0; limits::REPORT_BYTES];
        let last = self.last_len();
        let mut free = &mut scratch[..limits::REPORT_BYTES - last];
        let room = free.len();
        let fits = last > 0 && write(&mut free).is_ok();
        if fits {
            let n = room - free.len();
            self.bytes.extend_from_slice(&scratch[..n]);
            if let Some(end) = self.ends.back_mut() {
                *end += n;
            }
            return true;
        }
        if self.ends.len() >= limits::REPORTS {
            return false;
        }
        let mut free = &mut scratch[..];
        if write(&mut free).is_err() {
            return false;
        }
        let n = limits::REPORT_BYTES - free.len();
        if n > 0 {
            self.bytes.extend_from_slice(&scratch[..n]);
            self.ends.push_back(self.bytes.len());
        }
        true
    }

    /// Takes the oldest datagram out; [`Outbox::get`] reads it until the next call that changes anything.
    pub(crate) fn take(&mut self) -> Option<(usize, usize)> {
        let end = self.ends.pop_front()?;
        let start = core::mem::replace(&mut self.start, end);
        Some((start, end))
    }

    pub(crate) fn get(&self, (start, end): (usize, usize)) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Gives back the room of what was taken, once nothing waits.
    pub(crate) fn tidy(&mut self) {
        if self.ends.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.tidy();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn last_len(&self) -> usize {
        let mut ends = self.ends.iter().rev();
        let end = ends.next().copied().unwrap_or(0);
        end.saturating_sub(ends.next().copied().unwrap_or(self.start)).min(limits::REPORT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(n: usize, b: u8) -> impl FnMut(&mut &mut [u8]) -> Result<(), TooSmall> {
        move |out: &mut &mut [u8]| {
            let (head, tail) = core::mem::take(out).split_at_mut_checked(n).ok_or(TooSmall)?;
            head.fill(b);
            *out = tail;
            Ok(())
        }
    }

    #[test]
    fn small_ones_share_a_datagram_and_all_are_bounded() {
        let mut outbox = Outbox::default();
        assert!(outbox.add(put(500, 1)) && outbox.add(put(500, 2)) && outbox.add(put(500, 3)));
        assert_eq!(outbox.len(), 2);
        let first = outbox.take().unwrap();
        assert_eq!(outbox.get(first).len(), 1000);
        assert!(outbox.add(put(500, 4)));
        let second = outbox.take().unwrap();
        assert_eq!(outbox.get(second).iter().map(|&b| usize::from(b)).sum::<usize>(), 500 * 7);
        assert!(outbox.take().is_none());
        outbox.tidy();
        assert!(!outbox.add(put(limits::REPORT_BYTES + 1, 0)));
        for _ in 0..limits::REPORTS {
            assert!(outbox.add(put(limits::REPORT_BYTES, 9)));
        }
        assert!(!outbox.add(put(4, 9)));
    }
}
