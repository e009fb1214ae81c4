mod event_ids;
mod ledger;
mod recent;
mod reports;
mod said;
mod sse;
mod streams;
mod tasks;
mod unasked;

use std::{rc::Rc, time::Duration};

use super::{Close, Event, Excerpt, Exchange, Kind, Message, Stream};
use crate::spec::Revision;

pub use event_ids::EventIds;
pub use ledger::{Asked, Ledger};
pub use recent::Recent;
pub use reports::{Report, Reports, comes_late, compared};
pub use sse::{SseSession, names_endpoint};
pub use streams::{
    RELATED_TASK, StreamPast, Streams, is_of_task, is_recognisable, token_of_report,
};
pub use tasks::{Shows, Sighting, Status, Task, Tasks, time, unwrapped};
pub use unasked::Unasked;

/// So many pings of the server are remembered.
const PINGS: usize = 32;

/// The bounded memory of rules: what one needs to know of the session before the event at hand.
#[derive(Debug)]
pub struct Past {
    /// The revision that the session is judged by.
    pub revision: Revision,
    /// Whether it is the session by which the revision was asked for: nothing else of the revision
    /// was open before.
    pub leading: bool,
    /// The time of the event at hand, counted from the start of the run.
    pub now: Duration,
    /// How many messages have been read.
    pub messages: u64,
    /// The first line of text in front of the first message.
    pub preamble: Option<Excerpt>,
    /// Whether the client's half is missing, or the session had begun before its recording: then
    /// what belongs to nothing that is known proves nothing.
    pub partial: bool,
    /// Whether the server was told to stop: stdin closed, or SIGTERM sent.
    pub stopping: bool,
    /// Whether stdin was closed because an answer did not come.
    pub gave_up: bool,
    /// Whether we have sent an array.
    pub sent_array: bool,
    /// The client's requests.
    pub client: Ledger,
    /// The server's requests.
    pub server: Ledger,
    /// Whether the client has said something that is no well-formed message, used an id twice, or
    /// answered what nobody had asked.
    pub malformed: bool,
    /// The client's progress tokens.
    pub reports: Reports,
    /// The server's pings.
    pub pings: Recent,
    /// The session id that the last success of `initialize` over HTTP gave.
    pub session_id: Option<String>,
    /// The ids of events.
    pub event_ids: EventIds,
    /// The event streams of HTTP.
    pub streams: Streams,
    /// The stream that is the session over HTTP+SSE.
    pub sse: SseSession,
    /// The server's tasks.
    pub tasks: Tasks,
    /// Whether the event at hand shows tasks, and how.
    pub shows: Option<Shows>,
    /// The client's notifications that a response without an id may answer: see
    /// [`Unasked::excuses`].
    pub unasked: Unasked,
    /// The result of `initialize`, once it has come.
    pub initialized: Option<serde_json::Value>,
    /// Whether the event at hand answers `initialize`.
    pub at_initialize: bool,
    /// Whether the event at hand is a message that came before, on a stream that was resumed.
    pub replayed: bool,
    /// Whether the client has sent `notifications/initialized`.
    pub ready: bool,
    /// When it did, counted from the start of the run.
    pub ready_at: Option<Duration>,
    /// Whether the result of `initialize` named another version than the session is judged by. An
    /// answer that names no revision of the protocol is itself still judged.
    pub foreign: bool,
    /// What we sent last.
    pub sent: Option<Excerpt>,
    /// What was read last in front of the event at hand.
    pub before: Option<Excerpt>,
}

