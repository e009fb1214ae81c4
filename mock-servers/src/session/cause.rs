//! What a message of the server's own belongs to.

use serde_json::{Value, json};

use super::Session;
use crate::outbox::Outbox;

/// The key under which metadata names the task that a message belongs to.
pub(crate) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// What the server is working on when it says something of its own accord.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The client's request with that id.
    Request(Value),
    /// The task with that id.
    Task(String),
}

impl Session {
    /// Sends a notification or a request that belongs to what is worked on.
    pub(crate) fn tell(&self, outbox: &Outbox, cause: &Cause, mut message: Value) {
        match cause {
            Cause::Request(id) => self.send(outbox, message, Some(id.clone())),
            Cause::Task(task) => {
                message["params"]["_meta"][RELATED_TASK] = json!({ "taskId": task });
                // The call that made the task has been answered; a request for the result
                // that is still open is a way to the client.
                let open = self.state().tasks.awaited_by(task);
                self.send(outbox, message, open);
            }
        }
    }
}
