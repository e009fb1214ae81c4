//! A session without a transport, in which time passes only when the test says so.

use std::time::Duration;

use mock_servers::{Bends, Emitted, Outbox, Outgoing, Session};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::exchange::{initialize, named};

pub(crate) struct Direct {
    runtime: Runtime,
    pub(crate) session: Session,
    outbox: Outbox,
    outgoing: UnboundedReceiver<Outgoing>,
}

impl Direct {
    /// A session in which nothing was said.
    pub(crate) fn unopened(faults: &[&str]) -> Self {
        Self::of(&Bends::new(&named(faults)))
    }

    /// A session of a server with others.
    pub(crate) fn of(bends: &Bends) -> Self {
        let (outbox, outgoing) = Outbox::channel();
        let session = Session::new(bends.clone());
        session.connect(outbox.clone());
        Self {
            runtime: Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("a runtime"),
            session,
            outbox,
            outgoing,
        }
    }

    /// Has done the handshake.
    pub(crate) fn new(faults: &[&str], revision: &str) -> Self {
        Self::unopened(faults).opened(revision)
    }

    pub(crate) fn opened(mut self, revision: &str) -> Self {
        self.tell(&initialize(revision));
        self.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        self
    }

    /// Sends a message, and returns what the server says at once.
    pub(crate) fn tell(&mut self, message: &Value) -> Vec<Value> {
        self.route(message)
            .into_iter()
            .map(|out| out.message)
            .collect()
    }

    /// The same with what each message belongs to.
    pub(crate) fn route(&mut self, message: &Value) -> Vec<Emitted> {
        self.runtime.block_on(async {
            self.session.receive(message, &self.outbox);
            // Let go of the thread, so that what was begun gets its turn.
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
        });
        self.drain()
    }

    /// Sends what is no JSON, and returns what the server says at once.
    pub(crate) fn garble(&mut self) -> Vec<Value> {
        self.session.receive_unreadable(&self.outbox);
        self.drain().into_iter().map(|out| out.message).collect()
    }

    /// Lets time pass, and returns what the server says meanwhile.
    pub(crate) fn after(&mut self, millis: u64) -> Vec<Value> {
        self.runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(millis)).await });
        self.drain().into_iter().map(|out| out.message).collect()
    }

    /// What answers a request at once.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.tell(&request("ask", method, params))
            .into_iter()
            .find(|message| message["id"] == "ask")
            .unwrap_or_default()
    }

    fn drain(&mut self) -> Vec<Emitted> {
        let outgoing = std::iter::from_fn(|| self.outgoing.try_recv().ok());
        let messages = outgoing.filter_map(|out| match out {
            Outgoing::Message {
                message,
                relates_to,
            } => Some(Emitted {
                message,
                relates_to,
            }),
            Outgoing::Release => None,
        });
        messages.collect()
    }
}

pub(crate) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method });
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

pub(crate) fn notification(method: &str, params: Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "method": method });
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

/// A call of a tool as a task.
pub(crate) fn task_call(id: impl Into<Value>, tool: &str, arguments: Value, task: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments, "task": task });
    request(id, "tools/call", params)
}
