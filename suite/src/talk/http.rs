//! Single HTTP requests, for cases about the transport itself.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use super::{Talk, Waiting};
use crate::{
    case::{Stop, unverified},
    session::{ACCEPT, Posting},
    spec::{Revision, Transport},
    tape::{Excerpt, Exchange, Id, Kind, Message, Stream},
    transport::{Raw, Request},
};

/// A request that is being made up; it begins as a good client's.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(super) request: Request,
}

impl Draft {
    /// Sets a header, in the place of any of that name in any case.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Draft {
        self = self.without(name);
        self.request
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a header out altogether.
    pub(crate) fn without(mut self, name: &str) -> Draft {
        self.request
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if name.eq_ignore_ascii_case("accept") {
            // An ordinary client adds one of its own.
            return self.raw();
        }
        self
    }

    /// Sends this text in the place of the message.
    pub(crate) fn body(mut self, text: impl Into<Bytes>) -> Draft {
        self.request.body = Some(text.into());
        self
    }

    /// Goes to another address.
    pub(crate) fn to(mut self, url: Url) -> Draft {
        self.request.url = url;
        self
    }

    /// Writes header names as they stand, in their order, and nothing besides.
    pub(crate) fn raw(mut self) -> Draft {
        self.request.raw.get_or_insert_with(Raw::default);
        self
    }

    /// Uses another method.
    pub(crate) fn method(mut self, method: &'static str) -> Draft {
        self.request.method = method;
        self
    }

    /// Sends the body in chunks.
    pub(crate) fn chunked(mut self) -> Draft {
        self.request.raw.get_or_insert_with(Raw::default).chunked = true;
        self
    }

    /// Says another `Host`.
    pub(crate) fn host(mut self, host: &str) -> Draft {
        self.request.raw.get_or_insert_with(Raw::default).host = Some(host.to_owned());
        self
    }

    /// Connects to this address, whatever the URL says.
    pub(crate) fn connect_to(mut self, address: SocketAddr) -> Draft {
        self.request.raw.get_or_insert_with(Raw::default).address = Some(address);
        self
    }
}

impl Talk {
    /// The URL that the user gave.
    pub(crate) fn url(&self) -> Result<Url, Stop> {
        match self.common.launcher.target.endpoint() {
            Some(endpoint) => Ok(endpoint.url.clone()),
            None => unverified("there is no URL"),
        }
    }

    /// Whether the server is on loopback: the host is localhost, ::1 or in 127.0.0.0/8.
    pub(crate) fn is_loopback(&self) -> bool {
        let endpoint = self.common.launcher.target.endpoint();
        endpoint.is_some_and(|endpoint| endpoint.is_loopback())
    }

    /// Where messages are posted in this session.
    pub(crate) fn endpoint(&self) -> Result<Url, Stop> {
        match self.session.endpoint_url() {
            Some(url) => Ok(url),
            None => {
                unverified("the stream has named no endpoint, see http-sse/endpoint-event-sent")
            }
        }
    }

