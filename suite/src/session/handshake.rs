//! The handshake of the revisions up to 2025-11-25.

use std::{rc::Rc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Session, peer};
use crate::{
    spec::Revision,
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
    Refused {
        /// The code, if it is a number.
        code: Option<i64>,
        /// The error as it stands, its beginning.
        error: String,
    },
    /// The process ended before it answered.
    Died,
    /// It writes without bounds.
    Flood(String),
    /// Nothing came within the limit.
    Silent,
    /// The answer stands on stderr, and on stdout there is none.
    OnStderr,
}

impl Session {
    /// Sends `initialize`, waits for the answer, and sends `notifications/initialized`.
    pub(crate) async fn handshake(
        self: &Rc<Self>,
        newline: Newline,
        limit: Duration,
    ) -> Result<(), OpenFailure> {
        let mut receiver = self.expect(Id::Text("initialize".to_owned()));
        let request = newline.end(&self.initialize());
        // A write that fails shows as the end of stdout, with a better reason.
        let written = self.write(&[request.as_bytes()], Duration::ZERO).await;
        if written.is_err() {
            timeout(limit, self.until(|state| state.stdout_ended))
                .await
                .ok();
        }
        let deadline = Instant::now() + limit;
        let answer = tokio::select! {
            biased;
            answer = self.answer(&mut receiver, self.now(), deadline) => answer,
            () = self.only_on_stderr() => return Err(OpenFailure::OnStderr),
            () = self.only_garbled() => return Err(OpenFailure::Silent),
        };
        let Some(answer) = answer else {
            return Err(match self.with_state(|state| state.flood.clone()) {
                Some(flood) => OpenFailure::Flood(flood),
                None if self.has_ended() => OpenFailure::Died,
                None => OpenFailure::Silent,
            });
        };
        let message = answer.message.value().cloned().unwrap_or_default();
        let Some(result) = message.get("result") else {
            let error = message.get("error").unwrap_or(&Value::Null);
            return Err(OpenFailure::Refused {
                code: error["code"].as_i64(),
                error: beginning(&error.to_string(), 300),
            });
        };
        let Some(offered) = result["protocolVersion"].as_str() else {
            return Err(OpenFailure::NoVersion);
        };
        if offered != self.revision.as_str() {
            return Err(OpenFailure::OtherRevision(beginning(offered, 40)));
        }
        self.opened_with(result);
        let initialized = newline.end(&json!({
            "jsonrpc": "2.0",
            "method": "notifications/initialized",
        }));
        // A server that is gone by now has spoken all the same; the cases will meet it.
        self.write(&[initialized.as_bytes()], Duration::ZERO)
            .await
            .ok();
        Ok(())
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
}

/// The first `letters` of a text, escaped.
fn beginning(text: &str, letters: usize) -> String {
    escaped(text.chars().take(letters).collect::<String>())
}
