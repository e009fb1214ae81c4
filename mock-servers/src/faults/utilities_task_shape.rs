//! Faults in how tasks are shown.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::features::tasks::IMMEDIATE_RESPONSE;
use crate::outbox::Emitted;
use crate::scene::Asked;
use crate::session::RELATED_TASK;

/// A time before all others.
const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

/// Why a status that does not exist breaks a second clause.
const NO_STATUS: (&str, &str) = (
    "utilities/task-status-value",
    "between the statuses that exist every step that is not out of an end is allowed",
);

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "tasks-capability-true",
        violates: "utilities/task-capability-shape",
        drags: &[],
        bend: Bend::Reply(|_, reply| {
            if let Some(list) = reply.pointer_mut("/result/capabilities/tasks/list") {
                *list = json!(true);
            }
        }),
    },
    Fault {
        name: "task-status-canceled",
        violates: "utilities/task-status-value",
        drags: &[
            (
                "utilities/task-cancel",
                "a cancelled task is to be shown as such, in that spelling",
            ),
            (
                "utilities/task-cancel-final",
                "a cancelled task is to be shown as such, in that spelling",
            ),
        ],
        bend: Bend::Emit(|_, outgoing| {
            for task in outgoing
                .iter_mut()
                .flat_map(|out| tasks_of(&mut out.message))
            {
                if task["status"] == "cancelled" {
                    task["status"] = json!("canceled");
                }
            }
        }),
    },
    Fault {
        name: "task-created-at-epoch",
        violates: "utilities/task-created-at",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_got(asked, reply, "createdAt", json!(1_764_028_800))),
    },
    Fault {
        name: "task-last-updated-missing",
        violates: "utilities/task-last-updated-at",
        drags: &[],
        bend: Bend::Reply(|asked, reply| remove_got(asked, reply, "lastUpdatedAt")),
    },
    Fault {
        name: "task-ttl-omitted",
        violates: "utilities/task-ttl-present",
        drags: &[],
        bend: Bend::Reply(|asked, reply| remove_got(asked, reply, "ttl")),
    },
    Fault {
        name: "task-poll-interval-string",
        violates: "utilities/task-optional-members",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_got(asked, reply, "pollInterval", json!("50"))),
    },
    Fault {
        name: "task-created-at-drifts",
        violates: "utilities/task-created-at-constant",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_got(asked, reply, "createdAt", json!(LONG_AGO))),
    },
    Fault {
        name: "task-time-reversed",
        violates: "utilities/task-time-order",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_got(asked, reply, "lastUpdatedAt", json!(LONG_AGO))),
    },
    Fault {
        name: "task-transition-invalid",
        violates: "utilities/task-transitions",
        drags: &[NO_STATUS],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("tasks/get") && reply["result"]["status"] == "working" {
                reply["result"]["status"] = json!("paused");
            }
        }),
    },
    Fault {
        name: "task-failed-silent",
        violates: "utilities/task-failed-message",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if reply["result"]["status"] == "failed" {
                remove_got(asked, reply, "statusMessage");
            }
        }),
    },
    Fault {
        name: "task-get-wrapped",
        violates: "utilities/task-get",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Once for each task, lest nobody ever sees the end of one.
            let id = asked.message["params"]["taskId"].to_string();
            let is_got = asked.is("tasks/get") && reply["result"].is_object();
            if is_got && asked.scene.memory.count(&format!("got {id}")) == 1 {
                reply["result"] = json!({ "task": reply["result"].take() });
            }
        }),
    },
    Fault {
        name: "task-get-related",
        violates: "utilities/task-result-messages-bare",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let id = reply["result"]["taskId"].clone();
            set_got(
                asked,
                reply,
                "_meta",
                json!({ RELATED_TASK: { "taskId": id } }),
            );
        }),
    },
    Fault {
        name: "task-immediate-response-object",
        violates: "utilities/task-immediate-response",
        drags: &[],
        bend: Bend::Reply(|_, reply| {
            if let Some(Value::Object(meta)) = reply.pointer_mut("/result/_meta")
                && let Some(words) = meta.get_mut(IMMEDIATE_RESPONSE)
            {
                *words = json!({ "text": words.take() });
            }
        }),
    },
    Fault {
        name: "task-get-streams",
        violates: "utilities/task-get-no-sse",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            // With something to be said beside the answer only a stream will do.
            let is_task = |out: &Emitted| out.message["result"]["taskId"].is_string();
            if let Some(position) = outgoing.iter().position(is_task) {
                let params = json!({ "level": "info", "data": "a task was looked at" });
                let log = Emitted {
                    message: crate::message::notification("notifications/message", params),
                    relates_to: outgoing[position].relates_to.clone(),
                };
                outgoing.insert(position, log);
            }
        }),
    },
    Fault {
        name: "task-status-notification-partial",
        violates: "utilities/task-status-notification",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for params in status_notifications(outgoing) {
                *params = json!({ "task": params.take() });
            }
        }),
    },
    Fault {
        name: "task-status-notification-false",
        violates: "utilities/task-status-notification-true",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            // Of a task that there never was, so that no true one has two ends.
            if let [out] = outgoing.as_slice()
                && out.message["method"] == STATUS
                && ["completed", "failed"]
                    .iter()
                    .any(|end| out.message["params"]["status"] == *end)
            {
                let mut ghost = out.clone();
                let id = out.message["params"]["taskId"].as_str().unwrap_or_default();
                ghost.message["params"]["taskId"] = json!(id.chars().rev().collect::<String>());
                outgoing.push(ghost);
            }
        }),
    },
    Fault {
        name: "task-status-notification-related",
        violates: "utilities/task-status-notification-bare",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for params in status_notifications(outgoing) {
                let related = json!({ "taskId": params["taskId"] });
                params["_meta"][RELATED_TASK] = related;
            }
        }),
    },
];

const STATUS: &str = "notifications/tasks/status";

/// The params of the status notifications among what leaves.
fn status_notifications(outgoing: &mut [Emitted]) -> impl Iterator<Item = &mut Value> {
    outgoing
        .iter_mut()
        .filter(|out| out.message["method"] == STATUS)
        .map(|out| &mut out.message["params"])
}

/// Every task that a message shows.
pub(super) fn tasks_of(message: &mut Value) -> Vec<&mut Value> {
    let is_task = |value: &Value| value["taskId"].is_string() && value["status"].is_string();
    let Some(members) = message.as_object_mut() else {
        return Vec::new();
    };
    let mut tasks = Vec::new();
    for (name, value) in members {
        match name.as_str() {
            "params" | "result" if is_task(value) => tasks.push(value),
            "result" => {
                let result = value.as_object_mut().into_iter().flatten();
                for (name, value) in result {
                    match (name.as_str(), value) {
                        ("task", task) if is_task(task) => tasks.push(task),
                        ("tasks", Value::Array(list)) => tasks.extend(list),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    tasks
}

/// Sets a member of the task that `tasks/get` is answered with.
fn set_got(asked: &Asked<'_>, reply: &mut Value, member: &str, value: Value) {
    if let (true, Some(Value::Object(task))) = (asked.is("tasks/get"), reply.get_mut("result")) {
        task.insert(member.to_owned(), value);
    }
}

fn remove_got(asked: &Asked<'_>, reply: &mut Value, member: &str) {
    if let (true, Some(Value::Object(task))) = (asked.is("tasks/get"), reply.get_mut("result")) {
        task.shift_remove(member);
    }
}
