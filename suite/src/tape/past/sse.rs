use std::{collections::VecDeque, time::Duration};

use url::Url;

use crate::{
    tape::{Event, Excerpt, Exchange, Id, Kind, Message, Stream, read_value},
    transport::{SseEvent, SseFound, endpoint_of},
};

/// So many answers are remembered by their ids, in each of the places that they come in.
const ANSWERS: usize = 256;

/// The stream of HTTP+SSE that is the session, and the answers that come on it.
#[derive(Debug, Default)]
pub struct SseSession {
    /// The exchange that it is the answer in: the first GET.
    number: Option<u32>,
    /// Whether it was answered by a stream.
    pub is_open: bool,
    /// Whether anything has come on it.
    pub begun: bool,
    /// Whether it has named the endpoint.
    pub named: bool,
    /// The event with a message that came before that.
    pub early: Option<Excerpt>,
    /// How many responses have come on it.
    pub answers: u64,
    /// Whether the event at hand shows that a response came both on it and in the answer to a POST.
    pub doubled: bool,
    /// Where messages are posted.
    endpoint: Option<String>,
    on_stream: VecDeque<Id>,
    in_bodies: VecDeque<Id>,
    /// How many more answers came in the answer to a POST alone, to requests whose ids have been
    /// used again.
    astray: usize,
}

impl SseSession {
    /// Whether the exchange is the one that opens the stream.
    pub fn is_in(&self, exchange: &Exchange) -> bool {
        self.number == Some(exchange.number)
    }

    /// How many responses came in the answer to a POST and not on the stream.
    pub fn astray(&self) -> usize {
        self.astray + self.in_bodies.len()
    }

    /// Notes an event before rules see it.
    pub(super) fn before(&mut self, event: &Event<'_>) {
        self.doubled = false;
        match event {
            Event::Opened(exchange) if exchange.method == "GET" => {
                self.number.get_or_insert(exchange.number);
                if self.is_in(exchange) {
                    self.is_open = exchange.status < 300 && exchange.is_stream();
                }
            }
            Event::Said(message) if self.named => self.asked(message),
            Event::Message(message) if self.named => {
                if let Some(id) = answered_on_stream(message) {
                    self.answers += 1;
                    self.comes_on_stream(id.clone());
                }
            }
            Event::Found {
                found: SseFound::Event(event),
                ..
            } if !self.in_bodies.is_empty() => {
                for message in read_value(event.data.as_deref().unwrap_or_default()) {
                    if let (Kind::Response, Some(id)) = (message.kind(), message.id) {
                        self.comes_on_stream(id);
                    }
                }
            }
            // What is posted for another session is none of this one's.
            Event::Body { exchange, body, .. }
                if self.endpoint.as_ref() == Some(&exchange.url) && exchange.status < 300 =>
            {
                let asked = exchange.request().and_then(|request| request.id.as_ref());
                let answers = |message: &Message| {
                    message.kind() == Kind::Response && message.id.as_ref() == asked
                };
                if let Some(id) = asked
                    && read_value(body).iter().any(answers)
                {
                    self.comes_in_body(id);
                }
            }
            _ => {}
        }
    }

    /// An id that is used again says nothing any more of the request that had it before.
    fn asked(&mut self, request: &Message) {
        let Some(id) = request.id.as_ref().filter(|_| request.has_method()) else {
            return;
        };
        self.on_stream.retain(|known| known != id);
        let before = self.in_bodies.len();
        self.in_bodies.retain(|known| known != id);
        self.astray += before - self.in_bodies.len();
    }

    fn comes_on_stream(&mut self, id: Id) {
        if let Some(at) = self.in_bodies.iter().position(|known| *known == id) {
            self.in_bodies.remove(at);
            self.doubled = true;
        }
        push(&mut self.on_stream, id);
    }

    fn comes_in_body(&mut self, id: &Id) {
        match self.on_stream.contains(id) {
            true => self.doubled = true,
            false => push(&mut self.in_bodies, id.clone()),
        }
    }

    /// Notes an event after rules have seen it.
    pub(super) fn after(&mut self, event: &Event<'_>, brought: bool, now: Duration) {
        let Event::Found { exchange, found } = event else {
            return;
        };
        if !self.is_in(exchange) {
            return;
        }
        self.begun = true;
        match found {
            SseFound::Event(event) if names_endpoint(event) && !self.named => {
                self.named = true;
                let data = event.data.as_deref().unwrap_or_default();
                let stream = Url::parse(&exchange.url);
                let target = stream
                    .ok()
                    .and_then(|stream| endpoint_of(&stream, data).ok());
                self.endpoint = target.map(|target| target.to_string());
            }
            SseFound::Event(event) if brought && !self.named => {
                let excerpt = Excerpt::new(Stream::Response, now, &event.raw);
                self.early.get_or_insert(excerpt);
            }
            _ => {}
        }
    }
}

fn push(ids: &mut VecDeque<Id>, id: Id) {
    if ids.len() == ANSWERS {
        ids.pop_front();
    }
    ids.push_back(id);
}

/// The id of a response that came on a stream of its own.
fn answered_on_stream(message: &Message) -> Option<&Id> {
    let exchange = message.exchange.as_ref()?;
    let answers = exchange.method == "GET" && message.kind() == Kind::Response;
    message.id.as_ref().filter(|_| answers)
}

/// Whether the event is one that names where to post to.
pub fn names_endpoint(event: &SseEvent) -> bool {
    event.dispatched && event.kind == "endpoint"
}
