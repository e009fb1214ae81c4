use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    tape::{Event, Exchange, Id, Kind, Message},
    transport::{SseFlawKind, SseFound},
};

/// So many messages that can be recognised are remembered.
const RECOGNISED: usize = 4096;
/// So many progress tokens are remembered.
const TOKENS: usize = 1024;

/// The event streams of one session over HTTP.
#[derive(Debug, Default)]
pub struct Streams {
    open: HashMap<u32, StreamPast>,
    /// Messages that can be recognised, and the stream that brought each first.
    recognised: HashMap<u64, u32>,
    order: VecDeque<u64>,
    /// Progress tokens, and whether a report for each came on a stream that answers nothing.
    reported: HashMap<Id, bool>,
    tokens: VecDeque<Id>,
}

/// One event stream that is open.
#[derive(Debug, Default)]
pub struct StreamPast {
    /// Whether it was opened by GET and goes on with no other.
    pub apart: bool,
    /// How many events it has brought, those without data too.
    pub events: u64,
    /// Whether the response to its request has come on it.
    pub answered: bool,
    /// How many messages have come on it since the event before.
    pub fresh: u32,
    /// Whether a line since the event before was lost: then its data is not what was meant.
    pub flawed: bool,
    /// The lines of an event that no blank line has ended, though its data is whole, once the
    /// stream is read to its end.
    pub unfinished: Option<Vec<u8>>,
}

impl Streams {
    /// What is known of the open stream that is the answer in this exchange.
    pub fn of(&self, exchange: &Exchange) -> Option<&StreamPast> {
        self.open.get(&exchange.number)
    }

    /// How many streams are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether one of them answers no request.
    pub fn has_apart(&self) -> bool {
        self.open.values().any(|stream| stream.apart)
    }

    /// Whether the stream that answers this exchange is open.
    pub fn is_open(&self, number: u32) -> bool {
        self.open.contains_key(&number)
    }

    /// The number of the exchange whose stream brought the very same message first.
    pub fn brought_by(&self, message: &Message) -> Option<u32> {
        self.recognised.get(&key(message)?).copied()
    }

    /// Whether something was reported for this token, and if so whether some of it came on a
    /// stream that answers no request.
    pub fn reported_apart(&self, token: &Id) -> Option<bool> {
        self.reported.get(token).copied()
    }

    /// Notes an event after rules have seen it.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Opened(exchange) if exchange.is_stream() && exchange.status < 400 => {
                let stream = StreamPast {
                    apart: exchange.stands_apart(),
                    ..StreamPast::default()
                };
                self.open.insert(exchange.number, stream);
            }
            Event::Message(message) => {
                if let Some(exchange) = &message.exchange
                    && self.open.contains_key(&exchange.number)
                {
                    self.said(message, exchange);
                }
            }
            Event::Found { exchange, found } => {
                if let Some(stream) = self.open.get_mut(&exchange.number) {
                    stream.found(found);
                }
            }
            Event::Closed { exchange, .. } => drop(self.open.remove(&exchange.number)),
            _ => {}
        }
    }

    fn said(&mut self, message: &Message, exchange: &Exchange) {
        if let Some(stream) = self.open.get_mut(&exchange.number) {
            stream.fresh += 1;
            let request = exchange.request().and_then(|request| request.id.as_ref());
            let answers = message.kind() == Kind::Response && message.id.as_ref() == request;
            stream.answered |= request.is_some() && answers;
        }
        if exchange.resumes().is_none()
            && let Some(key) = key(message)
            && !self.recognised.contains_key(&key)
        {
            self.recognised.insert(key, exchange.number);
            self.order.push_back(key);
            if self.order.len() > RECOGNISED
                && let Some(oldest) = self.order.pop_front()
            {
                self.recognised.remove(&oldest);
            }
        }
        if let Some(token) = token_of_report(message).filter(|_| !is_of_task(message)) {
            self.report(token, exchange.stands_apart());
        }
    }

    fn report(&mut self, token: Id, apart: bool) {
        match self.reported.get_mut(&token) {
            Some(known) => *known |= apart,
            None => {
                self.tokens.push_back(token.clone());
                self.reported.insert(token, apart);
            }
        }
        if self.tokens.len() > TOKENS
            && let Some(oldest) = self.tokens.pop_front()
        {
            self.reported.remove(&oldest);
        }
    }
}

impl StreamPast {
    fn found(&mut self, found: &SseFound) {
        match found {
            SseFound::Event(_) => {
                self.events += 1;
                self.fresh = 0;
                self.flawed = false;
            }
            SseFound::Flaw(flaw) => match flaw.kind {
                SseFlawKind::LostLine => self.flawed = true,
                SseFlawKind::Unterminated if flaw.complete => {
                    self.unfinished = Some(flaw.line.clone());
                }
                _ => {}
            },
            SseFound::Comment => {}
        }
    }
}

/// The token of a progress notification.
pub fn token_of_report(message: &Message) -> Option<Id> {
    if message.method.as_deref() != Some("notifications/progress") {
        return None;
    }
    message.params()?.get("progressToken").map(Id::of)
}

/// The key in `_meta` that says to which task a message belongs (2025-11-25, tasks).
pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// Whether a message belongs to a task, and not to the request whose stream brings it.
pub fn is_of_task(message: &Message) -> bool {
    let meta = message.params().and_then(|params| params.get("_meta"));
    meta.is_some_and(|meta| meta.get(RELATED_TASK).is_some())
}

/// Whether a message is known to be one and the same wherever it comes: a request by its id, and a
/// progress notification by its token and value. Two equal logs may be two messages.
pub fn is_recognisable(message: &Message) -> bool {
    let has_id = matches!(message.id, Some(Id::Text(_) | Id::Number(_)));
    message.kind() == Kind::Request && has_id
        || message.method.as_deref() == Some("notifications/progress")
}

fn key(message: &Message) -> Option<u64> {
    if !is_recognisable(message) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    message.text()?.hash(&mut hasher);
    Some(hasher.finish())
}
