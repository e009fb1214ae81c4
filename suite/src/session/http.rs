//! A session over HTTP: messages are posted, answers and streams read as they come.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::{
    Broken, End, How, PostEnd, Posting, Refusal, Session,
    sse::Held,
    wire::{Http, Wire},
};
use crate::{
    spec::{Revision, Transport},
    tape::{Close, Event, Excerpt, Exchange, Id, Kind, Message, Stream, Whole, read_value},
    transport::{ClientError, Opened, Request, SseEvent, SseFlawKind, SseFound, SseReader, origin},
};

/// Both forms of an answer, as every client accepts them.
pub(crate) const ACCEPT: &str = "application/json, text/event-stream";
/// A body that is read no further.
const BODY_LIMIT: u64 = 256 * 1024 * 1024;
/// Whoever is told to come later comes so often.
const RETRIES: u32 = 3;

impl Session {
    /// The state of a session over HTTP.
    pub(super) fn http(&self) -> Option<&Http> {
        match &self.wire {
            Wire::Http(http) => Some(http),
            Wire::Stdio(_) => None,
        }
    }

    /// Opens the event stream of HTTP+SSE, which is the session.
    pub(super) fn connect(self: &Rc<Self>, stream: Url) {
        let request = Request {
            method: "GET",
            url: stream,
            headers: vec![("Accept".to_owned(), "text/event-stream".to_owned())],
            body: None,
            raw: None,
        };
        let posting = self.spawn(request, Vec::new(), false);
        if let Some(http) = self.http() {
            *http.standing.borrow_mut() = Some(posting);
        }
    }

    /// Opens a stream for what the server says on its own account, if it offers one.
    pub(crate) fn listen(self: &Rc<Self>) {
        let Some(http) = self.http() else {
            return;
        };
        let (Some(url), None) = (http.url.borrow().clone(), &http.stream) else {
            return;
        };
        let mut headers = vec![("Accept".to_owned(), "text/event-stream".to_owned())];
        headers.extend(self.session_headers());
        let request = Request {
            method: "GET",
            url,
            headers,
            body: None,
            raw: None,
        };
        *http.standing.borrow_mut() = Some(self.spawn(request, Vec::new(), false));
    }

    /// Closes that stream again if the server answers nothing while it stands open: one clause is
    /// broken by that, and all others can be judged without the stream.
    pub(super) async fn unblock(self: &Rc<Self>) {
        let Some(posting) = self.standing() else {
            return;
        };
        if self.transport() == Transport::HttpSse {
            return;
        }
        let opened = timeout(self.limits.quiet, posting.head()).await;
        let stands = matches!(opened, Ok(Ok(head)) if head.is_standing());
        if stands && self.sentinel().await.is_err() {
            posting.disconnect();
        }
    }

    /// The GET for a stream that was opened with the session; over HTTP+SSE the one that is it.
    pub(crate) fn standing(&self) -> Option<Rc<Posting>> {
        self.http()?.standing.borrow().clone()
    }

    /// Whether a GET stream is opened with the session.
    pub(super) fn listens(&self) -> bool {
        self.http().is_some_and(|http| http.listens.get())
    }

    /// Has a GET stream opened with the session.
    pub(crate) fn set_listens(&self) {
        if let Some(http) = self.http() {
            http.listens.set(true);
        }
    }

