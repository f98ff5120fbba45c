//! What waits for one client.

use crate::limits::OUTBOX;
use crate::messages::{Code, PersonId, Refusal};
use axum::extract::ws::Utf8Bytes;
use salon_host::HostEvent;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, mpsc};

/// What waits. All in one queue, so that a client hears of a person before it hears what that person does.
#[derive(Debug)]
pub(crate) enum Item {
    /// To be sent as it is; of no use later.
    Text(Utf8Bytes),
    /// To be sent as it is; kept for a while for somebody whose connection is lost.
    Chat(Utf8Bytes),
    /// To be sent; somebody came, changed or went, which may concern what the client wants to see.
    About(PersonId, Utf8Bytes),
    /// From the media threads, to be put into the client's words.
    Event(HostEvent),
}

/// Where anybody may leave something for one client, from any thread, without waiting. A client that does not take it is
/// ended, and nobody else waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Item>,
    end: Arc<End>,
}

/// The client's side of its [`Outbox`].
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) queue: mpsc::Receiver<Item>,
    pub(crate) end: Arc<End>,
}

/// Why the session ends, once somebody has said so.
#[derive(Debug, Default)]
pub(crate) struct End {
    reason: OnceLock<Refusal>,
    notify: Notify,
}

/// Both sides.
pub(crate) fn outbox() -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::channel(OUTBOX);
    let end = Arc::<End>::default();
    (Outbox { queue: sender, end: end.clone() }, Inbox { queue: receiver, end })
}

impl Outbox {
    /// Leaves an item.
    pub(crate) fn put(&self, item: Item) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(item) {
            self.end(Code::Slow.into());
        }
    }

    /// Ends the client's session; the first reason counts.
    pub(crate) fn end(&self, reason: Refusal) {
        let _ = self.end.reason.set(reason);
        self.end.notify.notify_one();
    }
}

impl End {
    /// Waits until somebody ends the session. One waits at a time.
    pub(crate) async fn ended(&self) -> Refusal {
        loop {
            if let Some(reason) = self.reason.get() {
                return reason.clone();
            }
            self.notify.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_too_many_ends_the_client_and_holds_no_more() {
        let (outbox, inbox) = outbox();
        for _ in 0..10 * OUTBOX {
            outbox.put(Item::Text("x".into()));
        }
        assert_eq!(inbox.queue.len(), OUTBOX);
        assert_eq!(inbox.end.ended().await.code, Code::Slow);
        outbox.end(Code::Silent.into());
        assert_eq!(inbox.end.ended().await.code, Code::Slow, "the first reason counts");
    }
}
