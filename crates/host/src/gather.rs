//! An answer of all shards.

use std::sync::{Arc, Mutex, PoisonError};

/// Collects a part from each shard, and answers when it has all. Where a shard never gives its part, the answer is dropped
/// with its callback.
pub(crate) struct Gather<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    missing: usize,
    parts: Vec<T>,
    reply: Option<Box<dyn FnOnce(Vec<T>) + Send>>,
}

impl<T> Gather<T> {
    pub(crate) fn new(parts: usize, reply: impl FnOnce(Vec<T>) + Send + 'static) -> Arc<Self> {
        let reply: Box<dyn FnOnce(Vec<T>) + Send> = Box::new(reply);
        let state = State { missing: parts, parts: Vec::with_capacity(parts), reply: Some(reply) };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// One shard's part.
    pub(crate) fn add(&self, part: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.parts.push(part);
        state.missing = state.missing.saturating_sub(1);
        if state.missing == 0
            && let Some(reply) = state.reply.take()
        {
            let parts = std::mem::take(&mut state.parts);
            drop(state);
            reply(parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_once_and_when_all_is_there() {
        let (tell, told) = std::sync::mpsc::channel();
        let gather = Gather::new(3, move |parts| tell.send(parts).unwrap());
        for part in 1..=2 {
            gather.add(part);
            assert!(told.try_recv().is_err());
        }
        gather.add(3);
        assert_eq!(told.recv().unwrap(), [1, 2, 3]);
        assert!(told.recv().is_err(), "and the callback is gone");
    }
}
