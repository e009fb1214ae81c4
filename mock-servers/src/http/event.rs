//! Event streams as they are written.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use tokio::sync::{mpsc, oneshot};

/// The event that carries a message.
pub(super) fn of_message(id: Option<&str>, message: &str) -> Vec<u8> {
    let mut event = String::new();
    if let Some(id) = id {
        // Writing to a string cannot fail.
        let _ = writeln!(event, "id: {id}");
    }
    let _ = write!(event, "event: message\ndata: {message}\n\n");
    event.into_bytes()
}

/// The event that gives an id to come back with, before there is anything to say.
pub(super) fn priming(id: &str, retry: Option<u32>) -> Vec<u8> {
    let mut event = format!("id: {id}\n");
    if let Some(retry) = retry {
        let _ = writeln!(event, "retry: {retry}");
    }
    event.push_str("data:\n\n");
    event.into_bytes()
}

/// The time to come back after, and nothing to say.
pub(super) fn retry(retry: u32) -> Vec<u8> {
    format!("retry: {retry}\n\n").into_bytes()
}

/// The end at which events are written to a connection. When it is dropped, the answer
/// that they are part of ends.
#[derive(Debug)]
pub(super) struct Connection(mpsc::UnboundedSender<Bytes>);

impl Connection {
    /// A connection, the body of the answer, and what ends when nobody reads that any more.
    pub(super) fn open() -> (Self, EventBody, oneshot::Receiver<()>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (alive, gone) = oneshot::channel();
        let body = EventBody {
            first: None,
            receiver,
            _alive: alive,
            _open: None,
        };
        (Self(sender), body, gone)
    }

    /// Writes an event. A client that is gone no longer wants it.
    pub(super) fn write(&self, event: Bytes) {
        if !event.is_empty() {
            let _ = self.0.send(event);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }
}

/// The body of an answer that is an event stream.
#[derive(Debug)]
pub struct EventBody {
    first: Option<Bytes>,
    receiver: mpsc::UnboundedReceiver<Bytes>,
    /// Its other end notices when this body is dropped.
    _alive: oneshot::Sender<()>,
    /// Keeps a body open into which nobody writes.
    _open: Option<Connection>,
}

impl EventBody {
    /// A stream that stays open and on which nothing happens.
    #[must_use]
    pub fn idle() -> Self {
        let (connection, mut body, _) = Connection::open();
        body._open = Some(connection);
        body
    }

    /// Waits until there is something to send.
    pub(super) async fn wait(&mut self) {
        self.first = self.receiver.recv().await;
    }
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.receiver.poll_recv(context),
        };
        next.map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
