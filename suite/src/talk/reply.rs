//! Single messages and what answers them, alike on every transport.

use std::{cell::RefCell, fmt, rc::Rc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{PATIENCE, Talk};
use crate::{
    case::{Stop, unverified},
    session::{Answer, Broken, PostEnd, Posting, Refusal},
    spec::Transport,
    tape::{Excerpt, Id, Message},
};

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the server is silent about it: two sentinels were answered since, and the window for
    /// silence is over. For what is answered at once if at all.
    Settle,
    /// The whole limit for one answer, for what may take its time.
    Limit,
    /// The limit for the first answer of a session.
    First,
    /// As long as the user allows for what may take very long.
    Long,
}

/// What became of one message that was sent.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A response with its id.
    Answer(Answer),
    /// A response without an id, or with id null, that came after it.
    Nameless(Answer),
    /// An HTTP error status without a response that has the id.
    Refused(Refusal),
    /// Nothing, though the server goes on answering.
    Silent,
    /// Nothing, since the server ended, closed the connection, or answers nothing any more.
    Gone(Broken),
}

impl Reply {
    /// The response, whatever its id.
    pub(crate) fn message(&self) -> Option<&Message> {
        match self {
            Reply::Answer(answer) | Reply::Nameless(answer) => Some(&answer.message),
            Reply::Refused(refusal) => refusal.message.as_ref(),
            Reply::Silent | Reply::Gone(_) => None,
        }
    }

    /// The `result` of a response with the id of the request.
    pub(crate) fn result(&self) -> Option<&Value> {
        match self {
            Reply::Answer(answer) => answer.message.result(),
            _ => None,
        }
    }

    /// The members of the `result`, if it is an object.
    pub(crate) fn members(&self) -> Option<&Map<String, Value>> {
        self.result()?.as_object()
    }

    /// Whether it is a response with the id of the request and a `result`, of any kind and length.
    pub(crate) fn is_result(&self) -> bool {
        matches!(self, Reply::Answer(answer) if answer.message.has_result())
    }

    /// Whether it is an error response, with the id of the request or without one.
    pub(crate) fn is_error(&self) -> bool {
        self.message().is_some_and(Message::has_error)
    }

    /// Whether it is an error response or an HTTP refusal.
    pub(crate) fn is_refusal(&self) -> bool {
        self.is_error() || matches!(self, Reply::Refused(_))
    }

    /// The `error.code` of an error response.
    pub(crate) fn error_code(&self) -> Option<&Value> {
        self.message()?.error_code()
    }

    /// Whether it is an error response with this code.
    pub(crate) fn error_is(&self, code: i32) -> bool {
        self.message().is_some_and(|message| message.error_is(code))
    }

    /// Fails where a connection did: one that is cut off says nothing of what was sent.
    pub(crate) fn uncut(&self) -> Result<(), Stop> {
        match self {
            Reply::Gone(broken @ Broken::Cut(_)) => Err(broken.clone().into()),
            _ => Ok(()),
        }
    }

    /// Whether the server said nothing at all about it.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Reply::Silent | Reply::Gone(_))
    }
}

/// What became of it, to stand behind the name of what was sent: `is not answered`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Silent => f.write_str("is not answered"),
            Reply::Gone(broken) => write!(f, "is not answered: {broken}"),
            Reply::Refused(refusal) => write!(f, "is refused with HTTP status {}", refusal.status),
            Reply::Answer(answer) | Reply::Nameless(answer) => {
                let message = &answer.message;
                match message.error_code() {
                    Some(code) => write!(f, "is answered with the error {code}")?,
                    None if message.has_error() => f.write_str("is answered with an error")?,
                    None if message.has_result() => f.write_str("is answered with a result")?,
                    None => f.write_str("is answered with neither a result nor an error")?,
                }
                if matches!(self, Reply::Nameless(_)) {
                    f.write_str(" without the id")?;
                }
                Ok(())
            }
        }
    }
}

