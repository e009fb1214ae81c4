//! The end of a session: stdin is closed, stdout read to its end, and the process waited for.

use std::{rc::Rc, time::Duration};

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{
    Session,
    wire::{Pipes, Wire},
};
use crate::{tape::Event, target::Ended};

/// How a session is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// As the specification says, with the whole limit for the server to exit.
    Orderly,
    /// The same with the quiet window for a limit: the verdict on the exit is made elsewhere.
    Quickly,
    /// As a client that goes without a word: connections are closed, and nothing is said.
    Abandoned,
    /// SIGTERM with stdin open.
    Signal,
}

/// How a session has ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// How long the process lived on after the signal to stop (stdin closed, or SIGTERM).
    /// None if it outlived the limit.
    pub(crate) exited_after: Option<Duration>,
    /// What was waited at most.
    pub(crate) limit: Duration,
    /// Whether the process had children of its own when it outlived the limit.
    pub(crate) launcher: bool,
}

impl Session {
    /// Closes stdin; true if it was open.
    pub(crate) async fn close_stdin(&self) -> bool {
        let Wire::Stdio(pipes) = &self.wire else {
            return false;
        };
        let open = pipes.stdin.lock().await.take().is_some();
        if open {
            self.mark("closed", json!({ "stream": "stdin" }));
            self.tell(&Event::StdinClosed);
        }
        open
    }

    /// Ends the session and its process; reads what still comes.
    pub(crate) async fn end(self: &Rc<Self>, how: How) -> End {
        self.ending.set(true);
        match &self.wire {
            Wire::Stdio(pipes) => self.end_process(pipes, how).await,
            Wire::Http(http) => self.end_http(http, how).await,
        }
    }

    async fn end_process(&self, pipes: &Pipes, how: How) -> End {
        let begin = Instant::now();
        let limit = match how {
            How::Orderly | How::Signal => self.limits.exit,
            How::Quickly | How::Abandoned => self.limits.quiet,
        };
        let mut guard = pipes.process.lock().await;
        let Some(mut process) = guard.take() else {
            // Only one end is ever asked for; a second finds the process gone.
            return End {
                exited_after: None,
                limit,
                launcher: false,
            };
        };
        if how == How::Signal {
            process.terminate();
            self.mark("terminated", json!({}));
            self.tell(&Event::Terminated);
        } else {
            self.close_stdin().await;
        }
        let status = process.wait(limit).await;
        let exited_after = status.is_some().then(|| begin.elapsed());
        let launcher = exited_after.is_none() && process.has_children();
        let mut killed = exited_after.is_none();
        if status.is_some() {
            // A child of the server may still hold the pipe; it has had its chance.
            let drained = timeout(
                self.limits.quiet,
                self.until(|state| state.ended && state.stderr_ended),
            );
            killed = drained.await.is_err() && !self.has_ended();
        }
        let cut = killed && !self.has_ended();
        self.state.borrow_mut().cut = cut;
        let mut ended = process.end(self.limits.quiet).await;
        if let Some(status) = status {
            ended = if how == How::Signal {
                Ended::Terminated(status)
            } else {
                Ended::Itself(status)
            };
        }
        self.close_stdin().await;
        // With the whole tree gone the pipes end at once, unless a stranger holds them.
        timeout(
            self.limits.quiet,
            self.until(|state| state.ended && state.stderr_ended),
        )
        .await
        .ok();
        self.tell(&Event::StdoutEnded { killed });
        for (id, text) in self.answers_on_stderr() {
            self.tell(&Event::AnswerOnStderr {
                id: &id,
                text: &text,
            });
        }
        let not_utf8 = self.with_state(|state| state.stderr.not_utf8.clone());
        self.tell(&Event::StderrEnded {
            not_utf8: not_utf8.as_deref(),
        });
        let orderly = exited_after.is_some() && !killed;
        self.tell(&Event::Ended { orderly });
        let status = match &ended {
            Ended::Itself(status) | Ended::Terminated(status) => status.as_str(),
            Ended::Killed => "killed",
        };
        self.mark(
            "ended",
            json!({ "status": status, "killed": killed, "cut": cut, "orderly": orderly }),
        );
        End {
            exited_after,
            limit,
            launcher,
        }
    }
}
