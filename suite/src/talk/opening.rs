//! Handshakes, for cases that do them in a way of their own.

use serde_json::{Value, json};

use super::{Patience, Reply, Talk};
use crate::{case::Stop, session::Manner, spec::Transport, tape::Id};

impl Talk {
    /// The `params` of `initialize` as this client sends them.
    pub(crate) fn initialize_params(&self) -> Value {
        self.session.initialize()["params"].clone()
    }

    /// How the client behaves towards the server's own requests from now on. What it declares
    /// follows, so set it before the handshake.
    pub(crate) fn behave(&self, manner: Manner) {
        self.session.set_manner(manner);
    }

    /// Sends `initialize` with these params. A result that names the revision under test opens
    /// the session, but for [`Talk::say_initialized`].
    pub(crate) async fn say_initialize(&self, params: Value) -> Result<Reply, Stop> {
        self.say_initialize_as(json!(self.fresh_id()), params).await
    }

    /// The same under an id of the case's choice.
    pub(crate) async fn say_initialize_as(&self, id: Value, params: Value) -> Result<Reply, Stop> {
        let request = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "initialize",
            "params": params,
        });
        let text = request.to_string();
        let reply = self
            .send_text(text.as_bytes(), Some(Id::of(&id)), Patience::First)
            .await?;
        if let Some(result) = reply.result() {
            self.session.opened_with(result);
        }
        Ok(reply)
    }

    /// Sends `notifications/initialized`.
    pub(crate) async fn say_initialized(&self) -> Result<(), Stop> {
        self.tell(&initialized()).await.map(drop)
    }

    /// Sends `notifications/initialized` and a request behind it, in one write where the transport
    /// can; gives the answer to the request.
    pub(crate) async fn say_initialized_and(
        &self,
        method: &str,
        params: Value,
    ) -> Result<Reply, Stop> {
        if self.common.launcher.transport() != Transport::Stdio {
            self.say_initialized().await?;
            return self.ask(method, params).await;
        }
        let id = self.fresh_id();
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        let text = format!("{}\n{request}", initialized());
        self.send_text(text.as_bytes(), Some(Id::Text(id)), Patience::Limit)
            .await
    }

    /// The usual handshake: what `initialize` came to; `notifications/initialized` follows a result.
    pub(crate) async fn handshake(&self) -> Result<Reply, Stop> {
        let reply = self.say_initialize(self.initialize_params()).await?;
        if reply.is_result() {
            self.say_initialized().await?;
        }
        Ok(reply)
    }

    /// The quiet window, for what only time can tell. Cases of several lanes wait it out together, and
    /// the leave to run goes to another session.
    pub(crate) async fn quiet_window(&self) {
        self.leave_floor();
        if self.curtain.runs.replace(false) {
            self.common.jobs.add_permits(1);
        }
        tokio::time::sleep(self.session.limits.quiet).await;
    }

    /// Waits for something while the leave to run is lent to others.
    pub(crate) async fn idly<T>(&self, something: impl Future<Output = T>) -> T {
        self.common.jobs.add_permits(1);
        let outcome = something.await;
        if let Ok(permit) = self.common.jobs.acquire().await {
            permit.forget();
        }
        outcome
    }

    /// Waits until the server has sent more than so many requests, pings apart, or the limit for
    /// one answer is over.
    pub(crate) async fn asks(&self, known: usize) -> bool {
        let asked = self.session.until(|_| self.requests_heard().len() > known);
        tokio::time::timeout(self.session.limits.answer, asked)
            .await
            .is_ok()
    }
}

fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}
