//! Tasks: calls that go on after they were answered, and what is asked about them.

mod store;
mod time;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{page, text};
use crate::message::{self, RpcError};
use crate::outbox::Outbox;
use crate::session::{Answer, Cause, Outcome, RELATED_TASK, Session};
use store::Status;
pub(crate) use store::Tasks;

/// For how long a task is kept if nobody asks for a time, in milliseconds.
const DEFAULT_TTL: u64 = 5 * 60 * 1000;

/// The key under which a new task has words for the model.
pub(crate) const IMMEDIATE_RESPONSE: &str = "io.modelcontextprotocol/model-immediate-response";

/// How long a task that is asked for with those params is kept, in milliseconds.
pub(crate) fn ttl(session: &Session, task: &Value) -> Result<u64, RpcError> {
    let Some(task) = task.as_object() else {
        return Err(RpcError::invalid_params("`task` must be an object"));
    };
    let longest = session.policy().longest_ttl;
    match task.get("ttl") {
        None => Ok(DEFAULT_TTL.min(longest)),
        Some(ttl) => match ttl.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is positive, and what is too large saturates"
            )]
            Some(ttl) if ttl >= 0.0 => Ok((ttl as u64).min(longest)),
            _ => Err(RpcError::invalid_params(
                "`ttl` must be a number from zero on",
            )),
        },
    }
}

/// Makes a task of what `run` does on behalf of it.
pub(crate) fn create(
    session: &Session,
    ttl: u64,
    run: impl FnOnce(Cause) -> Answer + Send + 'static,
) -> Answer {
    let opened = session.state().tasks.open(ttl, session.policy());
    let id = match opened {
        Ok(id) => id,
        Err(error) => return Answer::Now(Err(error)),
    };
    let work = work(session.clone(), id.clone(), ttl, run);
    let session = session.clone();
    if session.policy().announces_first {
        let created = created(&session, &id);
        Answer::Then(
            created,
            Box::new(move || {
                // The lock is held until the handle is in, lest the work ends before.
                let mut state = session.state();
                let handle = tokio::spawn(work).abort_handle();
                state.tasks.set_work(&id, handle);
            }),
        )
    } else {
        Answer::later(async move {
            work.await;
            created(&session, &id)
        })
    }
}

fn created(session: &Session, id: &str) -> Outcome {
    let task = session.state().tasks.shown(id).ok_or_else(unknown)?;
    let words = "The work has begun; its result can be asked for later.";
    Ok(json!({ "task": task, "_meta": { IMMEDIATE_RESPONSE: words } }))
}

async fn work(
    session: Session,
    id: String,
    ttl: u64,
    run: impl FnOnce(Cause) -> Answer + Send + 'static,
) {
    let outcome = match run(Cause::Task(id.clone())) {
        Answer::Now(outcome) => outcome,
        Answer::Then(outcome, then) => {
            then();
            outcome
        }
        // Nobody can ask for what becomes of it later than that.
        Answer::Later(outcome) => tokio::time::timeout(Duration::from_millis(ttl), outcome)
            .await
            .unwrap_or_else(|_| Err(RpcError::new(-32603, "the time to live is over"))),
    };
    let is_final = session.policy().cancel_is_final;
    let ended = session.state().tasks.end(&id, outcome, is_final);
    if ended {
        notify(&session, &id);
    }
}

/// Serves `tasks/get`.
pub(crate) fn get(session: &Session, params: &Map<String, Value>) -> Outcome {
    let id = text(params, "taskId")?;
    session.state().tasks.shown(id).ok_or_else(unknown)
}

/// Serves `tasks/list`.
pub(crate) fn list(session: &Session, params: &Map<String, Value>) -> Outcome {
    let tasks = session.state().tasks.all();
    page::page("tasks", tasks, params)
}

/// Serves `tasks/cancel`.
pub(crate) fn cancel(session: &Session, params: &Map<String, Value>) -> Outcome {
    let id = text(params, "taskId")?;
    let cancelled = session.state().tasks.cancel(id, session.policy())?;
    if let Some(work) = cancelled {
        work.abort();
    }
    notify(session, id);
    session.state().tasks.shown(id).ok_or_else(unknown)
}

/// Serves `tasks/result`.
pub(crate) fn result(
    session: &Session,
    outbox: &Outbox,
    request: Value,
    params: &Map<String, Value>,
) -> Answer {
    let id = match text(params, "taskId") {
        Ok(id) => id.to_owned(),
        Err(error) => return Answer::Now(Err(error)),
    };
    let outcome = session.state().tasks.outcome(&id);
    match outcome {
        None => Answer::Now(Err(unknown())),
        Some(Some(outcome)) => Answer::Now(related(outcome, &id)),
        Some(None) if !session.policy().result_waits => {
            Answer::Now(related(Ok(json!({ "content": [] })), &id))
        }
        Some(None) => {
            let open = Open::new(session, outbox, &id, request);
            Answer::later(async move { related(open.outcome().await, &id) })
        }
    }
}

/// A `tasks/result` that waits for the end of its task.
struct Open {
    session: Session,
    task: String,
    request: Value,
}

impl Open {
    fn new(session: &Session, outbox: &Outbox, task: &str, request: Value) -> Self {
        let mut state = session.state();
        state.tasks.wait_for(task, request.clone(), outbox.clone());
        drop(state);
        Self {
            session: session.clone(),
            task: task.to_owned(),
            request,
        }
    }

    async fn outcome(&self) -> Outcome {
        let changes = self.session.state().tasks.changes();
        loop {
            let changed = changes.notified();
            let outcome = self.session.state().tasks.outcome(&self.task);
            match outcome {
                None => return Err(unknown()),
                Some(Some(outcome)) => return outcome,
                Some(None) => changed.await,
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.session.state();
        state.tasks.wait_no_more(&self.task, &self.request);
    }
}

/// A task that needs something of the client before it can go on.
pub(crate) struct Waiting<'a> {
    session: &'a Session,
    task: &'a str,
}

impl<'a> Waiting<'a> {
    /// Shows that the task needs input, and waits until the client asks for the result:
    /// whatever the transport, the answer to that request can carry a question.
    pub(crate) async fn begin(session: &'a Session, task: &'a str) -> Self {
        let waiting = Self { session, task };
        waiting.show(Status::InputRequired);
        let changes = session.state().tasks.changes();
        loop {
            let changed = changes.notified();
            let awaited = session.state().tasks.awaited_by(task).is_some();
            if awaited || !session.policy().waits_to_be_asked {
                return waiting;
            }
            changed.await;
        }
    }

    fn show(&self, status: Status) {
        let changed = self.session.state().tasks.set_status(self.task, status);
        if changed {
            notify(self.session, self.task);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.show(Status::Working);
    }
}

/// Tells the client of a task's new status.
fn notify(session: &Session, id: &str) {
    let task = session.state().tasks.shown(id);
    if let Some(task) = task {
        let message = message::notification("notifications/tasks/status", task);
        session.tell_of(id, message);
    }
    // Whoever waits for a task hears of it behind the client.
    let changes = session.state().tasks.changes();
    changes.notify_waiters();
}

fn related(outcome: Outcome, id: &str) -> Outcome {
    outcome.map(|mut result| {
        result["_meta"][RELATED_TASK] = json!({ "taskId": id });
        result
    })
}

fn unknown() -> RpcError {
    RpcError::invalid_params("there is no such task, or no longer")
}
