//! Where the server puts what it wants to say.

use serde_json::Value;
use tokio::sync::mpsc;

/// What the server puts into its outbox.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing {
    /// A message (or, under 2025-03-26, an array of them) on its way to the client.
    Message {
        /// The JSON that goes on the wire.
        message: Value,
        /// The id of the client's request to which the message belongs: its response, its
        /// progress, its logs, or a request of the server's that it led to. Transports
        /// with a stream per request route by it.
        relates_to: Option<Value>,
    },
    /// The client need not hold its connection any longer, and may come back for the rest.
    /// Transports on which nobody can come back ignore it.
    Release,
}

/// A message that leaves a session, as the faults that are on may still change it.
#[derive(Clone, Debug, PartialEq)]
pub struct Emitted {
    /// The JSON that goes on the wire.
    pub message: Value,
    /// The id of the client's request to which the message belongs.
    pub relates_to: Option<Value>,
}

/// The sending end of what leaves a session. Clones feed the same queue.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::UnboundedSender<Outgoing>);

impl Outbox {
    /// An outbox, and the end from which a transport takes what was put in.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Hands a message over. A transport that is gone no longer wants it.
    pub fn send(&self, message: Value, relates_to: Option<Value>) {
        let _ = self.0.send(Outgoing::Message {
            message,
            relates_to,
        });
    }

    /// Lets the client go before everything has been said.
    pub fn release(&self) {
        let _ = self.0.send(Outgoing::Release);
    }
}
