//! The handshake of the revisions up to 2025-11-25.

use std::{future::pending, rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Broken, PostEnd, Posting, Session, peer};
use crate::{
    spec::{Revision, Transport},
    tape::{Event, Id, escaped},
};

/// How the lines of a handshake end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newline {
    Lf,
    CrLf,
}

impl Newline {
    pub(crate) fn end(self, message: &Value) -> String {
        match self {
            Newline::Lf => format!("{message}\n"),
            Newline::CrLf => format!("{message}\r\n"),
        }
    }
}

/// Why a session could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OpenFailure {
    /// The server offers another revision, or names none that we know.
    OtherRevision(String),
    /// The result names no version at all.
    NoVersion,
    /// `initialize` was answered by an error.
    Refused(Told),
    /// The process ended before it answered.
    Died,
    /// The post of `initialize` is refused with this HTTP status, and what its body says.
    Status(u16, Option<Told>),
    /// There is no connection, for this reason.
    Closed(String),
    /// It writes without bounds.
    Flood(String),
    /// Nothing came within the limit.
    Silent,
    /// The answer stands on stderr, and on stdout there is none.
    OnStderr,
}

impl OpenFailure {
    /// Whether the server named another revision.
    pub(crate) fn names_other(&self) -> bool {
        matches!(self, OpenFailure::OtherRevision(_))
    }

    /// The same for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            OpenFailure::OtherRevision(offered) => {
                format!("`initialize` is answered with revision `{offered}`")
            }
            OpenFailure::NoVersion => {
                "the answer to `initialize` names no protocol version".to_owned()
            }
            OpenFailure::Refused(told) => format!("`initialize` is refused: {}", told.error),
            OpenFailure::Status(401 | 403, _) => {
                "`initialize` is refused for lack of credentials; \
                 give them with --header 'Authorization: Bearer …'"
                    .to_owned()
            }
            OpenFailure::Status(status, None) => {
                format!("`initialize` is answered with HTTP status {status}")
            }
            OpenFailure::Status(status, Some(told)) => {
                format!(
                    "`initialize` is answered with HTTP status {status}: {}",
                    told.error
                )
            }
            OpenFailure::Closed(reason) => reason.clone(),
            OpenFailure::Died => "the process ended before it answered `initialize`".to_owned(),
            OpenFailure::Flood(flood) => format!("the server floods its stdout: {flood}"),
            OpenFailure::Silent => "`initialize` was not answered; does the command start an MCP \
                 server on stdio?"
                .to_owned(),
            OpenFailure::OnStderr => "`initialize` is answered on stderr".to_owned(),
        }
    }
}

/// The error that `initialize` was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The code, if it is an integer.
    pub(crate) code: Option<i64>,
    /// The error as it stands, its beginning.
    pub(crate) error: String,
}

impl Told {
    fn of(error: &Value) -> Told {
        Told {
            code: error["code"].as_i64(),
            error: beginning(&error.to_string(), 300),
        }
    }
}

impl Session {
    /// Sends `initialize`, waits for the answer, and sends `notifications/initialized`.
    pub(crate) async fn handshake(
        self: &Rc<Self>,
        newline: Newline,
        limit: Duration,
    ) -> Result<(), OpenFailure> {
        let mut receiver = self.expect(Id::Text("initialize".to_owned()));
        // A write that fails shows as the end of stdout, with a better reason.
        let written = self.say(newline, &self.initialize()).await;
        let posting = written.as_ref().ok().cloned().flatten();
        if written.is_err() {
            timeout(limit, self.until(|state| state.ended)).await.ok();
        }
        let deadline = Instant::now() + limit;
        let answer = tokio::select! {
            biased;
            answer = self.answer(&mut receiver, deadline) => answer,
            () = self.only_on_stderr() => return Err(OpenFailure::OnStderr),
            () = self.only_garbled() => return Err(OpenFailure::Silent),
            refusal = self.refused(posting.as_deref()) => return Err(refusal),
        };
        let Some(answer) = answer else {
            return Err(match self.with_state(|state| state.flood.clone()) {
                Some(flood) => OpenFailure::Flood(flood),
                None if self.has_ended() => match self.with_state(|state| state.closed.clone()) {
                    Some(reason) => OpenFailure::Closed(reason),
                    None => OpenFailure::Died,
                },
                None => OpenFailure::Silent,
            });
        };
        let message = answer.message.value().cloned().unwrap_or_default();
        let Some(result) = answer.message.result().cloned() else {
            let error = message.get("error").unwrap_or(&Value::Null);
            return Err(OpenFailure::Refused(Told::of(error)));
        };
        let Some(offered) = result["protocolVersion"].as_str() else {
            return Err(OpenFailure::NoVersion);
        };
        if offered != self.revision.as_str() {
            return Err(OpenFailure::OtherRevision(beginning(offered, 40)));
        }
        self.opened_with(&result);
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        // A server that is gone by now has spoken all the same; the cases will meet it.
        if let Ok(Some(posting)) = self.say(newline, &initialized).await {
            // Over HTTP what is posted next could overtake it.
            timeout(self.limits.answer, posting.ended()).await.ok();
        }
        if self.listens() {
            self.listen();
            self.unblock().await;
        }
        Ok(())
    }

