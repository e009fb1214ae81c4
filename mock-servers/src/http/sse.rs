//! HTTP+SSE: a stream that is the session, and an endpoint to post to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

use super::bend::{Incoming, Place, Step, Told};
use super::crowd::Gate;
use super::event::{self, Connection};
use super::guard::{self, EVENTS};
use super::policy::{Disconnection, Malformed, UnknownSession};
use super::reply::{self, Refusal, Reply};
use super::site::{Count, Exchange, Site, Tally};
use crate::message;
use crate::outbox::{Outbox, Outgoing};
use crate::revision::Revision;
use crate::session::Session;

/// The path of the stream.
pub(super) const PATH: &str = "/sse";

/// The path to post to.
const MESSAGES: &str = "/messages";

/// How many sessions that are over are remembered.
const REMEMBERED: usize = 256;

/// The server, and its sessions by their ids.
#[derive(Debug)]
pub(super) struct Sse {
    site: Arc<Site>,
    clients: Arc<Mutex<Clients>>,
}

#[derive(Debug, Default)]
struct Clients {
    known: HashMap<String, Arc<Client>>,
    /// The ids of sessions that are over, the oldest first.
    over: VecDeque<String>,
}

#[derive(Debug)]
struct Client {
    number: u64,
    session: Session,
    gate: Gate,
    site: Arc<Site>,
    connection: Mutex<Option<Connection>>,
    tally: Mutex<Tally>,
}

impl Sse {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self {
            site,
            clients: Arc::default(),
        }
    }

    /// The revision of the session that a request names.
    pub(super) fn revision(&self, incoming: &Incoming) -> Option<Revision> {
        let clients = lock(&self.clients);
        clients.known.get(session_id(incoming))?.session.revision()
    }

    pub(super) async fn answer(&self, incoming: &Incoming) -> Reply {
        let answer = match (incoming.path.as_str(), &incoming.method) {
            (PATH, &Method::GET) => self.open(incoming),
            (PATH, _) => Err(Refusal::not_allowed("GET")),
            (MESSAGES, &Method::POST) => self.post(incoming).await,
            (MESSAGES, _) => Err(Refusal::not_allowed("POST")),
            _ => Err(Refusal::not_found("there is nothing here")),
        };
        answer.unwrap_or_else(Reply::from)
    }

    fn open(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        guard::accepts(incoming, &[EVENTS])?;
        let mut clients = lock(&self.clients);
        if clients.known.len() >= self.site.policy.most_sessions {
            let message = "somebody is connected already";
            return Err(Refusal::new(StatusCode::CONFLICT, message));
        }
        let (number, id, session) = self.site.session()?;
        let (connection, body, gone) = Connection::open();
        let client = Client {
            number,
            session,
            gate: Gate::default(),
            site: Arc::clone(&self.site),
            connection: Mutex::new(Some(connection)),
            tally: Mutex::default(),
        };
        // Whoever reconnects gets a session of its own, and need not hurry.
        let retry = 3000;
        let endpoint =
            format!("event: endpoint\nretry: {retry}\ndata: {MESSAGES}?sessionId={id}\n\n");
        client.write(&Value::Null, &Value::Null, endpoint.into_bytes());
        clients.known.insert(id.clone(), client.connected());
        let known = Arc::clone(&self.clients);
        let outlives = self.site.policy.disconnection == Disconnection::Otherwise;
        tokio::spawn(async move {
            // Nothing is ever sent: the other end is dropped with the answer's body.
            let _ = gone.await;
            if !outlives {
                lock(&known).end(&id);
            }
        });
        Ok(reply::stream(body))
    }

    async fn post(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        guard::json_body(incoming)?;
        let id = session_id(incoming);
        let client = lock(&self.clients).known.get(id).cloned();
        let Some(client) = client else {
            let is_over = lock(&self.clients).over.iter().any(|over| over == id);
            let drops = self.site.policy.unknown_session == UnknownSession::Dropped;
            return if drops && !is_over {
                Ok(reply::empty(StatusCode::ACCEPTED))
            } else {
                Err(Refusal::not_found("there is no such session"))
            };
        };
        let Ok(message) = message::parse(&incoming.body) else {
            if self.site.policy.malformed == Malformed::EndsSession {
                lock(&self.clients).end(id);
            }
            return Ok(client.refuse_unreadable());
        };
        match client.gate.pass(self.site.bends.crowd(), message).await {
            Some(message) => Ok(client.serve(message)),
            None => Ok(reply::empty(StatusCode::ACCEPTED)),
        }
    }
}

