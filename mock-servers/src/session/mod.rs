//! One client's conversation with the honest server, whatever carries it.

mod batch;
mod cause;
mod dispatch;
mod peer;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::fault::Bends;
use crate::features::tasks::Tasks;
use crate::message::{self, Kind, Request, RpcError};
use crate::outbox::{Emitted, Outbox};
use crate::policy::Policy;
use crate::revision::Revision;
use crate::scene::{Asked, InFlight, Memory, Scene};

pub(crate) use cause::{Cause, RELATED_TASK};

/// The outcome of a request.
pub(crate) type Outcome = Result<Value, RpcError>;

/// The outcome of a request, at once or later.
pub(crate) enum Answer {
    Now(Outcome),
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    /// At once, and what begins when it has been sent.
    Then(Outcome, Box<dyn FnOnce() + Send>),
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
    policy: Policy,
    memory: Memory,
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
    pub(crate) tasks: Tasks,
    /// Whether the client has said that it is initialized.
    initialized: bool,
    dead: bool,
    /// Where what belongs to no request goes.
    standing: Option<Outbox>,
    held: Vec<Held>,
    in_flight: HashMap<String, Serving>,
    /// The ids of requests that go on although they were cancelled.
    silenced: BTreeSet<String>,
    awaited: HashMap<String, oneshot::Sender<Result<Value, Value>>>,
    asked: u64,
}

/// An answer that a fault holds back.
#[derive(Debug)]
struct Held {
    message: Value,
    reply: Value,
    id: Option<Value>,
    outbox: Outbox,
}

/// A request of the client's that is being served.
#[derive(Debug)]
struct Serving {
    request: InFlight,
    outbox: Outbox,
    work: AbortHandle,
}

impl Session {
    /// A new session with these faults on.
    #[must_use]
    pub fn new(bends: Bends) -> Self {
        Self(Arc::new(Inner {
            policy: bends.policy(),
            bends,
            memory: Memory::default(),
            state: Mutex::default(),
        }))
    }

    /// Says where what belongs to no request goes from now on. It is lost before.
    pub fn connect(&self, outbox: Outbox) {
        self.state().standing = Some(outbox);
    }