    /// A post of this message, with the headers of the session.
    pub(crate) fn post(&self, message: &Value) -> Result<Draft, Stop> {
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Accept".to_owned(), ACCEPT.to_owned()),
        ];
        headers.extend(self.session.session_headers());
        Ok(Draft {
            request: Request {
                method: "POST",
                url: self.endpoint()?,
                headers,
                body: Some(Bytes::from(message.to_string())),
                raw: None,
            },
        })
    }

    /// A GET for an event stream: with the headers of the session over Streamable HTTP, of the
    /// address that the user gave over HTTP+SSE.
    pub(crate) fn get(&self) -> Result<Draft, Stop> {
        let mut headers = vec![("Accept".to_owned(), "text/event-stream".to_owned())];
        headers.extend(self.session.session_headers());
        self.without_body("GET", headers)
    }

    /// A DELETE of the session.
    pub(crate) fn delete(&self) -> Result<Draft, Stop> {
        self.without_body("DELETE", self.session.session_headers())
    }

    fn without_body(
        &self,
        method: &'static str,
        headers: Vec<(String, String)>,
    ) -> Result<Draft, Stop> {
        let url = match self.session.transport() {
            Transport::HttpSse => self.url()?,
            _ => self.endpoint()?,
        };
        Ok(Draft {
            request: Request {
                method,
                url,
                headers,
                body: None,
                raw: None,
            },
        })
    }

    /// Sends a request; what has come back shows in the posting as it comes. Messages in it are
    /// routed as in any session.
    pub(crate) fn dispatch(&self, draft: Draft) -> Rc<Posting> {
        let request = draft.request;
        self.note(Excerpt::of_request(self.session.now(), &request));
        self.session.exchange(request)
    }

    /// Sends a draft that holds a request with this id; [`Talk::finish`] waits for its answer,
    /// wherever that comes.
    pub(crate) fn begin_http(&self, draft: Draft, id: &str) -> Waiting {
        let receiver = self.session.expect(Id::Text(id.to_owned()));
        let begun = self.session.now();
        let posting = self.dispatch(draft);
        Waiting::new(receiver, posting, begun)
    }

    /// Sends a request and waits for the head of its answer, for the limit for one answer. An
    /// `Err` inside tells why there is none. Lack of credentials, and a server that is too busy,
    /// leave the case unverified.
    pub(crate) async fn exchange_http(
        &self,
        draft: Draft,
    ) -> Result<(Rc<Posting>, Result<Rc<Exchange>, String>), Stop> {
        let posting = self.dispatch(draft);
        let limit = self.session.limits.answer;
        let head = match timeout(limit, posting.head()).await {
            Ok(head) => head,
            Err(_) => Err(format!(
                "there is no status within {} s",
                limit.as_secs_f32()
            )),
        };
        if let Ok(exchange) = &head {
            self.note(Excerpt::of_exchange(self.session.now(), exchange));
            if exchange.turns_away() {
                return unverified(format!(
                    "the server answers with HTTP status {}",
                    exchange.status
                ));
            }
        }
        Ok((posting, head))
    }

    /// The same for requests that have to get a status.
    pub(crate) async fn answered_http(
        &self,
        draft: Draft,
    ) -> Result<(Rc<Posting>, Rc<Exchange>), Stop> {
        match self.exchange_http(draft).await? {
            (posting, Ok(exchange)) => Ok((posting, exchange)),
            (_, Err(reason)) => unverified(format!("a request has no answer: {reason}")),
        }
    }

    /// Waits for a response in an answer, for the limit for one answer; none if it ends without.
    pub(crate) async fn response_in(&self, posting: &Posting) -> Option<Message> {
        let is_response = |message: &Message| message.kind() == Kind::Response;
        let response = timeout(self.session.limits.answer, posting.message(is_response));
        let response = response.await.ok().flatten()?;
        self.note(Excerpt::of_message(self.session.now(), &response));
        Some(response)
    }

    /// If a request is answered by a stream that does not bring its response, and an ordinary
    /// list does not fare better, that is the cause. Pings and handshakes are answered all the
    /// time: one that is not has its own cause.
    pub(crate) async fn blame_stream(&self, posting: &Posting) -> Result<(), Stop> {
        let Some(exchange) = posting.known_head().filter(|head| head.is_stream()) else {
            return Ok(());
        };
        let request = exchange
            .request()
            .filter(|request| request.is_well_formed());
        let Some(id) = request.and_then(|request| request.id.as_ref()) else {
            return Ok(());
        };
        // Nobody owes an answer to what was cancelled.
        if self
            .session
            .with_state(|state| state.cancelled.contains(id))
            || matches!(
                request.and_then(|request| request.method.as_deref()),
                Some("ping" | "initialize")
            )
            || self.streams_serve().await?
        {
            return Ok(());
        }
        let (what, clause) = match posting.close() {
            None => ("stays open", "sse-brings-response"),
            Some(_) if self.revision() < Revision::V2025_11_25 => ("ends", "sse-not-closed-early"),
            Some(_) if posting.resumption().is_some() => ("ends", "sse-polling-completes"),
            Some(_) => ("ends", "sse-early-close-after-id"),
        };
        unverified(format!(
            "the stream that answers a request {what} without the response, see streamable-http/{clause}"
        ))
    }

    /// Whether an ordinary list is answered, or none is declared.
    async fn streams_serve(&self) -> Result<bool, Stop> {
        let Some(method) = self.list_method() else {
            return Ok(true);
        };
        let request = json!({ "jsonrpc": "2.0", "id": self.fresh_id(), "method": method });
        let posting = self.dispatch(self.post(&request)?);
        Ok(self.response_in(&posting).await.is_some())
    }

    /// Keeps the head of an answer as evidence.
    pub(crate) fn note_head(&self, exchange: &Exchange) {
        self.note(Excerpt::of_exchange(self.session.now(), exchange));
    }

    /// Whether the server has given the session an id.
    pub(crate) fn has_session_id(&self) -> bool {
        self.session.session_id().is_some()
    }

    /// A session id that no server has given.
    pub(crate) fn unknown_session_id(&self) -> String {
        format!("unknown-{}", self.session.nonce())
    }

    /// L, a list request that the declared capabilities offer.
    pub(crate) fn list_method(&self) -> Option<&'static str> {
        let offered = [
            ("tools", "tools/list"),
            ("resources", "resources/list"),
            ("prompts", "prompts/list"),
        ];
        let offered = offered.into_iter();
        let mut declared = offered.filter(|(feature, _)| self.session.declares(feature));
        declared.next().map(|(_, method)| method)
    }

    /// The GET for the stream that was opened with the session, if it was.
    pub(crate) fn standing(&self) -> Option<Rc<Posting>> {
        self.session.standing()
    }

    /// Whether a request of the session has been answered by a stream.
    pub(crate) fn has_streamed(&self) -> bool {
        self.session.with_state(|state| state.streamed)
    }

    /// The limit for one answer.
    pub(crate) fn answer_limit(&self) -> Duration {
        self.session.limits.answer
    }

    /// Waits until an answer has been read to its end, for the limit for one answer; false if it
    /// goes on.
    pub(crate) async fn read_out(&self, posting: &Posting) -> bool {
        let read = timeout(self.session.limits.answer, posting.ended())
            .await
            .is_ok();
        let body = posting.body();
        if !body.is_empty() {
            self.note(Excerpt::new(Stream::Response, self.session.now(), &body));
        }
        read
    }
}
