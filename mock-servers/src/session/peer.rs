//! Requests of the server's own to the client.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Cause, Session};
use crate::features::tasks::Waiting;
use crate::message;

impl Session {
    /// Asks the client for something. If no answer comes in time the request is
    /// cancelled, and the outcome is an error.
    pub(crate) async fn ask(
        &self,
        cause: &Cause,
        method: &str,
        params: Value,
    ) -> Result<Value, Value> {
        let _waiting = match cause {
            Cause::Task(task) => Some(Waiting::begin(self, task).await),
            Cause::Request(..) => None,
        };
        let (sender, answer) = oneshot::channel();
        let question = Question::new(self, cause, sender);
        let mut request = json!({ "jsonrpc": "2.0", "id": question.id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        self.tell(cause, request);
        let answer = match self.policy().patience {
            Some(patience) => tokio::time::timeout(patience, answer).await,
            None => Ok(answer.await),
        };
        match answer {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(json!({ "message": "the session is over" })),
            Err(_) => Err(json!({ "message": "no answer came in time" })),
        }
    }

    /// Whether the client declared the capability.
    pub(crate) fn client_has(&self, capability: &str) -> bool {
        self.state().client_capabilities.contains_key(capability)
    }

    /// Whether the client can be asked to fill in a form: also if it does not say what
    /// kinds of elicitation it has, as before there were two.
    pub(crate) fn client_fills_forms(&self) -> bool {
        let state = self.state();
        let elicitation = state.client_capabilities.get("elicitation");
        elicitation.is_some_and(|kinds| kinds.get("form").is_some() || kinds.get("url").is_none())
    }

    /// Hands a response to whoever waits for it; one that nobody waits for is ignored.
    pub(super) fn resolve(&self, id: &Value, outcome: Result<Value, Value>) {
        let waiting = self.state().awaited.remove(&id.to_string());
        if let Some(waiting) = waiting {
            let _ = waiting.send(outcome);
        }
    }
}

/// A request of the server's that the client owes an answer to.
struct Question<'a> {
    session: &'a Session,
    cause: &'a Cause,
    id: Value,
}

impl<'a> Question<'a> {
    fn new(
        session: &'a Session,
        cause: &'a Cause,
        sender: oneshot::Sender<Result<Value, Value>>,
    ) -> Self {
        let mut state = session.state();
        state.asked += 1;
        let id = json!(format!("server-{}", state.asked));
        state.awaited.insert(id.to_string(), sender);
        Self { session, cause, id }
    }
}

impl Drop for Question<'_> {
    /// What is still unanswered is not wanted any more: it took too long, or the request
    /// that led to it was cancelled.
    fn drop(&mut self) {
        let open = self.session.state().awaited.remove(&self.id.to_string());
        if open.is_some() {
            let params =
                json!({ "requestId": self.id, "reason": "the answer is not needed any more" });
            let message = message::notification("notifications/cancelled", params);
            self.session.tell(self.cause, message);
        }
    }
}