impl Talk {
    /// Sends a well-formed request under a fresh id. Pings are answered at once or never; what
    /// else is asked for may take the limit for one answer.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Reply, Stop> {
        self.ask_as(json!(self.fresh_id()), method, params).await
    }

    /// The same under an id of the case's choice; `params` are left out if they are null.
    pub(crate) async fn ask_as(
        &self,
        id: Value,
        method: &str,
        params: Value,
    ) -> Result<Reply, Stop> {
        let patience = if method == "ping" {
            Patience::Settle
        } else {
            Patience::Limit
        };
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        self.send(&request, patience).await
    }

    /// Sends any JSON value as a message and waits for what answers its `id`, if it has one that
    /// is not null.
    pub(crate) async fn send(&self, message: &Value, patience: Patience) -> Result<Reply, Stop> {
        let id = message.get("id").map(Id::of);
        self.send_text(message.to_string().as_bytes(), id, patience)
            .await
    }

    /// Sends a text as it stands (without a line feed) and waits for what answers `id`. Without
    /// an id only the HTTP status of a refusal, or a response without an id, can be the reply.
    pub(crate) async fn send_text(
        &self,
        text: &[u8],
        id: Option<Id>,
        patience: Patience,
    ) -> Result<Reply, Stop> {
        let waiting = self.begin(text, id).await?;
        self.finish(waiting, patience).await
    }

    /// Sends a text without waiting for its answer: [`Talk::finish`] does that later.
    pub(crate) async fn begin(&self, text: &[u8], id: Option<Id>) -> Result<Waiting, Stop> {
        let receiver = id.map(|id| self.session.expect(id));
        self.note(Excerpt::new(
            self.session.outward(),
            self.session.now(),
            text,
        ));
        let begun = self.session.now();
        let posting = self.session.post(text).await;
        Ok(Waiting {
            receiver,
            posting,
            sent: Instant::now(),
            begun,
            at: self.session.now(),
            came: None,
        })
    }

    /// Sends a text that holds several requests: what is waited for, by id.
    pub(crate) async fn begin_all(&self, text: &[u8], ids: &[Id]) -> Result<Vec<Waiting>, Stop> {
        let expect = |id: &Id| self.session.expect(id.clone());
        let receivers: Vec<_> = ids.iter().map(expect).collect();
        let sent = self.begin(text, None).await?;
        let waiting = receivers.into_iter().map(|receiver| Waiting {
            receiver: Some(receiver),
            posting: sent.posting.clone(),
            came: None,
            ..sent
        });
        Ok(waiting.collect())
    }

    /// What has become of it by now: for after [`Talk::fence`], which waits in its place. Over
    /// HTTP the end of the post is waited for.
    pub(crate) async fn so_far(&self, waiting: &mut Waiting) -> Reply {
        let end = match &waiting.posting {
            Err(broken) => return Reply::Gone(broken.clone()),
            Ok(None) => None,
            Ok(Some(posting)) => timeout(self.session.limits.answer, posting.ended())
                .await
                .ok(),
        };
        let received = waiting.receiver.as_mut().map(oneshot::Receiver::try_recv);
        let reply = match (received, end) {
            (Some(Ok(answer)), _) => Reply::Answer(answer),
            (_, Some(PostEnd::Refused(refusal))) => Reply::Refused(refusal),
            (_, Some(PostEnd::Broke(reason))) => Reply::Gone(Broken::Cut(reason)),
            _ => match self.nameless_since(waiting.begun) {
                Some(stray) => Reply::Nameless(stray),
                None if self.session.has_ended() => Reply::Gone(self.session.broken("the message")),
                None => Reply::Silent,
            },
        };
        self.logged(reply)
    }

    /// Waits for the answer to what was begun, so long at most. What has not come by then may
    /// still come: this can be asked again.
    pub(crate) async fn within(&self, waiting: &mut Waiting, window: Duration) -> Option<Reply> {
        let deadline = Instant::now() + window;
        if let Err(broken) = &waiting.posting {
            return Some(Reply::Gone(broken.clone()));
        }
        if let Some(receiver) = &mut waiting.receiver {
            if window > PATIENCE {
                self.leave_floor();
            }
            let posting = waiting.posting.as_ref().ok().and_then(Option::as_deref);
            let answer = self.session.answer(receiver, deadline);
            let came = tokio::select! {
                biased;
                answer = answer => answer.map(Reply::Answer),
                failure = failure(posting) => Some(failure),
            };
            if let Some(came) = came {
                waiting.receiver = None;
                waiting.came = Some(self.logged(came));
            }
        }
        let gone = || Reply::Gone(self.session.broken("the message"));
        let came = waiting.came.clone();
        came.or_else(|| self.session.has_ended().then(gone))
    }

    /// Waits for the answer to what was begun.
    pub(crate) async fn finish(&self, waiting: Waiting, patience: Patience) -> Result<Reply, Stop> {
        let Waiting {
            receiver,
            posting,
            sent,
            begun,
            at,
            ..
        } = waiting;
        let posting = match posting {
            Ok(posting) => posting,
            Err(broken) => {
                self.blame_connection()?;
                return Ok(Reply::Gone(broken));
            }
        };
        let Some(mut receiver) = receiver else {
            let failed = tokio::select! {
                biased;
                end = over(posting.as_deref()) => failed(end),
                () = tokio::time::sleep_until(sent), if posting.is_none() => None,
                () = tokio::time::sleep_until(sent + self.session.limits.answer) => None,
            };
            return self.refused(failed.unwrap_or(Reply::Silent));
        };
        let mut over = std::pin::pin!(over(posting.as_deref()));
        let mut is_over = false;
        let mut settles = patience == Patience::Settle;
        let mut refusal = None;
        let answer = loop {
            // Others may go on while this answer is late.
            let late = !self.floor_left.get();
            tokio::select! {
                biased;
                answer = self.answer_within(&mut receiver, sent, patience) => break answer,
                end = &mut over, if !is_over => {
                    is_over = true;
                    // What answers a post over Streamable HTTP stands in its answer, and has been
                    // read; over HTTP+SSE it comes on the stream.
                    settles |= self.session.transport() == Transport::StreamableHttp;
                    refusal = failed(end);
                    if refusal.is_some() {
                        break None;
                    }
                }
                () = tokio::time::sleep_until(sent + PATIENCE), if late => self.leave_floor(),
                () = self.session.silence(sent), if settles && !late => break None,
            }
        };
        if let Some(answer) = answer {
            if patience == Patience::Settle {
                self.session.note_ping(at, &answer);
            }
            return Ok(self.logged(Reply::Answer(answer)));
        }
        if let Some(refusal) = refusal {
            return self.refused(refusal);
        }
        if let Some(stray) = self.nameless_since(begun) {
            return Ok(self.logged(Reply::Nameless(stray)));
        }
        self.blame_damage()?;
        if let Some(posting) = &posting {
            self.blame_stream(posting).await?;
        }
        self.missing.borrow_mut().push(Missing::new(receiver));
        if self.session.has_ended() {
            return Ok(Reply::Gone(self.session.broken("the message")));
        }
        Ok(Reply::Silent)
    }

    async fn answer_within(
        &self,
        receiver: &mut oneshot::Receiver<Answer>,
        sent: Instant,
        patience: Patience,
    ) -> Option<Answer> {
        let limits = self.session.limits;
        let limit = match patience {
            Patience::First => limits.first_answer,
            Patience::Long => limits.long_wait.unwrap_or(limits.answer),
            Patience::Settle | Patience::Limit => {
                return self.session.answer_in_turn(receiver, sent).await;
            }
        };
        self.session.answer(receiver, sent + limit).await
    }

    /// If the GET for the stream of HTTP+SSE is refused while other sessions are open, that is the
    /// cause of everything that fails in this one.
    fn blame_connection(&self) -> Result<(), Stop> {
        match self.session.refused_stream() {
            Some(refusal) => unverified(format!(
                "a further session is refused with HTTP status {}, see \
                 http-sse/multiple-connections",
                refusal.status
            )),
            None => Ok(()),
        }
    }

    /// What has come for what was begun, if it has.
    pub(crate) fn came(&self, waiting: &mut Waiting) -> Option<Reply> {
        let received = waiting.receiver.as_mut().map(oneshot::Receiver::try_recv);
        if let Some(Ok(answer)) = received {
            waiting.receiver = None;
            waiting.came = Some(self.logged(Reply::Answer(answer)));
        }
        waiting.came.clone()
    }

    /// Sends a notification or a response; an HTTP refusal is told.
    pub(crate) async fn tell(&self, message: &Value) -> Result<Option<Refusal>, Stop> {
        let text = message.to_string();
        match self
            .send_text(text.as_bytes(), None, Patience::Settle)
            .await?
        {
            Reply::Refused(refusal) => Ok(Some(refusal)),
            Reply::Gone(broken) => Err(broken.into()),
            _ => Ok(None),
        }
    }

    /// Sends a ping and gives its answer: whether the server still serves.
    pub(crate) async fn serves(&self) -> Result<Reply, Stop> {
        self.ask("ping", Value::Null).await
    }

    /// The `result` of a request that has to be served for the case to see anything.
    pub(crate) async fn needs(&self, method: &str, params: Value) -> Result<Value, Stop> {
        let reply = self.ask(method, params).await?;
        match reply.result() {
            Some(result) => Ok(result.clone()),
            None => unverified(format!("`{method}` {reply}")),
        }
    }

    /// The first response without an id that came after `since` and is no answer to another case.
    fn nameless_since(&self, since: Duration) -> Option<Answer> {
        let strays = self.strays_of_turn();
        let stray = strays
            .into_iter()
            .find(|stray| stray.at >= since && stray.message.is_without_id())?;
        Some(Answer {
            message: stray.message,
            at: stray.at,
        })
    }

    /// A refusal, unless it is for lack of credentials or because the server is too busy: that says
    /// nothing about the message.
    fn refused(&self, reply: Reply) -> Result<Reply, Stop> {
        let reply = self.logged(reply);
        match &reply {
            Reply::Refused(refusal) if refusal.says_nothing() => {
                let status = refusal.status;
                unverified(format!("the server answers with HTTP status {status}"))
            }
            _ => Ok(reply),
        }
    }

    fn logged(&self, reply: Reply) -> Reply {
        match &reply {
            Reply::Answer(answer) | Reply::Nameless(answer) => {
                self.note(Excerpt::of_message(answer.at, &answer.message));
            }
            Reply::Refused(refusal) => self.note(match &refusal.message {
                Some(message) => Excerpt::of_message(refusal.at, message),
                None => Excerpt::of_status(refusal.at, refusal.status),
            }),
            Reply::Silent | Reply::Gone(_) => {}
        }
        reply
    }
}

