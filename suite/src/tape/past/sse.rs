use std::{collections::VecDeque, time::Duration};

use url::Url;

use super::Ledger;
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
    /// The responses that came in bodies alone so far, each with its number.
    in_bodies: VecDeque<(Id, u64)>,
    /// How many responses have come in bodies alone.
    strays: u64,
    /// A request that was said when so many had: by its answer they are known to be alone.
    sentinel: Option<(Id, u64)>,
    /// So many are known to be.
    settled: u64,
}

impl SseSession {
    /// Whether the exchange is the one that opens the stream.
    pub fn is_in(&self, exchange: &Exchange) -> bool {
        self.number == Some(exchange.number)
    }

    /// How many responses came in the answer to a POST and not on the stream, where another
    /// request has been answered since.
    pub fn astray(&self) -> usize {
        let settled = self.in_bodies.iter().filter(|(_, at)| *at <= self.settled);
        settled.count()
    }

    /// Notes an event before rules see it.
    pub(super) fn before(&mut self, event: &Event<'_>, client: &Ledger) {
        // What answers id null may answer anything.
        let once = |id: &Id| *id != Id::Null && client.get(id).is_some_and(|asked| asked.uses == 1);
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
                    self.settle(id);
                    if once(id) {
                        self.comes_on_stream(id.clone());
                    }
                }
            }
            Event::Found {
                found: SseFound::Event(event),
                ..
            } if !self.in_bodies.is_empty() => {
                for message in read_value(event.data.as_deref().unwrap_or_default()) {
                    if let (Kind::Response, Some(id)) = (message.kind(), message.id)
                        && once(&id)
                    {
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
                if let Some(id) = asked.filter(|id| once(id))
                    && read_value(body).iter().any(answers)
                {
                    self.comes_in_body(id);
                }
            }
            _ => {}
        }
    }

    /// Of two requests with one id it cannot be told which one is answered.
    fn asked(&mut self, request: &Message) {
        if let Some(id) = request.id.as_ref().filter(|_| request.has_method()) {
            self.on_stream.retain(|known| known != id);
            self.in_bodies.retain(|(known, _)| known != id);
            if self.sentinel.is_none() && !self.in_bodies.is_empty() {
                self.sentinel = Some((id.clone(), self.strays));
            }
        }
    }

    fn comes_on_stream(&mut self, id: Id) {
        if let Some(at) = self.in_bodies.iter().position(|(known, _)| *known == id) {
            self.in_bodies.remove(at);
            self.doubled = true;
        }
        push(&mut self.on_stream, id);
    }

    /// Notes that a request is answered, wherever that is.
    fn settle(&mut self, id: &Id) {
        if let Some((_, strays)) = self.sentinel.take_if(|(sentinel, _)| sentinel == id) {
            self.settled = strays;
        }
    }

    fn comes_in_body(&mut self, id: &Id) {
        match self.on_stream.contains(id) {
            true => self.doubled = true,
            false => {
                self.settle(id);
                self.strays += 1;
                push(&mut self.in_bodies, (id.clone(), self.strays));
            }
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

fn push<T>(ids: &mut VecDeque<T>, id: T) {
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::{spec::Revision, tape::Past, transport::SseReader};

    const PONG: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

    /// A session whose stream has named its endpoint, and in which a ping was posted.
    struct Played {
        past: Past,
        stream: Rc<Exchange>,
        post: Rc<Exchange>,
    }

    impl Played {
        fn new() -> Played {
            let mut played = Played {
                past: Past::new(Revision::V2024_11_05),
                stream: exchange(1, "GET", "http://127.0.0.1/sse", 200, ""),
                post: exchange(
                    2,
                    "POST",
                    "http://127.0.0.1/messages?id=1",
                    202,
                    r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
                ),
            };
            let stream = Rc::clone(&played.stream);
            played.see(&Event::Opened(&stream));
            played.read("event: endpoint\ndata: /messages?id=1\n\n");
            let post = Rc::clone(&played.post);
            played.see(&Event::Said(&post.posted[0]));
            played
        }

        fn see(&mut self, event: &Event<'_>) -> bool {
            self.past.before(event, Duration::ZERO);
            let doubled = self.past.sse.doubled;
            self.past.after(event);
            doubled
        }

        /// The stream brings this; whether it shows an answer in two places.
        fn read(&mut self, text: &str) -> bool {
            let mut all = Vec::new();
            let mut reader = SseReader::default();
            reader.push(text.as_bytes(), &mut |found| all.push(found));
            let exchange = Rc::clone(&self.stream);
            let see = |found| {
                let event = Event::Found {
                    exchange: &exchange,
                    found,
                };
                self.see(&event)
            };
            all.iter()
                .map(see)
                .fold(false, |any, doubled| any | doubled)
        }

        fn body(&mut self) -> bool {
            let exchange = Rc::clone(&self.post);
            self.see(&Event::Body {
                exchange: &exchange,
                body: PONG.as_bytes(),
                len: PONG.len() as u64,
                whole: true,
            })
        }

        fn message(&mut self) -> bool {
            let mut message = Message::all_of(PONG.as_bytes()).remove(0);
            message.exchange = Some(Rc::clone(&self.stream));
            self.see(&Event::Message(&message))
        }
    }

    fn exchange(number: u32, method: &str, url: &str, status: u16, posted: &str) -> Rc<Exchange> {
        let label = ("content-type".to_owned(), b"text/event-stream".to_vec());
        Rc::new(Exchange {
            number,
            method: method.to_owned(),
            url: url.to_owned(),
            sent: Vec::new(),
            posted: Message::all_of(posted.as_bytes()),
            status,
            headers: if method == "GET" {
                vec![label]
            } else {
                Vec::new()
            },
        })
    }

    #[test]
    fn an_answer_in_two_places_is_told_in_either_order() {
        let mut stream_first = Played::new();
        assert!(!stream_first.message());
        assert!(stream_first.body());
        assert_eq!(stream_first.past.sse.astray(), 0);
        let mut body_first = Played::new();
        assert!(!body_first.body());
        assert!(body_first.read(&format!("data: {PONG}\n\n")));
        assert_eq!(body_first.past.sse.astray(), 0);
    }

    #[test]
    fn an_answer_is_astray_once_another_request_has_been_answered() {
        let mut played = Played::new();
        assert!(!played.body());
        assert_eq!(played.past.sse.astray(), 0);
        let later = exchange(
            3,
            "POST",
            "http://127.0.0.1/messages?id=1",
            202,
            r#"{"jsonrpc":"2.0","id":8,"method":"ping"}"#,
        );
        played.see(&Event::Said(&later.posted[0]));
        let pong = r#"{"jsonrpc":"2.0","id":8,"result":{}}"#;
        let mut pong = Message::all_of(pong.as_bytes()).remove(0);
        pong.exchange = Some(Rc::clone(&played.stream));
        played.see(&Event::Message(&pong));
        assert_eq!(played.past.sse.astray(), 1);
    }

    #[test]
    fn an_id_that_is_used_again_says_nothing() {
        let mut played = Played::new();
        assert!(!played.body());
        let post = Rc::clone(&played.post);
        played.see(&Event::Said(&post.posted[0]));
        assert!(!played.message());
        assert_eq!(played.past.sse.astray(), 0);
    }

    #[test]
    fn a_message_in_front_of_the_endpoint_is_kept() {
        let mut past = SseSession::default();
        let stream = exchange(1, "GET", "http://127.0.0.1/sse", 200, "");
        past.before(&Event::Opened(&stream), &Ledger::default());
        let mut all = Vec::new();
        let text = format!("retry: 5\n\ndata: {PONG}\n\nevent: endpoint\ndata: /m\n\n");
        SseReader::default().push(text.as_bytes(), &mut |found| all.push(found));
        for found in &all {
            let event = Event::Found {
                exchange: &stream,
                found,
            };
            let brought = matches!(found, SseFound::Event(event) if event.kind == "message" && event.dispatched);
            past.after(&event, brought, Duration::ZERO);
        }
        assert!(past.named && past.early.is_some_and(|early| early.text.ends_with(b"}\n")));
    }
}