    /// The headers that a session gives every request of its own.
    pub(crate) fn session_headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let Some(http) = self.http().filter(|http| http.stream.is_none()) else {
            return headers;
        };
        if let Some(id) = &*http.session_id.borrow() {
            headers.push(("Mcp-Session-Id".to_owned(), id.clone()));
        }
        if self.revision >= Revision::V2025_06_18 && self.state.borrow().initialized.is_some() {
            let version = self.revision.as_str().to_owned();
            headers.push(("MCP-Protocol-Version".to_owned(), version));
        }
        headers
    }

    /// Posts a text; what becomes of it shows in the posting.
    pub(super) async fn post_over(
        self: &Rc<Self>,
        http: &Http,
        text: &[u8],
    ) -> Result<Rc<Posting>, Broken> {
        if http.stream.is_some() {
            self.endpoint_known(http).await;
        }
        if self.has_ended() {
            return Err(self.broken("the message"));
        }
        let Some(url) = http.url.borrow().clone() else {
            return Err(self.broken("the message"));
        };
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Accept".to_owned(), ACCEPT.to_owned()),
        ];
        headers.extend(self.session_headers());
        let request = Request {
            method: "POST",
            url,
            headers,
            body: Some(Bytes::copy_from_slice(text)),
            raw: None,
        };
        let posted = self.say_posted(&request);
        Ok(self.spawn(request, posted, true))
    }

    /// Sends a request; what comes back is routed as in any session, and shows in the posting.
    pub(crate) fn exchange(self: &Rc<Self>, request: Request) -> Rc<Posting> {
        let posted = self.say_posted(&request);
        for message in &posted {
            // Whoever looks into the posting waits for no answer, and yet it is none of nobody's.
            if let (Kind::Request, Some(id)) = (message.kind(), &message.id)
                && !self.with_state(|state| state.awaits(id))
            {
                drop(self.expect(id.clone()));
            }
        }
        self.spawn(request, posted, false)
    }

    fn say_posted(&self, request: &Request) -> Vec<Message> {
        let Some(body) = &request.body else {
            return Vec::new();
        };
        self.tell(&Event::Sent(body));
        let posted = Message::all_of(body);
        for message in &posted {
            self.tell(&Event::Said(message));
            if message.method.as_deref() == Some("notifications/cancelled")
                && let Some(id) = message.params().and_then(|params| params.get("requestId"))
            {
                self.state.borrow_mut().cancelled.insert(Id::of(id));
                self.changed.notify_waiters();
            }
        }
        posted
    }

    /// Where messages are posted, once that is known.
    pub(crate) fn endpoint_url(&self) -> Option<Url> {
        self.http()?.url.borrow().clone()
    }

    /// The session id that the server has given.
    pub(crate) fn session_id(&self) -> Option<String> {
        self.http()?.session_id.borrow().clone()
    }

    /// Whether another session of the run has the same id.
    pub(crate) fn shares_id(&self) -> bool {
        let id = self.session_id();
        id.is_some_and(|id| self.recorder.ids.is_shared(&id, self.number))
    }

    /// Whether the server, having answered `initialize`, keeps no session: it cannot know what came
    /// before.
    pub(crate) fn is_stateless(&self) -> bool {
        let http = self.http().filter(|http| http.stream.is_none());
        http.is_some_and(|http| http.session_id.borrow().is_none())
    }

    /// Forgets the session id: whoever has ended the session need not end it again.
    pub(crate) fn forget_session_id(&self) {
        if let Some(http) = self.http() {
            self.recorder.ids.release(self.number);
            *http.session_id.borrow_mut() = None;
        }
    }

    /// Sends a request; `resumes` if a stream that is let go before its end is to be taken up again.
    fn spawn(
        self: &Rc<Self>,
        request: Request,
        posted: Vec<Message>,
        resumes: bool,
    ) -> Rc<Posting> {
        let posting = Rc::new(Posting::default());
        let Some(http) = self.http() else {
            posting.end(PostEnd::Broke("there is no connection".to_owned()));
            return posting;
        };
        // The first stream of HTTP+SSE is the session.
        let carries = http.stream.is_some() && http.standing.borrow().is_none();
        let counts = request.method == "POST";
        if counts {
            http.posting.set(http.posting.get() + 1);
        }
        let (session, shown) = (Rc::clone(self), Rc::clone(&posting));
        let task = tokio::task::spawn_local(async move {
            let counted = Counted(counts.then(|| Rc::clone(&session)));
            let mut end = session.converse(request, posted, &shown).await;
            if resumes {
                end = session.resume(end, &shown).await;
            }
            if carries {
                session.close(match &end {
                    PostEnd::Read(_) => "the server ended the event stream".to_owned(),
                    PostEnd::Refused(refusal) => {
                        format!("the GET is answered with HTTP status {}", refusal.status)
                    }
                    PostEnd::Broke(reason) => reason.clone(),
                });
            }
            shown.end(end);
            drop(counted);
            session.changed.notify_waiters();
        });
        posting.begin(task.abort_handle());
        let mut tasks = http.tasks.borrow_mut();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task.abort_handle());
        drop(tasks);
        posting
    }

    /// One request and everything that answers it.
    pub(super) async fn converse(
        self: &Rc<Self>,
        mut request: Request,
        posted: Vec<Message>,
        posting: &Posting,
    ) -> PostEnd {
        let Some(http) = self.http() else {
            return PostEnd::Broke("there is no connection".to_owned());
        };
        let begun = Instant::now();
        let mut redirected = false;
        let mut retries = 0;
        let mut again = None;
        loop {
            let number = self.recorder.exchange();
            self.mark_request(number, &request, again.replace(number));
            let limit = self.limits.head();
            let is_raw = request.raw.is_some();
            let opened = match http.client.open(&request, number, limit).await {
                Ok(opened) => opened,
                Err(error) => {
                    if matches!(error, ClientError::Unreachable(_)) && !is_raw {
                        let mut state = self.state.borrow_mut();
                        state.ended = true;
                        state.closed.get_or_insert(error.to_string());
                    }
                    return PostEnd::Broke(error.to_string());
                }
            };
            let status = opened.exchange.status;
            let elsewhere =
                matches!(status, 301..=303) && request.method == "GET" && http.stream.is_some();
            if (matches!(status, 307 | 308) || elsewhere)
                && !redirected
                && let Some(target) = redirect(&request.url, &opened.exchange)
            {
                redirected = true;
                if request.method == "POST" && http.stream.is_none() {
                    *http.url.borrow_mut() = Some(target.clone());
                }
                request.url = target;
                self.mark_response(&opened.exchange, true);
                continue;
            }
            if opened.exchange.is_too_busy() && retries < RETRIES {
                let pause = retry_after(&opened.exchange);
                // Whoever waits for the answer counts this too; a refusal in time says more.
                let room = (self.limits.answer / 2).saturating_sub(begun.elapsed());
                if pause < room {
                    retries += 1;
                    self.mark_response(&opened.exchange, true);
                    self.note_busy();
                    sleep(pause).await;
                    self.note_busy();
                    continue;
                }
            }
            return self.answered(opened, posted, posting).await;
        }
    }

    /// Reads an answer whose head has come.
    async fn answered(
        self: &Rc<Self>,
        mut opened: Opened,
        posted: Vec<Message>,
        posting: &Posting,
    ) -> PostEnd {
        opened.exchange.posted = posted;
        let exchange = Rc::new(opened.exchange.clone());
        self.mark_response(&exchange, false);
        self.tell(&Event::Opened(&exchange));
        self.note_session_id(&exchange);
        if exchange.is_too_busy() {
            self.note_busy();
        }
        posting.headed(&exchange);
        if exchange.status < 400 && exchange.is_stream() {
            return self
                .read_stream(opened, exchange, Bytes::new(), posting)
                .await;
        }
        let mut first = match opened.chunk().await {
            Ok(first) => first,
            Err(reason) => return self.cut(&exchange, &[], Close::Cut, &reason),
        };
        // A stream under a wrong label is read all the same: the label is the finding.
        if first
            .as_ref()
            .is_some_and(|bytes| exchange.is_stream_by(bytes))
        {
            let begun = first.take().unwrap_or_default();
            return self.read_stream(opened, exchange, begun, posting).await;
        }
        let mut body = Whole::default();
        while let Some(bytes) = first {
            self.record(&exchange, &bytes);
            posting.bytes(&bytes);
            body.push(&bytes);
            if body.len() > BODY_LIMIT {
                return self.cut(&exchange, body.text(), Close::Ours, "it has no end");
            }
            first = match opened.chunk().await {
                Ok(next) => next,
                Err(reason) => return self.cut(&exchange, body.text(), Close::Cut, &reason),
            };
        }
        let messages = body.messages(exchange.status);
        self.note_body(&exchange, body.text(), messages.is_empty());
        let mut refusal = None;
        for mut message in messages {
            message.exchange = Some(Rc::clone(&exchange));
            refusal.get_or_insert_with(|| message.clone());
            posting.said(&message);
            if !self.is_twin(&message) {
                self.on_message(message);
            }
        }
        self.mark_closed(&exchange, Close::Ended);
        self.tell(&Event::Body {
            exchange: &exchange,
            body: body.text(),
            len: body.len(),
            whole: true,
        });
        self.changed.notify_waiters();
        if exchange.status >= 400 {
            return PostEnd::Refused(Refusal {
                status: exchange.status,
                message: refusal,
                at: self.now(),
            });
        }
        PostEnd::Read(exchange)
    }

    fn note_busy(&self) {
        self.state.borrow_mut().busy = Some(self.now());
    }

    /// An answer to a request that no client can read is damage.
    fn note_body(&self, exchange: &Exchange, body: &[u8], unread: bool) {
        let request = exchange
            .request()
            .filter(|request| request.is_well_formed());
        // Nobody owes an answer to what was cancelled.
        let is_owed = |request: &Message| match &request.id {
            Some(id) => !self.state.borrow().cancelled.contains(id),
            None => false,
        };
        let answers = request.is_some_and(is_owed);
        if self.transport() != Transport::StreamableHttp || !answers || exchange.status >= 300 {
            return;
        }
        let is_json = exchange.media_type().as_deref() == Some("application/json");
        // At the end of what was kept a character may be cut.
        let garbled = std::str::from_utf8(body).is_err_and(|error| error.error_len().is_some());
        let clause = if garbled {
            "streamable-http/body-utf8"
        } else if !unread {
            return;
        } else if is_json && !body.is_empty() {
            "streamable-http/json-answer-is-one-response"
        } else {
            "streamable-http/request-json-or-stream"
        };
        let excerpt = Excerpt::new(Stream::Response, self.now(), body);
        self.state.borrow_mut().damaged(clause, excerpt);
    }

    fn cut(&self, exchange: &Rc<Exchange>, body: &[u8], close: Close, reason: &str) -> PostEnd {
        let len = body.len() as u64;
        self.mark_closed(exchange, close);
        self.tell(&Event::Body {
            exchange,
            body,
            len,
            whole: false,
        });
        PostEnd::Broke(format!("the answer breaks off: {reason}"))
    }

    async fn read_stream(
        self: &Rc<Self>,
        mut opened: Opened,
        exchange: Rc<Exchange>,
        begun: Bytes,
        posting: &Posting,
    ) -> PostEnd {
        {
            let mut state = self.state.borrow_mut();
            state.streamed |= exchange.request().is_some();
            state.streams.push(Rc::clone(&exchange));
        }
        let _open = OpenStream(Rc::clone(self), Rc::clone(&exchange));
        let mut reader = SseReader::default();
        let mut chunk = Ok(Some(begun));
        let mut held = Held::default();
        let close = loop {
            match chunk {
                Ok(Some(bytes)) => {
                    self.record(&exchange, &bytes);
                    posting.bytes(&bytes);
                    self.stream_arrived(&exchange, posting, &mut held, |found| {
                        reader.push(&bytes, found);
                    });
                }
                Ok(None) => break Close::Ended,
                Err(_) => break Close::Cut,
            }
            if reader.pending_len() > BODY_LIMIT {
                break Close::Ours;
            }
            let whole = self.held_back(&reader, &held);
            if whole.is_empty() {
                chunk = opened.chunk().await;
                continue;
            }
            chunk = match timeout(self.silence_window(), opened.chunk()).await {
                Ok(chunk) => chunk,
                Err(_) => {
                    held.released = reader.pending().map_or(0, <[u8]>::len);
                    self.release(&exchange, posting, whole, &reader);
                    opened.chunk().await
                }
            };
        };
        if close != Close::Ours {
            self.stream_arrived(&exchange, posting, &mut held, |found| reader.end(found));
        }
        posting.closed(close);
        self.stream_closed(&exchange, close);
        match close {
            Close::Ended => PostEnd::Read(exchange),
            Close::Cut => PostEnd::Broke("the event stream breaks off".to_owned()),
            Close::Ours => PostEnd::Broke("an event has no end".to_owned()),
        }
    }

    /// Tells the end of a stream, once.
    fn stream_closed(&self, exchange: &Rc<Exchange>, close: Close) {
        let mut state = self.state.borrow_mut();
        let before = state.streams.len();
        state.streams.retain(|known| !Rc::ptr_eq(known, exchange));
        let was_open = state.streams.len() < before;
        drop(state);
        if !was_open {
            return;
        }
        self.mark_closed(exchange, close);
        self.tell(&Event::Closed { exchange, close });
        self.changed.notify_waiters();
    }

    /// Lets the reader run, then deals with what it found in order.
    fn stream_arrived(
        self: &Rc<Self>,
        exchange: &Rc<Exchange>,
        posting: &Posting,
        held: &mut Held,
        read: impl FnOnce(&mut dyn FnMut(SseFound)),
    ) {
        let mut all = Vec::new();
        read(&mut |found| all.push(found));
        for found in &all {
            if let SseFound::Event(event) = found {
                posting.event(event);
            }
            match found {
                SseFound::Event(event) if event.dispatched => {
                    // What was read before its end had come is not read again.
                    let read = std::mem::take(&mut held.released);
                    self.stream_event(exchange, posting, event, read);
                }
                SseFound::Flaw(flaw) => self.stream_flaw(flaw.kind, &flaw.line),
                _ => {}
            }
            self.tell(&Event::Found { exchange, found });
        }
        self.changed.notify_waiters();
    }

    fn stream_event(
        self: &Rc<Self>,
        exchange: &Rc<Exchange>,
        posting: &Posting,
        event: &SseEvent,
        read: usize,
    ) {
        let sse = self.http().is_some_and(|http| http.stream.is_some());
        let data = event.data.as_deref().unwrap_or_default();
        if sse && event.kind == "endpoint" {
            if self.is_carried_by(posting) {
                self.endpoint(exchange, data);
            }
            return;
        }
        let data = data.get(read..).unwrap_or_default();
        let mut messages = match &event.long {
            Some(message) => vec![message.clone()],
            None => read_value(data),
        };
        if messages.is_empty() && event.len > 0 && read == 0 {
            let clause = if sse {
                "http-sse/data-is-message"
            } else {
                "streamable-http/sse-data-is-message"
            };
            let excerpt = Excerpt::new(Stream::Response, self.now(), &event.raw);
            self.state.borrow_mut().damaged(clause, excerpt);
        }
        for message in &mut messages {
            message.exchange = Some(Rc::clone(exchange));
            posting.said(message);
            if !self.is_twin(message) {
                self.on_message(message.clone());
            }
        }
    }

    fn stream_flaw(&self, kind: SseFlawKind, line: &[u8]) {
        let sse = self.http().is_some_and(|http| http.stream.is_some());
        let clause = match (kind, sse) {
            (SseFlawKind::LostLine, true) => "http-sse/line-format",
            (SseFlawKind::LostLine, false) => "streamable-http/sse-line-format",
            (SseFlawKind::Unterminated, true) => "http-sse/event-terminated",
            (SseFlawKind::Unterminated, false) => "streamable-http/sse-event-terminated",
            (SseFlawKind::NotUtf8, true) => "http-sse/stream-utf8",
            (SseFlawKind::NotUtf8, false) => "streamable-http/sse-utf8",
            _ => return,
        };
        let excerpt = Excerpt::new(Stream::Response, self.now(), line);
        self.state.borrow_mut().damaged(clause, excerpt);
    }

    pub(super) fn close(&self, reason: String) {
        let mut state = self.state.borrow_mut();
        state.ended = true;
        state.closed.get_or_insert(reason);
    }

    fn note_session_id(&self, exchange: &Exchange) {
        let opens = exchange
            .posted
            .iter()
            .any(|message| message.method.as_deref() == Some("initialize"));
        let (Some(http), true) = (self.http(), opens && exchange.status < 300) else {
            return;
        };
        if let Some(id) = exchange.header("mcp-session-id") {
            self.recorder.ids.hold(&id, self.number);
            *http.session_id.borrow_mut() = Some(id);
        }
    }

    /// Ends a session over HTTP: what is under way is read, the session deleted, streams closed.
    pub(super) async fn end_http(self: &Rc<Self>, http: &Http, how: How) -> End {
        let quiet = self.limits.quiet;
        let over = End {
            exited_after: Some(Duration::ZERO),
            limit: quiet,
            launcher: false,
        };
        if http.over.replace(true) {
            return over;
        }
        let idle = self.until(|state| state.ended || http.posting.get() == 0);
        let orderly = timeout(quiet, idle).await.is_ok();
        let id = http.session_id.borrow_mut().take();
        let url = http.url.borrow().clone();
        let ids = &self.recorder.ids;
        ids.release(self.number);
        if let (Some(id), Some(url), None) = (id, url, &http.stream)
            && how != How::Abandoned
            // Whoever else has the id still needs it.
            && !ids.are_kept()
            && !ids.is_shared(&id, self.number)
        {
            *http.session_id.borrow_mut() = Some(id);
            let headers = self.session_headers();
            let request = Request {
                method: "DELETE",
                url,
                headers,
                body: None,
                raw: None,
            };
            // A server that does not take it has said so in the cases about it.
            let posting = Posting::default();
            let deleted = self.converse(request, Vec::new(), &posting);
            timeout(self.limits.answer, deleted).await.ok();
        }
        for task in http.tasks.take() {
            task.abort();
        }
        let streams = self.with_state(|state| state.streams.clone());
        for exchange in streams {
            self.stream_closed(&exchange, Close::Ours);
        }
        self.close("the session is over".to_owned());
        self.tell(&Event::Ended { orderly });
        self.mark("ended", json!({ "status": "closed", "orderly": orderly }));
        self.changed.notify_waiters();
        over
    }

    /// `again` is the exchange whose body is sent once more: it is not said twice.
    fn mark_request(&self, number: u32, request: &Request, again: Option<u32>) {
        let mut details = json!({
            "exchange": number,
            "method": request.method,
            "url": request.url.as_str(),
            "headers": request.headers,
        });
        if let Some(again) = again {
            details["again"] = again.into();
        }
        self.mark("request", details);
        if let (Some(transcript), Some(body), None) =
            (&self.recorder.transcript, &request.body, again)
        {
            transcript.bytes(self.now(), self.number, Stream::Request, Some(number), body);
        }
    }

    /// `followed` if the request is sent once more upon it: then nothing of it is judged.
    fn mark_response(&self, exchange: &Exchange, followed: bool) {
        let headers: Vec<_> = exchange
            .headers
            .iter()
            .map(|(name, value)| (name, String::from_utf8_lossy(value)))
            .collect();
        let mut details = json!({
            "exchange": exchange.number,
            "status": exchange.status,
            "headers": headers,
        });
        if followed {
            details["followed"] = true.into();
        }
        self.mark("response", details);
    }

    fn mark_closed(&self, exchange: &Exchange, close: Close) {
        let by = close.as_str();
        self.mark("closed", json!({ "exchange": exchange.number, "by": by }));
    }

    fn record(&self, exchange: &Exchange, bytes: &[u8]) {
        if let Some(transcript) = &self.recorder.transcript {
            transcript.bytes(
                self.now(),
                self.number,
                Stream::Response,
                Some(exchange.number),
                bytes,
            );
        }
    }

    /// Over which transport the session runs.
    pub(crate) fn transport(&self) -> Transport {
        match &self.wire {
            Wire::Stdio(_) => Transport::Stdio,
            Wire::Http(http) if http.stream.is_some() => Transport::HttpSse,
            Wire::Http(_) => Transport::StreamableHttp,
        }
    }
}

/// A stream that is read, until this is dropped: whoever stops reading has closed it.
struct OpenStream(Rc<Session>, Rc<Exchange>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.stream_closed(&self.1, Close::Ours);
    }
}

/// A post that is under way, until this is dropped.
struct Counted(Option<Rc<Session>>);

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(http) = self.0.as_ref().and_then(|session| session.http()) {
            http.posting.set(http.posting.get().saturating_sub(1));
        }
    }
}

/// Where a redirect leads, if that is the same host.
fn redirect(from: &Url, exchange: &Exchange) -> Option<Url> {
    let target = from.join(&exchange.header("location")?).ok()?;
    (origin(&target) == origin(from)).then_some(target)
}

/// How long a server asks to be left alone; a second if it does not say.
fn retry_after(exchange: &Exchange) -> Duration {
    let seconds = exchange
        .header("retry-after")
        .and_then(|text| text.trim().parse().ok());
    seconds.map_or(Duration::from_secs(1), Duration::from_secs)
}