impl Past {
    /// The past of a session that has not begun.
    pub fn new(revision: Revision) -> Past {
        Past {
            revision,
            leading: true,
            now: Duration::ZERO,
            messages: 0,
            preamble: None,
            partial: false,
            stopping: false,
            gave_up: false,
            sent_array: false,
            client: Ledger::default(),
            server: Ledger::default(),
            reports: Reports::default(),
            pings: Recent::default(),
            session_id: None,
            event_ids: EventIds::default(),
            streams: Streams::default(),
            sse: SseSession::default(),
            tasks: Tasks::default(),
            shows: None,
            malformed: false,
            unasked: Unasked::default(),
            initialized: None,
            at_initialize: false,
            replayed: false,
            ready: false,
            ready_at: None,
            foreign: false,
            sent: None,
            before: None,
        }
    }

    /// The past of a session of which a recording may show a part only, until the client opens it
    /// there.
    pub(crate) fn unknown(revision: Revision) -> Past {
        let mut past = Past::new(revision);
        past.partial = true;
        past.client.forgotten = true;
        past.server.forgotten = true;
        past.reports.forgotten = true;
        past
    }

    /// Whether it is known when things were said. Messages alone do not tell.
    pub fn tells_times(&self) -> bool {
        !self.now.is_zero()
    }

    /// Notes an event before rules see it.
    pub(crate) fn before(&mut self, event: &Event<'_>, now: Duration) {
        self.now = now;
        self.shows = match event {
            Event::Message(message) => Shows::of(message, &self.client),
            _ => None,
        };
        self.at_initialize =
            matches!(event, Event::Message(message) if self.is_initialize(message));
        self.sse.before(event, &self.client);
        self.replayed = matches!(event, Event::Message(message) if self.is_replayed(message));
        match event {
            Event::Sent(bytes) => {
                self.sent_array |= bytes.trim_ascii_start().starts_with(b"[");
                self.malformed |= !said::is_readable(bytes);
            }
            Event::Said(message) => self.said(message),
            Event::Message(message) if self.at_initialize => {
                let named = offered(message).and_then(|version| version.as_str()?.parse().ok());
                self.foreign |= named.is_some_and(|named: Revision| named != self.revision);
            }
            Event::GaveUp => self.gave_up = true,
            Event::StdinClosed | Event::Terminated => self.stopping = true,
            _ => {}
        }
    }

    /// Notes an event after rules have seen it.
    pub(crate) fn after(&mut self, event: &Event<'_>) {
        self.event_ids.note(event);
        match event {
            Event::Line(line) => {
                let excerpt = Excerpt::of_line(self.now, line);
                if self.messages == 0 && line.class == super::Class::Text {
                    self.preamble.get_or_insert_with(|| excerpt.clone());
                }
                self.before = Some(excerpt);
            }
            Event::Message(message) if !self.replayed => {
                self.messages += 1;
                if let Some(shows) = self.shows {
                    self.tasks.note(shows, message, self.messages, &self.client);
                }
                if self.at_initialize {
                    let named = offered(message);
                    self.foreign |= named.is_some_and(|named| *named != self.revision.as_str());
                }
                self.heard(message);
            }
            Event::Opened(exchange) => {
                let opens = exchange
                    .request()
                    .is_some_and(|request| request.method.as_deref() == Some("initialize"));
                if opens && exchange.status < 300 {
                    self.session_id = exchange.header("mcp-session-id");
                }
                if exchange.status >= 400 {
                    self.refused(exchange);
                }
            }
            Event::Closed {
                exchange,
                close: Close::Cut,
            }
            | Event::Body {
                exchange,
                whole: false,
                ..
            } => self.refused(exchange),
            Event::Sent(bytes) => {
                self.sent = Some(Excerpt::new(Stream::Stdin, self.now, bytes));
            }
            _ => {}
        }
        let brought = match event {
            Event::Found { exchange, .. } => self.brought(exchange) > 0,
            _ => false,
        };
        self.sse.after(event, brought, self.now);
        self.streams.note(event);
    }

    /// Notes that HTTP brings no answer to what an exchange carried.
    fn refused(&mut self, exchange: &Exchange) {
        for request in &exchange.posted {
            self.client.refuse(request);
        }
    }

