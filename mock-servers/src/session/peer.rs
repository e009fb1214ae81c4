//! Requests of the server's own to the client.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Session;
use crate::outbox::Outbox;

impl Session {
    /// Asks the client for something while serving the request `on_behalf_of`. An
    /// answer that never comes is waited for until the request is cancelled.
    pub(crate) async fn ask(
        &self,
        outbox: &Outbox,
        on_behalf_of: &Value,
        method: &str,
        params: Value,
    ) -> Result<Value, Value> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut state = self.state();
            state.asked += 1;
            let id = json!(format!("server-{}", state.asked));
            state.awaited.insert(id.to_string(), sender);
            id
        };
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        outbox.send(request, Some(on_behalf_of.clone()));
        answer
            .await
            .unwrap_or_else(|_| Err(json!({ "message": "the session is over" })))
    }

    /// Whether the client declared the capability.
    pub(crate) fn client_has(&self, capability: &str) -> bool {
        self.state().client_capabilities.contains_key(capability)
    }

    /// Hands a response to whoever waits for it; one that nobody waits for is ignored.
    pub(super) fn resolve(&self, id: &Value, outcome: Result<Value, Value>) {
        if let Some(waiting) = self.state().awaited.remove(&id.to_string()) {
            let _ = waiting.send(outcome);
        }
    }
}
