//! What HTTP+SSE has of its own: the stream that is the session, the `endpoint` event, and answers
//! that come in two places.

use std::{collections::HashSet, rc::Rc};

use serde_json::json;
use tokio::time::timeout;
use url::Url;

use super::{PostEnd, Posting, Refusal, Session, wire::Http};
use crate::{
    spec::Transport,
    tape::{Event, Exchange, Id, Kind, Message, read_value},
    target::is_loopback,
    transport::{EndpointFlaw, SseReader, endpoint_of, origin},
};

/// What of the event that is being read has been taken for whole, though no blank line has ended
/// it: so many bytes of its data.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) released: usize,
}

/// The responses that came in the answers to their POSTs, which is not where they belong.
#[derive(Debug, Default)]
pub(crate) struct InBodies(HashSet<Id>);

impl InBodies {
    /// Whether a response came in the answer to its POST and comes on the stream as well: it is
    /// routed once, from where it came first.
    pub(crate) fn is_twin(&mut self, message: &Message, awaits: impl Fn(&Id) -> bool) -> bool {
        let (Some(id), None, Kind::Response) = (&message.id, message.batch, message.kind()) else {
            return false;
        };
        let Some(exchange) = message.exchange.as_ref().filter(|_| !message.is_refusal()) else {
            return false;
        };
        let in_body = exchange.method == "POST";
        if awaits(id) {
            if in_body {
                self.0.insert(id.clone());
            }
            return false;
        }
        match in_body {
            true => exchange.request().and_then(|request| request.id.as_ref()) == Some(id),
            false => self.0.remove(id),
        }
    }
}

impl Session {
    /// Waits until the stream has named where to post to; gives the session up if it does not.
    pub(super) async fn endpoint_known(&self, http: &Http) {
        let known = |ended: bool| ended || http.url.borrow().is_some();
        let begun = self.until(|state| known(state.ended) || !state.streams.is_empty());
        if timeout(self.limits.first_answer, begun).await.is_err() {
            return self.close("the GET for the event stream gets no answer".to_owned());
        }
        let named = self.until(|state| known(state.ended));
        if timeout(self.limits.answer, named).await.is_err() {
            self.give_up();
            self.close("the event stream has no `endpoint` event".to_owned());
        }
    }

    /// The refusal of the GET for the stream that would be the session.
    pub(crate) fn refused_stream(&self) -> Option<Refusal> {
        if self.transport() != Transport::HttpSse {
            return None;
        }
        match self.standing()?.is_over()? {
            PostEnd::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the posting is that of the stream that is the session.
    pub(super) fn is_carried_by(&self, posting: &Posting) -> bool {
        let standing = self.standing();
        standing.is_some_and(|standing| std::ptr::eq(&*standing, posting))
    }

    /// The `endpoint` event of HTTP+SSE: from now on messages can be posted.
    pub(super) fn endpoint(&self, exchange: &Exchange, data: &[u8]) {
        let Some(http) = self.http() else {
            return;
        };
        let stream = Url::parse(&exchange.url).ok();
        let target = stream
            .as_ref()
            .ok_or(EndpointFlaw::NoUri)
            .and_then(|stream| endpoint_of(stream, data));
        match (stream, target) {
            (Some(stream), Ok(target)) if is_within_reach(&stream, &target) => {
                http.url.borrow_mut().get_or_insert(target);
            }
            (_, Ok(target)) => self.close(format!(
                "the `endpoint` event leads elsewhere, to {}, which is not spoken to",
                origin(&target)
            )),
            (_, Err(flaw)) => self.close(format!("the data of the `endpoint` event {flaw}")),
        }
        self.changed.notify_waiters();
    }

    /// Whether a response came in the answer to its POST and comes on the stream as well.
    pub(super) fn is_twin(&self, message: &Message) -> bool {
        let Some(http) = self.http().filter(|http| http.stream.is_some()) else {
            return false;
        };
        let awaits = |id: &Id| self.with_state(|state| state.awaits(id));
        http.in_bodies.borrow_mut().is_twin(message, awaits)
    }

    /// The messages that stand whole in an event that no blank line has ended.
    pub(super) fn held_back(&self, reader: &SseReader, held: &Held) -> Vec<Message> {
        if self.http().is_none_or(|http| http.stream.is_none()) {
            return Vec::new();
        }
        let rest = reader
            .pending()
            .and_then(|data| data.get(held.released..))
            .unwrap_or_default();
        // Most chunks that cut an event are told by their last byte.
        match rest.trim_ascii_end().last() {
            Some(b'}' | b']') => read_value(rest),
            _ => Vec::new(),
        }
    }

    /// Takes messages for whole that no blank line has ended in good time: that is the finding, and
    /// not that nothing could be read.
    pub(super) fn release(
        self: &Rc<Self>,
        exchange: &Rc<Exchange>,
        posting: &Posting,
        messages: Vec<Message>,
        reader: &SseReader,
    ) {
        for mut message in messages {
            message.exchange = Some(Rc::clone(exchange));
            posting.said(&message);
            if !self.is_twin(&message) {
                self.on_message(message);
            }
        }
        self.mark("released", json!({ "exchange": exchange.number }));
        let found = reader.unterminated();
        let found = &found;
        self.tell(&Event::Found { exchange, found });
        self.changed.notify_waiters();
    }
}

/// Whether messages may be posted there: at the origin of the stream, for the user's headers go
/// along, or from one name of this machine to another.
fn is_within_reach(stream: &Url, target: &Url) -> bool {
    origin(stream) == origin(target) || is_loopback(stream) && is_loopback(target)
}
