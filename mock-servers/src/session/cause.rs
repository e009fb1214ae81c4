//! What a message of the server's own belongs to, and the way that it takes.

use serde_json::{Value, json};

use super::Session;
use crate::outbox::Outbox;

/// The key under which metadata names the task that a message belongs to.
pub(crate) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// What the server is working on when it says something of its own accord.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The client's request with that id, and where its answer goes.
    Request(Value, Outbox),
    /// The task with that id. The call that made it has been answered.
    Task(String),
}

impl Session {
    /// Sends a notification or a request that belongs to what is worked on.
    pub(crate) fn tell(&self, cause: &Cause, mut message: Value) {
        match cause {
            Cause::Request(id, outbox) => self.send(outbox, message, Some(id.clone())),
            Cause::Task(task) => {
                message["params"]["_meta"][RELATED_TASK] = json!({ "taskId": task });
                self.tell_of(task, message);
            }
        }
    }

    /// Sends a message about a task: along with the answer to an open request for its
    /// result, or where all goes that belongs to no request.
    pub(crate) fn tell_of(&self, task: &str, message: Value) {
        let open = self.state().tasks.awaited_by(task);
        match open {
            Some((id, outbox)) => self.send(&outbox, message, Some(id)),
            None => self.say_unasked(message),
        }
    }

    /// Sends a message that what is worked on has led to, but that does not belong to it.
    pub(crate) fn announce(&self, cause: &Cause, message: Value) {
        match cause {
            Cause::Request(_, outbox) => self.send(outbox, message, None),
            Cause::Task(_) => self.say_unasked(message),
        }
    }

    fn say_unasked(&self, message: Value) {
        let standing = self.state().standing.clone();
        if let Some(outbox) = standing {
            self.send(&outbox, message, None);
        }
    }
}