    /// How many messages the event at hand, found in a stream, has brought.
    pub fn brought(&self, exchange: &Exchange) -> u32 {
        self.streams.of(exchange).map_or(0, |stream| stream.fresh)
    }

    /// Whether a message is one that came before, or elsewhere: what a resumed stream brings is new
    /// only where something is still owed. What else it brings is judged by the cases on replay.
    fn is_replayed(&self, message: &Message) -> bool {
        let resumes = |exchange: &Rc<Exchange>| exchange.resumes().is_some();
        if !message.exchange.as_ref().is_some_and(resumes) {
            return false;
        }
        if message.kind() == Kind::Response {
            let asked = self.client.asked(message);
            return asked.is_none_or(|asked| asked.answers > 0);
        }
        let token = token_of_report(message);
        let is_known = token.is_none_or(|token| self.reports.get(&token).is_some());
        !is_known || self.streams.brought_by(message).is_some()
    }

    /// Whether the message answers `initialize`; where that was not recorded, by its looks.
    pub fn is_initialize(&self, message: &Message) -> bool {
        if message.kind() != Kind::Response {
            return false;
        }
        match self.client.asked(message) {
            Some(asked) => &*asked.method == "initialize",
            None => self.partial && opens_session(message),
        }
    }

    /// Notes what the client says.
    fn said(&mut self, message: &Message) {
        let is_initialize = message.method.as_deref() == Some("initialize");
        if self.partial && is_initialize && message.kind() == Kind::Request {
            self.begin();
        }
        self.sent_array |= message.batch.is_some();
        self.malformed |= !message.is_well_formed();
        match message.kind() {
            Kind::Request => {
                self.client.ask(message, self.now, self.messages);
                let id = message.id.as_ref();
                self.unasked.ask(id);
                if let Some((id, asked)) = id.and_then(|id| Some((id, self.client.get(id)?))) {
                    self.malformed |= asked.uses > 1;
                    if let Some(token) = &asked.progress_token {
                        self.reports.give(token, id);
                    }
                }
            }
            Kind::Notification => {
                self.unasked.notify();
                match message.method.as_deref() {
                    Some("notifications/cancelled") => self.client.cancel(message),
                    Some("notifications/initialized") => {
                        self.ready = true;
                        self.ready_at.get_or_insert(self.now);
                    }
                    _ => {}
                }
            }
            Kind::Response => {
                self.malformed |= !self.server.forgotten && self.server.asked(message).is_none();
                self.server.answer(message);
            }
        }
    }

    /// The session is open before our eyes: whatever was said before belongs to none, or to another.
    fn begin(&mut self) {
        *self = Past {
            leading: self.leading,
            now: self.now,
            ..Past::new(self.revision)
        };
    }

    /// Notes what the server says.
    fn heard(&mut self, message: &Message) {
        match message.kind() {
            Kind::Request => {
                if message.method.as_deref() == Some("ping") {
                    self.pings.note(self.now, PINGS);
                }
                self.server.ask(message, self.now, self.messages);
            }
            Kind::Notification => match message.method.as_deref() {
                Some("notifications/cancelled") => self.server.cancel(message),
                Some("notifications/progress") => {
                    self.reports.heard(message, &self.client, self.now);
                }
                _ => {}
            },
            Kind::Response => {
                self.unasked.answer(message);
                if self.at_initialize
                    && let Some(result) = message.result()
                {
                    self.initialized = Some(result.clone());
                }
                self.client.answer(message);
            }
        }
    }
}

/// Whether a message looks like the answer to `initialize`.
pub(crate) fn opens_session(message: &Message) -> bool {
    message.result().is_some_and(|result| {
        result.get("protocolVersion").is_some() && result.get("serverInfo").is_some()
    })
}

/// The version that the answer to `initialize` names.
fn offered(message: &Message) -> Option<&serde_json::Value> {
    message.result()?.get("protocolVersion")
}
