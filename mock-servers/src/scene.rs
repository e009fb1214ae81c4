//! What a fault sees of the session in which it acts, and what it may remember.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::message::{self, RpcError};
use crate::revision::Revision;

/// The circumstances in which something is said.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The negotiated revision, once there is one.
    pub revision: Option<Revision>,
    /// Whether the client has said that it is initialized.
    pub initialized: bool,
    /// The client's requests that are being served. A message is judged by those that were
    /// served when it came.
    pub in_flight: Vec<InFlight>,
    /// Whether the client owes an answer to a request of the server's.
    pub owed: bool,
    /// The capabilities that the client declared; an empty object before it did.
    pub client: Value,
    /// What the faults of this session remember.
    pub memory: &'a Memory,
    /// What the faults of all sessions of the server remember.
    pub server: &'a Memory,
}

/// A request of the client's that is being served.
#[derive(Clone, Debug, PartialEq)]
pub struct InFlight {
    /// Its id.
    pub id: Value,
    /// Its method.
    pub method: String,
}

impl Scene<'_> {
    /// Whether the request with that id is being served.
    #[must_use]
    pub fn is_serving(&self, id: &Value) -> bool {
        self.in_flight.iter().any(|request| request.id == *id)
    }
}

/// An incoming message and its circumstances, as [`Bend::Reply`](crate::Bend::Reply) sees
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The message; null where it could not be read.
    pub message: &'a Value,
    /// Whether the message came in a batch.
    pub in_batch: bool,
    /// The circumstances.
    pub scene: &'a Scene<'a>,
}

impl Asked<'_> {
    /// Whether the message is a request or a notification of that method.
    #[must_use]
    pub fn is(&self, method: &str) -> bool {
        self.message["method"] == method
    }

    /// The method of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.message["method"].as_str()
    }

    /// The id of the message, or null.
    #[must_use]
    pub fn id(&self) -> &Value {
        &self.message["id"]
    }

    /// Whether the message has a method and an id.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.method().is_some() && self.message.get("id").is_some()
    }

    /// An error in answer to the message.
    pub(crate) fn refusal(&self, code: i64, text: &str) -> Value {
        message::response(self.id(), Err(RpcError::new(code, text)))
    }
}

/// What faults remember, by names of their choice. Honest code never looks into it.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Map<String, Value>>);

impl Memory {
    /// Counts one more of something, and says how many there have been.
    pub fn count(&self, what: &str) -> u64 {
        let mut facts = self.facts();
        let count = facts.get(what).and_then(Value::as_u64).unwrap_or(0) + 1;
        facts.insert(what.to_owned(), json!(count));
        count
    }

    /// Keeps a value, and returns the one that was kept before.
    pub fn keep(&self, what: &str, value: Value) -> Option<Value> {
        self.facts().insert(what.to_owned(), value)
    }

    /// The value that is kept, or null.
    #[must_use]
    pub fn recall(&self, what: &str) -> Value {
        self.facts().get(what).cloned().unwrap_or_default()
    }

    /// Adds a value to a list.
    pub fn add(&self, what: &str, value: Value) {
        let mut facts = self.facts();
        match facts.get_mut(what) {
            Some(Value::Array(list)) => list.push(value),
            _ => {
                facts.insert(what.to_owned(), json!([value]));
            }
        }
    }

    /// Takes all values of a list out of it.
    pub fn take(&self, what: &str) -> Vec<Value> {
        match self.facts().remove(what) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        }
    }

    /// Whether a list has that value.
    #[must_use]
    pub fn has(&self, what: &str, value: &Value) -> bool {
        let facts = self.facts();
        let list = facts.get(what).and_then(Value::as_array);
        list.is_some_and(|list| list.contains(value))
    }

    fn facts(&self) -> MutexGuard<'_, Map<String, Value>> {
        // Nothing panics with the lock held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