    /// Sends a message, over stdio with this line end.
    async fn say(
        self: &Rc<Self>,
        newline: Newline,
        message: &Value,
    ) -> Result<Option<Rc<Posting>>, Broken> {
        if self.transport() == Transport::Stdio {
            let line = newline.end(message);
            self.write(&[line.as_bytes()], Duration::ZERO).await?;
            return Ok(None);
        }
        self.post(message.to_string().as_bytes()).await
    }

    /// Notes the result of `initialize`, if it names the revision of the session.
    pub(crate) fn opened_with(&self, result: &Value) {
        if result["protocolVersion"] == self.revision.as_str() {
            self.state.borrow_mut().initialized = Some(result.clone());
        }
    }

    /// The request that opens a session.
    pub(crate) fn initialize(&self) -> Value {
        let mut client = json!({ "name": "mcp-conform", "version": env!("CARGO_PKG_VERSION") });
        if self.revision >= Revision::V2025_06_18 {
            client["title"] = json!("mcp-conform");
        }
        json!({
            "jsonrpc": "2.0",
            "id": "initialize",
            "method": "initialize",
            "params": {
                "protocolVersion": self.revision.as_str(),
                "capabilities": peer::capabilities(self.revision, self.manner.get()),
                "clientInfo": client,
            },
        })
    }

    /// Notes that the first answer is not coming; what is held back shows once stdin is closed.
    pub(crate) fn give_up(&self) {
        self.mark("gave-up", json!({}));
        self.tell(&Event::GaveUp);
    }

    /// Completes when something that means to be a message has come, and no message in the time
    /// for one answer since.
    async fn only_garbled(&self) {
        self.until(|state| state.garbled).await;
        sleep_until(Instant::now() + self.limits.answer).await;
    }

    /// Completes when an open request has been answered on stderr, and stdout has had the
    /// time for one answer since.
    async fn only_on_stderr(&self) {
        self.until(|state| state.stderr.answers.iter().any(|(id, _)| state.awaits(id)))
            .await;
        sleep_until(Instant::now() + self.limits.answer).await;
    }

    /// Completes when the post has failed.
    async fn refused(&self, posting: Option<&Posting>) -> OpenFailure {
        let Some(posting) = posting else {
            return pending().await;
        };
        match posting.ended().await {
            PostEnd::Refused(refusal) => {
                let error = refusal
                    .message
                    .as_ref()
                    .and_then(|message| message.get("error"));
                OpenFailure::Status(refusal.status, error.map(Told::of))
            }
            PostEnd::Broke(reason) => OpenFailure::Closed(reason),
            // The answer comes on the stream of the session.
            PostEnd::Read(_) if self.transport() == Transport::HttpSse => pending().await,
            PostEnd::Read(exchange) => {
                // A page, or the way to one, brings no message later.
                let is_page = exchange.media_type().as_deref() == Some("text/html");
                if exchange.status < 300 && !is_page {
                    sleep_until(Instant::now() + self.limits.answer).await;
                }
                OpenFailure::Silent
            }
        }
    }
}

/// The first `letters` of a text, escaped.
fn beginning(text: &str, letters: usize) -> String {
    escaped(text.chars().take(letters).collect::<String>())
}