/// Waits for the end of a post; over stdio there is none.
async fn over(posting: Option<&Posting>) -> PostEnd {
    match posting {
        None => std::future::pending().await,
        Some(posting) => posting.ended().await,
    }
}

/// Waits until a post fails: forever if it does not.
async fn failure(posting: Option<&Posting>) -> Reply {
    match failed(over(posting).await) {
        Some(reply) => reply,
        None => std::future::pending().await,
    }
}

/// How a post has failed, if it has.
fn failed(end: PostEnd) -> Option<Reply> {
    match end {
        PostEnd::Refused(refusal) => Some(Reply::Refused(refusal)),
        PostEnd::Broke(reason) => Some(Reply::Gone(Broken::Cut(reason))),
        PostEnd::Read(_) => None,
    }
}

/// An answer that had not come when it was waited for. Every case that has looked at what it was
/// missed in may ask for it.
#[derive(Clone)]
pub(super) struct Missing(Rc<RefCell<(oneshot::Receiver<Answer>, bool)>>);

impl Missing {
    pub(super) fn new(receiver: oneshot::Receiver<Answer>) -> Missing {
        Missing(Rc::new(RefCell::new((receiver, false))))
    }

    /// Whether it has come since.
    pub(super) fn has_come(&self) -> bool {
        let (receiver, has_come) = &mut *self.0.borrow_mut();
        *has_come |= receiver.try_recv().is_ok();
        *has_come
    }
}

