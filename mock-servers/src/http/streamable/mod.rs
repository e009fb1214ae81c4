//! Streamable HTTP: one endpoint, sessions, and streams that can be resumed.

mod client;
mod streams;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

use super::bend::{Incoming, Place, Step};
use super::event::Connection;
use super::guard::{self, EVENTS, JSON};
use super::policy::{Delete, GetHeaders, Malformed, Replay, UnknownSession};
use super::reply::{self, Refusal, Reply};
use super::site::Site;
use crate::message::{self, Kind};
use crate::outbox::{Outbox, Outgoing};
use crate::revision::Revision;
use client::{Client, Post};

/// The path of the endpoint.
pub(super) const PATH: &str = "/mcp";

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const LAST_EVENT: &str = "last-event-id";

/// The server, and its sessions by their ids.
#[derive(Debug)]
pub(super) struct Streamable {
    site: Arc<Site>,
    clients: Mutex<HashMap<String, Arc<Client>>>,
}

impl Streamable {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self {
            site,
            clients: Mutex::default(),
        }
    }

    /// The revision of the session that a request names.
    pub(super) fn revision(&self, incoming: &Incoming) -> Option<Revision> {
        let clients = self.clients();
        clients.get(incoming.header(SESSION)?)?.session.revision()
    }

    pub(super) async fn answer(&self, incoming: &Incoming) -> Reply {
        if incoming.path != PATH {
            return Refusal::not_found("there is nothing here").into();
        }
        let answer = match incoming.method {
            Method::POST => self.post(incoming).await,
            Method::GET => self.get(incoming).await,
            Method::DELETE => self.delete(incoming),
            _ => Err(Refusal::not_allowed("GET, POST, DELETE")),
        };
        answer.unwrap_or_else(Reply::from)
    }

    async fn post(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        guard::json_body(incoming)?;
        guard::accepts(incoming, &[JSON, EVENTS])?;
        let message = message::parse(&incoming.body).ok();
        let is_first =
            !incoming.headers.contains_key(SESSION) && message.as_ref().is_none_or(is_initialize);
        let client = if is_first {
            self.newcomer()?
        } else {
            self.client(incoming)?
        };
        let message = match message {
            Some(message) => {
                client.wait_for_room().await;
                match client.gate.pass(self.site.bends.crowd(), message).await {
                    Some(message) => Some(message),
                    // Nobody ever answers what was dropped.
                    None => std::future::pending().await,
                }
            }
            None => None,
        };
        let reply = self.serve(&client, message);
        Ok(self.with_session(reply, &client))
    }

    /// Hands a message, or what could not be read as one, to its session.
    fn serve(&self, client: &Arc<Client>, message: Option<Value>) -> Reply {
        let (outbox, outgoing) = Outbox::channel();
        match &message {
            Some(message) => client.session.receive(message, &outbox),
            None => client.session.receive_unreadable(&outbox),
        }
        // What is left of it is with the request, while that is being served.
        drop(outbox);
        if client.session.is_dead() {
            self.remove(&client.id);
        }
        if message.is_none() && self.site.policy.malformed == Malformed::EndsSession {
            self.remove(&client.id);
        }
        let message = message.unwrap_or_default();
        if is_initialize(&message) && client.session.revision().is_some() {
            let mut clients = self.clients();
            clients
                .entry(client.id.clone())
                .or_insert_with(|| Arc::clone(client));
        }
        answer_post(
            Post::new(Arc::clone(client), message.clone()),
            &message,
            outgoing,
        )
    }

    async fn get(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        guard::accepts(incoming, &[EVENTS])?;
        let client = self.client(incoming)?;
        let (connection, mut body, gone) = Connection::open();
        if let Some(id) = incoming.header(LAST_EVENT) {
            self.resume(&client, id, connection)?;
        } else if !client.streams().open_standalone(client.voice(), connection) {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "the session has its stream already",
            ));
        }
        client.watch(gone, None);
        if self.site.policy.get_headers == GetHeaders::WithFirstEvent {
            body.wait().await;
        }
        Ok(self.with_session(reply::stream(body), &client))
    }

    fn resume(
        &self,
        client: &Arc<Client>,
        id: &str,
        connection: Connection,
    ) -> Result<(), Refusal> {
        let replay = self.site.policy.replay;
        let mut events = client.streams().replay(id, replay);
        if events.is_none() && replay == Replay::AnySession {
            let clients = self.clients();
            events = clients
                .values()
                .find_map(|other| other.streams().replay(id, replay));
        }
        let Some(events) = events else {
            // 404 would tell the client that its session is gone.
            return Err(Refusal::bad_request("there was no event with this id"));
        };
        for event in events {
            connection.write(event);
        }
        client.streams().resume(client.voice(), id, connection);
        Ok(())
    }

    fn delete(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let client = self.client(incoming)?;
        match self.site.policy.delete {
            Delete::Session => self.remove(&client.id),
            Delete::SessionWithoutStreams => {
                self.clients().remove(&client.id);
            }
            Delete::EverySession => {
                for (_, client) in self.clients().drain() {
                    client.end();
                }
            }
        }
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    fn remove(&self, id: &str) {
        if let Some(client) = self.clients().remove(id) {
            client.end();
        }
    }

    /// The session that a request names, if its version header is right as well.
    fn client(&self, incoming: &Incoming) -> Result<Arc<Client>, Refusal> {
        let Some(id) = incoming.headers.get(SESSION) else {
            return Err(Refusal::bad_request("Mcp-Session-Id is missing"));
        };
        let client = id.to_str().ok().and_then(|id| self.find(id));
        let Some(client) = client else {
            return Err(Refusal::not_found("there is no such session"));
        };
        let negotiated = client.session.revision();
        let version = incoming.headers.get(VERSION);
        // The header came with 2025-06-18; who leaves it out is known by the session.
        if let (Some(negotiated), Some(version)) = (negotiated, version)
            && negotiated >= Revision::V2025_06_18
            && version != negotiated.as_str()
        {
            return Err(Refusal::bad_request(
                "MCP-Protocol-Version is not the one negotiated",
            ));
        }
        Ok(client)
    }

    fn find(&self, id: &str) -> Option<Arc<Client>> {
        let clients = self.clients();
        let resembles = |client: &&Arc<Client>| match self.site.policy.unknown_session {
            UnknownSession::Resembling(length) => id
                .get(..length)
                .is_some_and(|start| client.id.starts_with(start)),
            UnknownSession::Refused | UnknownSession::Dropped => false,
        };
        clients
            .get(id)
            .or_else(|| clients.values().find(resembles))
            .cloned()
    }

    /// A session that becomes known once it is initialized.
    fn newcomer(&self) -> Result<Arc<Client>, Refusal> {
        if self.clients().len() >= self.site.policy.most_sessions {
            return Err(Refusal::bad_request("there is a session already"));
        }
        let (number, id, session) = self.site.session()?;
        let client = Client::new(Arc::clone(&self.site), number, id, session);
        Ok(client.connected())
    }

    /// Names the session in an answer, if it is known.
    fn with_session(&self, mut reply: Reply, client: &Client) -> Reply {
        let is_known = self.clients().contains_key(&client.id);
        if let (true, Ok(id)) = (is_known, HeaderValue::from_str(&client.id)) {
            reply.headers_mut().insert(SESSION, id);
        }
        reply
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<String, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_initialize(message: &Value) -> bool {
    matches!(message::classify(message), Kind::Request(request) if request.method == "initialize")
}

/// Answers a post by JSON, by a stream, or by a bare status.
fn answer_post(
    mut post: Post,
    message: &Value,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
) -> Reply {
    let (said, is_all) = ready(&mut outgoing);
    let steps = post.steps(said, is_all);
    let own: Vec<&Value> = steps.iter().filter_map(own).collect();
    let form = match own[..] {
        [] if !asks(message) => Some(reply::empty(StatusCode::ACCEPTED)),
        [answer] if steps.last() == Some(&Step::End) && !is_streamed(message) => {
            Some(reply::json_text(status(message, answer), post.text(answer)))
        }
        _ => None,
    };
    match form {
        Some(reply) => {
            post.take(steps);
            reply
        }
        None => {
            let body = post.open();
            post.take(steps);
            if !is_all {
                tokio::spawn(post.go_on(outgoing));
            }
            reply::stream(body)
        }
    }
}

fn own(step: &Step) -> Option<&Value> {
    match step {
        Step::Say(Place::Own, message) => Some(message),
        _ => None,
    }
}

/// What was said already, and whether that was all.
fn ready(outgoing: &mut mpsc::UnboundedReceiver<Outgoing>) -> (Vec<Outgoing>, bool) {
    let mut said = Vec::new();
    loop {
        match outgoing.try_recv() {
            Ok(message) => said.push(message),
            Err(mpsc::error::TryRecvError::Empty) => return (said, false),
            Err(mpsc::error::TryRecvError::Disconnected) => return (said, true),
        }
    }
}

/// Whether something that was posted is owed an answer.
fn asks(message: &Value) -> bool {
    match message {
        Value::Array(batch) => batch.iter().any(asks),
        _ => matches!(message::classify(message), Kind::Request(_)),
    }
}

/// Whether a post is answered by a stream even if everything is ready at once. Both forms
/// are to be seen in every session: the handshake, lists and calls come on streams.
fn is_streamed(message: &Value) -> bool {
    match message {
        Value::Array(batch) => batch.iter().any(is_streamed),
        _ => {
            message["method"].as_str().is_some_and(|method| {
                matches!(method, "initialize" | "tools/call") || method.ends_with("/list")
            }) && asks(message)
        }
    }
}

/// What was no message is refused; a request that fails was still a request.
fn status(message: &Value, answer: &Value) -> StatusCode {
    let is_error = answer.get("error").is_some();
    let is_refused = answer.get("id").is_none_or(Value::is_null)
        || matches!(message::classify(message), Kind::Invalid { .. });
    if is_error && is_refused {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}