impl Clients {
    fn end(&mut self, id: &str) {
        let Some(client) = self.known.remove(id) else {
            return;
        };
        client.session.close();
        client.hang_up();
        if self.over.len() == REMEMBERED {
            self.over.pop_front();
        }
        self.over.push_back(id.to_owned());
    }
}

impl Client {
    /// Lets the session speak where what it says belongs to no post.
    fn connected(self) -> Arc<Self> {
        let (outbox, mut outgoing) = Outbox::channel();
        self.session.connect(outbox);
        let client = Arc::new(self);
        let listener = Arc::downgrade(&client);
        tokio::spawn(async move {
            while let Some(Outgoing::Message { message, .. }) = outgoing.recv().await {
                let Some(client) = listener.upgrade() else {
                    return;
                };
                let text = client.site.text(&message);
                client.write(&Value::Null, &message, event::of_message(None, &text));
            }
        });
        client
    }

    /// Refuses a post whose body is no JSON; the session's error is in the refusal.
    fn refuse_unreadable(&self) -> Reply {
        let (outbox, mut outgoing) = Outbox::channel();
        self.session.receive_unreadable(&outbox);
        match outgoing.try_recv() {
            Ok(Outgoing::Message { message, .. }) => {
                reply::json_text(StatusCode::BAD_REQUEST, self.site.text(&message))
            }
            _ => reply::empty(StatusCode::BAD_REQUEST),
        }
    }

    fn serve(self: Arc<Self>, message: Value) -> Reply {
        let (outbox, mut outgoing) = Outbox::channel();
        self.session.receive(&message, &outbox);
        drop(outbox);
        if self.session.is_dead() {
            self.hang_up();
        }
        let count = lock(&self.tally).count(&message);
        let mut said = Vec::new();
        let is_all = loop {
            match outgoing.try_recv() {
                Ok(message) => said.push(message),
                Err(mpsc::error::TryRecvError::Empty) => break false,
                Err(mpsc::error::TryRecvError::Disconnected) => break true,
            }
        };
        let body = self.take(&message, count, said);
        if !is_all {
            tokio::spawn(async move {
                while let Some(said) = outgoing.recv().await {
                    self.take(&message, count, vec![said]);
                }
            });
        }
        match body {
            Some(body) => reply::json(StatusCode::OK, &body),
            None => reply::empty(StatusCode::ACCEPTED),
        }
    }

    /// Does what is to be done with what was said, and returns what is to be said in the
    /// answer to the post.
    fn take(&self, message: &Value, count: Count, said: Vec<Outgoing>) -> Option<Value> {
        let exchange = Exchange {
            session: self.number,
            message,
            count,
            revision: self.session.revision(),
            standalone_open: true,
        };
        let mut body = None;
        // The stream does not end with an exchange, so that there is never an end of it.
        for step in self.site.steps(&exchange, said, false) {
            match step {
                Step::Say(Place::Post, said) => body = Some(said),
                Step::Say(_, said) => {
                    let text = self.site.text(&said);
                    self.write(message, &said, event::of_message(None, &text));
                }
                Step::Release => {}
                Step::End => self.hang_up(),
            }
        }
        body
    }

    fn write(&self, asked: &Value, message: &Value, event: Vec<u8>) {
        let told = Told {
            message,
            asked,
            revision: self.session.revision(),
            authority: &self.site.authority,
        };
        let event = Bytes::from(self.site.event(&told, event));
        if let Some(connection) = &*lock(&self.connection) {
            connection.write(event);
        }
    }

    fn hang_up(&self) {
        *lock(&self.connection) = None;
    }
}

/// The session that the query names.
fn session_id(incoming: &Incoming) -> &str {
    incoming
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("sessionId="))
        .unwrap_or_default()
}

/// Nobody panics with a lock held; were one to, what it guards is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
