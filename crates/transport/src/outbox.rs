//! What waits to be sent.

use std::collections::VecDeque;

use crate::Path;
use crate::limits::MAX_QUEUED;

/// Answers and flights, first in, first out.
#[derive(Default)]
pub(crate) struct Outbox(VecDeque<(Path, Vec<u8>)>);

impl Outbox {
    /// False where too many wait: the datagram is lost, as on any network.
    pub(crate) fn push(&mut self, path: Path, datagram: Vec<u8>) -> bool {
        let fits = self.0.len() < MAX_QUEUED;
        if fits {
            self.0.push_back((path, datagram));
        }
        fits
    }

    pub(crate) fn pop(&mut self) -> Option<(Path, Vec<u8>)> {
        self.0.pop_front()
    }
}
