//! The tasks that a session keeps.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::time::rfc3339;
use super::unknown;
use crate::message::RpcError;
use crate::outbox::Outbox;
use crate::policy::Policy;
use crate::session::Outcome;

/// How many tasks a session may have under way.
const MOST: usize = 100;

/// How often a client should ask, in milliseconds: the work is quick.
const POLL_INTERVAL: u64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// The tasks of a session, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    kept: Vec<Task>,
    opened: u64,
    changes: Arc<Notify>,
}

#[derive(Debug)]
struct Task {
    id: String,
    status: Status,
    message: Option<String>,
    created: SystemTime,
    updated: SystemTime,
    ttl: u64,
    expires: Instant,
    outcome: Option<Outcome>,
    work: Option<AbortHandle>,
    /// The requests for its result that are open, and where their answers go.
    awaited_by: Vec<(Value, Outbox)>,
}

impl Tasks {
    /// Opens a task that is kept for that many milliseconds, and says what its id is.
    pub(super) fn open(&mut self, ttl: u64, policy: &Policy) -> Result<String, RpcError> {
        self.purge();
        let under_way = |task: &&Task| !task.status.is_terminal();
        if self.kept.iter().filter(under_way).count() >= MOST {
            return Err(RpcError::new(-32603, "too many tasks are under way"));
        }
        self.opened += 1;
        let id = (policy.task_id)(self.opened)
            .ok_or_else(|| RpcError::new(-32603, "there is no randomness for an id"))?;
        let now = SystemTime::now();
        self.kept.push(Task {
            id: id.clone(),
            status: Status::Working,
            message: None,
            created: now,
            updated: now,
            ttl,
            expires: Instant::now() + Duration::from_millis(ttl),
            outcome: None,
            work: None,
            awaited_by: Vec::new(),
        });
        Ok(id)
    }

    /// Notes what can be stopped when the task is cancelled.
    pub(super) fn set_work(&mut self, id: &str, work: AbortHandle) {
        match self.find(id) {
            Some(task) if !task.status.is_terminal() => task.work = Some(work),
            // Another thread has cancelled it before it could begin.
            _ => work.abort(),
        }
    }

    /// The task as the client sees it.
    pub(super) fn shown(&mut self, id: &str) -> Option<Value> {
        self.find(id).map(|task| task.shown())
    }

    /// All tasks as the client sees them.
    pub(super) fn all(&mut self) -> Vec<Value> {
        self.purge();
        self.kept.iter().map(Task::shown).collect()
    }

    /// What became of a task: nothing yet, if it is under way.
    pub(super) fn outcome(&mut self, id: &str) -> Option<Option<Outcome>> {
        self.find(id).map(|task| task.outcome.clone())
    }

    /// Moves a task that is under way to another status; says whether there is one.
    pub(super) fn set_status(&mut self, id: &str, status: Status) -> bool {
        let task = self.find(id).filter(|task| !task.status.is_terminal());
        task.map(|task| task.turn(status, None)).is_some()
    }

    /// Ends a task with that outcome; says whether it did. One that was cancelled stays
    /// so if that is final.
    pub(super) fn end(&mut self, id: &str, outcome: Outcome, cancel_is_final: bool) -> bool {
        let Some(task) = self.find(id) else {
            return false;
        };
        if task.status.is_terminal() && cancel_is_final {
            return false;
        }
        match &outcome {
            Ok(result) if result["isError"] == true => {
                let text = result["content"][0]["text"].as_str();
                task.turn(Status::Failed, Some(text.unwrap_or("the tool failed")));
            }
            Ok(_) => task.turn(Status::Completed, Some("The work is done.")),
            Err(error) => task.turn(Status::Failed, Some(error.message())),
        }
        task.outcome = Some(outcome);
        true
    }

    /// Cancels a task that is under way, and returns the work that has to be stopped.
    pub(super) fn cancel(
        &mut self,
        id: &str,
        policy: &Policy,
    ) -> Result<Option<AbortHandle>, RpcError> {
        let task = self.find(id).ok_or_else(unknown)?;
        if task.status.is_terminal() {
            return if policy.ended_refuses_cancel {
                Err(RpcError::invalid_params("the task has ended already"))
            } else {
                Ok(None)
            };
        }
        task.turn(
            Status::Cancelled,
            Some("The client has cancelled the task."),
        );
        task.outcome = Some(Err(RpcError::invalid_params("the task was cancelled")));
        Ok(task.work.take().filter(|_| policy.cancel_is_final))
    }

    /// Notes that a request for the task's result is open.
    pub(super) fn wait_for(&mut self, id: &str, request: Value, outbox: Outbox) {
        if let Some(task) = self.find(id) {
            task.awaited_by.push((request, outbox));
            self.changes.notify_waiters();
        }
    }

    pub(super) fn wait_no_more(&mut self, id: &str, request: &Value) {
        if let Some(task) = self.find(id) {
            task.awaited_by.retain(|(open, _)| open != request);
        }
    }

    /// The latest request for the task's result that is open.
    pub(crate) fn awaited_by(&mut self, id: &str) -> Option<(Value, Outbox)> {
        self.find(id)?.awaited_by.last().cloned()
    }

    /// Tells of changes of any task.
    pub(super) fn changes(&self) -> Arc<Notify> {
        Arc::clone(&self.changes)
    }

    /// Stops all work.
    pub(crate) fn stop(self) {
        for work in self.kept.into_iter().filter_map(|task| task.work) {
            work.abort();
        }
    }

    /// The latest task of that id.
    fn find(&mut self, id: &str) -> Option<&mut Task> {
        self.purge();
        self.kept.iter_mut().rfind(|task| task.id == id)
    }

    /// Forgets the tasks whose time is over. Those under way have their work stopped when
    /// their time is over, and so have ended soon.
    fn purge(&mut self) {
        let now = Instant::now();
        self.kept
            .retain(|task| !task.status.is_terminal() || now < task.expires);
    }
}

impl Task {
    fn turn(&mut self, status: Status, message: Option<&str>) {
        self.status = status;
        self.message = message.map(str::to_owned);
        // The clock may have been set back.
        self.updated = self.updated.max(SystemTime::now());
    }

    fn shown(&self) -> Value {
        let mut task = json!({
            "taskId": self.id,
            "status": self.status.as_str(),
            "createdAt": rfc3339(self.created),
            "lastUpdatedAt": rfc3339(self.updated),
            "ttl": self.ttl,
            "pollInterval": POLL_INTERVAL,
        });
        if let Some(message) = &self.message {
            task["statusMessage"] = json!(message);
        }
        task
    }
}