    /// The negotiated revision, once there is one.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.state().revision
    }

    /// Whether a fault has ended the session: it says nothing any more.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Takes what the client sent: a message, or an array of messages. Quick answers are
    /// in the outbox when this returns; slow ones follow.
    pub fn receive(&self, message: &Value, outbox: &Outbox) {
        let mut messages = vec![message.clone()];
        self.0.bends.receive(&self.scene(), &mut messages);
        for message in &messages {
            self.take(message, outbox);
        }
        self.release_held();
    }

    /// Takes note of input that could not be read as JSON.
    pub fn receive_unreadable(&self, outbox: &Outbox) {
        let scene = self.scene();
        if self.is_fatal(&Value::Null, &scene) {
            return;
        }
        let reply = self.refuse(None, RpcError::parse_error());
        self.send_reply(&Value::Null, reply, None, &scene, outbox);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No handler panics with the lock held; were one to, its state is still whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Sends a message that belongs to that request of the client's, if to any.
    pub(crate) fn send(&self, outbox: &Outbox, message: Value, relates_to: Option<Value>) {
        let scene = self.scene();
        let mut outgoing = vec![Emitted {
            message,
            relates_to,
        }];
        self.0.bends.emit(&scene, &mut outgoing);
        if !self.is_dead() {
            for Emitted {
                message,
                relates_to,
            } in outgoing
            {
                outbox.send(message, relates_to);
            }
        }
    }

    fn take(&self, message: &Value, outbox: &Outbox) {
        let scene = self.scene();
        if self.is_fatal(message, &scene) {
            return;
        }
        if let Value::Array(batch) = message {
            return self.receive_batch(message, batch, &scene, outbox);
        }
        match message::classify(message) {
            Kind::Request(request) => self.receive_request(message, request, &scene, outbox),
            Kind::Notification { method, params } => {
                self.notified(&method, &params);
                self.send_reply(message, Value::Null, None, &scene, outbox);
            }
            Kind::Response { id, outcome } => {
                self.resolve(&id, outcome);
                self.send_reply(message, Value::Null, None, &scene, outbox);
            }
            Kind::Invalid { id, reason } => {
                let reply = self.refuse(id.as_ref(), RpcError::invalid_request(reason));
                self.send_reply(message, reply, id, &scene, outbox);
            }
        }
    }

    fn receive_request(
        &self,
        message: &Value,
        request: Request,
        scene: &Scene<'_>,
        outbox: &Outbox,
    ) {
        let in_flight = InFlight {
            id: request.id.clone(),
            method: request.method.clone(),
        };
        let id = in_flight.id.clone();
        match self.answer(request, outbox) {
            Answer::Now(outcome) => {
                let reply = message::response(&id, outcome);
                self.send_reply(message, reply, Some(id), scene, outbox);
            }
            Answer::Then(outcome, then) => {
                let reply = message::response(&id, outcome);
                self.send_reply(message, reply, Some(id), scene, outbox);
                then();
            }
            Answer::Later(outcome) => {
                let (session, message) = (self.clone(), message.clone());
                let answers = outbox.clone();
                self.start(in_flight, outbox, async move {
                    let reply = message::response(&id, outcome.await);
                    if session.finish(&id) {
                        session.send_reply(&message, reply, Some(id), &session.scene(), &answers);
                    }
                    session.release_held();
                });
            }
        }
    }

    /// Runs something that a cancellation can end, for that request.
    fn start(
        &self,
        request: InFlight,
        outbox: &Outbox,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        // The lock is held until the handle is in, lest work that ends at once on
        // another thread leaves it behind.
        let mut state = self.state();
        let serving = Serving {
            outbox: outbox.clone(),
            work: tokio::spawn(work).abort_handle(),
            request,
        };
        let key = serving.request.id.to_string();
        state.in_flight.insert(key, serving);
    }

    /// Notes that the work for a request has ended, and says whether it is to be answered.
    fn finish(&self, id: &Value) -> bool {
        let (mut state, key) = (self.state(), id.to_string());
        state.in_flight.remove(&key);
        !state.silenced.remove(&key)
    }

    /// Gives up what is being done for a request; it goes unanswered.
    pub(crate) fn cancel(&self, id: &Value) {
        let cancelled = self.state().in_flight.remove(&id.to_string());
        let Some(serving) = cancelled else { return };
        if self.0.policy.cancel_stops_work {
            serving.work.abort();
        } else {
            self.state().silenced.insert(id.to_string());
        }
        if self.0.policy.answers_cancelled {
            let error = RpcError::new(0, "the request was cancelled");
            let answer = message::response(id, Err(error));
            self.send(&serving.outbox, answer, Some(id.clone()));
        }
    }

    fn is_fatal(&self, message: &Value, scene: &Scene<'_>) -> bool {
        let asked = Asked {
            message,
            in_batch: false,
            scene,
        };
        if self.0.bends.is_fatal(&asked) {
            self.die();
        }
        self.is_dead()
    }

    fn die(&self) {
        self.state().dead = true;
        self.close();
    }

    /// Gives up everything that is being done, since nobody is there any more.
    pub(crate) fn close(&self) {
        let (in_flight, tasks, held) = {
            let mut state = self.state();
            (
                std::mem::take(&mut state.in_flight),
                std::mem::take(&mut state.tasks),
                std::mem::take(&mut state.held),
            )
        };
        drop(held);
        in_flight.values().for_each(|request| request.work.abort());
        tasks.stop();
    }

    /// The circumstances as they are now, for the faults.
    fn scene(&self) -> Scene<'_> {
        let state = self.state();
        Scene {
            revision: state.revision,
            initialized: state.initialized,
            in_flight: state
                .in_flight
                .values()
                .map(|r| r.request.clone())
                .collect(),
            owed: !state.awaited.is_empty(),
            client: Value::Object(state.client_capabilities.clone()),
            memory: &self.0.memory,
            server: self.0.bends.memory(),
        }
    }

    fn refuse(&self, id: Option<&Value>, error: RpcError) -> Value {
        message::refusal(id, error, self.revision())
    }

    /// Bends a reply and sends what is left of it.
    fn send_reply(
        &self,
        message: &Value,
        reply: Value,
        id: Option<Value>,
        scene: &Scene<'_>,
        outbox: &Outbox,
    ) {
        let reply = self.bent(message, reply, scene, false);
        if reply.is_null() {
            return;
        }
        if self.is_held(message) {
            self.state().held.push(Held {
                message: message.clone(),
                reply,
                id,
                outbox: outbox.clone(),
            });
        } else {
            self.send(outbox, reply, id);
        }
    }

    fn is_held(&self, message: &Value) -> bool {
        let asked = Asked {
            message,
            in_batch: false,
            scene: &self.scene(),
        };
        self.0.bends.is_held(&asked)
    }

    /// Sends the answers that are not held back any more.
    fn release_held(&self) {
        let held = std::mem::take(&mut self.state().held);
        for answer in held {
            if self.is_held(&answer.message) {
                self.state().held.push(answer);
            } else {
                self.send(&answer.outbox, answer.reply, answer.id);
            }
        }
    }

    /// A reply as the faults that are on would have it. What was being served is as of
    /// when the message came, all else as it is now.
    fn bent(&self, message: &Value, mut reply: Value, scene: &Scene<'_>, in_batch: bool) -> Value {
        let scene = Scene {
            in_flight: scene.in_flight.clone(),
            ..self.scene()
        };
        let asked = Asked {
            message,
            in_batch,
            scene: &scene,
        };
        self.0.bends.reply(&asked, &mut reply);
        reply
    }
}
