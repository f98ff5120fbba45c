//! What carries a session's messages: a WebSocket, or an event stream with posts where no WebSocket can be opened.

use crate::limits::{FAREWELL, SEND_TIME};
use crate::messages::{Code, Notice as _, Refusal};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The close code of every error: of those that RFC 6455 §7.4.2 leaves to us.
const ERROR: u16 = 4000;

/// One client's connection.
pub(crate) enum Wire {
    /// Both directions in one.
    Socket(Box<WebSocket>),
    /// An event stream out, posts in.
    Events {
        /// Texts on their way out. The other end is the body of a response.
        texts: mpsc::Sender<Utf8Bytes>,
        /// What was posted.
        posts: mpsc::Receiver<Utf8Bytes>,
    },
}

/// What was heard.
pub(crate) enum Heard {
    /// A message.
    Text(Utf8Bytes),
    /// Something that only the WebSocket itself understands.
    Nothing,
    /// The client has ended the connection in good order.
    Bye,
    /// The connection is closed or broken, and nobody said why.
    Lost,
    /// Something that cannot be a message.
    Broken(Code),
}

/// A text did not go out.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The connection is closed or broken.
    Lost,
    /// The client did not take it in time.
    Slow,
}

impl Wire {
    /// Sends a text.
    pub(crate) async fn send(&mut self, text: Utf8Bytes) -> Result<(), Unsent> {
        let sent = match self {
            Self::Socket(socket) => {
                timeout(SEND_TIME, socket.send(Message::Text(text))).await.map(|sent| sent.is_ok())
            }
            Self::Events { texts, .. } => timeout(SEND_TIME, texts.send(text)).await.map(|sent| sent.is_ok()),
        };
        match sent {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unsent::Lost),
            Err(_) => Err(Unsent::Slow),
        }
    }

    /// Waits for what the client says.
    pub(crate) async fn hear(&mut self) -> Heard {
        match self {
            Self::Socket(socket) => match socket.recv().await {
                None => Heard::Lost,
                Some(Err(error)) => broken(&error),
                Some(Ok(Message::Text(text))) => Heard::Text(text),
                Some(Ok(Message::Binary(_))) => Heard::Broken(Code::NotText),
                // Control frames of the WebSocket itself are answered below us.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Nothing,
                // A page that is left or closed says so with one of these two (RFC 6455 §7.4.1); a page that gave its connection up says nothing.
                Some(Ok(Message::Close(Some(CloseFrame {
                    code: close_code::NORMAL | close_code::AWAY,
                    ..
                })))) => Heard::Bye,
                Some(Ok(Message::Close(_))) => Heard::Lost,
            },
            Self::Events { texts, posts } => tokio::select! {
                post = posts.recv() => post.map_or(Heard::Lost, Heard::Text),
                () = texts.closed() => Heard::Lost,
            },
        }
    }

    /// Says why the server ends the connection (`None`: the client wanted it), and ends it. A WebSocket is read on for a moment: one
    /// that is closed with unread bytes is reset, and the client would lose what was said last (RFC 6455 §7.1.1 asks the server to
    /// close cleanly).
    pub(crate) async fn farewell(self, refusal: Option<Refusal>) {
        let (code, reason) = match &refusal {
            None => (close_code::NORMAL, ""),
            Some(refusal) if refusal.code == Code::Shutdown => (close_code::AWAY, refusal.code.name()),
            Some(refusal) => (ERROR, refusal.code.name()),
        };
        match self {
            Self::Socket(mut socket) => {
                if let Some(refusal) = refusal {
                    let _ = timeout(FAREWELL, socket.send(Message::Text(refusal.text()))).await;
                }
                let close = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
                let _ = timeout(FAREWELL, async {
                    let _ = socket.send(Message::Close(Some(close))).await;
                    while let Some(Ok(_)) = socket.recv().await {}
                })
                .await;
            }
            Self::Events { texts, .. } => {
                if let Some(refusal) = refusal {
                    let _ = timeout(FAREWELL, texts.send(refusal.text())).await;
                }
            }
        }
    }
}

/// What a failed read means.
fn broken(error: &axum::Error) -> Heard {
    // The WebSocket library below axum is not ours to name; these are the two failures by which a client can be told what it did.
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") {
        Heard::Broken(Code::TooLarge)
    } else if text.contains("UTF-8") {
        Heard::Broken(Code::NotText)
    } else {
        Heard::Lost
    }
}
