//! One HTTP request and what came of it, kept as data: several cases look at one conversation.

use std::{fmt, rc::Rc, time::Duration};

use serde_json::Value;
use tokio::time::timeout;

use super::{Draft, Talk};
use crate::{
    case::{Stop, unverified},
    session::Posting,
    tape::{Excerpt, Exchange, Kind, Message, Stream},
    transport::SseEvent,
};

/// What came in answer to a request.
#[derive(Clone, Debug)]
enum Head {
    /// A status and headers.
    Came(Rc<Exchange>),
    /// The connection was closed, or could not be made.
    Closed(String),
    /// Nothing within the limit.
    Silent(Duration),
}

/// A request, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// What comes in answer, as far as it goes on.
    pub(crate) posting: Rc<Posting>,
    head: Head,
    response: Option<Message>,
    /// Why what came could not be read, if it could not.
    damage: Option<Stop>,
    said: Vec<Excerpt>,
}

impl Turn {
    /// The head of the answer, if there is one.
    pub(crate) fn exchange(&self) -> Option<&Rc<Exchange>> {
        match &self.head {
            Head::Came(exchange) => Some(exchange),
            _ => None,
        }
    }

    /// The status that was given. What says nothing about the request leaves the case unverified:
    /// lack of credentials, a server that is too busy, one that stays silent.
    pub(crate) fn status(&self) -> Result<u16, Stop> {
        self.settled()?;
        match &self.head {
            Head::Came(exchange) => Ok(exchange.status),
            _ => unverified(format!("a request {self}")),
        }
    }

    /// Whether the request was decided on at all.
    pub(crate) fn settled(&self) -> Result<(), Stop> {
        match &self.head {
            Head::Closed(_) => Ok(()),
            Head::Silent(_) => unverified(format!("a request {self}")),
            Head::Came(exchange) if exchange.turns_away() => {
                unverified(format!("a request {self}"))
            }
            Head::Came(_) => Ok(()),
        }
    }

    /// The response in the answer.
    pub(crate) fn response(&self) -> Option<&Message> {
        self.response.as_ref()
    }

    /// The `result`, where the answer is a success.
    pub(crate) fn result(&self) -> Option<&Value> {
        let response = self.response.as_ref().filter(|_| self.is_success());
        response.and_then(Message::result)
    }

    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        let status = self.exchange().map(|exchange| exchange.status);
        status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it was answered with a result.
    pub(crate) fn is_served(&self) -> bool {
        self.is_success() && self.response.as_ref().is_some_and(Message::has_result)
    }

    /// Whether it was turned away: by a status, by an error response, or by closing the connection.
    pub(crate) fn is_refused(&self) -> bool {
        match &self.head {
            Head::Came(exchange) => {
                exchange.status >= 400 || self.response.as_ref().is_some_and(Message::has_error)
            }
            Head::Closed(_) => true,
            Head::Silent(_) => false,
        }
    }

    /// Whether it has opened an event stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.is_success() && self.exchange().is_some_and(|exchange| exchange.is_stream())
    }

    /// Whether a request that the server took has no answer, be it that the connection was closed.
    pub(crate) fn is_lost(&self) -> bool {
        match &self.head {
            Head::Came(exchange) => exchange.status < 300 && self.response.is_none(),
            Head::Closed(_) | Head::Silent(_) => true,
        }
    }

    /// If what came could not be read, that is the cause.
    pub(crate) fn undamaged(&self) -> Result<(), Stop> {
        self.damage.clone().map_or(Ok(()), Err)
    }

    /// The control of a case: what has to be served for a refusal to mean something.
    pub(crate) fn control(&self, what: &str) -> Result<(), Stop> {
        self.settled()?;
        if self.is_served() {
            return Ok(());
        }
        self.undamaged()?;
        unverified(format!("{what} {self}"))
    }

    /// The events of the answer so far.
    pub(crate) fn events(&self) -> Vec<SseEvent> {
        self.posting.with_events(<[SseEvent]>::to_vec)
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.exchange()?.header(name)
    }

    /// The text that came with a refusal.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.posting.body()).into_owned()
    }

    /// What was sent and what came, as evidence.
    pub(crate) fn said(&self) -> Vec<Excerpt> {
        self.said.clone()
    }
}

/// What came, to stand behind the name of what was sent: `is answered with HTTP status 404`.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.head {
            Head::Closed(reason) => write!(f, "is not answered: {reason}"),
            Head::Silent(limit) => {
                write!(f, "gets no HTTP status within {} s", limit.as_secs_f32())
            }
            Head::Came(exchange) => {
                write!(f, "is answered with HTTP status {}", exchange.status)?;
                match &self.response {
                    _ if !self.is_success() => Ok(()),
                    Some(response) if response.has_error() => f.write_str(" and an error"),
                    Some(response) if response.has_result() => f.write_str(" and a result"),
                    _ if self.is_stream() => f.write_str(" and an event stream"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl Talk {
    /// Sends a request; waits for the head of its answer, and for the response in it if it is
    /// answered by one. Nothing is noted as evidence until a case shows it.
    pub(crate) async fn turn(&self, draft: Draft) -> Turn {
        self.turn_within(draft, self.session.limits.answer).await
    }

    /// The same with a limit of its own.
    pub(crate) async fn turn_within(&self, draft: Draft, limit: Duration) -> Turn {
        let is_get = draft.request.method == "GET";
        let mut turn = self.turn_begun(draft, limit).await;
        if turn.exchange().is_some() && !(is_get && turn.is_stream()) {
            let awaited = turn
                .posting
                .message(|message| message.kind() == Kind::Response);
            turn.response = timeout(limit, awaited).await.ok().flatten();
        }
        let now = self.session.now();
        let body = turn.posting.body();
        match &turn.response {
            Some(response) => turn.said.push(Excerpt::of_message(now, response)),
            None if !body.is_empty() => {
                turn.said.push(Excerpt::new(Stream::Response, now, &body));
            }
            None => {}
        }
        turn.damage = self.blame_damage().err();
        turn
    }

    /// Sends a request and waits for the head of its answer alone.
    pub(crate) async fn turn_begun(&self, draft: Draft, limit: Duration) -> Turn {
        let request = draft.request;
        let mut said = vec![Excerpt::of_request(self.session.now(), &request)];
        let posting = self.session.exchange(request);
        let head = match timeout(limit, posting.head()).await {
            Ok(Ok(exchange)) => Head::Came(exchange),
            Ok(Err(reason)) => Head::Closed(reason),
            Err(_) => {
                posting.disconnect();
                Head::Silent(limit)
            }
        };
        if let Head::Came(exchange) = &head {
            said.push(Excerpt::of_exchange(self.session.now(), exchange));
        }
        Turn {
            posting,
            head,
            response: None,
            damage: None,
            said,
        }
    }

    /// Notes a turn as what the case is about.
    pub(crate) fn show(&self, turn: &Turn) {
        turn.said().into_iter().for_each(|said| self.note(said));
    }
}
