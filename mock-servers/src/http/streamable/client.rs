//! One session over Streamable HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use super::super::bend::{Place, Step};
use super::super::crowd::Gate;
use super::super::event::{Connection, EventBody};
use super::super::policy::Disconnection;
use super::super::site::{Count, Exchange, Site, Tally};
use super::streams::{Streams, Voice};
use crate::outbox::{Outbox, Outgoing};
use crate::session::Session;

/// A client and what is said to it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) session: Session,
    pub(super) gate: Gate,
    site: Arc<Site>,
    streams: Mutex<Streams>,
    tally: Mutex<Tally>,
    /// Tells that nobody reads a stream any more.
    hung_up: Notify,
}

/// One post and what is said in answer to it.
pub(super) struct Post {
    client: Arc<Client>,
    message: Value,
    count: Count,
    stream: Option<u64>,
}

impl Client {
    pub(super) fn new(site: Arc<Site>, number: u64, id: String, session: Session) -> Self {
        Self {
            number,
            id,
            session,
            gate: Gate::default(),
            site,
            streams: Mutex::default(),
            tally: Mutex::default(),
            hung_up: Notify::new(),
        }
    }

    /// Lets the session speak where what it says belongs to no request.
    pub(super) fn connected(self) -> Arc<Self> {
        let (outbox, mut outgoing) = Outbox::channel();
        self.session.connect(outbox);
        let client = Arc::new(self);
        let listener = Arc::downgrade(&client);
        tokio::spawn(async move {
            while let Some(Outgoing::Message { message, .. }) = outgoing.recv().await {
                let Some(client) = listener.upgrade() else {
                    return;
                };
                client.streams().say_standalone(client.voice(), message);
            }
        });
        client
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn voice(&self) -> Voice<'_> {
        Voice {
            site: &self.site,
            revision: self.session.revision(),
        }
    }

    /// The session is over.
    pub(super) fn end(&self) {
        self.session.close();
        self.streams().end_all();
    }

    /// Waits while a stream opened by GET leaves no room for another request.
    pub(super) async fn wait_for_room(&self) {
        let Some(room) = self.site.policy.beside_get else {
            return;
        };
        self.streams().posts += 1;
        loop {
            let hung_up = self.hung_up.notified();
            let is_full = {
                let streams = self.streams();
                streams.standalone_open() && streams.posts > room
            };
            if !is_full {
                return;
            }
            hung_up.await;
        }
    }

    /// Takes note when nobody reads a stream any more.
    pub(super) fn watch(self: &Arc<Self>, gone: oneshot::Receiver<()>, post: Option<(u64, Value)>) {
        let client = Arc::clone(self);
        tokio::spawn(async move {
            // Nothing is ever sent: the other end is dropped with the answer's body.
            let _ = gone.await;
            client.hung_up.notify_waiters();
            if let Some((stream, id)) = post
                && client.site.policy.disconnection == Disconnection::Otherwise
                && client.streams().is_running(stream)
            {
                client.session.cancel(&id);
            }
        });
    }
}

impl Post {
    pub(super) fn new(client: Arc<Client>, message: Value) -> Self {
        let mut tally = client.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let count = tally.count(&message);
        drop(tally);
        Self {
            client,
            message,
            count,
            stream: None,
        }
    }

    /// The JSON of an answer.
    pub(super) fn text(&self, answer: &Value) -> String {
        self.client.site.text(answer)
    }

    /// What is to be done with what was said.
    pub(super) fn steps(&self, said: Vec<Outgoing>, is_all: bool) -> Vec<Step> {
        let client = &self.client;
        let exchange = Exchange {
            session: client.number,
            message: &self.message,
            count: self.count,
            revision: client.session.revision(),
            standalone_open: client.streams().standalone_open(),
        };
        client.site.steps(&exchange, said, is_all)
    }

    /// Opens the stream that answers the post.
    pub(super) fn open(&mut self) -> EventBody {
        let (connection, body, gone) = Connection::open();
        let client = &self.client;
        let mut streams = client.streams();
        let stream = streams.open(client.voice(), self.message.clone(), Some(connection));
        self.stream = Some(stream);
        let id = self.message.get("id").cloned();
        client.watch(gone, id.map(|id| (stream, id)));
        body
    }

    /// Does what is to be done.
    pub(super) fn take(&self, steps: Vec<Step>) {
        let client = &self.client;
        let (mut streams, voice) = (client.streams(), client.voice());
        let own = self.stream;
        for step in steps {
            match (step, own) {
                (Step::Say(Place::Standalone, message), _) => {
                    streams.say_standalone(voice, message);
                }
                (Step::Say(Place::Neighbour, message), Some(own)) => {
                    let place = streams.neighbour(own).unwrap_or(own);
                    streams.say(voice, place, &message);
                }
                (Step::Say(_, message), Some(own)) => streams.say(voice, own, &message),
                (Step::Release, Some(own)) => streams.release(own),
                (Step::End, Some(own)) => streams.end(own),
                (_, None) => {}
            }
        }
    }

    /// Goes on answering until nothing more is to come.
    pub(super) async fn go_on(self, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) {
        while let Some(said) = outgoing.recv().await {
            self.take(self.steps(vec![said], false));
        }
        self.take(self.steps(Vec::new(), true));
    }
}