/// A message that was sent and whose answer is still to be waited for.
pub(crate) struct Waiting {
    receiver: Option<oneshot::Receiver<Answer>>,
    posting: Result<Option<Rc<Posting>>, Broken>,
    sent: Instant,
    begun: Duration,
    at: Duration,
    /// What [`Talk::within`] has seen come.
    came: Option<Reply>,
}

impl Waiting {
    /// For the answer to a request that was posted just now.
    pub(super) fn new(
        receiver: oneshot::Receiver<Answer>,
        posting: Rc<Posting>,
        begun: Duration,
    ) -> Waiting {
        Waiting {
            receiver: Some(receiver),
            posting: Ok(Some(posting)),
            sent: Instant::now(),
            begun,
            at: begun,
            came: None,
        }
    }

    /// How the post ended over HTTP, within the limit for one answer.
    pub(crate) async fn posted(&self, limit: Duration) -> Option<PostEnd> {
        match &self.posting {
            Ok(Some(posting)) => timeout(limit, posting.ended()).await.ok(),
            _ => None,
        }
    }

    /// Whether its answer has come, and nobody has had it yet.
    pub(crate) fn has_come(&mut self) -> bool {
        let answer = self.receiver.as_mut().map(oneshot::Receiver::try_recv);
        matches!(answer, Some(Ok(_)))
    }

    /// When it was sent, counted from the start of the run.
    pub(crate) fn begun(&self) -> Duration {
        self.begun
    }
}
