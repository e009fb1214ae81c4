use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::Ledger;
use crate::tape::{Kind, Message, instant};

/// So many tasks are remembered.
const KEPT: usize = 1024;

/// What a task is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is being worked on.
    Working,
    /// It needs something of the client.
    InputRequired,
    /// It has ended well.
    Completed,
    /// It has ended badly.
    Failed,
    /// It was ended by the client.
    Cancelled,
}

impl Status {
    /// The status of this name.
    pub fn named(name: &str) -> Option<Status> {
        Some(match name {
            "working" => Status::Working,
            "input_required" => Status::InputRequired,
            "completed" => Status::Completed,
            "failed" => Status::Failed,
            "cancelled" => Status::Cancelled,
            _ => return None,
        })
    }

    /// The status that a name is meant for: one that is misspelt is still told apart, so that one
    /// wrong word is one violation.
    pub fn meant(name: &str) -> Option<Status> {
        let plain = name.to_ascii_lowercase().replace(['-', '_', ' '], "");
        Some(match plain.as_str() {
            "working" | "running" | "pending" | "inprogress" | "submitted" => Status::Working,
            "inputrequired" => Status::InputRequired,
            "completed" | "complete" | "done" | "succeeded" => Status::Completed,
            "failed" | "error" => Status::Failed,
            "cancelled" | "canceled" => Status::Cancelled,
            _ => return None,
        })
    }

    /// What the `status` of a task object is meant for.
    pub fn of(task: &Value) -> Option<Status> {
        Status::meant(task.get("status")?.as_str()?)
    }

    /// Whether nothing comes after it.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Status::Working | Status::InputRequired)
    }
}

/// Which message shows a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The answer to a call that became a task.
    Created,
    /// The answer to `tasks/get`.
    Got,
    /// The answer to `tasks/list`.
    Listed,
    /// The answer to `tasks/cancel`.
    Cancelled,
    /// `notifications/tasks/status`.
    Notified,
}

impl Shows {
    /// What the message of the server shows, if it shows tasks.
    pub(super) fn of(message: &Message, client: &Ledger) -> Option<Shows> {
        match message.kind() {
            Kind::Notification => (message.method.as_deref() == Some("notifications/tasks/status"))
                .then_some(Shows::Notified),
            Kind::Response if message.has_result() => {
                let asked = client.asked(message)?;
                match &*asked.method {
                    "tools/call" => asked.task.then_some(Shows::Created),
                    "tasks/get" => Some(Shows::Got),
                    "tasks/list" => Some(Shows::Listed),
                    "tasks/cancel" => Some(Shows::Cancelled),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The task objects in the message.
    pub fn tasks(self, message: &Message) -> impl Iterator<Item = &Value> {
        let (one, many) = match self {
            Shows::Created => (message.result().and_then(|result| result.get("task")), None),
            Shows::Listed => (
                None,
                message.result().and_then(|result| result.get("tasks")),
            ),
            Shows::Got | Shows::Cancelled => (message.result().map(unwrapped), None),
            Shows::Notified => (message.params().map(unwrapped), None),
        };
        let many = many.and_then(Value::as_array).into_iter().flatten();
        one.into_iter().chain(many).filter(|task| task.is_object())
    }
}

/// The task object itself, where it is wrapped in a member `task`.
pub fn unwrapped(value: &Value) -> &Value {
    match (value.get("taskId"), value.get("task")) {
        (None, Some(task)) if task.is_object() => task,
        _ => value,
    }
}

/// What a message has shown of a task.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What the task was at, as far as it could be read.
    pub status: Option<Status>,
    /// When it was last updated, in nanoseconds.
    pub updated: Option<i128>,
    /// Which message of the server it was, counted from 1.
    number: u64,
    /// The exchange whose stream brought it.
    stream: Option<u32>,
}

impl Sighting {
    /// Whether a message belongs behind this: it answers what was asked since, or it is a
    /// notification on the same stream. Servers answer side by side, so that an answer to what was
    /// asked before may be older than what has come.
    pub fn precedes(&self, message: &Message, client: &Ledger) -> bool {
        match message.kind() {
            Kind::Response => client
                .asked(message)
                .is_some_and(|asked| asked.heard >= self.number),
            _ => self.stream == stream_of(message),
        }
    }
}

/// One task of the server.
#[derive(Clone, Debug)]
pub struct Task {
    /// When it was created, as the first object that could be read says, in nanoseconds.
    pub created: Option<i128>,
    /// What was shown of it last.
    pub last: Sighting,
    /// Where it was first seen at its end.
    pub ended: Option<Sighting>,
    /// Whether its call asked for an odd `ttl`.
    pub odd_task: bool,
}

/// The tasks that the server has shown in one session, by id.
#[derive(Debug, Default)]
pub struct Tasks {
    entries: HashMap<String, Task>,
    order: VecDeque<String>,
}

impl Tasks {
    /// What is known of the task that an object shows.
    pub fn of(&self, task: &Value) -> Option<&Task> {
        self.entries.get(task.get("taskId")?.as_str()?)
    }

    /// Notes what the message with this number shows.
    pub(super) fn note(&mut self, shows: Shows, message: &Message, number: u64, client: &Ledger) {
        let odd_task =
            shows == Shows::Created && client.asked(message).is_some_and(|asked| asked.odd_task);
        for task in shows.tasks(message) {
            let Some(id) = task.get("taskId").and_then(Value::as_str) else {
                continue;
            };
            let seen = Sighting {
                status: Status::of(task),
                updated: time(task, "lastUpdatedAt"),
                number,
                stream: stream_of(message),
            };
            let created = time(task, "createdAt");
            let ended = seen.status.is_some_and(Status::is_terminal);
            let ended = ended.then(|| seen.clone());
            match self.entries.get_mut(id) {
                Some(known) => {
                    known.created = known.created.or(created);
                    known.ended = known.ended.take().or(ended);
                    known.last = seen;
                    known.odd_task |= odd_task;
                }
                None => self.keep(
                    id.to_owned(),
                    Task {
                        created,
                        last: seen,
                        ended,
                        odd_task,
                    },
                ),
            }
        }
    }

    fn keep(&mut self, id: String, task: Task) {
        self.order.push_back(id.clone());
        self.entries.insert(id, task);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// A time stamp of a task object, in nanoseconds.
pub fn time(task: &Value, member: &str) -> Option<i128> {
    instant(task.get(member)?.as_str()?)
}

fn stream_of(message: &Message) -> Option<u32> {
    message.exchange.as_ref().map(|exchange| exchange.number)
}
