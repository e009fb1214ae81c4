//! One client's conversation with the honest server, whatever carries it.

mod batch;
mod dispatch;
mod peer;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::fault::{Asked, Bends};
use crate::message::{self, Kind, Request, RpcError};
use crate::outbox::Outbox;
use crate::revision::Revision;

/// The outcome of a request.
pub(crate) type Outcome = Result<Value, RpcError>;

/// The outcome of a request, at once or later.
pub(crate) enum Answer {
    Now(Outcome),
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

impl Answer {
    pub(crate) fn later(outcome: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self::Later(Box::pin(outcome))
    }
}

/// A session of the reference server: takes what the client sends, one message at a
/// time, and puts what it has to say into an [`Outbox`].
///
/// Needs a tokio runtime with time. Clones are the same session.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bends: Bends,
    state: Mutex<State>,
}

/// What a session remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) revision: Option<Revision>,
    pub(crate) client_capabilities: Map<String, Value>,
    /// The severity below which log messages are withheld, as an index into the levels.
    pub(crate) log_level: Option<usize>,
    pub(crate) subscriptions: BTreeSet<String>,
    pub(crate) notes: BTreeMap<String, String>,
    /// How often something was written: the text of the watched resource.
    pub(crate) writes: u64,
    in_flight: HashMap<String, AbortHandle>,
    awaited: HashMap<String, oneshot::Sender<Result<Value, Value>>>,
    asked: u64,
}

impl Session {
    /// A new session with these faults on.
    #[must_use]
    pub fn new(bends: Bends) -> Self {
        Self(Arc::new(Inner {
            bends,
            state: Mutex::default(),
        }))
    }

    /// The negotiated revision, once there is one.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.state().revision
    }

    /// Takes what the client sent: a message, or an array of messages. Quick answers are
    /// in the outbox when this returns; slow ones follow.
    pub fn receive(&self, message: &Value, outbox: &Outbox) {
        if let Value::Array(batch) = message {
            return self.receive_batch(message, batch, outbox);
        }
        match message::classify(message) {
            Kind::Request(request) => self.receive_request(message, request, outbox),
            Kind::Notification { method, params } => {
                self.notified(&method, &params);
                self.send_reply(message, Value::Null, None, outbox);
            }
            Kind::Response { id, outcome } => self.resolve(&id, outcome),
            Kind::Invalid { id, reason } => {
                let reply = self.refuse(id.as_ref(), RpcError::invalid_request(reason));
                self.send_reply(message, reply, id, outbox);
            }
        }
    }

    /// Takes note of input that could not be read as JSON.
    pub fn receive_unreadable(&self, outbox: &Outbox) {
        let reply = self.refuse(None, RpcError::parse_error());
        self.send_reply(&Value::Null, reply, None, outbox);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No handler panics with the lock held; were one to, its state is still whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive_request(&self, message: &Value, request: Request, outbox: &Outbox) {
        let id = request.id.clone();
        match self.answer(request, outbox) {
            Answer::Now(outcome) => {
                let reply = message::response(&id, outcome);
                self.send_reply(message, reply, Some(id), outbox);
            }
            Answer::Later(outcome) => {
                let (session, outbox) = (self.clone(), outbox.clone());
                let (message, key) = (message.clone(), id.to_string());
                self.start(key, async move {
                    let reply = message::response(&id, outcome.await);
                    session.finish(&id);
                    session.send_reply(&message, reply, Some(id), &outbox);
                });
            }
        }
    }

    /// Runs something that a cancellation can end, under the request's id.
    fn start(&self, key: String, work: impl Future<Output = ()> + Send + 'static) {
        // The lock is held until the handle is in, lest work that ends at once on
        // another thread leaves it behind.
        let mut state = self.state();
        let handle = tokio::spawn(work).abort_handle();
        state.in_flight.insert(key, handle);
    }

    fn finish(&self, id: &Value) {
        self.state().in_flight.remove(&id.to_string());
    }

    /// Gives up what is being done for a request; it goes unanswered.
    pub(crate) fn cancel(&self, id: &Value) {
        if let Some(handle) = self.state().in_flight.remove(&id.to_string()) {
            handle.abort();
        }
    }

    /// Gives up everything that is being done, since nobody is there any more.
    pub(crate) fn close(&self) {
        for (_, handle) in self.state().in_flight.drain() {
            handle.abort();
        }
    }

    fn refuse(&self, id: Option<&Value>, error: RpcError) -> Value {
        message::refusal(id, error, self.revision())
    }

    /// Bends a reply and sends what is left of it.
    fn send_reply(&self, message: &Value, reply: Value, id: Option<Value>, outbox: &Outbox) {
        let reply = self.bent(message, reply, false);
        if !reply.is_null() {
            outbox.send(reply, id);
        }
    }

    fn bent(&self, message: &Value, mut reply: Value, in_batch: bool) -> Value {
        let asked = Asked {
            message,
            revision: self.revision(),
            in_batch,
        };
        self.0.bends.reply(&asked, &mut reply);
        reply
    }
}
